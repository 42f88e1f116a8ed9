"""Counts by day beside the tally: how many items were accepted on a day (``accepted_day``) and how many fall due on it
in a township (``due_day``). Kept like the tally: append-only deltas in the transaction of the fact, summed on reading,
compacted by the daily sweep. So a chart costs the same with a thousand items and with a million."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Date, Table, and_, case, func, insert, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from ledger.database import Session
from ledger.tables import accepted_day, due_day, unit, work_item
from policy_models.lifecycle import Act, State
from policy_models.plan import Level
from policy_models.timing import CatchUp

DATES_CHANGE = frozenset({Act.WAIVE, Act.CANCEL, Act.EXTEND})  # acts after which an item falls due another day or never
NOT_OWED = (State.WAIVED.value, State.CANCELLED.value)
Counted = tuple[Table, list[Any], Any, ColumnElement[bool]]


class civil_day(GenericFunction[Any]):
    """The civil date in Asia/Shanghai of a column of UTC instants: eight hours ahead, all the year."""

    type = Date()
    inherit_cache = True


@compiles(civil_day, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"date({compiler.process(element.clauses, **options)}, '+8 hours')"


@compiles(civil_day, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} + INTERVAL '8 hours' AS DATE)"


def is_expected(items: Any) -> ColumnElement[bool]:
    """Neither exempt nor merely counted."""
    return and_(items.state.not_in(NOT_OWED), items.catch_up != CatchUp.COUNT_ONLY.value)


def accepted(items: Any) -> ColumnElement[bool]:
    """Done, and expected to be."""
    return and_(items.state == State.ACCEPTED.value, items.catch_up != CatchUp.COUNT_ONLY.value)


def place_of(owner: Any, upper: Any) -> ColumnElement[str]:
    """Where the work of a unit falls: its township, else its county, else "" for the city's own units. ``upper``: the
    unit above it."""
    return case(
        (owner.c.level == Level.TOWNSHIP.value, owner.c.code),
        (upper.c.level == Level.TOWNSHIP.value, upper.c.code),
        else_=owner.c.county,
    )


def _accepted() -> Counted:
    items = work_item.c
    facts = [items.plan_id, items.requirement_id, items.phase, unit.c.county]
    return accepted_day, [*facts, civil_day(items.reviewed_at).label("accepted_on")], _with_units(), accepted(items)


def _due() -> Counted:
    items, upper = work_item.c, unit.alias("upper")
    facts = [items.plan_id, place_of(unit, upper).label("place"), items.deadline]
    return due_day, facts, _with_units().outerjoin(upper, upper.c.code == unit.c.parent), is_expected(items)


def _with_units() -> Any:
    return work_item.join(unit, unit.c.code == work_item.c.unit_code)


def _add(session: Session, counted: Counted, which: ColumnElement[bool], sign: int) -> None:
    table, facts, source, condition = counted
    summed = select(*facts, (literal(sign) * func.count()).label("n")).select_from(source)
    chosen = summed.where(which, condition).group_by(*facts)
    session.execute(insert(table).from_select([*_names(table), "n"], chosen))


def _names(table: Table) -> list[str]:
    return [column.name for column in table.c if column.name not in ("id", "n")]


def add_due(session: Session, which: ColumnElement[bool], sign: int) -> None:
    """Count the items that match in (+1) or out (-1) of the days they fall due, as they stand right now."""
    _add(session, _due(), which, sign)


@contextmanager
def following(session: Session, which: ColumnElement[bool], act: Act) -> Iterator[None]:
    """Keep the counts in step with an act that is done in the block on the items that match before and after it."""
    if act in DATES_CHANGE:
        add_due(session, which, -1)
    yield
    if act in DATES_CHANGE:
        add_due(session, which, +1)
    if act is Act.ACCEPT:
        _add(session, _accepted(), which, +1)


def rebuild(session: Session, plan_id: int) -> None:
    """Count a plan's items anew."""
    for counted in (_accepted(), _due()):
        session.execute(counted[0].delete().where(counted[0].c.plan_id == plan_id))
        _add(session, counted, work_item.c.plan_id == plan_id, +1)


def compact(session: Session, plan_id: int) -> None:
    """Sum the deltas into one row for each set of facts; deltas written meanwhile are kept."""
    for table in (accepted_day, due_day):
        newest = session.execute(select(func.max(table.c.id)).where(table.c.plan_id == plan_id)).scalar()
        if newest is None:
            continue
        old = and_(table.c.plan_id == plan_id, table.c.id <= newest)
        facts = [table.c[name] for name in _names(table)]
        summed = select(*facts, func.sum(table.c.n)).where(old).group_by(*facts).having(func.sum(table.c.n) != 0)
        session.execute(insert(table).from_select([*_names(table), "n"], summed))
        session.execute(table.delete().where(old))


def recount(session: Session, plan_id: int) -> list[tuple[Any, ...]]:
    """Where these counts and the items disagree: rows of facts with a non-zero difference; none in a sound ledger."""
    return [row for counted in (_accepted(), _due()) for row in _differences(session, counted, plan_id)]


def _differences(session: Session, counted: Counted, plan_id: int) -> list[tuple[Any, ...]]:
    table, facts, source, condition = counted
    real = select(*facts, literal(1).label("n")).select_from(source).where(work_item.c.plan_id == plan_id, condition)
    told = select(*(table.c[name] for name in _names(table)), -table.c.n).where(table.c.plan_id == plan_id)
    both = real.union_all(told).subquery("both")
    columns = list(both.c)
    rows = session.execute(
        select(literal(table.name), *columns[:-1], func.sum(columns[-1]))
        .group_by(*columns[:-1])
        .having(func.sum(columns[-1]) != 0)
    )
    return [tuple(row) for row in rows]
