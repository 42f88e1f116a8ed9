"""催办阶梯 of one item: every step with its day and what became of it, and what was chased by hand in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.entries import Entry
from ledger.queries.items import ItemRow
from ledger.queries.outcomes import Sending
from ledger.queries.reading import Reading
from ledger.queries.reminders import NoticeFilter, NoticeRow, notice_rows
from ledger.tables import requirement
from policy_models.calendars import WorkCalendar
from policy_models.ladder import RULE, LadderRule
from policy_models.lifecycle import OWED, State


class Came(StrEnum):
    """What became of a step of the ladder."""

    TOLD = "told"
    AHEAD = "ahead"
    TODAY = "today"
    SETTLED = "settled"
    UNOPENED = "unopened"
    BEFORE = "before"
    PASSED = "passed"
    NOT_RUN = "not_run"


CAME_NAMES = {
    Came.TOLD: "已提醒",
    Came.AHEAD: "未到",
    Came.TODAY: "今天，尚未运行",
    Came.SETTLED: "已报送，不提醒",
    Came.UNOPENED: "当时尚未启动",
    Came.BEFORE: "系统启用前，不提醒",
    Came.PASSED: "当日未运行，由后一级代替",
    Came.NOT_RUN: "当日未运行",
}


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A step of the item's ladder on its civil date, or a 催办 by hand (``step`` None). ``deadline``: the one it counts
    from, where that is no longer the item's. ``notices``: who was told, or why not; of another day than ``day`` where
    the step came late."""

    step: int | None
    day: date
    came: Came
    deadline: date | None
    notices: tuple[NoticeRow, ...]


def item_ladder(
    session: Session,
    reading: Reading,
    row: ItemRow,
    entries: Sequence[Entry],
    sending: Sending,
    *,
    rule: LadderRule = RULE,
) -> tuple[LadderStep, ...]:
    """The ladder of an item by day, with the steps of former deadlines that were reached: three statements. For what is
    never reminded of (``catch_up``) only what was said all the same. ``entries``: the acts up to the reading's day."""
    work = reading.calendars.work
    steps = _told(notice_rows(session, reading, NoticeFilter(key=row.key), sending), row, work)
    if row.catch_up is not None:
        return _by_day(steps)
    ladder = select(requirement.c.ladder).where(
        requirement.c.plan_id == reading.plan_id, requirement.c.code == row.requirement
    )
    reached = [one.step for one in steps if one.step is not None and one.deadline is None]
    for step in rule.ladders[session.execute(ladder).scalar_one()]:
        if step not in reached:
            day = day_of(step, _base(step, row), work)
            came = _untold(day, step < max(reached, default=step), row, entries, reading)
            steps.append(LadderStep(step, day, came, None, ()))
    return _by_day(steps)


def day_of(step: int, deadline: date, work: WorkCalendar) -> date:
    """The work day on which a step comes: back from the last work day by the deadline, or forward from the deadline."""
    return work.shift(deadline if step > 0 else work.on_or_before(deadline), step)


def _base(step: int, row: ItemRow) -> date:
    """Beyond the deadline the clock of a returned item starts with its return (see ledger.reminders)."""
    if step > 0 and row.state is State.RETURNED:
        return max(row.deadline, civil_date(row.changed_at))
    return row.deadline


def _own_first(said: list[NoticeRow], unit: str) -> tuple[NoticeRow, ...]:
    """What the unit itself was told before what others were, each the oldest first."""
    oldest_first = said[::-1]
    return tuple(sorted(oldest_first, key=lambda one: one.recipient != unit))


def _told(notices: Iterable[NoticeRow], row: ItemRow, work: WorkCalendar) -> list[LadderStep]:
    """What reminders stand behind, by step; by hand: by day."""
    grouped: dict[tuple[int | None, date, date | None], list[NoticeRow]] = {}
    for one in notices:
        if one.deadline is not None:
            by_hand = one.step is None
            grouped.setdefault((one.step, one.deadline, one.day if by_hand else None), []).append(one)
    return [
        LadderStep(
            step,
            day or day_of(step or 0, deadline, work),
            Came.TOLD,
            deadline if deadline != row.deadline else None,
            _own_first(said, row.unit),
        )
        for (step, deadline, day), said in grouped.items()
    ]


def _by_day(steps: Sequence[LadderStep]) -> tuple[LadderStep, ...]:
    return tuple(sorted(steps, key=lambda one: (one.day, one.step is None, one.step or 0)))


def _untold(day: date, passed: bool, row: ItemRow, entries: Sequence[Entry], reading: Reading) -> Came:
    """Why nothing is known of a step: judged by the state that the item had at the end of its day."""
    if day < reading.summary.go_live_on:
        return Came.BEFORE
    by_then = [one for one in entries if one.at < end_of_day(min(day, reading.as_of))]
    state = by_then[-1].state if by_then else State.SCHEDULED
    if day > reading.as_of:
        return Came.AHEAD if state in OWED | {State.SCHEDULED} else Came.SETTLED
    if state is State.SCHEDULED:
        return Came.UNOPENED
    if state not in OWED:
        return Came.SETTLED
    if passed:
        return Came.PASSED
    return Came.TODAY if day == reading.as_of else Came.NOT_RUN
