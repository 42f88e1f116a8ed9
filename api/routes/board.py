"""总览 and the list of tasks."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.attention import concerns
from api.board import action_blocks, board, month_of, section_lines
from api.dependencies import MaybePlan, Reads
from api.guard import Guarded
from api.pages import page, plan_page
from api.ribbon import ribbon
from ledger import plans, tally
from ledger.queries.reach import count_unreachable

router = APIRouter(route_class=Guarded, include_in_schema=False)
OVERDUE_SHOWN = 8


@router.get("/")
def show_board(session: Reads, reading: MaybePlan) -> Response:
    if reading is None:
        return page("empty.html", {})
    shown = board(session, reading)
    # people are known as they are today: a past day says nothing of them
    alone = 0 if reading.is_past else count_unreachable(session, reading.summary.code, reading.now)
    context = {
        "here": "board",
        "board": shown,
        "ribbon": ribbon(reading, shown),
        "concerns": concerns(reading, shown, alone),
        "overdue_shown": OVERDUE_SHOWN,
        "month": month_of(reading.as_of),
    }
    return plan_page("board.html", reading, plans.plans(session), context)


@router.get("/tasks")
def show_tasks(session: Reads, reading: MaybePlan) -> Response:
    if reading is None:
        return page("empty.html", {})
    counts = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now)
    lines = section_lines(reading, counts)
    context = {
        "here": "tasks",
        "actions": action_blocks(reading, counts, lines),
        "others": [line for name, line in lines.items() if not name.startswith("task-")],
    }
    return plan_page("tasks.html", reading, plans.plans(session), context)
