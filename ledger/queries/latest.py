"""What was done lately for one section of the plan: its newest acts, and the evidence accepted last. Found through the
newest items of each requirement, so that a section with a million items costs what one with a hundred does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, exists, func, or_, select, text, union_all

from ledger.civil import end_of_day
from ledger.database import Session
from ledger.exemplar_rows import Exemplar, chosen, exemplar_from
from ledger.files import StoredFile, stored_from
from ledger.pieces import evidence_from
from ledger.queries.evidence import Given
from ledger.queries.reading import Reading
from ledger.scope import within
from ledger.tables import entry, evidence, exemplar, file, requirement, unit, work_item
from policy_models.access import Scope
from policy_models.exemplars import ExemplarState
from policy_models.lifecycle import Act

# The words of the partial indexes: with parameters neither database would use them.
ACCEPTED, ACTED = text("work_item.state = 'accepted'"), text("work_item.revision > 1")
# a revision of the plan that moves an item counts as a change of it and leaves no entry
_ACTED_LAST = exists().where(entry.c.item_id == work_item.c.id, entry.c.revision == work_item.c.revision)


@dataclass(frozen=True, slots=True)
class ActLine:
    """One act on one item of the section: who (the unit's name, "" for the system), when (UTC), and the note."""

    key: str
    requirement: str
    title: str
    period: str
    unit: str
    unit_name: str
    act: Act
    by_unit: str
    by_unit_name: str
    by_name: str
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class AcceptedItem:
    """An accepted item with the pieces of the submission that was accepted."""

    key: str
    requirement: str
    title: str
    period: str
    unit: str
    unit_name: str
    deadline: date
    accepted_at: datetime
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at a section follows from, ``codes`` being its requirements' ids. It is the same for all who look within
    a scope on one day: a statement is put together once for them, which takes longer than its answer."""

    codes: tuple[int, ...]
    as_of: date
    is_past: bool
    scope: Scope
    limit: int


def latest_acts(session: Session, reading: Reading, section: str, *, limit: int) -> tuple[ActLine, ...]:
    """The newest acts on the items of a section, up to the reading's day, the newest first: two statements. Left out is
    what the system issued (交办: all units at once), and acts on items that a revision of the plan has moved since.
    """
    look = _look(session, reading, section, limit)
    if not look.codes:
        return ()
    return tuple(
        ActLine(
            row.key,
            row.code,
            row.title,
            row.period,
            row.unit_code,
            row.unit_name,
            Act(row.act),
            row.by_unit,
            row.by_unit_name,
            row.by_name,
            row.at,
            row.note,
        )
        for row in session.execute(_acts(look))
    )


@lru_cache(maxsize=256)
def _acts(look: _Look) -> Select[Any]:
    owner, actor = unit.alias("owner"), unit.alias("actor")
    wanted = (
        select(entry.c.act, entry.c.by_unit, entry.c.by_name, entry.c.at, entry.c.note)
        .add_columns(work_item.c.key, work_item.c.period, work_item.c.unit_code)
        .add_columns(requirement.c.code, requirement.c.title, owner.c.name.label("unit_name"))
        .add_columns(func.coalesce(actor.c.name, "").label("by_unit_name"))
        .select_from(
            entry.join(work_item, work_item.c.id == entry.c.item_id)
            .join(requirement, requirement.c.id == work_item.c.requirement_id)
            .join(owner, owner.c.code == work_item.c.unit_code)
            .outerjoin(actor, actor.c.code == entry.c.by_unit)
        )
        .where(work_item.c.requirement_id.in_(look.codes), within(look.scope, work_item.c.unit_code))
        .where(entry.c.act != Act.ISSUE.value)
        .order_by(entry.c.at.desc(), entry.c.id.desc())
        .limit(look.limit)
    )
    if look.is_past:
        return wanted.where(entry.c.at < end_of_day(look.as_of), work_item.c.id.in_(_acted_by_then(look)))
    # the newest acts are acts on the items that changed last
    return wanted.where(work_item.c.id.in_(_newest(look, work_item.c.changed_at, ACTED, _ACTED_LAST)))


def latest_accepted(session: Session, reading: Reading, section: str, *, limit: int) -> tuple[AcceptedItem, ...]:
    """The items of a section accepted last, up to the reading's day, with what was handed in: three statements."""
    look = _look(session, reading, section, limit)
    if not look.codes:
        return ()
    rows = session.execute(_accepted(look)).all()
    given = _given(session, [row.id for row in rows])
    return tuple(
        AcceptedItem(
            row.key,
            row.code,
            row.title,
            row.period,
            row.unit_code,
            row.unit_name,
            row.deadline,
            row.reviewed_at,
            given.get(row.id, ()),
        )
        for row in rows
    )


@lru_cache(maxsize=256)
def _accepted(look: _Look) -> Select[Any]:
    before = work_item.c.reviewed_at < end_of_day(look.as_of)
    newest = _newest(look, work_item.c.reviewed_at, ACCEPTED, before)
    return (
        select(work_item, requirement.c.code, requirement.c.title, unit.c.name.label("unit_name"))
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .where(work_item.c.id.in_(newest))
        .order_by(work_item.c.reviewed_at.desc(), work_item.c.id.desc())
        .limit(look.limit)
    )


def exemplars_of(session: Session, reading: Reading, section: str, *, limit: int) -> tuple[Exemplar, ...]:
    """The exemplars published up to the reading's day by units that owe something of a section, the newest first. One
    statement. Published, they are for everybody: the scope does not narrow them."""
    owes = exists().where(
        work_item.c.unit_code == exemplar.c.unit_code,
        work_item.c.requirement_id == requirement.c.id,
        requirement.c.plan_id == reading.plan_id,
        requirement.c.section == section,
    )
    rows = session.execute(
        chosen()
        .where(exemplar.c.plan_id == reading.plan_id, exemplar.c.state == ExemplarState.PUBLISHED.value, owes)
        .where(exemplar.c.published_at < end_of_day(reading.as_of))
        .order_by(exemplar.c.published_at.desc(), exemplar.c.id.desc())
        .limit(limit)
    )
    return tuple(map(exemplar_from, rows))


def _look(session: Session, reading: Reading, section: str, limit: int) -> _Look:
    mine = (requirement.c.plan_id == reading.plan_id, requirement.c.section == section)
    codes = session.execute(select(requirement.c.id).where(*mine).order_by(requirement.c.id)).scalars()
    return _Look(tuple(codes), reading.as_of, reading.is_past, reading.scope, limit)


def _newest(look: _Look, by: Any, *where: Any) -> Select[Any]:
    """The ids of the newest items of each requirement, as many as are asked for, each read from the end of an index."""
    inside = within(look.scope, work_item.c.unit_code)
    tops = [
        select(work_item.c.id)
        .where(work_item.c.requirement_id == code, *where, inside)
        .order_by(by.desc())
        .limit(look.limit)
        .subquery(f"newest_{code}")
        for code in look.codes
    ]
    return select(union_all(*(select(top.c.id) for top in tops)).subquery("newest").c.id)


def _acted_by_then(look: _Look) -> Select[Any]:
    """The ids of the items with the newest acts of a past day: of those that nothing happened to since, the newest; and
    all that had been handed in or extended by then and have changed since."""
    until, items = end_of_day(look.as_of), work_item.c
    settled = _newest(look, items.changed_at, ACTED, _ACTED_LAST, items.changed_at < until)
    begun = or_(items.first_submitted_on <= look.as_of, items.extended)
    changed = (items.requirement_id.in_(look.codes), ACTED, items.changed_at >= until)
    under_way = select(items.id).where(*changed, begun, within(look.scope, items.unit_code))
    return select(union_all(settled, under_way).subquery("acted").c.id)


def _given(session: Session, ids: list[int]) -> dict[int, tuple[Given, ...]]:
    """What was handed in with the last submission of each of these items."""
    last = (
        select(entry.c.item_id, func.max(entry.c.revision).label("revision"))
        .where(entry.c.item_id.in_(ids), entry.c.act == Act.SUBMIT.value)
        .group_by(entry.c.item_id)
        .subquery("last_submission")
    )
    labelled = [column.label(f"stored_{column.name}") for column in file.c]
    rows = session.execute(
        select(evidence, *labelled)
        .join(last, (last.c.item_id == evidence.c.item_id) & (last.c.revision == evidence.c.revision))
        .outerjoin(file, file.c.id == evidence.c.file_id)
        .order_by(evidence.c.id)
    )
    found: dict[int, tuple[Given, ...]] = {}
    for row in rows:
        stored: StoredFile | None = stored_from(row, "stored_") if row.file_id is not None else None
        found[row.item_id] = (*found.get(row.item_id, ()), Given(evidence_from(row), stored))
    return found
