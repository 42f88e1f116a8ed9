"""总览 and the list of tasks."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.attention import concerns, current_round
from api.board import action_blocks, board, month_of, section_lines
from api.dependencies import MaybePlan, Reads
from api.guard import Guarded
from api.pages import page, plan_page
from api.ribbon import ribbon
from api.visit import may
from ledger import plans, tally
from ledger.civil import civil_date
from ledger.queries.reach import count_unreachable
from ledger.queries.reading import Reading
from ledger.queries.rounds import rounds_of
from ledger.queries.units import unit_names
from policy_models.access import Right
from policy_models.periods import period_name

router = APIRouter(route_class=Guarded, include_in_schema=False)


@router.get("/")
def show_board(session: Reads, reading: MaybePlan) -> Response:
    if reading is None:
        return page("empty.html", {})
    shown = board(session, reading)
    # people are known as they are today: a past day says nothing of them
    alone = 0 if reading.is_past else count_unreachable(session, reading.summary.code, reading.now, scope=reading.scope)
    round_ = current_round(rounds_of(session, reading), reading.as_of)
    roots = reading.scope.roots or ()
    context = {
        "here": "board",
        "scope_name": "、".join(unit_names(session, frozenset(roots)).values()),
        "chaser": _chaser(reading),
        "board": shown,
        "ribbon": ribbon(reading, shown),
        "round": round_,
        "round_name": period_name(round_.code, reading.calendars) if round_ else "",
        "concerns": concerns(reading, shown, alone, round_),
        "month": month_of(reading.as_of),
    }
    return plan_page("board.html", reading, plans.plans(session), context)


def _chaser(reading: Reading) -> str | None:
    """The unit in whose name the visitor chases what is overdue: today only, and only who may."""
    if reading.as_of != civil_date(reading.now) or not may(Right.REVIEW):
        return None
    if reading.scope.roots is None:
        return reading.summary.coordinator
    return reading.scope.roots[0] if len(reading.scope.roots) == 1 else None


@router.get("/tasks")
def show_tasks(session: Reads, reading: MaybePlan) -> Response:
    if reading is None:
        return page("empty.html", {})
    counts = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now, scope=reading.scope)
    lines = section_lines(reading, counts)
    context = {
        "here": "tasks",
        "actions": action_blocks(reading, counts, lines),
        "phases": [lines[f"phase-{phase.number}"] for phase in reading.plan.phases],
        "safeguards": [lines[f"safeguard-{guard.number}"] for guard in reading.plan.safeguards],
    }
    return plan_page("tasks.html", reading, plans.plans(session), context)
