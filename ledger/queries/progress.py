"""办结进度 by day: how many items had a deadline by a day and how many were accepted by it. From the tally and the counts
by day; only a scope that is neither the whole nor whole counties is counted from its items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select

from ledger import daily, tally
from ledger.civil import end_of_day
from ledger.database import Session
from ledger.queries.item_filter import CITY
from ledger.queries.reading import Reading
from ledger.tables import accepted_day, requirement, unit, work_item
from policy_models.series import BurnUp, Step, burn_up


@dataclass(frozen=True, slots=True)
class Part:
    """What of the plan a curve is of; None narrows nothing. ``sections``: names (``task-5``); ``under``: a county's
    code, or ``city`` for the city's own units."""

    sections: tuple[str, ...] | None = None
    phase: int | None = None
    under: str | None = None


WHOLE_PLAN = Part()


def progress(session: Session, reading: Reading, part: Part = WHOLE_PLAN, step: Step = Step.WEEK) -> BurnUp:
    """The curves of a part over its phase or the whole plan, as of the reading's day: three statements at most. At the
    day itself they equal the board: accepted is what is done, due is 序时进度."""
    span = (reading.plan.starts_on, reading.plan.ends_on)
    if part.phase is not None:
        phase = next(one for one in reading.plan.phases if one.number == part.phase)
        span = (phase.starts_on, phase.ends_on)
    return burn_up(span, reading.as_of, _due(session, reading, part), _accepted(session, reading, part), step)


def _due(session: Session, reading: Reading, part: Part) -> dict[date, int]:
    source = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope)
    chosen = (
        select(source.c.deadline, func.sum(source.c.n).label("n"))
        .where(daily.is_expected(source.c), *_narrowed(source.c, reading, part))
        .group_by(source.c.deadline)
    )
    return {row.deadline: int(row.n) for row in session.execute(chosen) if row.n}


def _accepted(session: Session, reading: Reading, part: Part) -> dict[date, int]:
    counties = tally.whole_counties(session, reading.scope)
    if counties is None:
        return _accepted_items(session, reading, part)
    rows = accepted_day.c
    where = [rows.plan_id == reading.plan_id, rows.accepted_on <= reading.as_of, *_narrowed(rows, reading, part)]
    if counties:
        where.append(rows.county.in_(counties))
    chosen = select(rows.accepted_on, func.sum(rows.n).label("n")).where(*where).group_by(rows.accepted_on)
    return {row.accepted_on: int(row.n) for row in session.execute(chosen) if row.n}


def _accepted_items(session: Session, reading: Reading, part: Part) -> dict[date, int]:
    """Of some units: nothing that was accepted is ever taken back, so the day tells what had been."""
    day = daily.civil_day(work_item.c.reviewed_at)
    where = [reading.seen(work_item.c), daily.accepted(work_item.c)]
    where.append(work_item.c.reviewed_at < end_of_day(reading.as_of))
    chosen = (
        select(day.label("accepted_on"), func.count().label("n"))
        .select_from(work_item.join(unit, unit.c.code == work_item.c.unit_code))
        .where(*where, *_narrowed(work_item.c, reading, part, county=unit.c.county))
        .group_by(day)
    )
    return {row.accepted_on: row.n for row in session.execute(chosen)}


def _narrowed(columns: Any, reading: Reading, part: Part, *, county: Any = None) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if part.sections is not None:
        mine = (requirement.c.plan_id == reading.plan_id, requirement.c.section.in_(part.sections))
        where.append(columns.requirement_id.in_(select(requirement.c.id).where(*mine)))
    if part.phase is not None:
        where.append(columns.phase == part.phase)
    if part.under is not None:
        place = columns.county if county is None else county
        where.append(place == ("" if part.under == CITY else part.under))
    return where
