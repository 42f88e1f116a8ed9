"""半年报告: written section by section beside the ledger's figures, handed in, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BeforeValidator, StringConstraints

from api.blocked import record_blocked
from api.dependencies import Acting, Ledger, Now, PlanCode, Reads, UnitCode, printable
from api.desk import Today, present
from api.errors import status_of
from api.figure_sources import figure_sources
from api.guard import Guarded
from api.pages import address, plan_page
from api.report_paths import report_path
from api.routes.rounds import RoundCode
from ledger import plans, reports
from ledger.civil import SHANGHAI, civil_date
from ledger.database import Session
from ledger.queries.exemplars import exemplars_at
from ledger.queries.reading import Reading
from ledger.queries.report_desk import ReportDesk, plan_tasks, report_desk
from ledger.queries.units import unit_row
from policy_models.errors import (
    ChangedMeanwhile,
    EvidenceMissing,
    Fault,
    Faulty,
    LuchengError,
    NotFound,
    PrivacyBlocked,
)
from policy_models.exemplars import characters
from policy_models.periods import period_name
from policy_models.report_words import overview_words, plain
from policy_models.reports import NOTHING_NEW, OVERVIEW, PROGRESS

router = APIRouter(route_class=Guarded, include_in_schema=False)
Section = Annotated[str, BeforeValidator(printable), Path(max_length=16)]
Asked = Annotated[Annotated[str, StringConstraints(max_length=16)], BeforeValidator(printable), Query()]
CHECK = "check"  # the page from which the whole is handed in
ANSWER, NONE_NEW = "answer-", "none-"
DONE_WORDS = {
    "saved": "已保存。",
    "submit": "报告已报送，等待审核。",
    "withdraw": "报告已撤回，可以修改后重新报送。",
}


@dataclass(frozen=True)
class Typed:
    """What a writer sent of one section."""

    text: str
    answers: Mapping[str, str]
    version: int
    offered: bool


async def typed(request: Request) -> Typed:
    """A section's fields: ``answer-2.3`` in words, ``none-2.3`` ticked for 无新增. Raises Faulty."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    version = form.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 9):
        raise Faulty([Fault("表单", None, "", "内容不完整，请刷新页面后重新填写")])
    answers = {name.removeprefix(ANSWER): words for name, words in form.items() if name.startswith(ANSWER)}
    for name in form:
        if name.startswith(NONE_NEW) and not answers.get(code := name.removeprefix(NONE_NEW), "").strip():
            answers[code] = NOTHING_NEW
    return Typed(form.get("text", ""), answers, int(version), "offer" in form)


