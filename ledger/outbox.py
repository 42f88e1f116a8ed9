"""发件箱: what is to be told, claimed by one, sent outside any transaction, recorded once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select, true, update

from ledger.database import Session
from ledger.plans import calendars
from ledger.receipts import CHANNEL, receipts
from ledger.tables import duty, outbox, outbox_line, person, plan, reminder, requirement, unit, work_item
from policy_models.notices import Addressee, Notice, ReminderLine, ReminderNotice
from policy_models.periods import period_name, section_name

CLAIM_LASTS = timedelta(minutes=10)  # a claim older than this belongs to a sender that died
ATTEMPTS = 5  # then a message is dead until somebody sends it again by hand
MAIL_ATTEMPTS = 19  # of e-mail: some three days, since a mail server may be down over a weekend
BACK_OFF = timedelta(minutes=5)  # doubled with each attempt
LONGEST_PAUSE = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Message:
    """A claimed message: the channel it goes through and the facts it speaks of. ``address`` and ``in_reply_to``
    (a Message-ID without brackets): where it goes when it answers a letter."""

    id: int
    key: str
    channel: str
    kind: str
    notice: Notice
    address: str | None = None
    in_reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as a unit reads it in the product."""

    id: int
    subject: str
    body: str
    sent_at: datetime


