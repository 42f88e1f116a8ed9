"""The rounds as JSON: what the pages of 报送 show, under /api/v1; the coordinator opens, closes and opens again."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter

from api.answers_acts import DoneOut
from api.answers_reports import OpenedOut, ReportOut, RoundOut, RoundReportsOut
from api.bodies_acts import GuidanceIn, NothingIn
from api.dependencies import Now, OpenPlan, PlanCode, Reads, UnitCode, Writes, acting
from api.desk import present
from api.json_route import ApiRoute
from api.routes.rounds import RoundCode
from ledger import rounds
from ledger.queries.rounds import ReportRow, RoundRow, round_board, rounds_of

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["半年报送"])
ONE = "/units/{code}/rounds/{round_code}"
COUNTED = ("owing", "handed_in", "on_time", "late", "missing", "accepted", "returned", "waiting")
RATES = ("completeness", "timeliness")
DATES = ("code", "phase", "first", "last", "opens_on", "deadline")


@router.get("/rounds", summary="各期半年报送", description="方案的各期半年报送及其进度。")
def list_rounds(session: Reads, reading: OpenPlan) -> list[RoundOut]:
    return [_round(one) for one in rounds_of(session, reading)]


@router.get("/rounds/{round_code}", summary="一期半年报送", description="一期报送的进度和各单位报告的状态。")
def read_round(session: Reads, reading: OpenPlan, round_code: RoundCode) -> RoundReportsOut:
    board = round_board(session, reading, round_code)
    reports = [_report(one, reading.as_of) for one in board.reports]
    return RoundReportsOut(round=_round(board.row), as_of=reading.as_of, reports=reports)


@router.post(ONE + "/open", summary="启动一期报送", description="统筹单位在启动日期之前启动一期；已启动的不变。")
def open_round(
    session: Writes, now: Now, code: UnitCode, round_code: RoundCode, given: GuidanceIn, plan: PlanCode = None
) -> OpenedOut:
    by, plan_code = acting(session, now, code, given.by_name), present(session, plan, now).summary.code
    guidance = given.guidance.strip() or None
    found = rounds.open_round(session, plan_code, round_code, by=by, now=now, guidance=guidance)
    return OpenedOut.model_validate(found)


@router.post(ONE + "/close", summary="结束一期报送", description="不再填写和报送；还有报告待审核的不能结束。")
def close_round(
    session: Writes, now: Now, code: UnitCode, round_code: RoundCode, given: NothingIn, plan: PlanCode = None
) -> DoneOut:
    by, plan_code = acting(session, now, code, given.by_name), present(session, plan, now).summary.code
    rounds.close_round(session, plan_code, round_code, by=by, now=now)
    return DoneOut(done=True)


@router.post(ONE + "/reopen", summary="重新开放一期报送", description="取消结束，可以继续填写和报送。")
def reopen_round(
    session: Writes, now: Now, code: UnitCode, round_code: RoundCode, given: NothingIn, plan: PlanCode = None
) -> DoneOut:
    by, plan_code = acting(session, now, code, given.by_name), present(session, plan, now).summary.code
    rounds.reopen_round(session, plan_code, round_code, by=by)
    return DoneOut(done=True)


def _round(one: RoundRow) -> RoundOut:
    values = {name: getattr(one, name) for name in DATES}
    return RoundOut(**values, **{name: getattr(one.figures, name) for name in (*COUNTED, *RATES)})


def _report(one: ReportRow, as_of: date) -> ReportOut:
    return ReportOut(
        unit=one.unit,
        name=one.name,
        status=one.status,
        deadline=one.standing.deadline,
        first_submitted_on=one.standing.first_submitted_on,
        late=one.standing.is_late,
        missing=one.standing.is_missing(as_of),
        returns=one.returns,
        exemplars=one.exemplars,
        bulletins=one.bulletins,
    )
