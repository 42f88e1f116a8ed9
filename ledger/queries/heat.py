"""旗县区 × 任务 inside a county or a line of work: items by place, task and timing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select

from ledger.database import Session
from ledger.queries.grounds import Ground, inside, place_column
from ledger.queries.items import timing_of
from ledger.queries.reading import Reading
from ledger.tables import requirement, unit
from policy_models.rollup import Count
from policy_models.timing import Timing


def heat_counts(session: Session, reading: Reading, here: Ground) -> list[Count]:
    """Items with the place where a county would stand (``task`` None: of a phase or safeguard): one statement over the
    items that may be seen. A whole city laid out by counties has no need of it: the tally knows."""
    source = reading.items()
    upper = unit.alias("upper")
    timing = timing_of(source.c, reading).label("timing")
    group: tuple[Any, ...] = (place_column(here, unit, upper).label("place"), requirement.c.task, timing)
    due = func.sum(case((source.c.deadline <= reading.as_of, 1), else_=0)).label("due")
    rows = session.execute(
        select(*group, func.count().label("n"), due)
        .select_from(
            source.join(requirement, requirement.c.id == source.c.requirement_id)
            .join(unit, unit.c.code == source.c.unit_code)
            .outerjoin(upper, upper.c.code == unit.c.parent)
        )
        .where(reading.seen(source.c), inside(here, unit))
        .group_by(*group)
    )
    return [Count("", row.task, 0, row.place, Timing(row.timing), row.n, int(row.due)) for row in rows]
