"""What the tallies count items by: the facts that decide an item's timing; and where two counts of them differ."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select, union_all

from ledger.database import Session
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
FLAGS = ("late", "often_returned")


def item_facts(items: Any, place: ColumnElement[Any], *, state: ColumnElement[Any] | None = None) -> list[Any]:
    """FACTS of each item but the plan, in their order. ``items`` has the columns of work_item; ``place``: what stands for
    the county; ``state``: another than the item's own."""
    return [
        items.requirement_id,
        items.period,
        items.phase,
        place,
        items.opens_on,
        items.deadline,
        items.state if state is None else state,
        is_late(items).label("late"),
        items.catch_up,
        (items.returns >= RED_RETURNS).label("often_returned"),
    ]


def facts_of(source: Any, sign: int) -> Select[Any]:
    """Each item's facts but the plan, counted ``sign`` times. ``source`` has the columns of work_item."""
    chosen = select(*item_facts(source.c, unit.c.county), literal(sign).label("n"))
    return chosen.select_from(source.join(unit, unit.c.code == source.c.unit_code))


def differences(
    session: Session, told: Select[Any], real: Select[Any], *, flags: Collection[str] = ()
) -> list[tuple[Any, ...]]:
    """Where two counts differ: rows of facts with what is over (or missing, below zero). The last column of both is the
    number, of ``real`` as what it takes away; ``flags``: columns of truth, which the databases write differently."""
    both = union_all(real, told).subquery("both").c
    names = list(both.keys())
    facts = [case((both[name], 1), else_=0) if name in flags else both[name] for name in names[:-1]]
    number = func.sum(both[names[-1]])
    return [tuple(row) for row in session.execute(select(*facts, number).group_by(*facts).having(number != 0))]
