"""The words of an .xlsx: each row a line of cells in their columns, hidden sheets too; then formulas, and texts that
no cell shows any more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from documents.packages import local
from documents.passages import CELL, TEXT, Passages

SHEET_ROOTS = frozenset({"worksheet", "chartsheet"})
MOST_PADDING = 120  # columns kept in their place; what lies further right follows without gaps
COLUMN = re.compile(r"([A-Za-z]{1,3})\d")
LONG = 15  # digits of a number that a spreadsheet still keeps
LONG_WHY = "单元格按数字存放了15位以上的长号码，末尾已失真，请核对是否为证件号码"


@dataclass(slots=True)
class Sheets:
    """``texts``: shared strings, each with the elements that hold it; ``long``: where numbers stand that are too long
    to be kept by a spreadsheet, as spans of the text."""

    texts: list[list[Any]] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    long: list[tuple[int, int]] = field(default_factory=list)


def read_shared(root: Any, sheets: Sheets) -> None:
    """Take in the shared strings."""
    sheets.texts += [[t for t in item.iter() if local(t) == "t" and local(t.getparent()) != "rPh"] for item in root]


def read_unused(sheets: Sheets, into: Passages) -> None:
    """Shared strings that no cell shows: deleted cells leave them behind."""
    for n, elements in enumerate(sheets.texts):
        if n not in sheets.used:
            for element in elements:
                into.add(element.text or "", element)
            into.end_line()


def read_sheet(root: Any, sheets: Sheets, into: Passages) -> None:
    """The rows of a sheet."""
    for data in root:
        if local(data) == "sheetData":
            for row in data:
                _row(row, sheets, into)


def _row(row: Any, sheets: Sheets, into: Passages) -> None:
    at, formulas = 0, []
    for n, (column, cell) in enumerate(_cells(row)):
        gap = column - at if column < MOST_PADDING else int(n > 0)
        into.add("\t" * max(gap, int(n > 0)))
        at = max(column, at)
        _cell(cell, sheets, into)
        formulas += [part for part in cell if local(part) == "f" and part.text]
    into.end_line()
    for formula in formulas:
        if any(char.isdigit() or char > "\u3000" for char in formula.text):
            into.line(formula.text, formula)


def _cells(row: Any) -> Iterator[tuple[int, Any]]:
    column = -1
    for cell in row:
        if local(cell) == "c":
            place = COLUMN.match(cell.get("r") or "")
            column = _number(place[1]) if place else column + 1
            yield column, cell


def _number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _cell(cell: Any, sheets: Sheets, into: Passages) -> None:
    kind = cell.get("t")
    if kind == "inlineStr":
        for element in cell.iter():
            if local(element) == "t":
                into.add(element.text or "", element, TEXT, flat=True)
        return
    value = next((part for part in cell if local(part) == "v"), None)
    raw = (value.text or "") if value is not None else ""
    if kind == "s":
        _shared(raw, sheets, into)
    elif kind == "str":
        into.add(raw, value, TEXT, flat=True)
    elif kind not in ("b", "e", "d"):
        written = shown(raw)
        if written.isdigit() and len(written) >= LONG:
            sheets.long.append((into.length, into.length + len(written)))
        into.add(written, cell, CELL, flat=True)


def _shared(raw: str, sheets: Sheets, into: Passages) -> None:
    """The text that a cell points at. An index that points nowhere is an empty cell, as spreadsheets show it."""
    if raw.strip().isdigit() and int(raw) < len(sheets.texts):
        sheets.used.add(int(raw))
        for element in sheets.texts[int(raw)]:
            into.add(element.text or "", element, TEXT, flat=True)


def shown(raw: str) -> str:
    """A stored number in digits: 1.50203201001011E+17 as a whole number, other numbers as they are stored."""
    if raw.isdigit() or not re.fullmatch(r"[+-]?[\d.]{1,24}(?:[eE][+-]?\d{1,3})?", raw):
        return raw
    try:
        number = float(raw)
    except ValueError:
        return raw
    return str(int(number)) if number.is_integer() and 1e9 <= abs(number) < 1e24 else raw
