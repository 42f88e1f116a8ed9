"""逾期: which items were overdue, with what it costs to read those and no others, today and on any past day."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text, union, union_all

from ledger.carrying import TAKES_BACK
from ledger.civil import end_of_day
from ledger.queries.items import timing_of
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items, from_the_start
from ledger.tables import NOT_IN_TIME, STOPPED, TURNED, entry, item_move, work_item
from policy_models.lifecycle import Act
from policy_models.timing import LATE, RED_RETURNS, Timing

# The words of the partial indexes, as literals: with parameters neither database would use them.
OWED_NOW = text("work_item.state IN ('open', 'returned') AND work_item.catch_up = ''")
SCHEDULED_NOW = text("work_item.state = 'scheduled'")
LEAVES_OPEN = [act.value for act in sorted({*TAKES_BACK, Act.EXTEND})]  # an item that was handed in before


def late_items(reading: Reading) -> Any:
    """The overdue items of a reading: ``unit_code``, ``deadline``, and whether they are ``red``."""
    return _late_then(reading) if reading.is_past else _late_now(reading)


def _late_now(reading: Reading) -> Any:
    """Through the two partial indexes, so that the cost is that of what is open and late."""
    items = work_item.c
    often, past = items.returns >= RED_RETURNS, items.deadline < reading.as_of
    red = or_(often, and_(past, items.deadline <= reading.at.red_until)).label("red")
    columns = (items.unit_code, items.deadline, red)
    seen = reading.seen(items, windowed=True)
    owed = select(*columns).where(seen, OWED_NOW)
    # begun by the day they open: by the deadline SQLite would read all that is done
    hidden = func.coalesce(items.deadline, items.opens_on) < reading.as_of
    unopened = (SCHEDULED_NOW, items.opens_on <= reading.as_of, items.catch_up == "", hidden)
    ahead = select(*columns).where(seen, *unopened)
    returned = owed.where(items.deadline >= reading.as_of, often)
    return union_all(owed.where(past), returned, ahead).subquery("late")


def _late_then(reading: Reading) -> Any:
    """On a past day. What was not handed in by then and not moved since is told by its own columns: nothing but to be
    issued, extended, waived or cancelled can have happened to it. What had been handed in is overdue only where it was
    taken back or sent back last; these, and what was overdue and has been moved since, are replayed."""
    items, until = work_item.c, end_of_day(reading.as_of)
    ordinary = (*unmoved(reading), reading.seen(items, windowed=True), items.deadline < reading.as_of)
    red = (items.deadline <= reading.at.red_until).label("red")
    columns = (items.unit_code, items.deadline, red)
    waiting = select(*columns).where(text(NOT_IN_TIME), *ordinary, unreported(reading))
    stopped = select(*columns).where(text(STOPPED), *ordinary, items.changed_at >= until)
    return union_all(waiting, stopped, _replayed(reading)).subquery("late")


def moved_since(reading: Reading) -> Select[Any]:
    """The ids of the items whose dates were others on the evening of a past day."""
    return select(item_move.c.item_id).where(item_move.c.moved_at >= end_of_day(reading.as_of))


def unreported(reading: Reading) -> ColumnElement[bool]:
    """The condition that an item had never been handed in by a day."""
    return or_(work_item.c.first_submitted_on.is_(None), work_item.c.first_submitted_on > reading.as_of)


def unmoved(reading: Reading) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The conditions that an item was there on a past day, with the dates that it has now."""
    items = work_item.c
    there = or_(items.created_at < end_of_day(reading.as_of), from_the_start(reading.plan_id))
    return there, items.id.not_in(moved_since(reading))


def _replayed(reading: Reading) -> Any:
    """What was overdue among the items that were taken back or sent back last (or extended since), and among those that
    have been moved since from a deadline that had passed."""
    until, back, later = end_of_day(reading.as_of), entry, entry.alias("later")
    followed = exists().where(later.c.item_id == back.c.item_id, later.c.revision > back.c.revision, later.c.at < until)
    handed_in = work_item.c.first_submitted_on <= reading.as_of
    taken = select(back.c.item_id).join(work_item, work_item.c.id == back.c.item_id)
    taken_back = taken.where(text(TURNED), back.c.act.in_(LEAVES_OPEN), back.c.at < until, ~followed, handed_in)
    ids = union(taken_back, moved_since(reading).where(item_move.c.deadline < reading.as_of))
    then = facts_of_items(reading.plan_id, until, ids).c
    timing = timing_of(then, reading)
    red = (timing == Timing.LONG_OVERDUE.value).label("red")
    return select(then.unit_code, then.deadline, red).where(reading.seen(then), timing.in_([one.value for one in LATE]))
