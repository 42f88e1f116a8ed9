"""A notice becomes words: templates/<kind>/subject.txt and body.txt, filled from the notice's facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from policy_models.notices import ReminderLine, ReminderNotice
from policy_models.spans import weekday_name

TEMPLATES = Path(__file__).parent / "templates"
SHOWN = 40  # lines of one group in a message; the page has the rest
SUBJECT_LIMIT = 200  # the outbox's column


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str


def render(kind: str, notice: ReminderNotice, *, base_url: str) -> Words:
    """The words of a notice of a kind (a folder of templates). Equal facts, equal words."""
    facts = {
        "notice": notice,
        "overdue": _own(notice, overdue=True),
        "coming": _own(notice, overdue=False),
        "below": [line for line in notice.lines if line.unit_code != notice.unit_code],
        "page": f"{base_url.rstrip('/')}/units/{notice.unit_code}",
        "shown": SHOWN,
    }
    lines = _environment().get_template(f"{kind}/subject.txt").render(facts).splitlines()
    body = _environment().get_template(f"{kind}/body.txt").render(facts).strip() + "\n"
    return Words("".join(line.strip() for line in lines)[:SUBJECT_LIMIT], body)


def _own(notice: ReminderNotice, *, overdue: bool) -> list[ReminderLine]:
    own = [line for line in notice.lines if line.unit_code == notice.unit_code]
    return [line for line in own if (line.deadline < notice.as_of) == overdue]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # plain text for people; nothing here reaches a browser as markup
    )
    environment.filters.update(day=day, period=period)
    return environment


def day(value: date) -> str:
    """``2026-12-01`` → ``2026年12月1日（周二）``."""
    return f"{value.year}年{value.month}月{value.day}日（{weekday_name(value)}）"


PERIODS = (
    (re.compile(r"(\d{4})Q(\d)"), "{0}年第{1}季度"),
    (re.compile(r"(\d{4})-0?(\d{1,2})"), "{0}年{1}月"),
    (re.compile(r"(\d{4})-H1"), "{0}年上半年"),
    (re.compile(r"(\d{4})-H2"), "{0}年下半年"),
    (re.compile(r"(\d{4})"), "{0}年度"),
    (re.compile(r"(\d{4})-winter"), "{0}年寒假"),
    (re.compile(r"(\d{4})-summer"), "{0}年暑假"),
    (re.compile(r"(\d{4})-before-winter"), "{0}年寒假前"),
    (re.compile(r"(\d{4})-before-summer"), "{0}年暑假前"),
)


def period(code: str) -> str:
    """The words of a period's code, in brackets; nothing for what comes once; the code itself where it has no words."""
    if code == "once":
        return ""
    for pattern, words in PERIODS:
        if found := pattern.fullmatch(code):
            return f"（{words.format(*found.groups())}）"
    return f"（{code}）"
