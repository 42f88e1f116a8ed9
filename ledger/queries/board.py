"""总览 beside the roll-up: overdue by unit, what falls due, the counties."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import case, func, or_, select, text, union_all

from ledger.database import Session
from ledger.queries.items import timing_of
from ledger.queries.reading import Reading
from ledger.tables import duty, requirement, unit, work_item
from policy_models.calendars import Confidence
from policy_models.lifecycle import UNFINISHED, State
from policy_models.timing import DONE, LATE, NOT_EXPECTED, RED_RETURNS, Timing

# The words of the partial indexes, as literals: with parameters neither database would use them.
OWED_NOW = text("work_item.state IN ('open', 'returned') AND work_item.catch_up = ''")
SCHEDULED_NOW = text("work_item.state = 'scheduled'")


@dataclass(frozen=True, slots=True)
class OverdueUnit:
    """``overdue`` items of a unit, ``long_overdue`` of them red, the oldest due on ``oldest``."""

    code: str
    name: str
    county: str
    overdue: int
    long_overdue: int
    oldest: date


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A matter that falls due on a day: by how many units; how many of them have still to report (``waiting``), and
    how many have reported and wait for review (``reviewing``)."""

    deadline: date
    remind_by: date
    requirement: str
    title: str
    section: str
    period: str
    units: int
    waiting: int
    reviewing: int
    confidence: Confidence
    why: str
    doubted: tuple[str, ...] = ()

    @property
    def inferred(self) -> bool:
        return self.confidence is not Confidence.ANNOUNCED or bool(self.doubted)


@dataclass(frozen=True, slots=True)
class DueCount:
    """Items with a deadline in a span of days, and how many of them are done."""

    total: int
    done: int


def overdue_by_unit(session: Session, reading: Reading, *, under: str | None = None) -> tuple[OverdueUnit, ...]:
    """Units with overdue items, worst first (red, then all, then oldest): one statement. ``under``: a county."""
    late = _late(reading)
    red = case((late.c.timing == Timing.LONG_OVERDUE.value, 1), else_=0)
    group = (unit.c.code, unit.c.name, unit.c.county)
    counted = (func.count().label("overdue"), func.sum(red).label("red"), func.min(late.c.deadline).label("oldest"))
    chosen = select(*group, *counted).join(late, late.c.unit_code == unit.c.code).group_by(*group)
    if under is not None:
        chosen = chosen.where(unit.c.county == under)
    found = [OverdueUnit(r.code, r.name, r.county, r.overdue, int(r.red), r.oldest) for r in session.execute(chosen)]
    return tuple(sorted(found, key=lambda u: (-u.long_overdue, -u.overdue, u.oldest, u.code)))


def _late(reading: Reading) -> Any:
    """The overdue items: today through the two partial indexes, so that the cost is that of what is open."""
    source = reading.items()
    past = or_(source.c.deadline < reading.as_of, source.c.returns >= RED_RETURNS)
    parts: list[Any] = [[OWED_NOW, past], [SCHEDULED_NOW, source.c.opens_on <= reading.as_of, past]]
    if source is not work_item:
        parts = [[past]]
    timing = timing_of(source.c, reading)
    late = [reading.seen(source.c), timing.in_([one.value for one in LATE])]
    chosen = [
        select(source.c.unit_code, source.c.deadline, timing.label("timing")).where(*late, *part) for part in parts
    ]
    return union_all(*chosen).subquery("late")


def upcoming(session: Session, reading: Reading, *, days: int = 30) -> tuple[Upcoming, ...]:
    """What falls due from the day on, up to ``days`` civil days later, by day and matter: one statement."""
    source = reading.items()
    columns = source.c
    unreported = [state.value for state in UNFINISHED if state is not State.SUBMITTED]
    waiting = case((columns.state.in_(unreported), 1), else_=0)
    reviewing = case((columns.state == State.SUBMITTED.value, 1), else_=0)
    group: tuple[Any, ...] = (
        columns.deadline,
        requirement.c.code,
        requirement.c.title,
        requirement.c.section,
        columns.period,
    )
    chosen = (
        select(
            *group,
            func.count().label("units"),
            func.sum(waiting).label("waiting"),
            func.sum(reviewing).label("reviewing"),
            func.min(duty.c.remind_by).label("remind_by"),
            func.max(duty.c.confidence).label("confidence"),
            func.max(duty.c.why).label("why"),
        )
        .select_from(
            source.join(requirement, requirement.c.id == columns.requirement_id).outerjoin(
                duty, duty.c.id == columns.duty_id
            )
        )
        .where(requirement.c.plan_id == reading.plan_id, reading.seen(columns))
        .where(columns.deadline.between(reading.as_of, reading.as_of + timedelta(days=days)))
        .where(columns.state.not_in(["waived", "cancelled"]), columns.catch_up == "")
        .group_by(*group)
        .order_by(columns.deadline, requirement.c.code)
    )
    return tuple(_upcoming(row, reading) for row in session.execute(chosen))


def _upcoming(row: Any, reading: Reading) -> Upcoming:
    remind_by = row.remind_by or reading.calendars.work.on_or_before(row.deadline)
    confidence = Confidence(row.confidence) if row.confidence else Confidence.ANNOUNCED
    return Upcoming(
        row.deadline,
        remind_by,
        row.code,
        row.title,
        row.section,
        row.period,
        row.units,
        int(row.waiting),
        int(row.reviewing),
        confidence,
        row.why or "事件发生后的规定期限",
        reading.doubted.get(row.code, ()),
    )


def due_between(session: Session, reading: Reading, first: date, last: date) -> DueCount:
    """Expected items with a deadline from ``first`` to ``last`` (both included): one statement."""
    source = reading.items()
    timing = timing_of(source.c, reading)
    done = case((timing.in_([t.value for t in DONE]), 1), else_=0)
    row = session.execute(
        select(func.count().label("total"), func.coalesce(func.sum(done), 0).label("done"))
        .select_from(source.join(requirement, requirement.c.id == source.c.requirement_id))
        .where(requirement.c.plan_id == reading.plan_id, reading.seen(source.c))
        .where(source.c.deadline.between(first, last), timing.not_in([t.value for t in NOT_EXPECTED]))
    ).one()
    return DueCount(row.total, int(row.done))
