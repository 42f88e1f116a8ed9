"""范围: which units lie below a unit, in the tree (``parent``) or in its line of work (``superior``). Every query that
shows rows of units narrows them here, and every act asks here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true

from ledger.database import Session
from ledger.tables import unit
from policy_models.access import Scope


def line_of(session: Session, *codes: str) -> frozenset[str]:
    """These units and all units above them, in the tree and in their lines of work: empty for unknown codes. One
    statement."""
    own = select(unit.c.code, unit.c.parent, unit.c.superior).where(unit.c.code.in_(codes))
    line = own.cte("line", recursive=True)
    upper = unit.alias("upper")
    higher = select(upper.c.code, upper.c.parent, upper.c.superior).join(
        line, or_(upper.c.code == line.c.parent, upper.c.code == line.c.superior)
    )
    return frozenset(session.execute(select(line.union(higher).c.code)).scalars())


def codes_within(roots: Iterable[str]) -> Any:
    """The codes of these units and of all below them, as a subquery of one column."""
    return _codes_within(tuple(sorted(roots)))


@lru_cache(maxsize=256)  # one and the same, so that a statement that asks twice works it out once
def _codes_within(roots: tuple[str, ...]) -> Any:
    tree = select(unit.c.code).where(unit.c.code.in_(roots)).cte("within_scope", recursive=True)
    lower = unit.alias("lower")
    below = select(lower.c.code).join(tree, or_(lower.c.parent == tree.c.code, lower.c.superior == tree.c.code))
    return select(tree.union(below).c.code)


def within(scope: Scope, column: Any) -> ColumnElement[bool]:
    """The condition that a column of unit codes lies in the scope."""
    if scope.roots is None:
        return true()
    found: ColumnElement[bool] = column.in_(codes_within(scope.roots))
    return found
