"""The same reads as JSON: /api/v1. What the answers look like is documented at /api/v1/openapi.json."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from api import words
from api.answers import (
    BoardOut,
    CellOut,
    ItemOut,
    ItemsOut,
    MatrixOut,
    OverdueOut,
    PlanOut,
    ReviewOut,
    SectionOut,
    TaskOut,
    UnitItemsOut,
    UnitOut,
    UnitsOut,
    UpcomingOut,
    WaitingOut,
)
from api.board import SectionLine, board
from api.dependencies import OpenPlan, Reads
from api.desk import Today
from api.guard import Guarded
from api.routes.item import Section, Word, asked
from api.routes.review import Asked
from api.routes.unit import Code, Words
from ledger import plans
from ledger.queries import units as unit_queries
from ledger.queries.items import ItemFilter, ItemRow, items, unit_items
from ledger.queries.matrix import matrix
from ledger.queries.review import Waiting, review_queue
from ledger.queries.units import UnitRow
from policy_models.errors import NotFound
from policy_models.rollup import Cell

router = APIRouter(route_class=Guarded, prefix="/api/v1", tags=["查询"])


@router.get("/plans", summary="全部方案")
def list_plans(session: Reads) -> list[PlanOut]:
    return [PlanOut.model_validate(plan, from_attributes=True) for plan in plans.plans(session)]


@router.get("/board", summary="总览")
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
            for u in found.overdue
        ],
        upcoming=[
            UpcomingOut(
                workdays=words.workdays_left(u.deadline, u.remind_by, reading.as_of, reading.calendars),
                **{name: getattr(u, name) for name in UpcomingOut.model_fields if name != "workdays"},
            )
            for u in found.upcoming
        ],
    )


@router.get("/tasks/{number}", summary="一项任务")
def read_task(session: Reads, reading: OpenPlan, number: Annotated[int, Path(ge=1, le=99)]) -> TaskOut:
    task = reading.plan.task(number)
    if task is None:
        raise NotFound(f"方案中没有任务{number}")
    return TaskOut(
        number=task.number,
        title=task.title,
        owners=list(task.owners),
        notes=list(task.notes),
        requirements=[one.model_dump(mode="json") for one in task.requirements],
        matrix=[
            MatrixOut(requirement=row.requirement, period=row.period, area=row.area, timing=row.timing, n=row.n)
            for row in matrix(session, reading, f"task-{number}")
        ],
    )


@router.get("/units", summary="单位")
def list_units(
    session: Reads,
    parent: Word = None,
    after: Words = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> UnitsOut:
    found = unit_queries.all_units(session, parent=parent, after=after, limit=limit + 1)
    shown = found[:limit]
    return UnitsOut(units=[_unit(one) for one in shown], next_after=shown[-1].code if len(found) > limit else None)


@router.get("/units/{code}", summary="一个单位及其办理件")
def read_unit(session: Reads, reading: OpenPlan, code: Code) -> UnitItemsOut:
    own = unit_queries.unit_row(session, code)
    rows = unit_items(session, reading, own.code)
    return UnitItemsOut(**_unit(own).model_dump(), items=[_item(row) for row in rows])


@router.get("/items", summary="办理件")
def list_items(
    session: Reads,
    reading: OpenPlan,
    wanted: Annotated[ItemFilter, Depends(asked)],
    task: Section = None,
    cursor: Word = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ItemsOut:
    if task is not None:
        wanted = ItemFilter(**{**_fields(wanted), "section": f"task-{task}"})
    found = items(session, reading, wanted, cursor=cursor, limit=limit)
    return ItemsOut(items=[_item(row) for row in found.rows], total=found.total, next_cursor=found.next_cursor)


def _fields(wanted: ItemFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in ItemFilter.__dataclass_fields__}


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


@router.get("/units/{code}/review", summary="一个单位待审核的材料")
def read_review(session: Reads, reading: Today, code: Code, wanted: Asked) -> ReviewOut:
    """As of now: a verdict is given today."""
    own = unit_queries.unit_row(session, code)
    queue = review_queue(session, reading, own.code, wanted)
    return ReviewOut(waiting=[_waiting(row) for row in queue.rows], total=queue.total)


def _waiting(row: Waiting) -> WaitingOut:
    names = [name for name in WaitingOut.model_fields if name != "seen"]
    return WaitingOut(seen=row.revision, **{name: getattr(row, name) for name in names})


def _unit(row: UnitRow) -> UnitOut:
    return UnitOut.model_validate(row, from_attributes=True)


def _item(row: ItemRow) -> ItemOut:
    return ItemOut.model_validate(row, from_attributes=True)
