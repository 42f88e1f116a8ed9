"""单位 as an administrator lists them: the tree floor by floor, a search, those without a liaison, those that are closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select

from ledger.database import Session
from ledger.scope import within
from ledger.tables import person, unit
from policy_models.access import Scope
from policy_models.plan import Level


class UnitPile(StrEnum):
    """TREE: directly below a unit (or the uppermost of the scope); BARE: in use without an active liaison; CLOSED."""

    TREE = "tree"
    BARE = "bare"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ListedUnit:
    """``liaisons``: active ones; ``below``: units directly below it that are in use; ``into``: what it was merged into."""

    code: str
    name: str
    level: Level
    function: str
    parent: str | None
    parent_name: str | None
    functional_zone: bool
    liaisons: int
    below: int
    closed_on: date | None
    into: str | None


@dataclass(frozen=True, slots=True)
class UnitList:
    """``after``: where the next page begins; "" at the end."""

    rows: tuple[ListedUnit, ...]
    after: str


def unit_list(
    session: Session,
    scope: Scope,
    pile: UnitPile,
    today: date,
    *,
    parent: str = "",
    words: str = "",
    after: str = "",
    limit: int = 100,
) -> UnitList:
    """A page in order of code: one statement. ``words``: in the name, or how the code begins, in the whole scope."""
    chosen = [within(scope, unit.c.code), _wanted(scope, pile, today, parent, words)]
    if after:
        chosen.append(unit.c.code > after)
    rows = session.execute(_chosen().where(*chosen).order_by(unit.c.code).limit(limit + 1)).all()
    return UnitList(tuple(map(_row, rows[:limit])), rows[limit - 1].code if len(rows) > limit else "")


def listed_unit(session: Session, code: str) -> ListedUnit | None:
    """One unit as lists show it."""
    row = session.execute(_chosen().where(unit.c.code == code)).first()
    return _row(row) if row else None


def _chosen() -> Any:
    lower, upper, heir = unit.alias("lower"), unit.alias("upper"), unit.alias("heir")
    liaisons = select(func.count()).where(person.c.unit_code == unit.c.code, person.c.active, person.c.liaison)
    below = (
        select(func.count())
        .select_from(lower)
        .where(lower.c.parent == unit.c.code, lower.c.active, lower.c.closed_on.is_(None))
    )
    return select(
        unit,
        upper.c.name.label("parent_name"),
        heir.c.name.label("heir_name"),
        liaisons.correlate(unit).scalar_subquery().label("liaisons"),
        below.correlate(unit).scalar_subquery().label("below"),
    ).select_from(
        unit.outerjoin(upper, upper.c.code == unit.c.parent).outerjoin(heir, heir.c.code == unit.c.merged_into)
    )


def _wanted(scope: Scope, pile: UnitPile, today: date, parent: str, words: str) -> ColumnElement[bool]:
    open_ = and_(unit.c.active, or_(unit.c.closed_on.is_(None), unit.c.closed_on > today))
    if words:
        plain = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return or_(unit.c.name.like(f"%{plain}%", escape="\\"), unit.c.code.like(f"{plain}%", escape="\\"))
    if pile is UnitPile.CLOSED:
        return ~open_
    if pile is UnitPile.BARE:
        reached = exists().where(person.c.unit_code == unit.c.code, person.c.active, person.c.liaison)
        return and_(open_, ~reached)
    if parent:
        return unit.c.parent == parent
    return unit.c.parent.is_(None) if scope.roots is None else unit.c.code.in_(scope.roots)


def _row(row: Row[Any]) -> ListedUnit:
    return ListedUnit(
        row.code,
        row.name,
        Level(row.level),
        row.function,
        row.parent,
        row.parent_name,
        bool(row.functional_zone),
        int(row.liaisons),
        int(row.below),
        row.closed_on,
        row.heir_name,
    )
