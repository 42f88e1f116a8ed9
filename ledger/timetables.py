"""The timetable of a plan in the ledger: duties saved, and what a new revision moves or cancels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, select, update

from ledger import tally
from ledger.acts import SYSTEM, act_on_all
from ledger.database import Session
from ledger.plans import requirement_ids
from ledger.tables import ALL_AREAS, duty, requirement, work_item
from policy_models.calendars import Calendars
from policy_models.deadlines import Duty, timetable
from policy_models.lifecycle import UNFINISHED, Act
from policy_models.plan import Plan
from policy_models.units import Units

DATES = ("phase", "opens_on", "deadline")  # what work items carry over from their duty
CANCELLED_NOTE = "方案修订后不再要求"


def save(
    session: Session, plan_id: int, plan: Plan, units: Units, calendars: Calendars, *, now: datetime
) -> tuple[int, int]:
    """Save the plan's duties; (items moved to new dates, items cancelled).

    Finished items keep their dates. An item whose deadline differs from its duty's was moved by a granted extension
    and is never reset.
    """
    ids = requirement_ids(session, plan_id)
    wanted = {
        _identity(row): row
        for row in (_row(d, ids) for d in timetable(plan, calendars, [c.code for c in units.counties]))
    }
    rows = session.execute(
        select(duty).where(duty.c.requirement_id.in_(select(requirement.c.id).where(requirement.c.plan_id == plan_id)))
    )
    known = {(r.requirement_id, r.period, r.area): r for r in rows}
    new = [row for key, row in wanted.items() if key not in known]
    if new:
        session.execute(insert(duty), new)
    changed = [
        (known[key], row)
        for key, row in wanted.items()
        if key in known and any(getattr(known[key], name) != value for name, value in row.items())
    ]
    moved = _move(session, changed, now)
    gone = [row.id for key, row in known.items() if key not in wanted and not row.dropped]
    return moved, _cancel(session, gone, now)


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


def _move(session: Session, changed: list[tuple[Any, dict[str, Any]]], now: datetime) -> int:
    """Carry new dates over to the unfinished items of changed duties."""
    if not changed:
        return 0
    dated = [old.id for old, row in changed if any(getattr(old, name) != row[name] for name in DATES)]
    # fixed before the duties change: the items of these duties that still stand on their duty's deadline
    which = _on_their_duty(session, dated)
    tally.add(session, which, -1)
    names = [name for name in changed[0][1] if name not in ("requirement_id", "period", "area")]
    session.execute(
        update(duty).where(duty.c.id == bindparam("_id")).values({name: bindparam(f"_{name}") for name in names}),
        [{"_id": old.id, **{f"_{name}": row[name] for name in names}} for old, row in changed],
    )
    own = duty.c.id == work_item.c.duty_id
    values: dict[str, Any] = {name: select(duty.c[name]).where(own).scalar_subquery() for name in DATES}
    revision = work_item.c.revision + 1
    met = session.execute(update(work_item).where(which).values(**values, revision=revision, changed_at=now))
    tally.add(session, which, +1)
    return int(met.rowcount)


def _on_their_duty(session: Session, duties: list[int]) -> ColumnElement[bool]:
    states = [state.value for state in UNFINISHED]
    rows = session.execute(
        select(work_item.c.id)
        .join(duty, duty.c.id == work_item.c.duty_id)
        .where(duty.c.id.in_(duties), work_item.c.state.in_(states), work_item.c.deadline == duty.c.deadline)
    )
    return work_item.c.id.in_([row.id for row in rows])


def _cancel(session: Session, gone: list[int], now: datetime) -> int:
    if not gone:
        return 0
    session.execute(update(duty).where(duty.c.id.in_(gone)).values(dropped=True))
    which = work_item.c.duty_id.in_(gone)
    return act_on_all(session, which, Act.CANCEL, by=SYSTEM, now=now, note=CANCELLED_NOTE)
