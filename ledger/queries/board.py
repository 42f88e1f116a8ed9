"""总览 beside the roll-up: overdue by unit, what falls due, the counties."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select

from ledger import tally
from ledger.database import Session
from ledger.queries.overdue import late_items
from ledger.queries.reading import Reading
from ledger.tables import duty, requirement, unit
from ledger.timing_sql import timing_case
from policy_models.calendars import Confidence
from policy_models.lifecycle import UNFINISHED, State
from policy_models.plan import Level
from policy_models.timing import DONE, NOT_EXPECTED


@dataclass(frozen=True, slots=True)
class OverdueUnit:
    """``overdue`` items of a unit, ``long_overdue`` of them red, the oldest due on ``oldest``."""

    code: str
    name: str
    county: str
    overdue: int
    long_overdue: int
    oldest: date


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A matter that falls due on a day: by how many units; how many of them have still to report (``waiting``), and
    how many have reported and wait for review (``reviewing``)."""

    deadline: date
    remind_by: date
    requirement: str
    title: str
    section: str
    period: str
    units: int
    waiting: int
    reviewing: int
    confidence: Confidence
    why: str
    doubted: tuple[str, ...] = ()

    @property
    def inferred(self) -> bool:
        return self.confidence is not Confidence.ANNOUNCED or bool(self.doubted)


@dataclass(frozen=True, slots=True)
class DueCount:
    """Items with a deadline in a span of days, and how many of them are done."""

    total: int
    done: int


def overdue_by_unit(
    session: Session, reading: Reading, *, under: str | None = None, levels: Collection[Level] | None = None
) -> tuple[OverdueUnit, ...]:
    """Units with overdue items, worst first (red, then all, then oldest): one statement. ``under``: a county;
    ``levels``: only units of these."""
    chosen = _worst_first(reading)
    if under is not None:
        chosen = chosen.where(unit.c.county == under)
    if levels is not None:
        chosen = chosen.where(unit.c.level.in_([level.value for level in levels]))
    return tuple(map(_overdue, session.execute(chosen)))


def worst_units(session: Session, reading: Reading, limit: int) -> tuple[tuple[OverdueUnit, ...], int]:
    """The first of ``overdue_by_unit``, and how many there are in all: one statement."""
    late = _late_by_unit(reading)
    first = select(late, func.count().over().label("units")).order_by(*_worst(late.c)).limit(limit).subquery("first")
    named = select(unit.c.code, unit.c.name, unit.c.county, *first.c).join(first, first.c.unit_code == unit.c.code)
    rows = session.execute(named.order_by(*_worst(first.c))).all()
    return tuple(map(_overdue, rows)), rows[0].units if rows else 0


def _overdue(row: Any) -> OverdueUnit:
    return OverdueUnit(row.code, row.name, row.county, int(row.overdue), int(row.red), row.oldest)


def _worst_first(reading: Reading) -> Select[Any]:
    late = _late_by_unit(reading)
    facts = (unit.c.code, unit.c.name, unit.c.county, late.c.overdue, late.c.red, late.c.oldest)
    return select(*facts).join(late, late.c.unit_code == unit.c.code).order_by(*_worst(late.c))


def _worst(late: Any) -> tuple[Any, ...]:
    return (late.red.desc(), late.overdue.desc(), late.oldest, late.unit_code)


def _late_by_unit(reading: Reading) -> Any:
    late = late_items(reading)
    red = func.sum(case((late.c.red, 1), else_=0)).label("red")
    counted = (func.count().label("overdue"), red, func.min(late.c.deadline).label("oldest"))
    return select(late.c.unit_code, *counted).group_by(late.c.unit_code).subquery("late_by_unit")


def upcoming(session: Session, reading: Reading, *, days: int = 30) -> tuple[Upcoming, ...]:
    """What falls due from the day on, up to ``days`` civil days later, by day and matter, with what its date rests on:
    two statements."""
    facts = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope)
    column = facts.c
    unreported = [state.value for state in UNFINISHED if state is not State.SUBMITTED]
    waiting = case((column.state.in_(unreported), column.n), else_=0)
    reviewing = case((column.state == State.SUBMITTED.value, column.n), else_=0)
    span = column.deadline.between(reading.as_of, reading.as_of + timedelta(days=days))
    group: tuple[Any, ...] = (
        column.deadline,
        column.requirement_id,
        requirement.c.code,
        requirement.c.title,
        requirement.c.section,
        column.period,
    )
    rows = session.execute(
        select(
            *group,
            func.sum(column.n).label("units"),
            func.sum(waiting).label("waiting"),
            func.sum(reviewing).label("reviewing"),
        )
        .select_from(facts.join(requirement, requirement.c.id == column.requirement_id))
        .where(span, column.state.not_in([State.WAIVED.value, State.CANCELLED.value]), column.catch_up == "")
        .group_by(*group)
        .having(func.sum(column.n) != 0)
        .order_by(column.deadline, requirement.c.code)
    ).all()
    grounds = _grounds(session, rows)
    return tuple(_upcoming(row, grounds.get((row.requirement_id, row.period), ()), reading) for row in rows)


def _grounds(session: Session, rows: Sequence[Any]) -> dict[tuple[int, str], tuple[Any, ...]]:
    """By requirement and period: the dates of its duties and what they rest on."""
    found: dict[tuple[int, str], tuple[Any, ...]] = {}
    wanted = duty.c.requirement_id.in_({row.requirement_id for row in rows})
    chosen = select(
        duty.c.requirement_id, duty.c.period, duty.c.deadline, duty.c.remind_by, duty.c.confidence, duty.c.why
    )
    for row in session.execute(chosen.where(wanted, duty.c.period.in_({row.period for row in rows}))):
        key = (row.requirement_id, row.period)
        found[key] = (*found.get(key, ()), row)
    return found


def _upcoming(row: Any, grounds: Sequence[Any], reading: Reading) -> Upcoming:
    """``grounds``: the duties of the matter; those of the very day say until when, any of them why."""
    own = [one for one in grounds if one.deadline == row.deadline] or list(grounds)
    exact = [one.remind_by for one in own if one.deadline == row.deadline]
    return Upcoming(
        row.deadline,
        min(exact) if exact else reading.calendars.work.on_or_before(row.deadline),
        row.code,
        row.title,
        row.section,
        row.period,
        int(row.units),
        int(row.waiting),
        int(row.reviewing),
        Confidence(max(one.confidence for one in own)) if own else Confidence.ANNOUNCED,
        max(one.why for one in own) if own else "事件发生后的规定期限",
        reading.doubted.get(row.code, ()),
    )


def due_between(session: Session, reading: Reading, first: date, last: date) -> DueCount:
    """Expected items with a deadline from ``first`` to ``last`` (both included): one statement."""
    facts = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope)
    column = facts.c
    timing = timing_case(column, reading.at, late=column.late, often_returned=column.often_returned)
    done = func.sum(case((timing.in_([t.value for t in DONE]), column.n), else_=0))
    expected = (column.deadline.between(first, last), timing.not_in([t.value for t in NOT_EXPECTED]))
    row = session.execute(select(func.sum(column.n).label("total"), done.label("done")).where(*expected)).one()
    return DueCount(int(row.total or 0), int(row.done or 0))
