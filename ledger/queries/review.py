"""待审核: what waits for a reviewer, oldest first, with enough beside each to decide; and one item with its past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, text, tuple_

from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.review_scope import reviewer
from ledger.tables import entry, evidence, plan, requirement, unit, work_item
from policy_models.errors import NotFound
from policy_models.lifecycle import Act
from policy_models.plan import EvidenceType, Level, Review

# The words of the partial index, as a literal: with a parameter neither database would use it.
SUBMITTED_NOW = text("work_item.state = 'submitted'")
PAGE_ROWS = 100
NO_PAGE = "没有这一页，请从第一页重新查看"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What a queue is narrowed to. ``whole``: the coordinator looks at everybody's queue and not at its own alone;
    ``under``: units whose superior is this unit; ``late``: first handed in after the deadline."""

    requirement: str | None = None
    period: str | None = None
    under: str | None = None
    late: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What waits of one requirement and period: how many, since when the oldest, how many of them are villages';
    ``collects``: what a half-year round collects by it, "" for nothing."""

    requirement: str
    title: str
    section: str
    review: Review
    collects: str
    period: str
    count: int
    villages: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure as handed in: ``of`` is None where the rule counts nothing else."""

    name: str
    value: Decimal
    of: Decimal | None


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed in, in short: figures, the reason for 无新增 ("" without), and how many pieces of other types."""

    measures: tuple[Measured, ...] = ()
    nothing_new: str | None = None
    counts: tuple[tuple[EvidenceType, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission that waits. ``superior``: who stands above the unit; ``by``: who handed it in, at ``submitted_at``
    (UTC), with a note."""

    id: int
    key: str
    requirement: str
    title: str
    section: str
    review: Review
    collects: str
    period: str
    unit: str
    unit_name: str
    level: Level
    superior: str | None
    superior_name: str | None
    deadline: date
    revision: int
    returns: int
    first_submitted_on: date | None
    submitted_at: datetime
    by: str
    note: str | None
    handed: Handed

    @property
    def late(self) -> bool:
        return self.first_submitted_on is not None and self.first_submitted_on > self.deadline

    @property
    def in_bulk(self) -> bool:
        """Whether it may be reviewed together with others: villages' items that are not reviewed by sample."""
        return self.level is Level.VILLAGE and not self.collects


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of a queue: all its groups, the rows of this page, and how many there are on all pages."""

    groups: tuple[Group, ...]
    rows: tuple[Waiting, ...]
    total: int
    skip: int

    @property
    def more(self) -> bool:
        return self.skip + len(self.rows) < self.total


def review_queue(
    session: Session, reading: Reading, unit_code: str, wanted: QueueFilter, *, skip: int = 0, limit: int = PAGE_ROWS
) -> Queue:
    """What waits for a unit's review now, the groups with the oldest submission first and the oldest first in each:
    three statements. Raises NotFound for a page that is not there."""
    groups = _groups(session, reading, unit_code, wanted)
    total = sum(group.count for group in groups)
    if skip and skip >= total:
        raise NotFound(NO_PAGE)
    before, pairs = _of_page(groups, skip, limit)
    here = tuple_(requirement.c.code, work_item.c.period).in_(pairs)
    found = session.execute(_rows(reading, unit_code, wanted).where(here).limit(limit).offset(skip - before)).all()
    handed = handed_in(session, {row.id: row.submitted for row in found})
    return Queue(groups, tuple(_waiting(row, handed.get(row.id, Handed())) for row in found), total, skip)


def _of_page(groups: Sequence[Group], skip: int, limit: int) -> tuple[int, list[tuple[str, str]]]:
    """The groups that a page shows rows of, by requirement and period, and how many rows come before them: of the others
    none need be put in order."""
    pairs: list[tuple[str, str]] = []
    before, first = 0, 0
    for group in groups:
        if before < skip + limit and before + group.count > skip:
            first = first if pairs else before
            pairs.append((group.requirement, group.period))
        before += group.count
    return first, pairs


def keys_in_order(session: Session, reading: Reading, unit_code: str, wanted: QueueFilter) -> tuple[str, ...]:
    """The keys of a whole queue in its order: where one goes on after an act."""
    return tuple(row.key for row in session.execute(_rows(reading, unit_code, wanted)))


def waiting_count(session: Session, reading: Reading, unit_code: str) -> int:
    """How many submissions wait for a unit's own review."""
    where = _conditions(reading, unit_code, QueueFilter())
    return int(session.execute(_joined(select(func.count())).where(*where)).scalar_one())


def _groups(session: Session, reading: Reading, unit_code: str, wanted: QueueFilter) -> tuple[Group, ...]:
    names = [requirement.c[name] for name in ("code", "title", "section", "review", "collects")]
    villages = func.sum(_one_if(unit.c.level == Level.VILLAGE.value))
    oldest = func.min(entry.c.at)
    rows = session.execute(
        _with_submission(
            select(*names, work_item.c.period, func.count().label("n"), villages.label("villages"), oldest.label("at"))
        )
        .where(*_conditions(reading, unit_code, wanted))
        .group_by(*names, work_item.c.period)
        .order_by(oldest, requirement.c.code, work_item.c.period)
    )
    return tuple(
        Group(r.code, r.title, r.section, Review(r.review), r.collects, r.period, r.n, int(r.villages), r.at)
        for r in rows
    )


def _one_if(met: ColumnElement[bool]) -> Any:
    return case((met, 1), else_=0)


def _joined(chosen: Select[Any]) -> Select[Any]:
    return chosen.select_from(
        work_item.join(unit, unit.c.code == work_item.c.unit_code)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .join(plan, plan.c.id == work_item.c.plan_id)
    )


