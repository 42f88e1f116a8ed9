"""The facts of a 通报, as of the end of its period or of a running one as of today: some twelve statements, however many
items there are. Everything is replayed from the entries, so that issued late it says what it would have said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, literal, select

from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.queries.board import upcoming
from ledger.queries.circular_chased import chased
from ledger.queries.items import timing_of
from ledger.queries.reach import count_unreachable
from ledger.queries.reading import Reading, open_plan
from ledger.queries.rounds import rounds_of
from ledger.queries.units import counties
from ledger.tables import entry, requirement, unit, work_item
from policy_models.circular_periods import CircularPeriod
from policy_models.circular_words import worded
from policy_models.circulars import (
    COUNTED,
    AreaLine,
    Circular,
    ComingLine,
    RoundLine,
    TaskLight,
)
from policy_models.errors import ActNotAllowed, NotFound
from policy_models.lifecycle import Act
from policy_models.periods import period_name
from policy_models.plan import Kind
from policy_models.rollup import Cell
from policy_models.rounds import HANDED_IN
from policy_models.timing import DONE, LATE, NOT_EXPECTED, Timing

RECENT = 14  # days: who can be reached is known of the present alone
NOT_BEGUN = "{}尚未开始，开始后可以预览通报"


@dataclass(frozen=True, slots=True)
class _Group:
    """Items of one area and task that stand at one timing, counted by what else is asked of them."""

    area: str
    of_city: bool
    task: int | None
    timing: Timing
    n: int
    due: int
    dated: int
    prompt: int
    within: int
    closed: int


def circular_facts(session: Session, plan_code: str | None, period: CircularPeriod, *, now: datetime) -> Circular:
    """The worded circular of a period, as of its last day or, while it runs, of today. Nothing is written.

    Raises NotFound for an unknown plan, ActNotAllowed for a period that has not begun.
    """
    day = min(period.last, civil_date(now))
    if day < period.first:
        raise ActNotAllowed(NOT_BEGUN.format(period.name))
    reading = _opened(session, plan_code, day, now)
    groups = _groups(session, reading, period)
    former = _opened(session, plan_code, period.before.last, now)
    areas = _areas(session, groups, _groups(session, former, period.before))
    acts = _acts(session, reading.plan_id, *_bounds(period, now))
    return worded(
        Circular(
            period.kind,
            period.code,
            day,
            reading.summary.code,
            reading.plan.title,
            _name(session, reading.summary.coordinator),
            reading.summary.demonstration,
            areas,
            _lights(reading, groups),
            _coming(session, reading, period.next),
            acts.get(Act.SUBMIT, 0),
            acts.get(Act.SEND_BACK, 0),
            chased(session, reading, period, _bounds(period, now)[1]),
            _rounds(session, reading),
            _unreachable(session, reading),
        )
    )


def _opened(session: Session, plan_code: str | None, day: date, now: datetime) -> Reading:
    reading = open_plan(session, plan_code, as_of=day, now=now)
    if reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    return reading


def _bounds(period: CircularPeriod, now: datetime) -> tuple[datetime, datetime]:
    """The first instant of the period, and the first after it (``now`` while it runs)."""
    return end_of_day(period.first - timedelta(days=1)), min(end_of_day(period.last), now)


def _name(session: Session, code: str) -> str:
    return str(session.execute(select(unit.c.name).where(unit.c.code == code)).scalar_one())


def _groups(session: Session, reading: Reading, period: CircularPeriod) -> list[_Group]:
    """Every item of the plan in its group, as of the reading's day: one statement."""
    items: Any = reading.items()
    timing = timing_of(items.c, reading)
    come = items.c.deadline <= reading.as_of
    dated = and_(come, items.c.catch_up == "")
    prompt = and_(
        dated,
        items.c.state.in_([state.value for state in HANDED_IN]),
        items.c.first_submitted_on <= items.c.deadline,
    )
    within = items.c.deadline.between(period.first, period.last)
    closed = items.c.reviewed_at >= literal(_bounds(period, reading.now)[0], work_item.c.reviewed_at.type)
    area = case((unit.c.county == "", unit.c.code), else_=unit.c.county)
    group = (area, case((unit.c.county == "", 1), else_=0), requirement.c.task, timing)
    counted = {"due": come, "dated": dated, "prompt": prompt, "within": within, "closed": closed}
    rows = session.execute(
        select(
            *(column.label(name) for name, column in zip(("area", "of_city", "task", "timing"), group, strict=True)),
            func.count().label("n"),
            *(func.sum(case((meant, 1), else_=0)).label(name) for name, meant in counted.items()),
        )
        .select_from(
            items.join(unit, unit.c.code == items.c.unit_code).join(
                requirement, requirement.c.id == items.c.requirement_id
            )
        )
        .where(items.c.plan_id == reading.plan_id)
        .group_by(*group)
    )
    return [
        _Group(row.area, bool(row.of_city), row.task, Timing(row.timing), row.n, *(int(row[n]) for n in range(5, 10)))
        for row in rows
        if Timing(row.timing) not in NOT_EXPECTED
    ]


