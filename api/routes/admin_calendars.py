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
from api.dependencies import Ledger, Now, Reads, empty_is_none
from api.errors import status_of
from api.guard import Guarded
from api.pages import address
from ledger import calendar_changes, plans
from ledger.calendar_changes import Preview
from ledger.calendar_entries import CalendarEntry, entries
from ledger.civil import civil_date
from ledger.database import Database, Session
from ledger.units import all_units
from policy_models import holiday_notice
from policy_models.calendar_changes import DayChange, day_changes
from policy_models.calendar_file import holiday_name, holiday_text
from policy_models.calendars import Calendars, Confidence, HolidayYear, Layer, notice_missing
from policy_models.errors import ActNotAllowed, CalendarInvalid, ChangedMeanwhile, Fault, Faulty, LuchengError
from policy_models.periods import period_name
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


@router.post("/admin/calendars/notice")
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


@router.post("/admin/calendars/notice/confirm")
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
                by=entered_by(),
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


def entered_by() -> str:
    """The name that an entry is made under."""
    visitor = visit.current().visitor
    return visitor.name if visitor else "系统管理员"


def _refused(database: Database, now: datetime, error: LuchengError, **more: object) -> Response:
    faults = error.faults if isinstance(error, Faulty) else ()
    with database.read() as session:
        fault = "" if faults else str(error)
        return _overview(session, now, status=status_of(error), faults=faults, fault=fault, **more)


def held_calendars(session: Session, now: datetime) -> Calendars:
    """The calendars of the plan in force. Raises ActNotAllowed without any plan."""
    plan = plans.default_plan(session, civil_date(now))
    if plan is None:
        raise ActNotAllowed(NO_PLAN)
    return plans.calendars(session, plan.code)


def _show_notice(session: Session, now: datetime, found: HolidayYear, text: str, year: int | None) -> Response:
    before = held_calendars(session, now)
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
    return preview_page(session, now, shown, context)


def _days(changes: Sequence[DayChange]) -> list[tuple[date, str, str]]:
    return [(one.after.date, _day_word(one.before), _day_word(one.after)) for one in changes]


def _day_word(day: Any) -> str:
    return ("调休上班" if day.make_up else "工作日") if day.is_workday else (day.holiday or "周末")


def preview_page(session: Session, now: datetime, shown: Preview, more: dict[str, Any]) -> Response:
    """What an entry would change, to be confirmed; ``more``: its title, what was read, where it is confirmed."""
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


@router.get("/admin/calendars/{entry_id}/restore")
def preview_restore(session: Reads, now: Now, entry_id: EntryId) -> Response:
    entry, shown = calendar_changes.preview_restore(session, entry_id)
    context = {
        "title": f"撤销：{entry.summary}",
        "confirm": f"{TAB}/{entry.id}/restore",
        "fields": {},
        "days": _restored_days(shown, entry),
    }
    return preview_page(session, now, shown, context)


def _restored_days(shown: Preview, entry: CalendarEntry) -> list[tuple[date, str, str]]:
    if not entry.name.startswith("holidays/") or not shown.plans:
        return []
    year, one = int(entry.name[9:13]), shown.plans[-1]
    return _days(day_changes(one.whole.calendars.work, one.after.work, year))


@router.post("/admin/calendars/{entry_id}/restore")
def restore(database: Ledger, now: Now, entry_id: EntryId, seen: Seen) -> Response:
    try:
        with database.write() as session:
            calendar_changes.restore(session, entry_id, seen=seen, by=entered_by(), now=now)
    except EXPECTED as error:
        return _refused(database, now, error)
    return RedirectResponse(address(TAB, told="restored"), 303)
