"""报送: every round, one round unit by unit; the coordinator opens, closes and opens again."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.dependencies import (
    Acting,
    MaybePlan,
    Now,
    OpenPlan,
    PlanCode,
    Reads,
    UnitCode,
    Writes,
    empty_is_none,
    printable,
)
from api.desk import present
from api.guard import Guarded
from api.pages import address, page, plan_page
from ledger import plans, rounds
from ledger.queries.rounds import ReportRow, round_board, rounds_of
from ledger.queries.units import unit_row
from policy_models.rounds import STATUS_NAMES, ReportStatus

router = APIRouter(route_class=Guarded, include_in_schema=False)
RoundCode = Annotated[str, BeforeValidator(printable), Path(max_length=12)]
Shown = Literal["missing", "draft", "submitted", "returned", "accepted", "exempt", "in", "out", "late", "overdue"]
SHOWN_NAMES: dict[str, str] = {
    **{str(status): name for status, name in STATUS_NAMES.items()},
    "in": "已报送",
    "out": "未报送",
    "late": "逾期报送",
    "overdue": "过期未报",
}
PHASE_NAMES = {"coming": "未启动", "open": "进行中", "closed": "已结束", "skipped": "启用前"}
DONE_WORDS = {"open": "本期报送已启动。", "close": "本期报送已结束，不再填写和报送。", "reopen": "本期报送已重新开放。"}
Act = Literal["open", "close", "reopen"]


@router.get("/rounds")
def show_rounds(session: Reads, reading: MaybePlan) -> Response:
    if reading is None:
        return page("empty.html", {})
    found = rounds_of(session, reading)
    context = {
        "here": "rounds",
        "found": [one for one in found if one.round],
        "coming": [one for one in reversed(found) if one.phase == "coming" and one.opens_on > reading.as_of],
        "overdue": [one for one in reversed(found) if one.phase == "coming" and one.opens_on <= reading.as_of],
        "skipped": [one for one in found if one.phase == "skipped"],
        "phase_names": PHASE_NAMES,
        "coordinator": unit_row(session, reading.summary.coordinator),
    }
    return plan_page("rounds.html", reading, plans.plans(session), context)


@router.get("/rounds/{round_code}")
def show_round(
    session: Reads,
    reading: OpenPlan,
    round_code: RoundCode,
    show: Annotated[Shown | None, BeforeValidator(empty_is_none), Query()] = None,
    done: Annotated[Act | None, Query()] = None,
) -> Response:
    """``show``: which reports are listed; all where nothing is asked for."""
    board = round_board(session, reading, round_code)
    context = {
        "here": "rounds",
        "row": board.row,
        "counted": board.row.figures,
        "reports": [one for one in board.reports if _is_shown(one, show, reading.as_of)],
        "total": len(board.reports),
        "counts": {status: sum(one.status is status for one in board.reports) for status in ReportStatus},
        "show": show,
        "shown_names": SHOWN_NAMES,
        "status_names": STATUS_NAMES,
        "phase_names": PHASE_NAMES,
        "done_words": DONE_WORDS.get(done or ""),
        "coordinator": unit_row(session, reading.summary.coordinator),
    }
    return plan_page("round.html", reading, plans.plans(session), context)


def _is_shown(one: ReportRow, show: Shown | None, as_of: date) -> bool:
    if show == "in":
        return one.standing.is_in
    if show == "out":
        return one.status in (ReportStatus.MISSING, ReportStatus.DRAFT)
    if show == "late":
        return one.standing.is_late
    if show == "overdue":
        return one.standing.is_missing(as_of)
    return show is None or one.status == show


@router.post("/units/{code}/rounds/{round_code}/{act}")
def act_on_round(
    session: Writes,
    now: Now,
    by: Acting,
    code: UnitCode,
    round_code: RoundCode,
    act: Act,
    guidance: Annotated[str, Form(max_length=2000)] = "",
    plan: PlanCode = None,
) -> Response:
    """The coordinator opens a round before its time, closes it, or opens it again."""
    plan_code = present(session, plan, now).summary.code
    if act == "open":
        rounds.open_round(session, plan_code, round_code, by=by, now=now, guidance=guidance.strip() or None)
    elif act == "close":
        rounds.close_round(session, plan_code, round_code, by=by, now=now)
    else:
        rounds.reopen_round(session, plan_code, round_code, by=by)
    return RedirectResponse(address(f"/rounds/{quote(round_code, safe='-')}", done=act, plan=plan), 303)
