"""A report that came by letter is cut at its own headings: 一、总体情况 二、重点任务进展 三、特色亮点 四、存在问题
五、下一步打算, however the writer put them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from policy_models.reports import HIGHLIGHTS, NEXT, OVERVIEW, PROBLEMS, PROGRESS

NUMBERED = re.compile(
    r"(?:第?(?P<han>[一二三四五六七八九十]{1,3})(?:部分|章)?\s*[、.,:\s]|\((?P<bracket>[一二三四五六七八九十])\)[、.]?"
    r"|(?P<figure>[1-9])\s*[、.](?!\d))\s*(?P<rest>\S.*)"
)
WORDS = {
    NEXT: r"下一?步|下一阶段|下半年(?:工作)?(?:打算|计划|安排)|打算|工作计划|工作安排|今后",
    PROBLEMS: r"问题|困难|不足|短板",
    HIGHLIGHTS: r"亮点|特色|案例|经验|创新",
    OVERVIEW: r"总体|基本情况|概况|概述",
    PROGRESS: r"进展|重点任务|任务(?:落实|完成)|工作开展|开展情况|主要工作|完成情况|落实情况|主要做法|推进情况",
}
MARKS = re.compile(r"[。：:；;]\s*")  # after a heading, where the text follows on the same line
TITLE_LIMIT, BARE_LIMIT = 30, 14  # characters of a heading with a number, and of one without
SENTENCE = 60  # characters: a longer line before the first heading is text, a shorter one a title or whom it is to
LEVELS = ("han", "bracket", "figure", "bare")


@dataclass(frozen=True, slots=True)
class Cut:
    """The text by section of a report. ``headings``: how many of its headings were found; 0: all of it stands in the
    overview, for a person to divide."""

    sections: dict[str, str]
    headings: int


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, and what it would be as a heading: its level, the section, and text that follows on the same line."""

    text: str
    level: str | None
    section: str | None
    rest: str


def cut(text: str) -> Cut:
    """Cut at the headings of the outermost level that names at least two sections. Nothing is left out but titles and
    forms of address before the first heading; a section named twice is joined."""
    lines = [_looked_at(line) for line in text.splitlines() if line.strip()]
    level = next((one for one in LEVELS if len({x.section for x in lines if x.level == one}) > 1), None)
    if level is None:
        whole = "\n".join(line.text for line in lines)
        return Cut({OVERVIEW: whole} if whole else {}, 0)
    found: dict[str, list[str]] = {}
    before: list[str] = []
    section: str | None = None
    for line in lines:
        if line.level == level and line.section is not None:
            section = line.section
            found.setdefault(section, []).extend([line.rest] if line.rest else [])
        else:
            (found[section] if section else before).append(line.text)
    opening = _sentences(before)
    if opening:
        found[OVERVIEW] = [*opening, *found.get(OVERVIEW, [])]
    ordered = [name for name in (OVERVIEW, PROGRESS, HIGHLIGHTS, PROBLEMS, NEXT) if name in found]
    headings = len({line.section for line in lines if line.level == level} - {None})
    return Cut({name: "\n".join(found[name]) for name in ordered}, headings)


def _sentences(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.endswith(("。", "；", ";")) or len(line) > SENTENCE]


def _looked_at(raw: str) -> _Line:
    text = raw.strip()
    plain = unicodedata.normalize("NFKC", text)
    numbered = NUMBERED.fullmatch(plain)
    if numbered is None:
        bare = plain.rstrip(":")
        section = _section(bare) if len(bare) <= BARE_LIMIT and not re.search(r"[。;,、!?]", bare) else None
        return _Line(text, "bare" if section else None, section, "")
    level = next(one for one in LEVELS if numbered[one])
    title = MARKS.split(numbered["rest"])[0].strip()
    section = _section(title) if len(title) <= TITLE_LIMIT else None
    if section is None:
        return _Line(text, None, None, "")
    return _Line(text, level, section, "".join(MARKS.split(text, maxsplit=1)[1:]))  # the text as it was written


def _section(title: str) -> str | None:
    """The section whose words come first in a title."""
    places = {name: found.start() for name, words in WORDS.items() if (found := re.search(words, title))}
    return min(places, key=lambda name: places[name]) if places else None
