"""通报's tables in words: the same cells on the page and in the paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from policy_models.circular_periods import UNIT_OF
from policy_models.circular_words import percent
from policy_models.circulars import AreaLine, Circular, ComingLine, sum_of
from policy_models.spans import full_day, month_day, weekday_name

NUMERALS = "一二三四五六七八九"
# {}: 周 or 月
AREA_HEAD = ("单位", "应办", "已办", "按期率", "逾期", "其中严重逾期", "逾期比上{}末", "未审核", "本{}办结")
COMING_HEAD = ("时限", "请于此日前报送", "事项", "期次", "单位数", "待报送")


def heading(number: int, name: str) -> str:
    """``一、总体进展``; ``number`` from 0."""
    return f"{NUMERALS[number]}、{name}"


def annex_names(circular: Circular) -> tuple[str, ...]:
    """The tables' names, in order; the last only where something is due."""
    names = ("各旗县区办理情况", "市直部门办理情况")
    return (*names, f"下{UNIT_OF[circular.kind]}到期事项") if circular.coming else names


def with_total(lines: Sequence[AreaLine]) -> tuple[AreaLine, ...]:
    """The lines and their sum."""
    return (*lines, sum_of(lines, "合计"))


def area_cells(line: AreaLine) -> tuple[str, ...]:
    """A row under AREA_HEAD."""
    figures = (line.overdue, line.long_overdue)
    return (
        line.name,
        str(line.due),
        str(line.due_done),
        percent(line.prompt, line.dated),
        *map(str, figures),
        difference(line.overdue - line.overdue_before),
        str(line.waiting),
        str(line.closed),
    )


def difference(more: int) -> str:
    """``+3``, ``−2``, ``0``."""
    return f"+{more}" if more > 0 else f"−{-more}" if more else "0"


def area_note(day: date) -> str:
    return (
        f"注：应办为截至{full_day(day)}时限已到的办理件，豁免、取消和仅统计的不计入；已办为其中已办结的；按期率为其中按期"
        "首次报送的占比，启用前的事项不计入；未审核为已报送、等待审核的全部办理件。按逾期件数从多到少排列。"
    )


def coming_cells(line: ComingLine, day: date) -> tuple[str, ...]:
    """A row under COMING_HEAD."""
    when = f"{month_day(line.deadline)}{'（推定）' if line.inferred else ''}"
    aim = f"{month_day(line.remind_by)}（{weekday_name(line.remind_by)}）"
    return when, aim, line.title, line.period or "一次", str(line.units), str(line.waiting)
