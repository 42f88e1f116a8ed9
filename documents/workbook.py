"""工作簿 as bytes: written for a unit to fill in, read back cell by cell, and given back with what is wrong marked."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import python_calamine
import xlsxwriter
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Alignment, Font, PatternFill

from documents import workbook_layout as layout
from documents.cells import plain
from documents.sheet_scan import BROKEN, Scanned, scan
from policy_models.errors import FileRefused
from policy_models.workbook import GUIDE, MARK, CellFault, Raw, ReadSheet, Workbook

WRONG = PatternFill("solid", fgColor="FFF9D5D1")
MARK_WIDTH, LINE_LETTERS, LINE_HEIGHT = 60, 28, 20  # of the added column: characters wide, 汉字 a line, points a line
AS_WORDS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def written(book: Workbook, *, now: datetime) -> bytes:
    """The workbook as .xlsx: a sheet of instructions, then one for each requirement. Same facts, same bytes.

    What is ours is locked, without a password; strings stay strings, never formulas or links.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, **AS_WORDS}) as file:
        created = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        file.set_properties({"title": plain(f"{book.unit}待报送事项"), "author": "鹿程", "created": created})
        look = layout.formats(file)
        layout.guide(file.add_worksheet(GUIDE), book, look)
        for sheet in book.sheets:
            layout.sheet(file.add_worksheet(sheet.name), sheet, look)
    return target.getvalue()


def read(data: bytes) -> tuple[ReadSheet, ...]:
    """Every sheet as it came, hidden ones too. The bytes have passed the gate for files already.

    Raises FileRefused for what cannot be read, or reaches further than anything we gave out.
    """
    scanned = scan(data)
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            return tuple(_sheet(book, name, scanned[name]) for name in book.sheet_names if name in scanned)
    except python_calamine.CalamineError as error:
        raise FileRefused(BROKEN) from error


def _sheet(book: Any, name: str, scanned: Scanned) -> ReadSheet:
    sheet = book.get_sheet_by_name(name)
    rows = tuple(tuple(map(_raw, row)) for row in sheet.to_python(skip_empty_area=False))
    wide = max(map(len, rows), default=0)
    merged = {
        (row + 1, column + 1)
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        for row in range(top, min(bottom + 1, len(rows)))
        for column in range(left, min(right + 1, wide))
        if (row, column) != (top, left)
    }
    return ReadSheet(name, rows, scanned.formulas, scanned.broken, frozenset(merged))


def _raw(value: Any) -> Raw:
    if value == "" or isinstance(value, timedelta):
        return None if value == "" else str(value)
    found: Raw = value
    return found


def marked(data: bytes, faults: Sequence[CellFault]) -> bytes:
    """A copy of what was uploaded: the bad cells filled red, the reasons beside them in an added column, and what must
    not be seen by anybody emptied. Raises FileRefused where no copy can be made."""
    try:
        book = openpyxl.load_workbook(io.BytesIO(data))
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise FileRefused(BROKEN) from error
    by_sheet: dict[str, list[CellFault]] = defaultdict(list)
    for fault in faults:
        by_sheet[fault.sheet].append(fault)
    for name, found in by_sheet.items():
        _mark(book[name], found)
    book.active = book.sheetnames.index(next(iter(by_sheet)))
    for sheet in book.worksheets:
        sheet.sheet_view.tabSelected = sheet.title in by_sheet and sheet.title == book.active.title
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _mark(sheet: Any, faults: Sequence[CellFault]) -> None:
    header, place = _mark_column(sheet)
    sheet.cell(header, place).value = MARK
    sheet.cell(header, place).font = Font(bold=True, color="FFB42318")
    sheet.cell(header, place).alignment = Alignment(vertical="center")
    sheet.column_dimensions[openpyxl.utils.get_column_letter(place)].width = MARK_WIDTH
    for row in range(header + 1, sheet.max_row + 1):  # the marks of an earlier copy
        sheet.cell(row, place).value = None
    told: Mapping[int, list[CellFault]] = defaultdict(list)
    for fault in faults:
        told[fault.row].append(fault)
    for row, found in told.items():
        for fault in found:
            _mark_cell(sheet.cell(fault.row, fault.column), fault)
        beside = sheet.cell(row, place if row != header else place + 1)
        beside.value = "；".join(f"{fault.cell}“{fault.title}”：{fault.reason}" for fault in found)
        beside.data_type = "s"
        beside.font, beside.alignment = Font(color="FFB42318"), Alignment(wrap_text=True, vertical="center")
        needed = LINE_HEIGHT * (1 + len(beside.value) // LINE_LETTERS)
        height = sheet.row_dimensions[row].height or 0
        sheet.row_dimensions[row].height = max(height, needed)


def _mark_cell(cell: Any, fault: CellFault) -> None:
    if isinstance(cell, MergedCell):
        return  # it has no face of its own; the reason beside it names it
    cell.fill = WRONG
    if fault.private:
        cell.value, cell.comment, cell.hyperlink = None, None, None


def _mark_column(sheet: Any) -> tuple[int, int]:
    """The row of the header and the column for the reasons: the one of an earlier copy, else the first free one."""
    for row in sheet.iter_rows(min_row=1, max_row=10):
        for cell in row:
            if cell.value == MARK:
                return cell.row, cell.column
    widest = sheet.max_column + 1
    for row in sheet.iter_rows(min_row=1, max_row=10):
        if any(cell.value == "办理件编号" for cell in row):
            return row[0].row, widest
    return 1, widest
