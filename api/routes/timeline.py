"""时间轴: the whole plan, a phase or a half-year as a chart of bars, with the table behind it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.board import action_blocks, section_lines
from api.dependencies import MaybePlan, Reads
from api.gantt import LATE_TEXT, chosen_zoom, gantt
from api.guard import Guarded
from api.pages import page, plan_page
from api.routes.item import Word
from ledger import plans, tally
from ledger.queries.section_spans import section_spans

router = APIRouter(route_class=Guarded, include_in_schema=False)


@router.get("/timeline")
def show_timeline(session: Reads, reading: MaybePlan, zoom: Word = None) -> Response:
    if reading is None:
        return page("empty.html", {})
    chosen = chosen_zoom(reading, zoom)
    counts = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now, scope=reading.scope)
    lines = section_lines(reading, counts)
    actions = action_blocks(reading, counts, lines)
    context = {
        "here": "timeline",
        "gantt": gantt(reading, chosen, counts, lines, actions, section_spans(session, reading)),
        "late_text": LATE_TEXT,
    }
    return plan_page("timeline.html", reading, plans.plans(session), context)
