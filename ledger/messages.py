"""消息内容: what claimed messages speak of, read from the ledger at the moment they are sent.

A message whose facts cannot be had is given back with a sentence instead of them, so that one never stops others.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select

from ledger.act_messages import KIND as ACT
from ledger.database import Session
from ledger.plans import calendars
from ledger.receipts import receipts
from ledger.tables import (
    circular,
    entry,
    extension,
    outbox,
    outbox_line,
    person,
    plan,
    reminder,
    requirement,
    unit,
    work_item,
)
from policy_models.act_events import EVENT_NAMES, ActEvent
from policy_models.calendars import Calendars
from policy_models.notices import (
    ActLine,
    ActNotice,
    Addressee,
    CircularNotice,
    DecisionLine,
    ExtensionNotice,
    Notice,
    ReminderLine,
    ReminderNotice,
    ReturnNotice,
    UnitNotice,
)
from policy_models.periods import period_name, section_name

REMINDERS, RETURNED, EXTENSION, CIRCULARS = ("reminder", "chase"), "returned", "extension", ("weekly", "monthly")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """A claimed message: the channel it goes through and the facts it speaks of, or (``fault``) why there are none.
    ``address`` and ``in_reply_to`` (a Message-ID without brackets): where it goes when it answers a letter."""

    id: int
    key: str
    channel: str
    kind: str
    notice: Notice | None
    address: str | None = None
    in_reply_to: str | None = None
    fault: str | None = None


def messages(session: Session, ids: Sequence[int]) -> tuple[Message, ...]:
    """These outbox rows with their facts, in the order of their ids. A fixed number of statements for each kind."""
    rows = session.execute(_heads().where(outbox.c.id.in_(ids)).order_by(outbox.c.id)).all()
    known = {code: calendars(session, code) for code in {row.plan_code for row in rows if row.plan_code}}
    answers = {one.message: one for one in receipts(session, ids)} if any(r.kind == "receipt" for r in rows) else {}
    makers = {kind: make for kinds, make in _MAKERS for kind in kinds}
    lines: dict[int, list[Any]] = {}
    for kinds, _ in _MAKERS:
        if wanted := [row.id for row in rows if row.kind in kinds]:
            lines |= _LINES[kinds](session, wanted)
    found = []
    for row in rows:
        if one := answers.get(row.id):
            found.append(Message(one.message, one.key, one.channel, one.kind, one.notice, one.address, one.in_reply_to))
        else:
            found.append(_message(row, makers.get(row.kind), lines.get(row.id, []), known))
    return tuple(found)


Maker = Callable[[Any, list[Any], Mapping[str, Calendars]], UnitNotice]


def _message(row: Any, make: Maker | None, lines: list[Any], known: Mapping[str, Calendars]) -> Message:
    notice, fault = None, None
    try:
        if make is None:
            raise ValueError(f"没有名为 {row.kind} 的消息种类")
        notice = make(row, lines, known)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        log.exception("消息 %s（%s）的内容无法读出", row.id, row.kind)
        fault = f"消息的内容无法从台账读出（{type(error).__name__}）"
    return Message(row.id, row.key, row.channel, row.kind, notice, row.address, None, fault)


def _heads() -> Select[Any]:
    recipient = unit.alias("recipient")
    return (
        select(
            outbox,
            plan.c.code.label("plan_code"),
            plan.c.title.label("plan_title"),
            recipient.c.name.label("unit_name"),
            person.c.name.label("person_name"),
            circular.c.facts,
        )
        .outerjoin(plan, plan.c.id == outbox.c.plan_id)
        .outerjoin(recipient, recipient.c.code == outbox.c.recipient)
        .outerjoin(person, person.c.id == outbox.c.person_id)
        .outerjoin(circular, circular.c.id == outbox.c.circular_id)
    )


def _to(row: Any) -> Addressee:
    return Addressee(row.recipient, row.unit_name, row.person_name)


def office(unit_name: str | None, by_name: str | None) -> str:
    """Who did something, as a notice says it: the office, and the person where a name was given."""
    if not unit_name or (by_name or "").startswith(unit_name):
        return by_name or "系统"
    return f"{unit_name}{by_name or ''}"


def _of(ids: Sequence[int], *more: Any) -> Select[Any]:
    """The lines of messages that were not left out, each with its item. ``more``: further columns."""
    return (
        select(
            outbox_line.c.message_id.label("message"),
            work_item.c.key,
            work_item.c.unit_code,
            work_item.c.period,
            work_item.c.deadline,
            requirement.c.section,
            requirement.c.title,
            unit.c.name.label("unit_name"),
            *more,
        )
        .select_from(
            outbox_line.join(work_item, work_item.c.id == outbox_line.c.item_id)
            .join(requirement, requirement.c.id == work_item.c.requirement_id)
            .join(unit, unit.c.code == work_item.c.unit_code)
        )
        .where(outbox_line.c.message_id.in_(ids), outbox_line.c.omitted.is_(None))
        .order_by(
            outbox_line.c.message_id, work_item.c.deadline, requirement.c.id, work_item.c.unit_code, work_item.c.id
        )
    )


def _grouped(session: Session, wanted: Select[Any]) -> dict[int, list[Any]]:
    lines: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(wanted):
        lines[row.message].append(row)
    return lines


def _reminded(session: Session, ids: Sequence[int]) -> dict[int, list[Any]]:
    chaser = unit.alias("chaser")
    columns = (reminder.c.step, reminder.c.note, reminder.c.by_name, chaser.c.name.label("chaser"))
    wanted = (
        _of(ids, *columns)
        .join(reminder, reminder.c.id == outbox_line.c.reminder_id)
        .outerjoin(chaser, chaser.c.code == reminder.c.by_unit)
    )
    return _grouped(session, wanted)


def _reminder(row: Any, lines: list[Any], known: Mapping[str, Calendars]) -> ReminderNotice:
    """``remind_by`` from the deadline as it is now: the timetable's own is of a date that may have been moved."""
    work = known[row.plan_code].work
    told = tuple(
        ReminderLine(
            section_name(line.section),
            line.title,
            line.unit_code,
            line.unit_name,
            period_name(line.period, known[row.plan_code]),
            line.deadline,
            work.on_or_before(line.deadline),
            line.step or 0,
            work.count(row.as_of, line.deadline),
            line.key,
        )
        for line in lines
    )
    by_hand = row.kind == "chase"
    chaser = (lines[0].chaser or lines[0].by_name) if by_hand else None
    words = next((line.note for line in lines if line.note), None) if by_hand else None
    return ReminderNotice(row.plan_code, row.plan_title, _to(row), row.as_of, told, chaser, words)


