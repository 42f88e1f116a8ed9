"""The same reads as JSON: /api/v1. What the answers look like is described at /api/v1/openapi.json."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api import visit, words
from api.answers import (
    BoardOut,
    CellOut,
    ItemOut,
    ItemsOut,
    MatrixOut,
    MeasureOut,
    OverdueOut,
    PlanOut,
    RequirementOut,
    ReviewOut,
    SectionOut,
    TaskOut,
    UnitItemsOut,
    UnitOut,
    UnitsOut,
    UpcomingOut,
    WaitingOut,
    WantedOut,
)
from api.board import SectionLine, board
from api.dependencies import OpenPlan, Reads
from api.desk import Today
from api.json_pages import Cursor, next_page, skipped
from api.json_route import ApiRoute
from api.routes.item import Section, Word, asked
from api.routes.review import Asked
from api.routes.unit import Code
from ledger import plans
from ledger.queries import units as unit_queries
from ledger.queries.board import overdue_by_unit
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import ItemRow, items, unit_items
from ledger.queries.matrix import matrix
from ledger.queries.review import Waiting, review_queue
from ledger.queries.units import UnitRow
from policy_models.errors import NotFound
from policy_models.evidence import TYPE_NAMES
from policy_models.plan import Requirement
from policy_models.rollup import Cell

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["查询"])


@router.get("/plans", summary="全部方案", description="台账中的全部方案；其他接口以 plan=代码 选择，不写为现行方案。")
def list_plans(session: Reads) -> list[PlanOut]:
    return [PlanOut.model_validate(plan) for plan in plans.plans(session)]


@router.get("/board", summary="总览", description="截至某日的办结率、逾期和即将到期的事项，限于账号所辖范围。")
def read_board(session: Reads, reading: OpenPlan) -> BoardOut:
    found = board(session, reading)
    return BoardOut(
        plan=reading.summary.code,
        as_of=reading.as_of,
        ended=reading.as_of > reading.plan.ends_on,
        total=_cell(found.total),
        due_this_month=found.month.total,
        done_this_month=found.month.done,
        sections=[_section(line) for line in found.sections],
        overdue=[
            OverdueOut(
                unit=u.code,
                name=u.name,
                county=u.county,
                overdue=u.overdue,
                long_overdue=u.long_overdue,
                oldest=u.oldest,
            )
            for u in overdue_by_unit(session, reading)
        ],
        upcoming=[
            UpcomingOut(
                workdays=words.workdays_left(u.deadline, u.remind_by, reading.as_of, reading.calendars),
                **{name: getattr(u, name) for name in UpcomingOut.model_fields if name != "workdays"},
            )
            for u in found.upcoming
        ],
    )


@router.get("/tasks/{number}", summary="一项任务", description="任务的事项、佐证材料要求，和各区域的办理状态。")
def read_task(
    session: Reads, reading: OpenPlan, number: Annotated[int, Path(ge=1, le=99, description="任务序号")]
) -> TaskOut:
    task = reading.plan.task(number)
    if task is None:
        raise NotFound(f"方案中没有任务{number}")
    return TaskOut(
        number=task.number,
        title=task.title,
        owners=list(task.owners),
        notes=list(task.notes),
        requirements=[_requirement(one) for one in task.requirements],
        matrix=[
            MatrixOut(requirement=row.requirement, period=row.period, area=row.area, timing=row.timing, n=row.n)
            for row in matrix(session, reading, f"task-{number}")
        ],
    )


@router.get("/units", summary="单位", description="账号所辖范围内的单位，按代码先后分页。")
def list_units(
    session: Reads,
    parent: Annotated[Word, Query(description="上级单位代码")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="每页几条")] = 200,
) -> UnitsOut:
    scope = visit.current().scope
    found = unit_queries.all_units(session, parent=parent, after=cursor or "", limit=limit + 1, scope=scope)
    shown = found[:limit]
    return UnitsOut(units=[_unit(one) for one in shown], next_cursor=shown[-1].code if len(found) > limit else None)


@router.get("/units/{code}", summary="一个单位及其办理件", description="单位在方案下的全部办理件，按时限先后。")
def read_unit(session: Reads, reading: OpenPlan, code: Code) -> UnitItemsOut:
    own = unit_queries.unit_row(session, code)
    rows = unit_items(session, reading, own.code)
    return UnitItemsOut(**_unit(own).model_dump(), items=[item_out(row) for row in rows])


@router.get("/items", summary="办理件", description="按条件筛选的办理件，按时限先后分页；条件与页面相同。")
def list_items(
    session: Reads,
    reading: OpenPlan,
    wanted: Annotated[ItemFilter, Depends(asked)],
    task: Annotated[Section, Query(description="任务序号，同 section=task-5")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500, description="每页几条")] = 100,
) -> ItemsOut:
    if task is not None:
        wanted = replace(wanted, section=f"task-{task}")
    found = items(session, reading, wanted, cursor=cursor, limit=limit)
    return ItemsOut(items=[item_out(row) for row in found.rows], total=found.total, next_cursor=found.next_cursor)


def _cell(cell: Cell) -> CellOut:
    return CellOut(
        expected=cell.expected,
        done=cell.done,
        overdue=cell.late,
        due=cell.due,
        share_done=round(cell.share_done, 4),
        share_due=round(cell.share_due, 4),
        light=cell.light,
        by_timing=dict(cell.by_timing),
    )


def _section(line: SectionLine) -> SectionOut:
    return SectionOut(
        section=line.name,
        title=line.section.title,
        owners=list(line.owners),
        cell=_cell(line.cell),
        phases=[_cell(cell) if cell else None for cell in line.by_phase],
    )


@router.get(
    "/units/{code}/review", summary="待审核的办理件", description="等待这个单位审核的办理件，最早报送的在前；截至此刻。"
)
def read_review(
    session: Reads,
    reading: Today,
    code: Code,
    wanted: Asked,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100, description="每页几条")] = 100,
) -> ReviewOut:
    own = unit_queries.unit_row(session, code)
    skip = skipped(cursor)
    queue = review_queue(session, reading, own.code, wanted, skip=skip, limit=limit)
    rows = [_waiting(row) for row in queue.rows]
    return ReviewOut(waiting=rows, total=queue.total, next_cursor=next_page(skip, len(rows), queue.total))


def _requirement(one: Requirement) -> RequirementOut:
    measures = [
        MeasureOut(name=str(rule.name), label=str(rule.label), of_label=rule.of_label, target=rule.target)
        for rule in one.measures
    ]
    wanted = [
        WantedOut(type=rule.type.value, label=rule.label or TYPE_NAMES[rule.type], min=rule.min)
        for rule in one.evidence
        if rule not in one.measures
    ]
    return RequirementOut(
        code=one.code,
        title=one.title,
        cadence=one.kind.value,
        evidence=wanted,
        measures=measures,
        nothing_new=one.nothing_new,
    )


def _waiting(row: Waiting) -> WaitingOut:
    return WaitingOut.model_validate(row)


def _unit(row: UnitRow) -> UnitOut:
    return UnitOut.model_validate(row)


def item_out(row: ItemRow) -> ItemOut:
    return ItemOut.model_validate(row)
