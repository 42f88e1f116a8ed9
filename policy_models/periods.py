"""期次 and sections in words: the one place where a code becomes what a person reads."""

from __future__ import annotations

import re

from policy_models.calendars import FESTIVAL_NAMES, Calendars, Festival
from policy_models.errors import NotFound

SEASONS = {"winter": "寒假", "summer": "暑假", "spring": "春季学期", "autumn": "秋季学期"}
NUMERALS = "零一二三四五六七八九十"
PATTERNS = (
    (r"(\d{4})", lambda year: f"{year}年度"),
    (r"(\d{4})-(\d{2})", lambda year, month: f"{year}年{int(month)}月"),
    (r"(\d{4})Q([1-4])", lambda year, quarter: f"{year}年第{NUMERALS[int(quarter)]}季度"),
    (r"(\d{4})-H([12])", lambda year, half: f"{year}年{'上' if half == '1' else '下'}半年"),
    (r"(\d{4})-(spring|autumn)-w(\d+)", lambda year, season, week: f"{year}年{SEASONS[season]}第{int(week)}周"),
    (r"event-(\d+)", lambda number: f"第{int(number)}起"),
)


def period_name(code: str, calendars: Calendars) -> str:
    """``2025Q1`` → ``2025年第一季度``; "" for what happens once; the code itself where nothing names it."""
    if code == "once":
        return ""
    for pattern, words in PATTERNS:
        if found := re.fullmatch(pattern, code):
            return words(*found.groups())
    found = re.fullmatch(r"(\d{4})-(before-)?(\w+)", code)
    if not found:
        return code
    year, before, id = found.groups()
    name = SEASONS.get(id) or occasion_name(id, int(year), calendars)
    return f"{year}年{name}{'前' if before else ''}" if name else code


def occasion_name(id: str, year: int, calendars: Calendars) -> str | None:
    """The Chinese name of a festival, observance or range; None where no calendar knows it."""
    if id in set(Festival):
        return FESTIVAL_NAMES[Festival(id)]
    try:
        return calendars.occasion(id, year).name
    except NotFound:
        return None


def section_name(section: str) -> str:
    """``task-5`` → ``任务5``, ``phase-2`` → ``第二阶段``, ``safeguard-3`` → ``保障措施三``."""
    kind, _, number = section.partition("-")
    if kind == "task":
        return f"任务{number}"
    numeral = NUMERALS[int(number)] if int(number) < len(NUMERALS) else number
    return f"第{numeral}阶段" if kind == "phase" else f"保障措施{numeral}"
