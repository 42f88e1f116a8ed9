"""单位 as rows: one with what lies above it, those below it with counts, the counties, and a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Table, case, func, literal, or_, select

from ledger import tally
from ledger.database import Session
from ledger.queries.items import timing_of
from ledger.queries.past_counts import past_counts
from ledger.queries.reading import Reading
from ledger.scope import within
from ledger.tables import unit, work_item
from ledger.timing_sql import timing_case
from policy_models.access import WHOLE, Scope
from policy_models.errors import NotFound
from policy_models.plan import Level
from policy_models.timing import DONE, LATE, NOT_EXPECTED, Timing


@dataclass(frozen=True, slots=True)
class UnitRow:
    """``function`` is "" where the unit has none; ``county`` "" for city units; from the civil date ``closed_on`` on
    it owes nothing and acts no more."""

    code: str
    name: str
    level: Level
    function: str
    parent: str | None
    county: str
    superior: str | None
    active: bool
    closed_on: date | None = None

    def is_closed(self, day: date) -> bool:
        return not self.active or (self.closed_on is not None and self.closed_on <= day)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a unit and all units below it have to do: expected and done items, overdue ones and red ones among
    them; ``units``: how many units."""

    units: int
    expected: int
    done: int
    overdue: int
    long_overdue: int = 0


@dataclass(frozen=True, slots=True)
class UnitStanding:
    unit: UnitRow
    standing: Standing


def unit_row(session: Session, code: str) -> UnitRow:
    """The unit of this code. Raises NotFound."""
    row = session.execute(select(unit).where(unit.c.code == code)).first()
    if row is None:
        raise NotFound(f"没有代码为“{code[:24]}”的单位")
    return _unit(row)


def above(session: Session, code: str, scope: Scope = WHOLE) -> tuple[UnitRow, ...]:
    """The units above one that lie in the scope, from the city down, without itself."""
    chain = select(unit.c.code, unit.c.parent, literal(0).label("depth")).where(unit.c.code == code)
    line = chain.cte("line", recursive=True)
    upper = unit.alias("upper")
    line = line.union_all(select(upper.c.code, upper.c.parent, line.c.depth + 1).where(upper.c.code == line.c.parent))
    rows = session.execute(
        select(unit)
        .join(line, line.c.code == unit.c.code)
        .where(unit.c.code != code, within(scope, unit.c.code))
        .order_by(line.c.depth.desc())
    )
    return tuple(map(_unit, rows))


def has_below(session: Session, code: str) -> bool:
    """Whether a unit that is in use lies directly below one."""
    return session.execute(select(unit.c.code).where(unit.c.parent == code, unit.c.active).limit(1)).first() is not None


def below(session: Session, reading: Reading, code: str) -> tuple[UnitStanding, ...]:
    """The units directly below one, each with the counts of all that lies below it: one statement each for units
    and counts."""
    children = session.execute(
        select(unit).where(unit.c.parent == code, unit.c.active).order_by(unit.c.function == "", unit.c.code)
    ).all()
    told = tally.place_rows(session, reading.plan_id, reading.as_of if reading.is_past else None)
    if told is None or (children and Level(children[0].level) in LOWEST):
        counts = _counts_below(session, reading, code)
    else:
        counts = _counts_of_places(session, reading, code, *told)
    none = Standing(1, 0, 0, 0)
    return tuple(UnitStanding(_unit(row), counts.get(row.code, none)) for row in children)


def _counts_of_places(
    session: Session, reading: Reading, code: str, table: Table, which: Sequence[ColumnElement[bool]]
) -> dict[str, Standing]:
    """``_counts_below`` for a unit that lies above the townships, from these rows of a tally by place."""
    lower, town, told = unit.alias("lower"), unit.alias("town"), table.c
    roots = select(unit.c.code.label("root"), unit.c.code.label("code"), unit.c.level).where(unit.c.parent == code)
    tree = roots.cte("tree", recursive=True)
    under = select(tree.c.root, lower.c.code, lower.c.level).where(lower.c.parent == tree.c.code)
    tree = tree.union_all(under.where(tree.c.level != Level.TOWNSHIP.value))
    timing = timing_case(told, reading.at, late=told.late, often_returned=told.often_returned)
    per_place = (
        select(told.place, *(_sum_of(timing, group, told.n).label(name) for name, group in GROUPS.items()))
        .where(*which, told.place.in_(select(tree.c.code)))
        .group_by(told.place)
        .subquery("per_place")
    )
    villages = (
        select(unit.c.parent, func.count().label("n"))
        .join(town, town.c.code == unit.c.parent)
        .where(town.c.level == Level.TOWNSHIP.value)
        .group_by(unit.c.parent)
        .subquery("villages")
    )
    rows = session.execute(
        select(
            tree.c.root,
            func.sum(1 + func.coalesce(villages.c.n, 0)).label("units"),
            *(func.coalesce(func.sum(per_place.c[name]), 0).label(name) for name in GROUPS),
        )
        .select_from(
            tree.outerjoin(per_place, per_place.c.place == tree.c.code).outerjoin(
                villages, villages.c.parent == tree.c.code
            )
        )
        .group_by(tree.c.root)
    )
    return {
        r.root: Standing(int(r.units), int(r.all - r.exempt), int(r.done), int(r.overdue), int(r.red)) for r in rows
    }


