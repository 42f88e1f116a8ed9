"""The timetable of a plan in the ledger: its duties saved, and the work items brought in line with them.

Finished items keep their dates, and an item that a granted extension moved (``extended``) is never reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, insert, or_, select, update

from ledger import issuing, moves, tally
from ledger.acts import SYSTEM, act_on_all
from ledger.database import Session, refresh_statistics
from ledger.plans import plan_summary, requirement_ids
from ledger.tables import ALL_AREAS, assignee, duty, requirement, unit, work_item
from ledger.tables import plan as plan_table
from policy_models.calendars import Calendars
from policy_models.deadlines import Duty, timetable
from policy_models.lifecycle import UNFINISHED, Act, State
from policy_models.plan import Plan
from policy_models.units import Units

CANCELLED_NOTE = "方案或责任单位调整后不再要求"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many work items were created, moved to new dates, cancelled."""

    added: int
    moved: int
    cancelled: int


def save(session: Session, plan_id: int, plan: Plan, units: Units, calendars: Calendars) -> None:
    """Save the plan's duties: new ones added, changed ones updated, the others marked as dropped."""
    ids = requirement_ids(session, plan_id)
    duties = timetable(plan, calendars, [county.code for county in units.counties])
    wanted = {_identity(row): row for row in (_row(one, ids) for one in duties)}
    known = {(r.requirement_id, r.period, r.area): r for r in session.execute(select(duty).where(_of(plan_id)))}
    if new := [row for key, row in wanted.items() if key not in known]:
        session.execute(insert(duty), new)
    changed = [
        {"_id": known[key].id, **{f"_{name}": value for name, value in row.items()}}
        for key, row in wanted.items()
        if key in known and any(getattr(known[key], name) != value for name, value in row.items())
    ]
    if changed:
        names = [name.removeprefix("_") for name in changed[0] if name != "_id"]
        values: dict[str, Any] = {name: bindparam(f"_{name}") for name in names}
        session.execute(update(duty).where(duty.c.id == bindparam("_id")).values(values), changed)
    gone = [{"_id": row.id} for key, row in known.items() if key not in wanted and not row.dropped]
    if gone:
        session.execute(update(duty).where(duty.c.id == bindparam("_id")).values(dropped=True), gone)


def _of(plan_id: int) -> ColumnElement[bool]:
    return duty.c.requirement_id.in_(select(requirement.c.id).where(requirement.c.plan_id == plan_id))


def _row(one: Duty, ids: dict[str, int]) -> dict[str, Any]:
    return {
        "requirement_id": ids[one.requirement],
        "period": one.period,
        "area": ALL_AREAS if one.area is None else one.area,
        "phase": one.phase,
        "opens_on": one.opens_on,
        "deadline": one.deadline,
        "remind_by": one.remind_by,
        "confidence": one.confidence.value,
        "why": one.why,
        "dropped": False,
    }


def _identity(row: dict[str, Any]) -> tuple[int, str, str]:
    return row["requirement_id"], row["period"], row["area"]


def reconcile(session: Session, plan_code: str, *, now: datetime) -> Reconciled:
    """Bring the work items in line with duties, assignees and units: created, moved, cancelled. All in sets."""
    plan_id = plan_summary(session, plan_code).id
    refresh_statistics(session, "unit", "requirement", "assignee", "duty", "work_item")
    unfinished = and_(work_item.c.plan_id == plan_id, work_item.c.state.in_([state.value for state in UNFINISHED]))
    _rehome(session, unfinished)
    moved = _move(session, unfinished, now)
    cancelled = act_on_all(session, and_(unfinished, _unwanted()), Act.CANCEL, by=SYSTEM, now=now, note=CANCELLED_NOTE)
    session.execute(update(duty).where(_of(plan_id)).values(scheduled_for=""))
    added = issuing.schedule_items(session, plan_code, now=now)
    tally.rebuild(session, plan_id)
    return Reconciled(added, moved, cancelled)


def _rehome(session: Session, unfinished: ColumnElement[bool]) -> None:
    """Hang each item under the duty that is now its own: areas come and go with the counties' school calendars."""
    county = select(unit.c.county).where(unit.c.code == work_item.c.unit_code).correlate(work_item).scalar_subquery()
    own = and_(
        duty.c.requirement_id == work_item.c.requirement_id,
        duty.c.period == work_item.c.period,
        duty.c.dropped.is_(False),
        or_(duty.c.area == ALL_AREAS, duty.c.area == county),
    )
    another = select(1).where(own, duty.c.id != work_item.c.duty_id).correlate(work_item)
    home = select(func.min(duty.c.id)).where(own).correlate(work_item).scalar_subquery()
    astray = and_(unfinished, work_item.c.duty_id.is_not(None), exists(another))
    session.execute(update(work_item).where(astray).values(duty_id=home))


def _move(session: Session, unfinished: ColumnElement[bool], now: datetime) -> int:
    """Carry the duties' dates over; an item that leaves the time before go-live is an ordinary one again."""
    own = and_(duty.c.id == work_item.c.duty_id, plan_table.c.id == work_item.c.plan_id, duty.c.dropped.is_(False))
    past = case((duty.c.deadline < plan_table.c.go_live_on, plan_table.c.catch_up), else_="")
    wanted: dict[str, Any] = {
        "opens_on": duty.c.opens_on,
        "deadline": duty.c.deadline,
        "phase": duty.c.phase,
        "catch_up": past,
    }
    differs = exists(select(1).where(own, or_(*(work_item.c[name] != value for name, value in wanted.items()))))
    values = {name: select(value).where(own).scalar_subquery() for name, value in wanted.items()}
    astray = and_(unfinished, work_item.c.extended.is_(False), differs)
    moves.remember(session, astray, cause="revision", now=now)
    met = session.execute(
        update(work_item).where(astray).values(**values, revision=work_item.c.revision + 1, changed_at=now)
    )
    return int(met.rowcount)


def _unwanted() -> ColumnElement[bool]:
    """Items whose requirement or duty was dropped, or whose unit does not owe the requirement any more."""
    owes = exists(
        select(1).where(
            unit.c.code == work_item.c.unit_code,
            unit.c.active,
            or_(
                unit.c.closed_on.is_(None),
                unit.c.closed_on > work_item.c.deadline,
                work_item.c.state == State.SUBMITTED.value,  # handed in before the unit was closed
            ),
            assignee.c.requirement_id == work_item.c.requirement_id,
            or_(
                assignee.c.unit_code == unit.c.code,
                and_(assignee.c.level == unit.c.level, assignee.c.function == unit.c.function),
            ),
        )
    )
    dropped = exists(select(1).where(requirement.c.id == work_item.c.requirement_id, requirement.c.dropped))
    idle = exists(select(1).where(duty.c.id == work_item.c.duty_id, duty.c.dropped))
    return or_(dropped, idle, and_(work_item.c.duty_id.is_not(None), ~owes))
