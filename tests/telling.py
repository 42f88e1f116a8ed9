"""People and channels for tests about messages: a liaison with an address, a channel that was tested and confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from ledger import channels
from ledger.database import Database, Session
from ledger.outbox import INBOX_ONLY
from policy_models.channels import ChannelKind
from policy_models.delivery import Way

NUMBER = "271828"


@dataclass(frozen=True)
class Plain:
    """A channel's settings as far as the ledger asks for them."""

    code: str = "mz-group"
    kind: ChannelKind = ChannelKind.WEBHOOK
    digest: str = "d1"
    per_minute: int | None = None


GROUP = Plain()
MAIL = Plain("email", ChannelKind.EMAIL)


def ways(*found: Way) -> Mapping[str, Way]:
    """The inbox and these."""
    return {**INBOX_ONLY, **{way.code: way for way in found}}


def confirm_channel(
    session: Session, way: Way, now: datetime, *, acts: Sequence[str] = (), units: Sequence[str] = ()
) -> None:
    """As an administrator does: the test message, then the number it carried."""
    listens = {"acts": acts, "units": units}
    channels.note_test(session, way.code, way.kind.value, way.digest, number=NUMBER, now=now, **listens)
    assert channels.confirm(session, way.code, NUMBER, digest=way.digest, by="管理员", now=now)


def confirm_all(database: Database, found: Mapping[str, Way], now: datetime) -> None:
    """Every channel of these that leaves the machine."""
    with database.write() as session:
        for way in found.values():
            if way.kind not in (ChannelKind.INBOX, ChannelKind.CONSOLE):
                confirm_channel(session, way, now)


def add_liaison(
    session: Session,
    unit: str,
    way: Way,
    now: datetime,
    *,
    name: str = "张三",
    address: str = "",
    principal: bool = False,
) -> int:
    """Somebody who answers for a unit, reached by one channel; the person's id."""
    values = {"unit": unit, "name": name, "principal": principal, "now": now.replace(tzinfo=None)}
    known = session.execute(
        text(
            "INSERT INTO person (unit_code, name, liaison, principal, added_at, changed_at)"
            " VALUES (:unit, :name, true, :principal, :now, :now) RETURNING id"
        ),
        values,
    ).scalar_one()
    session.execute(
        text("INSERT INTO person_address (person_id, channel, address, position) VALUES (:id, :code, :address, 1)"),
        {"id": known, "code": way.code, "address": address},
    )
    return int(known)
