"""催办 by hand, read: what could be chased at once, and what one sending did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ledger.chase_scope import MOST, below
from ledger.database import Session
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import conditions, joined
from ledger.queries.reading import Reading
from ledger.tables import outbox, outbox_line, person, reminder, unit, work_item
from policy_models.errors import NotFound
from policy_models.lifecycle import OWED
from policy_models.timing import LATE

GONE = "没有这次催办，地址可能不完整"


@dataclass(frozen=True, slots=True)
class Overdue:
    """Keys of overdue items (or of others to be chased), the oldest deadline first, up to MOST of ``total``."""

    keys: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ChaseMessage:
    """A message of a sending: to a unit's inbox (``person_name`` None) or to a person there. ``items``: of how many it
    speaks; ``state``: of the message."""

    unit_code: str
    unit_name: str
    person_name: str | None
    channel: str
    state: str
    items: int


@dataclass(frozen=True, slots=True)
class ChaseSent:
    """One sending by hand, as it stands now."""

    by_name: str
    at: datetime
    note: str | None
    messages: tuple[ChaseMessage, ...]
    items: int

    @property
    def units(self) -> int:
        return len({one.unit_code for one in self.messages})

    @property
    def people(self) -> int:
        return sum(one.person_name is not None for one in self.messages)


def overdue(session: Session, reading: Reading, by_unit: str, *, unit_code: str | None = None) -> Overdue:
    """What is overdue with the units below one (the coordinator: with all), or with one of them. Two statements."""
    return chaseable(session, reading, by_unit, ItemFilter(unit=unit_code, timing=tuple(LATE)))


def chaseable(session: Session, reading: Reading, by_unit: str, wanted: ItemFilter) -> Overdue:
    """What one unit could chase of the items that a filter has: those owed by units below it. Two statements."""
    source = reading.items()
    where = conditions(source.c, reading, wanted)
    where += [source.c.state.in_([state.value for state in OWED]), source.c.catch_up == ""]
    if by_unit != reading.summary.coordinator:
        where += [source.c.unit_code.in_(select(below(by_unit).c.code)), source.c.unit_code != by_unit]
    total = session.execute(joined(select(func.count()), source).where(*where)).scalar_one()
    chosen = joined(select(source.c.key), source).where(*where).order_by(source.c.deadline, source.c.id).limit(MOST)
    return Overdue(tuple(session.execute(chosen).scalars()), int(total))


def chase_sent(session: Session, plan_id: int, unit_code: str, batch: int) -> ChaseSent:
    """The sending that begins with this reminder, ordered by this unit: three statements. Raises NotFound."""
    first = session.execute(
        select(reminder)
        .join(work_item, work_item.c.id == reminder.c.item_id)
        .where(reminder.c.id == batch, reminder.c.by_unit == unit_code, work_item.c.plan_id == plan_id)
        .where(reminder.c.step.is_(None))
    ).one_or_none()
    if first is None:
        raise NotFound(GONE)
    rows = session.execute(_messages(first)).all()
    items = session.execute(select(func.count(reminder.c.item_id.distinct())).where(*_same(first))).scalar_one()
    messages = tuple(
        ChaseMessage(row.recipient, row.unit_name, row.person_name, row.channel, row.state, int(row.items))
        for row in rows
    )
    return ChaseSent(first.by_name, first.queued_at, first.note, messages, int(items))


def _same(first: Any) -> tuple[Any, ...]:
    """The reminders of one sending share their instant and who ordered them."""
    return (
        reminder.c.step.is_(None),
        reminder.c.by_unit == first.by_unit,
        reminder.c.as_of == first.as_of,
        reminder.c.queued_at == first.queued_at,
    )


def _messages(first: Any) -> Any:
    return (
        select(
            outbox.c.id,
            outbox.c.recipient,
            unit.c.name.label("unit_name"),
            person.c.name.label("person_name"),
            outbox.c.channel,
            outbox.c.state,
            func.count().label("items"),
        )
        .select_from(
            outbox_line.join(outbox, outbox.c.id == outbox_line.c.message_id)
            .join(reminder, reminder.c.id == outbox_line.c.reminder_id)
            .join(unit, unit.c.code == outbox.c.recipient)
            .outerjoin(person, person.c.id == outbox.c.person_id)
        )
        .where(*_same(first))
        .group_by(outbox.c.id, outbox.c.recipient, unit.c.name, person.c.name, outbox.c.channel, outbox.c.state)
        .order_by(func.min(outbox_line.c.reminder_id), outbox.c.recipient, outbox.c.id)
    )
