"""How a workbook looks: one place for widths, formats, validation and the words around the cells."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from documents.cells import plain
from policy_models.workbook import (
    NOTHING_NEW,
    PERIOD,
    UNIT,
    Column,
    Fill,
    Sheet,
    Value,
    Workbook,
    letters,
)

FONT = "微软雅黑"  # named, not shipped: every office has it or something that stands in
HEAD_ROWS = 3  # title, hint, header
LARGEST = 999_999_999_999
WIDTHS = {
    "unit": 20,
    "period": 16,
    "deadline": 12,
    "standing": 24,
    "nothing_new": 9,
    "reason": 28,
    "on": 13,
    "note": 28,
}
FILL_WIDTHS = {Fill.NUMBER: 16, Fill.TEXT: 40}
PROTECTION = {  # what stays possible in a protected sheet
    "format_cells": True,
    "format_columns": True,
    "format_rows": True,
    "sort": True,
    "autofilter": True,
}
Formats = dict[str, Any]


def formats(file: Any) -> Formats:
    """Every format of the workbook by name; ``text``, ``number``, ``date`` and ``choice`` are to be filled in."""
    base = {"font_name": FONT, "font_size": 10.5, "valign": "vcenter"}
    line = {"border": 1, "border_color": "#C9CED4"}
    given = {**base, **line, "bg_color": "#F3F4F5", "font_color": "#59636E", "text_wrap": True}
    filled = {**base, **line, "locked": False}
    wanted = {
        "base": base,
        "title": {**base, "font_size": 14, "bold": True},
        "hint": {**base, "font_color": "#59636E", "font_size": 9.5},
        "strong": {**base, "bold": True},
        "wrapped": {**base, "text_wrap": True, "valign": "top"},
        "head": {**base, **line, "bold": True, "text_wrap": True, "align": "center", "bg_color": "#E3E6EA"},
        "head_fill": {**base, **line, "bold": True, "text_wrap": True, "align": "center", "bg_color": "#CFE5E5"},
        "given": given,
        "given_date": {**given, "num_format": "yyyy-mm-dd", "align": "center"},
        "number": {**filled, "num_format": "General", "align": "right"},
        "date": {**filled, "num_format": "yyyy-mm-dd", "align": "center"},
        "text": {**filled, "num_format": "@", "text_wrap": True},  # as text: 3-5 is no date there, =1 no formula
        "choice": {**filled, "num_format": "@", "align": "center"},
        "too_much": {"bg_color": "#F9D5D1", "font_color": "#B42318"},
    }
    return {name: file.add_format(look) for name, look in wanted.items()}


def guide(page: Any, book: Workbook, look: Formats) -> None:
    """The first sheet: whose it is, how to fill it in, and what each of the others asks for."""
    page.set_column(0, 0, 46, look["base"])
    page.set_column(1, 3, 14, look["base"])
    page.set_column(4, 4, 46, look["base"])
    page.hide_gridlines(2)
    page.write_string(0, 0, f"{book.unit}待报送事项填写表", look["title"])
    page.write_string(1, 0, plain(f"{book.plan}　截至 {book.as_of:%Y-%m-%d}　共 {book.rows} 件"), look["hint"])
    row = 3
    for number, sentence in enumerate(_sentences(book), 1):
        page.merge_range(row, 0, row, 4, f"{number}. {sentence}", look["wrapped"])
        page.set_row(row, 18 if len(sentence) < 68 else 34)
        row += 1
    row += 1
    for column, title in enumerate(("工作表", "待报送（件）", "其中退回", "最近时限", "另需在页面上传")):
        page.write_string(row, column, title, look["head"])
    for sheet in book.sheets:
        row += 1
        page.write_url(row, 0, f"internal:'{sheet.name}'!C1", look["given"], sheet.name)
        page.write_number(row, 1, len(sheet.rows), look["given"])
        page.write_number(row, 2, sheet.returned, look["given"])
        _write(page, row, 3, sheet.nearest, look["given_date"])
        page.write_string(row, 4, plain("、".join(sheet.files) or "无"), look["given"])
    if book.elsewhere:
        row += 2
        page.write_string(row, 0, "以下事项不在本表填写，请在系统页面办理：", look["strong"])
        for title in book.elsewhere:
            row += 1
            page.write_string(row, 0, plain(title), look["base"])
    _printed(page, book.unit)


def _sentences(book: Workbook) -> list[str]:
    return [
        "每张工作表是一项工作，每一行是一个单位的一期；只填写表头为青色的各列，灰色各列由系统生成，不能改动。",
        "数字列只填数字，不写单位、不填百分比；已经预填的数字取自以前的报送，请核对，有变化的直接改。",
        f"本期没有新增情况的，在“{NOTHING_NEW}”列选“{NOTHING_NEW}”并写明理由（只有允许这样答复的事项有这一列）。",
        "暂时不报的行留空即可：空行和没有改动的行不会报送，也不会改变。",
        "只报数量。请勿填写儿童和监护人的姓名、证件号码、电话、住址等个人信息，否则整份退回。",
        "请勿增减列，请勿自行增加行或合计行，请勿合并单元格；可以排序和筛选。",
        f"填好后在系统“{book.unit}”的“表格填报”页上传本文件（.xlsx）。有一处错误则整份不报送，系统会退回标出错误的副本。",
        "照片、文件、签到表不放进表格。需要上传的，数字先存为草稿，再到办理件页面上传后报送。",
    ]


def sheet(page: Any, one: Sheet, look: Formats) -> None:
    """One requirement: title, hint and header frozen, our cells locked, the unit's cells validated."""
    last = HEAD_ROWS + len(one.rows) - 1
    page.set_default_row(20)
    page.protect("", PROTECTION)
    for place, column in enumerate(one.columns):
        width = WIDTHS.get(column.name) or FILL_WIDTHS.get(column.fill, 12)
        page.set_column(place, place, width, look["base"], {"hidden": column.fill is Fill.HIDDEN})
        page.write_string(HEAD_ROWS - 1, place, column.title, look["head_fill" if column.to_fill else "head"])
        if column.to_fill:
            _validate(page, place, last, column)
    first = _place(one, UNIT)
    page.write_string(0, first, plain(one.title), look["title"])
    extra = f"；另需在页面上传：{'、'.join(one.files)}" if one.files else ""
    page.write_string(
        1, first, plain(f"只填青色表头的各列，不报的行留空；只报数量，不写个人信息{extra}。"), look["hint"]
    )
    page.set_row(0, 26)
    page.set_row(HEAD_ROWS - 1, 46)
    for number, row in enumerate(one.rows, HEAD_ROWS):
        for place, column in enumerate(one.columns):
            _write(page, number, place, row.values.get(column.name), _format(column, row.values, look))
    _tell_too_much(page, one, last, look)
    page.autofilter(HEAD_ROWS - 1, 0, last, len(one.columns) - 1)
    page.freeze_panes(HEAD_ROWS, _place(one, PERIOD))
    page.repeat_rows(HEAD_ROWS - 1)
    page.set_selection(HEAD_ROWS, next((p for p, c in enumerate(one.columns) if c.to_fill), 0), HEAD_ROWS, first)
    _printed(page, one.title)


