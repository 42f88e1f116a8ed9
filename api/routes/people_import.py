"""人员表: the coordinator's table of everybody's people: out, filled in; in, first shown, then taken over whole."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Response, UploadFile
from fastapi.responses import RedirectResponse

from api.dependencies import Acting, Deployed, Ledger, Now, PlanCode, Reads, UnitCode
from api.desk import Today, coordinator_only, present
from api.errors import status_of
from api.guard import Guarded
from api.pages import address, plan_page
from api.routes.people import people_path
from api.routes.review import note_blocked
from documents.cells import csv_lines
from ledger import plans
from ledger.acts import Actor
from ledger.database import Database, Session
from ledger.people import everyone
from ledger.people_import import Change, PeopleChanges, changes_of, save_people
from ledger.queries.reading import Reading
from ledger.queries.units import unit_row
from ledger.units import all_units
from notifications.choices import choices
from policy_models.errors import ChangedMeanwhile, Fault, Faulty, LuchengError, PrivacyBlocked
from policy_models.people import ROLE_NAMES, KnownChannel
from policy_models.people_file import COLUMNS, parse_people, people_rows
from policy_models.text import decode_text

router = APIRouter(route_class=Guarded, include_in_schema=False)
COORDINATOR_ONLY = "人员表由统筹单位导入，其他单位请在本单位的人员页面登记"
MOST_BYTES = 512 * 1024  # some 5,000 people
SHOWN = 300  # changes and faults on the page
FILE = "人员表"
EXPECTED = (Faulty, ChangedMeanwhile, PrivacyBlocked)
CHANGE_NAMES = {
    Change.ADDED: "新增",
    Change.CHANGED: "更改",
    Change.RESTORED: "恢复",
    Change.DEACTIVATED: "停用",
    Change.SAME: "没有变化",
}


@router.get("/units/{code}/people/import")
def show_import(session: Reads, reading: Today, code: UnitCode) -> Response:
    coordinator_only(reading, code, COORDINATOR_ONLY)
    return _page(session, reading, {})


@router.get("/units/{code}/people/people.csv")
def download(session: Reads, reading: Today, code: UnitCode) -> Response:
    """Every unit, with the people that are registered: what is filled in comes back by the same columns."""
    coordinator_only(reading, code, COORDINATOR_ONLY)
    text = "".join(csv_lines(people_rows(all_units(session), [one.facts for one in everyone(session)])))
    name = f"人员表{reading.as_of:%Y%m%d}.csv"
    headers = {
        "Content-Disposition": f"attachment; filename=\"people.csv\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/units/{code}/people/import")
def upload(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    by: Acting,
    file: Annotated[UploadFile, File()],
    plan: PlanCode = None,
) -> Response:
    """Show what a table would change; nothing is written. What was read is carried on the page to be confirmed."""
    data = file.file.read(MOST_BYTES + 1)
    with database.read() as session:
        reading = present(session, plan, now)
        coordinator_only(reading, by.unit, COORDINATOR_ONLY)
        try:
            text = _text(data)
            known = choices(deployed.data_dir)
            found = changes_of(session, parse_people(text, FILE, all_units(session), known))
            return _page(session, reading, {"text": text, "found": found, "known": known})
        except EXPECTED as error:
            refused = error
    return _refused(database, by, now, plan, refused)


@router.post("/units/{code}/people/import/confirm")
def confirm(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    by: Acting,
    text: Annotated[str, Form(max_length=MOST_BYTES)],
    seen: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    plan: PlanCode = None,
) -> Response:
    """Take over what was shown, and nothing else."""
    try:
        with database.write() as session:
            coordinator_only(present(session, plan, now), by.unit, COORDINATOR_ONLY)
            table = parse_people(text, FILE, all_units(session), choices(deployed.data_dir))
            save_people(session, table, now=now, seen=seen)
    except EXPECTED as error:
        return _refused(database, by, now, plan, error)
    return RedirectResponse(address(people_path(by.unit), told="imported", plan=plan), 303)


def _text(data: bytes) -> str:
    """Raises Faulty with what to do."""
    if len(data) > MOST_BYTES:
        raise Faulty([Fault(FILE, None, "", f"文件超过 {MOST_BYTES // 1024} KB，请分几次导入")])
    if not data.strip():
        raise Faulty([Fault(FILE, None, "", "文件是空的，可能没有上传完整，请重新选择")])
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Faulty([Fault(FILE, None, "", "这是 Excel 工作簿，请另存为 CSV（逗号分隔，UTF-8）后上传")])
    return decode_text(data, FILE)


def _refused(database: Database, by: Actor, now: datetime, plan: str | None, error: LuchengError) -> Response:
    """The page again, with every fault by line; nothing was taken over."""
    note_blocked(database, error, by=by, now=now)
    faults = error.faults if isinstance(error, Faulty) else ()
    more = {"faults": faults, "fault": "" if faults else str(error)}
    with database.read() as session:
        return _page(session, present(session, plan, now), more, status=status_of(error))


def _page(session: Session, reading: Reading, more: dict[str, Any], status: int = 200) -> Response:
    found: PeopleChanges | None = more.get("found")
    known: tuple[KnownChannel, ...] = more.get("known", ())
    own = unit_row(session, reading.summary.coordinator)
    context = {
        "here": "units",
        "unit": own,
        "base": people_path(own.code),
        "columns": COLUMNS,
        "role_names": ROLE_NAMES,
        "channel_names": {one.code: one.name for one in known},
        "shown": SHOWN,
        "change_names": CHANGE_NAMES,
        "units": all_units(session) if found else {},
        "faults": (),
        "fault": "",
        "text": "",
        "found": None,
        "rows": [one for one in found.rows if one.change is not Change.SAME] if found else [],
        "counts": {one: found.count(one) for one in Change} if found else {},
        **more,
    }
    return plan_page("people_import.html", reading, plans.plans(session), context, status=status)
