"""催办情况: what was sent in the period of a 通报, and how much of it was followed by a submission."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, select, true

from ledger.civil import end_of_day
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.tables import entry, outbox, outbox_line, reminder, work_item
from policy_models.circular_periods import CircularPeriod
from policy_models.circulars import FOLLOWED_WITHIN, Chased
from policy_models.lifecycle import Act


def chased(session: Session, reading: Reading, period: CircularPeriod, until: datetime) -> Chased:
    """The reminders of the period that reached somebody before the instant ``until``, and what came of them by then:
    one statement."""
    told = _told(reading, period, until).cte("told")
    per_item = (
        select(told.c.item_id, func.max(told.c.followed).label("followed"), func.max(told.c.running).label("running"))
        .group_by(told.c.item_id)
        .subquery("per_item")
    )
    whole = select(
        func.count().label("sent"),
        func.coalesce(func.sum(told.c.by_hand), 0).label("by_hand"),
        func.count(told.c.recipient.distinct()).label("units"),
    ).subquery("whole")
    items = select(
        func.count().label("items"),
        func.coalesce(func.sum(per_item.c.followed), 0).label("followed"),
        func.coalesce(func.sum(case((and_(per_item.c.followed == 0, per_item.c.running == 1), 1), else_=0)), 0).label(
            "running"
        ),
    ).subquery("items")
    row = session.execute(select(whole, items).select_from(whole.join(items, true()))).one()
    return Chased(*map(int, row))


def _told(reading: Reading, period: CircularPeriod, until: datetime) -> Any:
    """A row for each item, recipient and day of the period: whether by hand, followed in time, still within the days."""
    days = [period.first + timedelta(days=n) for n in range((period.last - period.first).days + 1)]
    ends = {day: end_of_day(reading.calendars.work.shift(day, FOLLOWED_WITHIN)) for day in days}
    instant = entry.c.at.type
    limit = case(*((reminder.c.as_of == day, literal(end, instant)) for day, end in ends.items()))
    open_still = case((reminder.c.as_of.in_([day for day, end in ends.items() if end > until]), 1), else_=0)
    answered = exists(
        select(1).where(
            entry.c.item_id == reminder.c.item_id,
            entry.c.act == Act.SUBMIT.value,
            entry.c.at >= reminder.c.queued_at,
            entry.c.at < limit,
            entry.c.at < until,
        )
    )
    # a reminder that its messages left out, since the item was settled, told nobody; of two roles one has the line
    reached = exists(
        select(1)
        .select_from(outbox_line.join(outbox, outbox.c.id == outbox_line.c.message_id))
        .where(
            outbox_line.c.reminder_id == reminder.c.id,
            outbox_line.c.omitted.is_(None),
            outbox.c.state == "sent",
            outbox.c.sent_at < until,
        )
    )
    return (
        select(
            reminder.c.item_id,
            reminder.c.recipient,
            reminder.c.as_of,
            func.max(case((reminder.c.step.is_(None), 1), else_=0)).label("by_hand"),
            func.max(case((answered, 1), else_=0)).label("followed"),
            func.max(open_still).label("running"),
        )
        .join(work_item, work_item.c.id == reminder.c.item_id)
        .where(work_item.c.plan_id == reading.plan_id, reminder.c.as_of.between(period.first, period.last), reached)
        .group_by(reminder.c.item_id, reminder.c.recipient, reminder.c.as_of)
    )
