"""两日之间的变化: what became of the items between the evenings of two civil dates. Both days are replayed for the items
that may differ between them alone, so that a week costs what was done and fell due in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select, union

from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.queries.items import ItemRow, chosen_rows, row_of
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items, is_late
from ledger.scope import within
from ledger.tables import circular, entry, item_move, requirement, unit, work_item
from ledger.timing_sql import timing_case
from policy_models.lifecycle import State
from policy_models.timing import DONE, LATE, NOT_EXPECTED, RED_RETURNS, Thresholds, Timing

EXPECTED = frozenset(Timing) - NOT_EXPECTED


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
    """What changed between the evening of ``since`` and that of the reading's day: one statement."""
    pair = _Pair(reading, since)
    group = {"requirement_id": pair.later.c.requirement_id, "county": unit.c.county, **pair.facts()}
    # counted by where the items stood first: a few hundred kinds, of which each change is then told once
    stood = (
        select(*(fact.label(name) for name, fact in group.items()), func.count().label("n"))
        .select_from(pair.joined().join(unit, unit.c.code == pair.later.c.unit_code))
        .where(pair.later.c.plan_id == reading.plan_id, pair.among)
        .group_by(*group.values())
        .subquery("stood")
    )
    column = stood.c
    flags = [func.sum(case((met, column.n), else_=0)).label(one.value) for one, met in _changes(column).items()]
    gains = [func.sum(column.n * gain).label(f"{name}_gained") for name, gain in _gains(column).items()]
    rows = session.execute(
        select(requirement.c.code, column.county, *flags, *gains)
        .select_from(stood.join(requirement, requirement.c.id == column.requirement_id))
        .group_by(requirement.c.code, column.county)
        .order_by(requirement.c.code, column.county)
    )
    return tuple(_count(row) for row in rows)


def _count(row: Any) -> ChangeCount:
    counts = {change: int(getattr(row, change.value)) for change in Change}
    gained = (int(row.done_gained), int(row.late_gained), int(row.expected_gained))
    return ChangeCount(row.code, row.county, counts, *gained)


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
    given: two statements."""
    pair = _Pair(reading, since)
    facts = [fact.label(name) for name, fact in pair.facts().items()]
    stood = select(pair.later.c.id, *facts).select_from(pair.joined()).where(pair.among).subquery("stood")
    ids = select(stood.c.id).where(_changes(stood.c)[change])
    source = _stood(reading, select(work_item.c.id).where(work_item.c.id.in_(ids)))
    where: list[ColumnElement[bool]] = [source.c.id.in_(ids)]
    if section is not None:
        where.append(requirement.c.section == section)
    if under is not None:
        where.append(unit.c.county == under)
    chosen = chosen_rows(reading, source).where(*where)
    total = session.execute(select(func.count()).select_from(chosen.subquery("changed"))).scalar_one()
    rows = session.execute(chosen.order_by(source.c.deadline, source.c.id).limit(limit).offset(skip))
    return ChangedPage(tuple(row_of(row, reading) for row in rows), int(total))


def last_circular(session: Session, reading: Reading) -> LastCircular | None:
    """The circular that was issued last for the plan: one statement."""
    row = session.execute(
        select(circular.c.kind, circular.c.period, circular.c.as_of)
        .where(circular.c.plan_id == reading.plan_id)
        .order_by(circular.c.as_of.desc(), circular.c.kind.desc())
        .limit(1)
    ).first()
    return LastCircular(row.kind, row.period, civil_date(row.as_of) - timedelta(days=1)) if row else None


class _Pair:
    """The items that may differ, as they stood on the evenings of both days."""

    def __init__(self, reading: Reading, since: date) -> None:
        self._reading = reading
        self._before = Thresholds.at(since, reading.calendars.work)
        ids = _candidates(reading, since)
        self.earlier = facts_of_items(reading.plan_id, end_of_day(since), ids, unborn=True).alias("earlier")
        self.later = _stood(reading, ids).alias("later")
        self.among = self.later.c.id.in_(ids)

    def joined(self) -> Any:
        return self.earlier.join(self.later, self.later.c.id == self.earlier.c.id)

    def facts(self) -> dict[str, ColumnElement[Any]]:
        """By name, what is asked of an item: how it ``stands``, how it ``was`` ("" where it was not there), whether it
        was ``opened``, ``returned`` or ``moved`` since."""
        before, after = self.earlier.c, self.later.c
        waiting = or_(not_(before.known), before.state == State.SCHEDULED.value)
        closed = [State.SCHEDULED.value, State.WAIVED.value, State.CANCELLED.value]
        return {
            "stands": self._timing(after, self._reading.at),
            "was": case((before.known, self._timing(before, self._before)), else_=""),
            "opened": and_(waiting, after.state.not_in(closed)),
            "returned": after.returns > case((before.known, before.returns), else_=0),
            "moved": and_(before.known, before.deadline != after.deadline),
        }

    def _timing(self, columns: Any, at: Thresholds) -> Any:
        return timing_case(columns, at, late=is_late(columns), often_returned=columns.returns >= RED_RETURNS)


def _changes(facts: Any) -> dict[Change, ColumnElement[bool]]:
    """By change, the condition on a pair's facts that an item saw it."""
    stands, was = facts.stands, facts.was
    return {
        Change.DONE: and_(_one_of(stands, DONE), not_(_one_of(was, DONE))),
        Change.LATE: and_(_one_of(stands, LATE), not_(_one_of(was, LATE))),
        Change.RELIEVED: and_(_one_of(was, LATE), not_(_one_of(stands, LATE))),
        Change.OPENED: facts.opened,
        Change.RETURNED: facts.returned,
        Change.MOVED: facts.moved,
        Change.EXEMPT: and_(stands == Timing.EXEMPT.value, was != Timing.EXEMPT.value),
        Change.ADDED: was == "",
    }


def _gains(facts: Any) -> dict[str, ColumnElement[int]]:
    """By name, what an item adds to the later day's number less what it added to the earlier day's."""
    return {
        name: case((_one_of(facts.stands, members), 1), else_=0) - case((_one_of(facts.was, members), 1), else_=0)
        for name, members in (("done", DONE), ("late", LATE), ("expected", EXPECTED))
    }


def _one_of(timing: Any, members: frozenset[Timing]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = timing.in_([one.value for one in members])
    return found


def _stood(reading: Reading, ids: Any) -> Any:
    """These items as they stood on the evening of the reading's day; today all items there are."""
    return facts_of_items(reading.plan_id, end_of_day(reading.as_of), ids) if reading.is_past else work_item


def _candidates(reading: Reading, since: date) -> Any:
    """The ids of the items that may stand otherwise on the later day: acted on or created in between, due in between and
    not accepted before, or moved since (so that their dates of today tell nothing)."""
    first: datetime = end_of_day(since)
    until = end_of_day(reading.as_of)
    items = work_item.c
    due = and_(items.deadline >= since, items.deadline < reading.as_of)
    settled = and_(items.state == State.ACCEPTED.value, items.reviewed_at < first)
    touched = union(
        select(entry.c.item_id.label("id")).where(entry.c.at >= first, entry.c.at < until),
        select(item_move.c.item_id).where(item_move.c.moved_at >= first),
        select(items.id).where(items.plan_id == reading.plan_id, items.created_at >= first, items.created_at < until),
        select(items.id).where(items.plan_id == reading.plan_id, due, not_(settled)),
    ).cte("touched_between")
    if reading.scope.is_whole:
        return select(touched.c.id)
    return select(items.id).where(items.id.in_(select(touched.c.id)), within(reading.scope, items.unit_code))
