"""A plan whose villages report by sheet, and what people do to a sheet in a spreadsheet program."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl

from tests.factories import Files, requirement_of

TOWNSHIP = "900101"
CONTACTS, VISITS = "1.2 每月联系", "2.2 假期走访"


def sheets_plan(files: Files) -> None:
    """1.2: two measures, a text, 无新增 allowed; 2.2: a measure and a photo."""
    monthly = requirement_of(files, "1.2")
    monthly["title"], monthly["nothing_new"] = "每月联系", True
    contacted = {"type": "measure", "name": "contacted", "label": "已联系数", "target": "100%"}
    monthly["evidence"] = [
        {**contacted, "of": "should", "of_label": "应联系数"},
        {"type": "measure", "name": "talks", "label": "谈心次数"},
        {"type": "text", "label": "主要做法"},
    ]
    visits = requirement_of(files, "2.2")
    visits["title"] = "假期走访"
    visits["evidence"] = [
        {"type": "measure", "name": "visited", "label": "已走访数", "of": "should_visit", "of_label": "应走访数"},
        {"type": "photo", "label": "走访照片"},
    ]


class Sheets:
    """A workbook as a person edits it: cells by sheet, row number among the items (from 0) and column title."""

    def __init__(self, data: bytes) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(data))

    def head(self, sheet: str) -> tuple[int, dict[str, int]]:
        for row in self.book[sheet].iter_rows(max_row=10):
            titles = {cell.value: cell.column for cell in row if cell.value}
            if "办理件编号" in titles:
                return row[0].row, titles
        raise AssertionError(f"no header in {sheet}")

    def cell(self, sheet: str, row: int, title: str) -> Any:
        first, titles = self.head(sheet)
        return self.book[sheet].cell(first + 1 + row, titles[title])

    def fill(self, sheet: str, row: int, **values: Any) -> Sheets:
        for title, value in values.items():
            self.cell(sheet, row, title).value = value
        return self

    def change(self, act: Callable[[Any], None]) -> Sheets:
        act(self.book)
        return self

    def saved(self) -> bytes:
        target = io.BytesIO()
        self.book.save(target)
        return target.getvalue()


FULL = {"已联系数": 28, "应联系数": 30, "谈心次数": 5, "主要做法": "逐户电话联系"}
