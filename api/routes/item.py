"""办理件: a filtered list, and one item with its history and evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BeforeValidator, Field, StringConstraints

from api import telling, visit
from api.dependencies import AsOf, CivilDay, MaybePlan, Now, Reads, empty_is_none, open_reading, printable
from api.guard import Guarded
from api.narrowing import EVERY, GROUPS, expanded
from api.pages import page, plan_page
from api.report_paths import collecting_path
from api.routes.submit import labels, submit_path
from api.ways import Ways
from ledger import extensions, plans
from ledger.acts import standing
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import ItemRow, item, items, plan_of_item
from ledger.queries.ladders import item_ladder
from ledger.queries.reading import Reading
from ledger.queries.units import counties, unit_names
from ledger.scope import line_of
from policy_models.access import Right
from policy_models.errors import NotFound
from policy_models.lifecycle import OWED, State
from policy_models.plan import Level
from policy_models.timing import Timing

router = APIRouter(route_class=Guarded, include_in_schema=False)
Short = Annotated[str, StringConstraints(max_length=40)]
Number = Annotated[int, Field(ge=1, le=99)]
Word = Annotated[Short | None, BeforeValidator(empty_is_none), BeforeValidator(printable), Query()]
Section = Annotated[Number | None, BeforeValidator(empty_is_none), Query()]
Key = Annotated[str, BeforeValidator(printable), Path(max_length=120)]
PageNumber = Annotated[
    Annotated[int, Field(ge=1, le=100_000)] | None, BeforeValidator(empty_is_none), Query(alias="page")
]
PAGE_ROWS = 50


def asked(
    unit: Word = None,
    section: Word = None,
    requirement: Word = None,
    period: Word = None,
    under: Word = None,
    state: Annotated[State | None, BeforeValidator(empty_is_none), Query()] = None,
    timing: Annotated[list[Timing], BeforeValidator(expanded), Query()] = [],  # noqa: B006
    phase: Section = None,
    within: Word = None,
    due_from: CivilDay = None,
    due_to: CivilDay = None,
    opens_from: CivilDay = None,
    opens_to: CivilDay = None,
    level: Annotated[Level | None, BeforeValidator(empty_is_none), Query()] = None,
) -> ItemFilter:
    days = (due_from, due_to, level, opens_from, opens_to)
    return ItemFilter(unit, section, requirement, period, under, state, tuple(timing), phase, within, *days)


Asked = Annotated[ItemFilter, Depends(asked)]


@router.get("/items")
def show_items(session: Reads, reading: MaybePlan, wanted: Asked, number: PageNumber = None) -> Response:
    """What is not done, unless a 办理状态 is asked for."""
    if reading is None:
        return page("empty.html", {})
    if wanted.section and reading.section(wanted.section) is None:
        raise NotFound(f"方案中没有“{wanted.section}”这一部分，请从任务页面重新进入")
    if not wanted.timing:
        wanted = replace(wanted, timing=EVERY if wanted.state else GROUPS["unfinished"])
    codes = frozenset(code for code in (wanted.unit, wanted.within) if code)
    number = number or 1
    skip = (number - 1) * PAGE_ROWS
    context = {
        "here": "items",
        "wanted": wanted,
        "found": items(session, reading, wanted, skip=skip, limit=PAGE_ROWS),
        "number": number,
        "skip": skip,
        "names": unit_names(session, codes, reading.scope),
        "counties": counties(session, reading.scope),
    }
    return plan_page("items.html", reading, plans.plans(session), context)


@router.get("/items/{key:path}")
def show_item(session: Reads, now: Now, ways: Ways, key: Key, as_of: AsOf = None) -> Response:
    reading = open_reading(session, plan_of_item(session, key), as_of=as_of, now=now)
    if reading is None:
        raise NotFound("没有这个办理件，地址可能不完整或已失效")
    detail = item(session, reading, key)
    asked = extensions.of_item(session, key, before=end_of_day(reading.as_of))
    current = reading.as_of == civil_date(now)
    context = {
        "here": "items",
        "extensions": asked,
        "may_extend": current and extensions.may_request(detail.row.state, detail.row.deadline, asked, reading.as_of),
        "review_path": review_path(session, key) if current and detail.row.state is State.SUBMITTED else None,
        "detail": detail,
        "row": detail.row,
        "requirement": reading.requirement(detail.row.requirement),
        "measures": labels(reading.requirement(detail.row.requirement)),
        "desk_path": _desk_path(detail.row, reading),
        "ladder": item_ladder(session, reading, detail.row, detail.entries, ways.sending, rule=ways.rule),
        "chasers": _chasers(session, detail.row) if current else (),
        "telling": telling,
        "way": ways.name,
    }
    return plan_page("item.html", reading, plans.plans(session), context)


def review_path(session: Session, key: str) -> str:
    """Where the reviewer decides on an item."""
    found = standing(session, key)
    return f"/units/{quote(found.reviewer or found.coordinator, safe='-')}/review/{quote(key, safe=':-._~')}"


def _chasers(session: Session, row: ItemRow) -> tuple[tuple[str, str], ...]:
    """The units for which the visitor may chase an item while it is owed, as (code, name): the superior, the
    coordinator."""
    visitor = visit.current().visitor
    if row.state not in OWED or row.catch_up is not None or visitor is None or Right.REVIEW not in visitor.rights:
        return ()
    found = standing(session, row.key)
    whole = Right.REVIEW in visitor.rights_at(frozenset())
    codes = [
        code
        for code in dict.fromkeys((found.superior, found.coordinator))
        if code and code != row.unit and (whole or Right.REVIEW in visitor.rights_at(line_of(session, code)))
    ]
    names = unit_names(session, frozenset(codes))
    return tuple((code, names[code]) for code in codes)


def _desk_path(row: ItemRow, reading: Reading) -> str | None:
    """Where the unit acts on its item: today, while there is something to do."""
    requirement = reading.requirement(row.requirement)
    if reading.as_of != civil_date(reading.now) or requirement is None or row.state not in OWED | {State.SUBMITTED}:
        return None
    if requirement.collects:
        return collecting_path(requirement.collects, row.unit, row.period)
    return submit_path(row.unit, row.key)
