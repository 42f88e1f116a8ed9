"""The built-in template of the compiled report, and the check of one that the bureau edited in Word.

It is made by code, so that no binary is kept beside it; its tags are those of template_tags.py, to be seen and moved
about in Word.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from docx.enum.section import WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH

from documents import official
from documents.deterministic import normalised
from documents.paper import blank, fill, grid, write

MADE = datetime(2024, 5, 1, tzinfo=UTC)  # a template has no date of its own
ANNEXES = ("重点任务进展表", "指标完成情况表", "缺报、迟报和待审核单位", "优秀案例")
NOTHING = "（本期没有审核通过的内容）"


@cache
def built_in() -> bytes:
    """The template as .docx: the same bytes each time."""
    document = blank()
    _body(document)
    _annexes(document)
    core = document.core_properties
    core.author, core.title, core.comments, core.created, core.modified = "鹿程", "半年报告模板", "", MADE, MADE
    core.last_modified_by, core.revision, core.language = "鹿程", 1, "zh-CN"
    target = io.BytesIO()
    document.save(target)
    return normalised(target.getvalue())


def _each(document: Any, name: str, over: str, *lines: tuple[str, str]) -> None:
    """A loop over lines, each (text, style)."""
    write(document, f"{{%p for {name} in {over} %}}")
    for text, style in lines:
        write(document, text, style)
    write(document, "{%p endfor %}")


def _by_unit(document: Any, over: str) -> None:
    """What the units wrote, one after the other; a sentence where nobody did."""
    write(document, f"{{%p for 单位 in {over} %}}")
    write(document, "（{{ 单位.序号 }}）{{ 单位.单位 }}", "Heading 4")
    _each(document, "段落", "单位.段落", ("{{ 段落 }}", "Normal"))
    write(document, "{%p else %}")
    write(document, NOTHING)
    write(document, "{%p endfor %}")


def _body(document: Any) -> None:
    write(document, "{{ 标题 }}", "Title")
    write(document, "（截至{{ 截至 }}）", indent=0, align=WD_ALIGN_PARAGRAPH.CENTER)
    write(document, "", indent=0)
    write(document, "一、总体情况", "Heading 1")
    _each(document, "段落", "总体情况", ("{{ 段落 }}", "Normal"))
    write(document, "{%p if 各单位情况 %}")
    write(document, "各单位报送的总体情况如下：")
    _by_unit(document, "各单位情况")
    write(document, "{%p endif %}")
    write(document, "二、重点任务进展", "Heading 1")
    write(document, "{%p for 部分 in 行动 %}")
    write(document, "（{{ 部分.序号 }}）{{ 部分.名称 }}", "Heading 2")
    write(document, "{%p for 任务 in 部分.任务 %}")
    write(document, "{{ 任务.编号 }}. {{ 任务.名称 }}", "Heading 3")
    write(document, "{%p if 任务.责任单位 %}")
    write(document, "责任单位：{{ 任务.责任单位 }}。")
    write(document, "{%p endif %}")
    _each(document, "段落", "任务.进展", ("{{ 段落 }}", "Normal"))
    _by_unit(document, "任务.报告")
    write(document, "{%p endfor %}")
    write(document, "{%p endfor %}")
    for number, tag in (("三", "特色亮点"), ("四", "存在问题"), ("五", "下一步打算")):
        write(document, f"{number}、{tag}", "Heading 1")
        _by_unit(document, tag)
    _closing(document)


def _closing(document: Any) -> None:
    """附件 in the body's last lines, then who and when."""
    write(document, "", indent=0)
    for number, name in enumerate(ANNEXES, 1):
        line = write(document, f"{'附件：' if number == 1 else '　　　'}{number}. {name}")
        line.paragraph_format.keep_with_next = True  # whose report it is never stands on a page of its own
    write(document, "", indent=0).paragraph_format.keep_with_next = True
    for text in ("{{ 编制单位 }}　　", "{{ 截至 }}　　　　"):
        line = write(document, text, indent=0, align=WD_ALIGN_PARAGRAPH.RIGHT)
        line.paragraph_format.keep_with_next = text.startswith("{{ 编制单位")


