"""What a reading's rows are laid out by: a whole city by its counties, a county by its townships, a township or a line
of work by its units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from ledger.daily import place_of
from ledger.database import Session
from ledger.queries.item_filter import CITY
from ledger.queries.reading import Reading
from ledger.scope import within
from ledger.tables import unit
from policy_models.plan import Level

MOST_UNITS = 60  # more rows than this are laid out by county


class Layout(StrEnum):
    COUNTIES = "counties"
    TOWNSHIPS = "townships"
    UNITS = "units"


@dataclass(frozen=True, slots=True)
class Ground:
    """``under``: the county that is laid out by its townships, or ``city``, whose own units are laid out one by one;
    None for all that may be seen."""

    layout: Layout
    under: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A row: ``narrowing`` are the fields of the item list that narrow it to the row; ``opens``: the county that the row
    opens into (``city`` for the city's own units), "" where there is nothing below it to show."""

    code: str
    name: str
    narrowing: dict[str, str]
    opens: str = ""


def ground(session: Session, reading: Reading, under: str | None = None) -> Ground:
    """How to lay out what may be seen, or one county of it; one statement at most."""
    if under:
        return Ground(Layout.UNITS if under == CITY else Layout.TOWNSHIPS, under)
    if reading.scope.roots is None:
        return Ground(Layout.COUNTIES)
    found = session.execute(
        select(unit.c.code, unit.c.level, unit.c.function).where(unit.c.code.in_(reading.scope.roots))
    ).all()
    if len(found) == 1 and found[0].level == Level.COUNTY.value and found[0].function == "":
        return Ground(Layout.TOWNSHIPS, found[0].code)
    seen = select(func.count()).select_from(unit).where(unit.c.active, within(reading.scope, unit.c.code))
    return Ground(Layout.UNITS if session.execute(seen).scalar_one() <= MOST_UNITS else Layout.COUNTIES)


def place_column(here: Ground, owner: Any, upper: Any) -> ColumnElement[str]:
    """The code of the row that a unit belongs to; ``upper``: the unit above it."""
    if here.layout is Layout.UNITS:
        code: ColumnElement[str] = owner.c.code
        return code
    return place_of(owner, upper) if here.layout is Layout.TOWNSHIPS else owner.c.county


def inside(here: Ground, owner: Any) -> ColumnElement[bool]:
    """The condition that a unit lies on the ground."""
    if here.under is None:
        return true()
    found: ColumnElement[bool] = owner.c.county == ("" if here.under == CITY else here.under)
    return found


def places(session: Session, reading: Reading, here: Ground) -> tuple[Place, ...]:
    """The rows in order: the city's or the county's own units first; one statement."""
    chosen = select(unit.c.code, unit.c.name, unit.c.level).where(unit.c.active).order_by(unit.c.code)
    if here.layout is Layout.UNITS:
        rows = session.execute(chosen.where(within(reading.scope, unit.c.code), inside(here, unit)))
        return tuple(Place(row.code, row.name, {"unit": row.code}) for row in rows)
    if here.layout is Layout.TOWNSHIPS:
        rows = session.execute(chosen.where(unit.c.level == Level.TOWNSHIP.value, unit.c.county == here.under))
        county = str(here.under)
        own = Place(county, "旗县区本级", {"under": county, "level": Level.COUNTY.value})
        return (own, *(Place(row.code, row.name, {"within": row.code}) for row in rows))
    chosen = chosen.where(unit.c.level == Level.COUNTY.value, unit.c.function == "")
    if not reading.scope.is_whole:
        lower = unit.alias("lower")
        chosen = chosen.where(unit.c.code.in_(select(lower.c.county).where(within(reading.scope, lower.c.code))))
    rows = session.execute(chosen)
    areas = (Place(row.code, row.name, {"under": row.code}, row.code) for row in rows)
    return (Place("", "市级", {"under": CITY}, CITY), *areas)
