"""往日计数: both tallies as they stood on each evening that is over, so that a past day is read as quickly as today.

``past_tally`` and ``past_place_tally`` have for each month an opening balance, dated the day before it, and each day's
changes: an evening is the sum of its month up to it. The daily sweep keeps what is over; whatever makes kept evenings untrue forgets them all
(``forget``), and the next sweep keeps them anew. An evening that is not kept is replayed: slower, never otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Select,
    Table,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    union_all,
    update,
)

from ledger.civil import civil_date, end_of_day
from ledger.daily import civil_day
from ledger.database import Session
from ledger.item_facts import FLAGS, UPPER, differences, facts_of, names_in, place_of
from ledger.planner import aside
from ledger.plans import plan_summary
from ledger.replay import facts_of_items, from_the_start
from ledger.tables import entry, item_move, past_place_tally, past_tally, past_tally_span, unit, work_item
from policy_models.lifecycle import Act, State
from policy_models.timing import RED_RETURNS

SETTLED = timedelta(hours=1)  # so long after midnight no act of the evening before is still being written
MOST_MONTHS = 3  # kept in one transaction: others must not wait for long
DAY = timedelta(days=1)
BOTH = (past_place_tally, past_tally)


def kept(session: Session, plan_id: int, day: date, table: Table) -> list[ColumnElement[bool]] | None:
    """The conditions on rows of one of the two tables whose sum is the plan's tally on an evening; None where that evening
    is not kept. Before anything was done every evening is like the first."""
    span = past_tally_span.c
    row = session.execute(select(span.first_month, span.until).where(span.plan_id == plan_id)).first()
    if row is None or row.until is None or day > row.until:
        return None
    month = max(_month(day), row.first_month)
    own = table.c
    return [own.plan_id == plan_id, own.month == month, own.day <= max(day, month - DAY)]


def forget(session: Session, plan_id: int) -> None:
    """No evening of a plan is kept any more: after changes that reach into the past. It is noted in any case, so that on
    PostgreSQL a sweep that keeps evenings meanwhile, without having seen the changes, fails and begins anew."""
    nothing = {"first_month": None, "until": None}
    met = session.execute(update(past_tally_span).where(past_tally_span.c.plan_id == plan_id).values(nothing))
    if met.rowcount == 0:
        session.execute(insert(past_tally_span).values(plan_id=plan_id, **nothing))


def forget_since(session: Session, now: datetime) -> None:
    """Whoever acts at an instant of a kept evening makes it untrue. Only where a clock was set back: a demonstration
    that begins its day again."""
    untrue = past_tally_span.c.until >= civil_date(now)
    session.execute(update(past_tally_span).where(untrue).values(first_month=None, until=None))


def keep(session: Session, plan_code: str, *, now: datetime) -> int:
    """Keep the evenings of a plan that are over and not kept yet, the oldest three months of them; how many. 0: all are
    kept. A few statements for each month, whatever the number of items."""
    plan_id, over = plan_summary(session, plan_code).id, civil_date(now - SETTLED) - DAY
    span = past_tally_span.c
    row = session.execute(select(span.first_month, span.until).where(span.plan_id == plan_id)).first()
    if row is None or row.until is None:
        first = _month(min(_first_day(session, plan_id) or over, over))
        _begin(session, plan_id, first)
        done = first - DAY
    else:
        first, done = row.first_month, row.until
    if done >= over:
        return 0
    until = done
    for begin, end in _parts(done + DAY, over):
        _write_changes(session, plan_id, begin, end)
        if end + DAY == _after(_month(end)):
            _write_opening(session, plan_id, _month(end))
        until = end
    met = session.execute(update(past_tally_span).where(span.plan_id == plan_id).values(first_month=first, until=until))
    assert met.rowcount == 1
    return (until - done).days


def _month(day: date) -> date:
    return day.replace(day=1)


def _after(month: date) -> date:
    return _month(month + 31 * DAY)


def _parts(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The days from first to last cut at the ends of months, at most ``MOST_MONTHS`` parts."""
    for _ in range(MOST_MONTHS):
        end = min(_after(_month(first)) - DAY, last)
        yield first, end
        if end == last:
            return
        first = end + DAY


