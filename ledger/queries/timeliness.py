"""按时情况: items whose deadline has come, by half-year and by county, by the city's departments or by task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, literal, select

from ledger import tally
from ledger.database import Session
from ledger.queries.items import timing_of
from ledger.queries.reading import Reading
from ledger.tables import requirement, unit, work_item
from ledger.timing_sql import timing_case
from policy_models.series import Half, Punctuality, halves, punctuality
from policy_models.timing import Timing


class By(StrEnum):
    """County: "" for the city's own units. Department: the city's own units, one by one. Section: ``task-5``."""

    COUNTY = "county"
    DEPARTMENT = "department"
    SECTION = "section"


@dataclass(frozen=True)
class Timeliness:
    """``rows``: by key (a county's, a unit's or a section's), one Punctuality for each half-year; ``whole``: of all."""

    halves: tuple[Half, ...]
    rows: dict[str, tuple[Punctuality, ...]]
    whole: tuple[Punctuality, ...]


def timeliness(session: Session, reading: Reading, by: By) -> Timeliness:
    """As of the reading's day, by the half-year that the deadline lies in: two statements."""
    spans = halves(reading.plan.starts_on, min(reading.as_of, reading.plan.ends_on))
    if not spans:
        return Timeliness((), {}, ())
    found = _of_departments(session, reading, spans) if by is By.DEPARTMENT else _of_facts(session, reading, by, spans)
    counts: dict[tuple[str, str], list[tuple[Timing, int]]] = defaultdict(list)
    every: dict[str, list[tuple[Timing, int]]] = defaultdict(list)
    for key, half, timing, n in found:
        counts[key, half].append((timing, n))
        every[half].append((timing, n))
    keys = sorted({key for key, _ in counts})
    rows = {key: tuple(punctuality(counts[key, half.code]) for half in spans) for key in keys}
    return Timeliness(spans, rows, tuple(punctuality(every[half.code]) for half in spans))


def _of_facts(
    session: Session, reading: Reading, by: By, spans: tuple[Half, ...]
) -> Iterable[tuple[str, str, Timing, int]]:
    source = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope)
    columns = source.c
    timing = timing_case(columns, reading.at, late=columns.late, often_returned=columns.often_returned)
    key = columns.county if by is By.COUNTY else requirement.c.section
    group = (key.label("key"), _half_of(columns.deadline, spans).label("half"), timing.label("timing"))
    chosen = (
        select(*group, func.sum(columns.n).label("n"))
        .select_from(source.join(requirement, requirement.c.id == columns.requirement_id))
        .where(columns.deadline <= reading.as_of)
        .group_by(*group)
    )
    return [(row.key, row.half, Timing(row.timing), int(row.n)) for row in session.execute(chosen) if row.n]


def _of_departments(
    session: Session, reading: Reading, spans: tuple[Half, ...]
) -> Iterable[tuple[str, str, Timing, int]]:
    own = select(unit.c.code).where(unit.c.county == "")
    source = reading.items(work_item.c.unit_code.in_(own))
    columns = source.c
    group = (
        columns.unit_code.label("key"),
        _half_of(columns.deadline, spans).label("half"),
        timing_of(columns, reading).label("timing"),
    )
    chosen = (
        select(*group, func.count().label("n"))
        .where(reading.seen(columns), columns.unit_code.in_(own), columns.deadline <= reading.as_of)
        .group_by(*group)
    )
    return [(row.key, row.half, Timing(row.timing), row.n) for row in session.execute(chosen)]


def _half_of(deadline: Any, spans: tuple[Half, ...]) -> Any:
    """The half-year's code. What is due before the first lies in the first, what is due after the last in the last."""
    ends = [(deadline <= half.last, half.code) for half in spans[:-1]]
    return case(*ends, else_=spans[-1].code) if ends else literal(spans[-1].code)
