"""帮助: the chapters of the user guide, which is also the help in the app. The texts lie in ``help/*.md``; the guide
(docs/用户指南.md) is put together from them by ``bin/guide``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from policy_models.errors import NotFound

HERE = Path(__file__).parent / "help"
PICTURE = re.compile(r"^\{图 ([a-z0-9-]+\.png) ([^}]+)\}$", re.MULTILINE)
# In their order in the guide.
NAMES = (
    "sign-in",
    "overview",
    "desk",
    "sheets",
    "review",
    "register",
    "rounds",
    "exemplars",
    "calendar",
    "circulars",
    "people",
    "admin",
)
# Which chapter a page's ? leads to, by its template.
CHAPTERS: dict[str, str] = {
    "login": "sign-in",
    "account": "sign-in",
    "board": "overview",
    "tasks": "overview",
    "section": "overview",
    "timeline": "overview",
    "charts": "overview",
    "changes": "overview",
    "items": "overview",
    "item": "overview",
    "units": "overview",
    "unit": "overview",
    "my_desk": "desk",
    "submit": "desk",
    "uploaded": "desk",
    "mask": "desk",
    "extend": "desk",
    "sheet": "sheets",
    "sheets": "sheets",
    "workbook": "sheets",
    "review": "review",
    "review_one": "review",
    "review_gone": "review",
    "review_left": "review",
    "sample": "review",
    "extensions": "review",
    "register": "register",
    "chase": "register",
    "chased": "register",
    "chase_nothing": "register",
    "reminders": "register",
    "reminders_unit": "register",
    "messages": "register",
    "rounds": "rounds",
    "round": "rounds",
    "report_edit": "rounds",
    "report_review": "rounds",
    "compilations": "rounds",
    "exemplars": "exemplars",
    "exemplar": "exemplars",
    "exemplar_edit": "exemplars",
    "exemplar_uploaded": "exemplars",
    "unit_exemplars": "exemplars",
    "shortlist": "exemplars",
    "calendar": "calendar",
    "subscribe": "calendar",
    "subscribed": "calendar",
    "circulars": "circulars",
    "circular": "circulars",
    "bulletin": "circulars",
    "people": "people",
    "people_edit": "people",
    "people_import": "people",
    "people_unreachable": "people",
    "channels": "admin",
    "mail": "admin",
    "letter": "admin",
    "exceptions": "admin",
    "admin": "admin",
    "accounts": "admin",
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """``title``: the first heading; ``text``: Markdown below it. A line ``{图 desk.png 我的待办}`` is a picture of the
    guide."""

    name: str
    title: str
    text: str


@cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters in order."""
    return tuple(_read(name) for name in NAMES)


def chapter(name: str) -> Chapter:
    """Raises NotFound."""
    found = next((one for one in chapters() if one.name == name), None)
    if found is None:
        raise NotFound("帮助中没有这一章，请从目录重新进入")
    return found


def chapter_of(template: str) -> Chapter:
    """The chapter that a page's ? leads to: that of its template, else the first."""
    stem = template.removesuffix(".html")
    name = CHAPTERS.get(stem) or CHAPTERS.get(stem.partition("_")[0], "overview")
    return chapter(name)


@cache
def html_of(name: str) -> str:
    """A chapter as HTML, without its title and without pictures: whoever reads it here has the page itself."""
    text = PICTURE.sub("", chapter(name).text)
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def guide(pictures: str) -> str:
    """The whole guide as one document; ``pictures``: the folder that holds them, as seen from the document."""
    contents = [f"{place}. [{one.title}](#{one.name})" for place, one in enumerate(chapters(), 1)]
    parts = [GUIDE_HEAD, *contents, ""]
    for place, one in enumerate(chapters(), 1):
        parts += [f'<a id="{one.name}"></a>', "", f"## {place}. {one.title}", "", _for_guide(one.text, pictures), ""]
    return "\n".join(parts).rstrip() + "\n"


GUIDE_HEAD = """# 鹿程用户指南

本指南与系统中的“帮助”内容相同。每页右上角的“?”直接打开对应的一章。

| 角色 | 请看 |
|---|---|
| 联络员 | [登录和账号](#sign-in)、[我的待办与报送](#desk)、[汇总表与填报表](#sheets)、[半年报送](#rounds)、[日历订阅](#calendar) |
| 审核员 | [总览和任务](#overview)、[审核](#review)、[督办与催办](#register) |
| 统筹员 | 审核员各章，以及[半年报送](#rounds)、[优秀案例](#exemplars)、[通报和信息](#circulars)、[人员和联系方式](#people) |
| 管理员 | [登录和账号](#sign-in)、[人员和联系方式](#people)、[管理员](#admin) |
| 监督员 | [总览和任务](#overview)、[督办与催办](#register)，操作记录见[管理员](#admin) |
"""


def _for_guide(text: str, pictures: str) -> str:
    """Headings one level lower, links between chapters within the document, pictures from their folder."""
    lower = re.sub(r"^(?=##)", "#", text, flags=re.MULTILINE)
    return PICTURE.sub(rf"![\2]({pictures}/\1)", lower).replace("](/help/", "](#")


def _read(name: str) -> Chapter:
    head, _, text = (HERE / f"{name}.md").read_text("utf-8").partition("\n")
    return Chapter(name, head.removeprefix("# ").strip(), text.strip())
