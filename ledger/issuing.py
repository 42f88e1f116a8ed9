"""交办: work items are created for every unit that owes a duty, and opened when their time comes. All in sets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from ledger import evenings, tally
from ledger.acts import SYSTEM, Actor, act_on_all, standing
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import calendars, plan_document, plan_summary
from ledger.plans import requirement as plan_requirement
from ledger.tables import ALL_AREAS, assignee, duty, plan, requirement, unit, work_item
from ledger.units import all_units, units_digest
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotResponsible
from policy_models.lifecycle import Act, State
from policy_models.occurrences import due_after
from policy_models.timing import CatchUp
from policy_models.work_items import item_key

ITEM_COLUMNS = (
    "key",
    "plan_id",
    "requirement_id",
    "duty_id",
    "unit_code",
    "period",
    "phase",
    "opens_on",
    "deadline",
    "state",
    "catch_up",
    "created_at",
    "changed_at",
)


def schedule_items(session: Session, plan_code: str, *, now: datetime) -> int:
    """Create every work item of the plan that does not exist yet; how many there were.

    The number of statements does not depend on the items, and a second time costs next to nothing: a duty remembers
    the units it was created for. Items dated before go-live take the plan's catch-up; 豁免 waives them at once.
    """
    summary = plan_summary(session, plan_code)
    digest = units_digest(all_units(session))
    pending = and_(
        duty.c.requirement_id.in_(select(requirement.c.id).where(requirement.c.plan_id == summary.id)),
        duty.c.scheduled_for != digest,
        duty.c.dropped.is_(False),
    )
    if session.execute(select(func.count()).select_from(duty).where(pending)).scalar_one() == 0:
        return 0
    before = _newest(session)
    owed = _owed_by_name(pending, now).union_all(_owed_by_level(pending, now))
    session.execute(insert(work_item).from_select(ITEM_COLUMNS, owed))
    created = work_item.c.id > before
    count = session.execute(select(func.count()).select_from(work_item).where(created)).scalar_one()
    tally.add(session, created, +1)
    evenings.forget_since(session, now)
    session.execute(update(duty).where(pending).values(scheduled_for=digest))
    if summary.catch_up is CatchUp.WAIVE:
        _waive_the_past(session, summary.id, now)
    return int(count)


def _newest(session: Session) -> int:
    return int(session.execute(select(func.coalesce(func.max(work_item.c.id), 0))).scalar_one())


def _owed(pending: Any, now: datetime) -> tuple[Select[Any], Any]:
    """The columns of new items over duty × requirement × plan × assignee × unit, without the join to units."""
    key = plan.c.code + ":" + requirement.c.code + ":" + unit.c.code + ":" + duty.c.period
    instant = literal(now, work_item.c.created_at.type)
    past = case((duty.c.deadline < plan.c.go_live_on, plan.c.catch_up), else_="")
    columns: list[Any] = [
        key,
        plan.c.id,
        requirement.c.id,
        duty.c.id,
        unit.c.code,
        duty.c.period,
        duty.c.phase,
        duty.c.opens_on,
        duty.c.deadline,
        literal(State.SCHEDULED.value),
        past,
        instant,
        instant,
    ]
    here = or_(duty.c.area == ALL_AREAS, duty.c.area == unit.c.county)
    exists = select(1).where(work_item.c.key == key).exists()
    still_there = or_(unit.c.closed_on.is_(None), unit.c.closed_on > duty.c.deadline)
    return select(*columns).where(pending, here, unit.c.active, still_there, ~exists), _duties()


def _duties() -> Any:
    return (
        duty.join(requirement, requirement.c.id == duty.c.requirement_id)
        .join(plan, plan.c.id == requirement.c.plan_id)
        .join(assignee, assignee.c.requirement_id == requirement.c.id)
    )


def _owed_by_name(pending: Any, now: datetime) -> Select[Any]:
    query, duties = _owed(pending, now)
    return query.select_from(duties.join(unit, unit.c.code == assignee.c.unit_code))


def _owed_by_level(pending: Any, now: datetime) -> Select[Any]:
    query, duties = _owed(pending, now)
    same = and_(unit.c.level == assignee.c.level, unit.c.function == assignee.c.function)
    return query.select_from(duties.join(unit, same))


def _waive_the_past(session: Session, plan_id: int, now: datetime) -> None:
    reason = session.execute(select(plan.c.catch_up_reason).where(plan.c.id == plan_id)).scalar_one()
    past = and_(
        work_item.c.plan_id == plan_id,
        work_item.c.catch_up == CatchUp.WAIVE.value,
        work_item.c.state == State.SCHEDULED.value,
    )
    act_on_all(session, past, Act.WAIVE, by=SYSTEM, now=now, note=reason, reason=reason)


def issue_due(
    session: Session, plan_code: str, *, as_of: date, now: datetime, sections: Collection[str] | None = None
) -> int:
    """Open every scheduled item whose time has come by ``as_of``; how many there were.

    ``sections`` (``task-5``, ``phase-2``, ``safeguard-3``) limits it to theirs. What was missed on earlier days is
    made good, and what is only counted (仅统计) is never opened.
    """
    plan_id = plan_summary(session, plan_code).id
    due = and_(
        work_item.c.plan_id == plan_id,
        work_item.c.state == State.SCHEDULED.value,
        work_item.c.opens_on <= as_of,
        work_item.c.catch_up != CatchUp.COUNT_ONLY.value,
    )
    if sections is not None:
        own = select(requirement.c.id).where(requirement.c.plan_id == plan_id, requirement.c.section.in_(sections))
        due = and_(due, work_item.c.requirement_id.in_(own))
    return act_on_all(session, due, Act.ISSUE, by=SYSTEM, now=now)


def raise_event(
    session: Session, plan_code: str, requirement_code: str, unit_code: str, *, by: Actor, now: datetime
) -> str:
    """Raise an item of an on-event requirement for a unit, open at once; its key. A deadline runs from now.

    The unit itself or the coordinator may. Raises NotFound, NotResponsible, ActNotAllowed.
    """
    summary = plan_summary(session, plan_code)
    wanted = plan_requirement(session, plan_code, requirement_code)
    document, units = plan_document(session, plan_code), all_units(session)
    if wanted.recurrence is None or wanted.recurrence.within is None:
        raise ActNotAllowed(f"事项 {requirement_code} 不是按情形触发的，不能另行立项")
    if by.unit not in (unit_code, summary.coordinator):
        raise NotResponsible("只有本单位或统筹单位可以立项")
    if units.one(unit_code) not in units.assigned(wanted.assignee, document.organs):
        raise NotResponsible(f"{units.one(unit_code).name}不是事项 {requirement_code} 的责任单位")
    today = civil_date(now)
    deadline = due_after(wanted.recurrence.within, today, calendars(session, plan_code).work)
    row_id = select(requirement.c.id).where(requirement.c.plan_id == summary.id, requirement.c.code == requirement_code)
    requirement_id = session.execute(row_id).scalar_one()
    mine = and_(work_item.c.requirement_id == requirement_id, work_item.c.unit_code == unit_code)
    number = session.execute(select(func.count()).select_from(work_item).where(mine)).scalar_one() + 1
    period = f"event-{number:03}"
    key = item_key(plan_code, requirement_code, unit_code, period)
    values = {
        "key": key,
        "plan_id": summary.id,
        "requirement_id": requirement_id,
        "unit_code": unit_code,
        "period": period,
        "phase": document.phase_on(today).number,
        "opens_on": today,
        "deadline": deadline,
        "created_at": now,
        "changed_at": now,
    }
    try:
        session.execute(insert(work_item).values(values))
    except IntegrityError as error:
        raise ChangedMeanwhile("同一事项刚刚立项，请刷新后再看") from error
    fresh = work_item.c.id == standing(session, key).id
    tally.add(session, fresh, +1)
    act_on_all(session, fresh, Act.ISSUE, by=by, now=now)
    return key