def _annexes(document: Any) -> None:
    official.page(document.add_section(WD_SECTION.NEW_PAGE))
    _annex_head(document, 1, first=True)
    columns = (
        ("任务", 54),
        ("应办（件）", 17),
        ("办结（件）", 17),
        ("办结率", 17),
        ("按期办结", 17),
        ("逾期", 17),
        ("待审核", 17),
    )
    names = ("名称", "应办", "办结", "办结率", "按期办结", "逾期", "待审核")
    _table(document, columns, "行", "进展表", [f"{{{{ 行.{name} }}}}" for name in names])
    write(document, "注：办理件的时限在本期之内；豁免、取消和仅统计的不计入应办。", indent=0)

    official.page(document.add_section(WD_SECTION.NEW_PAGE), landscape=True)
    _annex_head(document, 2, first=True)
    _county_table(document)
    write(document, "注：数值为时限在本期、已审核通过的办理件填报数之和；“–”表示没有审核通过的填报数。", indent=0)
    _each(document, "段落", "指标核对", ("{{ 段落 }}", "Normal"))

    official.page(document.add_section(WD_SECTION.NEW_PAGE))
    _annex_head(document, 3, first=True)
    write(document, "{%p if 缺报迟报 %}")
    absent = (("序号", 14), ("单位", 50), ("时限", 32), ("情况", 60))
    _table(document, absent, "行", "缺报迟报", [f"{{{{ 行.{name} }}}}" for name in ("序号", "单位", "时限", "情况")])
    write(document, "{%p else %}")
    write(document, "各单位均已按时报送并审核通过。")
    write(document, "{%p endif %}")
    _annex_head(document, 4, first=False)
    write(document, "{%p for 篇 in 案例 %}")
    write(document, "{{ 篇.序号 }}. {{ 篇.题目 }}", "Heading 3")
    write(document, "（{{ 篇.单位 }}）")
    write(document, "{%p for 部分 in 篇.部分 %}")
    write(document, "（{{ loop.index }}）{{ 部分.名称 }}", "Heading 4")
    _each(document, "段落", "部分.段落", ("{{ 段落 }}", "Normal"))
    write(document, "{%p endfor %}")
    write(document, "{%p else %}")
    write(document, "本期尚无入选的优秀案例。")
    write(document, "{%p endfor %}")


def _annex_head(document: Any, number: int, *, first: bool) -> None:
    """附件1 in the corner, its name in the middle; on a page of its own."""
    corner = write(document, f"附件{number}", "附件")
    corner.paragraph_format.page_break_before = not first
    write(document, ANNEXES[number - 1], "Title")
    write(document, "", indent=0)


def _table(document: Any, columns: Sequence[tuple[str, int]], name: str, over: str, cells: Sequence[str]) -> None:
    """A table with a repeated head and a row for each of ``over``; widths in millimetres."""
    table = grid(document, [width for _, width in columns], 4)
    for place, (title, _) in enumerate(columns):
        fill(table.cell(0, place), title, head=True)
    fill(table.cell(1, 0), f"{{%tr for {name} in {over} %}}")
    for place, text in enumerate(cells):
        fill(table.cell(2, place), text, left=place == 0 or text.endswith("情况 }}") or text.endswith("单位 }}"))
    fill(table.cell(3, 0), "{%tr endfor %}")


def _county_table(document: Any) -> None:
    """Measures by county: as many columns as there are counties."""
    widths = [60, 22, 22, 51, 18, 52]  # the tags' own columns go: together as wide as the text
    table = grid(document, widths, 4)
    head = ("指标", "全市", "市级单位", "{%tc for 区 in 旗县区 %}", "{{ 区 }}", "{%tc endfor %}")
    row = (
        "{{ 行.名称 }}",
        "{{ 行.全市 }}",
        "{{ 行.市级单位 }}",
        "{%tc for 数 in 行.各旗县区 %}",
        "{{ 数 }}",
        "{%tc endfor %}",
    )
    for place, text in enumerate(head):
        fill(table.cell(0, place), text, head=True)
    fill(table.cell(1, 0), "{%tr for 行 in 指标表 %}")
    for place, text in enumerate(row):
        fill(table.cell(2, place), text, left=place == 0)
    fill(table.cell(3, 0), "{%tr endfor %}")
