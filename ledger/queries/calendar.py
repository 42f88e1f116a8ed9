"""日历: what falls due and what opens on the days of a span, by matter. Counted from the tally, so that a month costs the
same with a thousand items and with a million."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, select

from ledger import tally
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.tables import duty, requirement
from ledger.timing_sql import timing_case
from policy_models.access import Scope
from policy_models.calendars import Confidence
from policy_models.lifecycle import State
from policy_models.rollup import Cell
from policy_models.timing import NOT_EXPECTED, CatchUp, Timing


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose days: those of a scope, or of one unit alone (``owner``)."""

    scope: Scope
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter that falls due on a day: how its items stand. ``remind_by``: the last work day on or before the day;
    ``inferred``: the date is 推定, ``why`` says on what it rests."""

    day: date
    requirement: str
    title: str
    section: str
    period: str
    cell: Cell
    remind_by: date
    inferred: bool
    why: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A matter that opens on a day, for ``n`` units."""

    day: date
    requirement: str
    title: str
    section: str
    period: str
    n: int


def falling_due(session: Session, reading: Reading, whose: Whose, first: date, last: date) -> tuple[Matter, ...]:
    """What falls due from ``first`` to ``last`` (both included), by day and matter: two statements, one more for a
    scope of some units. What is exempt or merely counted is left out."""
    source = _source(session, reading, whose)
    facts = source.c
    stand = timing_case(facts, reading.at, late=facts.late, often_returned=facts.often_returned).label("timing")
    group: tuple[Any, ...] = (facts.deadline, requirement.c.code, requirement.c.title, requirement.c.section)
    rows = session.execute(
        select(*group, facts.period, stand, func.sum(facts.n).label("n"))
        .select_from(source.join(requirement, requirement.c.id == facts.requirement_id))
        .where(facts.deadline.between(first, last), stand.not_in([one.value for one in NOT_EXPECTED]))
        .group_by(*group, facts.period, stand)
        .having(func.sum(facts.n) != 0)
        .order_by(facts.deadline, requirement.c.code, facts.period)
    )
    found: dict[tuple[Any, ...], dict[Timing, int]] = {}
    for row in rows:
        key = (row.deadline, row.code, row.title, row.section, row.period)
        found.setdefault(key, {})[Timing(row.timing)] = int(row.n)
    known = _known(session, reading, first, last)
    return tuple(_matter(reading, key, by_timing, known) for key, by_timing in found.items())


def opening(session: Session, reading: Reading, whose: Whose, first: date, last: date) -> tuple[Opening, ...]:
    """What opens from ``first`` to ``last`` (both included), by day and matter: one statement, one more for a scope of
    some units. What is exempt or merely counted is left out."""
    source = _source(session, reading, whose)
    facts = source.c
    group: tuple[Any, ...] = (facts.opens_on, requirement.c.code, requirement.c.title, requirement.c.section)
    owed = and_(
        facts.state.not_in([State.WAIVED.value, State.CANCELLED.value]), facts.catch_up != CatchUp.COUNT_ONLY.value
    )
    rows = session.execute(
        select(*group, facts.period, func.sum(facts.n).label("n"))
        .select_from(source.join(requirement, requirement.c.id == facts.requirement_id))
        .where(facts.opens_on.between(first, last), owed)
        .group_by(*group, facts.period)
        .having(func.sum(facts.n) != 0)
        .order_by(facts.opens_on, requirement.c.code, facts.period)
    )
    return tuple(Opening(r.opens_on, r.code, r.title, r.section, r.period, int(r.n)) for r in rows)


def _source(session: Session, reading: Reading, whose: Whose) -> Any:
    return tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=whose.scope, owner=whose.owner)


def _known(session: Session, reading: Reading, first: date, last: date) -> dict[tuple[str, str, date], Any]:
    """What the timetable knows of these days: the day to aim at, whether the date is forecast, and why it is so."""
    forecast = case((duty.c.confidence != Confidence.ANNOUNCED.value, 1), else_=0)
    rows = session.execute(
        select(
            requirement.c.code,
            duty.c.period,
            duty.c.deadline,
            func.min(duty.c.remind_by).label("remind_by"),
            func.max(forecast).label("forecast"),
            func.max(duty.c.why).label("why"),
        )
        .join(requirement, requirement.c.id == duty.c.requirement_id)
        .where(requirement.c.plan_id == reading.plan_id, duty.c.deadline.between(first, last))
        .where(duty.c.dropped.is_(False))
        .group_by(requirement.c.code, duty.c.period, duty.c.deadline)
    )
    return {(row.code, row.period, row.deadline): row for row in rows}


def _matter(reading: Reading, key: tuple[Any, ...], by_timing: dict[Timing, int], known: dict[Any, Any]) -> Matter:
    day, code, title, section, period = key
    cell = Cell(by_timing, sum(by_timing.values()) if day <= reading.as_of else 0)
    row = known.get((code, period, day))
    if row is None:  # raised on an event, or moved by an extension
        aim, inferred, why = reading.calendars.work.on_or_before(day), False, "事件发生后的规定期限，或经审批延期"
    else:
        aim, inferred, why = row.remind_by, bool(row.forecast) or code in reading.doubted, row.why
    return Matter(day, code, title, section, period, cell, aim, inferred, why)
