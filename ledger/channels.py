"""渠道: which channels an administrator has confirmed, how fast they may go, and how they fare.

The settings of a channel (addresses, secrets) are never here: they are in the channels file (notifications). The ledger
knows a channel by its code and by the digest of the settings that were tested.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, insert, null, or_, select, update

from ledger.act_messages import forget_others
from ledger.database import Session
from ledger.tables import channel, outbox
from policy_models.delivery import (
    DOWN_AFTER,
    ChannelState,
    Waiting,
    Way,
    facts_of,
    limit_of,
    outage_pause,
    refilled,
    until_next,
)
from policy_models.errors import ActNotAllowed, NotFound

MOST_TRIES = 5  # wrong numbers for one test message
PROBE_LASTS = timedelta(minutes=2)  # a channel that was down is tried with one message, and the others wait for it
ERROR_LIMIT = 300


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
    tokens: float
    refilled_at: datetime | None
    awaits_number: bool  # a test message went out, and its number may still be given back

    @property
    def is_down(self) -> bool:
        """Whether several messages in a row could not be handed over: then it is the channel's fault, not theirs."""
        return self.failures >= DOWN_AFTER


STORED = ChannelStanding.__slots__[:-1]


def confirmed(session: Session) -> frozenset[str]:
    """The codes of the channels that were confirmed by their test message."""
    return frozenset(session.execute(select(channel.c.code).where(channel.c.confirmed_at.is_not(None))).scalars())


def standings(session: Session) -> dict[str, ChannelStanding]:
    """Every channel that was ever tested, by code."""
    rows = session.execute(select(channel).order_by(channel.c.code))
    return {row.code: _standing(row) for row in rows}


def _standing(row: Any) -> ChannelStanding:
    awaits = row.test_hash is not None and row.tries < MOST_TRIES
    return ChannelStanding(**{name: getattr(row, name) for name in STORED}, awaits_number=awaits)


def note_test(
    session: Session,
    code: str,
    kind: str,
    digest: str,
    *,
    number: str,
    now: datetime,
    acts: Sequence[str] = (),
    units: Sequence[str] = (),
) -> None:
    """A test message with this number went out: what was confirmed before is no longer. Confirmed again, the channel is
    told of these ``acts``, and with ``units`` of those that lie with them or below."""
    values = {
        "kind": kind,
        "digest": digest,
        "test_hash": _hash(number),
        "tested_at": now,
        "tries": 0,
        "confirmed_at": None,
        "confirmed_by": None,
        "acts": f",{','.join(acts)}," if acts else "",
        "units": ",".join(units),
    }
    forget_others(session, code, acts)
    met = session.execute(update(channel).where(channel.c.code == code).values(values))
    if met.rowcount == 0:
        session.execute(insert(channel).values(code=code, **values))


def confirm(session: Session, code: str, number: str, *, by: str, now: datetime, digest: str | None = None) -> bool:
    """Confirm a channel by the number that its test message carried; False for a wrong number (five at most).
    ``digest``: of the settings it has now, where they are at hand; a test of others does not count.

    Raises NotFound for a channel never tested, ActNotAllowed when it has no test waiting.
    """
    row = session.execute(select(channel).where(channel.c.code == code)).one_or_none()
    if row is None:
        raise NotFound(f"渠道 {code} 还没有发送过测试消息")
    if digest is not None and row.digest != digest:
        raise ActNotAllowed(f"渠道 {code} 的设置在测试之后有变，请重新发送测试消息")
    if row.confirmed_at is not None:
        raise ActNotAllowed(f"渠道 {code} 此前已确认")
    if row.test_hash is None or row.tries >= MOST_TRIES:
        raise ActNotAllowed(f"渠道 {code} 的确认码已作废，请重新发送测试消息")
    if not hmac.compare_digest(_hash(_digits(number)), row.test_hash):
        session.execute(update(channel).where(channel.c.code == code).values(tries=channel.c.tries + 1))
        return False
    values = {"confirmed_at": now, "confirmed_by": by, "test_hash": None, "error": None, **_AT_REST}
    session.execute(update(channel).where(channel.c.code == code).values(values))
    return True


_AT_REST: Mapping[str, Any] = {"paused_until": None, "failures": 0, "failed_message": None}


def withdraw(session: Session, codes: Collection[str]) -> None:
    """Nothing goes out by these channels until they are tested and confirmed again."""
    values = {"confirmed_at": None, "confirmed_by": None, "test_hash": None}
    session.execute(update(channel).where(channel.c.code.in_(list(codes))).values(values))


def holds_back(way: Way | None, standing: ChannelStanding | None, now: datetime) -> Waiting | None:
    """Why nothing may go out by a channel now, whatever the message; None when it may. ``way`` None: not configured."""
    if way is None:
        return Waiting.NOT_CONFIGURED
    if not facts_of(way).leaves:
        return None
    if standing is None or standing.confirmed_at is None or standing.digest != way.digest:
        return Waiting.UNCONFIRMED
    if standing.paused_until is not None and standing.paused_until > now:
        return Waiting.DOWN if standing.is_down else Waiting.LIMITED
    return None


