"""催办记录: each notice of an item with why it was sent, to whom, through what and what came of it; and each that was
not sent, with the reason. Derived from reminders and messages, as of now; nothing of it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import FromClause

from ledger.act_messages import KIND as ACT
from ledger.database import Session
from ledger.queries.items import NO_PAGE
from ledger.queries.outcomes import Outcome, Sending, outcome_of
from ledger.queries.reading import Reading
from ledger.scope import within
from ledger.tables import circular, entry, outbox, outbox_line, person, plan, reminder, requirement, unit, work_item
from policy_models.errors import NotFound

STREAMED = 1000
# The order of the pages, as each half has it in an index.
SAID_ORDER = (outbox.c.queued_at.desc(), outbox.c.id.desc(), func.coalesce(outbox_line.c.item_id, 0).desc())
UNSAID_ORDER = (reminder.c.queued_at.desc(), reminder.c.item_id.desc(), reminder.c.id.desc())
LADDER, BY_HAND = "reminder", "chase"  # kinds of messages that a reminder stands behind


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """What the record is narrowed to; an empty field narrows nothing. ``unit``: who was told; ``key``: of an item;
    ``day``: the civil date of which the notice speaks; ``since``: the first such day."""

    unit: str | None = None
    key: str | None = None
    kind: str | None = None
    day: date | None = None
    outcome: Outcome | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice of one item to one addressee (a circular speaks of no item). ``step``: of the ladder, None for other
    kinds; ``note``: words added by hand, or the reason of the act it tells of; ``by``: whose act it was ("" for the
    ladder); ``channel`` is None where no message was made. Instants are UTC."""

    message: int | None
    reminder: int | None
    kind: str
    key: str | None
    title: str
    section: str
    period: str
    owes: str
    owes_name: str
    step: int | None
    audience: str | None
    deadline: date | None
    by: str
    note: str | None
    recipient: str
    recipient_name: str
    person_name: str | None
    channel: str | None
    day: date
    queued_at: datetime
    outcome: Outcome
    sent_at: datetime | None
    answer: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class NoticePage:
    """``counts``: of every outcome under the same filter but for the outcome."""

    rows: tuple[NoticeRow, ...]
    total: int
    counts: dict[Outcome, int]


def notice_page(
    session: Session, reading: Reading, wanted: NoticeFilter, sending: Sending, *, skip: int, limit: int
) -> NoticePage:
    """A page of the record, the newest first: a few statements. ``sending``: how messages go out here.

    Raises NotFound behind the last page.
    """
    halves = _halves(session, reading, wanted, sending)
    found = union_all(*halves).subquery("notices")
    grouped = select(found.c.outcome, func.count().label("n")).group_by(found.c.outcome)
    counts = {Outcome(row.outcome): int(row.n) for row in session.execute(grouped)}
    total = sum(n for outcome, n in counts.items() if wanted.outcome in (None, outcome))
    if skip and skip >= total:
        raise NotFound(NO_PAGE)
    page = _chosen(_first(halves, wanted, skip + limit), wanted).limit(limit).offset(skip).subquery("page")
    rows = session.execute(_told(page))
    return NoticePage(tuple(map(_row, rows)), total, counts)


def notice_rows(session: Session, reading: Reading, wanted: NoticeFilter, sending: Sending) -> Iterator[NoticeRow]:
    """All rows in the order of the pages, read as they are asked for."""
    notices = union_all(*_halves(session, reading, wanted, sending)).subquery("notices")
    every = _told(_chosen(notices, wanted).subquery("page"))
    for lot in session.execute(every.execution_options(yield_per=STREAMED)).partitions():
        yield from map(_row, lot)


def _chosen(found: Subquery, wanted: NoticeFilter) -> Select[Any]:
    chosen = select(found)
    if wanted.outcome is not None:
        chosen = chosen.where(found.c.outcome == wanted.outcome.value)
    return chosen.order_by(*_order(found))


def _order(found: Any) -> tuple[Any, ...]:
    marks = (found.c.message, found.c.item, found.c.reminder)
    return (found.c.queued_at.desc(), *(func.coalesce(mark, 0).desc() for mark in marks))


def _halves(session: Session, reading: Reading, wanted: NoticeFilter, sending: Sending) -> tuple[Select[Any], ...]:
    """What was said, and what was not said at all: the marks of each row, its time and its outcome, and nothing that
    the page does not need for choosing its rows."""
    outcome = outcome_of(session, reading, sending).label("outcome")
    alone = session.execute(select(plan.c.id).where(plan.c.id != reading.plan_id).limit(1)).first() is None
    return _said(reading, wanted, outcome), _unsaid(reading, wanted, alone)


def _first(halves: Sequence[Select[Any]], wanted: NoticeFilter, many: int) -> Subquery:
    """The newest ``many`` of both halves, each cut by itself along an index of its own."""
    cut = []
    for half, order in zip(halves, (SAID_ORDER, UNSAID_ORDER), strict=True):
        mine = half if wanted.outcome is None else half.where(half.selected_columns.outcome == wanted.outcome.value)
        cut.append(select(mine.order_by(*order).limit(many).subquery()))
    return union_all(*cut).subquery("notices")