def _first_day(session: Session, plan_id: int) -> date | None:
    """The civil date on which something first happened to an item of a plan; None where nothing has yet. An item that
    was raised on an event was issued at once."""
    mine, items = work_item.c.plan_id == plan_id, work_item.c
    acted = select(entry.c.at).join(work_item, items.id == entry.c.item_id).where(mine).order_by(entry.c.at)
    moved = select(item_move.c.moved_at).join(work_item, items.id == item_move.c.item_id).where(mine)
    started = select(items.created_at).where(mine).order_by(items.created_at).limit(1).scalar_subquery()
    added = select(items.created_at).where(mine, items.created_at > started).order_by(items.created_at)
    firsts = (acted, moved.order_by(item_move.c.moved_at), added)
    found = [at for first in firsts if (at := session.execute(first.limit(1)).scalar()) is not None]
    return civil_date(min(found)) if found else None


def _begin(session: Session, plan_id: int, month: date) -> None:
    """Before anything was done: the opening balance of the first month."""
    forget(session, plan_id)
    for table in BOTH:
        session.execute(table.delete().where(table.c.plan_id == plan_id))
    then = facts_of(facts_of_items(plan_id, end_of_day(month - DAY)), +1, past_place_tally).subquery("then")
    dated = select(literal(month, Date), literal(month - DAY, Date), literal(plan_id), then)
    _keep_sums(session, dated.subquery("opening"), past_place_tally)
    _by_county(session, plan_id, month, month - DAY, month - DAY)


def _write_opening(session: Session, plan_id: int, month: date) -> None:
    """The opening balances of the month after one that is kept whole."""
    following = _after(month)
    for table in BOTH:
        own = table.c
        facts = [own[name] for name in names_in(table)[1:]]
        dated = select(literal(following, Date), literal(following - DAY, Date), literal(plan_id), *facts, own.n)
        _keep_sums(session, dated.where(own.plan_id == plan_id, own.month == month).subquery("whole"), table)


def _by_county(session: Session, plan_id: int, month: date, first: date, last: date) -> None:
    """The rows by county of what is kept by place from first to last of a month. A place lies in one county."""
    own = past_place_tally.c
    facts = [unit.c.county if name == "place" else own[name] for name in names_in(past_place_tally)]
    found = select(own.month, own.day, *facts, own.n).join(unit, unit.c.code == own.place)
    mine = (own.plan_id == plan_id, own.month == month, own.day.between(first, last))
    _keep_sums(session, found.where(*mine).subquery("places"), past_tally)


def _keep_sums(session: Session, rows: Any, table: Table) -> None:
    """Insert rows of a month, a day, the facts of a table and ``n``, the like ones summed into one."""
    *facts, n = rows.c
    summed = select(*facts, func.sum(n)).group_by(*facts).having(func.sum(n) != 0)
    session.execute(insert(table).from_select(["month", "day", *names_in(table), "n"], summed))


def _write_changes(session: Session, plan_id: int, first: date, last: date) -> None:
    """What each day from first to last (of one month) took from the tallies and added to them."""
    stood, month = _stood(plan_id, first, last), _month(first)
    facts = [stood.c[name] for name in names_in(past_place_tally)[1:]]
    came = select(stood.c.day, *facts, literal(1).label("n")).where(stood.c.day >= first)
    went = select(stood.c.until_day, *facts, literal(-1)).where(stood.c.until_day.is_not(None))
    day, *others = union_all(came, went).subquery("changes").c
    dated = select(literal(month, Date), day, literal(plan_id), *others)
    _keep_sums(session, dated.subquery("dated"), past_place_tally)
    _by_county(session, plan_id, month, first, last)


