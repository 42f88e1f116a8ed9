"""催办 by hand: an office has units told of what they owe, sees the message first, and never tells anybody twice a day.

The coordinator may chase every unit, a superior those below it. What the ladder sends by itself: ledger/reminders.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Integer, String, case, cast, func, insert, literal, null, select
from sqlalchemy.exc import IntegrityError

from ledger.acts import Actor
from ledger.chase_scope import CHASE, chased_today, chosen_rows, people_at, require_below, told_today
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import PlanSummary, calendars, plan_summary
from ledger.queueing import Batch, queue_messages, reachable
from ledger.screenings import require_clean
from ledger.tables import reminder, unit, work_item
from policy_models.calendars import WorkCalendar
from policy_models.errors import ActNotAllowed, ChangedMeanwhile
from policy_models.ladder import Audience
from policy_models.lifecycle import OWED, STATE_NAMES, State
from policy_models.notices import Addressee, ReminderLine, ReminderNotice
from policy_models.periods import period_name, section_name
from policy_models.quiet_hours import OPEN_HOURS, OpenHours, next_opening

LONGEST = 200  # characters of added words


class LeftOut(StrEnum):
    """Why an item that was chosen is not chased."""

    SETTLED = "settled"
    UNOPENED = "unopened"
    EXEMPT = "exempt"
    CLOSED = "closed"
    CHASED = "chased"


LEFT_OUT_NAMES = {
    LeftOut.UNOPENED: "尚未启动",
    LeftOut.EXEMPT: "系统启用前的事项，不催办",
    LeftOut.CLOSED: "单位已停用",
    LeftOut.CHASED: "今天已催办过",
}


@dataclass(frozen=True, slots=True)
class Passed:
    """An item that was chosen and is not chased; ``why`` in words."""

    key: str
    title: str
    period: str
    unit_code: str
    unit_name: str
    reason: LeftOut
    why: str


@dataclass(frozen=True, slots=True)
class ChasedUnit:
    """A unit that would be told: the facts of its message, who there gets it beside the inbox (names), and when it
    was last told today (UTC; None: not yet)."""

    code: str
    name: str
    notice: ReminderNotice
    people: tuple[str, ...]
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What sending would do. ``goes_out_at``: the instant from which messages may leave the machine."""

    plan_code: str
    units: tuple[ChasedUnit, ...]
    passed: tuple[Passed, ...]
    goes_out_at: datetime

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(line.key for one in self.units for line in one.notice.lines)

    @property
    def told_today(self) -> tuple[ChasedUnit, ...]:
        return tuple(one for one in self.units if one.told_at)

    @property
    def unreachable(self) -> tuple[ChasedUnit, ...]:
        return tuple(one for one in self.units if not one.people)


@dataclass(frozen=True, slots=True)
class Chased:
    """``batch``: the first reminder's id, which names the whole sending; None when there was nothing to send.
    ``passed``: what was left out."""

    batch: int | None
    items: int
    messages: int
    passed: tuple[Passed, ...]


def preview(
    session: Session, keys: Sequence[str], *, by: Actor, now: datetime, words: str = "", hours: OpenHours = OPEN_HOURS
) -> Preview:
    """What chasing these items would send, to whom, and what it would leave out. A fixed number of statements.

    Raises NotFound for an unknown key or none at all, NotResponsible for a unit that is not below ``by``,
    ActNotAllowed for too many items or those of several plans.
    """
    rows = chosen_rows(session, keys)
    today = civil_date(now)
    summary = plan_summary(session, rows[0].plan_code)
    require_below(session, rows, by, summary)
    chased = chased_today(session, rows, today)
    passed, owed = [], []
    known = calendars(session, summary.code)
    for row in rows:
        reason = _left_out(row, today, chased)
        period = period_name(row.period, known)
        if reason is None:
            owed.append(_line(row, period, today, known.work))
        else:
            passed.append(Passed(row.key, row.title, period, row.unit_code, row.unit_name, reason, _why(row, reason)))
    units = _units(session, owed, summary, by, today, words)
    return Preview(summary.code, units, tuple(passed), next_opening(now, known.work, hours))


def chase(
    session: Session, keys: Sequence[str], *, by: Actor, now: datetime, words: str = "", principals: bool = False
) -> Chased:
    """Have the units told: one reminder for each item and day, one message for each unit and person. Twice is once.
    ``principals``: the units' principals are told as well as the liaisons.

    Raises what ``preview`` raises, PrivacyBlocked, and ChangedMeanwhile when somebody chased the same at this instant.
    """
    words = " ".join(words.split())
    require_clean([("催办说明", words), ("经办人", by.name)])
    if len(words) > LONGEST:
        raise ActNotAllowed(f"催办说明不能超过{LONGEST}字，现为{len(words)}字")
    found = preview(session, keys, by=by, now=now)
    if not found.units:
        return Chased(_earlier(session, keys, by, civil_date(now)), 0, 0, found.passed)
    summary = plan_summary(session, found.plan_code)
    before = int(session.execute(select(func.coalesce(func.max(reminder.c.id), 0))).scalar_one())
    try:
        for audience in Audience if principals else (Audience.LIAISON,):
            _note(session, found.keys, audience, by, now, words)
        messages = _queue(session, summary, before, now)
    except IntegrityError as error:
        raise ChangedMeanwhile("同一事项刚刚已被催办，请刷新后再看") from error
    batch = session.execute(select(func.min(reminder.c.id)).where(reminder.c.id > before)).scalar_one()
    return Chased(int(batch), len(found.keys), messages, found.passed)


