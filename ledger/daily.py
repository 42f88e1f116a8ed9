"""Counts by day beside the tally: how many items were accepted on a day (``accepted_day``). Kept like the tally:
append-only deltas in the transaction of the fact, summed on reading, compacted by the daily sweep. So a curve costs the
same with a thousand items and with a million."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Date, and_, func, insert, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from ledger.database import Session
from ledger.item_facts import differences
from ledger.tables import accepted_day, unit, work_item
from policy_models.lifecycle import State
from policy_models.timing import CatchUp

NOT_OWED = (State.WAIVED.value, State.CANCELLED.value)
NAMES = ("plan_id", "requirement_id", "phase", "county", "accepted_on")
WITH_UNITS = work_item.join(unit, unit.c.code == work_item.c.unit_code)


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


def _facts() -> list[Any]:
    items = work_item.c
    day = civil_day(items.reviewed_at).label("accepted_on")
    return [items.plan_id, items.requirement_id, items.phase, unit.c.county, day]


def add(session: Session, which: ColumnElement[bool]) -> None:
    """Count the items that match and have just been accepted. Nothing that is accepted is ever taken back."""
    facts = _facts()
    chosen = select(*facts, func.count().label("n")).select_from(WITH_UNITS)
    met = chosen.where(which, accepted(work_item.c)).group_by(*facts)
    session.execute(insert(accepted_day).from_select([*NAMES, "n"], met))


def rebuild(session: Session, plan_id: int) -> None:
    """Count a plan's items anew."""
    session.execute(accepted_day.delete().where(accepted_day.c.plan_id == plan_id))
    add(session, work_item.c.plan_id == plan_id)


def compact(session: Session, plan_id: int) -> None:
    """Sum the deltas into one row for each set of facts; deltas written meanwhile are kept."""
    rows = accepted_day.c
    newest = session.execute(select(func.max(rows.id)).where(rows.plan_id == plan_id)).scalar()
    if newest is None:
        return
    old = and_(rows.plan_id == plan_id, rows.id <= newest)
    facts = [rows[name] for name in NAMES]
    summed = select(*facts, func.sum(rows.n)).where(old).group_by(*facts)
    session.execute(insert(accepted_day).from_select([*NAMES, "n"], summed))
    session.execute(accepted_day.delete().where(old))


def recount(session: Session, plan_id: int) -> list[tuple[Any, ...]]:
    """Where these counts and the items disagree: rows of facts with a non-zero difference; none in a sound ledger."""
    rows = accepted_day.c
    mine = (work_item.c.plan_id == plan_id, accepted(work_item.c))
    real = select(*_facts(), literal(1).label("n")).select_from(WITH_UNITS).where(*mine)
    told = select(*(rows[name] for name in NAMES), -rows.n).where(rows.plan_id == plan_id)
    return differences(session, told, real)
