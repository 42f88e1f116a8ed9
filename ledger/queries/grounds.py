"""What a reading's rows are laid out by: a whole city by its counties, a county by its townships, a township or a line
of work by its units; and the counts of what lies on each row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select, true, union_all
from sqlalchemy.sql.selectable import FromClause

from ledger import tally
from ledger.civil import end_of_day
from ledger.database import Session
from ledger.queries.item_filter import CITY
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items, is_late, touched_since
from ledger.scope import within
from ledger.tables import place_tally, unit, work_item
from policy_models.plan import Level
from policy_models.timing import RED_RETURNS

FACTS = ("requirement_id", "period", "opens_on", "deadline", "state", "late", "catch_up", "often_returned")
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
    if here.layout is Layout.COUNTIES:
        county: ColumnElement[str] = owner.c.county
        return county
    return case(
        (owner.c.level == Level.TOWNSHIP.value, owner.c.code),
        (upper.c.level == Level.TOWNSHIP.value, upper.c.code),
        else_=owner.c.county,
    )


def facts_on(session: Session, reading: Reading, here: Ground) -> FromClause:
    """Counts ``n`` to be summed of the items on a ground, each with its ``place`` and what decides its timing. From the
    tally by place, on a past day as that evening was kept; where it is not, less the items touched since as they stand
    and with them as they stood. Rows of whole counties are as ``tally.facts`` has them. From the items where the rows
    are units below the city, or where only a part of a township may be seen."""
    counties = tally.whole_counties(session, reading.scope) is not None
    if counties and reading.is_past and here.layout is Layout.COUNTIES and here.under is None:
        then = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope).c
        return select(then.county.label("place"), *(then[name] for name in FACTS), then.n).subquery("on_ground")
    whole = counties or tally.whole_places(session, reading.scope)
    if (here.layout is Layout.UNITS and here.under != CITY) or not whole:
        return _items_on(reading, here, reading.items(), +1).subquery("on_ground")
    kept = tally.place_rows(session, reading.plan_id, reading.as_of if reading.is_past else None)
    table, which = kept or (place_tally, [place_tally.c.plan_id == reading.plan_id])
    own = table.c
    told = (
        select(_row_of_place(here).label("place"), *(own[name] for name in FACTS), own.n)
        .select_from(table.join(unit, unit.c.code == own.place))
        .where(*which, inside(here, unit), within(reading.scope, own.place))
    )
    if kept is not None:
        return told.subquery("on_ground")
    until = end_of_day(reading.as_of)
    touched = touched_since(reading.plan_id, until)
    ids = select(touched.c.id).join(work_item, work_item.c.id == touched.c.id)
    ids = ids.join(unit, unit.c.code == work_item.c.unit_code).where(reading.seen(work_item.c), inside(here, unit))
    present = _items_on(reading, here, work_item, -1).where(work_item.c.id.in_(ids))
    stood = _items_on(reading, here, facts_of_items(reading.plan_id, until, ids), +1)
    return union_all(told, present, stood).subquery("on_ground")


def _row_of_place(here: Ground) -> ColumnElement[str]:
    """The row of a place of the tally: a township is its own, whatever else lies in its county is of the county; a unit of
    the city is a place by itself."""
    if here.layout is Layout.UNITS:
        code: ColumnElement[str] = unit.c.code
        return code
    if here.layout is Layout.COUNTIES:
        county: ColumnElement[str] = unit.c.county
        return county
    return case((unit.c.level == Level.TOWNSHIP.value, unit.c.code), else_=unit.c.county)


def _items_on(reading: Reading, here: Ground, source: Any, sign: int) -> Select[Any]:
    items, upper = source.c, unit.alias("upper")
    plain = (items.requirement_id, items.period, items.opens_on, items.deadline, items.state)
    often = (items.returns >= RED_RETURNS).label("often_returned")
    return (
        select(
            place_column(here, unit, upper).label("place"),
            *plain,
            is_late(items).label("late"),
            items.catch_up,
            often,
            literal(sign).label("n"),
        )
        .select_from(source.join(unit, unit.c.code == items.unit_code).outerjoin(upper, upper.c.code == unit.c.parent))
        .where(reading.seen(items), inside(here, unit))
    )


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
