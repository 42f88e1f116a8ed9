"""期次 × 旗县区: one section's items counted by requirement, period and area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, case, func, select

from ledger import tally
from ledger.civil import end_of_day
from ledger.database import Session
from ledger.queries.items import timing_of
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items
from ledger.scope import within
from ledger.tables import requirement, unit, work_item
from ledger.timing_sql import timing_case
from policy_models.timing import Timing


@dataclass(frozen=True, slots=True)
class MatrixCount:
    """``area`` is a county's code, or (``of_city``) a city unit's own; ``first_deadline`` the earliest in the group."""

    requirement: str
    period: str
    area: str
    of_city: bool
    timing: Timing
    n: int
    due: int
    first_deadline: date


def matrix(session: Session, reading: Reading, section: str) -> tuple[MatrixCount, ...]:
    """The items of a section (``task-5``) that the reader may see, in order of period's deadline.

    The counties come from the tally, the city's few units from their own items: two statements (one more for a reader
    of some units alone), however many items there are.
    """
    found = [*_counties(session, reading, section), *_city_units(session, reading, section)]
    return tuple(sorted(found, key=lambda one: (one.first_deadline, one.requirement, one.period, one.area, one.timing)))


def _counties(session: Session, reading: Reading, section: str) -> Iterator[MatrixCount]:
    source = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope)
    facts = source.c
    timing = timing_case(facts, reading.at, late=facts.late, often_returned=facts.often_returned).label("timing")
    due = case((facts.deadline <= reading.as_of, facts.n), else_=0)
    group: tuple[Any, ...] = (requirement.c.code, facts.period, facts.county, timing, facts.deadline)
    rows = session.execute(
        select(*group, func.sum(facts.n).label("n"), func.sum(due).label("due"))
        .select_from(source.join(requirement, requirement.c.id == facts.requirement_id))
        .where(requirement.c.section == section, facts.county != "")
        .group_by(*group)
        .having(func.sum(facts.n) != 0)
    )
    sums: dict[tuple[str, str, str, str], list[Any]] = {}
    for row in rows:  # a deadline apart: rows that cancel each other must not count as the earliest
        one = sums.setdefault((row.code, row.period, row.county, row.timing), [0, 0, row.deadline])
        one[:] = [one[0] + int(row.n), one[1] + int(row.due), min(one[2], row.deadline)]
    for (code, period, county, stand), (n, of_due, first) in sums.items():
        yield MatrixCount(code, period, county, False, Timing(stand), n, of_due, first)


def _city_units(session: Session, reading: Reading, section: str) -> Iterator[MatrixCount]:
    source = _items_of_city(reading)
    timing = timing_of(source.c, reading).label("timing")
    group: tuple[Any, ...] = (requirement.c.code, source.c.period, source.c.unit_code, timing)
    rows = session.execute(
        select(
            *group,
            func.count().label("n"),
            func.sum(case((source.c.deadline <= reading.as_of, 1), else_=0)).label("due"),
            func.min(source.c.deadline).label("first_deadline"),
        )
        .select_from(source.join(requirement, requirement.c.id == source.c.requirement_id))
        .where(source.c.plan_id == reading.plan_id, requirement.c.section == section)
        .where(source.c.unit_code.in_(_city(reading)))
        .group_by(*group)
    )
    for r in rows:
        yield MatrixCount(r.code, r.period, r.unit_code, True, Timing(r.timing), r.n, int(r.due), r.first_deadline)


def _items_of_city(reading: Reading) -> Any:
    if not reading.is_past:
        return work_item
    ids = select(work_item.c.id).where(work_item.c.unit_code.in_(_city(reading)))
    return facts_of_items(reading.plan_id, end_of_day(reading.as_of), ids)


def _city(reading: Reading) -> Select[Any]:
    return select(unit.c.code).where(unit.c.county == "", within(reading.scope, unit.c.code))
