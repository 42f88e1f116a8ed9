"""The compiled report as .xlsx: the same facts as the .docx, in sheets to be sorted, counted and copied from."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter

from documents.cells import plain
from documents.deterministic import normalised
from policy_models.compilation import Amount, Compilation, Indicator, Progress, UnitText
from policy_models.compilation_words import overview, reconciliation
from policy_models.spans import full_day

AS_WORDS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
FONT = "仿宋_GB2312"
Value = str | int | Decimal | None
PROGRESS = (
    "任务",
    "应办（件）",
    "办结（件）",
    "办结率",
    "按期办结",
    "已到时限",
    "其中按期",
    "逾期",
    "待审核",
    "待补录",
)


def report_xlsx(facts: Compilation) -> bytes:
    """The workbook. Same facts, same bytes. What people wrote stands as text, never as formula or link."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, **AS_WORDS}) as book:
        created = facts.as_of.replace(tzinfo=None, microsecond=0)
        book.set_properties({"title": plain(facts.title), "author": plain(facts.bureau), "created": created})
        look = _formats(book)
        _table(book, look, facts, "总体情况", (("内容", 100),), [[line] for line in overview(facts)])
        _table(book, look, facts, "进展表", _columns(PROGRESS, 34), _progress(facts))
        _indicators(book, look, facts)
        _table(book, look, facts, "缺报迟报", (("单位", 30), ("时限", 16), ("情况", 70)), _absent(facts))
        _table(book, look, facts, "各单位报送", (("部分", 34), ("单位", 26), ("内容", 100)), _texts(facts))
        _table(book, look, facts, "优秀案例", (("题目", 34), ("单位", 26), ("部分", 14), ("内容", 100)), _cases(facts))
    return normalised(target.getvalue())


def _formats(book: Any) -> dict[str, Any]:
    base = {"font_name": FONT, "font_size": 11, "valign": "vcenter"}
    line = {**base, "border": 1, "text_wrap": True}
    return {
        "title": book.add_format({**base, "font_size": 14, "bold": True}),
        "note": book.add_format({**base, "font_color": "#59636E"}),
        "head": book.add_format({**line, "bold": True, "align": "center", "bg_color": "#E3E6EA"}),
        "text": book.add_format({**line, "num_format": "@"}),
        "number": book.add_format({**line, "num_format": "General", "align": "right"}),
    }


def _columns(titles: Sequence[str], first: int) -> tuple[tuple[str, int], ...]:
    return tuple((title, first if place == 0 else 11) for place, title in enumerate(titles))


def _table(
    book: Any,
    look: dict[str, Any],
    facts: Compilation,
    name: str,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[Sequence[Value]],
) -> Any:
    """A sheet with a title, the date, a frozen header and the rows; the sheet and the number of the next free row."""
    page = book.add_worksheet(name)
    page.write_string(0, 0, plain(f"{facts.title}：{name}"), look["title"])
    page.write_string(1, 0, f"截至{full_day(facts.day)}", look["note"])
    for place, (title, width) in enumerate(columns):
        page.set_column(place, place, width)
        page.write_string(2, place, plain(title), look["head"])
    number = 2
    for number, row in enumerate(rows, 3):
        for place, value in enumerate(row):
            _write(page, number, place, value, look)
    page.freeze_panes(3, 1 if len(columns) > 3 else 0)
    page.set_paper(9)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(2)
    page.set_footer("&C第 &P 页，共 &N 页")
    return page, number + 2


def _write(page: Any, row: int, column: int, value: Value, look: dict[str, Any]) -> None:
    if value is None:
        page.write_blank(row, column, None, look["number"])
    elif isinstance(value, str):
        page.write_string(row, column, plain(value), look["text"])
    else:
        page.write_number(row, column, int(value) if value == int(value) else float(value), look["number"])


def _progress(facts: Compilation) -> Iterable[Sequence[Value]]:
    for action in facts.actions:
        yield from (_counts(task.heading, task.progress) for task in action.tasks)
        yield _counts(f"{action.title}小计", action.progress)
    yield from (_counts(part.heading, part.progress) for part in facts.others)
    yield _counts("合计", facts.progress)


def _counts(name: str, one: Progress) -> Sequence[Value]:
    first = (name, one.expected, one.done, one.share, one.on_time, one.due, one.met)
    return (*first, one.overdue, one.under_review, one.backfill)


def _indicators(book: Any, look: dict[str, Any], facts: Compilation) -> None:
    """Value and denominator each in a column of its own, so that they can be counted with."""
    names = ["全市", "市级单位", *(name for _, name in facts.counties)]
    columns = [("事项", 8), ("指标", 34)]
    for name in names:
        columns += [(name, 12), (f"{name}（总数）", 12)]
    columns.append(("核对", 60))
    rows = [_indicator(one, facts) for one in facts.indicators]
    page, row = _table(book, look, facts, "指标表", columns, rows)
    for line in reconciliation(facts):
        page.write_string(row, 0, plain(line), look["note"])
        row += 1


def _indicator(one: Indicator, facts: Compilation) -> Sequence[Value]:
    amounts = [one.total, one.of_city, *(one.county(code) for code, _ in facts.counties)]
    found: list[Value] = [one.requirement, one.full_label]
    for amount in amounts:
        found += _pair(amount)
    return [*found, one.reconciled]


def _pair(amount: Amount | None) -> list[Value]:
    return [None, None] if amount is None or not amount.items else [amount.value, amount.of]


def _absent(facts: Compilation) -> Iterable[Sequence[Value]]:
    for one in facts.absent:
        yield one.name, full_day(one.report.deadline), one.remark(facts.day)


def _texts(facts: Compilation) -> Iterable[Sequence[Value]]:
    parts: list[tuple[str, tuple[UnitText, ...]]] = [("总体情况", facts.overviews)]
    parts += [(part.heading, part.texts) for part in facts.parts]
    parts += [("未按任务分写", facts.whole), ("特色亮点", facts.highlights)]
    parts += [("存在问题", facts.problems), ("下一步打算", facts.plans)]
    for name, texts in parts:
        for one in texts:
            yield name, one.name, "\n".join(one.paragraphs)


def _cases(facts: Compilation) -> Iterable[Sequence[Value]]:
    for one in facts.cases:
        for name, lines in one.parts:
            yield one.title, one.unit_name, name, "\n".join(lines)
