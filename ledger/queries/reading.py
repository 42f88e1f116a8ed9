"""A plan opened for reading as of a civil date: what every other query takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.sql.selectable import FromClause

from ledger import plans
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.planner import aside
from ledger.replay import facts_of_items
from ledger.scope import within
from ledger.tables import work_item
from policy_models.access import WHOLE, Scope
from policy_models.calendars import Calendars
from policy_models.plan import Plan, Requirement, Section
from policy_models.timing import Thresholds

DATED_BY = ("deadline", "recurrence", "due")  # the fields of a requirement that its dates rest on


@dataclass(frozen=True)
class Reading:
    """``summary``: the plan's row; ``as_of``: civil date (Asia/Shanghai); ``now``: the UTC instant of the request;
    ``scope``: the units that whoever reads may see: every query narrows its rows to it (``ledger.scope.within``)."""

    summary: plans.PlanSummary
    plan: Plan
    calendars: Calendars
    as_of: date
    now: datetime
    at: Thresholds
    scope: Scope = WHOLE

    @property
    def plan_id(self) -> int:
        return self.summary.id

    @property
    def is_past(self) -> bool:
        """Whether the reading looks back: then items are replayed from their entries."""
        return self.as_of < civil_date(self.now)

    def requirement(self, code: str) -> Requirement | None:
        """The requirement as the plan words it; None for one that a later revision dropped."""
        return next((found for _, found in self.plan.requirements() if found.code == code), None)

    @cached_property
    def doubted(self) -> dict[str, tuple[str, ...]]:
        """See ``doubted_dates``."""
        return doubted_dates(self.plan)

    def section(self, name: str) -> Section | None:
        """``task-5``, ``phase-2``, ``safeguard-3``; None where the plan has none."""
        return dict(self.plan.sections()).get(name)

    def items(self, *among: ColumnElement[bool]) -> FromClause:
        """The plan's items as of the day, with the columns of work_item; filter by ``seen`` before reading. ``among``:
        conditions on work_item's key, unit or requirement that the reader has too: on a past day no others are
        replayed."""
        if not self.is_past:
            return work_item
        only = None
        if among or not self.scope.is_whole:
            only = select(work_item.c.id).where(self.seen(work_item.c), *among)
        past: FromClause = facts_of_items(self.plan_id, end_of_day(self.as_of), only)
        return past

    def seen(self, columns: Any, *, windowed: bool = False) -> ColumnElement[bool]:
        """The condition on rows of ``items`` that they are the plan's, and of a unit in the scope; ``windowed``: they are
        narrowed to a few days already, so that SQLite should not begin with the units."""
        mine: ColumnElement[bool] = columns.plan_id == self.plan_id
        if self.scope.is_whole:
            return mine
        return and_(mine, within(self.scope, aside(columns.unit_code) if windowed else columns.unit_code))


def doubted_dates(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By requirement: which of the fields that its dates rest on the official text does not state (推定)."""
    found = {one.code: tuple(name for name in DATED_BY if name in one.inferred) for _, one in plan.requirements()}
    return {code: names for code, names in found.items() if names}


def open_plan(
    session: Session, plan_code: str | None, *, as_of: date | None, now: datetime, scope: Scope = WHOLE
) -> Reading | None:
    """The plan of this code, else the one in force (else the latest), as of a day (default: today).

    None when the ledger holds no plan at all. Raises NotFound for an unknown code.
    """
    summary = plans.plan_summary(session, plan_code) if plan_code else plans.default_plan(session, civil_date(now))
    if summary is None:
        return None
    plan, calendars = plans.plan_and_calendars(session, summary.code)
    day = as_of or civil_date(now)
    at = Thresholds.at(day, calendars.work)
    return Reading(summary, plan, calendars, day, now, at, scope)