def _said(reading: Reading, wanted: NoticeFilter, outcome: Any) -> Select[Any]:
    """Each line of each message, and each message without lines (a circular)."""
    where = [outbox.c.plan_id == reading.plan_id, outbox.c.recipient.is_not(None), outbox.c.as_of <= reading.as_of]
    where.append(outbox.c.kind != ACT)  # other systems are no units
    where += _narrowed(wanted, outbox.c.recipient, outbox_line.c.item_id, outbox.c.as_of)
    if wanted.kind:
        where.append(outbox.c.kind == wanted.kind)
    marks = (outbox.c.id.label("message"), outbox_line.c.item_id.label("item"), cast(null(), Integer).label("reminder"))
    source = outbox.outerjoin(outbox_line, outbox_line.c.message_id == outbox.c.id)
    if not reading.scope.is_whole:  # a notice is of the unit that owes the item, a circular of the one that gets it
        source = source.outerjoin(work_item, work_item.c.id == outbox_line.c.item_id)
        where.append(within(reading.scope, func.coalesce(work_item.c.unit_code, outbox.c.recipient)))
    return select(*marks, outbox.c.queued_at, outcome).select_from(source).where(*where)


def _kind_of_reminder() -> ColumnElement[str]:
    return case((reminder.c.step.is_(None), BY_HAND), else_=LADDER)


def _unsaid(reading: Reading, wanted: NoticeFilter, alone: bool) -> Select[Any]:
    """Reminders that were withheld, and those that no message speaks of. A person with two roles hears once: the line
    of the other role stands for both. ``alone``: the ledger has no other plan; then only a scope asks for the items."""
    own, line = outbox_line.alias("own"), outbox_line.alias("line")
    named = exists(select(1).where(own.c.reminder_id == reminder.c.id))
    spoken = exists(
        select(1)
        .select_from(line.join(outbox, outbox.c.id == line.c.message_id))
        .where(
            line.c.item_id == reminder.c.item_id,
            outbox.c.recipient == reminder.c.recipient,
            outbox.c.as_of == reminder.c.as_of,
            outbox.c.kind == _kind_of_reminder(),
        )
    )
    where = [reminder.c.as_of <= reading.as_of]
    source: FromClause = reminder
    if not (alone and reading.scope.is_whole):
        source = reminder.join(work_item, work_item.c.id == reminder.c.item_id)
        where.append(reading.seen(work_item.c))
    where += [or_(reminder.c.withheld.is_not(None), and_(~named, ~spoken))]
    where += _narrowed(wanted, reminder.c.recipient, reminder.c.item_id, reminder.c.as_of)
    if wanted.kind:
        where.append(_kind_of_reminder() == wanted.kind)
    outcome = func.coalesce(reminder.c.withheld, Outcome.SPOKEN.value).label("outcome")
    marks = (cast(null(), Integer).label("message"), reminder.c.item_id.label("item"), reminder.c.id.label("reminder"))
    return select(*marks, reminder.c.queued_at, outcome).select_from(source).where(*where)


def _narrowed(wanted: NoticeFilter, recipient: Any, item: Any, day: Any) -> list[ColumnElement[bool]]:
    where = []
    if wanted.unit:
        where.append(recipient == wanted.unit)
    if wanted.key:
        where.append(item == select(work_item.c.id).where(work_item.c.key == wanted.key).scalar_subquery())
    if wanted.day:
        where.append(day == literal(wanted.day, Date))
    if wanted.since:
        where.append(day >= literal(wanted.since, Date))
    return where


def _told(found: Subquery) -> Select[Any]:
    """The rows of a page with all that is said of them."""
    told, owes, office, act = unit.alias("told"), unit.alias("owes"), unit.alias("office"), entry.alias("act")
    line, noted = outbox_line.c, reminder.c
    recipient = func.coalesce(outbox.c.recipient, noted.recipient)
    return (
        select(
            found,
            func.coalesce(outbox.c.kind, _kind_of_reminder()).label("kind"),
            noted.id.label("noted"),
            *(noted[name] for name in ("step", "audience", "deadline", "by_name", "note")),
            *(outbox.c[name] for name in ("channel", "sent_at", "answer", "error")),
            func.coalesce(outbox.c.as_of, noted.as_of).label("day"),
            *(work_item.c[name] for name in ("key", "period")),
            requirement.c.title,
            requirement.c.section,
            owes.c.code.label("owes"),
            owes.c.name.label("owes_name"),
            office.c.name.label("office"),
            told.c.code.label("recipient"),
            told.c.name.label("recipient_name"),
            person.c.name.label("person_name"),
            circular.c.period.label("circular_period"),
            act.c.note.label("act_note"),
            act.c.by_name.label("act_by"),
        )
        .select_from(
            found.outerjoin(outbox, outbox.c.id == found.c.message)
            .outerjoin(outbox_line, and_(line.message_id == found.c.message, line.item_id == found.c.item))
            .outerjoin(reminder, noted.id == func.coalesce(found.c.reminder, line.reminder_id))
            .join(told, told.c.code == recipient)
            .outerjoin(work_item, work_item.c.id == found.c.item)
            .outerjoin(requirement, requirement.c.id == work_item.c.requirement_id)
            .outerjoin(owes, owes.c.code == work_item.c.unit_code)
            .outerjoin(office, office.c.code == noted.by_unit)
            .outerjoin(person, person.c.id == outbox.c.person_id)
            .outerjoin(circular, circular.c.id == outbox.c.circular_id)
            .outerjoin(act, and_(act.c.item_id == found.c.item, act.c.revision == line.revision))
        )
        .order_by(*_order(found))
    )


def _row(row: Any) -> NoticeRow:
    return NoticeRow(
        row.message,
        row.noted,
        row.kind,
        row.key,
        row.title or "",
        row.section or "",
        row.period or row.circular_period or "",
        row.owes or "",
        row.owes_name or "",
        row.step,
        row.audience,
        row.deadline,
        row.act_by or (f"{row.office} {row.by_name}" if row.office and row.by_name else row.office or ""),
        row.note or row.act_note,
        row.recipient,
        row.recipient_name,
        row.person_name,
        row.channel,
        row.day,
        row.queued_at,
        Outcome(row.outcome),
        row.sent_at,
        row.answer,
        row.error,
    )
