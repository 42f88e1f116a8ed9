"""The board's numbers. ``tally`` holds counts of items by the facts that decide their timing: append-only deltas
written in the same transaction as the facts, summed on reading, compacted by the daily sweep. So the board costs the
same with a thousand items and with a million, and two acts at once never wait for each other's counter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, literal, or_, select
from sqlalchemy.sql.selectable import FromClause

from ledger import plans
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.tables import entry, item_move, requirement, tally, unit, work_item
from ledger.timing_sql import timing_case
from policy_models.lifecycle import NEEDS_REASON, Act, State
from policy_models.rollup import Count
from policy_models.timing import RED_RETURNS, Thresholds, Timing

FACTS = (
    "plan_id",
    "requirement_id",
    "phase",
    "county",
    "opens_on",
    "deadline",
    "state",
    "late",
    "catch_up",
    "often_returned",
)


def is_late(items: Any) -> ColumnElement[bool]:
    """First submitted after the deadline: on time is judged by the first submission."""
    return and_(items.first_submitted_on.is_not(None), items.first_submitted_on > items.deadline)


def add(session: Session, which: ColumnElement[bool], sign: int, *, as_state: State | None = None) -> None:
    """Count the work items that match ``which`` in (+1) or out (-1), as they stand in the table right now; with
    ``as_state`` as if they were in that state."""
    items = work_item.c
    facts: list[Any] = [
        items.plan_id,
        items.requirement_id,
        items.phase,
        unit.c.county,
        items.opens_on,
        items.deadline,
        items.state if as_state is None else literal(as_state.value).label("state"),
        is_late(items).label("late"),
        items.catch_up,
        (items.returns >= RED_RETURNS).label("often_returned"),
    ]
    counted = (
        select(*facts, (literal(sign) * func.count()).label("n"))
        .select_from(work_item.join(unit, unit.c.code == items.unit_code))
        .where(which)
        .group_by(*(fact for fact in facts if fact.key != "state"), items.state)
    )
    session.execute(insert(tally).from_select([*FACTS, "n"], counted))


def move(session: Session, which: ColumnElement[bool], target: State) -> None:
    """Count the items that match out of the state they are in and into ``target``; call before changing them."""
    add(session, which, -1)
    add(session, which, +1, as_state=target)


def rebuild(session: Session, plan_id: int) -> None:
    """Count a plan's items anew: after changes that no single act made."""
    session.execute(tally.delete().where(tally.c.plan_id == plan_id))
    add(session, work_item.c.plan_id == plan_id, +1)


def compact(session: Session, plan_code: str) -> int:
    """Sum the deltas into one row for each set of facts; the number of rows left. Concurrent deltas are kept: only
    rows up to the newest one seen at the start are replaced."""
    plan_id = plans.plan_summary(session, plan_code).id
    newest = session.execute(select(func.max(tally.c.id)).where(tally.c.plan_id == plan_id)).scalar()
    if newest is None:
        return 0
    old = and_(tally.c.plan_id == plan_id, tally.c.id <= newest)
    facts = [tally.c[name] for name in FACTS]
    summed = select(*facts, func.sum(tally.c.n)).where(old).group_by(*facts).having(func.sum(tally.c.n) != 0)
    session.execute(insert(tally).from_select([*FACTS, "n"], summed))
    session.execute(tally.delete().where(old))
    return int(session.execute(select(func.count()).where(tally.c.plan_id == plan_id)).scalar_one())


def counts(session: Session, plan_code: str, as_of: date, *, now: datetime) -> list[Count]:
    """The plan's items by requirement, phase, county and timing, as of a civil date. Today and later from the tally;
    a past day is replayed from the entries."""
    plan = plans.plan_summary(session, plan_code)
    at = Thresholds.at(as_of, plans.calendars(session, plan_code).work)
    source = _facts_at(plan.id, as_of) if as_of < civil_date(now) else _facts_now(plan.id)
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


def _facts_now(plan_id: int) -> FromClause:
    return select(tally).where(tally.c.plan_id == plan_id).subquery("facts")


