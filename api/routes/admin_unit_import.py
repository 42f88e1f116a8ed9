"""单位名录: a list in, first shown, then taken over whole; every fault by its line."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Response, UploadFile
from fastapi.responses import RedirectResponse

from api.admin import admin_page, scope_of
from api.dependencies import Ledger, Now, Reads
from api.errors import status_of
from api.guard import Guarded
from api.pages import address
from ledger.database import Database, Session
from ledger.unit_changes import change_units, differences, units_seen
from ledger.units import all_units
from policy_models.access import Right
from policy_models.errors import ChangedMeanwhile, Fault, Faulty, LuchengError, NotResponsible, UnitsInvalid
from policy_models.plan import Function
from policy_models.text import decode_text
from policy_models.units import COLUMN_NAMES, LEVEL_NAMES, parse_units

router = APIRouter(route_class=Guarded, include_in_schema=False)
TAB = "/admin/units"
FILE = "单位名录"
MOST_BYTES = 512 * 1024  # some 8,000 units
SHOWN = 300
EXPECTED = (Faulty, ChangedMeanwhile, NotResponsible)


@router.get("/admin/units/import")
def show_import(session: Reads, now: Now) -> Response:
    return _page(session, now)


@router.post("/admin/units/import")
def upload(database: Ledger, now: Now, file: Annotated[UploadFile, File()]) -> Response:
    """What a list would change, with the items that follow; nothing is written."""
    try:
        text = _text(file.file.read(MOST_BYTES + 1))
        with database.read() as session:
            known = all_units(session)
            wanted = parse_units(text, FILE, known=known)
            changes = differences(known, wanted.values())
        if not changes:
            done = None
        else:
            with database.trial() as session:
                done = change_units(
                    session, [one.after for one in changes], scope_of(Right.ADMINISTER), now=now, file=FILE
                )
        with database.read() as session:
            return _page(session, now, changes=changes, done=done, text=text, seen=units_seen(known), read=True)
    except EXPECTED as error:
        return _refused(database, now, error)


@router.post("/admin/units/import/confirm")
def confirm(
    database: Ledger,
    now: Now,
    text: Annotated[str, Form(max_length=MOST_BYTES)],
    seen: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
) -> Response:
    """Take over what was shown, and nothing else."""
    try:
        with database.write() as session:
            wanted = parse_units(text, FILE, known=all_units(session))
            change_units(session, wanted.values(), scope_of(Right.ADMINISTER), now=now, seen=seen, file=FILE)
    except EXPECTED as error:
        return _refused(database, now, error)
    return RedirectResponse(address(TAB, told="imported"), 303)


def _text(data: bytes) -> str:
    """Raises UnitsInvalid with what to do."""
    said = ""
    if len(data) > MOST_BYTES:
        said = f"文件超过 {MOST_BYTES // 1024} KB，请分几次导入"
    elif not data.strip():
        said = "文件是空的，可能没有上传完整，请重新选择"
    elif data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        said = "这是 Excel 工作簿，请另存为 CSV（逗号分隔，UTF-8）后上传"
    if said:
        raise UnitsInvalid([Fault(FILE, None, "", said)])
    return decode_text(data, FILE)


def _refused(database: Database, now: datetime, error: LuchengError) -> Response:
    faults = error.faults if isinstance(error, Faulty) else ()
    with database.read() as session:
        fault = "" if faults else str(error)
        return _page(session, now, status=status_of(error), faults=faults, fault=fault)


def _page(session: Session, now: datetime, *, status: int = 200, **more: Any) -> Response:
    context = {
        "changes": (),
        "done": None,
        "read": False,
        "text": "",
        "seen": "",
        "faults": (),
        "fault": "",
        "shown": SHOWN,
        "column_names": COLUMN_NAMES,
        "levels": LEVEL_NAMES,
        "functions": list(Function),
        "whole": scope_of(Right.ADMINISTER).is_whole,
        **more,
    }
    return admin_page("admin_unit_import.html", session, now, context, tab=TAB, status=status)