def state_of(way: Way | None, standing: ChannelStanding | None, now: datetime) -> ChannelState:
    """How a channel stands, as its page shows it. ``way`` None: not configured."""
    if way is None:
        return ChannelState.NOT_CONFIGURED
    if not facts_of(way).leaves:
        return ChannelState.ALWAYS
    if standing is None or not (standing.confirmed_at or standing.awaits_number):
        return ChannelState.UNTESTED
    if standing.digest != way.digest:
        return ChannelState.CHANGED
    if standing.confirmed_at is None:
        return ChannelState.AWAITS
    rests = {Waiting.DOWN: ChannelState.DOWN, Waiting.LIMITED: ChannelState.LIMITED}
    held = holds_back(way, standing, now)
    return rests[held] if held else ChannelState.CONFIRMED


def usable(session: Session, ways: Mapping[str, Way], now: datetime) -> frozenset[str]:
    """The codes of the channels that something may go out by now: they stay on the machine, or were confirmed with
    the very settings they have, and do not rest."""
    known = standings(session)
    return frozenset(code for code, way in ways.items() if holds_back(way, known.get(code), now) is None)


def take_tokens(session: Session, code: str, per_minute: int | None, wanted: int, now: datetime) -> int:
    """Take up to ``wanted`` tokens of a channel's bucket; how many there were. All workers on all machines share it.

    A channel that was down gives one, for a message that tries it, and rests until that one's outcome is known.
    """
    mine = channel.c.code == code
    row = session.execute(select(channel).where(mine).with_for_update()).one_or_none()
    if row is None:  # stays on the machine: no limit
        return wanted
    if row.paused_until is not None and row.paused_until > now:
        return 0
    down = row.failures >= DOWN_AFTER
    wanted = min(wanted, 1) if down else wanted
    values: dict[str, Any] = {"paused_until": now + PROBE_LASTS} if down else {}
    if per_minute is not None:
        tokens = refilled(row.tokens, row.refilled_at, now, per_minute)
        wanted = max(0, min(wanted, int(tokens)))
        later = now if row.refilled_at is None else max(now, row.refilled_at)
        values |= {"tokens": tokens - wanted, "refilled_at": later}
    if wanted and values:
        seen = and_(mine, channel.c.refilled_at.is_not_distinct_from(row.refilled_at), channel.c.tokens == row.tokens)
        if session.execute(update(channel).where(seen).values(values)).rowcount == 0:
            return 0  # another worker took them first
    return wanted


def charge(session: Session, code: str, extra: int) -> None:
    """Take tokens that a message needed beyond its one, since it went out in parts: the bucket may owe some."""
    session.execute(update(channel).where(channel.c.code == code).values(tokens=channel.c.tokens - extra))


def next_token(standing: ChannelStanding | None, way: Way, now: datetime) -> datetime:
    """When a channel's bucket has the next token to give: ``now`` where it has one."""
    limit = limit_of(way)
    if standing is None or limit is None:
        return now
    return now + until_next(refilled(standing.tokens, standing.refilled_at, now, limit), limit)


def cool_down(session: Session, code: str, until: datetime, *, error: str | None = None, now: datetime) -> None:
    """Send nothing by a channel before ``until``: it asked for that, in these words. A longer rest stands."""
    mine = channel.c.code == code
    later = or_(channel.c.paused_until.is_(None), channel.c.paused_until < until)
    session.execute(update(channel).where(mine, later).values(paused_until=until))
    if error is not None:
        session.execute(update(channel).where(mine).values(error=error[:ERROR_LIMIT], failed_at=now))


def note_sent(session: Session, code: str, now: datetime) -> None:
    """Something went out: the channel works. A rest that it asked for stands."""
    over = case((channel.c.failures >= DOWN_AFTER, null()), else_=channel.c.paused_until)
    values = {"sent_at": now, "paused_until": over, "failures": 0, "failed_message": None}
    session.execute(update(channel).where(channel.c.code == code).values(values))


def note_failed(session: Session, code: str, message_id: int, *, error: str, now: datetime) -> bool:
    """A message could not be handed over; whether the channel is down, so that it is not the message's fault.

    Counted once for a message, until others fail too: one that always fails shows nothing about the channel. To be
    called before the message's own outcome is recorded. While it is down, only what was claimed after the last failure
    counts: not what several workers had under way when it broke.
    """
    claimed_at = select(outbox.c.claimed_at).where(outbox.c.id == message_id).scalar_subquery()
    fresh = or_(
        and_(channel.c.failures < DOWN_AFTER, channel.c.failed_message.is_distinct_from(message_id)),
        and_(channel.c.failures >= DOWN_AFTER, func.coalesce(claimed_at >= channel.c.failed_at, True)),
    )
    mine = channel.c.code == code
    met = session.execute(
        update(channel)
        .where(mine, fresh)
        .values(failures=channel.c.failures + 1, failed_message=message_id, failed_at=now, error=error[:ERROR_LIMIT])
        .returning(channel.c.failures)
    ).scalar_one_or_none()
    if met is None:
        failures = session.execute(select(channel.c.failures).where(mine)).scalar_one_or_none()
        return failures is not None and failures >= DOWN_AFTER
    if met >= DOWN_AFTER:
        cool_down(session, code, now + outage_pause(code, met), now=now)
    return bool(met >= DOWN_AFTER)


def _digits(number: str) -> str:
    """As people type and copy it: with blanks, or in full-width digits."""
    return "".join(unicodedata.normalize("NFKC", number).split())


def _hash(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()
