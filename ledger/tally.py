"""The board's numbers. ``tally`` holds counts of items by the facts that decide their timing: append-only deltas
written in the same transaction as the facts, summed on reading, compacted by the daily sweep. So the board costs the
same with a thousand items and with a million, and two acts at once never wait for each other's counter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, insert, literal, select, union_all
from sqlalchemy.sql.selectable import FromClause

from ledger import daily, evenings, plans
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.item_facts import FACTS, FLAGS, UPPER, area, differences, facts_of, item_facts, names_in, with_owners
from ledger.planner import aside
from ledger.replay import facts_of_items, touched_since
from ledger.scope import within
from ledger.tables import past_place_tally, past_tally, place_tally, requirement, tally, unit, work_item
from ledger.timing_sql import timing_case
from policy_models.access import WHOLE, Scope
from policy_models.lifecycle import State
from policy_models.plan import Level
from policy_models.rollup import Count
from policy_models.timing import Thresholds, Timing

BOTH = (tally, place_tally)


def add(session: Session, which: ColumnElement[bool], sign: int, *, as_state: State | None = None) -> None:
    """Count the work items that match ``which`` in (+1) or out (-1), as they stand in the table right now; with
    ``as_state`` as if they were in that state."""
    items = work_item.c
    for table in BOTH:
        state = None if as_state is None else literal(as_state.value).label("state")
        facts = [items.plan_id, *item_facts(items, area(table), state=state)]
        counted = select(*facts, (literal(sign) * func.count()).label("n")).select_from(with_owners(work_item, table))
        grouped = counted.where(which).group_by(*(fact for fact in facts if fact.key != "state"), items.state)
        session.execute(insert(table).from_select([*names_in(table), "n"], grouped))


def record(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write deltas that somebody worked out: FACTS, ``place`` and ``n`` of each."""
    for table, other in ((tally, "place"), (place_tally, "county")):
        session.execute(insert(table), [{name: row[name] for name in row if name != other} for row in rows])


def move(session: Session, which: ColumnElement[bool], target: State) -> None:
    """Count the items that match out of the state they are in and into ``target``; call before changing them."""
    add(session, which, -1)
    add(session, which, +1, as_state=target)


def rebuild(session: Session, plan_id: int) -> None:
    """Count a plan's items anew: after changes that no single act made. Its kept evenings are forgotten."""
    for table in BOTH:
        session.execute(table.delete().where(table.c.plan_id == plan_id))
    add(session, work_item.c.plan_id == plan_id, +1)
    daily.rebuild(session, plan_id)
    evenings.forget(session, plan_id)


def compact(session: Session, plan_code: str) -> int:
    """Sum the deltas into one row for each set of facts; the number of rows left in the tally by county. Concurrent
    deltas are kept: only rows up to the newest one seen at the start are replaced."""
    plan_id = plans.plan_summary(session, plan_code).id
    daily.compact(session, plan_id)
    for table in BOTH:
        newest = session.execute(select(func.max(table.c.id)).where(table.c.plan_id == plan_id)).scalar()
        if newest is None:
            continue
        old = and_(table.c.plan_id == plan_id, table.c.id <= newest)
        facts = [table.c[name] for name in names_in(table)]
        summed = select(*facts, func.sum(table.c.n)).where(old).group_by(*facts).having(func.sum(table.c.n) != 0)
        session.execute(insert(table).from_select([*names_in(table), "n"], summed))
        session.execute(table.delete().where(old))
    return int(session.execute(select(func.count()).where(tally.c.plan_id == plan_id)).scalar_one())


def counts(session: Session, plan_code: str, as_of: date, *, now: datetime, scope: Scope = WHOLE) -> list[Count]:
    """The plan's items in a scope by requirement, phase, county and timing, as of a civil date."""
    plan = plans.plan_summary(session, plan_code)
    at = Thresholds.at(as_of, plans.calendars(session, plan_code).work)
    source = facts(session, plan.id, as_of, now=now, scope=scope)
    stand = timing_case(source.c, at, late=source.c.late, often_returned=source.c.often_returned).label("timing")
    due = case((source.c.deadline <= as_of, source.c.n), else_=0)
    group: Sequence[Any] = (requirement.c.code, requirement.c.task, source.c.phase, source.c.county, stand)
    rows = session.execute(
        select(*group, func.sum(source.c.n).label("n"), func.sum(due).label("due"))
        .select_from(source.join(requirement, requirement.c.id == source.c.requirement_id))
        .group_by(*group)
        .having(func.sum(source.c.n) != 0)
    )
    return [Count(r.code, r.task, r.phase, r.county, Timing(r.timing), int(r.n), int(r.due)) for r in rows]


