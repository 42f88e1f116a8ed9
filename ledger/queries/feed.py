"""What a unit's calendar feed holds: dated facts of all plans, and the stamps that move only when a fact moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from ledger import plans
from ledger.civil import SHANGHAI, civil_date
from ledger.database import Session
from ledger.queries.reading import doubted_dates
from ledger.tables import duty, plan, requirement, unit, work_item
from policy_models.calendars import Calendars, Confidence
from policy_models.errors import NotFound
from policy_models.lifecycle import OWED, UNFINISHED, State
from policy_models.timing import CatchUp

DAYS_BACK, DAYS_AHEAD = 90, 400
ENDED_DAYS = 30  # how long a cancelled or waived item stays in the feed


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One dated item. ``planned`` is the deadline of the timetable where an extension moved it; ``stamp`` (UTC) the
    newest of all facts that its event shows; ``doubted``: the fields of its requirement that make the date 推定."""

    key: str
    revision: int
    requirement: str
    title: str
    section: str
    unit_name: str
    period: str
    deadline: date
    remind_by: date
    planned: date | None
    confidence: Confidence
    why: str
    state: State
    reason: str | None
    created_at: datetime
    stamp: datetime
    doubted: tuple[str, ...] = ()

    @property
    def inferred(self) -> bool:
        return self.confidence is not Confidence.ANNOUNCED or bool(self.doubted)


@dataclass(frozen=True, slots=True)
class FeedBacklog:
    """待补录 of one plan: how many, since which go-live date; ``revision`` grows with every act on them."""

    plan_code: str
    count: int
    go_live_on: date
    revision: int
    created_at: datetime
    stamp: datetime


@dataclass(frozen=True)
class Feed:
    """Everything one feed shows. ``changed_at`` (UTC) never goes back: it also knows what has left the window.
    ``calendars`` by plan code name the periods."""

    unit_code: str
    unit_name: str
    plan_titles: tuple[str, ...]
    demonstration: bool
    items: tuple[FeedItem, ...]
    backlogs: tuple[FeedBacklog, ...]
    calendars: dict[str, Calendars]
    stamp: datetime
    changed_at: datetime


def feed(session: Session, unit_code: str, *, now: datetime) -> Feed:
    """The feed of a unit: deadlines from 90 days back to 400 days ahead and all that is owed, by date and key.

    The same facts give the same value on any day, until an item enters or leaves the window. Raises NotFound.
    """
    own = session.execute(select(unit.c.code, unit.c.name, unit.c.changed_at).where(unit.c.code == unit_code)).first()
    if own is None:
        raise NotFound(f"没有代码为“{unit_code[:24]}”的单位")
    known = {row.id: row for row in session.execute(select(plan).order_by(plan.c.starts_on, plan.c.code))}
    plan_stamps = {id: max(row.loaded_at, row.calendars_changed_at) for id, row in known.items()}
    today = civil_date(now)
    rows = session.execute(_dated(unit_code, today)).all()
    backlogs = session.execute(_backlog(unit_code)).all()
    history = session.execute(_history(unit_code, today)).one()
    stamp = max([own.changed_at, *plan_stamps.values()])
    calendars = {id: plans.calendars(session, row.code) for id, row in known.items()}
    doubted = {id: doubted_dates(plans.plan_document(session, row.code)) for id, row in known.items()}
    items = tuple(
        _item(r, own, max(own.changed_at, plan_stamps[r.plan_id]), calendars[r.plan_id], doubted[r.plan_id])
        for r in rows
    )
    crossings = _crossings(history, today)
    return Feed(
        own.code,
        own.name,
        tuple(row.title for row in known.values()),
        any(row.demonstration for row in known.values()),
        items,
        tuple(_backlog_of(row, known[row.plan_id], own.changed_at) for row in backlogs if row.waiting),
        {row.code: calendars[id] for id, row in known.items()},
        stamp,
        max([stamp, *crossings, *([history.newest] if history.newest else [])]),
    )


