"""通报 as .docx in the format of an official paper: what is said, then the tables. The same facts give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from docx.enum.section import WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm

from documents import official
from documents.cells import UNWRITABLE
from documents.deterministic import normalised
from documents.official import XIAOWU
from documents.paper import blank, fill, grid, stamp, write
from policy_models.circular_periods import UNIT_OF
from policy_models.circular_tables import (
    AREA_HEAD,
    COMING_HEAD,
    annex_names,
    area_cells,
    area_note,
    coming_cells,
    heading,
    with_total,
)
from policy_models.circulars import AreaLine, Circular, TaskLight
from policy_models.spans import full_day
from policy_models.timing import LIGHT_NAMES

AREA_WIDTHS = (38, 17, 16, 17, 13, 14, 14, 13, 14)  # millimetres: together as wide as the text
COMING_WIDTHS = (22, 26, 58, 24, 13, 13)
LIGHTS_IN_A_ROW = 18
CENTRE, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT
WITH_LIGHTS = "重点任务"
CARRIED = "持续"  # a task of which nothing is ever due has no light


def circular_docx(circular: Circular) -> bytes:
    """The paper. Same circular, same bytes."""
    document = blank()
    _head(document, circular)
    for number, one in enumerate(circular.sections):
        head = _write(document, heading(number, one.heading), "Heading 1")
        if number and circular.sections[number - 1].heading == WITH_LIGHTS:
            head.paragraph_format.space_before = Mm(2)  # off the table above it
        _write(document, one.text)
        if one.heading == WITH_LIGHTS:
            _lights(document, circular.tasks)
    _closing(document, circular)
    _annexes(document, circular)
    moment = datetime.combine(circular.issued_on or circular.day, time())
    properties = document.core_properties
    stamp(properties, author=circular.bureau, title=circular.title, subject=circular.period, moment=moment)
    target = io.BytesIO()
    document.save(target)
    return normalised(target.getvalue())


def _write(document: Any, text: str, style: str = "Normal", **more: Any) -> Any:
    return write(document, UNWRITABLE.sub("", text), style, **more)


def _head(document: Any, circular: Circular) -> None:
    span = circular.span
    _write(document, circular.title, "Title")
    _write(document, f"（截至{full_day(circular.day)}）", indent=0, align=CENTRE)
    if circular.issued_on is None:
        _write(document, "预览稿：未发布，数据以发布时为准", indent=0, align=CENTRE)
    if circular.demonstration:
        _write(document, "演示：办理情况均为虚构", indent=0, align=CENTRE)
    _write(document, "", indent=0)
    days = f"（{span.days}）" if UNIT_OF[circular.kind] == "周" else ""
    _write(document, f"现将《{circular.plan_title}》{span.name}{days}落实情况通报如下：")


def _lights(document: Any, tasks: Sequence[TaskLight]) -> None:
    """The tasks by number, each with its light in words: it is read in black and white."""
    for start in range(0, len(tasks), LIGHTS_IN_A_ROW):
        row = tasks[start : start + LIGHTS_IN_A_ROW]
        table = grid(document, [156 // max(len(row), 9)] * len(row), 2)
        table.alignment = 1
        for place, one in enumerate(row):
            fill(table.cell(0, place), str(one.number), head=True, points=XIAOWU)
            words = CARRIED if one.continuous else LIGHT_NAMES[one.light]
            fill(table.cell(1, place), words, points=XIAOWU)
        for cell in (cell for line in table.rows for cell in line.cells):
            _narrow(cell)


def _narrow(cell: Any) -> None:
    """No room at the sides: two characters to a line in a column of 8 mm."""
    cell.paragraphs[0].paragraph_format.left_indent = Mm(-0.6)
    cell.paragraphs[0].paragraph_format.right_indent = Mm(-0.6)


def _closing(document: Any, circular: Circular) -> None:
    """附件 in the body's last lines, then who and when."""
    _write(document, "", indent=0)
    for number, name in enumerate(annex_names(circular), 1):
        line = _write(document, f"{'附件：' if number == 1 else '　　　'}{number}. {name}")
    line.paragraph_format.keep_with_next = True  # who issued it never stands on a page of its own
    _write(document, "", indent=0).paragraph_format.keep_with_next = True
    _write(document, f"{circular.bureau}　　", indent=0, align=RIGHT).paragraph_format.keep_with_next = True
    _write(document, f"{full_day(circular.issued_on or circular.day)}　　", indent=0, align=RIGHT)


def _annexes(document: Any, circular: Circular) -> None:
    official.page(document.add_section(WD_SECTION.NEW_PAGE))
    names = annex_names(circular)
    for place, lines in enumerate((circular.counties, circular.departments)):
        _annex_head(document, place + 1, names[place])
        _areas(document, circular, lines)
    if circular.coming:
        _annex_head(document, 3, names[2])
        table = grid(document, COMING_WIDTHS, 1 + len(circular.coming))
        rows = [COMING_HEAD, *(coming_cells(one, circular.day) for one in circular.coming)]
        _fill(table, rows, left=(2, 3))


def _annex_head(document: Any, number: int, name: str) -> None:
    corner = _write(document, f"附件{number}", "附件")
    corner.paragraph_format.page_break_before = number > 1
    _write(document, name, "Title")
    _write(document, "", indent=0)


def _areas(document: Any, circular: Circular, lines: Sequence[AreaLine]) -> None:
    if not lines:
        _write(document, "没有承担任务的单位。")
        return
    unit = UNIT_OF[circular.kind]
    table = grid(document, AREA_WIDTHS, 2 + len(lines))
    _fill(table, [[one.format(unit) for one in AREA_HEAD], *map(area_cells, with_total(lines))], left=(0,))
    note = _write(document, area_note(circular.day), "表格文字", align=WD_ALIGN_PARAGRAPH.LEFT)
    note.paragraph_format.space_before = Mm(1.5)


def _fill(table: Any, rows: Sequence[Sequence[str]], left: Sequence[int]) -> None:
    for number, (cells, texts) in enumerate(zip((row.cells for row in table.rows), rows, strict=True)):
        for place, text in enumerate(texts):
            fill(cells[place], UNWRITABLE.sub("", text), head=number == 0, left=place in left)
