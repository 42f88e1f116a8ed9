"""What a poll of a calendar needs to know before it looks at any item: whether something changed, and whose.

Ids are given before transactions commit, so a lower id may appear after a higher one. Hence each log is watched from a
floor well below its newest id: what lies above it is counted, and read when the count is another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, cast, func, select

from ledger.database import Session
from ledger.tables import (
    entry,
    feed_token,
    item_move,
    person,
    person_address,
    plan,
    requirement,
    round_,
    unit,
    work_item,
)
from policy_models.feeds import OF_PLAN, Scope, Subject

LOGS: dict[str, Any] = {"entry": entry, "item": work_item, "move": item_move, "token": feed_token}


@dataclass(frozen=True, slots=True)
class Log:
    """The newest id, and how many lie above the floor."""

    newest: int
    above: int


@dataclass(frozen=True, slots=True)
class Marks:
    """The state of everything that feeds depend on: equal marks, equal feeds on the same day."""

    logs: dict[str, Log]
    revoked: int
    units: int
    plans: int
    people: tuple[int, int, str]
    rounds: int


@dataclass(frozen=True, slots=True)
class Touched:
    """Where an item changed."""

    unit: str
    plan_id: int
    task: int | None
    phase: int


@dataclass(frozen=True, slots=True)
class UnitMark:
    version: int
    parent: str | None
    function: str


@dataclass(frozen=True, slots=True)
class KnownToken:
    """What a poll needs of a token. ``digest``: the raw SHA-256; ``revoked_at`` UTC; ``name`` of a stopped one only."""

    id: int
    digest: bytes
    subject: Subject
    last_used_at: datetime | None
    revoked_at: datetime | None
    replaced: bool
    name: str


def marks(session: Session, floors: dict[str, int]) -> Marks:
    """One statement of counts over indexes and small tables."""
    columns: list[Any] = []
    for name, table in LOGS.items():
        columns.append(select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery())
        columns.append(select(func.count()).where(table.c.id > floors[name]).scalar_subquery())
    roles = sum((cast(person.c[name], Integer) for name in ("active", "liaison", "principal")), start=person.c.id * 0)
    addresses = select(func.count()).select_from(person_address).scalar_subquery()
    columns += [
        select(func.count()).where(feed_token.c.revoked_at.is_not(None)).scalar_subquery(),
        select(func.coalesce(func.sum(unit.c.version), 0) + func.count()).scalar_subquery(),
        select(func.coalesce(func.sum(plan.c.version), 0) + func.count()).scalar_subquery(),
        select(func.count() + func.coalesce(func.sum(roles), 0)).select_from(person).scalar_subquery(),
        addresses,
        select(func.max(person.c.changed_at)).scalar_subquery(),
        select(func.count()).select_from(round_).scalar_subquery(),
    ]
    row = [*session.execute(select(*columns)).one()]
    logs = {name: Log(int(row[2 * n]), int(row[2 * n + 1])) for n, name in enumerate(LOGS)}
    revoked, units, plans, people, ways, people_changed, rounds = row[2 * len(LOGS) :]
    return Marks(logs, revoked, int(units), int(plans), (int(people), int(ways), str(people_changed)), int(rounds))


def ids_above(session: Session, log: str, floor: int) -> frozenset[int]:
    """The ids of a log above its floor."""
    ids = LOGS[log].c.id
    return frozenset(session.execute(select(ids).where(ids > floor)).scalars())


def touched(session: Session, log: str, ids: Collection[int]) -> frozenset[Touched]:
    """Where the items of new entries, new items or new moves stand. One statement for each 500 ids."""
    table, wanted = LOGS[log], sorted(ids)
    columns = (work_item.c.unit_code, work_item.c.plan_id, requirement.c.task, work_item.c.phase)
    source = work_item.join(requirement, requirement.c.id == work_item.c.requirement_id)
    if table is not work_item:
        source = source.join(table, table.c.item_id == work_item.c.id)
    found: set[Touched] = set()
    for start in range(0, len(wanted), 500):
        some = table.c.id.in_(wanted[start : start + 500])
        rows = session.execute(select(*columns).select_from(source).where(some).distinct())
        found |= {Touched(row.unit_code, row.plan_id, row.task, row.phase) for row in rows}
    return frozenset(found)


def unit_marks(session: Session) -> dict[str, UnitMark]:
    """The version and the place of every unit, by code."""
    rows = session.execute(select(unit.c.code, unit.c.version, unit.c.parent, unit.c.function))
    return {row.code: UnitMark(row.version, row.parent, row.function) for row in rows}


def tokens(session: Session, *, above: int = 0, stopped: bool = False) -> tuple[KnownToken, ...]:
    """The tokens with an id above ``above``; or only those that are stopped, whatever their id."""
    coordinators = frozenset(session.execute(select(plan.c.coordinator)).scalars())
    columns = feed_token.c
    chosen = select(feed_token).where(columns.revoked_at.is_not(None) if stopped else columns.id > above)
    return tuple(_known(row, coordinators) for row in session.execute(chosen))


def _known(row: Any, coordinators: frozenset[str]) -> KnownToken:
    scope = Scope(row.scope)
    within = row.unit_code if scope in OF_PLAN and row.unit_code not in coordinators else ""
    return KnownToken(
        row.id,
        bytes.fromhex(row.hash),
        Subject(scope, row.target or row.unit_code, row.plan_id, within),
        row.last_used_at,
        row.revoked_at,
        row.replaced_by is not None,
        row.name if row.revoked_at else "",
    )