def facts(
    session: Session, plan_id: int, as_of: date, *, now: datetime, scope: Scope = WHOLE, owner: str | None = None
) -> FromClause:
    """Counts ``n`` of the items in a scope (or of one unit alone, its ``owner``) by FACTS, as of a civil date, to be
    summed: some rows take away.

    The whole city and whole counties come from the tally, a scope made of places from the one by place; on a past day
    from their kept evenings. Where that is not kept (yet), the tally tells it, less the items touched since as they
    stand and with them as they stood: so yesterday costs what was done since. Any other scope is counted from its
    units' items.
    """
    until = end_of_day(as_of) if as_of < civil_date(now) else None
    if owner is not None:
        return _facts_of_units(plan_id, until, work_item.c.unit_code == owner).subquery("facts")
    areas = whole_counties(session, scope)
    if areas is None:
        past = as_of if until else None
        by_place = _facts_of_places(session, plan_id, past, scope) if whole_places(session, scope) else None
        mine = within(scope, work_item.c.unit_code)
        return (_facts_of_units(plan_id, until, mine) if by_place is None else by_place).subquery("facts")
    evening = evenings.kept(session, plan_id, as_of, past_tally) if until is not None else None
    if evening is not None:
        return _told(past_tally, evening, areas).subquery("facts")
    told = _told(tally, [tally.c.plan_id == plan_id], areas)
    if until is None:
        return told.subquery("facts")
    touched = touched_since(plan_id, until)
    ids = select(touched.c.id)
    inside = [unit.c.county.in_(areas)] if areas else []
    present = facts_of(work_item, -1, tally).where(
        aside(work_item.c.plan_id) == plan_id, work_item.c.id.in_(ids), *inside
    )
    then = facts_of(facts_of_items(plan_id, until, ids), +1, tally).where(*inside)
    return union_all(told, present, then).subquery("facts")


def _told(table: Table, own: Sequence[ColumnElement[bool]], areas: Sequence[str]) -> Select[Any]:
    """A tally's counts; ``areas``: of these counties alone, () for all."""
    inside = [table.c.county.in_(areas)] if areas else []
    return select(*(table.c[name] for name in FACTS[1:]), table.c.n).where(*own, *inside)


def whole_counties(session: Session, scope: Scope) -> tuple[str, ...] | None:
    """The counties that a scope consists of; () for the whole, None where it is made of anything else."""
    if scope.roots is None:
        return ()
    proper = (unit.c.level == Level.COUNTY.value, unit.c.function == "", unit.c.code.in_(scope.roots))
    found = tuple(session.execute(select(unit.c.code).where(*proper).order_by(unit.c.code)).scalars())
    return found if found and len(found) == len(set(scope.roots)) else None


def whole_places(session: Session, scope: Scope) -> bool:
    """Whether a scope has no part of a township alone: then it is made of places."""
    in_township = select(unit.c.code).join(UPPER, UPPER.c.code == unit.c.parent)
    alone = in_township.where(UPPER.c.level == Level.TOWNSHIP.value, ~within(scope, UPPER.c.code))
    # any other unit of the scope is in it because the unit above it is
    ways_in = (unit.c.code.in_(scope.roots or ()), within(scope, unit.c.superior))
    return session.execute(union_all(*(alone.where(way) for way in ways_in)).limit(1)).first() is None


def place_rows(session: Session, plan_id: int, past: date | None) -> tuple[Table, list[ColumnElement[bool]]] | None:
    """The tally by place, today or as of a ``past`` day, and which of its rows are to be summed; None where the evening
    of that day is not kept."""
    if past is None:
        return place_tally, [place_tally.c.plan_id == plan_id]
    evening = evenings.kept(session, plan_id, past, past_place_tally)
    return None if evening is None else (past_place_tally, evening)


def _facts_of_places(session: Session, plan_id: int, past: date | None, scope: Scope) -> Select[Any] | None:
    found = place_rows(session, plan_id, past)
    if found is None:
        return None
    table, own = found
    chosen = select(*(unit.c.county if name == "county" else table.c[name] for name in FACTS[1:]), table.c.n)
    return chosen.join(unit, unit.c.code == table.c.place).where(*own, within(scope, table.c.place))


def _facts_of_units(plan_id: int, until: datetime | None, mine: ColumnElement[bool]) -> Select[Any]:
    if until is None:
        return facts_of(work_item, +1, tally).where(work_item.c.plan_id == plan_id, mine)
    ids = select(work_item.c.id).where(work_item.c.plan_id == plan_id, mine)
    return facts_of(facts_of_items(plan_id, until, ids), +1, tally)


def recount(session: Session, plan_code: str) -> list[tuple[Any, ...]]:
    """Where a tally, the counts by day or the kept evenings and the items disagree: rows of facts with a non-zero
    difference; none in a sound ledger."""
    plan_id = plans.plan_summary(session, plan_code).id
    wrong = [row for table in BOTH for row in _differences(session, table, plan_id)]
    return [*wrong, *daily.recount(session, plan_id), *evenings.recount(session, plan_id)]


def _differences(session: Session, table: Table, plan_id: int) -> list[tuple[Any, ...]]:
    real = facts_of(work_item, +1, table).where(work_item.c.plan_id == plan_id)
    told = select(*(table.c[name] for name in names_in(table)[1:]), -table.c.n).where(table.c.plan_id == plan_id)
    return differences(session, told, real, flags=FLAGS)
