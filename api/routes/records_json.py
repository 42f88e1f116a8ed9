"""What is on record, by JSON: exemplars, what was told to whom, the register, charts, the trail."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.admin import scope_of
from api.answers_acts import (
    ChartOut,
    ExemplarOut,
    ExemplarsOut,
    NoticeOut,
    NoticesOut,
    RegisterLineOut,
    RegisterOut,
    TrailLineOut,
    TrailOut,
)
from api.dependencies import OpenPlan, Reads
from api.exemplar_form import RowId
from api.json_pages import Cursor, next_page, skipped
from api.json_route import ApiRoute
from api.periods import RoundCode
from api.register import TITLES, cells
from api.routes import admin_audit, register, reminders
from api.routes.charts import Chart, burden_chart, burn_up_chart, heat_chart, timeliness_chart
from api.routes.exemplars import CITY, Sought, Under
from api.ways import Ways
from documents.cells import Cell
from documents.cells import words as cell_words
from ledger.exemplar_rows import NO_EXEMPLAR, Exemplar, exemplar_row
from ledger.queries import exemplars
from ledger.queries.register import register_page
from ledger.queries.reminders import notice_page
from ledger.queries.trail import trail_page
from policy_models.access import Right
from policy_models.errors import NotFound
from policy_models.exemplars import ExemplarState

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["记录"])
Limit = Annotated[int, Query(ge=1, le=500, description="每页几条")]
PLAIN = ("id", "round_code", "unit", "unit_name", "state", "published_at")
WORDS = ("title", "background", "practice", "effect", "insight")
CHARTS = (
    ("heat", "任务进展", "哪个地方的哪项任务落后：各地、各任务的办结率。", heat_chart),
    ("burn-up", "办结进度", "实际办结与序时进度，按日或按周。", burn_up_chart),
    ("timeliness", "按时情况", "每半年按期、逾期和未报送各有多少。", timeliness_chart),
    ("burden", "到期分布", "每周有多少事项到期。", burden_chart),
)


@router.get("/exemplars", summary="优秀案例", description="已发布的优秀案例，最新的在前；可按期次、地区、文字筛选。")
def list_exemplars(
    session: Reads, reading: OpenPlan, round: RoundCode = None, under: Under = None, q: Sought = ""
) -> ExemplarsOut:
    county = "" if under == CITY else under or None
    found = exemplars.published(session, reading.plan_id, round_code=round, under=county, words=q.strip())
    return ExemplarsOut(exemplars=[_exemplar(one) for one in found])


@router.get("/exemplars/{exemplar_id}", summary="一篇优秀案例", description="一篇已发布的优秀案例。")
def read_exemplar(session: Reads, exemplar_id: RowId) -> ExemplarOut:
    found = exemplar_row(session, exemplar_id)
    if found.state is not ExemplarState.PUBLISHED:
        raise NotFound(NO_EXEMPLAR)
    return _exemplar(found)


def _exemplar(one: Exemplar) -> ExemplarOut:
    words = {name: getattr(one.content, name) for name in WORDS}
    return ExemplarOut(**{name: getattr(one, name) for name in PLAIN}, **words)


@router.get(
    "/reminders", summary="催办记录", description="何时、为何、向谁、经何渠道告知了什么，结果如何；最新的在前。"
)
def list_reminders(
    session: Reads,
    reading: OpenPlan,
    ways: Ways,
    chosen: reminders.Asked,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> NoticesOut:
    skip = skipped(cursor)
    wanted = reminders.since(*chosen, reading)
    found = notice_page(session, reading, wanted, ways.sending, skip=skip, limit=limit)
    rows = [NoticeOut(**{name: getattr(row, name) for name in NoticeOut.model_fields}) for row in found.rows]
    return NoticesOut(notices=rows, total=found.total, next_cursor=next_page(skip, len(rows), found.total))


@router.get("/register", summary="督办台账", description="督办台账的一页，栏目和文字与页面、导出表相同。")
def list_register(
    session: Reads, reading: OpenPlan, chosen: register.Asked, cursor: Cursor = None, limit: Limit = 100
) -> RegisterOut:
    skip = skipped(cursor)
    found = register_page(session, reading, chosen[0], skip=skip, limit=limit)
    lines = [
        RegisterLineOut(cells=[cell_words(cell) for cell in line])
        for line in cells(found.rows, reading, first=skip + 1)
    ]
    after = next_page(skip, len(lines), found.total)
    return RegisterOut(columns=list(TITLES), lines=lines, total=found.total, next_cursor=after)


@router.get("/trail", summary="操作记录", description="谁在何时做了什么；只增不改，最新的在前，限于可查看的单位。")
def list_trail(session: Reads, narrowed: admin_audit.Narrowed, cursor: Cursor = None, limit: Limit = 100) -> TrailOut:
    found = trail_page(session, scope_of(Right.AUDIT), narrowed.wanted, cursor=cursor or "", limit=limit)
    lines = [TrailLineOut(**{name: getattr(one, name) for name in TrailLineOut.model_fields}) for one in found.lines]
    return TrailOut(lines=lines, next_cursor=found.cursor or None)


def _add_chart(name: str, title: str, words: str, make: object) -> None:
    def read(chart: Chart = Depends(make)) -> ChartOut:  # type: ignore[arg-type]
        table = chart.table
        rows = [[_cell(one) for one in row] for row in table.rows]
        return ChartOut(title=table.title, line=table.line, columns=list(table.titles), rows=rows)

    router.add_api_route(
        f"/charts/{name}", read, name=f"read_{name}_chart", summary=f"图表：{title}", description=words
    )


def _cell(one: Cell) -> int | float | str | None:
    if isinstance(one, Decimal):
        return float(one)
    return one if one is None or isinstance(one, (int, float)) else cell_words(one)


for _chart in CHARTS:
    _add_chart(*_chart)
