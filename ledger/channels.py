"""渠道: which channels an administrator has confirmed, how fast they may go, and how they fare.

The settings of a channel (addresses, secrets) are never here: they are in the channels file (notifications). The ledger
knows a channel by its code and by the digest of the settings that were tested.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from ledger.database import Session
from ledger.tables import channel
from policy_models.errors import ActNotAllowed, NotFound

MOST_TRIES = 5  # wrong numbers for one test message


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """What is known of a channel. Instants are UTC; ``digest`` of the settings that were tested."""

    code: str
    kind: str
    digest: str
    tested_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    paused_until: datetime | None
    failures: int
    failed_at: datetime | None
    error: str | None
    sent_at: datetime | None


def confirmed(session: Session) -> frozenset[str]:
    """The codes of the channels that were confirmed by their test message."""
    return frozenset(session.execute(select(channel.c.code).where(channel.c.confirmed_at.is_not(None))).scalars())


def standings(session: Session) -> dict[str, ChannelStanding]:
    """Every channel that was ever tested, by code."""
    names = ChannelStanding.__slots__
    rows = session.execute(select(channel).order_by(channel.c.code))
    return {row.code: ChannelStanding(*(getattr(row, name) for name in names)) for row in rows}


def note_test(session: Session, code: str, kind: str, digest: str, *, number: str, now: datetime) -> None:
    """A test message with this number went out: what was confirmed before is no longer."""
    values = {
        "kind": kind,
        "digest": digest,
        "test_hash": _hash(number),
        "tested_at": now,
        "tries": 0,
        "confirmed_at": None,
        "confirmed_by": None,
    }
    met = session.execute(update(channel).where(channel.c.code == code).values(values))
    if met.rowcount == 0:
        session.execute(insert(channel).values(code=code, **values))


def confirm(session: Session, code: str, number: str, *, by: str, now: datetime) -> bool:
    """Confirm a channel by the number that its test message carried; False for a wrong number (five at most).

    Raises NotFound for a channel never tested, ActNotAllowed when it has no test waiting.
    """
    row = session.execute(select(channel).where(channel.c.code == code)).one_or_none()
    if row is None:
        raise NotFound(f"渠道 {code} 还没有发送过测试消息")
    if row.confirmed_at is not None:
        raise ActNotAllowed(f"渠道 {code} 此前已确认")
    if row.test_hash is None or row.tries >= MOST_TRIES:
        raise ActNotAllowed(f"渠道 {code} 的确认码已作废，请重新发送测试消息")
    if _hash(number.strip()) != row.test_hash:
        session.execute(update(channel).where(channel.c.code == code).values(tries=channel.c.tries + 1))
        return False
    values = {"confirmed_at": now, "confirmed_by": by, "test_hash": None, "paused_until": None, "failures": 0}
    session.execute(update(channel).where(channel.c.code == code).values(values))
    return True


def withdraw(session: Session, codes: Collection[str]) -> None:
    """Nothing goes out by these channels until they are tested and confirmed again."""
    session.execute(update(channel).where(channel.c.code.in_(list(codes))).values(confirmed_at=None, confirmed_by=None))


def _hash(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()