def claim(
    session: Session, *, now: datetime, by: str, limit: int = 100, channels: Collection[str] | None = None
) -> tuple[Message, ...]:
    """Take up to ``limit`` messages that are due, of these channels or of any. Two senders never get the same one.

    To be called in a transaction of ``Database.claim``, which passes by what others are taking.
    """
    wanted = outbox.c.channel.in_(list(channels)) if channels is not None else true()
    due = (
        select(outbox.c.id)
        .where(outbox.c.state == "pending", outbox.c.next_try_at <= now, wanted)
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # two statements: PostgreSQL would run a subquery with SKIP LOCKED again and take more than were asked for
    found = [row.id for row in session.execute(due)]
    taken = session.execute(
        update(outbox)
        .where(outbox.c.id.in_(found), outbox.c.state == "pending")
        .values(state="claimed", claimed_at=now, claimed_by=by, attempts=outbox.c.attempts + 1)
        .returning(outbox.c.id)
    )
    ids = sorted(row.id for row in taken)
    return _messages(session, ids) if ids else ()


def _messages(session: Session, ids: Sequence[int]) -> tuple[Message, ...]:
    """Reminders, and receipts, each with its facts, in the order of the ids."""
    answers = [
        Message(one.message, one.key, one.channel, one.kind, one.notice, one.address, one.in_reply_to)
        for one in receipts(session, ids)
    ]
    found = [*_reminders(session, ids), *answers]
    return tuple(sorted(found, key=lambda message: message.id))


def _reminders(session: Session, ids: Sequence[int]) -> tuple[Message, ...]:
    recipient = unit.alias("recipient")
    rows = session.execute(
        select(
            outbox,
            plan.c.code.label("plan_code"),
            plan.c.title.label("plan_title"),
            recipient.c.name.label("unit_name"),
            person.c.name.label("person_name"),
        )
        .join(plan, plan.c.id == outbox.c.plan_id)
        .join(recipient, recipient.c.code == outbox.c.recipient)
        .outerjoin(person, person.c.id == outbox.c.person_id)
        .where(outbox.c.id.in_(ids), outbox.c.kind == "reminder")
        .order_by(outbox.c.id)
    ).all()
    lines = _lines(session, [row.id for row in rows]) if rows else {}
    return tuple(
        Message(
            row.id,
            row.key,
            row.channel,
            row.kind,
            ReminderNotice(
                row.plan_code,
                row.plan_title,
                Addressee(row.recipient, row.unit_name, row.person_name),
                row.as_of,
                tuple(lines.get(row.id, ())),
            ),
            row.address,
        )
        for row in rows
    )


def _lines(session: Session, ids: Sequence[int]) -> dict[int, list[ReminderLine]]:
    """The items of every message, worst first."""
    rows = session.execute(
        select(
            outbox_line.c.message_id.label("message"),
            outbox.c.as_of,
            reminder.c.step,
            work_item,
            requirement.c.section,
            requirement.c.title,
            unit.c.name.label("unit_name"),
            duty.c.remind_by,
            plan.c.code.label("plan_code"),
        )
        .select_from(
            outbox_line.join(outbox, outbox.c.id == outbox_line.c.message_id)
            .join(plan, plan.c.id == outbox.c.plan_id)
            .join(reminder, reminder.c.id == outbox_line.c.reminder_id)
            .join(work_item, work_item.c.id == outbox_line.c.item_id)
            .join(requirement, requirement.c.id == work_item.c.requirement_id)
            .join(unit, unit.c.code == work_item.c.unit_code)
            .outerjoin(duty, duty.c.id == work_item.c.duty_id)
        )
        .where(outbox_line.c.message_id.in_(ids))
        .order_by(outbox_line.c.message_id, work_item.c.deadline, requirement.c.id, work_item.c.unit_code)
    ).all()
    known = {code: calendars(session, code) for code in {row.plan_code for row in rows}}
    lines: dict[int, list[ReminderLine]] = defaultdict(list)
    for row in rows:
        lines[row.message].append(
            ReminderLine(
                section_name(row.section),
                row.title,
                row.unit_code,
                row.unit_name,
                period_name(row.period, known[row.plan_code]),
                row.deadline,
                row.remind_by or row.deadline,
                row.step,
                known[row.plan_code].work.count(row.as_of, row.deadline),
                row.key,
            )
        )
    return lines


def record_sent(session: Session, message_id: int, *, subject: str, body: str, now: datetime) -> bool:
    """Note that a claimed message was sent, with its words; False when the claim had been taken away meanwhile."""
    met = session.execute(
        update(outbox)
        .where(outbox.c.id == message_id, outbox.c.state.in_(["claimed", "uncertain"]))
        .values(state="sent", sent_at=now, subject=subject, body=body, error=None)
    )
    return bool(met.rowcount)


def record_failed(
    session: Session, message_id: int, *, error: str, permanent: bool, now: datetime, uncertain: bool = False
) -> None:
    """Note that sending failed: tried again later with growing pauses, or dead when it can't help or was the last.
    ``uncertain``: it may have arrived all the same, so it is left to a person."""
    claimed = and_(outbox.c.id == message_id, outbox.c.state == "claimed")
    found = session.execute(select(outbox.c.attempts, outbox.c.channel).where(claimed)).first()
    if found is None:
        return
    if uncertain:
        session.execute(update(outbox).where(claimed).values(state="uncertain", error=error))
        return
    dead = permanent or found.attempts >= (MAIL_ATTEMPTS if found.channel == CHANNEL else ATTEMPTS)
    again = now + min(BACK_OFF * 2 ** (found.attempts - 1), LONGEST_PAUSE)
    session.execute(
        update(outbox)
        .where(claimed)
        .values(state="dead" if dead else "pending", next_try_at=now if dead else again, error=error, claimed_at=None)
    )


def release_stale(session: Session, *, now: datetime, idempotent_channels: Collection[str]) -> int:
    """What became of claims whose sender died: sent again where twice is harmless, else marked uncertain and left to
    a person. How many there were."""
    stale = and_(outbox.c.state == "claimed", outbox.c.claimed_at < now - CLAIM_LASTS)
    harmless = outbox.c.channel.in_(list(idempotent_channels))
    again = session.execute(update(outbox).where(stale, harmless).values(state="pending", next_try_at=now))
    unsure = session.execute(update(outbox).where(stale, ~harmless).values(state="uncertain"))
    return int(again.rowcount + unsure.rowcount)


def counts(session: Session) -> dict[str, int]:
    """How many messages stand in each state."""
    rows = session.execute(select(outbox.c.state, func.count().label("n")).group_by(outbox.c.state))
    return {row.state: row.n for row in rows}


def inbox(session: Session, unit_code: str, *, limit: int = 20) -> tuple[InboxMessage, ...]:
    """The newest messages that a unit has in the product."""
    rows = session.execute(
        select(outbox)
        .where(outbox.c.recipient == unit_code, outbox.c.channel == "inbox", outbox.c.state == "sent")
        .order_by(outbox.c.sent_at.desc(), outbox.c.id.desc())
        .limit(limit)
    )
    return tuple(InboxMessage(row.id, row.subject or "", row.body or "", row.sent_at) for row in rows)
