"""优秀案例: the published ones for everybody; a unit's desk, where they are written, handed in and taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api import visit
from api.dependencies import (
    Acting,
    MaybePlan,
    Now,
    OpenPlan,
    Reads,
    UnitCode,
    Writes,
    open_reading,
    printable,
)
from api.exemplar_form import (
    LongWords,
    RowId,
    ShortWords,
    Version,
    content_of,
    desk_path,
    exemplar_path,
    shortlist_path,
)
from api.guard import Guarded
from api.pages import address, page, plan_page
from api.periods import RoundCode
from ledger import exemplar_items, exemplars, panels, plans, screenings
from ledger.civil import civil_date
from ledger.database import Session
from ledger.exemplar_rows import NO_EXEMPLAR, Exemplar, exemplar_row, pictures_of
from ledger.queries import exemplars as reads
from ledger.queries.reading import Reading
from ledger.queries.units import counties, unit_row
from policy_models.access import Right
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Faulty,
    LuchengError,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
)
from policy_models.exemplars import EDITABLE, PARTS, SENT, Content, ExemplarState, hints, missing_consent, missing_parts

router = APIRouter(route_class=Guarded, include_in_schema=False)
Sought = Annotated[str, BeforeValidator(printable), Query(max_length=40)]
Under = Annotated[str | None, BeforeValidator(printable), Query(max_length=24)]
RoundField = Annotated[str, BeforeValidator(printable), Form(alias="round", max_length=12)]
Typed = Annotated[Content, Depends(content_of)]
CITY = "city"


@router.get("/exemplars")
def show_published(
    session: Reads, reading: MaybePlan, round: RoundCode = None, under: Under = None, q: Sought = ""
) -> Response:
    """The published exemplars, narrowed to a half-year, a county (``city``: the city's own units) or words."""
    if reading is None:
        return page("empty.html", {})
    county = "" if under == CITY else under or None
    found = reads.published(session, reading.plan_id, round_code=round, under=county, words=q.strip())
    context = {
        "here": "exemplars",
        "found": found,
        "most": reads.MOST_SHOWN,
        "rounds": [code for code, _ in reads.rounds_of(session, reading.plan_id)],
        "counties": counties(session),
        "wanted": {"round": round or "", "under": under or "", "q": q.strip()},
        "shortlist": shortlist_path(reading.summary.coordinator),
    }
    return plan_page("exemplars.html", reading, plans.plans(session), context)


@router.get("/exemplars/{exemplar_id}")
def show_one(session: Reads, now: Now, exemplar_id: RowId) -> Response:
    """A published exemplar, for reading and printing."""
    one = exemplar_row(session, exemplar_id)
    if one.state is not ExemplarState.PUBLISHED:
        raise NotFound(NO_EXEMPLAR)
    return _shown(session, now, one, "public")


@router.get("/units/{code}/exemplars")
def show_desk(session: Reads, reading: OpenPlan, code: UnitCode) -> Response:
    """The half-years for which the unit is asked, and its exemplars in each."""
    own = unit_row(session, code)
    today = civil_date(reading.now)
    asked = reads.rounds_asked(session, reading.plan_id, own.code)
    mine = reads.listing(session, reading.plan_id, unit_code=own.code)
    begun = [one for one in asked if one.opens_on <= today]
    coming = [one for one in asked if one.opens_on > today]
    context = {
        "here": "exemplars",
        "unit": own,
        "begun": begun,
        "coming": coming[-1] if coming else None,
        "mine": {one.round_code: [x for x in mine if x.round_code == one.round_code] for one in asked},
        "is_coordinator": own.code == reading.summary.coordinator,
        "shortlist": shortlist_path(own.code),
        "desk": desk_path(own.code),
        "editable": EDITABLE,
        "sent": SENT,
    }
    return plan_page("unit_exemplars.html", reading, plans.plans(session), context)


@router.post("/units/{code}/exemplars")
def begin(session: Writes, reading: OpenPlan, by: Acting, round: RoundField = "", title: ShortWords = "") -> Response:
    new = exemplars.create(session, reading.plan_id, round, title, by=by, now=reading.now)
    return RedirectResponse(exemplar_path(by.unit, new), 303)


@router.post("/units/{code}/exemplars/nothing")
def answer_nothing(
    session: Writes, reading: OpenPlan, by: Acting, round: RoundField = "", reason: LongWords = ""
) -> Response:
    """本期无, with the reason."""
    if len(reason) > 500:
        raise ActNotAllowed("理由请控制在 500 字以内")
    exemplar_items.answer_nothing(session, reading.plan_id, by.unit, round, reason=reason, by=by, now=reading.now)
    return RedirectResponse(address(desk_path(by.unit), plan=reading.summary.code), 303)


@router.get("/units/{code}/exemplars/{exemplar_id}")
def show_own(session: Reads, now: Now, code: UnitCode, exemplar_id: RowId, saved: bool = False) -> Response:
    """The editor for the unit that writes, while it may be changed; else the text with what may be done to it."""
    one = exemplar_row(session, exemplar_id)
    rights = visit.current().rights
    own, chooses = code == one.unit and Right.REPORT in rights, code == one.coordinator and Right.COORDINATE in rights
    if not own and not chooses:
        raise NotResponsible("这篇案例由其他单位撰写，发布后才能查看")
    if own and one.state in EDITABLE:
        return _editor(session, now, one, one.content, saved=saved)
    return _shown(session, now, one, "own" if own else "coordinator")


@router.post("/units/{code}/exemplars/{exemplar_id}")
def save(
    session: Writes,
    now: Now,
    by: Acting,
    exemplar_id: RowId,
    content: Typed,
    version: Version,
    action: Annotated[str, Form(max_length=12)] = "save",
) -> Response:
    """Save what was typed; with ``action`` submit also hand it in. What cannot be saved stays in the form."""
    one = exemplar_row(session, exemplar_id)
    here = exemplar_path(by.unit, exemplar_id)
    try:
        after = exemplars.save(session, exemplar_id, content, version=version, by=by, now=now)
    except (PrivacyBlocked, Faulty, ChangedMeanwhile, ActNotAllowed) as error:
        if one.unit != by.unit or one.state not in EDITABLE:
            raise
        _record(session, error, by.unit, now)
        return _editor(session, now, one, content, told=error)
    if action != "submit":
        return RedirectResponse(address(here, saved="1"), 303)
    try:
        exemplars.submit(session, exemplar_id, version=after, by=by, now=now)
    except (EvidenceMissing, PrivacyBlocked, ActNotAllowed) as error:
        _record(session, error, by.unit, now)
        return _editor(session, now, exemplar_row(session, exemplar_id), content, told=error)
    return RedirectResponse(here, 303)


@router.post("/units/{code}/exemplars/{exemplar_id}/withdraw")
def withdraw(session: Writes, now: Now, by: Acting, exemplar_id: RowId, version: Version) -> Response:
    exemplars.withdraw(session, exemplar_id, version=version, by=by, now=now)
    return RedirectResponse(exemplar_path(by.unit, exemplar_id), 303)


def _record(session: Session, error: LuchengError, unit: str, now: datetime) -> None:
    """Note what the gate stopped: the page is answered here, and not by the handler that does so otherwise."""
    if isinstance(error, PrivacyBlocked):
        screenings.record(session, error.place, "blocked", error.findings, sha256=error.sha256, by_unit=unit, now=now)


def _editor(
    session: Session,
    now: datetime,
    one: Exemplar,
    content: Content,
    *,
    told: LuchengError | None = None,
    saved: bool = False,
) -> Response:
    reading = _reading(session, one, now)
    pictures = pictures_of(session, [one.id])[one.id]
    context = {
        **_facts(session, one, content, len(pictures)),
        "pictures": pictures,
        "told": str(told) if told else "",
        "overtaken": isinstance(told, ChangedMeanwhile),
        "saved": saved and told is None,
        "parts": PARTS,
    }
    status = 200 if told is None else 409 if isinstance(told, ChangedMeanwhile) else 422
    return plan_page("exemplar_edit.html", reading, plans.plans(session), context, status=status)


def _shown(session: Session, now: datetime, one: Exemplar, mode: str) -> Response:
    """``mode``: public, own (the unit's) or coordinator."""
    reading = _reading(session, one, now)
    pictures = pictures_of(session, [one.id])[one.id]
    context = {
        **_facts(session, one, one.content, len(pictures)),
        "pictures": pictures,
        "mode": mode,
        "settled": mode == "coordinator" and panels.is_settled(session, one.plan_id, one.round_code),
        "coordinated": exemplar_path(one.coordinator, one.id),
        "shortlist": shortlist_path(one.coordinator),
    }
    return plan_page("exemplar.html", reading, plans.plans(session), context)


def _facts(session: Session, one: Exemplar, content: Content, pictures: int) -> dict[str, object]:
    return {
        "here": "exemplars",
        "one": one,
        "content": content,
        "desk": desk_path(one.unit),
        "path": exemplar_path(one.unit, one.id),
        "hints": hints(content, pictures),
        "missing": missing_parts(content),
        "consent": missing_consent(content),
        "steps": reads.steps(session, one.id),
    }


def _reading(session: Session, one: Exemplar, now: datetime) -> Reading:
    reading = open_reading(session, one.plan_code, as_of=None, now=now)
    if reading is None:
        raise NotFound(NO_EXEMPLAR)
    return reading
