"""半年报告 by JSON: written section by section, handed in, taken back, reviewed section by section."""

from __future__ import annotations

from fastapi import APIRouter

from api.answers_reports import (
    AnswerOut,
    FigureOut,
    ReportDetailOut,
    ReportSectionOut,
    SavedOut,
    SectionTextOut,
)
from api.bodies_acts import NothingIn, ReportReviewIn, SectionIn
from api.dependencies import Now, PlanCode, Reads, UnitCode, Writes, acting
from api.desk import Today, present
from api.json_route import ApiRoute
from api.routes.report_review import Submitter
from api.routes.reports import Section
from api.routes.rounds import RoundCode
from ledger import report_reviews, reports, reviews
from ledger.queries.report_desk import DeskSection, ReportDesk, report_desk
from ledger.report_reviews import Marked
from policy_models.errors import NotResponsible
from policy_models.reports import Figure, SectionText

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["半年报告"])
OWN = "/units/{code}/reports/{round_code}"
FIGURES = ("requirement", "title", "label", "value", "of")


@router.get(OWN, summary="本单位的报告", description="各节的草稿、台账中的数字、还缺什么，和最近一次报送的文字。")
def read_own(session: Reads, reading: Today, code: UnitCode, round_code: RoundCode) -> ReportDetailOut:
    return _report(report_desk(session, reading, round_code, code))


@router.put(
    OWN + "/sections/{section}",
    summary="填写一节",
    description="保存报告的一节；version 为您看到的版本，他人已先保存的答 409，您的文字不会覆盖他人的。",
)
def save_section(
    session: Writes,
    now: Now,
    code: UnitCode,
    round_code: RoundCode,
    section: Section,
    given: SectionIn,
    plan: PlanCode = None,
) -> SavedOut:
    plan_code = present(session, plan, now).summary.code
    saved = reports.save_section(
        session,
        plan_code,
        round_code,
        code,
        section,
        text=given.text,
        answers={one.requirement: one.text for one in given.answers},
        version=given.version,
        by=acting(session, now, code, given.by_name),
        now=now,
    )
    return SavedOut(section=section, version=saved.version, saved_at=saved.at)


@router.post(OWN + "/submit", summary="报送报告", description="把已保存的草稿作为报告报送；各节须齐全。")
def submit(
    session: Writes, now: Now, code: UnitCode, round_code: RoundCode, given: NothingIn, plan: PlanCode = None
) -> ReportDetailOut:
    reading, by = present(session, plan, now), acting(session, now, code, given.by_name)
    reports.submit(session, reading.summary.code, round_code, code, by=by, now=now)
    return _report(report_desk(session, reading, round_code, code))


@router.post(OWN + "/withdraw", summary="撤回报告", description="审核开始之前撤回报告；草稿不变。")
def withdraw(
    session: Writes, now: Now, code: UnitCode, round_code: RoundCode, given: NothingIn, plan: PlanCode = None
) -> ReportDetailOut:
    reading, by = present(session, plan, now), acting(session, now, code, given.by_name)
    reports.withdraw(session, reading.summary.code, round_code, code, by=by, now=now)
    return _report(report_desk(session, reading, round_code, code))


@router.get(OWN + "/{unit}", summary="待审核的报告", description="审核单位查看另一单位的报告。")
def read_other(
    session: Reads, reading: Today, code: UnitCode, round_code: RoundCode, unit: Submitter
) -> ReportDetailOut:
    desk = report_desk(session, reading, round_code, unit)
    if not reviews.may_review(desk.report.item, code):
        raise NotResponsible("您的单位不是这份报告的审核单位")
    return _report(desk)


@router.post(
    OWN + "/{unit}/review",
    summary="审核报告",
    description="保存逐节意见，并按 act 退回或通过；退回须至少有一节标为退回并写明理由。",
)
def review(
    session: Writes,
    now: Now,
    code: UnitCode,
    round_code: RoundCode,
    unit: Submitter,
    given: ReportReviewIn,
    plan: PlanCode = None,
) -> ReportDetailOut:
    reading, by = present(session, plan, now), acting(session, now, code, given.by_name)
    where = (session, reading.summary.code, round_code, unit)
    marks = {one.section: Marked(one.verdict, one.reason) if one.verdict else None for one in given.marks}
    if marks:
        report_reviews.mark_sections(*where, marks, by=by, now=now, seen=given.seen)
    if given.act == "return":
        report_reviews.send_back(*where, by=by, now=now, seen=given.seen)
    elif given.act == "accept":
        report_reviews.accept(*where, by=by, now=now, seen=given.seen)
    return _report(report_desk(session, reading, round_code, unit))


def _report(desk: ReportDesk) -> ReportDetailOut:
    item = desk.report.item
    return ReportDetailOut(
        key=item.key,
        round_code=desk.round.code,
        unit=item.unit,
        state=desk.state,
        deadline=item.deadline,
        revision=desk.revision,
        reason=desk.reason,
        writable=desk.is_writable,
        sections=[_section(one) for one in desk.sections],
    )


def _section(one: DeskSection) -> ReportSectionOut:
    return ReportSectionOut(
        section=one.name,
        title=one.title,
        version=one.draft.version,
        draft=_text(SectionText(one.name, one.draft.text, one.draft.answers or {})),
        handed_in=_text(one.handed) if one.handed else None,
        figures=[_figure(figure) for figure in one.figures],
        lacking=one.lacking,
        verdict=one.verdict.verdict if one.verdict else None,
        reason=one.verdict.reason if one.verdict else None,
    )


def _figure(one: Figure) -> FigureOut:
    return FigureOut(**{name: getattr(one, name) for name in FIGURES})


def _text(one: SectionText) -> SectionTextOut:
    answers = [AnswerOut(requirement=code, text=words) for code, words in one.answers.items()]
    return SectionTextOut(text=one.text, answers=answers)