@router.get("/units/{code}/reports/{round_code}")
def show_editor(
    session: Reads,
    reading: Today,
    code: UnitCode,
    round_code: RoundCode,
    section: Asked = OVERVIEW,
    done: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """One section of a report to be written, all of them at the left; once handed in, the text as it was."""
    return _editor(session, reading, code, round_code, section, done=done)


def _editor(
    session: Session,
    reading: Reading,
    code: str,
    round_code: str,
    section: str,
    *,
    done: str = "",
    fault: str = "",
    mine: Typed | None = None,
    status: int = 200,
) -> Response:
    desk = report_desk(session, reading, round_code, code)
    shown = desk.section(section)
    if shown is None and section != CHECK:
        raise NotFound("这个单位的报告中没有这一节，请从报告左侧的目录进入")
    names = [one.name for one in desk.sections]
    place = names.index(section) if shown else len(names)
    context = {
        "here": "rounds",
        "unit": unit_row(session, code),
        "desk": desk,
        "period": period_name(desk.round.code, reading.calendars),
        "shown": shown,
        "section": section,
        "editable": desk.is_writable and (section in desk.scope.sections or section == PROGRESS),
        "mine": mine,
        "fault": fault,
        "done_words": DONE_WORDS.get(done),
        "previous": desk.sections[place - 1] if place else None,
        "next": desk.sections[place + 1] if place + 1 < len(names) else None,
        "offer": _offer(desk, reading) if section == OVERVIEW else "",
        "exemplars": exemplars_at(session, reading.plan_id, desk.round.code, until=reading.now),
        "path": report_path(code, round_code),
        "plain": plain,
        "sources": figure_sources(desk),
        "characters": characters,
        "nothing_new": NOTHING_NEW,
    }
    return plan_page("report_edit.html", reading, plans.plans(session), context, status=status)


def _offer(desk: ReportDesk, reading: Reading) -> str:
    figures = [figure for one in desk.sections if one.name != PROGRESS for figure in one.figures]
    return overview_words(
        plan_title=reading.plan.title,
        unit_name=desk.scope.unit.name,
        period=period_name(desk.round.code, reading.calendars),
        tasks=plan_tasks(desk.scope),
        figures=figures,
        as_of=civil_date(reading.now),
    )


@router.post("/units/{code}/reports/{round_code}/sections/{section}")
def save_section(
    database: Ledger,
    now: Now,
    by: Acting,
    request: Request,
    given: Annotated[Typed, Depends(typed)],
    code: UnitCode,
    round_code: RoundCode,
    section: Section,
    plan: PlanCode = None,
) -> Response:
    """Save one section: asked by a program it answers in JSON, else the page comes again. Nobody's text is lost: what
    cannot be saved stays in the form, with why."""
    by_program = "application/json" in request.headers.get("accept", "")
    try:
        with database.write() as session:
            reading = present(session, plan, now)
            text = _with_offer(session, reading, code, round_code, section, given)
            saved = reports.save_section(
                session,
                reading.summary.code,
                round_code,
                code,
                section,
                text=text,
                answers=given.answers,
                version=given.version,
                by=by,
                now=now,
            )
    except LuchengError as error:
        if isinstance(error, PrivacyBlocked):
            record_blocked(database, error, by_unit=by.unit, now=now)
        if by_program:
            return JSONResponse({"sentence": str(error)}, status_of(error))
        if not isinstance(error, (ChangedMeanwhile, PrivacyBlocked, Faulty)):
            raise
        with database.read() as session:
            reading = present(session, plan, now)
            said, status = {"fault": str(error), "mine": given}, status_of(error)
            return _editor(session, reading, code, round_code, section, status=status, **said)  # type: ignore[arg-type]
    if by_program:
        return JSONResponse({"version": saved.version, "saved": f"已保存 {clock_time(saved.at)}"})
    return RedirectResponse(address(report_path(code, round_code), section=section, done="saved", plan=plan), 303)


def clock_time(at: datetime) -> str:
    """``09:05``."""
    return f"{at.astimezone(SHANGHAI):%H:%M}"


def _with_offer(session: Session, reading: Reading, code: str, round_code: str, section: str, given: Typed) -> str:
    """The text, with the draft made of figures below it where the writer asked for that."""
    if not given.offered or section != OVERVIEW:
        return given.text
    offer = _offer(report_desk(session, reading, round_code, code), reading)
    return f"{given.text.rstrip()}\n{offer}".lstrip()


@router.post("/units/{code}/reports/{round_code}/submit")
def submit(
    database: Ledger, now: Now, by: Acting, code: UnitCode, round_code: RoundCode, plan: PlanCode = None
) -> Response:
    """Hand the saved draft in as a whole."""
    try:
        with database.write() as session:
            plan_code = present(session, plan, now).summary.code
            reports.submit(session, plan_code, round_code, code, by=by, now=now)
    except (EvidenceMissing, PrivacyBlocked) as error:
        if isinstance(error, PrivacyBlocked):
            record_blocked(database, error, by_unit=by.unit, now=now)
        with database.read() as session:
            reading = present(session, plan, now)
            return _editor(session, reading, code, round_code, CHECK, fault=str(error), status=status_of(error))
    return RedirectResponse(address(report_path(code, round_code), section=CHECK, done="submit", plan=plan), 303)


@router.post("/units/{code}/reports/{round_code}/withdraw")
def withdraw(
    database: Ledger, now: Now, by: Acting, code: UnitCode, round_code: RoundCode, plan: PlanCode = None
) -> Response:
    """Take the report back before its review has begun."""
    with database.write() as session:
        plan_code = present(session, plan, now).summary.code
        reports.withdraw(session, plan_code, round_code, code, by=by, now=now)
    return RedirectResponse(address(report_path(code, round_code), section=CHECK, done="withdraw", plan=plan), 303)
