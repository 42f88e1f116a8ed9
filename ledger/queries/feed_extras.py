"""What a feed shows beside items: 待补录 in one event, half-year rounds, days off and make-up work days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import WholePlan
from ledger.queries.feed_items import DAYS_AHEAD, DAYS_BACK, Extent, crossings, midnight
from ledger.queries.reading import doubted_dates
from ledger.tables import duty, plan, requirement, round_, work_item
from policy_models.calendars import Calendars, Confidence
from policy_models.feeds import OF_PLAN, Choice, Component, Scope
from policy_models.lifecycle import UNFINISHED, State
from policy_models.plan import Collects
from policy_models.timing import CatchUp


@dataclass(frozen=True, slots=True)
class FeedBacklog:
    """待补录 of one plan: how many, since which go-live date; ``sequence`` grows with every act on them."""

    plan_code: str
    count: int
    go_live_on: date
    sequence: int
    created_at: datetime
    stamp: datetime


@dataclass(frozen=True, slots=True)
class FeedRound:
    """One end of a half-year round: ``opening`` or not; ``day`` a civil date."""

    plan_code: str
    period: str
    opening: bool
    day: date
    deadline: date
    inferred: bool
    why: str
    sequence: int
    stamp: datetime


@dataclass(frozen=True, slots=True)
class FeedDays:
    """Days off in one piece, or one make-up work day; civil dates, both included."""

    id: str
    name: str
    first: date
    last: date
    work: bool
    inferred: bool
    why: str


def backlogs(session: Session, of: Extent) -> tuple[FeedBacklog, ...]:
    """待补录 by plan, also where nothing waits any more: its last change counts. Not told of a task or a phase."""
    if of.subject.scope in OF_PLAN:
        return ()
    items = work_item.c
    waiting = case((items.state.in_([state.value for state in UNFINISHED - {State.SUBMITTED}]), 1), else_=0)
    mine = of.mine(items.unit_code)
    rows = session.execute(
        select(
            plan.c.code,
            plan.c.go_live_on,
            plan.c.version,
            func.sum(waiting).label("waiting"),
            func.sum(items.revision).label("revision"),
            func.min(items.created_at).label("created_at"),
            func.max(items.changed_at).label("changed_at"),
        )
        .join(plan, plan.c.id == items.plan_id)
        .where(items.catch_up == CatchUp.BACKFILL.value, *([mine] if mine is not None else []))
        .group_by(plan.c.code, plan.c.go_live_on, plan.c.version)
        .order_by(plan.c.code)
    )
    return tuple(
        FeedBacklog(
            row.code,
            int(row.waiting),
            row.go_live_on,
            int(row.revision) + row.version,
            row.created_at,
            row.changed_at,
        )
        for row in rows
    )


def rounds(session: Session, of: Extent, choice: Choice, known: Iterable[WholePlan]) -> tuple[FeedRound, ...]:
    """The half-year rounds of those who submit (when they open; the deadline is the report's own event) and of the
    coordinator (when they open and when they close), in any window. None in a feed of to-dos or of what is owed only."""
    units, skipped = of.units, choice.open_only or bool(choice.tasks) or choice.component is Component.TODO
    if units is None or of.subject.scope in OF_PLAN or of.subject.scope is Scope.FUNCTION or skipped:
        return ()
    mine, coordinates = work_item.c.unit_code.in_(units), plan.c.coordinator.in_(units)
    rows = session.execute(_round_dates(mine, coordinates))
    doubted = {one.summary.code: doubted_dates(one.plan) for one in known}
    return tuple(one for row in rows for one in _ends(row, row.requirement in doubted[row.code]))


def in_window(found: tuple[FeedRound, ...], today: date) -> tuple[FeedRound, ...]:
    """Those that a feed shows on a day."""
    return tuple(one for one in found if -DAYS_BACK <= (one.day - today).days <= DAYS_AHEAD)


def round_crossings(found: tuple[FeedRound, ...], today: date) -> list[datetime]:
    """When a round last entered or left the window."""
    left = [one.day for one in found if (one.day - today).days < -DAYS_BACK]
    entered = [one.day for one in found if (one.day - today).days <= DAYS_AHEAD]
    return crossings(today, left=max(left, default=None), entered=max(entered, default=None), gone=None)


def _round_dates(mine: Any, coordinates: Any) -> Any:
    reports = and_(requirement.c.collects == Collects.REPORT.value, work_item.c.catch_up == "")
    opened = and_(round_.c.plan_id == plan.c.id, round_.c.code == work_item.c.period)
    forecast = case((duty.c.confidence != Confidence.ANNOUNCED.value, 1), else_=0)
    return (
        select(
            plan.c.code,
            plan.c.version,
            plan.c.loaded_at,
            plan.c.calendars_changed_at,
            work_item.c.period,
            round_.c.opened_at,
            func.min(requirement.c.code).label("requirement"),
            func.min(duty.c.opens_on).label("opens_on"),
            func.max(duty.c.deadline).label("deadline"),
            func.max(forecast).label("forecast"),
            func.max(duty.c.why).label("why"),
            func.max(case((coordinates, 1), else_=0)).label("coordinates"),
        )
        .select_from(
            work_item.join(requirement, requirement.c.id == work_item.c.requirement_id)
            .join(duty, duty.c.id == work_item.c.duty_id)
            .join(plan, plan.c.id == work_item.c.plan_id)
            .outerjoin(round_, opened)
        )
        .where(reports, or_(mine, coordinates))
        .group_by(
            plan.c.code,
            plan.c.version,
            plan.c.loaded_at,
            plan.c.calendars_changed_at,
            work_item.c.period,
            round_.c.opened_at,
        )
        .order_by(plan.c.code, work_item.c.period)
    )


def _ends(row: Any, doubted: bool) -> Iterator[FeedRound]:
    opens_on = civil_date(row.opened_at) if row.opened_at else row.opens_on
    stamp = max(row.loaded_at, row.calendars_changed_at, *([row.opened_at] if row.opened_at else []))
    common = (row.deadline, bool(row.forecast) or doubted, row.why, row.version + bool(row.opened_at), stamp)
    yield FeedRound(row.code, row.period, True, opens_on, *common)
    if row.coordinates:
        yield FeedRound(row.code, row.period, False, row.deadline, *common)


def days_off(calendars: Calendars, choice: Choice, *, today: date) -> tuple[FeedDays, ...]:
    """The days off and make-up work days of this year and the next, where the subscriber wants them, by date."""
    if not choice.holidays or choice.component is Component.TODO:
        return ()
    found: dict[tuple[date, date], FeedDays] = {}
    for year in (today.year, today.year + 1):
        arranged = calendars.work.arrangement(year)
        inferred = calendars.work.confidence(year) is not Confidence.ANNOUNCED
        for span in calendars.work.blocks(year):
            one = found.get((span.first, span.last))
            name = f"{one.name}、{span.name}" if one else span.name  # two festivals that share a block
            id = one.id if one else f"{year}-{span.id}"
            found[span.first, span.last] = FeedDays(id, name, span.first, span.last, False, inferred, span.why)
        for day in arranged.make_up:
            found[day, day] = FeedDays(f"{day}", "调休上班", day, day, True, inferred, calendars.work.day(day).why)
    return tuple(sorted(found.values(), key=lambda one: (one.first, one.id)))


def new_year(today: date) -> datetime:
    """When the days off shown last became those of another year (UTC)."""
    return midnight(date(today.year, 1, 1))
