"""按时情况 drawn: a bar for each row and half-year, and the table behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.chart_table import ChartTable
from api.words import percent
from documents.cells import Cell
from ledger.queries.timeliness import By, Timeliness
from policy_models.series import Punctuality

PARTS = {"on_time": "按期办结", "late": "逾期办结", "waiting": "待审核", "missing": "未报送"}
BY_NAMES = {By.COUNTY: "旗县区", By.DEPARTMENT: "市级部门", By.SECTION: "任务"}


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a bar: from ``left``, ``width`` wide (per cent)."""

    part: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class BarCell:
    counts: Punctuality
    slices: tuple[Slice, ...]

    @property
    def words(self) -> str:
        told = [f"{name} {getattr(self.counts, part)}" for part, name in PARTS.items() if getattr(self.counts, part)]
        return f"及时率 {percent(self.counts.share)}；{'，'.join(told)}" if told else "没有到期事项"


@dataclass(frozen=True, slots=True)
class BarLine:
    key: str
    name: str
    cells: tuple[BarCell, ...]


def bar_lines(found: Timeliness, names: Mapping[str, str], order: Sequence[str]) -> tuple[BarLine, ...]:
    """The rows in the order given; those that had nothing due have none."""
    return tuple(
        BarLine(key, names[key], tuple(map(bar_cell, found.rows[key])))
        for key in order
        if key in found.rows and any(one.total or one.before for one in found.rows[key])
    )


def bar_cell(counts: Punctuality) -> BarCell:
    return BarCell(counts, tuple(_slices(counts)))


def _slices(counts: Punctuality) -> Iterator[Slice]:
    left = 0
    for part in PARTS:
        if n := getattr(counts, part):
            yield Slice(part, round(left / counts.total * 100, 2), round(n / counts.total * 100, 2))
            left += n


def timeliness_table(found: Timeliness, lines: Sequence[BarLine], by: By, title: str, line: str) -> ChartTable:
    columns = ((BY_NAMES[by], 26), ("半年", 14), *((name, 10) for name in PARTS.values()))
    columns = (*columns, ("到期合计", 10), ("及时率（%）", 11), ("启用前补录", 11))
    every = (*((one.name, tuple(cell.counts for cell in one.cells)) for one in lines), ("合计", found.whole))
    rows = tuple(row for name, counts in every for row in _rows(found, name, counts))
    return ChartTable("按时情况", title, line, columns, rows)


def _rows(found: Timeliness, name: str, counts: Sequence[Punctuality]) -> Iterator[tuple[Cell, ...]]:
    for half, one in zip(found.halves, counts, strict=True):
        if one.total or one.before:
            parts = (getattr(one, part) for part in PARTS)
            yield (name, half.name, *parts, one.total, int(one.share * 100) if one.total else None, one.before)