def _dated(unit_code: str, today: date) -> Any:
    items = work_item.c
    near = items.deadline.between(today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD))
    ended = items.state.in_([State.WAIVED.value, State.CANCELLED.value])
    lately = items.changed_at >= _midnight(today - timedelta(days=ENDED_DAYS))
    owed = items.state.in_([state.value for state in OWED])
    return (
        select(
            items.key,
            items.plan_id,
            items.revision,
            items.period,
            items.deadline,
            items.state,
            items.reason,
            items.created_at,
            items.changed_at,
            requirement.c.code,
            requirement.c.title,
            requirement.c.section,
            duty.c.deadline.label("planned"),
            duty.c.remind_by,
            duty.c.confidence,
            duty.c.why,
        )
        .join(requirement, requirement.c.id == items.requirement_id)
        .outerjoin(duty, duty.c.id == items.duty_id)
        .where(items.unit_code == unit_code, items.catch_up == "")
        .where(or_(owed, and_(near, ~ended), and_(ended, lately)))
        .order_by(items.deadline, items.key)
    )


def _backlog(unit_code: str) -> Any:
    items = work_item.c
    waiting = case((items.state.in_([state.value for state in UNFINISHED - {State.SUBMITTED}]), 1), else_=0)
    return (
        select(
            items.plan_id,
            func.sum(waiting).label("waiting"),
            func.sum(items.revision).label("revision"),
            func.min(items.created_at).label("created_at"),
            func.max(items.changed_at).label("changed_at"),
        )
        .where(items.unit_code == unit_code, items.catch_up == CatchUp.BACKFILL.value)
        .group_by(items.plan_id)
        .order_by(items.plan_id)
    )


def _history(unit_code: str, today: date) -> Any:
    """What the unit's items say of the past: the newest change, and the deadlines that crossed the window's edges."""
    items = work_item.c
    own = items.catch_up == ""
    settled = items.state.not_in([state.value for state in OWED])  # what is owed never leaves
    left = case((and_(own, settled, items.deadline < today - timedelta(days=DAYS_BACK)), items.deadline))
    entered = case((and_(own, items.deadline <= today + timedelta(days=DAYS_AHEAD)), items.deadline))
    ended = items.state.in_([State.WAIVED.value, State.CANCELLED.value])
    gone = case((and_(own, ended, items.changed_at < _midnight(today - timedelta(days=ENDED_DAYS))), items.changed_at))
    return select(
        func.max(items.changed_at).label("newest"),
        func.max(left).label("left"),
        func.max(entered).label("entered"),
        func.max(gone).label("gone"),
    ).where(items.unit_code == unit_code)


def _crossings(history: Any, today: date) -> list[datetime]:
    """When an item last entered or left the window: instants that only grow, none after ``today`` began."""
    found = []
    if history.left:
        found.append(_midnight(history.left + timedelta(days=DAYS_BACK + 1)))
    if history.entered:
        found.append(_midnight(min(today, history.entered - timedelta(days=DAYS_AHEAD))))
    if history.gone:
        found.append(_midnight(civil_date(history.gone) + timedelta(days=ENDED_DAYS + 1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def _item(row: Any, own: Any, stamp: datetime, calendars: Calendars, doubted: dict[str, tuple[str, ...]]) -> FeedItem:
    moved = row.planned is not None and row.planned != row.deadline
    return FeedItem(
        row.key,
        row.revision,
        row.code,
        row.title,
        row.section,
        own.name,
        row.period,
        row.deadline,
        row.remind_by if row.remind_by and not moved else calendars.work.on_or_before(row.deadline),
        row.planned if moved else None,
        Confidence(row.confidence) if row.confidence else Confidence.ANNOUNCED,
        row.why or "事件发生后的规定期限",
        State(row.state),
        row.reason,
        row.created_at,
        max(row.changed_at, stamp),
        doubted.get(row.code, ()),
    )


def _backlog_of(row: Any, of_plan: Any, unit_changed_at: datetime) -> FeedBacklog:
    stamp = max(row.changed_at, unit_changed_at)
    return FeedBacklog(of_plan.code, int(row.waiting), of_plan.go_live_on, int(row.revision), row.created_at, stamp)
