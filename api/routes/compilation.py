"""汇编: the round's report made of what was accepted, downloaded, made again and compared; and its template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Depends, File, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.compiling import SAMENESS_WORDS, Sameness, accept_template, compile_round, made_again
from api.dependencies import (
    Acting,
    Deployed,
    Files,
    Ledger,
    Now,
    PlanCode,
    Reads,
    Writes,
    civil,
    printable,
)
from api.desk import Today, present
from api.guard import Guarded
from api.pages import address, plan_page
from api.pdf_copies import PdfCopies
from documents.pdf import NOT_INSTALLED, program
from documents.receiving import receive
from documents.template import built_in
from documents.template_tags import MEANINGS
from ledger import compilations, plans, screenings
from ledger.compilations import Compiled
from ledger.database import Session
from ledger.queries.compilation import moment_of, submitters
from ledger.queries.reading import Reading
from ledger.queries.units import unit_row
from ledger.rounds import Round, round_of
from policy_models.errors import FileRefused, NotFound, PrivacyBlocked
from policy_models.file_names import plain_name
from policy_models.files import MEDIA_TYPES, FileKind
from policy_models.periods import period_name
from policy_models.spans import full_day

router = APIRouter(route_class=Guarded, include_in_schema=False)
REFRESH_SECONDS = "3"
RoundCode = Annotated[str, BeforeValidator(printable), Path(max_length=12)]
Id = Annotated[int, Path(ge=1, lt=2**63)]
AsOfDay = Annotated[date | None, BeforeValidator(civil), Form()]
KINDS = frozenset({FileKind.DOCX})


@dataclass(frozen=True, slots=True)
class Line:
    """One compilation on the page, with what its PDF is doing."""

    made: Compiled
    pdf: bool
    seconds: int | None
    failure: str | None


def pdf_copies(request: Request) -> PdfCopies:
    found: PdfCopies = request.app.state.pdfs
    return found


Pdfs = Annotated[PdfCopies, Depends(pdf_copies)]


@router.get("/rounds/{round_code}/compilations")
def show_compilations(
    session: Reads,
    reading: Today,
    pdfs: Pdfs,
    round_code: RoundCode,
    left_out: Annotated[list[str], Query(max_length=40)] = [],  # noqa: B006
    used: Annotated[str, Query(max_length=8)] = "",
) -> Response:
    """Make one, see what would be missing, download what was made; the template."""
    told = [name for name in left_out if name in MEANINGS]
    return _page(session, reading, pdfs, round_code, {"left_out": told, "used": bool(used)})


@router.post("/units/{code}/compilations/{round_code}")
def make(
    database: Ledger,
    store: Files,
    pdfs: Pdfs,
    now: Now,
    by: Acting,
    round_code: RoundCode,
    as_of: AsOfDay = None,
    plan: PlanCode = None,
) -> Response:
    """As of now, or the end of a day that is over."""
    with database.read() as session:
        reading = present(session, plan, now)
    try:
        made = compile_round(
            database, store, reading.summary.code, round_code, until=moment_of(as_of, now), by=by, now=now
        )
    except FileRefused as error:  # the bureau's own template: the page is where it is changed
        with database.read() as session:
            return _page(session, reading, pdfs, round_code, {"fault": str(error)}, status=422)
    return RedirectResponse(f"{_path(round_code, plan)}#made-{made}", 303)


@router.get("/rounds/{round_code}/compilations/{id}/check")
def check(
    session: Reads, database: Ledger, store: Files, reading: Today, pdfs: Pdfs, round_code: RoundCode, id: Id
) -> Response:
    """再次生成并核对."""
    made = compilations.compilation_made(session, reading.plan_id, round_code, id)
    found = made_again(database, store, made)
    result = {"id": id, "words": SAMENESS_WORDS[found], "fault": found is Sameness.DIFFERENT}
    return _page(session, reading, pdfs, round_code, {"checked": result})


@router.get("/rounds/{round_code}/compilations/{id}.docx")
def download_docx(session: Reads, store: Files, reading: Today, round_code: RoundCode, id: Id) -> Response:
    made = compilations.compilation_made(session, reading.plan_id, round_code, id)
    return _attachment(store.get(made.docx), FileKind.DOCX, _name(reading, made, "docx"))


@router.get("/rounds/{round_code}/compilations/{id}.xlsx")
def download_xlsx(session: Reads, store: Files, reading: Today, round_code: RoundCode, id: Id) -> Response:
    made = compilations.compilation_made(session, reading.plan_id, round_code, id)
    return _attachment(store.get(made.xlsx), FileKind.XLSX, _name(reading, made, "xlsx"))


@router.get("/rounds/{round_code}/compilations/{id}.pdf")
def download_pdf(session: Reads, reading: Today, pdfs: Pdfs, round_code: RoundCode, id: Id) -> Response:
    made = compilations.compilation_made(session, reading.plan_id, round_code, id)
    data = pdfs.get(made.docx)
    if data is None:
        raise NotFound("这份汇编还没有生成 PDF，请在汇编页面点“生成 PDF”")
    return _attachment(data, FileKind.PDF, _name(reading, made, "pdf"))


@router.post("/units/{code}/compilations/{round_code}/{id}/pdf")
def make_pdf(
    session: Reads,
    store: Files,
    pdfs: Pdfs,
    now: Now,
    by: Acting,
    background: BackgroundTasks,
    round_code: RoundCode,
    id: Id,
    plan: PlanCode = None,
) -> Response:
    """Begin; the page tells how long it has been under way, and fetches itself until it is there."""
    reading = present(session, plan, now)
    compilations.coordinated(session, reading.summary.code, by)
    made = compilations.compilation_made(session, reading.plan_id, round_code, id)
    if program() is None:
        raise FileRefused(NOT_INSTALLED)
    docx = store.get(made.docx)
    if pdfs.begin(made.docx):
        background.add_task(pdfs.make, made.docx, docx)
    return RedirectResponse(f"{_path(round_code, plan)}#made-{id}", 303)


@router.get("/report-template.docx")
def download_template(session: Reads, store: Files) -> Response:
    """The template in use."""
    own = compilations.template_used(session)
    return _attachment(store.get(own.kept) if own else built_in(), FileKind.DOCX, "半年报告模板.docx")


@router.get("/report-template/built-in.docx")
def download_built_in() -> Response:
    return _attachment(built_in(), FileKind.DOCX, "半年报告模板（内置）.docx")


@router.post("/units/{code}/compilations/{round_code}/template")
def upload_template(
    database: Ledger,
    store: Files,
    deployed: Deployed,
    pdfs: Pdfs,
    now: Now,
    by: Acting,
    round_code: RoundCode,
    file: Annotated[UploadFile, File()],
    plan: PlanCode = None,
) -> Response:
    """Checked by a trial before it is used; else one sentence that says what is wrong."""
    with database.read() as session:
        reading = present(session, plan, now)
        round_of(session, reading.plan_id, round_code)
    name = plain_name(file.filename or "")
    try:
        data = file.file.read(deployed.limits.file_bytes + 1)
        received = receive(name, data, limits=deployed.limits, kinds=KINDS)
        if stopping := [one for one in received.findings if one.blocks]:
            told = screenings.sentence("模板", stopping)
            raise PrivacyBlocked(told, stopping, place="模板", sha256=received.sha256)
        left_out = accept_template(database, store, reading.summary.code, name, received.data, by=by, now=now)
    except (FileRefused, PrivacyBlocked) as error:
        with database.read() as session:
            return _page(session, reading, pdfs, round_code, {"fault": str(error)}, status=422)
    return RedirectResponse(_path(round_code, plan, used="1", left_out=left_out) + "#template", 303)


@router.post("/units/{code}/compilations/{round_code}/template/built-in")
def back_to_built_in(session: Writes, now: Now, by: Acting, round_code: RoundCode, plan: PlanCode = None) -> Response:
    reading = present(session, plan, now)
    round_of(session, reading.plan_id, round_code)
    compilations.use_built_in(session, reading.summary.code, by=by, now=now)
    return RedirectResponse(_path(round_code, plan, used="1") + "#template", 303)


def _page(
    session: Session, reading: Reading, pdfs: PdfCopies, round_code: str, more: dict[str, Any], *, status: int = 200
) -> Response:
    found: Round = round_of(session, reading.plan_id, round_code)
    owing = submitters(session, reading.summary.code, round_code, until=reading.now)
    lines = [
        Line(made, pdfs.has(made.docx), pdfs.seconds(made.docx), pdfs.failure(made.docx))
        for made in compilations.compilations(session, reading.plan_id, round_code)
    ]
    context = {
        "here": "rounds",
        "round": found,
        "coordinator": unit_row(session, reading.summary.coordinator),
        "owing": owing,
        "absent": [one for one in owing if not one.accepted],
        "lines": lines,
        "has_pdf": program() is not None,
        "template": compilations.template_used(session),
        "meanings": MEANINGS,
        "left_out": [],
        "used": False,
        "checked": None,
        "fault": "",
        **more,
    }
    busy = any(line.seconds is not None for line in lines)
    headers = {"Refresh": REFRESH_SECONDS} if busy else None
    return plan_page("compilations.html", reading, plans.plans(session), context, status=status, headers=headers)


def _path(round_code: str, plan: str | None, **query: object) -> str:
    return address(f"/rounds/{quote(round_code, safe='-')}/compilations", **query, plan=plan)


def _name(reading: Reading, made: Compiled, suffix: str) -> str:
    """``2025年上半年工作进展情况报告（截至2025年7月20日）.docx``."""
    return f"{period_name(made.round_code, reading.calendars)}工作进展情况报告（截至{full_day(made.day)}）.{suffix}"


def _attachment(data: bytes, kind: FileKind, name: str) -> Response:
    disposition = f"attachment; filename=\"report.{kind.value}\"; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(data, media_type=MEDIA_TYPES[kind], headers=headers)