def _counts_below(session: Session, reading: Reading, code: str) -> dict[str, Standing]:
    roots = select(unit.c.code.label("root"), unit.c.code.label("code")).where(unit.c.parent == code)
    tree = roots.cte("tree", recursive=True)
    lower = unit.alias("lower")
    tree = tree.union_all(select(tree.c.root, lower.c.code).where(lower.c.parent == tree.c.code))
    codes = select(tree.c.code)
    per_unit = past_counts(reading, codes) if reading.is_past else _counts_now(reading, codes)
    rows = session.execute(
        select(
            tree.c.root,
            func.count().label("units"),
            *(func.coalesce(func.sum(per_unit.c[name]), 0).label(name) for name in GROUPS),
        )
        .select_from(tree.outerjoin(per_unit, per_unit.c.unit_code == tree.c.code))
        .group_by(tree.c.root)
    )
    return {r.root: Standing(r.units, int(r.all - r.exempt), int(r.done), int(r.overdue), int(r.red)) for r in rows}


def _counts_now(reading: Reading, codes: Any) -> Any:
    """By unit, of the units with these codes: items of each of GROUPS."""
    items = work_item.c
    timing = timing_of(items, reading)
    counted = (_sum_of(timing, group).label(name) for name, group in GROUPS.items())
    mine = (reading.seen(items), items.unit_code.in_(codes))
    return select(items.unit_code, *counted).where(*mine).group_by(items.unit_code).subquery("per_unit")


LOWEST = frozenset((Level.VILLAGE, Level.SCHOOL, Level.INSTITUTION))
RED = frozenset({Timing.LONG_OVERDUE})
GROUPS: dict[str, frozenset[Any] | None] = {
    "all": None,
    "exempt": NOT_EXPECTED,
    "done": DONE,
    "overdue": LATE,
    "red": RED,
}


def _sum_of(timing: Any, group: frozenset[Any] | None, n: Any = 1) -> Any:
    """The sum of ``n`` over rows whose timing is of a group; None for all."""
    if group is None:
        return func.sum(n)
    return func.sum(case((timing.in_([member.value for member in group]), n), else_=0))


def counties(session: Session, scope: Scope = WHOLE) -> tuple[UnitRow, ...]:
    """The counties themselves (without function) that units of the scope lie in, in order of code."""
    chosen = select(unit).where(unit.c.level == Level.COUNTY.value, unit.c.function == "", unit.c.active)
    if not scope.is_whole:
        lower = unit.alias("lower")
        chosen = chosen.where(unit.c.code.in_(select(lower.c.county).where(within(scope, lower.c.code))))
    return tuple(map(_unit, session.execute(chosen.order_by(unit.c.code))))


def upper_units(session: Session, scope: Scope = WHOLE) -> tuple[UnitRow, ...]:
    """City, county and township units of the scope: the tree's first floors, in order of code."""
    floors = [Level.CITY.value, Level.COUNTY.value, Level.TOWNSHIP.value]
    chosen = select(unit).where(unit.c.level.in_(floors), unit.c.active, within(scope, unit.c.code))
    return tuple(map(_unit, session.execute(chosen.order_by(unit.c.code))))


def village_counts(session: Session, scope: Scope = WHOLE) -> dict[str, int]:
    """How many units of the scope lie directly below each township."""
    below_it = select(unit.c.parent, func.count().label("n")).where(unit.c.active, unit.c.parent.is_not(None))
    below_it = below_it.where(within(scope, unit.c.code))
    return {row.parent: row.n for row in session.execute(below_it.group_by(unit.c.parent))}


def search(session: Session, words: str, *, limit: int = 100, scope: Scope = WHOLE) -> tuple[UnitRow, ...]:
    """Units of the scope whose name contains the words or whose code begins with them, the higher levels first."""
    literal_words = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    hit = or_(unit.c.name.like(f"%{literal_words}%", escape="\\"), unit.c.code.like(f"{literal_words}%", escape="\\"))
    chosen = select(unit).where(hit, unit.c.active, within(scope, unit.c.code))
    rows = session.execute(chosen.order_by(func.length(unit.c.code), unit.c.code).limit(limit))
    return tuple(map(_unit, rows))


def all_units(
    session: Session, *, parent: str | None = None, after: str = "", limit: int = 200, scope: Scope = WHOLE
) -> tuple[UnitRow, ...]:
    """Units of the scope in order of code, from the one after ``after``; only those below ``parent`` if given."""
    chosen = select(unit).where(unit.c.code > after, unit.c.active, within(scope, unit.c.code))
    chosen = chosen.order_by(unit.c.code).limit(limit)
    if parent is not None:
        chosen = chosen.where(unit.c.parent == parent)
    return tuple(map(_unit, session.execute(chosen)))


def units_of(session: Session, codes: frozenset[str]) -> tuple[UnitRow, ...]:
    """The units of these codes, in order of code; an unknown code has none."""
    rows = session.execute(select(unit).where(unit.c.code.in_(codes)).order_by(unit.c.code))
    return tuple(map(_unit, rows))


def unit_names(session: Session, codes: frozenset[str], scope: Scope = WHOLE) -> dict[str, str]:
    """Names by code, of those units that lie in the scope."""
    chosen = select(unit.c.code, unit.c.name).where(unit.c.code.in_(codes), within(scope, unit.c.code))
    return {row.code: row.name for row in session.execute(chosen)}


def _unit(row: Any) -> UnitRow:
    return UnitRow(
        row.code,
        row.name,
        Level(row.level),
        row.function,
        row.parent,
        row.county,
        row.superior,
        bool(row.active),
        row.closed_on,
    )