def _stood(plan_id: int, first: date, last: date) -> CTE:
    """How each item that something happened to stood: on the evening before the first day, and from each such ``day`` on
    until the next (``until_day``). The same facts as ``replay.facts_of_items`` gives of one evening, of all at once."""
    turn, items = _turns(plan_id, first, last), work_item.c
    last_act, was, by = entry.alias("last_act"), item_move.alias("was"), entry.alias("by")
    acted = (by.c.item_id == turn.c.item_id, civil_day(by.c.at) <= turn.c.day)
    last_revision = select(func.max(by.c.revision)).where(*acted).correlate(turn).scalar_subquery()
    moved = item_move.alias("moved")
    moved_later = (moved.c.item_id == turn.c.item_id, civil_day(moved.c.moved_at) > turn.c.day)
    next_move = select(func.min(moved.c.id)).where(*moved_later).correlate(turn).scalar_subquery()
    deadline = func.coalesce(was.c.deadline, items.deadline)
    submitted = exists().where(*acted, by.c.act == Act.SUBMIT.value).correlate(turn)
    sent_back = select(func.count()).where(*acted, by.c.act == Act.SEND_BACK.value).correlate(turn).scalar_subquery()
    return (
        select(
            turn.c.day,
            turn.c.until_day,
            items.requirement_id,
            items.period,
            func.coalesce(was.c.phase, items.phase).label("phase"),
            place_of(unit, UPPER).label("place"),
            func.coalesce(was.c.opens_on, items.opens_on).label("opens_on"),
            deadline.label("deadline"),
            func.coalesce(last_act.c.state, State.SCHEDULED.value).label("state"),
            case((items.first_submitted_on > deadline, submitted), else_=False).label("late"),
            func.coalesce(was.c.catch_up, items.catch_up).label("catch_up"),
            case((items.returns >= RED_RETURNS, sent_back >= RED_RETURNS), else_=False).label("often_returned"),
        )
        .select_from(
            turn.join(work_item, items.id == turn.c.item_id)
            .join(unit, unit.c.code == items.unit_code)
            .outerjoin(UPPER, UPPER.c.code == unit.c.parent)
            .outerjoin(last_act, and_(last_act.c.item_id == items.id, last_act.c.revision == last_revision))
            .outerjoin(was, was.c.id == next_move)
        )
        .where(aside(items.plan_id) == plan_id, or_(civil_day(items.created_at) <= turn.c.day, from_the_start(plan_id)))
        .cte("stood")
    )


def _turns(plan_id: int, first: date, last: date) -> Any:
    """The items that something happened to from first to last, with each day on which it did, the evening before the
    first, and the next such day of the item. Items of other plans are among them."""
    begin, end = end_of_day(first - DAY), end_of_day(last)
    days = union(
        select(entry.c.item_id, civil_day(entry.c.at).label("day")).where(entry.c.at >= begin, entry.c.at < end),
        select(item_move.c.item_id, civil_day(item_move.c.moved_at)).where(
            item_move.c.moved_at >= begin, item_move.c.moved_at < end
        ),
        select(work_item.c.id, civil_day(work_item.c.created_at)).where(
            work_item.c.created_at >= begin, work_item.c.created_at < end, ~from_the_start(plan_id)
        ),
    ).cte("days")
    before = select(days.c.item_id, literal(first - DAY, Date).label("day")).distinct()
    turns = union_all(select(days.c.item_id, days.c.day), before).subquery("both")
    following = func.lead(turns.c.day).over(partition_by=turns.c.item_id, order_by=turns.c.day)
    return select(turns.c.item_id, turns.c.day, following.label("until_day")).subquery("turn")


def recount(session: Session, plan_id: int) -> list[tuple[Any, ...]]:
    """Where kept evenings are untrue: rows of a day and facts with a non-zero difference; none in a sound ledger. The
    first and the last evening and one between are compared with a replay, every opening balance with the month before."""
    span = past_tally_span.c
    row = session.execute(select(span.first_month, span.until).where(span.plan_id == plan_id)).first()
    if row is None or row.until is None:
        return []
    before = row.first_month - DAY
    wrong = []
    for table in BOTH:
        for day in sorted({before, before + (row.until - before) // 2, row.until}):
            then = facts_of(facts_of_items(plan_id, end_of_day(day)), -1, table)
            told = _evening(table, kept(session, plan_id, day, table))
            wrong += _dated(day, differences(session, told, then, flags=FLAGS))
        own, month = table.c, row.first_month
        while (following := _after(month)) <= row.until + DAY:
            opening = _evening(table, [own.plan_id == plan_id, own.month == following, own.day < following], -1)
            whole = _evening(table, [own.plan_id == plan_id, own.month == month])
            wrong += _dated(following, differences(session, whole, opening, flags=FLAGS))
            month = following
    return wrong


def _evening(table: Table, own: list[ColumnElement[bool]] | None, sign: int = +1) -> Select[Any]:
    facts = [table.c[name] for name in names_in(table)[1:]]
    return select(*facts, (sign * table.c.n).label("n")).where(*(own or [false()]))


def _dated(day: date, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(day, *row) for row in rows]
