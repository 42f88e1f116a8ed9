"""What the tallies count items by: the facts that decide an item's timing; and where two counts of them differ."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, func, literal, select, union_all
from sqlalchemy.sql.selectable import FromClause

from ledger.database import Session
from ledger.replay import is_late
from ledger.tables import unit
from policy_models.plan import Level
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
UPPER = unit.alias("upper")


def place_of(owner: Any, upper: Any) -> ColumnElement[str]:
    """The place of a unit: the township of a village, else the unit itself. ``upper``: the unit above it."""
    return case((upper.c.level == Level.TOWNSHIP.value, upper.c.code), else_=owner.c.code)


def names_in(table: Table) -> list[str]:
    """FACTS as a tally has them: by county or by place."""
    return ["place" if name not in table.c else name for name in FACTS]


def area(table: Table) -> ColumnElement[str]:
    """The county, or the place, that a tally counts an item for; over ``with_owners``."""
    county: ColumnElement[str] = unit.c.county
    return county if "county" in table.c else place_of(unit, UPPER).label("place")


def with_owners(source: Any, table: Table) -> FromClause:
    """Items with their units, and for a tally by place with the units above these."""
    owners: FromClause = source.join(unit, unit.c.code == source.c.unit_code)
    return owners if "county" in table.c else owners.outerjoin(UPPER, UPPER.c.code == unit.c.parent)


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


def facts_of(source: Any, sign: int, table: Table) -> Select[Any]:
    """Each item's facts but the plan, as a tally has them, counted ``sign`` times. ``source`` has the columns of
    work_item."""
    chosen = select(*item_facts(source.c, area(table)), literal(sign).label("n"))
    return chosen.select_from(with_owners(source, table))


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
