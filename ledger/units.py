"""单位 in the ledger: saved whole or not at all, read back as the checked tree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from ledger import tally
from ledger.database import Session
from ledger.plans import plans
from ledger.tables import unit
from policy_models.plan import Function, Level
from policy_models.units import Unit, Units


@dataclass(frozen=True, slots=True)
class UnitsReport:
    """What saving units did: how many were new, how many changed, how many there are now."""

    added: int
    changed: int
    total: int


def all_units(session: Session) -> Units:
    """Every active unit, as a checked tree."""
    rows = session.execute(select(unit).where(unit.c.active))
    return Units(
        Unit(r.code, r.name, Level(r.level), Function(r.function) if r.function else None, r.parent, r.functional_zone)
        for r in rows
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
        session.execute(update(unit).where(unit.c.code == bindparam("_code")).values(values), changed)
    if any(row["_county"] != before[row["_code"]]["county"] for row in changed):
        for plan in plans(session):
            tally.rebuild(session, plan.id)
    return UnitsReport(len(new), len(changed), len(tree))


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
