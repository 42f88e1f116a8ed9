"""The rounds as JSON: what the pages of 报送 show, under /api/v1."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel

from api.dependencies import OpenPlan, Reads
from api.guard import Guarded
from api.routes.rounds import RoundCode
from ledger.queries.rounds import ReportRow, RoundRow, round_board, rounds_of
from policy_models.rounds import ReportStatus

router = APIRouter(route_class=Guarded, prefix="/api/v1", tags=["查询"])


class RoundOut(BaseModel):
    """``phase``: coming, open, closed, or skipped (before go-live); rates are shares of the units that owe, 0 to 1."""

    code: str
    phase: str
    first: date
    last: date
    opens_on: date
    deadline: date
    owing: int
    handed_in: int
    on_time: int
    late: int
    missing: int
    accepted: int
    returned: int
    waiting: int
    completeness: float
    timeliness: float


class ReportOut(BaseModel):
    """``late``: handed in after the deadline; ``missing``: not handed in and the deadline is past."""

    unit: str
    name: str
    status: ReportStatus
    deadline: date
    first_submitted_on: date | None
    late: bool
    missing: bool
    returns: int
    exemplars: int
    bulletins: int


class RoundReportsOut(BaseModel):
    round: RoundOut
    as_of: date
    reports: list[ReportOut]


@router.get("/rounds", summary="各期半年报送")
def list_rounds(session: Reads, reading: OpenPlan) -> list[RoundOut]:
    return [_round(one) for one in rounds_of(session, reading)]


@router.get("/rounds/{round_code}", summary="一期半年报送的各单位")
def read_round(session: Reads, reading: OpenPlan, round_code: RoundCode) -> RoundReportsOut:
    board = round_board(session, reading, round_code)
    reports = [_report(one, reading.as_of) for one in board.reports]
    return RoundReportsOut(round=_round(board.row), as_of=reading.as_of, reports=reports)


def _round(one: RoundRow) -> RoundOut:
    counted = ("owing", "handed_in", "on_time", "late", "missing", "accepted", "returned", "waiting")
    rates = ("completeness", "timeliness")
    dates = ("code", "phase", "first", "last", "opens_on", "deadline")
    values = {name: getattr(one, name) for name in dates}
    return RoundOut(**values, **{name: getattr(one.figures, name) for name in (*counted, *rates)})


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
