"""A long table as .xlsx: written row by row to disk, so that memory does not grow with it, and ready to be printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

from documents.cells import Cell, is_risky, plain

FONT = "微软雅黑"
BASE = {"font_name": FONT, "font_size": 9, "valign": "top", "text_wrap": True, "border": 1, "border_color": "#C9CED4"}
LOOKS: dict[str, dict[str, Any]] = {
    "title": {"font_name": FONT, "font_size": 16, "bold": True},
    "line": {"font_name": FONT, "font_size": 9.5, "font_color": "#59636E"},
    "head": {**BASE, "bold": True, "align": "center", "valign": "vcenter", "bg_color": "#E3E6EA"},
    "words": BASE,
    "risky": {**BASE, "quote_prefix": True},  # what begins like a formula stays words, even when the cell is edited
    "number": {**BASE, "align": "right"},
    "day": {**BASE, "num_format": "yyyy-mm-dd", "align": "left"},
    "moment": {**BASE, "num_format": "yyyy-mm-dd hh:mm", "align": "left"},
}
LINE, MOST_LINES = 12.5, 30  # points a line; a row can be 409 points high
HEAD = 2  # rows above the header: title, and the line that says as of when and what of


@dataclass(frozen=True, slots=True)
class Heading:
    """``line``: as of when and what of; ``columns``: title and width in characters; ``kept``: how many columns stay
    in sight when one scrolls."""

    name: str
    title: str
    line: str
    columns: Sequence[tuple[str, int]]
    kept: int = 1


def write_table(target: IO[bytes], heading: Heading, rows: Iterable[Sequence[Cell]], *, now: datetime) -> int:
    """Write the table into ``target``; how many rows there were. Strings stay strings, dates are dates."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as file:
        created = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        file.set_properties({"title": plain(heading.title), "author": "鹿程", "created": created})
        look = {name: file.add_format(one) for name, one in LOOKS.items()}
        page = file.add_worksheet(heading.name)
        _lay_out(page, heading)
        page.write_string(0, 0, plain(heading.title), look["title"])
        page.write_string(1, 0, plain(heading.line), look["line"])
        for place, (title, _) in enumerate(heading.columns):
            page.write_string(HEAD, place, title, look["head"])
        last = HEAD
        widths = [width for _, width in heading.columns]
        for last, row in enumerate(rows, HEAD + 1):
            page.set_row(last, LINE * _lines(row, widths))
            for place, cell in enumerate(row):
                _write(page, last, place, cell, look)
        page.autofilter(HEAD, 0, max(last, HEAD), len(heading.columns) - 1)
    return last - HEAD


def _lines(row: Sequence[Cell], widths: Sequence[int]) -> int:
    """Lines that the row needs: a 汉字 is as wide as two figures. Not every program works it out by itself."""
    needed = [1 + 2 * len(cell) // width for cell, width in zip(row, widths, strict=True) if isinstance(cell, str)]
    return min(max(needed, default=1), MOST_LINES)


def _write(page: Any, row: int, column: int, cell: Cell, look: dict[str, Any]) -> None:
    if isinstance(cell, str):
        page.write_string(row, column, plain(cell), look["risky" if is_risky(cell) else "words"])
    elif isinstance(cell, datetime):
        page.write_datetime(row, column, cell, look["moment"])
    elif isinstance(cell, date):
        page.write_datetime(row, column, cell, look["day"])
    elif isinstance(cell, (int, Decimal)):
        page.write_number(row, column, cell, look["number"])
    else:
        page.write_blank(row, column, None, look["words"])


def _lay_out(page: Any, heading: Heading) -> None:
    for place, (_, width) in enumerate(heading.columns):
        page.set_column(place, place, width)
    page.freeze_panes(HEAD + 1, heading.kept)
    page.set_paper(9)
    page.set_landscape()
    page.set_margins(0.4, 0.4, 0.6, 0.6)
    page.fit_to_pages(1, 0)
    page.repeat_rows(HEAD)
    page.set_footer("&C第 &P 页，共 &N 页")
    page.set_header(
        "&L" + plain(heading.title).replace("&", "&&")[:80] + "&R" + plain(heading.line).replace("&", "&&")[:120]
    )
