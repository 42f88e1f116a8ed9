"""What units had to do on a past day, counted without a replay of all their items: how a matter ended is told by the
columns of the item, and when."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, union_all

from ledger.civil import end_of_day
from ledger.queries.items import timing_of
from ledger.queries.overdue import late_items, moved_since, unmoved
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items
from ledger.tables import item_move, work_item
from policy_models.lifecycle import State
from policy_models.timing import DONE, NOT_EXPECTED, CatchUp

NAMES = ("all", "exempt", "done", "overdue", "red")


def past_counts(reading: Reading, codes: Any) -> Any:
    """By unit, of the units with these codes (a select): ``unit_code`` and how many items there were, exempt or merely
    counted, done, overdue, and red among the overdue."""
    late = late_items(reading).c
    overdue = select(late.unit_code, *_flags(overdue=literal(1), red=case((late.red, 1), else_=0)))
    both = union_all(_ended(reading, codes), _moved(reading, codes), overdue.where(late.unit_code.in_(codes)))
    rows = both.subquery("rows").c
    counted = (func.sum(rows[name]).label(name) for name in NAMES)
    return select(rows.unit_code, *counted).group_by(rows.unit_code).subquery("per_unit")


def _flags(**given: Any) -> list[Any]:
    return [given.get(name, literal(0)).label(name) for name in NAMES]


def _flag(met: ColumnElement[bool]) -> Any:
    return case((met, 1), else_=0)


def _ended(reading: Reading, codes: Any) -> Any:
    """The items that have not been moved since. What is accepted, waived or cancelled is never changed again."""
    items, until = work_item.c, end_of_day(reading.as_of)
    counted_only = items.catch_up == CatchUp.COUNT_ONLY.value
    stopped = and_(items.state.in_([State.WAIVED.value, State.CANCELLED.value]), items.changed_at < until)
    accepted = and_(items.state == State.ACCEPTED.value, items.reviewed_at < until, ~counted_only)
    exempt, done = func.sum(_flag(or_(stopped, counted_only))), func.sum(_flag(accepted))
    mine = (reading.seen(items), items.unit_code.in_(codes), *unmoved(reading))
    counted = select(items.unit_code, *_flags(all=func.count(), exempt=exempt, done=done))
    return counted.where(*mine).group_by(items.unit_code)


def _moved(reading: Reading, codes: Any) -> Any:
    mine = work_item.c.unit_code.in_(codes)
    ids = moved_since(reading).join(work_item, work_item.c.id == item_move.c.item_id).where(mine)
    then = facts_of_items(reading.plan_id, end_of_day(reading.as_of), ids).c
    timing = timing_of(then, reading)
    done = _flag(timing.in_([one.value for one in DONE]))
    exempt = _flag(timing.in_([one.value for one in NOT_EXPECTED]))
    return select(then.unit_code, *_flags(all=literal(1), exempt=exempt, done=done)).where(reading.seen(then))