def _place(one: Sheet, column: Column) -> int:
    return [known.name for known in one.columns].index(column.name)


def _format(column: Column, values: Any, look: Formats) -> Any:
    if column.to_fill:
        return look[column.fill.value]
    return look["given_date" if isinstance(values.get(column.name), date) else "given"]


def _write(page: Any, row: int, column: int, value: Value, look: Any) -> None:
    if value is None:
        page.write_blank(row, column, None, look)
    elif isinstance(value, Decimal):
        page.write_number(row, column, int(value) if value == value.to_integral_value() else float(value), look)
    elif isinstance(value, date):
        page.write_datetime(row, column, value, look)
    else:
        page.write_string(row, column, plain(value), look)


def _validate(page: Any, place: int, last: int, column: Column) -> None:
    told = {"input_title": column.title[:32], "input_message": column.hint[:255]} if column.hint else {}
    rules: dict[Fill, dict[str, Any]] = {
        Fill.NUMBER: {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": LARGEST},
        Fill.DATE: {"validate": "date", "criteria": ">=", "value": date(2000, 1, 1)},
        Fill.CHOICE: {"validate": "list", "source": [NOTHING_NEW]},
        Fill.TEXT: {"validate": "length", "criteria": "<=", "value": column.longest},
    }
    messages = {
        Fill.NUMBER: "请只填数字，不写单位、不填百分比，不能是负数。",
        Fill.DATE: "请填写日期，如 2025-06-30。",
        Fill.CHOICE: f"只能选“{NOTHING_NEW}”或留空。",
        Fill.TEXT: f"不超过 {column.longest} 字。",
    }
    error = {"error_title": "请核对", "error_message": messages[column.fill]}
    page.data_validation(HEAD_ROWS, place, last, place, {**rules[column.fill], **told, **error})


def _tell_too_much(page: Any, one: Sheet, last: int, look: Formats) -> None:
    """A value above what it is counted of turns red as it is typed."""
    columns = list(enumerate(one.columns, 1))
    for place, column in columns:
        of = next((p for p, c in columns if column.of and c.name == column.of), None)
        if of is not None:
            value, whole = (f"${letters(p)}{HEAD_ROWS + 1}" for p in (place, of))
            rule = {"type": "formula", "criteria": f"=AND(ISNUMBER({value}),ISNUMBER({whole}),{value}>{whole})"}
            page.conditional_format(HEAD_ROWS, place - 1, last, place - 1, {**rule, "format": look["too_much"]})


def _printed(page: Any, title: str) -> None:
    page.set_paper(9)
    page.set_landscape()
    page.set_margins(0.5, 0.5, 0.7, 0.6)
    page.fit_to_pages(1, 0)
    page.set_footer("&C第 &P 页，共 &N 页")
    page.set_header("&L" + plain(title).replace("&", "&&")[:200])
