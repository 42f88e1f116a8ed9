"""期次 × 旗县区: one section's items counted by requirement, period and area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.sql.selectable import FromClause

from ledger import tally
from ledger.database import Session
from ledger.queries.grounds import Ground, Layout, facts_on
from ledger.queries.item_filter import CITY
from ledger.queries.reading import Reading
from ledger.tables import requirement
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

    The counties come from the tally, the city's few units from the one by place: a few statements, however many items
    there are.
    """
    counties = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope)
    city = facts_on(session, reading, Ground(Layout.UNITS, CITY))
    found = [
        *_counted(session, reading, section, counties, counties.c.county, of_city=False),
        *_counted(session, reading, section, city, city.c.place, of_city=True),
    ]
    return tuple(sorted(found, key=lambda one: (one.first_deadline, one.requirement, one.period, one.area, one.timing)))


def _counted(
    session: Session, reading: Reading, section: str, source: FromClause, area: ColumnElement[str], *, of_city: bool
) -> Iterator[MatrixCount]:
    """The counts of a source by requirement, period, area and timing; "" is no area."""
    facts = source.c
    timing = timing_case(facts, reading.at, late=facts.late, often_returned=facts.often_returned).label("timing")
    due = case((facts.deadline <= reading.as_of, facts.n), else_=0)
    group: tuple[Any, ...] = (requirement.c.code, facts.period, area.label("area"), timing, facts.deadline)
    rows = session.execute(
        select(*group, func.sum(facts.n).label("n"), func.sum(due).label("due"))
        .select_from(source.join(requirement, requirement.c.id == facts.requirement_id))
        .where(requirement.c.section == section, area != "")
        .group_by(*group)
        .having(func.sum(facts.n) != 0)
    )
    sums: dict[tuple[str, str, str, str], list[Any]] = {}
    for code, period, where, stand, deadline, n, late in rows:
        # a deadline apart: rows that cancel each other must not count as the earliest
        one = sums.setdefault((code, period, where, stand), [0, 0, deadline])
        one[:] = [one[0] + int(n), one[1] + int(late), min(one[2], deadline)]
    for (code, period, where, stand), (n, of_due, first) in sums.items():
        yield MatrixCount(code, period, where, of_city, Timing(stand), n, of_due, first)
