"""两日之间的变化: what became of the items between the evenings of two civil dates.

Most of it is told by the tally of both evenings. What a sum can't tell (late and late no more on the same line, what was
sent back, moved, waived) is asked of the items that turned in between: few, and only these are replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, select, text, union, union_all

from ledger import tally
from ledger.carrying import TAKES_BACK
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.queries.items import ItemRow, chosen_rows, row_of
from ledger.queries.overdue import unreported
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items, is_late
from ledger.rounds import UNOPENED
from ledger.scope import within
from ledger.tables import NOT_IN_TIME, STOPPED, TURNED, circular, entry, item_move, requirement, unit, work_item
from ledger.timing_sql import timing_case
from policy_models.lifecycle import Act, State
from policy_models.timing import DONE, LATE, NOT_EXPECTED, RED_RETURNS, CatchUp, Thresholds, Timing

EXPECTED = frozenset(Timing) - NOT_EXPECTED
CLOSED = [state.value for state in sorted(UNOPENED)]  # not yet opened, or never to be done


class Change(StrEnum):
    """What may have become of an item: done, late, late no more, opened, returned, with another deadline, exempt (or
    cancelled), added to the plan's items. One item may have seen several."""

    DONE = "done"
    LATE = "late"
    RELIEVED = "relieved"
    OPENED = "opened"
    RETURNED = "returned"
    MOVED = "moved"
    EXEMPT = "exempt"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """The items of one requirement in one county ("" for the city's own units) that saw each change; and by how many
    more (or fewer) were ``done``, ``late`` and ``expected`` on the later day."""

    requirement: str
    county: str
    counts: dict[Change, int]
    done: int = 0
    late: int = 0
    expected: int = 0


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """A page of items as they stood on the later day; ``total`` counts all pages."""

    rows: tuple[ItemRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class LastCircular:
    """The newest issued circular: ``day`` is the last civil date it speaks of."""

    kind: str
    period: str
    day: date


def change_counts(session: Session, reading: Reading, since: date) -> tuple[ChangeCount, ...]:
    """What changed between the evening of ``since`` and that of the reading's day, by requirement and county."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for day, sign in ((since, -1), (reading.as_of, +1)):
        for key, row in _standing(session, reading, day):
            own = sums.setdefault(key, dict.fromkeys(SUMMED, 0))
            for name in SUMMED:
                own[name] += sign * int(getattr(row, name))
    turned = {(row.code, row.county): row for row in session.execute(_turned_by_place(reading, since))}
    codes = sorted({*sums, *turned})
    found = (_count(*key, sums.get(key) or dict.fromkeys(SUMMED, 0), turned.get(key)) for key in codes)
    return tuple(one for one in found if any(one.counts.values()) or one.done or one.late or one.expected)


SUMMED = ("done", "late", "expected", "opened")


def _standing(session: Session, reading: Reading, day: date) -> list[tuple[tuple[str, str], Any]]:
    """By requirement and county: how many items were ``done``, ``late``, ``expected`` and ``opened`` on an evening."""
    facts = tally.facts(session, reading.plan_id, day, now=reading.now, scope=reading.scope)
    column = facts.c
    at = reading.at if day == reading.as_of else Thresholds.at(day, reading.calendars.work)
    timing = timing_case(column, at, late=column.late, often_returned=column.often_returned)
    met = {"done": _one_of(timing, DONE), "late": _one_of(timing, LATE), "expected": _one_of(timing, EXPECTED)}
    met["opened"] = column.state.not_in(CLOSED)
    sums = [func.sum(case((which, column.n), else_=0)).label(name) for name, which in met.items()]
    rows = session.execute(
        select(requirement.c.code, column.county, *sums)
        .select_from(facts.join(requirement, requirement.c.id == column.requirement_id))
        .group_by(requirement.c.code, column.county)
    )
    return [((row.code, row.county), row) for row in rows]


def _turned_by_place(reading: Reading, since: date) -> Select[Any]:
    """By requirement and county, what befell the items that turned."""
    stood = _stood_twice(reading, since, _turned(reading, since))
    flags = {**_flags(stood.c), **_corrections(stood.c)}
    return (
        select(
            requirement.c.code,
            unit.c.county,
            *(func.sum(case((met, 1), else_=0)).label(name) for name, met in flags.items()),
        )
        .select_from(
            stood.join(requirement, requirement.c.id == stood.c.requirement_id).join(
                unit, unit.c.code == stood.c.unit_code
            )
        )
        .group_by(requirement.c.code, unit.c.county)
    )


def _count(code: str, county: str, gained: dict[str, int], turned: Any) -> ChangeCount:
    """Whatever left a sum is among the items that turned, so what came into it is known."""
    counts = {change: int(getattr(turned, change.value)) if turned else 0 for change in Change}
    left_done, stopped = (int(getattr(turned, name)) if turned else 0 for name in CORRECTIONS)
    counts[Change.DONE] = gained["done"] + left_done
    counts[Change.RELIEVED] = counts[Change.LATE] - gained["late"]
    counts[Change.OPENED] = gained["opened"] + stopped
    return ChangeCount(code, county, counts, gained["done"], gained["late"], gained["expected"])


def changed_items(
    session: Session,
    reading: Reading,
    since: date,
    change: Change,
    *,
    section: str | None = None,
    under: str | None = None,
    skip: int = 0,
    limit: int = 50,
) -> ChangedPage:
    """The items that saw a change, in order of deadline, of a section and a county ("" for the city's own units) where
    given: two statements, the second for the rows of the page alone."""
    changed = _that_saw(reading, since, change).subquery("changed")
    own, tables, where = changed.c, changed, []
    if section is not None:
        tables = tables.join(requirement, requirement.c.id == own.requirement_id)
        where.append(requirement.c.section == section)
    if under is not None:
        tables = tables.join(unit, unit.c.code == own.unit_code)
        where.append(unit.c.county == under)
    which = select(own.id, func.count().over().label("total")).select_from(tables).where(*where)
    found = session.execute(which.order_by(own.deadline, own.id).limit(limit).offset(skip)).all()
    page = [row.id for row in found]
    stood = _stood(reading, page)
    chosen = chosen_rows(reading, stood).where(stood.c.id.in_(page))
    rows = session.execute(chosen.order_by(stood.c.deadline, stood.c.id))
    return ChangedPage(tuple(row_of(row, reading) for row in rows), found[0].total if found else 0)


def _that_saw(reading: Reading, since: date, change: Change) -> Any:
    """The items that saw a change: id, deadline, requirement and unit. An item that did not turn was opened, or accepted,
    where such an act is told of it; late no more only where it was handed in."""
    turned: Any = _turned(reading, since)
    if change is Change.RELIEVED:
        handed_in = work_item.c.id.in_(_acted(reading, since, Act.SUBMIT))
        turned = union(turned, select(work_item.c.id).where(handed_in, work_item.c.deadline < since))
    stood = _stood_twice(reading, since, turned)
    names = ("id", "deadline", "requirement_id", "unit_code")
    found = select(*(stood.c[name] for name in names)).where(_flags(stood.c)[change.value])
    act = {Change.OPENED: Act.ISSUE, Change.DONE: Act.ACCEPT}.get(change)
    if act is None:
        return found
    items = work_item.c
    smooth = select(*(items[name] for name in names)).where(
        items.id.in_(_acted(reading, since, act)), items.id.not_in(turned)
    )
    seen = (items.plan_id == reading.plan_id, within(reading.scope, items.unit_code))
    counted = (items.catch_up != CatchUp.COUNT_ONLY.value,) if change is Change.DONE else ()
    return union_all(found, smooth.where(*seen, *counted))


def last_circular(session: Session, reading: Reading) -> LastCircular | None:
    """The circular that was issued last for the plan: one statement."""
    row = session.execute(
        select(circular.c.kind, circular.c.period, circular.c.as_of)
        .where(circular.c.plan_id == reading.plan_id)
        .order_by(circular.c.as_of.desc(), circular.c.kind.desc())
        .limit(1)
    ).first()
    return LastCircular(row.kind, row.period, civil_date(row.as_of) - timedelta(days=1)) if row else None


def _stood_twice(reading: Reading, since: date, ids: Any) -> Any:
    """These items of the reading as they stood on both evenings: ``stands`` and ``was`` ("" where it was not there yet),
    their states, and whether they were ``returned`` or ``moved`` in between."""
    earlier = facts_of_items(reading.plan_id, end_of_day(since), ids, unborn=True).alias("earlier")
    later = _stood(reading, ids).alias("later")
    before, after = earlier.c, later.c
    was = _timing(before, Thresholds.at(since, reading.calendars.work))
    return (
        select(
            after.id,
            after.requirement_id,
            after.unit_code,
            after.deadline,
            after.state,
            case((before.known, before.state), else_=State.SCHEDULED.value).label("state_before"),
            _timing(after, reading.at).label("stands"),
            case((before.known, was), else_="").label("was"),
            (after.returns > case((before.known, before.returns), else_=0)).label("returned"),
            and_(before.known, before.deadline != after.deadline).label("moved"),
        )
        .select_from(earlier.join(later, after.id == before.id))
        .where(after.plan_id == reading.plan_id, within(reading.scope, after.unit_code))
        .subquery("stood_twice")
    )


def _flags(facts: Any) -> dict[str, ColumnElement[bool]]:
    """By change, the condition that an item saw it."""
    stands, was = facts.stands, facts.was
    found = {
        Change.DONE: and_(_one_of(stands, DONE), not_(_one_of(was, DONE))),
        Change.LATE: and_(_one_of(stands, LATE), not_(_one_of(was, LATE))),
        Change.RELIEVED: and_(_one_of(was, LATE), not_(_one_of(stands, LATE))),
        Change.OPENED: and_(facts.state_before == State.SCHEDULED.value, facts.state.not_in(CLOSED)),
        Change.RETURNED: facts.returned,
        Change.MOVED: facts.moved,
        Change.EXEMPT: and_(stands == Timing.EXEMPT.value, was != Timing.EXEMPT.value),
        Change.ADDED: was == "",
    }
    return {change.value: met for change, met in found.items()}


CORRECTIONS = ("left_done", "stopped")


def _corrections(facts: Any) -> dict[str, ColumnElement[bool]]:
    """What left the done (a move of its dates may do that) and what left the opened: waived and cancelled are final."""
    left_done = and_(_one_of(facts.was, DONE), not_(_one_of(facts.stands, DONE)))
    stopped = and_(facts.state_before.not_in(CLOSED), facts.state.in_(CLOSED))
    return dict(zip(CORRECTIONS, (left_done, stopped), strict=True))


def _timing(columns: Any, at: Thresholds) -> Any:
    return timing_case(columns, at, late=is_late(columns), often_returned=columns.returns >= RED_RETURNS)


def _one_of(timing: Any, members: frozenset[Timing]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = timing.in_([one.value for one in members])
    return found


def _stood(reading: Reading, ids: Any) -> Any:
    """These items as they stood on the evening of the reading's day; today all items there are."""
    return facts_of_items(reading.plan_id, end_of_day(reading.as_of), ids) if reading.is_past else work_item


def _acted(reading: Reading, since: date, act: Act) -> Select[Any]:
    first, until = end_of_day(since), end_of_day(reading.as_of)
    return select(entry.c.item_id).where(entry.c.at >= first, entry.c.at < until, entry.c.act == act.value)


def _turned(reading: Reading, since: date) -> Select[Any]:
    """The ids of the items to which something else happened in between than to be opened, handed in and accepted in
    time: acted on otherwise, moved (since then too: their dates of today tell nothing), created; and whatever fell due
    and had not been handed in, or had been taken back before."""
    first, until = end_of_day(since), end_of_day(reading.as_of)
    items, acts = work_item.c, entry.c
    due = and_(items.deadline >= since, items.deadline < reading.as_of)
    back = select(acts.item_id).where(text(TURNED), acts.act.in_([act.value for act in sorted(TAKES_BACK)]))
    turned = union(
        select(acts.item_id.label("id")).where(text(TURNED), acts.at >= first, acts.at < until),
        select(item_move.c.item_id).where(item_move.c.moved_at >= first),
        select(items.id).where(items.plan_id == reading.plan_id, items.created_at >= first, items.created_at < until),
        select(items.id).where(text(NOT_IN_TIME), due, unreported(reading)),
        select(items.id).where(text(STOPPED), due, items.changed_at >= until),
        select(items.id).where(items.id.in_(back.where(acts.at < until)), due),
    ).cte("turned")
    return select(turned.c.id)
