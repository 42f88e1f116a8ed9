"""催办: which reminders are due, queued once each, grouped into one message for each unit, person and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from ledger.civil import end_of_day
from ledger.database import Session
from ledger.plans import PlanSummary, calendars, plan_summary
from ledger.queueing import Batch, fold_waiting, queue_messages, reachable
from ledger.tables import outbox, reminder, requirement, unit, work_item
from policy_models.calendars import WorkCalendar
from policy_models.ladder import AUDIENCES, RULE, Audience, LadderRule, Listener, Office, Rung, rungs
from policy_models.lifecycle import OWED, State

KIND = "reminder"


@dataclass(frozen=True, slots=True)
class Queued:
    """How many reminders were due and into how many messages they went."""

    reminders: int
    messages: int


@dataclass(frozen=True, slots=True)
class _Run:
    """One queueing: of which plan, as of which work day, at which instant, by which rule."""

    plan: PlanSummary
    as_of: date
    now: datetime
    rule: LadderRule


def queue_due(session: Session, plan_code: str, *, as_of: date, now: datetime, rule: LadderRule = RULE) -> Queued:
    """Queue every reminder that the ladder wants as of a day: each item, deadline, step and listener once for ever.

    Only the step an item has reached is sent, so an outage ends in one digest, and a message that could not be sent on
    earlier days goes into today's. A moved deadline begins the ladder anew; after a return that came past the deadline
    the steps beyond it count from the day of the return. Nothing on rest days, nothing before go-live or for what is
    dated before it, at most one message for each addressee, plan and day: what comes up after it waits for the next
    work day. A reminder beyond the cap, or that reaches nobody outside the unit's inbox, is kept with the reason
    (``withheld``). A fixed number of statements.
    """
    run = _Run(plan_summary(session, plan_code), as_of, now, rule)
    work = calendars(session, plan_code).work
    if not work.is_workday(as_of) or as_of < run.plan.go_live_on:
        return Queued(0, 0)
    before = session.execute(select(func.coalesce(func.max(reminder.c.id), 0))).scalar_one()
    names = ["item_id", "deadline", "step", "recipient", "audience", "withheld", "as_of", "queued_at"]
    session.execute(insert(reminder).from_select(names, _wanted(session, run, work)))
    fresh = reminder.c.id > before
    queued = session.execute(select(func.count()).select_from(reminder).where(fresh)).scalar_one()
    if not queued:
        return Queued(0, 0)
    batch = Batch(KIND, run.plan.id, plan_code, str(as_of), as_of, now)
    messages = queue_messages(session, batch, _lines(fresh))
    fold_waiting(session, batch)
    return Queued(int(queued), messages)


def _lines(fresh: ColumnElement[bool]) -> Select[Any]:
    """What the messages speak of: what is beyond the cap in none, what reaches nobody still in the unit's inbox."""
    spoken = or_(reminder.c.withheld.is_(None), reminder.c.withheld == "nobody")
    facts = (reminder.c.recipient, reminder.c.audience, reminder.c.item_id, reminder.c.id.label("reminder_id"))
    return select(*facts, cast(null(), Integer).label("revision")).where(fresh, spoken)


def _wanted(session: Session, run: _Run, work: WorkCalendar) -> Any:
    """A row for every reminder that is due and that its recipient, if not told today already, has not had."""
    due, reached = _due(run, work), {audience: reachable(session, audience) for audience in Audience}
    told = select(outbox.c.recipient).where(
        outbox.c.plan_id == run.plan.id, outbox.c.as_of == run.as_of, outbox.c.kind == KIND
    )
    return union_all(
        *(
            _heard(run, due, one, reached[one.audience]).where(_recipient(run, due, one).not_in(told))
            for one in AUDIENCES
        )
    )


def _due(run: _Run, work: WorkCalendar) -> CTE:
    """Every item that is owed and whose ladder has begun, with the step it has reached: a few comparisons of dates,
    whatever the number of items."""
    ladders = {name: rungs(steps, run.as_of, work) for name, steps in run.rule.ladders.items()}
    step = case(
        *(
            (and_(requirement.c.ladder == name, _arrived(rung)), rung.step)
            for name, found in ladders.items()
            for rung in found
        ),
        else_=null(),
    )
    items = (
        select(work_item.c.id, work_item.c.deadline, step.label("step"), work_item.c.unit_code, unit.c.superior)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .where(
            work_item.c.plan_id == run.plan.id,
            work_item.c.state.in_([state.value for state in OWED]),
            work_item.c.catch_up == "",
            work_item.c.deadline >= run.plan.go_live_on,
            work_item.c.deadline <= max(rung.deadline_until for found in ladders.values() for rung in found),
            or_(unit.c.closed_on.is_(None), unit.c.closed_on > run.as_of),
            step.is_not(None),
        )
    )
    return items.cte("due")


def _arrived(rung: Rung) -> ColumnElement[bool]:
    """Whether an item has reached a rung. Beyond the deadline the clock of a returned item starts with its return: the
    time a reviewer took must not make a unit look late to its superiors."""
    reached = work_item.c.deadline <= rung.deadline_until
    if rung.step <= 0:
        return reached
    lately = work_item.c.changed_at >= end_of_day(rung.deadline_until)
    return and_(reached, ~and_(work_item.c.state == State.RETURNED.value, lately))


def _recipient(run: _Run, due: CTE, listener: Listener) -> ColumnElement[Any]:
    offices: dict[Office, ColumnElement[Any]] = {
        Office.OWN: due.c.unit_code,
        Office.SUPERIOR: due.c.superior,
        Office.COORDINATOR: literal(run.plan.coordinator, String),
    }
    return offices[listener.office]


def _heard(run: _Run, due: CTE, listener: Listener, reached: Select[Any]) -> Select[Any]:
    """The reminders that one listener has not had yet, each with the reason why it is withheld, if it is."""
    recipient, audience = _recipient(run, due, listener), listener.audience
    mine = and_(
        reminder.c.item_id == due.c.id, reminder.c.recipient == recipient, reminder.c.audience == audience.value
    )
    known = select(1).where(mine, reminder.c.deadline == due.c.deadline, reminder.c.step == due.c.step)
    times = select(func.count()).where(mine, reminder.c.withheld.is_(None)).scalar_subquery()
    withheld = case((times >= run.rule.cap, "cap"), (recipient.not_in(reached), "nobody"), else_=null())
    stamp = (literal(run.as_of, reminder.c.as_of.type), literal(run.now, reminder.c.queued_at.type))
    return select(
        due.c.id, due.c.deadline, due.c.step, recipient, literal(audience.value, String), withheld, *stamp
    ).where(_listens(run, due, listener), recipient.is_not(None), ~known.exists())


def _listens(run: _Run, due: CTE, listener: Listener) -> ColumnElement[bool]:
    """Whether a listener hears of an item's step, and is not the same as one above it in the table."""
    above = AUDIENCES[: AUDIENCES.index(listener)]
    same = [one for one in above if one.audience is listener.audience]
    apart = [_recipient(run, due, listener).is_distinct_from(_recipient(run, due, one)) for one in same]
    return and_(true() if listener.from_step is None else due.c.step >= listener.from_step, *apart)
