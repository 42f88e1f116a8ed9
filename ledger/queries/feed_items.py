"""Which items a feed shows, in what order, and the facts that each of their events shows.

Two questions, asked apart: the order with the versions of what is shown (cheap, for every feed that may have changed),
and the facts (only for items whose fragment is out of date).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from ledger.civil import SHANGHAI, civil_date
from ledger.database import Session
from ledger.fragments import Fragment
from ledger.plans import WholePlan
from ledger.queries.reading import doubted_dates
from ledger.tables import duty, feed_fragment, item_move, person, person_address, plan, requirement, unit, work_item
from policy_models.calendars import Calendars, Confidence
from policy_models.feeds import OF_PLAN, Choice, Component, Scope, Subject
from policy_models.lifecycle import OWED, State

DAYS_BACK, DAYS_AHEAD = 90, 400
ENDED_DAYS = 30  # how long a cancelled or waived item stays in the feed
ENDED = frozenset({State.WAIVED, State.CANCELLED})
CHUNK = 500


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One dated item. ``planned``: the first deadline it had, where it was moved; ``stamp`` (UTC): the newest of all
    facts that its event shows; ``sequence`` grows with each of them; ``doubted``: the fields of its requirement that
    make the date 推定."""

    key: str
    sequence: int
    requirement: str
    title: str
    section: str
    unit_name: str
    period: str
    opens_on: date
    deadline: date
    remind_by: date
    planned: date | None
    confidence: Confidence
    why: str
    state: State
    reason: str | None
    created_at: datetime
    changed_at: datetime
    stamp: datetime
    doubted: tuple[str, ...] = ()

    @property
    def inferred(self) -> bool:
        return self.confidence is not Confidence.ANNOUNCED or bool(self.doubted)

    @property
    def plan_code(self) -> str:
        return self.key.split(":", 1)[0]


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of an item in a feed: the versions of what it shows, and the fragment stored for it, if any."""

    item_id: int
    revision: int
    unit_version: int
    plan_version: int
    fragment: Fragment | None


@dataclass(frozen=True)
class Extent:
    """A subject resolved: ``units`` limits items to these (a list or a subquery), None does not; ``codes``: the same
    as a tuple where it is short, for knowing later whose changes concern it."""

    subject: Subject
    units: Any
    codes: tuple[str, ...] = ()
    person_name: str = ""
    people_changed_at: datetime | None = None

    def mine(self, column: Any) -> ColumnElement[bool] | None:
        """Whether a unit's code lies in the extent; None where it is everything."""
        return None if self.units is None else column.in_(self.units)

    def concerns(self) -> list[ColumnElement[bool]]:
        """The items (joined with their requirement) that the subject is about, dated after go-live or raised."""
        found = [work_item.c.catch_up == ""]
        if (mine := self.mine(work_item.c.unit_code)) is not None:
            found.append(mine)
        if self.subject.plan_id is not None:
            found.append(work_item.c.plan_id == self.subject.plan_id)
        if self.subject.scope is Scope.TASK:
            found.append(requirement.c.task == int(self.subject.target))
        if self.subject.scope is Scope.PHASE:
            found.append(work_item.c.phase == int(self.subject.target))
        return found


def extent(session: Session, subject: Subject) -> Extent:
    """Whose items a subject means. One statement for a person, none otherwise."""
    if subject.scope is Scope.PERSON:
        return _of_person(session, subject)
    if subject.scope is Scope.UNIT:
        return Extent(subject, [subject.target], (subject.target,))
    if subject.scope is Scope.FUNCTION:
        return Extent(subject, select(unit.c.code).where(unit.c.function == subject.target))
    root = subject.target if subject.scope is Scope.BELOW else subject.within
    return Extent(subject, with_all_below(root) if root else None)


def with_all_below(code: str) -> Select[Any]:
    """The codes of a unit and of all below it."""
    tree = select(unit.c.code).where(unit.c.code == code).cte("within", recursive=True)
    lower = unit.alias("lower")
    return select(tree.union_all(select(lower.c.code).where(lower.c.parent == tree.c.code)).c.code)


