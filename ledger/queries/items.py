"""办理件 as rows: filtered and paged lists, and one item with its history and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.sql.selectable import FromClause

from ledger.civil import end_of_day
from ledger.database import Session
from ledger.entries import Entry, history
from ledger.queries.evidence import Given, handed_in
from ledger.queries.item_filter import CITY, ItemFilter
from ledger.queries.reading import Reading
from ledger.queries.windows import Window, inside, items_in, window
from ledger.replay import facts_of_items, is_late
from ledger.tables import duty, item_move, plan, requirement, unit, work_item
from ledger.timing_sql import implied_states, timing_case
from policy_models.calendars import Confidence
from policy_models.errors import NotFound
from policy_models.evidence import Evidence
from policy_models.lifecycle import Act, State
from policy_models.timing import LIGHTS, RED_RETURNS, CatchUp, Light, Timing

NO_PAGE = "没有这一页，请从第一页重新查看"


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as it stands: ``remind_by`` is the last work day on or before the deadline, ``why`` explains it;
    ``doubted``: the fields of its requirement that make the date 推定; ``planned``: the deadline before an extension
    moved it (原定), None where none was granted."""

    key: str
    requirement: str
    title: str
    section: str
    task: int | None
    unit: str
    unit_name: str
    county: str
    period: str
    phase: int
    opens_on: date
    deadline: date
    remind_by: date
    confidence: Confidence
    why: str
    state: State
    timing: Timing
    catch_up: CatchUp | None
    returns: int
    revision: int
    first_submitted_on: date | None
    reason: str | None
    changed_at: datetime
    doubted: tuple[str, ...] = ()
    planned: date | None = None

    @property
    def light(self) -> Light:
        return LIGHTS[self.timing]

    @property
    def inferred(self) -> bool:
        """Whether the date rests on a forecast, a placeholder or our own reading of the text (推定)."""
        return self.confidence is not Confidence.ANNOUNCED or bool(self.doubted)


@dataclass(frozen=True, slots=True)
class ItemPage:
    """``next_cursor`` is None on the last page; ``total`` counts all pages."""

    rows: tuple[ItemRow, ...]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class ItemDetail:
    """One item as of a day: ``entries`` up to then, oldest first; ``handed_in``: the pieces of each submission by its
    revision, where it had any; ``unit_names``: of who acted, by code."""

    row: ItemRow
    entries: tuple[Entry, ...]
    handed_in: dict[int, tuple[Given, ...]]
    unit_names: dict[str, str]

    @property
    def submission(self) -> Entry | None:
        """The submission that stands: the last one, unless it was withdrawn."""
        acts = [one for one in self.entries if one.act in (Act.SUBMIT, Act.WITHDRAW)]
        return acts[-1] if acts and acts[-1].act is Act.SUBMIT else None

    @property
    def given(self) -> tuple[Given, ...]:
        """The pieces of the submission that stands."""
        return self.handed_in.get(self.submission.revision, ()) if self.submission else ()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(one.evidence for one in self.given)


def items(
    session: Session,
    reading: Reading,
    wanted: ItemFilter,
    *,
    cursor: str | None = None,
    skip: int = 0,
    limit: int = 50,
) -> ItemPage:
    """A page of items in order of deadline: those after ``cursor``, or the first ``skip`` left out.

    Raises NotFound for a cursor that no page gave, and where nothing is left after ``skip`` items.
    """
    place = _read_cursor(cursor) if cursor is not None else None
    page = window(session, reading, wanted, skip=skip, limit=limit + 1) if place is None else None
    if page is not None and page.first is None:
        return _nothing(page.total, skip)
    source = items_in(session, reading, page, wanted) if page else reading.items(*among(wanted))
    where = conditions(source.c, reading, wanted, windowed=page is not None)
    if page is not None and reading.is_past:
        return _past_page(session, reading, wanted, page, source, limit)
    chosen = chosen_rows(reading, source, windowed=page is not None).where(*where)
    if page is not None:
        total, chosen, skip = page.total, chosen.where(inside(source.c, page)), page.offset
    else:
        total = _total(session, reading, wanted, source, where)
        if skip and skip >= total:
            raise NotFound(NO_PAGE)
    if place is not None:
        day, id = place
        chosen = chosen.where(source.c.deadline >= day)  # said apart, since an index can be entered by it
        chosen = chosen.where(or_(source.c.deadline > day, and_(source.c.deadline == day, source.c.id > id)))
    found = session.execute(chosen.order_by(source.c.deadline, source.c.id).limit(limit + 1).offset(skip)).all()
    return _page(found, reading, total, limit)


