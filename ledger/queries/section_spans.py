"""From when to when the dated work of each section of a plan goes, by its timetable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.tables import duty, requirement


@dataclass(frozen=True, slots=True)
class SectionSpan:
    """The first day on which something opens, and the last deadline; civil dates."""

    opens_on: date
    deadline: date


def section_spans(session: Session, reading: Reading) -> dict[str, SectionSpan]:
    """By section name; none for a section of continuous work alone. One statement over the timetable."""
    rows = session.execute(
        select(
            requirement.c.section,
            func.min(duty.c.opens_on).label("opens_on"),
            func.max(duty.c.deadline).label("deadline"),
        )
        .join(requirement, requirement.c.id == duty.c.requirement_id)
        .where(requirement.c.plan_id == reading.plan_id, duty.c.dropped.is_(False), requirement.c.dropped.is_(False))
        .group_by(requirement.c.section)
    )
    return {row.section: SectionSpan(row.opens_on, row.deadline) for row in rows}
