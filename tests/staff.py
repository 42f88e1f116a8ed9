"""People at units and the channels to them, put straight into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert

from ledger import channels
from ledger.database import Session
from ledger.tables import person, person_address

NUMBER = "123456"


def confirm_channel(session: Session, code: str, kind: str, now: datetime, digest: str = "d" * 64) -> None:
    """A channel as if an administrator had tested and confirmed it."""
    channels.note_test(session, code, kind, digest, number=NUMBER, now=now)
    assert channels.confirm(session, code, NUMBER, by="管理员", now=now)


def add_staff(
    session: Session,
    unit: str,
    name: str,
    now: datetime,
    *,
    ways: Sequence[tuple[str, str]] = (),
    liaison: bool = True,
    principal: bool = False,
    active: bool = True,
    bounced: Sequence[str] = (),
) -> int:
    """Somebody at a unit, reached by ``ways`` (channel, address), the preferred one first; the person's id."""
    facts = {"liaison": liaison, "principal": principal, "active": active, "added_at": now, "changed_at": now}
    made = session.execute(insert(person).values(unit_code=unit, name=name, **facts).returning(person.c.id))
    id = int(made.scalar_one())
    rows = [
        {
            "person_id": id,
            "channel": code,
            "address": address,
            "position": place,
            "bounced_at": _when(code, bounced, now),
        }
        for place, (code, address) in enumerate(ways)
    ]
    if rows:
        session.execute(insert(person_address), rows)
    return id


def _when(code: str, bounced: Sequence[str], now: datetime) -> datetime | None:
    return now if code in bounced else None
