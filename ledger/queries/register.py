"""督办台账: every item with what was handed in and who reviewed it, as of a day. A page of it, or all of it as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, false, func, select

from ledger.civil import end_of_day
from ledger.database import Session
from ledger.people import NOBODY, Contacts, contacts
from ledger.pieces import evidence_from
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import NO_PAGE, ItemRow, among, asked_of, chosen_rows, conditions, joined, row_of
from ledger.queries.reading import Reading
from ledger.queries.windows import inside, items_in, window
from ledger.replay import facts_of_items
from ledger.tables import entry, evidence, unit, work_item
from policy_models.errors import NotFound
from policy_models.evidence import Evidence
from policy_models.lifecycle import Act
from policy_models.plan import Level

STREAMED = 1000  # rows read at once; each lot costs three statements more
TOLD = (Act.SUBMIT, Act.WITHDRAW, Act.ACCEPT, Act.SEND_BACK)


@dataclass(frozen=True, slots=True)
class Mark:
    """Who did it, and when (UTC)."""

    by_name: str
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """An item with the submission that stands (a withdrawn one does not) and the review of it. ``above``: the name of
    the unit above, as names of villages repeat."""

    item: ItemRow
    level: Level
    above: str
    submitted: Mark | None
    reviewed: Mark | None
    evidence: tuple[Evidence, ...]
    contacts: Contacts = NOBODY  # as they are today: of the past nothing is kept


@dataclass(frozen=True, slots=True)
class RegisterPage:
    rows: tuple[RegisterRow, ...]
    total: int


def register_page(session: Session, reading: Reading, wanted: ItemFilter, *, skip: int, limit: int) -> RegisterPage:
    """A page in order of requirement, deadline and unit: six statements, the fourth for which items, the fifth for all that
    is said of them (in one, PostgreSQL would pair every requirement with every item). Raises NotFound behind the last
    page."""
    page = window(session, reading, wanted, skip=skip, limit=limit, by_requirement=True)
    source = items_in(session, reading, page, wanted) if page else reading.items(*among(wanted))
    where = conditions(source.c, reading, wanted, windowed=page is not None)
    if page is not None:
        total, offset = page.total, page.offset
        where += [inside(source.c, page)] if page.first else [false()]
    else:
        total, offset = session.execute(joined(select(func.count()), source).where(*where)).scalar_one(), skip
    if skip and skip >= total:
        raise NotFound(NO_PAGE)
    which = select(source.c.id).select_from(asked_of(source, wanted)).where(*where).order_by(*_order(source.c))
    ids = session.execute(which.limit(limit).offset(offset)).scalars().all()
    stood = facts_of_items(reading.plan_id, end_of_day(reading.as_of), ids) if reading.is_past else work_item
    rows = session.execute(_ordered(reading, stood, [stood.c.id.in_(ids)], windowed=True)).all()
    return RegisterPage(tuple(_told(session, reading, rows)), int(total))


def register_rows(
    session: Session, reading: Reading, wanted: ItemFilter, *, keys: Sequence[str] = ()
) -> Iterator[RegisterRow]:
    """All rows in the order of the pages (of ``keys`` alone, where any are given), read as they are asked for, so that
    memory does not grow with them."""
    source = reading.items(*among(wanted), *([work_item.c.key.in_(keys)] if keys else []))
    where = conditions(source.c, reading, wanted)
    chosen = _ordered(reading, source, [*where, source.c.key.in_(keys)] if keys else where)
    for lot in session.execute(chosen.execution_options(yield_per=STREAMED)).partitions():
        yield from _told(session, reading, lot)


def _ordered(reading: Reading, source: Any, where: Sequence[Any], *, windowed: bool = False) -> Select[Any]:
    upper = unit.alias("upper")
    columns = source.c
    return (
        chosen_rows(reading, source, windowed=windowed)
        .add_columns(unit.c.level, upper.c.name.label("above"))
        .outerjoin(upper, upper.c.code == unit.c.parent)
        .where(*where)
        .order_by(*_order(columns))
    )


def _order(columns: Any) -> tuple[Any, ...]:
    return columns.requirement_id, columns.deadline, columns.unit_code, columns.id


def _told(session: Session, reading: Reading, rows: Sequence[Any]) -> Iterator[RegisterRow]:
    ids = [row.id for row in rows]
    marks = _marks(session, reading, ids)
    pieces = _pieces(session, ids)
    known = contacts(session, {row.unit_code for row in rows})
    for row in rows:
        revision, submitted, reviewed = marks.get(row.id, (0, None, None))
        yield RegisterRow(
            row_of(row, reading),
            Level(row.level),
            row.above or "",
            submitted,
            reviewed,
            tuple(pieces.get((row.id, revision), ())),
            known.get(row.unit_code, NOBODY),
        )


def _marks(session: Session, reading: Reading, ids: Sequence[int]) -> dict[int, tuple[int, Mark | None, Mark | None]]:
    """Of each item: the revision of the submission that stands, that submission, and the last review of it."""
    chosen = (
        select(entry.c.item_id, entry.c.revision, entry.c.act, entry.c.by_name, entry.c.at, entry.c.note)
        .where(entry.c.item_id.in_(ids), entry.c.act.in_([act.value for act in TOLD]))
        .where(entry.c.at < end_of_day(reading.as_of))
        .order_by(entry.c.item_id, entry.c.revision)
    )
    found: dict[int, tuple[int, Mark | None, Mark | None]] = {}
    for row in session.execute(chosen):
        mark, revision, submitted = Mark(row.by_name, row.at, row.note), *found.get(row.item_id, (0, None, None))[:2]
        found[row.item_id] = {
            Act.SUBMIT: (row.revision, mark, None),
            Act.WITHDRAW: (0, None, None),
        }.get(Act(row.act), (revision, submitted, mark))
    return found


def _pieces(session: Session, ids: Sequence[int]) -> dict[tuple[int, int], list[Evidence]]:
    """What was handed in, by item and revision."""
    found: dict[tuple[int, int], list[Evidence]] = {}
    for row in session.execute(select(evidence).where(evidence.c.item_id.in_(ids)).order_by(evidence.c.id)):
        found.setdefault((row.item_id, row.revision), []).append(evidence_from(row))
    return found
