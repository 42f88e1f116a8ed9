"""Where a page of a long list begins and ends, told by the tally: how many items a filter has on each deadline. So the
items themselves are read for the days of one page only, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, union, union_all

from ledger import tally
from ledger.civil import end_of_day
from ledger.database import Session
from ledger.queries.item_filter import CITY, ItemFilter
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items
from ledger.tables import item_move, requirement, unit, work_item
from ledger.timing_sql import POSSIBLE, timing_case
from policy_models.lifecycle import State
from policy_models.plan import Level
from policy_models.timing import Timing

FEW = 2000  # ids that are named one by one: told by a condition, PostgreSQL takes them for one and joins them so


@dataclass(frozen=True, slots=True)
class Place:
    """A deadline (and, where the list goes by matter first, the requirement's id) with the number of its items."""

    requirement: int
    deadline: date
    n: int


@dataclass(frozen=True, slots=True)
class Window:
    """``total`` items in all; those of the page lie from ``first`` to ``last`` (None for an empty page), the first
    ``offset`` of them before it."""

    total: int
    first: Place | None = None
    last: Place | None = None
    offset: int = 0


def window(
    session: Session, reading: Reading, wanted: ItemFilter, *, skip: int, limit: int, by_requirement: bool = False
) -> Window | None:
    """The window of a page in order of deadline (or of requirement and deadline): one statement. None where the filter
    asks for what the tally does not tell apart (a unit, what lies below one, a level): such a list is short, or has an
    index of its own."""
    if wanted.unit is not None or wanted.level is not None:
        return None
    if wanted.within is not None:
        if wanted.under is not None or not _is_county(session, wanted.within):
            return None
        wanted = replace(wanted, within=None, under=wanted.within)
    places = _places(session, reading, wanted, by_requirement)
    total, before, first = sum(one.n for one in places), 0, None
    offset = 0
    for place in places:
        if first is None and before + place.n > skip:
            first, offset = place, skip - before
        before += place.n
        if first is not None and before >= skip + limit:
            return Window(total, first, place, offset)
    return Window(total, first, places[-1] if first else None, offset)


def _is_county(session: Session, code: str) -> bool:
    """Whether all below a unit is all of a county, which the tally knows."""
    proper = (unit.c.code == code, unit.c.level == Level.COUNTY.value, unit.c.function == "")
    return session.execute(select(unit.c.code).where(*proper)).first() is not None


def _places(session: Session, reading: Reading, wanted: ItemFilter, by_requirement: bool) -> Sequence[Place]:
    facts = tally.facts(session, reading.plan_id, reading.as_of, now=reading.now, scope=reading.scope)
    column = facts.c
    group: list[Any] = [column.requirement_id, column.deadline] if by_requirement else [column.deadline]
    rows = session.execute(
        select(*group, func.sum(column.n).label("n"))
        .select_from(facts.join(requirement, requirement.c.id == column.requirement_id))
        .where(*_conditions(column, reading, wanted))
        .group_by(*group)
        .having(func.sum(column.n) != 0)
        .order_by(*group)
    )
    return [Place(row.requirement_id if by_requirement else 0, row.deadline, int(row.n)) for row in rows]


def _conditions(column: Any, reading: Reading, wanted: ItemFilter) -> list[ColumnElement[bool]]:
    """What a filter means, over the tally's facts; ``ledger.queries.items.conditions`` is the same over items."""
    pairs = (
        (requirement.c.section, wanted.section),
        (requirement.c.code, wanted.requirement),
        (column.period, wanted.period),
        (column.county, "" if wanted.under == CITY else wanted.under),
        (column.state, wanted.state.value if wanted.state else None),
        (column.phase, wanted.phase),
    )
    where: list[ColumnElement[bool]] = [left == value for left, value in pairs if value is not None]
    if wanted.due_from is not None:
        where.append(column.deadline >= wanted.due_from)
    if wanted.due_to is not None:
        where.append(column.deadline <= wanted.due_to)
    if wanted.opens_from is not None:
        where.append(column.opens_on >= wanted.opens_from)
    if wanted.opens_to is not None:
        where.append(column.opens_on <= wanted.opens_to)
    if wanted.timing and set(wanted.timing) != set(Timing):
        timing = timing_case(column, reading.at, late=column.late, often_returned=column.often_returned)
        where.append(timing.in_([one.value for one in wanted.timing]))
    return where


def items_in(session: Session, reading: Reading, found: Window, wanted: ItemFilter) -> Any:
    """The plan's items as of the day, as far as they may lie in a window. On a past day only these are replayed, and of
    them only what had not been accepted by then: what is accepted is never taken back, and stands as it stood."""
    if not reading.is_past or found.first is None or found.last is None:
        return reading.items()
    until = end_of_day(reading.as_of)
    columns = work_item.c
    by_matter = bool(found.first.requirement)  # else the index of a unit's deadlines is the narrowest
    unaccepted = or_(columns.state != State.ACCEPTED.value, columns.reviewed_at >= until)
    where = [reading.seen(columns, windowed=by_matter), inside(columns, found)]
    here = select(columns.id).where(*where)
    moved = select(item_move.c.item_id).where(item_move.c.moved_at >= until)
    if _nothing_accepted(wanted):
        asked = union(here.where(unaccepted), moved)
        ids = session.execute(asked.limit(FEW + 1)).scalars().all()
        return facts_of_items(reading.plan_id, until, ids if len(ids) <= FEW else asked)
    settled = (columns.state == State.ACCEPTED.value, columns.reviewed_at < until, columns.id.not_in(moved))
    replayed = facts_of_items(reading.plan_id, until, union(here.where(unaccepted), moved))
    names = [column.name for column in columns]
    as_now = select(*(columns[name] for name in names)).where(*where, *settled)
    as_then = select(*(replayed.c[name] for name in names))
    return union_all(as_now, as_then).subquery("items_then")


def _nothing_accepted(wanted: ItemFilter) -> bool:
    """Whether a filter asks for nothing that is accepted."""
    if wanted.state is not None:
        return wanted.state is not State.ACCEPTED
    return bool(wanted.timing) and all(State.ACCEPTED not in POSSIBLE.get(one, State) for one in wanted.timing)


def inside(columns: Any, found: Window) -> ColumnElement[bool]:
    """The condition that an item lies in a window."""
    first, last = found.first, found.last
    if first is None or last is None:
        raise ValueError("an empty window has no items")
    if not first.requirement:
        between: ColumnElement[bool] = columns.deadline.between(first.deadline, last.deadline)
        return between
    if first.requirement == last.requirement:
        span = columns.deadline.between(first.deadline, last.deadline)
        return and_(columns.requirement_id == first.requirement, span)
    return or_(
        and_(columns.requirement_id == first.requirement, columns.deadline >= first.deadline),
        and_(columns.requirement_id > first.requirement, columns.requirement_id < last.requirement),
        and_(columns.requirement_id == last.requirement, columns.deadline <= last.deadline),
    )