def _past_page(
    session: Session, reading: Reading, wanted: ItemFilter, page: Window, source: Any, limit: int
) -> ItemPage:
    """A page of a past day in two steps: which items, then all that is said of them. In one, PostgreSQL would take the
    many that are replayed for one, and read every unit for each."""
    columns = source.c
    where = (*conditions(columns, reading, wanted, windowed=True), inside(columns, page))
    which = select(columns.id).select_from(asked_of(source, wanted)).where(*where)
    which = which.order_by(columns.deadline, columns.id)
    ids = session.execute(which.limit(limit + 1).offset(page.offset)).scalars().all()
    then = facts_of_items(reading.plan_id, end_of_day(reading.as_of), ids)
    rows = session.execute(chosen_rows(reading, then, windowed=True).order_by(then.c.deadline, then.c.id)).all()
    return _page(rows, reading, page.total, limit)


def _page(found: Sequence[Any], reading: Reading, total: int, limit: int) -> ItemPage:
    more = len(found) > limit
    last = found[limit - 1] if more else None
    rows = tuple(row_of(row, reading) for row in found[:limit])
    return ItemPage(rows, total, f"{last.deadline.isoformat()}.{last.id}" if last else None)


def _nothing(total: int, skip: int) -> ItemPage:
    if skip:
        raise NotFound(NO_PAGE)
    return ItemPage((), total, None)


def _total(session: Session, reading: Reading, wanted: ItemFilter, source: Any, where: Sequence[Any]) -> int:
    """How many items a filter has, from the tally where that tells them apart."""
    whole = window(session, reading, wanted, skip=0, limit=1)
    if whole is not None:
        return whole.total
    return int(session.execute(joined(select(func.count()), source).where(*where)).scalar_one())


def unit_items(session: Session, reading: Reading, unit_code: str) -> tuple[ItemRow, ...]:
    """Everything one unit owes, owed or will owe under the plan, in order of deadline: one statement."""
    wanted = ItemFilter(unit=unit_code)
    source = reading.items(*among(wanted))
    chosen = chosen_rows(reading, source).where(*conditions(source.c, reading, wanted))
    found = session.execute(chosen.order_by(source.c.deadline, source.c.id))
    return tuple(row_of(row, reading) for row in found)


def plan_of_item(session: Session, key: str) -> str:
    """The code of the plan an item belongs to. Raises NotFound."""
    chosen = select(plan.c.code).join(work_item, work_item.c.plan_id == plan.c.id).where(work_item.c.key == key)
    code = session.execute(chosen).scalar()
    if code is None:
        raise NotFound("没有这个办理件，地址可能不完整或已失效")
    return str(code)


def unit_of_item(session: Session, key: str) -> str:
    """The unit that owes an item. Raises NotFound."""
    code = session.execute(select(work_item.c.unit_code).where(work_item.c.key == key)).scalar()
    if code is None:
        raise NotFound("没有这个办理件，地址可能不完整或已失效")
    return str(code)


def item(session: Session, reading: Reading, key: str) -> ItemDetail:
    """One item with its acts and what was handed in, as of the day. Raises NotFound."""
    source = reading.items(work_item.c.key == key)
    row = session.execute(chosen_rows(reading, source).where(source.c.key == key)).first()
    if row is None:
        raise NotFound("没有这个办理件，地址可能不完整或已失效")
    until = end_of_day(reading.as_of)
    acts = tuple(one for one in history(session, row.id) if one.at < until)
    codes = {act.by_unit for act in acts}
    names = session.execute(select(unit.c.code, unit.c.name).where(unit.c.code.in_(codes)))
    return ItemDetail(row_of(row, reading), acts, handed_in(session, row.id, until), {r.code: r.name for r in names})


def timing_of(columns: Any, reading: Reading) -> Any:
    """The Timing of an item in SQL."""
    return timing_case(columns, reading.at, late=is_late(columns), often_returned=columns.returns >= RED_RETURNS)


def row_of(row: Any, reading: Reading) -> ItemRow:
    """An ItemRow from a row of ``chosen_rows``. An item raised on an event, or moved, has no duty that knows its work day."""
    known = row.duty_deadline is not None and row.duty_deadline == row.deadline
    return ItemRow(
        row.key,
        row.requirement,
        row.title,
        row.section,
        row.task,
        row.unit_code,
        row.unit_name,
        row.county,
        row.period,
        row.phase,
        row.opens_on,
        row.deadline,
        row.remind_by if known else reading.calendars.work.on_or_before(row.deadline),
        Confidence(row.confidence) if row.confidence and row.planned is None else Confidence.ANNOUNCED,
        _why(row),
        State(row.state),
        Timing(row.timing),
        CatchUp(row.catch_up) if row.catch_up else None,
        row.returns,
        row.revision,
        row.first_submitted_on,
        row.reason,
        row.changed_at,
        reading.doubted.get(row.requirement, ()) if row.planned is None else (),
        row.planned,
    )


def _why(row: Any) -> str:
    if row.planned is not None:
        return f"经审批延期，原定{row.planned.year}年{row.planned.month}月{row.planned.day}日"
    return row.why or "事件发生后的规定期限"


