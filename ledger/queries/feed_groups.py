"""What the feed of a task or a phase shows: one event for each date, however many units owe it.

Why not one for each item: a task that 855 villages owe each month would be 10,000 events a year, which no calendar
shows and no phone takes; whoever follows a task wants its dates and how far it has come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from ledger.database import Session
from ledger.plans import PlanSummary, WholePlan
from ledger.queries.feed_items import DAYS_AHEAD, DAYS_BACK, ENDED, ENDED_DAYS, Extent, chosen, crossings, midnight
from ledger.queries.reading import doubted_dates
from ledger.tables import ALL_AREAS, duty, item_move, requirement, unit, work_item
from policy_models.calendars import Confidence
from policy_models.feeds import OF_PLAN, Choice
from policy_models.lifecycle import OWED, State


@dataclass(frozen=True, slots=True)
class FeedGroup:
    """All items of one requirement, period and timetable. ``wanted`` units owe it or did, ``handed_in`` wait for
    review, ``accepted`` are done; ``extended`` have a later deadline of their own, the last of them ``latest``.

    ``area``: a county's code where its school calendar sets the date, else "*". ``planned``: the first date it had,
    where the plan moved it. ``sequence`` and ``stamp`` are of the requirement and period, so that neither ever falls.
    """

    plan_code: str
    requirement: str
    title: str
    section: str
    period: str
    area: str
    area_name: str
    deadline: date
    remind_by: date
    planned: date | None
    confidence: Confidence
    why: str
    wanted: int
    waiting: int
    handed_in: int
    accepted: int
    extended: int
    latest: date
    sequence: int
    created_at: datetime
    stamp: datetime
    doubted: tuple[str, ...] = ()

    @property
    def inferred(self) -> bool:
        return self.confidence is not Confidence.ANNOUNCED or bool(self.doubted)

    @property
    def is_owed(self) -> bool:
        return self.waiting > 0

    @property
    def is_cancelled(self) -> bool:
        return self.wanted == 0

    @property
    def is_done(self) -> bool:
        return self.wanted > 0 and self.accepted == self.wanted


@dataclass(frozen=True)
class Groups:
    """Those in the window, by date; and every instant that a feed's last change must not fall behind."""

    shown: tuple[FeedGroup, ...] = ()
    instants: tuple[datetime, ...] = ()


def groups(session: Session, of: Extent, choice: Choice, known: Iterable[WholePlan], *, today: date) -> Groups:
    """The dates of a task or a phase; none for other subjects. Two statements."""
    own = next((one for one in known if one.summary.id == of.subject.plan_id), None)
    if of.subject.scope not in OF_PLAN or own is None:
        return Groups()
    summary = own.summary
    rows = session.execute(_counted(of, choice)).all()
    moved = {row.duty_id: row.deadline for row in session.execute(_moved(of))}
    doubted = doubted_dates(own.plan)
    shown, instants = [], [summary.changed_at]
    for one in _with_stamps(rows):
        group = _group(one, summary, moved, doubted)
        instants += [group.stamp, *_edges(group, today)]
        if _is_shown(group, choice, today):
            shown.append(group)
    return Groups(tuple(sorted(shown, key=_order)), tuple(instants))


def _order(group: FeedGroup) -> tuple[date, str, str, str]:
    return group.deadline, group.requirement, group.period, group.area


