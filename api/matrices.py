"""A section's requirements with their periods × areas, ready for the page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.queries.matrix import MatrixCount
from ledger.queries.reading import Reading
from policy_models.plan import Kind, Requirement, Section
from policy_models.rollup import Cell, Count, roll_up

NEAR_BACK, NEAR_AHEAD = timedelta(days=200), timedelta(days=100)  # the periods shown before a person asks for more
FEW_PERIODS = 8  # so few are always shown all


@dataclass(frozen=True)
class PeriodLine:
    period: str
    deadline: date
    cell: Cell
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Area:
    """A column; ``narrows``: the field of the item list that narrows it to this column."""

    code: str
    name: str
    narrows: str


@dataclass(frozen=True)
class Matrix:
    """Areas as columns, periods as rows: those near the day, and the earlier and later ones."""

    areas: tuple[Area, ...]
    near: tuple[PeriodLine, ...]
    earlier: tuple[PeriodLine, ...]
    later: tuple[PeriodLine, ...]


@dataclass(frozen=True)
class RequirementView:
    requirement: Requirement
    cell: Cell
    matrix: Matrix | None


def requirement_views(
    reading: Reading, section: Section, found: Iterable[MatrixCount], names: Mapping[str, str]
) -> tuple[tuple[RequirementView, ...], tuple[Requirement, ...]]:
    """The requirements that make items, each with its matrix; and the continuous ones, which are a check-list."""
    counts = [(row, _count(row)) for row in found]
    by_code: dict[str, list[tuple[MatrixCount, Count]]] = {}
    for row, count in counts:
        by_code.setdefault(row.requirement, []).append((row, count))
    views = tuple(
        RequirementView(one, _whole(by_code.get(one.code, [])), _matrix(by_code[one.code], names, reading.as_of))
        if one.code in by_code
        else RequirementView(one, Cell(), None)
        for one in section.requirements
        if one.kind is not Kind.CONTINUOUS
    )
    return views, tuple(one for one in section.requirements if one.kind is Kind.CONTINUOUS)


def _count(row: MatrixCount) -> Count:
    return Count(row.requirement, None, 0, row.area, row.timing, row.n, row.due)


def _whole(rows: list[tuple[MatrixCount, Count]]) -> Cell:
    return roll_up((count for _, count in rows), lambda c: 0).get(0, Cell())


def _matrix(rows: list[tuple[MatrixCount, Count]], names: Mapping[str, str], as_of: date) -> Matrix:
    narrows = {row.area: "unit" if row.of_city else "under" for row, _ in rows}
    codes = sorted(narrows)
    periods: dict[str, list[tuple[MatrixCount, Count]]] = {}
    for row, count in rows:
        periods.setdefault(row.period, []).append((row, count))
    lines = sorted((_line(period, found, codes) for period, found in periods.items()), key=lambda one: one.deadline)
    first, last = as_of - NEAR_BACK, as_of + NEAR_AHEAD
    if len(lines) <= FEW_PERIODS:
        first, last = date.min, date.max
    near = tuple(one for one in lines if first <= one.deadline <= last)
    earlier = tuple(one for one in lines if one.deadline < first)
    later = tuple(one for one in lines if one.deadline > last)
    if not near:  # the plan has ended, or not begun
        near, earlier, later = (earlier[-4:], earlier[:-4], later) if earlier else (later[:4], earlier, later[4:])
    return Matrix(tuple(Area(code, names.get(code, code), narrows[code]) for code in codes), near, earlier, later)


def _line(period: str, rows: list[tuple[MatrixCount, Count]], codes: list[str]) -> PeriodLine:
    cells = roll_up((count for _, count in rows), lambda c: c.county)
    deadline = min(row.first_deadline for row, _ in rows)
    return PeriodLine(period, deadline, _whole(rows), tuple(cells.get(code) for code in codes))
