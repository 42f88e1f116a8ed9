"""周通报 and 月通报: what was issued, year by year; one as a page and as .docx; the running period as a preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator, Field

from api.dependencies import Now, OpenPlan, PlanCode, Reads, empty_is_none, open_reading, printable
from api.guard import Guarded
from api.pages import address, plan_page
from documents.circular_docx import circular_docx
from ledger import circular_recipients, circulars, plans
from ledger.circulars import IssuedCircular
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.circular import circular_facts
from ledger.queries.reading import Reading
from policy_models.circular_periods import KIND_NAMES, UNIT_OF, CircularKind, CircularPeriod, period_of, period_with
from policy_models.circular_tables import (
    AREA_HEAD,
    COMING_HEAD,
    annex_names,
    area_note,
    coming_cells,
    difference,
    heading,
    with_total,
)
from policy_models.circular_words import percent
from policy_models.circulars import Circular
from policy_models.errors import ActNotAllowed, NotFound
from policy_models.files import MEDIA_TYPES, FileKind

router = APIRouter(route_class=Guarded, include_in_schema=False)
Year = Annotated[Annotated[int, Field(ge=2000, le=2090)] | None, BeforeValidator(empty_is_none), Query()]
Word = Annotated[str, BeforeValidator(printable), Path(max_length=12)]
Id = Annotated[int, Path(ge=1, lt=2**63)]
FIRST_OF_PLAN = "{}早于方案开始，没有通报"


@dataclass(frozen=True, slots=True)
class Opened:
    """A circular as it is shown: ``kept`` where it was issued, else computed now."""

    circular: Circular
    kept: IssuedCircular | None
    reading: Reading


def circular_path(period: CircularPeriod) -> str:
    return f"/circulars/{period.kind}/{period.code}"


@router.get("/circulars")
def show_circulars(session: Reads, reading: OpenPlan, year: Year = None) -> Response:
    """What was issued in a year, and the way to the running periods."""
    years = circulars.years_with_circulars(session, reading.plan_id)
    today = civil_date(reading.now)
    chosen = year or (years[0] if years else today.year)
    found = circulars.circulars_of(session, reading.plan_id, chosen)
    running = [period_with(kind, today) for kind in CircularKind]
    context = {
        "here": "circulars",
        "year": chosen,
        "years": sorted({*years, chosen}, reverse=True),
        "kinds": [(kind, [one for one in found if one.circular.kind is kind]) for kind in CircularKind],
        "running": [one for one in running if one.concerns(reading.plan.starts_on, reading.plan.ends_on)],
        "receivers": circular_recipients.receivers(session),
        "path_of": circular_path,
    }
    return plan_page("circulars.html", reading, plans.plans(session), {**context, **_words()})


@router.get("/circulars/{id}")
def lead_to_circular(session: Reads, id: Id) -> Response:
    """The short address that messages carry."""
    kept = circulars.circular_by_id(session, id)
    return RedirectResponse(address(circular_path(kept.circular.span), plan=kept.plan_code), 303)


@router.get("/circulars/{kind}/{period}.docx")
def download_circular(session: Reads, now: Now, kind: Word, period: Word, plan: PlanCode = None) -> Response:
    """In the format of an official paper; the same facts give the same bytes."""
    circular = opened_circular(session, plan, kind, period, now).circular
    name = f"{circular.title}{'' if circular.issued_on else '（预览）'}.docx"
    disposition = f"attachment; filename=\"circular.docx\"; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(circular_docx(circular), media_type=MEDIA_TYPES[FileKind.DOCX], headers=headers)


@router.get("/circulars/{kind}/{period}")
def show_circular(session: Reads, now: Now, kind: Word, period: Word, plan: PlanCode = None) -> Response:
    opened = opened_circular(session, plan, kind, period, now)
    circular, reading = opened.circular, opened.reading
    span = circular.span
    around = [one for one in (span.before, span.next) if _can_be_shown(one, reading)]
    context = {
        "here": "circulars",
        "circular": circular,
        "kept": opened.kept,
        "sent": circulars.sent_out(session, opened.kept.id) if opened.kept else None,
        "issue_day": span.issued_on(reading.calendars.work),
        "has_work": span.has_work(reading.calendars.work),
        "around": around,
        "running": civil_date(now) <= span.last,
        "path_of": circular_path,
        "annexes": annex_names(circular),
    }
    return plan_page("circular.html", reading, plans.plans(session), {**context, **_words()})


def opened_circular(session: Session, plan: str | None, kind: str, code: str, now: Now) -> Opened:
    """The issued circular of a period; else what it would say, as of its end or, while it runs, of now.

    Raises NotFound for what is no period, has not begun, or lies before the plan.
    """
    period = period_of(kind, code)
    reading = open_reading(session, plan, as_of=min(period.last, civil_date(now)), now=now)
    if reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    kept = circulars.circular_of(session, reading.plan_id, period)
    if kept:
        return Opened(kept.circular, kept, reading)
    if period.last < reading.plan.starts_on:
        raise NotFound(FIRST_OF_PLAN.format(period.name))
    try:
        return Opened(circular_facts(session, reading.summary.code, period, now=now), None, reading)
    except ActNotAllowed as error:
        raise NotFound(str(error)) from error


def _can_be_shown(period: CircularPeriod, reading: Reading) -> bool:
    begun = period.first <= civil_date(reading.now)
    return begun and period.concerns(reading.plan.starts_on, reading.plan.ends_on)


def _words() -> dict[str, object]:
    return {
        "kind_names": KIND_NAMES,
        "unit_of": UNIT_OF,
        "percent_of": percent,
        "difference": difference,
        "heading": heading,
        "with_total": with_total,
        "area_head": AREA_HEAD,
        "area_note": area_note,
        "coming_head": COMING_HEAD,
        "coming_cells": coming_cells,
    }
