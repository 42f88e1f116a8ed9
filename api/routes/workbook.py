"""表格填报: a workbook out, pre-filled; the same workbook in, checked cell by cell, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Path, Query, Response, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import Field

from api.dependencies import Acting, Deployed, Ledger, Now, PlanCode, Reads, UnitCode, open_reading
from api.guard import Guarded
from api.pages import address, plan_page
from api.routes.item import Word
from documents import workbook as workbook_file
from documents.receiving import receive
from ledger import plans, workbooks
from ledger.acts import Actor
from ledger.civil import civil_date
from ledger.database import Database, Session
from ledger.queries import workbooks as queries
from ledger.queries.reading import Reading
from ledger.queries.units import unit_row
from ledger.returned_copies import ReturnedCopies
from ledger.settings import Settings
from policy_models.errors import Faulty, FileRefused, NotFound, PrivacyBlocked
from policy_models.files import MEDIA_TYPES, FileKind, Received
from policy_models.workbook import CellFault, ReadSheet
from policy_models.workbook_check import Checked, check, keys_of

router = APIRouter(route_class=Guarded, include_in_schema=False)
SHOWN = 200  # faults on the page; the copy has them all
KINDS = frozenset({FileKind.XLSX})
NOT_OURS = "没有找到从本系统下载的工作表，请在本页下载表格，填好后上传"
Count = Annotated[int, Field(ge=0, le=1_000_000), Query()]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was wrong with an upload. ``copy``: the name of the marked copy, None where none could be made."""

    sentence: str
    faults: tuple[CellFault, ...] = ()
    copy: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def rest(self) -> int:
        return max(0, len(self.faults) - SHOWN)


@router.get("/units/{code}/workbook")
def show_workbook(
    session: Reads, now: Now, code: UnitCode, plan: PlanCode = None, done: Count = 0, kept: Count = 0,
    same: Count = 0, notes: Count = 0, uploaded: Word = None,
) -> Response:  # fmt: skip
    """What can be filled in, the door for what is filled in, and what became of the last upload."""
    result = {"done": done, "kept": kept, "same": same, "notes": notes, "unread": ()} if uploaded else None
    return _page(session, _today(session, plan, now), code, {"result": result})


@router.get("/units/{code}/workbook.xlsx")
def download(
    session: Reads, now: Now, code: UnitCode, plan: PlanCode = None, requirement: Word = None, period: Word = None
) -> Response:
    own = unit_row(session, code)
    book = queries.offered(session, _today(session, plan, now), own.code, code=requirement, period=period)
    if not book.sheets:
        raise NotFound("目前没有可以用表格填报的事项，请在单位页面查看待办")
    return _attachment(workbook_file.written(book, now=now), f"{own.name}待报送{book.as_of:%Y%m%d}.xlsx")


@router.get("/units/{code}/workbook/{digest}.xlsx")
def download_copy(session: Reads, deployed: Deployed, code: UnitCode, digest: Digest) -> Response:
    own = unit_row(session, code)
    return _attachment(_copies(deployed).get(own.code, digest), f"{own.name}待更正.xlsx")


@router.post("/units/{code}/workbook")
def upload(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    by: Acting,
    file: Annotated[UploadFile, File()],
    plan: PlanCode = None,
) -> Response:
    """Everything is read and checked before the ledger is written to; one wrong cell and nothing is taken."""
    data = file.file.read(deployed.limits.file_bytes + 1)
    try:
        received = receive(file.filename or "", data, limits=deployed.limits, kinds=KINDS)
        sheets = workbook_file.read(received.data)
        checked = _checked(database, plan, by, sheets, now)
        _require_ours(checked)
        if received.blocked and not checked.private:
            raise PrivacyBlocked(_elsewhere(received), received.findings, place="表格", sha256=received.sha256)
        if checked.faults:
            return _refused(database, deployed, plan, by, now, _returned(deployed, by, received, checked))
        with database.write() as session:
            taken = workbooks.take(session, checked.filled, by=by, now=now)
    except Faulty as error:
        late = Checked((), _late(checked, error), checked.untouched, checked.unread)
        return _refused(database, deployed, plan, by, now, _returned(deployed, by, received, late))
    except (FileRefused, PrivacyBlocked) as error:
        return _refused(database, deployed, plan, by, now, Refusal(str(error)))
    told = {"done": taken.submitted, "kept": taken.kept, "same": checked.untouched, "notes": taken.notes_lost}
    path = f"/units/{quote(by.unit, safe='-')}/workbook"
    return RedirectResponse(address(path, uploaded="1", **told, plan=plan), 303)


def _today(session: Session, plan: str | None, now: Any) -> Reading:
    """A workbook is of today, whatever day the page before it looked at."""
    reading = open_reading(session, plan, as_of=None, now=now)
    if reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    return reading


def _checked(database: Database, plan: str | None, by: Actor, sheets: Sequence[ReadSheet], now: Any) -> Checked:
    with database.read() as session:
        expected, why_not = queries.expected(session, _today(session, plan, now), by.unit, keys_of(sheets))
    return check(sheets, expected, why_not, today=civil_date(now))


def _require_ours(checked: Checked) -> None:
    if not (checked.filled or checked.faults or checked.untouched):
        raise FileRefused(NOT_OURS)


def _elsewhere(received: Received) -> str:
    """What the gate met outside the cells that we read: in a remark, a picture, a property."""
    stopping = [finding for finding in received.findings if finding.blocks]
    told = "、".join(dict.fromkeys(f"{finding.why}（{finding.sample}）" for finding in stopping))
    return f"文件名、批注、图片或文件属性中有{told}，不能上传。系统只记数量，请删去个人信息后再试"


def _late(checked: Checked, error: Faulty) -> tuple[CellFault, ...]:
    """What changed between the check and the act, told at the rows it concerns."""
    rows = {row.key: row for row in checked.filled}
    return tuple(rows[fault.file].fault(fault.message) for fault in error.faults)


def _returned(deployed: Settings, by: Actor, received: Received, checked: Checked) -> Refusal:
    """The faults, and a copy with them marked: none where something personal would still be in it."""
    faults, count = checked.faults, len(checked.faults)
    sentence = f"有 {count} 处需要更正，本次没有报送任何一行"
    data = workbook_file.marked(received.data, faults)
    if checked.private and receive(received.name, data, limits=deployed.limits, kinds=KINDS).blocked:
        return Refusal(f"{sentence}；表格其他位置仍有个人信息，不提供副本", faults, None, checked.unread)
    return Refusal(sentence, faults, _copies(deployed).put(by.unit, data), checked.unread)


def _copies(deployed: Settings) -> ReturnedCopies:
    return ReturnedCopies(deployed.file_dir / "returned")


def _refused(
    database: Database, deployed: Settings, plan: str | None, by: Actor, now: Any, refusal: Refusal
) -> Response:
    with database.read() as session:
        return _page(session, _today(session, plan, now), by.unit, {"refusal": refusal}, status=422)


def _page(session: Session, reading: Reading, code: str, more: dict[str, Any], *, status: int = 200) -> Response:
    own = unit_row(session, code)
    context = {
        "here": "units",
        "unit": own,
        "book": queries.offered(session, reading, own.code),
        "waiting": queries.waiting(session, reading, own.code),
        "refusal": None,
        "result": None,
        "shown": SHOWN,
        **more,
    }
    return plan_page("workbook.html", reading, plans.plans(session), context, status=status)


def _attachment(data: bytes, name: str) -> Response:
    disposition = f"attachment; filename=\"workbook.xlsx\"; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(data, media_type=MEDIA_TYPES[FileKind.XLSX], headers=headers)
