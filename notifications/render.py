"""A notice becomes words: templates/<kind>/subject.txt and body.txt, filled from the notice's facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from policy_models.notices import Notice, ReminderLine, ReminderNotice
from policy_models.spans import weekday_name

TEMPLATES = Path(__file__).parent / "templates"
SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOWN = 40  # lines of one group in a message; the page has the rest
SUBJECT_LIMIT = 200  # the outbox's column


@dataclass(frozen=True, slots=True)
class Words:
    """``link``: the page a message leads to, "" where there is none."""

    subject: str
    body: str
    link: str = ""


def render(kind: str, notice: Notice, *, base_url: str) -> Words:
    """The words of a notice of a kind (a folder of templates). Equal facts, equal words."""
    facts: dict[str, Any] = {"notice": notice, "shown": SHOWN}
    if isinstance(notice, ReminderNotice):
        facts |= {
            "overdue": _own(notice, overdue=True),
            "coming": _own(notice, overdue=False),
            "below": [line for line in notice.lines if line.unit_code != notice.to.unit_code],
            "page": f"{base_url.rstrip('/')}/units/{notice.to.unit_code}",
        }
    lines = _environment().get_template(f"{kind}/subject.txt").render(facts).splitlines()
    body = _environment().get_template(f"{kind}/body.txt").render(facts).strip() + "\n"
    return Words("".join(line.strip() for line in lines)[:SUBJECT_LIMIT], body, facts.get("page", ""))


def _own(notice: ReminderNotice, *, overdue: bool) -> list[ReminderLine]:
    own = [line for line in notice.lines if line.unit_code == notice.to.unit_code]
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
    environment.filters.update(day=day, short_day=short_day, moment=moment, half_year=half_year)
    return environment


def day(value: date) -> str:
    """``2026-12-01`` → ``2026年12月1日（周二）``."""
    return f"{value.year}年{value.month}月{value.day}日（{weekday_name(value)}）"


def short_day(value: date) -> str:
    """``2026-12-01`` → ``12月1日``."""
    return f"{value.month}月{value.day}日"


def moment(value: datetime) -> str:
    """An instant as a Baotou clock shows it: ``2025年7月3日10:21``."""
    local = value.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"


def half_year(code: str) -> str:
    """``2025-H1`` → ``2025年上半年``."""
    return f"{code[:4]}年{'上' if code.endswith('1') else '下'}半年"
