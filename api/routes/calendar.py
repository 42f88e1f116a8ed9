"""日历: a month of what falls due and opens, for all that the visitor may see or for one unit."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator

from api import visit
from api.dependencies import MaybePlan, OpenPlan, Reads, UnitCode, empty_is_none
from api.guard import Guarded
from api.month import MonthDay, month_of, neighbour, span_of
from api.pages import page, plan_page
from ledger import plans
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.calendar import Whose, falling_due, opening
from ledger.queries.reading import Reading
from ledger.queries.units import UnitRow, above, has_below, unit_row
from policy_models.access import WHOLE, Scope
from policy_models.plan import Collects

router = APIRouter(route_class=Guarded, include_in_schema=False)
Below = Annotated[Literal["1"] | None, BeforeValidator(empty_is_none), Query()]
SHOWN_IN_A_DAY = 4  # lines in a square of the grid; the agenda below has them all


@router.get("/calendar")
def show_calendar(session: Reads, reading: MaybePlan, month: MonthDay = None) -> Response:
    if reading is None:
        return page("empty.html", {})
    visitor = visit.current().visitor
    desk = visitor.home if visitor and visitor.home else reading.summary.coordinator
    context: dict[str, object] = {"here": "calendar", "unit": None, "desk": desk, "base": "/calendar", "narrow": {}}
    return _shown(session, reading, month, Whose(reading.scope), context)


@router.get("/units/{code}/calendar")
def show_unit_calendar(
    session: Reads, reading: OpenPlan, code: UnitCode, month: MonthDay = None, below: Below = None
) -> Response:
    """One unit's own days; with ``below`` those of all units under it as well."""
    own = unit_row(session, code)
    many = has_below(session, own.code)
    context: dict[str, object] = {
        "here": "units",
        "unit": own,
        "above": above(session, own.code, reading.scope),
        "has_below": many,
        "below": bool(below) and many,
        "desk": own.code,
        "base": f"/units/{own.code}/calendar",
        "narrow": {"within": own.code} if below and many else {"unit": own.code},
    }
    return _shown(session, reading, month, _whose(own, bool(below) and many), context)


def _whose(own: UnitRow, below: bool) -> Whose:
    if not below:
        return Whose(WHOLE, own.code)
    return Whose(Scope((own.code,)) if own.parent else WHOLE)


def _shown(
    session: Session, reading: Reading, wanted: date | None, whose: Whose, context: dict[str, object]
) -> Response:
    first = wanted or reading.as_of.replace(day=1)
    span = span_of(first)
    due, opens = falling_due(session, reading, whose, *span), opening(session, reading, whose, *span)
    rounds = {one.code for _, one in reading.plan.requirements() if one.collects is Collects.REPORT}
    facts = {
        "month": month_of(reading, first, due, opens),
        "before": neighbour(first, -1),
        "after": neighbour(first, +1),
        "this_month": civil_date(reading.now).replace(day=1),
        "shown_in_a_day": SHOWN_IN_A_DAY,
        "rounds": rounds,
        "milestones": {one.code for _, one in reading.plan.requirements() if one.milestone},
    }
    return plan_page("calendar.html", reading, plans.plans(session), {**context, **facts})