def _sent_back(session: Session, ids: Sequence[int]) -> dict[int, list[Any]]:
    reviewer = unit.alias("reviewer")
    told = and_(entry.c.item_id == outbox_line.c.item_id, entry.c.revision == outbox_line.c.revision)
    wanted = (
        _of(ids, entry.c.note, entry.c.by_name, reviewer.c.name.label("by_unit"))
        .join(entry, told)
        .outerjoin(reviewer, reviewer.c.code == entry.c.by_unit)
    )
    return _grouped(session, wanted)


def _returned(row: Any, lines: list[Any], known: Mapping[str, Calendars]) -> ReturnNotice:
    by = office(lines[0].by_unit, lines[0].by_name)
    told = tuple(_decided(line, line.note or "", known[row.plan_code]) for line in lines)
    return ReturnNotice(row.plan_code, row.plan_title, _to(row), by, told)


def _decided(line: Any, reason: str, known: Calendars) -> DecisionLine:
    return DecisionLine(
        section_name(line.section),
        line.title,
        line.unit_name,
        period_name(line.period, known),
        line.deadline,
        reason,
        line.key,
    )


def _answered(session: Session, ids: Sequence[int]) -> dict[int, list[Any]]:
    reviewer = unit.alias("reviewer")
    own = extension.c
    wanted = (
        _of(ids, own.state, own.wanted, own.note, own.decided_by, reviewer.c.name.label("by_unit"))
        .join(extension, own.id == outbox_line.c.extension_id)
        .outerjoin(reviewer, reviewer.c.code == own.decided_unit)
    )
    return _grouped(session, wanted)


def _extension(row: Any, lines: list[Any], known: Mapping[str, Calendars]) -> ExtensionNotice:
    line = lines[0]
    by, granted = office(line.by_unit, line.decided_by), line.state == "granted"
    told = _decided(line, line.note or "", known[row.plan_code])
    return ExtensionNotice(row.plan_code, row.plan_title, _to(row), by, granted, line.wanted, told)


def _no_lines(_session: Session, _ids: Sequence[int]) -> dict[int, list[Any]]:
    return {}


def _circular(row: Any, _lines: list[Any], _known: Mapping[str, Calendars]) -> CircularNotice:
    facts = json.loads(row.facts)
    paragraphs = tuple(str(one) for one in facts["paragraphs"])
    return CircularNotice(row.plan_code, row.plan_title, _to(row), row.circular_id, str(facts["title"]), paragraphs)


def _acted(session: Session, ids: Sequence[int]) -> dict[int, list[Any]]:
    """The state of each item is the one that the act led to, whatever came after."""
    then = and_(entry.c.item_id == outbox_line.c.item_id, entry.c.revision == outbox_line.c.revision)
    state = func.coalesce(entry.c.state, work_item.c.state).label("state")
    wanted = _of(ids, outbox_line.c.revision, requirement.c.code, state).outerjoin(entry, then)
    return _grouped(session, wanted)


def _act(row: Any, lines: list[Any], _known: Mapping[str, Calendars]) -> ActNotice:
    told = tuple(
        ActLine(line.key, line.unit_code, line.code, line.period, line.state, line.revision, line.deadline)
        for line in lines
    )
    event = ActEvent(row.act)
    name = EVENT_NAMES[event]
    return ActNotice(row.plan_code, row.plan_title, _to(row), event.value, name, row.queued_at, told, row.round_code)


_MAKERS: tuple[tuple[tuple[str, ...], Maker], ...] = (
    (REMINDERS, _reminder),
    ((RETURNED,), _returned),
    ((EXTENSION,), _extension),
    (CIRCULARS, _circular),
    ((ACT,), _act),
)
_LINES: dict[tuple[str, ...], Callable[[Session, Sequence[int]], dict[int, list[Any]]]] = {
    REMINDERS: _reminded,
    (RETURNED,): _sent_back,
    (EXTENSION,): _answered,
    CIRCULARS: _no_lines,
    (ACT,): _acted,
}
