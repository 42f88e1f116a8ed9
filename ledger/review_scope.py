"""Whose turn a submission is: the reviewer of an item, in SQL, the same as ``acts.Standing.reviewer``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func

from ledger.tables import plan, requirement, unit
from policy_models.plan import Review


def reviewer() -> Any:
    """The reviewer's code; over work_item joined with unit, requirement and plan."""
    parent = func.coalesce(func.nullif(unit.c.superior, ""), plan.c.coordinator)
    return case((requirement.c.review == Review.PARENT.value, parent), else_=plan.c.coordinator)


def reviewed_by(code: str) -> ColumnElement[bool]:
    return reviewer() == code  # type: ignore[no-any-return]
