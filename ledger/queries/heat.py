"""旗县区 × 任务 inside a county or a line of work: items by place, task and timing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select

from ledger.database import Session
from ledger.queries.grounds import Ground, facts_on
from ledger.queries.reading import Reading
from ledger.tables import requirement
from ledger.timing_sql import timing_case
from policy_models.rollup import Count
from policy_models.timing import Timing


def heat_counts(session: Session, reading: Reading, here: Ground) -> list[Count]:
    """Items with the place where a county would stand (``task`` None: of a phase or safeguard): two statements at most.
    A whole city laid out by counties has no need of it: its counts are by county already."""
    source = facts_on(session, reading, here)
    columns = source.c
    timing = timing_case(columns, reading.at, late=columns.late, often_returned=columns.often_returned).label("timing")
    group: tuple[Any, ...] = (columns.place, requirement.c.task, timing)
    due = func.sum(case((columns.deadline <= reading.as_of, columns.n), else_=0)).label("due")
    n = func.sum(columns.n)
    rows = session.execute(
        select(*group, n.label("n"), due)
        .select_from(source.join(requirement, requirement.c.id == columns.requirement_id))
        .group_by(*group)
        .having(n != 0)
    )
    return [Count("", row.task, 0, row.place, Timing(row.timing), int(row.n), int(row.due)) for row in rows]