def _counted(of: Extent, choice: Choice) -> Any:
    items = work_item.c

    def count(states: Iterable[State]) -> Any:
        return func.sum(case((items.state.in_([state.value for state in states]), 1), else_=0))

    area = unit.alias("area")
    return (
        select(
            items.duty_id,
            items.period,
            requirement.c.code,
            requirement.c.title,
            requirement.c.section,
            duty.c.area,
            func.min(area.c.name).label("area_name"),
            duty.c.deadline,
            duty.c.remind_by,
            duty.c.confidence,
            duty.c.why,
            count(set(State) - ENDED).label("wanted"),
            count(OWED).label("waiting"),
            count([State.SUBMITTED]).label("handed_in"),
            count([State.ACCEPTED]).label("accepted"),
            func.sum(case((items.extended, 1), else_=0)).label("extended"),
            func.max(items.deadline).label("latest"),
            (func.sum(items.revision) + func.count()).label("sequence"),
            func.min(items.created_at).label("created_at"),
            func.max(items.changed_at).label("changed_at"),
        )
        .select_from(
            work_item.join(requirement, requirement.c.id == items.requirement_id)
            .join(unit, unit.c.code == items.unit_code)
            .join(duty, duty.c.id == items.duty_id)
            .outerjoin(area, area.c.code == duty.c.area)
        )
        .where(*of.concerns(), *chosen(choice))
        .group_by(
            items.duty_id,
            items.period,
            requirement.c.code,
            requirement.c.title,
            requirement.c.section,
            duty.c.area,
            duty.c.deadline,
            duty.c.remind_by,
            duty.c.confidence,
            duty.c.why,
        )
    )


def _moved(of: Extent) -> Any:
    """The deadline before the plan first moved it, by duty."""
    first = (
        select(work_item.c.duty_id, func.min(item_move.c.id).label("move_id"))
        .join(work_item, work_item.c.id == item_move.c.item_id)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(item_move.c.cause == "revision", *of.concerns())
        .group_by(work_item.c.duty_id)
        .subquery()
    )
    return select(first.c.duty_id, item_move.c.deadline).join(first, first.c.move_id == item_move.c.id)


def _with_stamps(rows: Iterable[Any]) -> list[tuple[Any, int, datetime]]:
    """Each row with the sum and the newest change of its requirement and period: an item may come under another
    timetable, and neither may fall then."""
    together: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        together[row.code, row.period].append(row)
    return [
        (row, sum(int(one.sequence) for one in mine), max(one.changed_at for one in mine))
        for mine in together.values()
        for row in mine
    ]


def _group(
    counted: tuple[Any, int, datetime],
    summary: PlanSummary,
    moved: dict[int, date],
    doubted: dict[str, tuple[str, ...]],
) -> FeedGroup:
    row, sequence, changed_at = counted
    before = moved.get(row.duty_id)
    return FeedGroup(
        plan_code=summary.code,
        requirement=row.code,
        title=row.title,
        section=row.section,
        period=row.period,
        area=row.area,
        area_name=row.area_name or "" if row.area != ALL_AREAS else "",
        deadline=row.deadline,
        remind_by=row.remind_by,
        planned=before if before != row.deadline else None,
        confidence=Confidence(row.confidence),
        why=row.why,
        wanted=int(row.wanted),
        waiting=int(row.waiting),
        handed_in=int(row.handed_in),
        accepted=int(row.accepted),
        extended=int(row.extended),
        latest=row.latest,
        sequence=sequence + summary.version,
        created_at=row.created_at,
        stamp=max(changed_at, summary.changed_at),
        doubted=doubted.get(row.code, ()),
    )


def _is_shown(group: FeedGroup, choice: Choice, today: date) -> bool:
    if group.is_owed or choice.open_only:
        return group.is_owed
    if group.is_cancelled:
        return group.stamp >= midnight(today - timedelta(days=ENDED_DAYS))
    return today - timedelta(days=DAYS_BACK) <= group.deadline <= today + timedelta(days=DAYS_AHEAD)


def _edges(group: FeedGroup, today: date) -> list[datetime]:
    past = not group.is_owed and group.deadline < today - timedelta(days=DAYS_BACK)
    near = group.deadline <= today + timedelta(days=DAYS_AHEAD)
    gone = group.is_cancelled and group.stamp < midnight(today - timedelta(days=ENDED_DAYS))
    return crossings(
        today,
        left=group.deadline if past else None,
        entered=group.deadline if near else None,
        gone=group.stamp if gone else None,
    )