def facts_of_items(plan_id: int, until: datetime) -> Any:
    """Each item of a plan as it stood just before an instant: the columns of work_item with state, returns, dates,
    first_submitted_on, reason and changed_at of that moment. What was raised or created later is left out; only what
    the plan's first load created is there on every day, so that a plan loaded late can look back."""
    acts = (
        select(
            entry.c.item_id,
            func.max(entry.c.revision).label("revision"),
            func.sum(case((entry.c.act == Act.SEND_BACK.value, 1), else_=0)).label("returns"),
            func.max(case((entry.c.act == Act.SUBMIT.value, 1), else_=0)).label("submitted"),
            func.max(case((entry.c.act.in_([act.value for act in NEEDS_REASON]), entry.c.revision))).label("reasoned"),
        )
        .join(work_item, work_item.c.id == entry.c.item_id)
        .where(work_item.c.plan_id == plan_id, entry.c.at < until)
        .group_by(entry.c.item_id)
        .subquery("acts")
    )
    last, told = entry.alias("last"), entry.alias("told")
    moved_later, was = _first_move_after(plan_id, until)
    items = work_item.c
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
        )
        .select_from(
            work_item.outerjoin(acts, acts.c.item_id == items.id)
            .outerjoin(last, and_(last.c.item_id == items.id, last.c.revision == acts.c.revision))
            .outerjoin(told, and_(told.c.item_id == items.id, told.c.revision == acts.c.reasoned))
            .outerjoin(moved_later, moved_later.c.item_id == items.id)
            .outerjoin(was, was.c.id == moved_later.c.move_id)
        )
        .where(items.plan_id == plan_id, or_(items.created_at < until, _from_the_start(plan_id)))
        .subquery("items_then")
    )


def _from_the_start(plan_id: int) -> ColumnElement[bool]:
    """Whether an item was created by the plan's first load (not raised on an event at the same instant)."""
    first = select(func.min(work_item.c.created_at)).where(work_item.c.plan_id == plan_id).scalar_subquery()
    return and_(work_item.c.duty_id.is_not(None), work_item.c.created_at == first)


def _first_move_after(plan_id: int, until: datetime) -> tuple[Any, Any]:
    """For each item moved since, the first such move: it remembers the dates of the moment before."""
    later = (
        select(item_move.c.item_id, func.min(item_move.c.id).label("move_id"))
        .join(work_item, work_item.c.id == item_move.c.item_id)
        .where(work_item.c.plan_id == plan_id, item_move.c.moved_at >= until)
        .group_by(item_move.c.item_id)
        .subquery("moved_later")
    )
    return later, item_move.alias("was")


def _facts_at(plan_id: int, as_of: date) -> FromClause:
    then = facts_of_items(plan_id, end_of_day(as_of))
    return (
        select(
            then.c.requirement_id,
            then.c.phase,
            unit.c.county,
            then.c.opens_on,
            then.c.deadline,
            then.c.state,
            is_late(then.c).label("late"),
            then.c.catch_up,
            (then.c.returns >= RED_RETURNS).label("often_returned"),
            literal(1).label("n"),
        )
        .select_from(then.join(unit, unit.c.code == then.c.unit_code))
        .subquery("facts")
    )


def recount(session: Session, plan_code: str) -> list[tuple[Any, ...]]:
    """Where the tally and the items disagree: rows of facts with a non-zero difference; none in a sound ledger."""
    plan_id = plans.plan_summary(session, plan_code).id
    items = work_item.c
    facts: list[Any] = [
        items.requirement_id,
        items.phase,
        unit.c.county,
        items.opens_on,
        items.deadline,
        items.state,
        case((is_late(items), 1), else_=0).label("late"),
        items.catch_up,
        case((items.returns >= RED_RETURNS, 1), else_=0).label("often_returned"),
    ]
    real = (
        select(*facts, literal(1).label("n"))
        .select_from(work_item.join(unit, unit.c.code == items.unit_code))
        .where(items.plan_id == plan_id)
    )
    flags = [case((tally.c[f], 1), else_=0) if f in ("late", "often_returned") else tally.c[f] for f in FACTS[1:]]
    told = select(*flags, -tally.c.n).where(tally.c.plan_id == plan_id)
    both = real.union_all(told).subquery("both")
    columns = list(both.c)
    rows = session.execute(
        select(*columns[:-1], func.sum(columns[-1]).label("difference"))
        .group_by(*columns[:-1])
        .having(func.sum(columns[-1]) != 0)
    )
    return [tuple(row) for row in rows]
