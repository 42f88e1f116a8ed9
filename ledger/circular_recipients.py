"""通报 to whom: people who chose it, by the first way that works, and inboxes; in sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, and_, cast, exists, func, insert, literal, or_, select

from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import PlanSummary
from ledger.queueing import first_ways
from ledger.tables import outbox, person, person_address, unit
from policy_models.channels import INBOX_CODE
from policy_models.circular_periods import CircularKind, CircularPeriod

CHOSEN = {CircularKind.WEEKLY: person.c.weekly, CircularKind.MONTHLY: person.c.monthly}
COLUMNS = ("key", "channel", "kind", "plan_id", "recipient", "person_id", "address", "circular_id", "as_of")
INSTANTS = ("queued_at", "next_try_at")


def queue(session: Session, summary: PlanSummary, period: CircularPeriod, id: int, now: datetime) -> int:
    """One message for each person who chose it, through the first of their ways that can be used, and one for the
    inbox of the coordinator and of each unit where somebody chose it who has no such way, or prefers the inbox."""
    frame = _Frame(summary, period, id, now)
    people, inboxes = _to_people(session, frame), _to_inboxes(session, frame)
    for wanted in (people, inboxes):
        session.execute(insert(outbox).from_select([*COLUMNS, *INSTANTS], wanted))
    return int(session.execute(select(func.count()).where(outbox.c.circular_id == id)).scalar_one())


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all messages of one circular have in common."""

    plan: PlanSummary
    period: CircularPeriod
    circular_id: int
    now: datetime

    def row(self, channel: Any, recipient: Any, person_id: Any, address: Any) -> Select[Any]:
        head = literal(f"{self.period.kind}:{self.plan.code}:", String) + recipient
        whom = head if person_id is None else head + literal(":p", String) + cast(person_id, String)
        instant = literal(self.now, outbox.c.queued_at.type)
        return select(
            (whom + literal(f":{self.period.code}", String)).label("key"),
            channel,
            literal(self.period.kind.value, String).label("kind"),
            literal(self.plan.id).label("plan_id"),
            recipient.label("recipient"),
            literal(None, outbox.c.person_id.type) if person_id is None else person_id,
            literal(None, String) if address is None else address,
            literal(self.circular_id).label("circular_id"),
            literal(civil_date(self.now), outbox.c.as_of.type),
            instant.label("queued_at"),
            instant.label("next_try_at"),
        )


def _to_people(session: Session, frame: _Frame) -> Select[Any]:
    first = first_ways(session)
    way = person_address.c
    return (
        frame.row(way.channel, person.c.unit_code, person.c.id, way.address)
        .select_from(person)
        .join(unit, unit.c.code == person.c.unit_code)
        .join(first, first.c.person_id == person.c.id)
        .join(person_address, and_(way.person_id == person.c.id, way.position == first.c.position))
        .where(*_wants(frame), way.channel != INBOX_CODE)
    )


def _to_inboxes(session: Session, frame: _Frame) -> Select[Any]:
    first = first_ways(session)
    way = person_address.c
    outside = (
        select(way.person_id)
        .join(first, and_(first.c.person_id == way.person_id, first.c.position == way.position))
        .where(way.channel != INBOX_CODE)
    )
    here = select(1).where(person.c.unit_code == unit.c.code, *_wants(frame, joined=False), person.c.id.not_in(outside))
    return (
        frame.row(literal(INBOX_CODE, String), unit.c.code, None, None)
        .select_from(unit)
        .where(or_(unit.c.code == frame.plan.coordinator, and_(_open(frame), exists(here))))
    )


def _wants(frame: _Frame, *, joined: bool = True) -> tuple[Any, ...]:
    """People who chose this kind; ``joined``: with their unit, which has to be there still."""
    chose = (person.c.active, CHOSEN[frame.period.kind])
    return (*chose, _open(frame)) if joined else chose


def _open(frame: _Frame) -> Any:
    return and_(unit.c.active, or_(unit.c.closed_on.is_(None), unit.c.closed_on > civil_date(frame.now)))


def receivers(session: Session) -> dict[CircularKind, int]:
    """How many people have chosen each kind."""
    counted = [func.count().filter(person.c.active, chosen).label(kind.value) for kind, chosen in CHOSEN.items()]
    row = session.execute(select(*counted).select_from(person)).one()
    return {kind: int(row[place]) for place, kind in enumerate(CHOSEN)}
