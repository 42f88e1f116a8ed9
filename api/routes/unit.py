"""单位: the tree, one unit's agenda and calendar subscriptions, lists of items and one item."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.agenda import agenda
from api.dependencies import Deployed, MaybePlan, Now, OpenPlan, Reads, Writes, own_page_only, printable
from api.pages import page, plan_page
from ledger import feed_tokens, outbox, plans, tally
from ledger.queries import units
from ledger.queries.board import overdue_by_unit
from ledger.queries.items import unit_items
from policy_models.rollup import Cell, roll_up

router = APIRouter(include_in_schema=False)
Code = Annotated[str, BeforeValidator(printable), Path(max_length=24)]
Words = Annotated[str, BeforeValidator(printable), Query(max_length=40)]
INBOX_SHOWN = 5


@router.get("/units")
def show_units(session: Reads, reading: MaybePlan, q: Words = "") -> Response:
    if reading is None:
        return page("empty.html", {})
    counts = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now)
    context = {
        "here": "units",
        "q": q.strip(),
        "found": units.search(session, q.strip()) if q.strip() else (),
        "floors": units.upper_units(session),
        "villages": units.village_counts(session),
        "cells": roll_up(counts, lambda c: c.county),
        "empty_cell": Cell(),
        "overdue": {one.code: one.overdue for one in overdue_by_unit(session, reading)},
    }
    return plan_page("units.html", reading, plans.plans(session), context)


@router.get("/units/{code}")
def show_unit(session: Reads, reading: OpenPlan, code: Code) -> Response:
    own = units.unit_row(session, code)
    rows = unit_items(session, reading, own.code)
    context = {
        "here": "units",
        "unit": own,
        "above": units.above(session, own.code),
        "below": units.below(session, reading, own.code),
        "slices": agenda(rows, reading.as_of),
        "owes": bool(rows),
        "inbox": outbox.inbox(session, own.code, limit=INBOX_SHOWN),
        "tokens": feed_tokens.listing(session, own.code),
    }
    return plan_page("unit.html", reading, plans.plans(session), context)


@router.post("/units/{code}/feeds", dependencies=[Depends(own_page_only)])
def subscribe(
    session: Writes,
    now: Now,
    deployed: Deployed,
    code: Code,
    name: Annotated[str, Form(max_length=200)] = "",
    alarm: Annotated[str, Form(max_length=8)] = "off",
) -> Response:
    """Make a secret address and show it, once."""
    own = units.unit_row(session, code)
    token = feed_tokens.create(session, own.code, name, now)
    base = deployed.base_url.rstrip("/")
    path = f"/feeds/{token}.ics{'' if alarm == 'on' else '?alarm=off'}"
    context = {"here": "units", "unit": own, "https": f"{base}{path}", "webcal": _webcal(base) + path}
    return page("subscribed.html", context, headers={"Referrer-Policy": "no-referrer"})


@router.post("/units/{code}/feeds/{token_id}/revoke", dependencies=[Depends(own_page_only)])
def unsubscribe(session: Writes, now: Now, code: Code, token_id: Annotated[int, Path(ge=1)]) -> Response:
    feed_tokens.revoke(session, code, token_id, now)
    return RedirectResponse(f"/units/{quote(code, safe='-')}#feeds", 303)


def _webcal(base: str) -> str:
    return "webcal://" + base.partition("://")[2]
