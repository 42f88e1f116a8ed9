"""单位: the tree, and one unit's agenda."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator

from api.agenda import agenda
from api.dependencies import MaybePlan, OpenPlan, Reads, printable
from api.desk import work_of
from api.guard import Guarded
from api.pages import page, plan_page
from ledger import feed_tokens, outbox, plans, tally
from ledger.queries import units
from ledger.queries.board import overdue_by_unit
from ledger.queries.items import unit_items
from ledger.queries.reading import Reading
from policy_models.plan import Level
from policy_models.rollup import Cell, roll_up

router = APIRouter(route_class=Guarded, include_in_schema=False)
Code = Annotated[str, BeforeValidator(printable), Path(max_length=24)]
Words = Annotated[str, BeforeValidator(printable), Query(max_length=40)]
INBOX_SHOWN = 5
UPPER = (Level.CITY, Level.COUNTY, Level.TOWNSHIP)  # the floors that the tree shows


@router.get("/units")
def show_units(session: Reads, reading: MaybePlan, q: Words = "") -> Response:
    if reading is None:
        return page("empty.html", {})
    order = _organ_order(reading)
    counts = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now, scope=reading.scope)
    context = {
        "here": "units",
        "q": q.strip(),
        "found": units.search(session, q.strip(), scope=reading.scope) if q.strip() else (),
        "floors": sorted(units.upper_units(session, reading.scope), key=order),
        "villages": units.village_counts(session, reading.scope),
        "cells": roll_up(counts, lambda c: c.county),
        "empty_cell": Cell(),
        "overdue": {one.code: one.overdue for one in overdue_by_unit(session, reading, levels=UPPER)},
    }
    return plan_page("units.html", reading, plans.plans(session), context)


@router.get("/units/{code}")
def show_unit(session: Reads, reading: OpenPlan, code: Code) -> Response:
    own = units.unit_row(session, code)
    rows = unit_items(session, reading, own.code)
    order = _organ_order(reading)
    below = sorted(units.below(session, reading, own.code), key=lambda one: (not one.unit.function, order(one.unit)))
    context = {
        "here": "units",
        "unit": own,
        "above": units.above(session, own.code, reading.scope),
        "below": below,
        "late_below": sum(one.standing.overdue for one in below),
        "slices": agenda(rows, reading.as_of),
        "owes": bool(rows),
        "desk": work_of(session, reading, own.code),
        "inbox": outbox.inbox(session, own.code, limit=INBOX_SHOWN),
        "subscriptions": sum(not one.revoked_at for one in feed_tokens.listing(session, own.code)),
    }
    return plan_page("unit.html", reading, plans.plans(session), context)


def _organ_order(reading: Reading) -> Callable[[units.UnitRow], tuple[int, str]]:
    """City departments as the plan names its organs; all others by code, as they were."""
    places = {code: place for place, code in enumerate(dict.fromkeys(reading.plan.organs.values()))}
    last = len(places)

    def order(one: units.UnitRow) -> tuple[int, str]:
        return (places.get(one.code, last), one.code) if one.level is Level.CITY else (last, one.code)

    return order
