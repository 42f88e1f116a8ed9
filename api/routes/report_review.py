"""逐节审核: a report as it was handed in, what changed since the last time, last half-year's text beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.blocked import record_blocked
from api.dependencies import Acting, Ledger, Now, PlanCode, Reads, UnitCode, printable
from api.desk import Today, present
from api.errors import status_of
from api.figure_sources import figure_sources
from api.guard import Guarded
from api.pages import address, plan_page
from api.report_paths import report_review_path
from api.routes.rounds import RoundCode
from ledger import plans, report_reviews, reviews
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.queries.report_desk import DeskSection, ReportDesk, report_desk
from ledger.queries.units import unit_row
from ledger.report_reviews import Marked
from policy_models.changes import Change, changes
from policy_models.errors import ActNotAllowed, Fault, Faulty, NotResponsible, PrivacyBlocked, ReasonMissing
from policy_models.exemplars import characters
from policy_models.lifecycle import State
from policy_models.periods import period_name
from policy_models.report_words import plain

router = APIRouter(route_class=Guarded, include_in_schema=False)
Submitter = Annotated[str, BeforeValidator(printable), Path(max_length=24)]
VERDICT, REASON = "verdict-", "reason-"
ACTS = ("keep", "return", "accept")
DONE_WORDS = {"keep": "审核意见已保存，尚未退回或通过。", "return": "报告已退回。", "accept": "报告已审核通过。"}


@dataclass(frozen=True)
class Verdicts:
    """What the reviewer filled in: which act, of which revision, a verdict or None for each section named."""

    act: str
    seen: int
    marks: Mapping[str, Marked | None]


async def filled_in(request: Request) -> Verdicts:
    """Fields ``verdict-task-5`` (accepted, returned or empty) and ``reason-task-5``. Raises Faulty."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    seen = form.get("seen", "")
    if form.get("act") not in ACTS or not (seen.isascii() and seen.isdigit() and len(seen) < 9):
        raise Faulty([Fault("表单", None, "", "内容不完整，请刷新页面后重新审核")])
    named = [name.removeprefix(VERDICT) for name in form if name.startswith(VERDICT)]
    marks = {
        name: Marked(form[VERDICT + name], form.get(REASON + name, "")) if form[VERDICT + name] else None
        for name in named
    }
    return Verdicts(form["act"], int(seen), marks)


@router.get("/units/{code}/reports/{round_code}/{unit}")
def show_review(
    session: Reads,
    reading: Today,
    code: UnitCode,
    round_code: RoundCode,
    unit: Submitter,
    done: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    return _page(session, reading, code, round_code, unit, done=done)


def _page(
    session: Session,
    reading: Reading,
    code: str,
    round_code: str,
    unit: str,
    *,
    done: str = "",
    fault: str = "",
    mine: Verdicts | None = None,
    status: int = 200,
) -> Response:
    desk = report_desk(session, reading, round_code, unit)
    if not reviews.may_review(desk.report.item, code):
        raise NotResponsible("您的单位不是这份报告的审核单位")
    handed = [one for one in desk.sections if one.handed is not None]
    context = {
        "here": "rounds",
        "reviewer": unit_row(session, code),
        "unit": unit_row(session, unit),
        "desk": desk,
        "period": period_name(desk.round.code, reading.calendars),
        "before_period": period_name(desk.before_code, reading.calendars) if desk.before_code else "",
        "handed": handed,
        "changed": {one.name: found for one in handed if (found := _changed(one)) is not None},
        "marks": _marks(desk, mine),
        "reviewing": desk.state is State.SUBMITTED,
        "fault": fault,
        "done_words": DONE_WORDS.get(done),
        "path": report_review_path(code, round_code, unit),
        "plain": plain,
        "sources": figure_sources(desk),
        "characters": characters,
    }
    return plan_page("report_review.html", reading, plans.plans(session), context, status=status)


def _changed(one: DeskSection) -> tuple[Change, ...] | None:
    """What changed since the submission before: None where there was none or it is the same."""
    if one.earlier is None or one.handed is None or one.earlier.text == one.handed.text:
        return None
    return changes(one.earlier.text, one.handed.text)


def _marks(desk: ReportDesk, mine: Verdicts | None) -> dict[str, Marked]:
    """What stands at each section: as it was just filled in, else as it is kept."""
    kept = {one.name: Marked(one.verdict.verdict, one.verdict.reason or "") for one in desk.sections if one.verdict}
    typed = {name: mark for name, mark in mine.marks.items() if mark is not None} if mine else {}
    return {**({} if mine else kept), **typed}


@router.post("/units/{code}/reports/{round_code}/{unit}/review")
def review(
    database: Ledger,
    now: Now,
    by: Acting,
    given: Annotated[Verdicts, Depends(filled_in)],
    code: UnitCode,
    round_code: RoundCode,
    unit: Submitter,
    plan: PlanCode = None,
) -> Response:
    """Keep the marks, and send back or accept where asked: all of it or nothing."""
    try:
        with database.write() as session:
            plan_code = present(session, plan, now).summary.code
            where = (session, plan_code, round_code, unit)
            if given.marks:
                report_reviews.mark_sections(*where, given.marks, by=by, now=now, seen=given.seen)
            if given.act == "return":
                report_reviews.send_back(*where, by=by, now=now, seen=given.seen)
            elif given.act == "accept":
                report_reviews.accept(*where, by=by, now=now, seen=given.seen)
    except (ReasonMissing, PrivacyBlocked, Faulty, ActNotAllowed) as error:
        if isinstance(error, PrivacyBlocked):
            record_blocked(database, error, by_unit=by.unit, now=now)
        with database.read() as session:
            reading = present(session, plan, now)
            return _page(
                *(session, reading, code, round_code, unit), fault=str(error), mine=given, status=status_of(error)
            )
    return RedirectResponse(address(report_review_path(code, round_code, unit), done=given.act, plan=plan), 303)
