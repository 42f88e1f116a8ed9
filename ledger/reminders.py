"""催办: which reminders are due, queued once each, grouped into one message for each unit and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, insert, literal, null, or_, select

from ledger.database import Session
from ledger.plans import calendars, plan_summary
from ledger.queueing import Batch, queue_messages
from ledger.tables import outbox, reminder, requirement, unit, work_item
from policy_models.calendars import WorkCalendar
from policy_models.ladder import ESCALATES_FROM, LADDERS, rungs
from policy_models.lifecycle import OWED

KIND = "reminder"


@dataclass(frozen=True, slots=True)
class Queued:
    """How many reminders were due and into how many messages they went."""

    reminders: int
    messages: int


def queue_due(session: Session, plan_code: str, *, as_of: date, now: datetime) -> Queued:
    """Queue every reminder that the ladder wants as of a day, each item, step and recipient once for ever.

    Only the step an item has reached is sent, so an outage ends in one digest. Nothing on rest days, nothing for what
    is dated before go-live, at most one message for each unit, plan and day: what comes up after it waits for the
    next work day. A fixed number of statements.
    """
    plan = plan_summary(session, plan_code)
    work = calendars(session, plan_code).work
    if not work.is_workday(as_of):
        return Queued(0, 0)
    step = _step_case(as_of, work)
    columns = ["item_id", "deadline", "step", "recipient", "audience", "as_of", "queued_at"]
    before = session.execute(select(func.coalesce(func.max(reminder.c.id), 0))).scalar_one()
    told = select(outbox.c.recipient).where(outbox.c.plan_id == plan.id, outbox.c.as_of == as_of, outbox.c.kind == KIND)
    for recipient, lowest in ((work_item.c.unit_code, None), (unit.c.superior, ESCALATES_FROM)):
        due = _due(plan.id, plan.go_live_on, step, recipient, as_of, now, lowest).where(recipient.not_in(told))
        session.execute(insert(reminder).from_select(columns, due))
    fresh = reminder.c.id > before
    queued = session.execute(select(func.count()).select_from(reminder).where(fresh)).scalar_one()
    lines = select(
        reminder.c.recipient,
        reminder.c.audience,
        reminder.c.item_id,
        reminder.c.id.label("reminder_id"),
        cast(null(), Integer).label("revision"),
    ).where(fresh, reminder.c.withheld.is_(None))
    messages = queue_messages(session, Batch(KIND, plan.id, plan_code, str(as_of), as_of, now), lines)
    return Queued(int(queued), messages)


def _step_case(as_of: date, work: WorkCalendar) -> ColumnElement[Any]:
    """The step each item has reached: a few comparisons of its deadline, whatever the number of items."""
    return case(
        *(
            (and_(requirement.c.ladder == name, work_item.c.deadline <= rung.deadline_until), rung.step)
            for name in LADDERS
            for rung in rungs(name, as_of, work)
        ),
        else_=null(),
    )


def _due(
    plan_id: int, go_live_on: date, step: Any, recipient: Any, as_of: date, now: datetime, lowest: int | None
) -> Any:
    known = select(1).where(
        reminder.c.item_id == work_item.c.id,
        reminder.c.deadline == work_item.c.deadline,
        reminder.c.step == step,
        reminder.c.recipient == recipient,
    )
    query = (
        select(
            work_item.c.id,
            work_item.c.deadline,
            step,
            recipient,
            literal("liaison"),
            literal(as_of),
            literal(now, reminder.c.queued_at.type),
        )
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .where(
            work_item.c.plan_id == plan_id,
            work_item.c.state.in_([state.value for state in OWED]),
            work_item.c.catch_up == "",
            work_item.c.deadline >= go_live_on,
            or_(unit.c.closed_on.is_(None), unit.c.closed_on > as_of),
            step.is_not(None),
            recipient.is_not(None),
            ~known.exists(),
        )
    )
    return query if lowest is None else query.where(step >= lowest, recipient != work_item.c.unit_code)
