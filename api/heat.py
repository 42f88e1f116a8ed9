"""旗县区 × 任务: rows of places, a cell for each task; and the table behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from api.chart_table import ChartTable
from documents.cells import Cell as TableCell
from ledger.queries.grounds import Ground, Layout, Place
from ledger.queries.reading import Reading
from policy_models.rollup import Cell, Count, roll_up
from policy_models.timing import LIGHT_NAMES, Timing

COLUMNS = (
    ("单位", 22),
    ("任务", 6),
    ("任务名称", 22),
    ("应办", 8),
    ("办结", 8),
    ("办结率（%）", 11),
    ("序时进度（%）", 13),
    ("逾期", 8),
    ("严重逾期", 10),
    ("待审核", 8),
    ("状态灯", 10),
)


@dataclass(frozen=True)
class HeatLine:
    """One place: a cell for each task, None where it owes nothing."""

    place: Place
    cell: Cell
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Heat:
    """``tasks``: the numbers of the columns."""

    tasks: tuple[int, ...]
    lines: tuple[HeatLine, ...]
    ground: Ground

    @property
    def title(self) -> str:
        return {Layout.COUNTIES: "旗县区", Layout.TOWNSHIPS: "乡镇（街道）", Layout.UNITS: "单位"}[self.ground.layout]


def heat_of(reading: Reading, counts: Iterable[Count], places: Iterable[Place], here: Ground) -> Heat:
    """Counts laid out by place; a place that owes nothing has no row, a task that nobody owes no column. A place's own
    cell counts phases and safeguards as well."""
    counts = list(counts)
    cells = roll_up((count for count in counts if count.task is not None), lambda c: (c.county, c.task))
    whole = roll_up(counts, lambda c: c.county)
    owed = {task for _, task in cells}
    numbers = tuple(task.number for task in reading.plan.tasks if task.number in owed)
    lines = (
        HeatLine(place, whole[place.code], tuple(cells.get((place.code, number)) for number in numbers))
        for place in places
        if place.code in whole
    )
    return Heat(numbers, tuple(lines), here)


def heat_table(reading: Reading, heat: Heat, line: str) -> ChartTable:
    rows = tuple(row for one in heat.lines for row in _rows(reading, heat, one))
    return ChartTable("任务进展", f"{reading.plan.title} {heat.title}任务进展", line, COLUMNS, rows)


def _rows(reading: Reading, heat: Heat, line: HeatLine) -> Iterator[tuple[TableCell, ...]]:
    yield _row(line.place.name, None, "全部事项", line.cell)
    for number, cell in zip(heat.tasks, line.cells, strict=True):
        if cell is not None and (task := reading.plan.task(number)):
            yield _row(line.place.name, number, task.title, cell)


def _row(place: str, number: int | None, title: str, cell: Cell) -> tuple[TableCell, ...]:
    shares = (int(cell.share_done * 100), int(cell.share_due * 100))
    late = (cell.late, cell.count(Timing.LONG_OVERDUE), cell.count(Timing.UNDER_REVIEW))
    return (place, number, title, cell.expected, cell.done, *shares, *late, LIGHT_NAMES[cell.light])
