"""期次 × 旗县区: one section's items counted by requirement, period and area."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select

from ledger.database import Session
from ledger.queries.items import timing_of
from ledger.queries.reading import Reading
from ledger.tables import requirement, unit
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
    """The items of a section (``task-5``), in order of period's deadline: one statement."""
    source = reading.items()
    area = case((unit.c.county == "", unit.c.code), else_=unit.c.county)
    of_city = case((unit.c.county == "", 1), else_=0)
    timing = timing_of(source.c, reading)
    due = case((source.c.deadline <= reading.as_of, 1), else_=0)
    earliest = func.min(source.c.deadline)
    rows = session.execute(
        select(
            requirement.c.code,
            source.c.period,
            area.label("area"),
            func.max(of_city).label("of_city"),
            timing.label("timing"),
            func.count().label("n"),
            func.sum(due).label("due"),
            earliest.label("first_deadline"),
        )
        .select_from(
            source.join(requirement, requirement.c.id == source.c.requirement_id).join(
                unit, unit.c.code == source.c.unit_code
            )
        )
        .where(requirement.c.plan_id == reading.plan_id, requirement.c.section == section)
        .where(source.c.plan_id == reading.plan_id)
        .group_by(requirement.c.code, source.c.period, area, timing)
        .order_by(earliest, requirement.c.code, source.c.period)
    )
    return tuple(
        MatrixCount(r.code, r.period, r.area, bool(r.of_city), Timing(r.timing), r.n, int(r.due), r.first_deadline)
        for r in rows
    )
