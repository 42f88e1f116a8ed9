"""单位 in the ledger: saved whole or not at all, read back as the checked tree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select, update

from ledger import tally
from ledger.acts import SYSTEM, Actor, act_on_all
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import plans
from ledger.tables import unit, work_item
from policy_models.errors import ActNotAllowed, NotFound
from policy_models.lifecycle import Act, State
from policy_models.plan import Function, Level
from policy_models.units import Unit, Units


@dataclass(frozen=True, slots=True)
class UnitsReport:
    """What saving units did: how many were new, how many changed, how many there are now."""

    added: int
    changed: int
    total: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A unit that was closed: its name, that of the unit it was merged into, how many items were cancelled, and for
    how many units another reviews from then on."""

    name: str
    into: str | None
    cancelled: int
    reviewed: int


MOST_LINKS = 20  # units merged one into the other


def all_units(session: Session) -> Units:
    """Every active unit, as a checked tree. One that was closed stays in it: what it did and owed is not forgotten."""
    columns = (unit.c.code, unit.c.name, unit.c.level, unit.c.function, unit.c.parent, unit.c.functional_zone)
    rows = session.execute(select(*columns).where(unit.c.active).order_by(unit.c.code)).all()
    return _tree(tuple(map(tuple, rows)))


# Checking a thousand units costs some 15 ms and many pages need the tree: equal rows, equal value.
@lru_cache(maxsize=8)
def _tree(rows: tuple[tuple[Any, ...], ...]) -> Units:
    return Units(
        Unit(code, name, Level(level), Function(function) if function else None, parent, bool(zone))
        for code, name, level, function, parent, zone in rows
    )


def units_digest(units: Units) -> str:
    """SHA-256 of what decides who owes what: code, level, function, parent of every unit."""
    lines = sorted(f"{u.code}|{u.level}|{u.function or ''}|{u.parent or ''}" for u in units.values())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def save_units(session: Session, units: Iterable[Unit], *, now: datetime, replace: bool) -> UnitsReport:
    """Add the units that are new; with ``replace`` also take over changes of those that are known.

    The tree of all units together is checked first: UnitsInvalid, and nothing is saved. Who owes what may change with
    it: ``timetables.reconcile`` follows.
    """
    known = all_units(session)
    merged = dict(known)
    for one in units:
        if replace or one.code not in known:
            merged[one.code] = one
    tree = Units(merged.values())
    rows = [_row(one, tree, now) for one in tree.values()]
    before = {code: _row(one, known, now) for code, one in known.items()}
    new = [row for row in rows if row["code"] not in known]
    changed = [
        {f"_{k}": v for k, v in row.items()} for row in rows if row["code"] in known and row != before[row["code"]]
    ]
    if new:
        session.execute(insert(unit), sorted(new, key=lambda row: _depth(tree, row["code"])))
    if changed:
        values: dict[str, Any] = {name.removeprefix("_"): bindparam(name) for name in changed[0] if name != "_code"}
        values["version"] = unit.c.version + 1
        session.execute(update(unit).where(unit.c.code == bindparam("_code")).values(values), changed)
    if any(row[f"_{name}"] != before[row["_code"]][name] for row in changed for name in ("county", "parent", "level")):
        for plan in plans(session):
            tally.rebuild(session, plan.id)
    hand_over(session, now=now)
    return UnitsReport(len(new), len(changed), len(tree))


def close_unit(
    session: Session, code: str, *, on: date, now: datetime, into: str | None = None, by: Actor = SYSTEM
) -> Closed:
    """Close a unit: from the civil date ``on`` it owes nothing. Unfinished items with a deadline on or after it are
    cancelled (what was handed in is still reviewed), and none is made any more; past days show it as it was.

    ``into``: the unit it is merged into, which reviews in its place from that day; without one its superior does.
    The same again changes nothing. Raises NotFound, and ActNotAllowed for a coordinator, for a unit merged into itself
    or into a closed one, and for one that is closed already otherwise.
    """
    own, target = _row_of(session, code), _row_of(session, into) if into is not None else None
    if any(plan.coordinator == code for plan in plans(session)):
        raise ActNotAllowed(f"{own.name}是方案的统筹单位，不能停用")
    if target is not None and (target.code == code or (target.closed_on is not None and target.closed_on <= on)):
        raise ActNotAllowed(f"{own.name}不能并入{target.name}：须并入另一个届时仍在的单位")
    if own.closed_on is not None and (own.closed_on, own.merged_into) != (on, into):
        raise ActNotAllowed(f"{own.name}已定于{own.closed_on}停用，不能再改")
    note = f"{own.name}自{on}起停用" + (f"，并入{target.name}" if target is not None else "")
    later = and_(work_item.c.unit_code == code, work_item.c.deadline >= on, work_item.c.state != State.SUBMITTED.value)
    cancelled = act_on_all(session, later, Act.CANCEL, by=by, now=now, note=note)
    values = {"closed_on": on, "merged_into": into, "changed_at": now, "version": unit.c.version + 1}
    session.execute(update(unit).where(unit.c.code == code, unit.c.closed_on.is_(None)).values(values))
    below = select(func.count()).where(unit.c.superior == code, unit.c.code != code)
    reviewed = int(session.execute(below).scalar_one())
    hand_over(session, now=now)
    return Closed(own.name, target.name if target is not None else None, cancelled, reviewed)


def _row_of(session: Session, code: str) -> Any:
    row = session.execute(select(unit).where(unit.c.code == code)).first()
    if row is None:
        raise NotFound(f"没有代码为 {code[:24]} 的单位")
    return row


def hand_over(session: Session, *, now: datetime) -> int:
    """Whose superior is closed by now is reviewed by the unit that this one was merged into, else by its superior;
    how many such units there were. A second time does nothing."""
    gone = unit.alias("gone")
    closed = select(gone.c.code).where(gone.c.closed_on <= civil_date(now))
    heir = select(func.coalesce(gone.c.merged_into, gone.c.superior)).where(gone.c.code == unit.c.superior)
    values = {"superior": heir.scalar_subquery(), "changed_at": now, "version": unit.c.version + 1}
    astray = update(unit).where(unit.c.superior.in_(closed)).values(values)
    moved = 0
    for _ in range(MOST_LINKS):  # one link of a chain of mergers each time
        met = session.execute(astray).rowcount
        if not met:
            break
        moved += met
    return moved


def _depth(tree: Units, code: str) -> int:
    depth, parent = 0, tree[code].parent
    while parent:
        depth, parent = depth + 1, tree[parent].parent
    return depth


def _row(one: Unit, tree: Units, now: datetime) -> dict[str, Any]:
    return {
        "code": one.code,
        "name": one.name,
        "level": one.level.value,
        "function": one.function.value if one.function else "",
        "parent": one.parent,
        "county": tree.county_of(one.code) or "",
        "superior": tree.superior(one),
        "functional_zone": one.functional_zone,
        "active": True,
        "changed_at": now,
    }
