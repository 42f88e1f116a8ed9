"""The table behind a chart as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO

from fastapi import Response

from api.chart_table import ChartTable
from api.sent_files import IN_MEMORY, sent_file
from documents.cells import Cell, csv_lines
from documents.tables import Heading, write_table
from policy_models.files import MEDIA_TYPES, FileKind


def as_csv(table: ChartTable, file_name: str) -> Response:
    """UTF-8 with BOM; the titles, then the rows."""
    target: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    for lines in csv_lines(_with_titles(table)):
        target.write(lines.encode())
    return sent_file(target, "text/csv; charset=utf-8", f"{file_name}.csv", "chart.csv")


def as_xlsx(table: ChartTable, file_name: str, now: datetime) -> Response:
    target: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    write_table(target, Heading(table.name, table.title, table.line, table.columns), table.rows, now=now)
    return sent_file(target, MEDIA_TYPES[FileKind.XLSX], f"{file_name}.xlsx", "chart.xlsx")


def _with_titles(table: ChartTable) -> Iterator[Sequence[Cell]]:
    yield table.titles
    yield from table.rows
