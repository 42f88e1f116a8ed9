"""流程: when the work of a task or a phase was last driven, and the duties that its next runs rest on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from ledger.database import Session
from ledger.marks import Mark
from ledger.queries.reading import Reading
from ledger.tables import duty, flow_mark, requirement

SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class DutyDates:
    """One requirement in one period: its civil dates."""

    requirement: str
    phase: int
    opens_on: date
    remind_by: date
    deadline: date


def last_run(session: Session, reading: Reading, section: str) -> tuple[Mark | None, bool]:
    """The last run that opened what a section owes, and whether it was its own flow (else the daily sweep, which does
    the same for all): None where there was none yet. One statement."""
    own = f"{reading.summary.code}-{section}"
    rows = session.execute(select(flow_mark).where(flow_mark.c.flow.in_([own, SWEEP])))
    found = {row.flow: Mark(row.as_of, row.finished_at) for row in rows}
    mine, swept = found.get(own), found.get(SWEEP)
    if mine and (swept is None or mine.finished_at >= swept.finished_at):
        return mine, True
    return swept, False


def duties_of(session: Session, reading: Reading, section: str) -> tuple[DutyDates, ...]:
    """The duties of a section, by deadline: one statement."""
    rows = session.execute(
        select(requirement.c.code, duty.c.phase, duty.c.opens_on, duty.c.remind_by, duty.c.deadline)
        .join(requirement, requirement.c.id == duty.c.requirement_id)
        .where(requirement.c.plan_id == reading.plan_id, requirement.c.section == section, duty.c.dropped.is_(False))
        .distinct()
        .order_by(duty.c.deadline, requirement.c.code)
    )
    return tuple(DutyDates(r.code, r.phase, r.opens_on, r.remind_by, r.deadline) for r in rows)
