"""发送安排: lines of what is to be told become messages, one for each unit's inbox and one for each person, in sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from ledger import channels
from ledger.database import Session
from ledger.tables import outbox, outbox_line, person, person_address
from policy_models.channels import INBOX_CODE
from policy_models.ladder import Audience

ROLES = {Audience.LIAISON: person.c.liaison, Audience.PRINCIPAL: person.c.principal}


@dataclass(frozen=True, slots=True)
class Batch:
    """What the messages of one queueing have in common. ``suffix``: what makes their keys unlike those of others.
    ``extension_id``: the request that they tell the decision of."""

    kind: str
    plan_id: int
    plan_code: str
    suffix: str
    as_of: date
    now: datetime
    extension_id: int | None = None


def queue_messages(session: Session, batch: Batch, lines: Select[Any]) -> int:
    """Queue one inbox message for each recipient and one message for each person who answers there, through the first
    of their channels that can be used; how many there were. Whoever prefers the inbox has the unit's own.

    ``lines`` gives the columns recipient (unit), audience (liaison or principal), item_id, reminder_id and revision.
    A fixed number of statements. An outbox key that is there already stands, with the lines it has.
    """
    told = lines.cte("told")
    before = session.execute(select(func.coalesce(func.max(outbox.c.id), 0))).scalar_one()
    names = ["key", "channel", "kind", "plan_id", "recipient", "person_id", "address", "as_of", "queued_at"]
    for wanted in (_to_inboxes(batch, told), _to_people(session, batch, told)):
        session.execute(insert(outbox).from_select([*names, "next_try_at"], wanted))
    fresh = outbox.c.id > before
    for linked in (_of_inboxes(told), _of_people(told)):
        session.execute(
            insert(outbox_line).from_select(
                ["message_id", "item_id", "reminder_id", "revision", "extension_id"],
                linked.add_columns(literal(batch.extension_id, outbox_line.c.extension_id.type)).where(fresh),
            )
        )
    return int(session.execute(select(func.count()).select_from(outbox).where(fresh)).scalar_one())


def fold_waiting(session: Session, batch: Batch) -> None:
    """Let a batch take over what older messages of its kind, to the same addressees, have not said yet, so that whoever
    could not be reached for days gets one message and not one for each day. Two statements."""
    newer, why = outbox.alias("newer"), f"并入{batch.as_of}的消息"
    same = and_(
        newer.c.recipient == outbox.c.recipient,
        func.coalesce(newer.c.person_id, 0) == func.coalesce(outbox.c.person_id, 0),
        newer.c.plan_id == batch.plan_id,
        newer.c.kind == batch.kind,
        newer.c.as_of == batch.as_of,
        newer.c.state == "pending",
    )
    older = and_(outbox.c.plan_id == batch.plan_id, outbox.c.kind == batch.kind, outbox.c.as_of < batch.as_of)
    waiting = and_(older, outbox.c.state == "pending", exists(select(1).select_from(newer).where(same)))
    if session.execute(update(outbox).where(waiting).values(state="dropped", error=why)).rowcount == 0:
        return
    folded = and_(older, outbox.c.state == "dropped", outbox.c.error == why)
    said = outbox_line.alias("said")
    there = select(1).where(said.c.message_id == newer.c.id, said.c.item_id == outbox_line.c.item_id)
    taken_over = (
        select(newer.c.id, outbox_line.c.item_id, func.max(outbox_line.c.reminder_id))
        .select_from(outbox_line.join(outbox, outbox.c.id == outbox_line.c.message_id).join(newer, same))
        .where(folded, ~there.exists())
        .group_by(newer.c.id, outbox_line.c.item_id)
    )
    session.execute(insert(outbox_line).from_select(["message_id", "item_id", "reminder_id"], taken_over))


def reachable(session: Session, audience: Audience) -> Select[Any]:
    """A query of the units where somebody of this audience can be reached, or has chosen the inbox."""
    first = first_ways(session)
    people = select(person.c.unit_code).join(first, first.c.person_id == person.c.id)
    return people.where(person.c.active, ROLES[audience]).distinct()


def first_ways(session: Session) -> Subquery:
    """The place of each person's first way that can be used: by a confirmed channel or by the inbox, not bounced."""
    usable = [INBOX_CODE, *sorted(channels.confirmed(session))]
    ways = person_address.c
    return (
        select(ways.person_id, func.min(ways.position).label("position"))
        .where(ways.bounced_at.is_(None), ways.channel.in_(usable))
        .group_by(ways.person_id)
        .subquery()
    )


def _answers(told: CTE) -> ColumnElement[bool]:
    """Whether a person is among those whom a line is for."""
    return or_(*(and_(told.c.audience == audience.value, has_role) for audience, has_role in ROLES.items()))


def _key(batch: Batch, recipient: Any, whom: Any = None) -> ColumnElement[str]:
    head = literal(f"{batch.kind}:{batch.plan_code}:", String) + recipient
    to: ColumnElement[str] = head if whom is None else head + literal(":p", String) + whom
    return to + literal(f":{batch.suffix}", String)


def _to_inboxes(batch: Batch, told: CTE) -> Select[Any]:
    key = _key(batch, told.c.recipient)
    nobody, nowhere = literal(None, outbox.c.person_id.type), literal(None, String)
    row = _row(batch, key, literal(INBOX_CODE, String), told.c.recipient, nobody, nowhere)
    return row.where(~exists(select(1).where(outbox.c.key == key))).distinct()


def _to_people(session: Session, batch: Batch, told: CTE) -> Select[Any]:
    """Of the many lines only who is to hear is joined to people: each recipient and audience once."""
    first, way = first_ways(session), person_address.c
    heard = select(told.c.recipient, told.c.audience).distinct().cte("heard")
    key = _key(batch, heard.c.recipient, cast(person.c.id, String))
    return (
        _row(batch, key, way.channel, heard.c.recipient, person.c.id, way.address)
        .select_from(heard)
        .join(person, and_(person.c.unit_code == heard.c.recipient, person.c.active, _answers(heard)))
        .join(first, first.c.person_id == person.c.id)
        .join(person_address, and_(way.person_id == person.c.id, way.position == first.c.position))
        .where(way.channel != INBOX_CODE, ~exists(select(1).where(outbox.c.key == key)))
        .distinct()
    )


def _row(batch: Batch, key: Any, channel: Any, recipient: Any, person_id: Any, address: Any) -> Select[Any]:
    instant, day = literal(batch.now, outbox.c.queued_at.type), literal(batch.as_of, outbox.c.as_of.type)
    kind, plan_id, at_once = literal(batch.kind, String), literal(batch.plan_id), instant.label("next_try_at")
    return select(key, channel, kind, plan_id, recipient, person_id, address, day, instant, at_once)


def _of_inboxes(told: CTE) -> Select[Any]:
    mine = and_(outbox.c.recipient == told.c.recipient, outbox.c.person_id.is_(None))
    return _lines(told, outbox.join(told, mine))


def _of_people(told: CTE) -> Select[Any]:
    mine = and_(outbox.c.recipient == told.c.recipient, _answers(told))
    return _lines(told, outbox.join(person, person.c.id == outbox.c.person_id).join(told, mine))


def _lines(told: CTE, met: Any) -> Select[Any]:
    """Each item once in a message: whoever has two roles hears of it once, and the smallest reminder stands for both."""
    first, last = func.min(told.c.reminder_id), func.max(told.c.revision)
    return select(outbox.c.id, told.c.item_id, first, last).select_from(met).group_by(outbox.c.id, told.c.item_id)
