"""优秀案例 as pages and documents read them: as they stood at any moment, lists, one with its history."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select

from ledger.database import Session
from ledger.exemplar_rows import CONTENT, Exemplar, chosen, exemplar_from
from ledger.tables import exemplar, exemplar_entry, requirement, tally, unit, work_item
from policy_models.exemplars import SENT, Content, ExemplarState
from policy_models.lifecycle import State
from policy_models.plan import Collects

MOST_SHOWN = 200
_COLLECTED = (requirement.c.collects == Collects.EXEMPLARS.value, requirement.c.dropped.is_(False))
_COLLECTING = (*_COLLECTED, work_item.c.state != State.CANCELLED.value)


@dataclass(frozen=True, slots=True)
class PictureThen:
    """A picture that an exemplar had: which file, and the words below it."""

    file_id: int
    caption: str


@dataclass(frozen=True, slots=True)
class ExemplarThen:
    """An exemplar as it stood: ``at`` is the UTC instant of its last change of state up to then."""

    id: int
    unit: str
    unit_name: str
    state: ExemplarState
    at: datetime
    content: Content
    pictures: tuple[PictureThen, ...]


@dataclass(frozen=True, slots=True)
class ExemplarStep:
    """One change of state of an exemplar: who, when (UTC), and the note or reason."""

    state: ExemplarState
    by_unit: str
    by_name: str
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A half-year for which a unit is asked for exemplars: the work item that they answer, and its civil dates;
    ``late_start``: it lies before go-live, so that nobody is hurried."""

    round_code: str
    key: str
    state: State
    opens_on: date
    deadline: date
    reason: str | None
    late_start: bool


def listing(
    session: Session, plan_id: int, round_code: str | None = None, *, unit_code: str | None = None
) -> tuple[Exemplar, ...]:
    """The exemplars of a plan as they stand, of one half-year or unit if given, the newest half-year first."""
    wanted = chosen().where(exemplar.c.plan_id == plan_id)
    if round_code is not None:
        wanted = wanted.where(exemplar.c.round_code == round_code)
    if unit_code is not None:
        wanted = wanted.where(exemplar.c.unit_code == unit_code)
    rows = session.execute(wanted.order_by(exemplar.c.round_code.desc(), exemplar.c.id))
    return tuple(map(exemplar_from, rows))


def published(
    session: Session, plan_id: int, *, round_code: str | None = None, under: str | None = None, words: str = ""
) -> tuple[Exemplar, ...]:
    """The published exemplars, the newest first: of a half-year, of a county (its code; "" for the city's own units),
    with these words in the title or the text, where given. At most 200."""
    wanted = chosen().where(exemplar.c.plan_id == plan_id, exemplar.c.state == ExemplarState.PUBLISHED.value)
    if round_code is not None:
        wanted = wanted.where(exemplar.c.round_code == round_code)
    if under is not None:
        wanted = wanted.where(unit.c.county == under)
    if words:
        literal = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        columns = (exemplar.c.title, exemplar.c.background, exemplar.c.practice, exemplar.c.effect, exemplar.c.insight)
        wanted = wanted.where(or_(*(column.like(f"%{literal}%", escape="\\") for column in columns)))
    rows = session.execute(wanted.order_by(exemplar.c.published_at.desc(), exemplar.c.id.desc()).limit(MOST_SHOWN))
    return tuple(map(exemplar_from, rows))


def rounds_asked(session: Session, plan_id: int, unit_code: str) -> tuple[Asked, ...]:
    """The half-years for which a unit is asked for exemplars, the latest first."""
    rows = session.execute(
        select(work_item)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(work_item.c.plan_id == plan_id, work_item.c.unit_code == unit_code, *_COLLECTING)
        .order_by(work_item.c.period.desc(), work_item.c.id)
    )
    found: dict[str, Asked] = {}
    for r in rows:
        found.setdefault(r.period, _asked(r))
    return tuple(found.values())


def _asked(row: Any) -> Asked:
    return Asked(
        row.period, row.key, State(row.state), row.opens_on, row.deadline, row.reason, late_start=bool(row.catch_up)
    )


def rounds_of(session: Session, plan_id: int) -> tuple[tuple[str, date], ...]:
    """The half-years for which the plan asks for exemplars, each with the day it opens, the latest first: told by the
    tally."""
    counted = (
        select(tally.c.period, tally.c.opens_on)
        .join(requirement, requirement.c.id == tally.c.requirement_id)
        .where(tally.c.plan_id == plan_id, tally.c.state != State.CANCELLED.value, *_COLLECTED)
        .group_by(tally.c.period, tally.c.opens_on)
        .having(func.sum(tally.c.n) > 0)
        .subquery("counted")
    )
    rows = session.execute(
        select(counted.c.period, func.min(counted.c.opens_on).label("opens_on"))
        .group_by(counted.c.period)
        .order_by(counted.c.period.desc())
    )
    return tuple((row.period, row.opens_on) for row in rows)


def asked_units(session: Session, plan_id: int, round_code: str) -> dict[str, tuple[str, State]]:
    """Name and work item's state of every unit that is asked for exemplars of a half-year, by code."""
    rows = session.execute(
        select(work_item.c.unit_code, work_item.c.state, unit.c.name)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .where(work_item.c.plan_id == plan_id, work_item.c.period == round_code, *_COLLECTING)
        .order_by(work_item.c.unit_code)
    )
    return {row.unit_code: (row.name, State(row.state)) for row in rows}


def steps(session: Session, exemplar_id: int) -> tuple[ExemplarStep, ...]:
    """What happened to an exemplar, oldest first."""
    rows = session.execute(
        select(exemplar_entry).where(exemplar_entry.c.exemplar_id == exemplar_id).order_by(exemplar_entry.c.id)
    )
    return tuple(ExemplarStep(ExemplarState(r.state), r.by_unit, r.by_name, r.at, r.note) for r in rows)


def exemplars_at(
    session: Session,
    plan_id: int,
    round_code: str,
    *,
    until: datetime,
    states: Collection[ExemplarState] = SENT,
) -> tuple[ExemplarThen, ...]:
    """The exemplars of a half-year (``2025-H1``) as they stood before the UTC instant ``until``, those that were in
    one of ``states`` then (default: handed in, short-listed or published), by unit and order of writing.

    Told from their entries alone, so that the same moment always gives the same. One statement.
    """
    mine = (exemplar.c.plan_id == plan_id, exemplar.c.round_code == round_code)
    last = (
        select(func.max(exemplar_entry.c.id))
        .join(exemplar, exemplar.c.id == exemplar_entry.c.exemplar_id)
        .where(*mine, exemplar_entry.c.at < until)
        .group_by(exemplar_entry.c.exemplar_id)
    )
    rows = session.execute(
        select(exemplar_entry, exemplar.c.unit_code, unit.c.name.label("unit_name"))
        .join(exemplar, exemplar.c.id == exemplar_entry.c.exemplar_id)
        .join(unit, unit.c.code == exemplar.c.unit_code)
        .where(exemplar_entry.c.id.in_(last), exemplar_entry.c.state.in_([state.value for state in states]))
        .order_by(exemplar.c.unit_code, exemplar.c.id)
    )
    return tuple(map(_then, rows))


def _then(row: Any) -> ExemplarThen:
    told = json.loads(row.content)
    return ExemplarThen(
        row.exemplar_id,
        row.unit_code,
        row.unit_name,
        ExemplarState(row.state),
        row.at,
        Content(**{name: told[name] for name in CONTENT}),
        tuple(PictureThen(one["file_id"], one["caption"]) for one in told["pictures"]),
    )
