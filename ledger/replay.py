"""回放: items as they stood at a past moment, from their entries and moves. Facts are stored, so any day can be looked
back at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, and_, case, func, or_, select, union

from ledger.planner import aside
from ledger.tables import entry, item_move, work_item
from policy_models.lifecycle import NEEDS_REASON, Act, State


def is_late(items: Any) -> ColumnElement[bool]:
    """First submitted after the deadline: on time is judged by the first submission."""
    return and_(items.first_submitted_on.is_not(None), items.first_submitted_on > items.deadline)


def touched_since(plan_id: int, until: datetime) -> CTE:
    """The ids of the items whose facts may be others now than just before an instant: acted on, moved or created since.
    Among the items of the plan; ids of other plans' items are there too."""
    return union(
        select(entry.c.item_id.label("id")).where(entry.c.at >= until),
        select(item_move.c.item_id).where(item_move.c.moved_at >= until),
        select(work_item.c.id).where(work_item.c.plan_id == plan_id, work_item.c.created_at >= until),
    ).cte("touched")


def facts_of_items(plan_id: int, until: datetime, only: Any = None, *, unborn: bool = False) -> Any:
    """Each item of a plan as it stood just before an instant: the columns of work_item with state, returns, dates,
    first_submitted_on, reason and changed_at of that moment. What was raised or created later is left out; only what
    the plan's first load created is there on every day, so that a plan loaded late can look back. ``only``: a select of
    the ids of the items that are asked for; ``unborn``: also those that were not there yet, with ``known`` telling."""
    mine = _those(plan_id, only)
    acts = (
        select(
            entry.c.item_id,
            func.max(entry.c.revision).label("revision"),
            func.sum(case((entry.c.act == Act.SEND_BACK.value, 1), else_=0)).label("returns"),
            func.max(case((entry.c.act == Act.SUBMIT.value, 1), else_=0)).label("submitted"),
            func.max(case((entry.c.act.in_([act.value for act in NEEDS_REASON]), entry.c.revision))).label("reasoned"),
        )
        .where(entry.c.at < until, _of_those(entry.c.item_id, plan_id, only))
        .group_by(entry.c.item_id)
        .subquery("acts")
    )
    last, told = entry.alias("last"), entry.alias("told")
    moved_later, was = _first_move_after(_of_those(item_move.c.item_id, plan_id, only), until)
    items = work_item.c
    known = or_(items.created_at < until, from_the_start(plan_id))
    dates = ("phase", "opens_on", "deadline", "catch_up")
    replaced = ("state", "revision", "returns", "first_submitted_on", "changed_at", "reason", *dates)
    return (
        select(
            *(column for column in items if column.name not in replaced),
            func.coalesce(last.c.state, State.SCHEDULED.value).label("state"),
            func.coalesce(acts.c.revision, 0).label("revision"),
            func.coalesce(acts.c.returns, 0).label("returns"),
            func.coalesce(last.c.at, items.created_at).label("changed_at"),
            told.c.note.label("reason"),
            case((acts.c.submitted == 1, items.first_submitted_on), else_=None).label("first_submitted_on"),
            *(func.coalesce(was.c[name], items[name]).label(name) for name in dates),
            *([known.label("known")] if unborn else ()),
        )
        .select_from(
            work_item.outerjoin(acts, acts.c.item_id == items.id)
            .outerjoin(last, and_(last.c.item_id == items.id, last.c.revision == acts.c.revision))
            .outerjoin(told, and_(told.c.item_id == items.id, told.c.revision == acts.c.reasoned))
            .outerjoin(moved_later, moved_later.c.item_id == items.id)
            .outerjoin(was, was.c.id == moved_later.c.move_id)
        )
        .where(*mine, *(() if unborn else (known,)))
        .subquery("items_then")
    )


def from_the_start(plan_id: int) -> ColumnElement[bool]:
    """Whether an item was created by the plan's first load (not raised on an event at the same instant)."""
    began = work_item.alias("began")
    mine = select(began.c.created_at).where(began.c.plan_id == plan_id)
    first = (
        mine.order_by(began.c.created_at).limit(1).scalar_subquery()
    )  # the index's first, where min() would count all
    return and_(work_item.c.duty_id.is_not(None), work_item.c.created_at == first)


def _those(plan_id: int, only: Any) -> list[ColumnElement[bool]]:
    """The condition on items that they are the plan's, and among ``only`` where given. Then the plan is no way to find
    them: a database that went by its index would read them all."""
    if only is None:
        return [work_item.c.plan_id == plan_id]
    return [work_item.c.id.in_(only), aside(work_item.c.plan_id) == plan_id]


def _of_those(item_id: Any, plan_id: int, only: Any) -> ColumnElement[bool]:
    """The condition on rows of items that the item is of those: what else is among ``only`` meets no item."""
    found: ColumnElement[bool] = item_id.in_(
        select(work_item.c.id).where(work_item.c.plan_id == plan_id) if only is None else only
    )
    return found


def _first_move_after(mine: ColumnElement[bool], until: datetime) -> tuple[Any, Any]:
    """For each item moved since, the first such move: it remembers the dates of the moment before."""
    later = (
        select(item_move.c.item_id, func.min(item_move.c.id).label("move_id"))
        .where(item_move.c.moved_at >= until, mine)
        .group_by(item_move.c.item_id)
        .subquery("moved_later")
    )
    return later, item_move.alias("was")