def _left_out(row: Any, today: date, chased: set[int]) -> LeftOut | None:
    if row.state == State.SCHEDULED.value:
        return LeftOut.UNOPENED
    if row.state not in {state.value for state in OWED}:
        return LeftOut.SETTLED
    if row.catch_up:
        return LeftOut.EXEMPT
    if not row.active or (row.closed_on is not None and row.closed_on <= today):
        return LeftOut.CLOSED
    return LeftOut.CHASED if row.id in chased else None


def _why(row: Any, reason: LeftOut) -> str:
    return f"现为“{STATE_NAMES[State(row.state)]}”" if reason is LeftOut.SETTLED else LEFT_OUT_NAMES[reason]


def _line(row: Any, period: str, today: date, work: WorkCalendar) -> ReminderLine:
    section, aim = section_name(row.section), work.on_or_before(row.deadline)
    workdays = work.count(today, row.deadline)
    return ReminderLine(
        section, row.title, row.unit_code, row.unit_name, period, row.deadline, aim, 0, workdays, row.key
    )


def _units(
    session: Session, lines: Sequence[ReminderLine], summary: PlanSummary, by: Actor, today: date, words: str
) -> tuple[ChasedUnit, ...]:
    """By unit, the one with the oldest deadline first."""
    grouped: dict[str, list[ReminderLine]] = {}
    for line in lines:
        grouped.setdefault(line.unit_code, []).append(line)
    people = people_at(session, list(grouped))
    told = told_today(session, list(grouped), summary.id, today)
    office = session.execute(select(unit.c.name).where(unit.c.code == by.unit)).scalar_one()
    found = []
    for code, own in grouped.items():
        names = people.get(code, ())
        to = Addressee(code, own[0].unit_name, names[0] if names else None)
        notice = ReminderNotice(summary.code, summary.title, to, today, tuple(own), office, words or None)
        found.append(ChasedUnit(code, own[0].unit_name, notice, names, told.get(code)))
    return tuple(found)


def _note(session: Session, keys: Sequence[str], audience: Audience, by: Actor, now: datetime, words: str) -> None:
    """A reminder for each of the items; where nobody can be reached it says so, and the inbox alone is told."""
    heard = work_item.c.unit_code.in_(reachable(session, audience))
    columns = ["item_id", "deadline", "step", "recipient", "audience", "as_of", "queued_at", "withheld"]
    columns += ["by_unit", "by_name", "note"]
    wanted = select(
        work_item.c.id,
        work_item.c.deadline,
        cast(null(), Integer),
        work_item.c.unit_code,
        literal(audience.value),
        literal(civil_date(now)),
        literal(now, reminder.c.queued_at.type),
        case((heard, cast(null(), String)), else_="nobody"),
        literal(by.unit, String),
        literal(by.name[:80], String),
        literal(words or None, String),
    ).where(work_item.c.key.in_(keys))
    session.execute(insert(reminder).from_select(columns, wanted))


def _queue(session: Session, summary: PlanSummary, before: int, now: datetime) -> int:
    today = civil_date(now)
    lines = select(
        reminder.c.recipient,
        reminder.c.audience,
        reminder.c.item_id,
        reminder.c.id.label("reminder_id"),
        cast(null(), Integer).label("revision"),
    ).where(reminder.c.id > before)
    # a unit may be chased again on the same day about other items: the first reminder's id tells the messages apart
    batch = Batch(CHASE, summary.id, summary.code, f"{today}:{before + 1}", today, now)
    return queue_messages(session, batch, lines)


def _earlier(session: Session, keys: Sequence[str], by: Actor, today: date) -> int | None:
    """The sending of today that told of one of these items by this unit's order: what a double click asked for."""
    first = (
        select(reminder.c.queued_at)
        .join(work_item, work_item.c.id == reminder.c.item_id)
        .where(work_item.c.key.in_(keys), reminder.c.step.is_(None), reminder.c.as_of == today)
        .where(reminder.c.by_unit == by.unit)
        .order_by(reminder.c.id.desc())
        .limit(1)
    )
    at = session.execute(first).scalar()
    if at is None:
        return None
    same = (reminder.c.step.is_(None), reminder.c.by_unit == by.unit, reminder.c.queued_at == at)
    return int(session.execute(select(func.min(reminder.c.id)).where(*same)).scalar_one())
