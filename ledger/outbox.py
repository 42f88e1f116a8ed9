"""发件箱: what is to be told, claimed by one, sent outside any transaction, recorded once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from ledger import channels
from ledger.act_messages import KIND as ACT
from ledger.database import Session
from ledger.messages import Message, messages
from ledger.omissions import say_still
from ledger.plans import work_calendars
from ledger.receipts import KIND as RECEIPT
from ledger.tables import outbox, person_address
from policy_models.channels import INBOX_CODE, ChannelKind
from policy_models.delivery import MessageState, Way, facts_of, limit_of, most_attempts, pause_after
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound
from policy_models.quiet_hours import OPEN_HOURS, OpenHours, is_open

__all__ = ["Message"]  # where claimed messages come from

CLAIM_LASTS = timedelta(minutes=10)  # a claim older than this belongs to a sender that died
AFTER_OUTAGE = timedelta(minutes=1)  # a message that met a channel that is down lets others try it first
ANSWER_LIMIT, ERROR_LIMIT = 300, 1000


@dataclass(frozen=True, slots=True)
class Inbox:
    """The way that is always there: messages as units read them in the product."""

    code: str = INBOX_CODE
    kind: ChannelKind = ChannelKind.INBOX
    digest: str = ""
    per_minute: int | None = None


INBOX_ONLY: Mapping[str, Way] = {INBOX_CODE: Inbox()}


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as a unit reads it in the product."""

    id: int
    subject: str
    body: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went out: its words, and what the other side said."""

    id: int
    subject: str
    body: str
    answer: str = ""


def claim(
    session: Session,
    *,
    now: datetime,
    by: str,
    ways: Mapping[str, Way] = INBOX_ONLY,
    limit: int = 100,
    hours: OpenHours = OPEN_HOURS,
) -> tuple[Message, ...]:
    """Take up to ``limit`` messages that may go out now by these ways (channels as their settings have them). Two
    senders never get the same one. To be called in a transaction of ``Database.claim``, which passes by what others
    are taking.

    What leaves the machine needs a channel that was confirmed with these settings and does not rest, tokens, and, all
    but answers to letters and what other systems are told of acts, an open hour. Lines that were settled or moved meanwhile are marked; a message with nothing
    left to say is dropped.
    """
    allowed = _may_go(session, ways, now, hours)
    while found := _lock(session, allowed, now, limit):
        ids = say_still(session, sorted(found))
        taken = _with_tokens(session, ids, found, ways, now)
        if taken:
            values = {"state": "claimed", "claimed_at": now, "claimed_by": by, "attempts": outbox.c.attempts + 1}
            session.execute(update(outbox).where(outbox.c.id.in_(taken), outbox.c.state == "pending").values(values))
            return messages(session, taken)
        if ids:
            return ()  # no tokens left
    return ()


def limited_until(
    session: Session, ways: Mapping[str, Way], now: datetime, hours: OpenHours = OPEN_HOURS
) -> datetime | None:
    """When the next message that waits for nothing but a token can go; None when no message does."""
    rows = session.execute(
        select(outbox.c.channel)
        .where(_due(now), _may_go(session, ways, now, hours), outbox.c.channel != INBOX_CODE)
        .group_by(outbox.c.channel)
    )
    known = channels.standings(session)
    return min((channels.next_token(known.get(row.channel), ways[row.channel], now) for row in rows), default=None)


def _may_go(session: Session, ways: Mapping[str, Way], now: datetime, hours: OpenHours) -> ColumnElement[bool]:
    """Which messages may go out at this instant as far as channels and hours decide it."""
    usable = channels.usable(session, ways, now)
    leaving = {code for code in usable if facts_of(ways[code]).leaves}
    if not leaving:
        return outbox.c.channel.in_(sorted(usable))
    open_plans = [plan_id for plan_id, work in work_calendars(session).items() if is_open(now, work, hours)]
    decent = or_(outbox.c.kind.in_((RECEIPT, ACT)), outbox.c.plan_id.in_(open_plans))
    return or_(outbox.c.channel.in_(sorted(usable - leaving)), and_(outbox.c.channel.in_(sorted(leaving)), decent))


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(outbox.c.state == "pending", outbox.c.next_try_at <= now)


def _lock(session: Session, allowed: ColumnElement[bool], now: datetime, limit: int) -> dict[int, str]:
    """The next messages that are due and that nobody else is taking, with their channels: those first that were due
    first, so that one that fails goes behind the others."""
    due = (
        select(outbox.c.id, outbox.c.channel)
        .where(_due(now), allowed)
        .order_by(outbox.c.next_try_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # two statements: PostgreSQL would run a subquery with SKIP LOCKED again and take more than were asked for
    return {row.id: row.channel for row in session.execute(due)}


def _with_tokens(
    session: Session, ids: Sequence[int], channel_of: Mapping[int, str], ways: Mapping[str, Way], now: datetime
) -> list[int]:
    """As many of these as their channels have tokens for."""
    taken: list[int] = []
    for code in sorted({channel_of[id] for id in ids}):
        mine = [id for id in ids if channel_of[id] == code]
        taken += mine[: channels.take_tokens(session, code, limit_of(ways[code]), len(mine), now)]
    return sorted(taken)


def record_sent(session: Session, message_id: int, *, subject: str, body: str, now: datetime, answer: str = "") -> bool:
    """Note that a claimed message was sent, with its words; False when the claim had been taken away meanwhile."""
    return record_all(session, [Sent(message_id, subject, body, answer)], now=now) == 1


def record_all(session: Session, sent: Sequence[Sent], *, now: datetime) -> int:
    """Note that claimed messages were sent, in one statement; of how many the claim still stood. One whose claim was
    meanwhile called uncertain is certain now."""
    if not sent:
        return 0
    met = session.execute(
        update(outbox)
        .where(outbox.c.id == bindparam("row"), or_(outbox.c.state == "claimed", outbox.c.state == "uncertain"))
        .values(
            state="sent",
            sent_at=now,
            subject=bindparam("words"),
            body=bindparam("text"),
            answer=bindparam("said"),
            error=None,
        ),
        [
            {
                "row": one.id,
                "words": _plain(one.subject),
                "text": _plain(one.body),
                "said": _plain(one.answer)[:ANSWER_LIMIT] or None,
            }
            for one in sent
        ],
    )
    return int(met.rowcount)


def record_failed(
    session: Session,
    message_id: int,
    *,
    error: str,
    permanent: bool,
    now: datetime,
    uncertain: bool = False,
    blamed: bool = True,
) -> None:
    """Note that sending failed: tried again later with growing pauses, or dead when it can't help or was the last.
    ``uncertain``: it may have arrived all the same, so it is left to a person. ``blamed`` False: the channel's fault,
    so that the attempt does not count."""
    claimed = and_(outbox.c.id == message_id, outbox.c.state == "claimed")
    found = session.execute(select(outbox.c.attempts, outbox.c.channel).where(claimed)).first()
    if found is None:
        return
    values: dict[str, object] = {"error": _plain(error)[:ERROR_LIMIT]}
    if uncertain:
        values |= {"state": "uncertain"}
    elif not blamed:
        again = now + AFTER_OUTAGE
        values |= {"state": "pending", "attempts": found.attempts - 1, "next_try_at": again, "claimed_at": None}
    elif permanent or found.attempts >= most_attempts(found.channel):
        values |= {"state": "dead", "claimed_at": None}
    else:
        again = now + pause_after(message_id, found.attempts)
        values |= {"state": "pending", "next_try_at": again, "claimed_at": None}
    session.execute(update(outbox).where(claimed).values(values))


def _plain(text: str) -> str:
    """As any database takes it: NUL is refused by PostgreSQL, and one such answer must not stop a batch."""
    return text.replace("\0", "")


def release_stale(session: Session, *, now: datetime, idempotent_channels: Collection[str]) -> int:
    """What became of claims whose sender died: sent again where twice is harmless, else marked uncertain and left to
    a person. How many there were."""
    stale = and_(outbox.c.state == "claimed", outbox.c.claimed_at < now - CLAIM_LASTS)
    harmless = outbox.c.channel.in_(list(idempotent_channels))
    again = session.execute(update(outbox).where(stale, harmless).values(state="pending", next_try_at=now))
    why = "发送途中程序中断，不能确定对方是否已收到"
    unsure = session.execute(update(outbox).where(stale, ~harmless).values(state="uncertain", error=why))
    return int(again.rowcount + unsure.rowcount)


def resend(session: Session, message_id: int, *, by: str, now: datetime) -> None:
    """Have a dead or uncertain message sent again, with as many attempts as a new one, under the same key.

    Raises NotFound, ActNotAllowed (it waits, is on its way or was sent), ChangedMeanwhile.
    """
    mine = outbox.c.id == message_id
    state = session.execute(select(outbox.c.state).where(mine)).scalar_one_or_none()
    if state is None:
        raise NotFound(f"没有编号为 {message_id} 的消息")
    if state not in (MessageState.DEAD, MessageState.UNCERTAIN):
        raise ActNotAllowed("只有未能送达或不能确定是否送达的消息可以重新发送")
    if session.execute(update(outbox).where(mine, outbox.c.state == state).values(anew(by, now))).rowcount == 0:
        raise ChangedMeanwhile("这条消息刚刚已被处理，请刷新后再看")


def anew(by: str, now: datetime) -> dict[str, Any]:
    """What makes a message one that is still to be sent, because a person (``by``) wants it so; to the address that the
    recipient has by this channel now, since a wrong one may be why it is dead."""
    own = and_(person_address.c.person_id == outbox.c.person_id, person_address.c.channel == outbox.c.channel)
    address = func.coalesce(select(person_address.c.address).where(own).scalar_subquery(), outbox.c.address)
    values = {"state": MessageState.PENDING.value, "attempts": 0, "next_try_at": now, "claimed_at": None}
    return {**values, "resent_by": by[:80], "address": address}


def record_bounce(session: Session, message_id: int, reason: str, *, now: datetime) -> bool:
    """Note that a sent e-mail came back (退信); False when no such message was sent. ``reason``: without addresses."""
    was_sent = outbox.c.state.in_([MessageState.SENT.value, MessageState.UNCERTAIN.value])
    values = {"state": "dead", "error": f"退信：{_plain(reason)}"[:ERROR_LIMIT]}
    met = session.execute(update(outbox).where(outbox.c.id == message_id, was_sent).values(values))
    return bool(met.rowcount)


def counts(session: Session) -> dict[str, int]:
    """How many messages stand in each state."""
    rows = session.execute(select(outbox.c.state, func.count().label("n")).group_by(outbox.c.state))
    return {row.state: row.n for row in rows}


def inbox(session: Session, unit_code: str, *, limit: int = 20) -> tuple[InboxMessage, ...]:
    """The newest messages that a unit has in the product."""
    rows = session.execute(
        select(outbox)
        .where(outbox.c.recipient == unit_code, outbox.c.channel == "inbox", outbox.c.state == "sent")
        .order_by(outbox.c.sent_at.desc(), outbox.c.id.desc())
        .limit(limit)
    )
    return tuple(InboxMessage(row.id, row.subject or "", row.body or "", row.sent_at) for row in rows)
