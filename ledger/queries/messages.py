"""Messages as people look at them: what became of each, and why one that waits has not gone out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from ledger import channels
from ledger.act_messages import KIND as ACT
from ledger.channels import ChannelStanding
from ledger.database import Session
from ledger.plans import work_calendars
from ledger.receipts import KIND as RECEIPT
from ledger.tables import outbox, person, unit
from policy_models.calendars import WorkCalendar
from policy_models.delivery import MessageState, Waiting, Way, facts_of
from policy_models.quiet_hours import OPEN_HOURS, OpenHours, is_open, next_opening

MOST = 200  # rows of one reading


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message. ``recipient`` and ``recipient_name``: a unit, "" for an answer to a letter; ``person_name``: None
    for the unit's inbox. ``waiting``: why a pending one has not gone out, and ``not_before``: when that ends, where it
    is known. ``answer``: what the other side said. Never an address."""

    id: int
    key: str
    kind: str
    channel: str
    recipient: str
    recipient_name: str
    person_name: str | None
    state: MessageState
    waiting: Waiting | None
    not_before: datetime | None
    attempts: int
    subject: str
    error: str | None
    answer: str | None
    queued_at: datetime
    claimed_at: datetime | None
    sent_at: datetime | None
    resent_by: str | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """``cursor``: for the next reading; None at the end."""

    rows: tuple[MessageRow, ...]
    cursor: int | None


@dataclass(frozen=True, slots=True)
class _Scene:
    """What decides why messages wait."""

    now: datetime
    ways: Mapping[str, Way]
    hours: OpenHours
    standings: Mapping[str, ChannelStanding]
    calendars: Mapping[int, WorkCalendar]


def messages(
    session: Session,
    *,
    now: datetime,
    ways: Mapping[str, Way],
    states: Collection[MessageState] = (),
    kinds: Collection[str] = (),
    channel: str | None = None,
    unit_code: str | None = None,
    limit: int = 50,
    cursor: int | None = None,
    hours: OpenHours = OPEN_HOURS,
) -> MessagePage:
    """The newest messages first; empty filters let all through. ``ways``: the channels as their settings have them.
    As many statements for one as for 200 (at most that many at a time)."""
    limit = min(limit, MOST)
    wanted = _chosen(states, kinds, channel, unit_code).order_by(outbox.c.id.desc()).limit(limit + 1)
    rows = session.execute(wanted if cursor is None else wanted.where(outbox.c.id < cursor)).all()
    scene = _Scene(now, ways, hours, channels.standings(session), work_calendars(session))
    found = tuple(_row(row, scene) for row in rows[:limit])
    return MessagePage(found, found[-1].id if len(rows) > limit else None)


UNSETTLED = (MessageState.PENDING, MessageState.UNCERTAIN, MessageState.DEAD)


def unsettled_by_channel(session: Session) -> dict[str, dict[MessageState, int]]:
    """How many messages wait, are dead or uncertain, by channel and state."""
    found: dict[str, dict[MessageState, int]] = {}
    counted = select(outbox.c.channel, outbox.c.state, func.count().label("n")).where(outbox.c.state.in_(UNSETTLED))
    for row in session.execute(counted.group_by(outbox.c.channel, outbox.c.state)):
        found.setdefault(row.channel, {})[MessageState(row.state)] = row.n
    return found


def _chosen(
    states: Collection[str] = (), kinds: Collection[str] = (), channel: str | None = None, unit_code: str | None = None
) -> Select[Any]:
    wanted = (
        select(outbox, unit.c.name.label("unit_name"), person.c.name.label("person_name"))
        .outerjoin(unit, unit.c.code == outbox.c.recipient)
        .outerjoin(person, person.c.id == outbox.c.person_id)
    )
    one: Sequence[tuple[Any, Collection[str]]] = (
        (outbox.c.state, states),
        (outbox.c.kind, kinds),
        (outbox.c.channel, [channel] if channel else []),
        (outbox.c.recipient, [unit_code] if unit_code else []),
    )
    for column, values in one:
        wanted = wanted.where(column.in_(values)) if values else wanted
    return wanted


def _row(row: Any, scene: _Scene) -> MessageRow:
    waiting, not_before = _waiting(row, scene) if row.state == MessageState.PENDING else (None, None)
    return MessageRow(
        row.id,
        row.key,
        row.kind,
        row.channel,
        row.recipient or "",
        row.unit_name or "",
        row.person_name,
        MessageState(row.state),
        waiting,
        not_before,
        row.attempts,
        row.subject or "",
        row.error,
        row.answer,
        row.queued_at,
        row.claimed_at,
        row.sent_at,
        row.resent_by,
    )


def _waiting(row: Any, scene: _Scene) -> tuple[Waiting, datetime | None]:
    """The first of the reasons that holds, in the order in which the claim looks at them."""
    way, standing, now = scene.ways.get(row.channel), scene.standings.get(row.channel), scene.now
    held = channels.holds_back(way, standing, now)
    if way is None or held is not None:
        resting = standing is not None and held in (Waiting.DOWN, Waiting.LIMITED)
        return held or Waiting.NOT_CONFIGURED, standing.paused_until if resting and standing else None
    work = scene.calendars.get(row.plan_id)
    if (
        facts_of(way).leaves
        and row.kind not in (RECEIPT, ACT)
        and work is not None
        and not is_open(now, work, scene.hours)
    ):
        return Waiting.CLOSED, next_opening(max(now, row.next_try_at), work, scene.hours)
    if row.next_try_at > now:
        return Waiting.AGAIN, row.next_try_at
    token = channels.next_token(standing, way, now) if facts_of(way).leaves else now
    return (Waiting.LIMITED, token) if token > now else (Waiting.NEXT, None)