def _with_submission(chosen: Select[Any]) -> Select[Any]:
    """With the act that led to where a waiting item is: its last, and nothing else can have been than its submission."""
    return _joined(chosen).join(
        entry, and_(entry.c.item_id == work_item.c.id, entry.c.revision == work_item.c.revision)
    )


def _rows(reading: Reading, unit_code: str, wanted: QueueFilter) -> Select[Any]:
    above = unit.alias("above")
    items = work_item.c
    oldest = func.min(entry.c.at).over(partition_by=(items.requirement_id, items.period))
    names = ("id", "key", "period", "unit_code", "deadline", "revision", "returns", "first_submitted_on")
    chosen = select(
        *(items[name] for name in names),
        requirement.c.code.label("requirement"),
        *(requirement.c[name] for name in ("title", "section", "review", "collects")),
        unit.c.name.label("unit_name"),
        unit.c.level,
        unit.c.superior,
        above.c.name.label("superior_name"),
        entry.c.revision.label("submitted"),
        entry.c.at,
        entry.c.by_name,
        entry.c.note,
    )
    return (
        _with_submission(chosen)
        .outerjoin(above, above.c.code == unit.c.superior)
        .where(*_conditions(reading, unit_code, wanted))
        .order_by(oldest, requirement.c.code, items.period, entry.c.at, items.id)
    )


def _conditions(reading: Reading, unit_code: str, wanted: QueueFilter) -> list[Any]:
    where: list[Any] = [reading.seen(work_item.c), SUBMITTED_NOW]
    whole = wanted.whole and unit_code == reading.summary.coordinator
    if not whole:
        where.append(reviewer() == unit_code)
    if wanted.requirement is not None:
        where.append(requirement.c.code == wanted.requirement)
    if wanted.period is not None:
        where.append(work_item.c.period == wanted.period)
    if wanted.under is not None:
        where.append(or_(unit.c.superior == wanted.under, unit.c.county == wanted.under))
    if wanted.late:
        where.append(work_item.c.first_submitted_on > work_item.c.deadline)
    return where


def handed_in(session: Session, submitted: dict[int, int]) -> dict[int, Handed]:
    """What was handed in with these submissions (revision by item id): one statement."""
    if not submitted:
        return {}
    rows = session.execute(
        select(evidence).where(evidence.c.item_id.in_(submitted)).order_by(evidence.c.item_id, evidence.c.id)
    )
    pieces: dict[int, list[Any]] = {}
    for row in rows:
        if row.revision == submitted[row.item_id]:
            pieces.setdefault(row.item_id, []).append(row)
    return {id: _handed(found) for id, found in pieces.items()}


def _handed(rows: list[Any]) -> Handed:
    measures = tuple(
        Measured(row.name, plain(row.value), None if row.of is None else plain(row.of))
        for row in rows
        if row.type == EvidenceType.MEASURE.value
    )
    reasons = [row.text or "" for row in rows if row.type == EvidenceType.NOTHING_NEW.value]
    counts: dict[EvidenceType, int] = {}
    for row in rows:
        kind = EvidenceType(row.type)
        if kind not in (EvidenceType.MEASURE, EvidenceType.NOTHING_NEW):
            counts[kind] = counts.get(kind, 0) + 1
    return Handed(measures, reasons[0] if reasons else None, tuple(counts.items()))


def plain(value: Any) -> Decimal:
    """Without the zeros that the column's scale adds: 412.0000 is 412."""
    return Decimal(format(Decimal(value).normalize(), "f"))


def _waiting(row: Any, handed: Handed) -> Waiting:
    return Waiting(
        row.id,
        row.key,
        row.requirement,
        row.title,
        row.section,
        Review(row.review),
        row.collects,
        row.period,
        row.unit_code,
        row.unit_name,
        Level(row.level),
        row.superior,
        row.superior_name,
        row.deadline,
        row.revision,
        row.returns,
        row.first_submitted_on,
        row.at,
        row.by_name,
        row.note,
        handed,
    )


def last_acts(session: Session, item_ids: Sequence[int]) -> dict[int, tuple[Act, str, datetime]]:
    """The last act on each of these items: what, who, when (UTC). One statement."""
    newest = (
        select(entry.c.item_id, func.max(entry.c.revision).label("revision"))
        .where(entry.c.item_id.in_(item_ids))
        .group_by(entry.c.item_id)
        .subquery("newest")
    )
    same = and_(entry.c.item_id == newest.c.item_id, entry.c.revision == newest.c.revision)
    return {r.item_id: (Act(r.act), r.by_name, r.at) for r in session.execute(select(entry).join(newest, same))}


@dataclass(frozen=True, slots=True)
class Before:
    """The same unit's item of the period before: what it handed in then, and where to read it."""

    key: str
    period: str
    deadline: date
    handed: Handed


def period_before(
    session: Session, reading: Reading, requirement_code: str, unit_code: str, deadline: date
) -> Before | None:
    """The last item of a unit and requirement due before a day that was handed in: two statements; None without."""
    items = work_item.c
    row = session.execute(
        select(items.id, items.key, items.period, items.deadline, func.max(entry.c.revision).label("submitted"))
        .join(requirement, requirement.c.id == items.requirement_id)
        .join(entry, and_(entry.c.item_id == items.id, entry.c.act == Act.SUBMIT.value))
        .where(reading.seen(items), items.unit_code == unit_code, items.deadline < deadline)
        .where(requirement.c.code == requirement_code)
        .group_by(items.id, items.key, items.period, items.deadline)
        .order_by(items.deadline.desc(), items.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    handed = handed_in(session, {row.id: row.submitted}).get(row.id, Handed())
    return Before(row.key, row.period, row.deadline, handed)
