"""The table behind a chart: one value, shown under the chart and sent as .csv and .xlsx."""

from __future__ import annotations

from dataclasses import dataclass

from documents.cells import Cell


@dataclass(frozen=True, slots=True)
class ChartTable:
    """``name``: of the sheet and the file; ``line``: as of when and what of; ``columns``: title and width in characters."""

    name: str
    title: str
    line: str
    columns: tuple[tuple[str, int], ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(title for title, _ in self.columns)
