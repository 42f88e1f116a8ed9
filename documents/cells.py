"""格: a cell that leaves the house is words, never a formula. Shared by every export.

Spreadsheets run what begins like a formula; an export repeats what other people wrote (CSV injection, CWE-1236).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

RISKY = frozenset("=+-@\t\r\n＝＋－＠")  # full-width ones too: some programs fold them before they look
LONGEST = 32_767  # characters that one cell can hold
CUT = "……（内容过长，此处略）"
BOM = "\ufeff"  # without it, spreadsheet programs read a CSV as GB18030 and 圐圙 is lost
# what XML cannot hold, and what no cell should
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
Cell = str | int | Decimal | date | datetime | None


def is_risky(text: str) -> bool:
    """Whether a spreadsheet might take the text for a formula: by its first character, spaces before it left out."""
    return text[:1] in RISKY or text.lstrip(" \u3000\u00a0\u200b\ufeff")[:1] in RISKY


def safe(text: str) -> str:
    """The text as it may stand in a CSV or any cell that is typed by its content: a risky one behind an apostrophe."""
    return f"'{text}" if text and is_risky(text) else text


def plain(text: str) -> str:
    """The text as a typed cell of a workbook can hold it: without control characters, cut where a cell ends."""
    clean = UNWRITABLE.sub("", text)
    return clean if len(clean) <= LONGEST else clean[: LONGEST - len(CUT)] + CUT


def words(cell: Cell) -> str:
    """A cell as it is read on a page, in a CSV and in a workbook alike: dates as 2025-06-30, instants to the minute."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The rows as CSV text, piece by piece: UTF-8 with BOM when encoded, CRLF, every risky cell neutralised."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    for number, row in enumerate(rows, 1):
        writer.writerow([words(cell) if not isinstance(cell, str) else safe(plain(cell)) for cell in row])
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
