"""催办记录: each notice of an item with why it was sent, to whom, through what and what came of it; and each that was
not sent, with the reason. Derived from reminders and messages, as of now; nothing of it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    Subquery,
    Text,
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

from ledger.database import Session
from ledger.queries.items import NO_PAGE
from ledger.queries.outcomes import Outcome, Sending, outcome_of
from ledger.queries.reading import Reading
from ledger.tables import circular, entry, outbox, outbox_line, person, reminder, requirement, unit, work_item
from policy_models.errors import NotFound

STREAMED = 1000
LADDER, BY_HAND = "reminder", "chase"  # kinds of messages that a reminder stands behind


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """What the record is narrowed to; an empty field narrows nothing. ``unit``: who was told; ``key``: of an item;
    ``day``: the civil date of which the notice speaks."""

    unit: str | None = None
    key: str | None = None
    kind: str | None = None
    day: date | None = None
    outcome: Outcome | None = None


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
    """A page of the record, the newest first: three statements. ``sending``: how messages go out here.

    Raises NotFound behind the last page.
    """
    found = _notices(session, reading, wanted, sending)
    grouped = select(found.c.outcome, func.count().label("n")).group_by(found.c.outcome)
    counts = {Outcome(row.outcome): int(row.n) for row in session.execute(grouped)}
    total = sum(n for outcome, n in counts.items() if wanted.outcome in (None, outcome))
    if skip and skip >= total:
        raise NotFound(NO_PAGE)
    rows = session.execute(_told(_chosen(found, wanted).limit(limit).offset(skip).subquery("page")))
    return NoticePage(tuple(map(_row, rows)), total, counts)


def notice_rows(session: Session, reading: Reading, wanted: NoticeFilter, sending: Sending) -> Iterator[NoticeRow]:
    """All rows in the order of the pages, read as they are asked for."""
    every = _told(_chosen(_notices(session, reading, wanted, sending), wanted).subquery("page"))
    for lot in session.execute(every.execution_options(yield_per=STREAMED)).partitions():
        yield from map(_row, lot)


def _chosen(found: Subquery, wanted: NoticeFilter) -> Select[Any]:
    chosen = select(found)
    if wanted.outcome is not None:
        chosen = chosen.where(found.c.outcome == wanted.outcome.value)
    return chosen.order_by(*_order(found))


def _order(found: Any) -> tuple[Any, ...]:
    return (
        found.c.queued_at.desc(),
        func.coalesce(found.c.message, 0).desc(),
        func.coalesce(found.c.item, 0).desc(),
        func.coalesce(found.c.reminder, 0).desc(),
    )


def _notices(session: Session, reading: Reading, wanted: NoticeFilter, sending: Sending) -> Subquery:
    """What was said, and what was not said at all, with the outcome of each."""
    outcome = outcome_of(session, reading, sending).label("outcome")
    return union_all(_said(reading, wanted, outcome), _unsaid(reading, wanted)).subquery("notices")


def _said(reading: Reading, wanted: NoticeFilter, outcome: Any) -> Select[Any]:
    """Each line of each message, and each message without lines."""
    joined = outbox.outerjoin(outbox_line, outbox_line.c.message_id == outbox.c.id).outerjoin(
        reminder, reminder.c.id == outbox_line.c.reminder_id
    )
    where = [outbox.c.plan_id == reading.plan_id, outbox.c.recipient.is_not(None), outbox.c.as_of <= reading.as_of]
    where += _narrowed(wanted, outbox.c.recipient, outbox_line.c.item_id, outbox.c.as_of)
    if wanted.kind:
        where.append(outbox.c.kind == wanted.kind)
    return (
        select(
            outbox.c.id.label("message"),
            outbox_line.c.reminder_id.label("reminder"),
            outbox.c.kind,
            outbox_line.c.item_id.label("item"),
            outbox_line.c.revision,
            *_of_reminder(),
            outbox.c.circular_id,
            outbox.c.recipient,
            outbox.c.person_id,
            outbox.c.channel,
            outbox.c.as_of,
            outbox.c.queued_at,
            outcome,
            outbox.c.sent_at,
            outbox.c.answer,
            outbox.c.error,
        )
        .select_from(joined)
        .where(*where)
    )


def _of_reminder() -> list[Any]:
    names = ("step", "audience", "deadline", "by_unit", "by_name", "note")
    return [reminder.c[name] for name in names]


def _unsaid(reading: Reading, wanted: NoticeFilter) -> Select[Any]:
    """Reminders that were withheld, and those that no message speaks of. A person with two roles hears once: the line
    of the other role stands for both."""
    kind = case((reminder.c.step.is_(None), BY_HAND), else_=LADDER)
    line = outbox_line.alias("line")
    spoken = exists(
        select(1)
        .select_from(line.join(outbox, outbox.c.id == line.c.message_id))
        .where(
            line.c.item_id == reminder.c.item_id,
            outbox.c.recipient == reminder.c.recipient,
            outbox.c.as_of == reminder.c.as_of,
            outbox.c.kind == kind,
        )
    )
    where = [work_item.c.plan_id == reading.plan_id, reminder.c.as_of <= reading.as_of]
    where += [or_(reminder.c.withheld.is_not(None), ~spoken)]
    where += _narrowed(wanted, reminder.c.recipient, reminder.c.item_id, reminder.c.as_of)
    if wanted.kind:
        where.append(kind == wanted.kind)
    nothing: dict[str, Any] = {
        "circular_id": Integer,
        "person_id": Integer,
        "channel": String,
        "sent_at": outbox.c.sent_at.type,
        "answer": String,
        "error": Text,
    }
    empty = {name: cast(null(), type_).label(name) for name, type_ in nothing.items()}
    return (
        select(
            cast(null(), Integer).label("message"),
            reminder.c.id.label("reminder"),
            kind.label("kind"),
            reminder.c.item_id.label("item"),
            cast(null(), Integer).label("revision"),
            *_of_reminder(),
            empty["circular_id"],
            reminder.c.recipient,
            empty["person_id"],
            empty["channel"],
            reminder.c.as_of,
            reminder.c.queued_at,
            func.coalesce(reminder.c.withheld, Outcome.SPOKEN.value).label("outcome"),
            empty["sent_at"],
            empty["answer"],
            empty["error"],
        )
        .select_from(reminder.join(work_item, work_item.c.id == reminder.c.item_id))
        .where(*where)
    )


def _narrowed(wanted: NoticeFilter, recipient: Any, item: Any, day: Any) -> list[ColumnElement[bool]]:
    where = []
    if wanted.unit:
        where.append(recipient == wanted.unit)
    if wanted.key:
        where.append(item == select(work_item.c.id).where(work_item.c.key == wanted.key).scalar_subquery())
    if wanted.day:
        where.append(day == literal(wanted.day, Date))
    return where


def _told(found: Subquery) -> Select[Any]:
    """The rows of a page with the names of whom and what they speak of."""
    told, owes, office = unit.alias("told"), unit.alias("owes"), unit.alias("office")
    act = entry.alias("act")
    return (
        select(
            found,
            work_item.c.key,
            work_item.c.period,
            requirement.c.title,
            requirement.c.section,
            owes.c.code.label("owes"),
            owes.c.name.label("owes_name"),
            office.c.name.label("office"),
            told.c.name.label("recipient_name"),
            person.c.name.label("person_name"),
            circular.c.period.label("circular_period"),
            act.c.note.label("act_note"),
            act.c.by_name.label("act_by"),
        )
        .select_from(
            found.join(told, told.c.code == found.c.recipient)
            .outerjoin(work_item, work_item.c.id == found.c.item)
            .outerjoin(requirement, requirement.c.id == work_item.c.requirement_id)
            .outerjoin(owes, owes.c.code == work_item.c.unit_code)
            .outerjoin(office, office.c.code == found.c.by_unit)
            .outerjoin(person, person.c.id == found.c.person_id)
            .outerjoin(circular, circular.c.id == found.c.circular_id)
            .outerjoin(act, and_(act.c.item_id == found.c.item, act.c.revision == found.c.revision))
        )
        .order_by(*_order(found))
    )


def _row(row: Any) -> NoticeRow:
    return NoticeRow(
        row.message,
        row.reminder,
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
        row.as_of,
        row.queued_at,
        Outcome(row.outcome),
        row.sent_at,
        row.answer,
        row.error,
    )