def _areas(session: Session, groups: Iterable[_Group], before: Iterable[_Group]) -> tuple[AreaLine, ...]:
    """A line for each county, and for each unit of the city that owes something."""
    sums: dict[tuple[str, bool], dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
    names = {one.code: one.name for one in counties(session)}
    for code in names:
        sums[code, False]
    for one in groups:
        _count(sums[one.area, one.of_city], one)
    for one in before:
        into = sums[one.area, one.of_city]
        into["expected_before"] += one.n
        into["done_before"] += one.n if one.timing in DONE else 0
        into["overdue_before"] += one.n if one.timing in LATE else 0
    wanted = [code for code, _ in sums if code not in names]
    rows = session.execute(select(unit.c.code, unit.c.name).where(unit.c.code.in_(wanted)))
    names |= {row.code: row.name for row in rows}
    return tuple(AreaLine(code, names[code], city, **sums[code, city]) for code, city in sorted(sums))


def _count(into: dict[str, int], one: _Group) -> None:
    done, late, waiting = one.timing in DONE, one.timing in LATE, one.timing is Timing.UNDER_REVIEW
    into["expected"] += one.n
    into["due"] += one.due
    into["dated"] += one.dated
    into["prompt"] += one.prompt
    into["in_due"] += one.within
    if done:
        into["done"] += one.n
        into["due_done"] += one.due
        into["in_done"] += one.within
        into["closed"] += one.closed
    if late:
        into["overdue"] += one.n
        into["in_overdue"] += one.within
    if one.timing is Timing.LONG_OVERDUE:
        into["long_overdue"] += one.n
    if waiting:
        into["waiting"] += one.n
        into["in_waiting"] += one.within


def _lights(reading: Reading, groups: Iterable[_Group]) -> tuple[TaskLight, ...]:
    """Every task of the plan with the light that the board shows."""
    by_task: dict[int | None, dict[Timing, int]] = defaultdict(lambda: defaultdict(int))
    for one in groups:
        by_task[one.task][one.timing] += one.n
    found = []
    for task in reading.plan.tasks:
        cell = Cell(dict(by_task[task.number]))
        carried = all(one.kind is Kind.CONTINUOUS for one in task.requirements)
        found.append(TaskLight(task.number, task.title, cell.light, cell.expected, cell.done, cell.late, carried))
    return tuple(found)


def _coming(session: Session, reading: Reading, following: CircularPeriod) -> tuple[ComingLine, ...]:
    days = (following.last - reading.as_of).days
    return tuple(
        ComingLine(
            one.deadline,
            one.remind_by,
            one.requirement,
            one.title,
            one.section,
            period_name(one.period, reading.calendars),
            one.units,
            one.waiting,
            one.inferred,
        )
        for one in upcoming(session, reading, days=days)
        if one.deadline >= following.first
    )


def _acts(session: Session, plan_id: int, first: datetime, until: datetime) -> dict[Act, int]:
    """How many acts of each kind there were from an instant on, before another: one statement."""
    rows = session.execute(
        select(entry.c.act, func.count().label("n"))
        .join(work_item, work_item.c.id == entry.c.item_id)
        .where(work_item.c.plan_id == plan_id, entry.c.at >= first, entry.c.at < until)
        .group_by(entry.c.act)
    )
    return {Act(row.act): row.n for row in rows}


def _rounds(session: Session, reading: Reading) -> tuple[RoundLine, ...]:
    """The half-year rounds that were open on the day and not yet all accepted."""
    return tuple(
        RoundLine(
            one.code,
            period_name(one.code, reading.calendars),
            one.deadline,
            one.figures.owing,
            one.figures.handed_in,
            one.figures.accepted,
            one.figures.returned,
            one.figures.missing,
        )
        for one in rounds_of(session, reading)
        if one.phase == "open" and one.figures.accepted < one.figures.owing
    )


def _unreachable(session: Session, reading: Reading) -> int | None:
    if (civil_date(reading.now) - reading.as_of).days > RECENT:
        return None
    return count_unreachable(session, reading.summary.code, reading.now)
