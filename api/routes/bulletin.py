"""信息: a unit sends them in; the coordinator counts them or returns them; the year's item is handed in with a click."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator, Field

from api.dependencies import Acting, OpenPlan, Reads, UnitCode, Writes, empty_is_none
from api.exemplar_form import LongWords, RowId, ShortWords, Version
from api.guard import Guarded
from api.pages import address, plan_page
from ledger import bulletin, plans, screenings
from ledger.acts import Actor
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.queries.units import unit_row
from policy_models.bulletin import BULLETIN_STATE_NAMES, BulletinState, hint
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Faulty, LuchengError, PrivacyBlocked
from policy_models.lifecycle import OWED

router = APIRouter(route_class=Guarded, include_in_schema=False)
Year = Annotated[Annotated[int, Field(ge=2000, le=2090)] | None, BeforeValidator(empty_is_none), Query()]
YearField = Annotated[int, Form(ge=2000, le=2090)]
Typed = tuple[str, str]


def bulletin_path(unit: str) -> str:
    return f"/units/{quote(unit, safe='-')}/bulletin"


@router.get("/units/{code}/bulletin")
def show_bulletin(session: Reads, reading: OpenPlan, code: UnitCode, year: Year = None) -> Response:
    """A unit's items of a year; for the coordinator also what all units have sent."""
    return _page(session, reading, code, year or _this_year(reading))


@router.post("/units/{code}/bulletin")
def send(
    session: Writes, reading: OpenPlan, by: Acting, year: YearField, title: ShortWords = "", text: LongWords = ""
) -> Response:
    """What cannot be sent stays in the form."""
    try:
        bulletin.send(session, reading.summary.code, year, title, text, by=by, now=reading.now)
    except (Faulty, PrivacyBlocked, ActNotAllowed) as error:
        _record(session, error, by, reading.now)
        return _page(session, reading, by.unit, year, typed=(title, text), told=error)
    return _back(reading, by.unit, year)


@router.post("/units/{code}/bulletin/year")
def report_year(session: Writes, reading: OpenPlan, by: Acting, year: YearField) -> Response:
    """Hand in the year's work item with what was counted."""
    bulletin.report_year(session, reading.plan_id, year, by=by, now=reading.now)
    return _back(reading, by.unit, year)


@router.post("/units/{code}/bulletin/{item_id}")
def send_again(
    session: Writes,
    reading: OpenPlan,
    by: Acting,
    item_id: RowId,
    version: Version,
    title: ShortWords = "",
    text: LongWords = "",
) -> Response:
    """A returned one, changed."""
    one = bulletin.bulletin_row(session, item_id)
    try:
        bulletin.send_again(session, item_id, title, text, version=version, by=by, now=reading.now)
    except (Faulty, PrivacyBlocked, ChangedMeanwhile) as error:
        _record(session, error, by, reading.now)
        return _page(session, reading, by.unit, one.year, typed=(title, text), told=error, editing=item_id)
    return _back(reading, by.unit, one.year)


@router.post("/units/{code}/bulletin/{item_id}/review")
def review(
    session: Writes,
    reading: OpenPlan,
    by: Acting,
    item_id: RowId,
    version: Version,
    action: Annotated[str, Form(max_length=12)] = "",
    reason: LongWords = "",
) -> Response:
    """``action``: count or send_back."""
    if len(reason) > 500:
        raise HTTPException(422, "理由请控制在 500 字以内")
    if action == "count":
        bulletin.count_in(session, item_id, version=version, by=by, now=reading.now)
    elif action == "send_back":
        bulletin.send_back(session, item_id, reason=reason, version=version, by=by, now=reading.now)
    else:
        raise HTTPException(422, "没有这种操作，请从页面重新选择")
    return _back(reading, by.unit, bulletin.bulletin_row(session, item_id).year)


def _this_year(reading: Reading) -> int:
    """The civil year, within the plan's years."""
    year = civil_date(reading.now).year
    return min(max(year, reading.plan.starts_on.year), reading.plan.ends_on.year)


def _back(reading: Reading, unit: str, year: int) -> Response:
    return RedirectResponse(address(bulletin_path(unit), year=year, plan=reading.summary.code), 303)


def _record(session: Session, error: LuchengError, by: Actor, now: datetime) -> None:
    if isinstance(error, PrivacyBlocked):
        findings, place = error.findings, error.place
        screenings.record(session, place, "blocked", findings, sha256=error.sha256, by_unit=by.unit, now=now)


def _page(
    session: Session,
    reading: Reading,
    code: str,
    year: int,
    *,
    typed: Typed = ("", ""),
    told: LuchengError | None = None,
    editing: int | None = None,
) -> Response:
    """``editing``: the item that ``typed`` was meant for; None for a new one."""
    own = unit_row(session, code)
    is_coordinator = own.code == reading.summary.coordinator
    everybody = bulletin.listing(session, reading.plan_id, year, unit_code=None if is_coordinator else own.code)
    mine = [one for one in everybody if one.unit == own.code]
    item = bulletin.asked(session, reading.plan_id, own.code, year)
    counted = sum(one.state is BulletinState.COUNTED for one in mine)
    context = {
        "here": "exemplars",
        "unit": own,
        "year": year,
        "years": range(reading.plan.starts_on.year, reading.plan.ends_on.year + 1),
        "path": bulletin_path(own.code),
        "mine": mine,
        "counted": counted,
        "item": item,
        "can_report": item is not None and item.state in OWED and counted > 0,
        "is_coordinator": is_coordinator,
        "waiting": [one for one in everybody if one.state is BulletinState.SUBMITTED] if is_coordinator else [],
        "decided": [one for one in everybody if one.state is not BulletinState.SUBMITTED] if is_coordinator else [],
        "typed": typed,
        "told": str(told) if told else "",
        "editing": editing,
        "state_words": BULLETIN_STATE_NAMES,
        "hint": hint,
    }
    status = 200 if told is None else 409 if isinstance(told, ChangedMeanwhile) else 422
    return plan_page("bulletin.html", reading, plans.plans(session), context, status=status)