def _of_person(session: Session, subject: Subject) -> Extent:
    """The units where the person is active as liaison or principal. One human has a row at each unit: rows are taken
    for the same where the name is the same and an address is shared."""
    own, theirs = person.alias("own"), person_address.alias("theirs")
    shared = (
        select(1)
        .select_from(person_address.join(theirs, theirs.c.channel == person_address.c.channel))
        .where(person_address.c.person_id == own.c.id, theirs.c.person_id == person.c.id)
        .where(theirs.c.address == person_address.c.address, theirs.c.address != "")
        .exists()
    )
    same = or_(person.c.id == own.c.id, and_(person.c.name == own.c.name, shared))
    rows = session.execute(
        select(person, (person.c.id == own.c.id).label("itself"))
        .select_from(own.join(person, same))
        .where(own.c.id == int(subject.target))
        .order_by(person.c.id)
    ).all()
    codes = tuple(sorted({row.unit_code for row in rows if row.active and (row.liaison or row.principal)}))
    name = next((row.name for row in rows if row.itself), "")
    return Extent(subject, list(codes), codes, name, max((row.changed_at for row in rows), default=None))


def chosen(choice: Choice) -> list[ColumnElement[bool]]:
    """What the subscriber asked for, over items joined with requirement and unit."""
    found: list[ColumnElement[bool]] = []
    if choice.tasks:
        found.append(requirement.c.task.in_(choice.tasks))
    if choice.levels:
        found.append(unit.c.level.in_([level.value for level in choice.levels]))
    return found


def slots(session: Session, of: Extent, choice: Choice, *, today: date, fragments: bool = True) -> tuple[Slot, ...]:
    """The items of a feed in order of deadline and key: from 90 days back to 400 ahead, and all that is owed. Of a task
    or a phase only what was raised on an event: the rest is told in groups. One statement."""
    kept = feed_fragment.c
    wanted = and_(kept.item_id == work_item.c.id, kept.component == choice.component.value)
    source = work_item.join(requirement, requirement.c.id == work_item.c.requirement_id)
    source = source.join(unit, unit.c.code == work_item.c.unit_code).join(plan, plan.c.id == work_item.c.plan_id)
    columns = [
        work_item.c.id,
        work_item.c.revision,
        unit.c.version.label("unit_version"),
        plan.c.version.label("plan_version"),
    ]
    if fragments:
        source = source.outerjoin(feed_fragment, wanted)
        columns += [kept.version, kept.digest, kept.body, kept.alarm, kept.lead]
    found = select(*columns).select_from(source).where(*of.concerns(), *chosen(choice), _shown(choice, today))
    if of.subject.scope in OF_PLAN:
        found = found.where(work_item.c.duty_id.is_(None))
    rows = session.execute(found.order_by(work_item.c.deadline, work_item.c.key))
    return tuple(_slot(row, choice.component if fragments else None) for row in rows)


def _slot(row: Any, component: Component | None) -> Slot:
    fragment = None
    if component is not None and row.version is not None:
        fragment = Fragment(row.id, component, row.version, row.digest, row.body, row.alarm, row.lead)
    return Slot(row.id, row.revision, row.unit_version, row.plan_version, fragment)


def _shown(choice: Choice, today: date) -> ColumnElement[bool]:
    items = work_item.c
    owed = items.state.in_([state.value for state in OWED])
    if choice.open_only:
        return owed
    near = items.deadline.between(today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD))
    ended = items.state.in_([state.value for state in ENDED])
    lately = items.changed_at >= midnight(today - timedelta(days=ENDED_DAYS))
    return or_(owed, and_(near, ~ended), and_(ended, lately))


def facts(session: Session, ids: Collection[int], known: Sequence[WholePlan]) -> dict[int, FeedItem]:
    """What the events of these items show, by id. One statement for every 500."""
    found: dict[int, FeedItem] = {}
    wanted = sorted(ids)
    calendars = {one.summary.id: one.calendars for one in known}
    doubted = {one.summary.id: doubted_dates(one.plan) for one in known}
    for start in range(0, len(wanted), CHUNK):
        for row in session.execute(_facts(wanted[start : start + CHUNK])):
            found[row.id] = _item(row, calendars[row.plan_id], doubted[row.plan_id])
    return found


