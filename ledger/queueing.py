"""发送安排: lines of what is to be told become messages, one for each unit's inbox and one for each person, in sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, String, and_, cast, exists, func, insert, literal, or_, select

from ledger import channels
from ledger.database import Session
from ledger.tables import outbox, outbox_line, person, person_address
from policy_models.channels import INBOX_CODE


@dataclass(frozen=True, slots=True)
class Batch:
    """What the messages of one queueing have in common. ``suffix``: what makes their keys unlike those of others."""

    kind: str
    plan_id: int
    plan_code: str
    suffix: str
    as_of: date
    now: datetime


def queue_messages(session: Session, batch: Batch, lines: Select[Any]) -> int:
    """Queue one inbox message for each recipient and one message for each person who answers there, through the first
    of their channels that can be used; how many there were.

    ``lines`` gives the columns recipient (unit), audience (liaison or principal), item_id, reminder_id and revision.
    A fixed number of statements. An outbox key that is there already stands, with the lines it has.
    """
    told = lines.cte("told")
    before = session.execute(select(func.coalesce(func.max(outbox.c.id), 0))).scalar_one()
    names = [
        "key",
        "channel",
        "kind",
        "plan_id",
        "recipient",
        "person_id",
        "address",
        "as_of",
        "queued_at",
        "next_try_at",
    ]
    for wanted in (_to_inboxes(batch, told), _to_people(session, batch, told)):
        session.execute(insert(outbox).from_select(names, wanted))
    fresh = outbox.c.id > before
    own = and_(outbox.c.recipient == told.c.recipient, or_(outbox.c.person_id.is_(None), _answers(told)))
    # a person with both roles hears of an item once; the smallest reminder stands for both
    session.execute(
        insert(outbox_line).from_select(
            ["message_id", "item_id", "reminder_id", "revision"],
            select(outbox.c.id, told.c.item_id, func.min(told.c.reminder_id), func.max(told.c.revision))
            .select_from(
                outbox.join(told, outbox.c.recipient == told.c.recipient).outerjoin(
                    person, person.c.id == outbox.c.person_id
                )
            )
            .where(fresh, own)
            .group_by(outbox.c.id, told.c.item_id),
        )
    )
    return int(session.execute(select(func.count()).select_from(outbox).where(fresh)).scalar_one())


def _answers(told: CTE) -> ColumnElement[bool]:
    """Whether a person is among those whom a line is for."""
    return or_(
        and_(told.c.audience == "liaison", person.c.liaison), and_(told.c.audience == "principal", person.c.principal)
    )


def _to_inboxes(batch: Batch, told: CTE) -> Select[Any]:
    key = literal(f"{batch.kind}:{batch.plan_code}:", String) + told.c.recipient + literal(f":{batch.suffix}", String)
    row = _row(
        batch,
        key,
        literal(INBOX_CODE, String),
        told.c.recipient,
        literal(None, outbox.c.person_id.type),
        literal(None, String),
    )
    return row.where(~exists(select(1).where(outbox.c.key == key))).distinct()


def _to_people(session: Session, batch: Batch, told: CTE) -> Select[Any]:
    usable = channels.confirmed(session)
    ways = person_address.alias("ways")
    first = (
        select(func.min(ways.c.position))
        .where(ways.c.person_id == person.c.id, ways.c.bounced_at.is_(None), ways.c.channel.in_(usable))
        .scalar_subquery()
    )
    key = (
        literal(f"{batch.kind}:{batch.plan_code}:", String)
        + told.c.recipient
        + literal(":p", String)
        + cast(person.c.id, String)
        + literal(f":{batch.suffix}", String)
    )
    row = _row(batch, key, person_address.c.channel, told.c.recipient, person.c.id, person_address.c.address)
    return (
        row.select_from(told)
        .join(person, and_(person.c.unit_code == told.c.recipient, person.c.active, _answers(told)))
        .join(person_address, and_(person_address.c.person_id == person.c.id, person_address.c.position == first))
        .where(~exists(select(1).where(outbox.c.key == key)))
        .distinct()
    )


def _row(batch: Batch, key: Any, channel: Any, recipient: Any, person_id: Any, address: Any) -> Select[Any]:
    instant = literal(batch.now, outbox.c.queued_at.type)
    return select(
        key,
        channel,
        literal(batch.kind, String),
        literal(batch.plan_id),
        recipient,
        person_id,
        address,
        literal(batch.as_of, outbox.c.as_of.type),
        instant,
        instant.label("next_try_at"),
    )