def planned_of(columns: Any, reading: Reading) -> Any:
    """The deadline an item had before its first extension, as far as one was granted by the day."""
    before = item_move.c
    chosen = select(before.deadline).where(before.item_id == columns.id, before.cause == "extension")
    if reading.is_past:
        chosen = chosen.where(before.moved_at < end_of_day(reading.as_of))
    first = chosen.order_by(before.moved_at, before.id).limit(1).correlate(columns.id.table).scalar_subquery()
    return case((columns.extended, first), else_=None)


def chosen_rows(reading: Reading, source: Any, *, windowed: bool = False) -> Select[Any]:
    """The columns of an ItemRow for the plan's items in ``source``, which is ``reading.items()``."""
    columns = source.c
    chosen = select(
        columns.id,
        columns.key,
        columns.unit_code,
        columns.period,
        columns.phase,
        columns.opens_on,
        columns.deadline,
        columns.state,
        columns.catch_up,
        columns.returns,
        columns.revision,
        columns.first_submitted_on,
        columns.reason,
        columns.changed_at,
        requirement.c.code.label("requirement"),
        requirement.c.title,
        requirement.c.section,
        requirement.c.task,
        unit.c.name.label("unit_name"),
        unit.c.county,
        duty.c.deadline.label("duty_deadline"),
        duty.c.remind_by,
        duty.c.confidence,
        duty.c.why,
        timing_of(columns, reading).label("timing"),
        planned_of(columns, reading).label("planned"),
    )
    return joined(chosen, source).where(reading.seen(columns, windowed=windowed))


def asked_of(source: Any, wanted: ItemFilter) -> FromClause:
    """The items with what ``conditions`` asks of their requirement and unit, and no more."""
    tables: FromClause = source
    if wanted.section is not None or wanted.requirement is not None:
        tables = tables.join(requirement, requirement.c.id == source.c.requirement_id)
    if wanted.under is not None or wanted.level is not None:
        tables = tables.join(unit, unit.c.code == source.c.unit_code)
    return tables


def joined(chosen: Select[Any], source: Any) -> Select[Any]:
    """What is chosen, from the items with their requirement, unit and duty."""
    return chosen.select_from(
        source.join(requirement, requirement.c.id == source.c.requirement_id)
        .join(unit, unit.c.code == source.c.unit_code)
        .outerjoin(duty, duty.c.id == source.c.duty_id)
    )


def among(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    """What a filter says of the items' units: see ``Reading.items``."""
    own = work_item.c.unit_code
    where: list[ColumnElement[bool]] = [own == wanted.unit] if wanted.unit is not None else []
    if wanted.within is not None:
        where.append(own.in_(_with_all_below(wanted.within)))
    return where


def conditions(
    columns: Any, reading: Reading, wanted: ItemFilter, *, windowed: bool = False
) -> list[ColumnElement[bool]]:
    """What a filter means, over ``joined`` rows; ``windowed``: see ``Reading.seen``."""
    where: list[ColumnElement[bool]] = [reading.seen(columns, windowed=windowed)]
    pairs = (
        (columns.unit_code, wanted.unit),
        (requirement.c.section, wanted.section),
        (requirement.c.code, wanted.requirement),
        (columns.period, wanted.period),
        (unit.c.county, "" if wanted.under == CITY else wanted.under),
        (columns.state, wanted.state.value if wanted.state else None),
        (columns.phase, wanted.phase),
        (unit.c.level, wanted.level.value if wanted.level else None),
    )
    where += [column == value for column, value in pairs if value is not None]
    if wanted.within is not None:
        where.append(columns.unit_code.in_(_with_all_below(wanted.within)))
    if wanted.due_from is not None:
        where.append(columns.deadline >= wanted.due_from)
    if wanted.due_to is not None:
        where.append(columns.deadline <= wanted.due_to)
    if wanted.opens_from is not None:
        where.append(columns.opens_on >= wanted.opens_from)
    if wanted.opens_to is not None:
        where.append(columns.opens_on <= wanted.opens_to)
    if wanted.timing and set(wanted.timing) != set(Timing):
        where.append(timing_of(columns, reading).in_([timing.value for timing in wanted.timing]))
        where += implied_states(columns, wanted.timing)
    return where


@lru_cache(maxsize=256)  # one and the same, since a statement may ask twice
def _with_all_below(code: str) -> Any:
    tree = select(unit.c.code).where(unit.c.code == code).cte("within", recursive=True)
    lower = unit.alias("lower")
    return select(tree.union_all(select(lower.c.code).where(lower.c.parent == tree.c.code)).c.code)


def _read_cursor(cursor: str) -> tuple[date, int]:
    day, _, id = cursor.partition(".")
    try:
        found = date.fromisoformat(day), int(id)
    except ValueError:
        raise NotFound(NO_PAGE) from None
    if not 0 <= found[1] < 2**63:
        raise NotFound(NO_PAGE)
    return found
