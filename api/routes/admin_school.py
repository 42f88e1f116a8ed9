"""校历: a school year's vacations, of the city or of a county, typed, shown with what they move, entered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from api.admin import admin_page
from api.calendar_form import SchoolForm, school_form
from api.dependencies import Ledger, Now, Reads
from api.errors import status_of
from api.guard import Guarded
from api.pages import address
from api.routes.admin_calendars import EXPECTED, SCHOOL_NAMES, TAB, Seen, entered_by, held_calendars, preview_page
from ledger import calendar_changes, plans
from ledger.civil import civil_date
from ledger.database import Session
from ledger.units import all_units
from policy_models import school_entry
from policy_models.calendars import Calendars, Confidence
from policy_models.errors import Faulty, LuchengError, NotFound
from policy_models.school import SchoolYear

router = APIRouter(route_class=Guarded, include_in_schema=False)
Typed = Annotated[SchoolForm, Depends(school_form)]


@router.get("/admin/calendars/school")
def show_school(
    session: Reads,
    now: Now,
    school_year: Annotated[str, Query(pattern=r"^(\d{4}-\d{4})?$")] = "",
    area: Annotated[str, Query(max_length=24)] = "",
) -> Response:
    """The form of a school year, with what is held."""
    held_calendars(session, now)
    wanted = school_year or _coming(civil_date(now))
    return _school_page(session, now, _asheld_calendars(session, now, wanted, area))


def _coming(today: date) -> str:
    return f"{today.year}-{today.year + 1}" if today.month >= 8 else f"{today.year - 1}-{today.year}"


def _texts(session: Session, now: datetime) -> dict[str, str]:
    plan = plans.default_plan(session, civil_date(now))
    return calendar_changes.held(session)[plan.code] if plan else {}


def _asheld_calendars(session: Session, now: datetime, school_year: str, area: str) -> SchoolForm:
    year = school_entry.held_year(_texts(session, now), school_year)
    other = year.overrides.get(area) if year and area else None
    vacations = other.vacations if other else year.vacations if year and not area else None
    days = {}
    for season in school_entry.SEASON_NAMES:
        stages = getattr(vacations, season) if vacations else None
        days[season] = (str(stages.primary.first), str(stages.primary.last)) if stages else ("", "")
    return SchoolForm(school_year, area, (year and year.issuer) or "", (year and year.document) or "", days)


def _school_page(session: Session, now: datetime, form: SchoolForm, error: LuchengError | None = None) -> Response:
    counties = all_units(session).counties
    if form.area and form.area not in {one.code for one in counties}:
        raise NotFound(f"没有代码为“{form.area[:24]}”的旗县区")
    ends = int(form.school_year[5:])
    held = held_calendars(session, now).school
    if not 1901 < ends < 2099:
        raise NotFound("没有这个学年")
    today = civil_date(now)
    context = {
        "form": form,
        "counties": counties,
        "school_years": [
            f"{year - 1}-{year}" for year in range(min(today.year, ends) - 1, max(today.year + 2, ends) + 1)
        ],
        "seasons": school_entry.SEASON_NAMES,
        "status": SCHOOL_NAMES[held.status(ends)],
        "now_held": {season: held.vacation(season, ends, form.area or None) for season in school_entry.SEASON_NAMES},
        "sure": Confidence.ANNOUNCED,
        "faults": error.faults if isinstance(error, Faulty) else (),
        "fault": str(error) if error and not isinstance(error, Faulty) else "",
    }
    return admin_page("admin_school.html", session, now, context, tab=TAB, status=status_of(error) if error else 200)


@router.post("/admin/calendars/school")
def preview_school(session: Reads, now: Now, form: Typed) -> Response:
    try:
        text, held = _school_text(session, now, form)
        shown = calendar_changes.preview_entry(session, school_entry.school_name(form.school_year), text)
    except EXPECTED as error:
        return _school_page(session, now, form, error)
    ends, area = int(form.school_year[5:]), form.area or None
    after = next((one.after for one in shown.plans), None)
    pairs = [(held.school.vacation(s, ends, area), after.school.vacation(s, ends, area)) for s in form.days if after]
    context = {
        "title": _school_title(session, form),
        "spans": pairs,
        "confirm": f"{TAB}/school/confirm",
        "fields": _fields(form),
    }
    return preview_page(session, now, shown, context)


@router.post("/admin/calendars/school/confirm")
def enter_school(database: Ledger, now: Now, form: Typed, seen: Seen) -> Response:
    try:
        with database.write() as session:
            text, _ = _school_text(session, now, form)
            name, summary = school_entry.school_name(form.school_year), _school_title(session, form)
            calendar_changes.enter(session, name, text, summary=summary, seen=seen, by=entered_by(), now=now)
    except EXPECTED as error:
        with database.read() as session:
            return _school_page(session, now, form, error)
    return RedirectResponse(address(TAB, told="entered"), 303)


def _school_text(session: Session, now: datetime, form: SchoolForm) -> tuple[str, Calendars]:
    """The file as it would be, and the calendars held. Raises CalendarInvalid, ActNotAllowed, NotFound."""
    held = held_calendars(session, now)
    if form.area and form.area not in {one.code for one in all_units(session).counties}:
        raise NotFound(f"没有代码为“{form.area[:24]}”的旗县区")
    year: SchoolYear | None = school_entry.held_year(_texts(session, now), form.school_year)
    return school_entry.school_text(form.typed(), year), held


def _school_title(session: Session, form: SchoolForm) -> str:
    place = next((one.name for one in all_units(session).counties if one.code == form.area), "全市")
    return f"{form.school_year}学年校历（{place}）"


def _fields(form: SchoolForm) -> dict[str, str]:
    days = {
        f"{season}_{end}": day
        for season, pair in form.days.items()
        for end, day in zip(("first", "last"), pair, strict=True)
    }
    kept = {"school_year": form.school_year, "area": form.area, "issuer": form.issuer, "document": form.document}
    return kept | days
