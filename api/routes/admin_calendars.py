"""日历: which years are known and how well; a holiday notice or a school calendar entered, shown first, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Query, Response, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api import visit
from api.admin import admin_page
from api.calendar_form import SchoolForm, school_form
from api.dependencies import Ledger, Now, Reads, empty_is_none, own_page_only
from api.errors import status_of
from api.guard import Guarded
from api.pages import address
from ledger import calendar_changes, plans
from ledger.calendar_changes import Preview
from ledger.calendar_entries import CalendarEntry, entries
from ledger.civil import civil_date
from ledger.database import Database, Session
from ledger.units import all_units
from policy_models import holiday_notice, school_entry
from policy_models.calendar_changes import DayChange, day_changes
from policy_models.calendar_file import holiday_name, holiday_text
from policy_models.calendars import Calendars, Confidence, HolidayYear, Layer, notice_missing
from policy_models.errors import ActNotAllowed, CalendarInvalid, ChangedMeanwhile, Fault, Faulty, LuchengError, NotFound
from policy_models.periods import period_name
from policy_models.school import SchoolYear
from policy_models.text import decode_text

router = APIRouter(route_class=Guarded, include_in_schema=False)
TAB = "/admin/calendars"
MOST_BYTES = 200 * 1024
SHOWN = 100
LAYER_NAMES = {Layer.FILE: "放假通知", Layer.PACKAGE: "软件内置数据", Layer.FORECAST: "推定"}
SCHOOL_NAMES = {"official": "正式校历", "placeholder": "按惯例填写", "missing": "尚未录入"}
KIND_NAMES = {
    "moved": "时限移动",
    "aimed": "时限不变，报送日变动",
    "opened": "只是启动日变动",
    "added": "新增",
    "dropped": "取消",
}
EXPECTED = (Faulty, ChangedMeanwhile, ActNotAllowed)
NO_PLAN = "台账中还没有方案，日历随方案载入；请先载入方案（lucheng plan load）"
Text = Annotated[str, Form(max_length=60_000)]
Year = Annotated[int | None, BeforeValidator(empty_is_none), Form(ge=1901, le=2099)]
Seen = Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")]
EntryId = Annotated[int, Path(ge=1, le=2**62)]
Typed = Annotated[SchoolForm, Depends(school_form)]


@router.get("/admin/calendars")
def show_calendars(session: Reads, now: Now, told: Annotated[str, Query(max_length=20)] = "") -> Response:
    return _overview(session, now, told=told)


def _overview(session: Session, now: datetime, *, status: int = 200, **more: object) -> Response:
    today = civil_date(now)
    plan = plans.default_plan(session, today)
    held = plans.calendars(session, plan.code) if plan else None
    counties = all_units(session).counties if plan else ()
    last = max(today.year + 1, plan.ends_on.year) if plan else today.year
    years = range(min(plan.starts_on.year, today.year), min(last, today.year + 3) + 1) if plan else range(0)
    context = {
        "years": [_year(held, year) for year in reversed(years)] if held else [],
        "missing": notice_missing(held.work, today) if held else "",
        "counties": counties,
        "school_years": [f"{year - 1}-{year}" for year in years],
        "entered": entries(session),
        "layers": LAYER_NAMES,
        "school_names": SCHOOL_NAMES,
        "sure": Confidence.ANNOUNCED,
        "no_plan": NO_PLAN,
        "faults": (),
        "fault": "",
        "text": "",
        "told": "",
        **more,
    }
    return admin_page("admin_calendars.html", session, now, context, tab=TAB, status=status)


def _year(held: Calendars, year: int) -> dict[str, Any]:
    arranged = held.work.arrangement(year)
    return {
        "year": year,
        "layer": held.work.layer(year),
        "confidence": held.work.confidence(year),
        "source": arranged.source,
        "off": sum(len(list(block.days())) for block in arranged.days_off),
        "make_up": len(arranged.make_up),
        "school": held.school.status(year),
        "school_year": f"{year - 1}-{year}",
        "winter": held.school.vacation("winter", year),
        "summer": held.school.vacation("summer", year),
    }


@router.post("/admin/calendars/notice", dependencies=[Depends(own_page_only)])
def preview_notice(
    database: Ledger,
    now: Now,
    text: Text = "",
    year: Year = None,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """What a notice means, pasted or as a file; nothing is written."""
    given = text
    try:
        given = text if text.strip() else _decoded(file)
        found = holiday_notice.parse(given, year)
        with database.read() as session:
            return _show_notice(session, now, found, given, year)
    except EXPECTED as error:
        return _refused(database, now, error, text=given)


@router.post("/admin/calendars/notice/confirm", dependencies=[Depends(own_page_only)])
def enter_notice(database: Ledger, now: Now, text: Text, seen: Seen, year: Year = None) -> Response:
    """Take over what was shown, with all that it moves, in one transaction."""
    try:
        found = holiday_notice.parse(text, year)
        with database.write() as session:
            calendar_changes.enter(
                session,
                holiday_name(found.year),
                holiday_text(found),
                summary=f"{found.year}年放假安排：{found.source}",
                seen=seen,
                by=_by(),
                now=now,
            )
    except EXPECTED as error:
        return _refused(database, now, error, text=text)
    return RedirectResponse(address(TAB, told="entered"), 303)


def _decoded(file: UploadFile | None) -> str:
    data = file.file.read(MOST_BYTES + 1) if file else b""
    if not data.strip():
        raise CalendarInvalid([Fault(holiday_notice.NAME, None, "", "请粘贴通知全文，或选择存有通知的文本文件")])
    if len(data) > MOST_BYTES:
        raise CalendarInvalid([Fault(holiday_notice.NAME, None, "", f"文件超过 {MOST_BYTES // 1024} KB，不像放假通知")])
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise CalendarInvalid([Fault(holiday_notice.NAME, None, "", "请打开文件，把通知全文粘贴到文本框中")])
    return decode_text(data, holiday_notice.NAME)


def _by() -> str:
    visitor = visit.current().visitor
    return visitor.name if visitor else "系统管理员"


def _refused(database: Database, now: datetime, error: LuchengError, **more: object) -> Response:
    faults = error.faults if isinstance(error, Faulty) else ()
    with database.read() as session:
        fault = "" if faults else str(error)
        return _overview(session, now, status=status_of(error), faults=faults, fault=fault, **more)


def _held(session: Session, now: datetime) -> Calendars:
    """The calendars of the plan in force. Raises ActNotAllowed without any plan."""
    plan = plans.default_plan(session, civil_date(now))
    if plan is None:
        raise ActNotAllowed(NO_PLAN)
    return plans.calendars(session, plan.code)


def _show_notice(session: Session, now: datetime, found: HolidayYear, text: str, year: int | None) -> Response:
    before = _held(session, now)
    name = holiday_name(found.year)
    shown = calendar_changes.preview_entry(session, name, holiday_text(found))
    after = next((one.after for one in shown.plans), before)
    context = {
        "title": f"{found.year}年放假安排",
        "arranged": found,
        "held_layer": LAYER_NAMES[before.work.layer(found.year)],
        "days": _days(day_changes(before.work, after.work, found.year)),
        "confirm": f"{TAB}/notice/confirm",
        "fields": {"text": text, "year": "" if year is None else year},
        "spans": (),
    }
    return _preview_page(session, now, shown, context)


def _days(changes: Sequence[DayChange]) -> list[tuple[date, str, str]]:
    return [(one.after.date, _day_word(one.before), _day_word(one.after)) for one in changes]


def _day_word(day: Any) -> str:
    return ("调休上班" if day.make_up else "工作日") if day.is_workday else (day.holiday or "周末")


def _preview_page(session: Session, now: datetime, shown: Preview, more: dict[str, Any]) -> Response:
    held = calendar_changes.held(session)
    context = {
        "preview": shown,
        "kinds": KIND_NAMES,
        "kind_of": calendar_changes.kind_of,
        "shown": SHOWN,
        "county_names": {one.code: one.name for one in all_units(session).counties} | {"": "市级单位"},
        "titles": {
            one.whole.summary.code: {r.code: r.title for _, r in one.whole.plan.requirements()} for one in shown.plans
        },
        "period_name": period_name,
        "same": all(texts.get(shown.name) == shown.wanted.get(code) for code, texts in held.items()),
        "arranged": None,
        "days": [],
        "spans": (),
        **more,
    }
    return admin_page("admin_calendar_preview.html", session, now, context, tab=TAB)


@router.get("/admin/calendars/school")
def show_school(
    session: Reads,
    now: Now,
    school_year: Annotated[str, Query(pattern=r"^(\d{4}-\d{4})?$")] = "",
    area: Annotated[str, Query(max_length=24)] = "",
) -> Response:
    """The form of a school year, with what is held."""
    _held(session, now)
    wanted = school_year or _coming(civil_date(now))
    return _school_page(session, now, _as_held(session, now, wanted, area))


def _coming(today: date) -> str:
    return f"{today.year}-{today.year + 1}" if today.month >= 8 else f"{today.year - 1}-{today.year}"


def _texts(session: Session, now: datetime) -> dict[str, str]:
    plan = plans.default_plan(session, civil_date(now))
    return calendar_changes.held(session)[plan.code] if plan else {}


def _as_held(session: Session, now: datetime, school_year: str, area: str) -> SchoolForm:
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
    held = _held(session, now).school
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


@router.post("/admin/calendars/school", dependencies=[Depends(own_page_only)])
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
    return _preview_page(session, now, shown, context)


@router.post("/admin/calendars/school/confirm", dependencies=[Depends(own_page_only)])
def enter_school(database: Ledger, now: Now, form: Typed, seen: Seen) -> Response:
    try:
        with database.write() as session:
            text, _ = _school_text(session, now, form)
            name, summary = school_entry.school_name(form.school_year), _school_title(session, form)
            calendar_changes.enter(session, name, text, summary=summary, seen=seen, by=_by(), now=now)
    except EXPECTED as error:
        with database.read() as session:
            return _school_page(session, now, form, error)
    return RedirectResponse(address(TAB, told="entered"), 303)


def _school_text(session: Session, now: datetime, form: SchoolForm) -> tuple[str, Calendars]:
    """The file as it would be, and the calendars held. Raises CalendarInvalid, ActNotAllowed, NotFound."""
    held = _held(session, now)
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


@router.get("/admin/calendars/{entry_id}/restore")
def preview_restore(session: Reads, now: Now, entry_id: EntryId) -> Response:
    entry, shown = calendar_changes.preview_restore(session, entry_id)
    context = {
        "title": f"撤销：{entry.summary}",
        "confirm": f"{TAB}/{entry.id}/restore",
        "fields": {},
        "days": _restored_days(shown, entry),
    }
    return _preview_page(session, now, shown, context)


def _restored_days(shown: Preview, entry: CalendarEntry) -> list[tuple[date, str, str]]:
    if not entry.name.startswith("holidays/") or not shown.plans:
        return []
    year, one = int(entry.name[9:13]), shown.plans[-1]
    return _days(day_changes(one.whole.calendars.work, one.after.work, year))


@router.post("/admin/calendars/{entry_id}/restore", dependencies=[Depends(own_page_only)])
def restore(database: Ledger, now: Now, entry_id: EntryId, seen: Seen) -> Response:
    try:
        with database.write() as session:
            calendar_changes.restore(session, entry_id, seen=seen, by=_by(), now=now)
    except EXPECTED as error:
        return _refused(database, now, error)
    return RedirectResponse(address(TAB, told="restored"), 303)
