"""What the tallies count items by: the facts that decide an item's timing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, literal, select

from ledger.replay import is_late
from ledger.tables import unit
from policy_models.timing import RED_RETURNS

FACTS = (
    "plan_id",
    "requirement_id",
    "period",
    "phase",
    "county",
    "opens_on",
    "deadline",
    "state",
    "late",
    "catch_up",
    "often_returned",
)


def facts_of(source: Any, sign: int) -> Select[Any]:
    """Each item's facts but the plan, counted ``sign`` times. ``source`` has the columns of work_item."""
    items = source.c
    return select(
        items.requirement_id,
        items.period,
        items.phase,
        unit.c.county,
        items.opens_on,
        items.deadline,
        items.state,
        is_late(items).label("late"),
        items.catch_up,
        (items.returns >= RED_RETURNS).label("often_returned"),
        literal(sign).label("n"),
    ).select_from(source.join(unit, unit.c.code == items.unit_code))