def _facts(ids: Iterable[int]) -> Select[Any]:
    items = work_item.c
    return (
        select(
            items.id,
            items.key,
            items.plan_id,
            (items.revision + unit.c.version + plan.c.version).label("sequence"),
            items.period,
            items.opens_on,
            items.deadline,
            items.extended,
            items.state,
            items.reason,
            items.created_at,
            items.changed_at,
            requirement.c.code,
            requirement.c.title,
            requirement.c.section,
            unit.c.name.label("unit_name"),
            unit.c.changed_at.label("unit_changed_at"),
            plan.c.loaded_at,
            plan.c.calendars_changed_at,
            duty.c.deadline.label("duty_deadline"),
            duty.c.remind_by,
            duty.c.confidence,
            duty.c.why,
            _first_deadline().label("planned"),
        )
        .join(requirement, requirement.c.id == items.requirement_id)
        .join(unit, unit.c.code == items.unit_code)
        .join(plan, plan.c.id == items.plan_id)
        .outerjoin(duty, duty.c.id == items.duty_id)
        .where(items.id.in_(ids))
    )


def _first_deadline() -> Any:
    """What an item was due by before its first extension, or else before it was first moved: as its page says 原定."""
    before = item_move.c
    mine = select(before.deadline).where(before.item_id == work_item.c.id).order_by(before.moved_at, before.id).limit(1)
    granted = mine.where(before.cause == "extension").correlate(work_item).scalar_subquery()
    return case((work_item.c.extended, granted), else_=mine.correlate(work_item).scalar_subquery())


def _item(row: Any, calendars: Calendars, doubted: dict[str, tuple[str, ...]]) -> FeedItem:
    known = row.duty_deadline is not None and row.duty_deadline == row.deadline
    planned = row.planned if row.planned != row.deadline else None
    extended = row.extended and planned is not None
    return FeedItem(
        key=row.key,
        sequence=row.sequence,
        requirement=row.code,
        title=row.title,
        section=row.section,
        unit_name=row.unit_name,
        period=row.period,
        opens_on=row.opens_on,
        deadline=row.deadline,
        remind_by=row.remind_by if known else calendars.work.on_or_before(row.deadline),
        planned=planned,
        confidence=Confidence(row.confidence) if row.confidence and not extended else Confidence.ANNOUNCED,
        why="经审批延期" if extended else row.why or "事件发生后的规定期限",
        state=State(row.state),
        reason=row.reason,
        created_at=row.created_at,
        changed_at=row.changed_at,
        stamp=max(row.changed_at, row.unit_changed_at, row.loaded_at, row.calendars_changed_at),
        doubted=() if extended else doubted.get(row.code, ()),
    )


def history(session: Session, of: Extent, *, today: date) -> list[datetime]:
    """Instants that only grow: the newest change of the subject's items, and when one last entered or left the window.
    None is after ``today`` began, but for changes."""
    items = work_item.c
    settled = items.state.not_in([state.value for state in OWED])  # what is owed never leaves
    left = case((and_(settled, items.deadline < today - timedelta(days=DAYS_BACK)), items.deadline))
    entered = case((items.deadline <= today + timedelta(days=DAYS_AHEAD), items.deadline))
    ended = items.state.in_([state.value for state in ENDED])
    gone = case((and_(ended, items.changed_at < midnight(today - timedelta(days=ENDED_DAYS))), items.changed_at))
    row = session.execute(
        select(func.max(items.changed_at), func.max(left), func.max(entered), func.max(gone))
        .select_from(work_item.join(requirement, requirement.c.id == items.requirement_id))
        .where(*of.concerns())
    ).one()
    return [*([row[0]] if row[0] else []), *crossings(today, left=row[1], entered=row[2], gone=row[3])]


def crossings(today: date, *, left: date | None, entered: date | None, gone: datetime | None) -> list[datetime]:
    """When the window's edges were crossed: by the last deadline that left it, the last that entered it, and the last
    that was cancelled and is shown no more."""
    found = []
    if left:
        found.append(midnight(left + timedelta(days=DAYS_BACK + 1)))
    if entered:
        found.append(midnight(min(today, entered - timedelta(days=DAYS_AHEAD))))
    if gone:
        found.append(midnight(civil_date(gone) + timedelta(days=ENDED_DAYS + 1)))
    return found


def midnight(day: date) -> datetime:
    """The instant (UTC) at which a civil date begins."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
