"""A notice becomes words: templates/<kind>/subject.txt and body.txt, filled from the notice's facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from policy_models.notices import (
    ActNotice,
    CircularNotice,
    ExtensionNotice,
    Notice,
    ReceiptNotice,
    ReminderLine,
    ReminderNotice,
    ReturnNotice,
    UnitNotice,
)
from policy_models.spans import weekday_name

TEMPLATES = Path(__file__).parent / "templates"
SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOWN = 20  # lines of one group in a message; the page has the rest
BELOW_SHOWN = 12  # lines of units below; more are told by unit, with counts
SUBJECT_LIMIT = 200  # the outbox's column
CUT = "…"


@dataclass(frozen=True, slots=True)
class Words:
    """``link``: the page a message leads to, "" where there is none."""

    subject: str
    body: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class UnitCount:
    """A unit below with how many of its items are overdue, and for how many work days the worst of them is."""

    name: str
    count: int
    workdays: int


def render(kind: str, notice: Notice, *, base_url: str) -> Words:
    """The words of a notice of a kind (a folder of templates). Equal facts, equal words.

    A value never breaks a line, hides one, or is read as part of a template, whatever a person typed into it.
    """
    page = "" if isinstance(notice, ReceiptNotice) else base_url.rstrip("/") + path_of(notice)
    facts: dict[str, Any] = {"notice": notice, "shown": SHOWN, "page": page}
    if isinstance(notice, ReminderNotice):
        facts |= _groups(notice)
    lines = environment().get_template(f"{kind}/subject.txt").render(facts).splitlines()
    subject = "".join(line.strip() for line in lines)
    body = environment().get_template(f"{kind}/body.txt").render(facts).strip() + "\n"
    return Words(subject if len(subject) <= SUBJECT_LIMIT else subject[: SUBJECT_LIMIT - 1] + CUT, body, page)


def path_of(notice: UnitNotice) -> str:
    """The path of the page that a notice leads to: what one item is about, its page; else the unit's, or the circular."""
    if isinstance(notice, CircularNotice):
        return f"/circulars/{notice.circular_id}"
    if isinstance(notice, ExtensionNotice):
        return _item_path(notice.line.key)
    if isinstance(notice, ReturnNotice) and len(notice.lines) == 1:
        return _item_path(notice.lines[0].key)
    if isinstance(notice, ActNotice) and notice.round_code:
        return f"/rounds/{quote(notice.round_code, safe='-')}?plan={quote(notice.plan_code, safe='')}"
    if isinstance(notice, ActNotice) and len(notice.lines) == 1:
        return _item_path(notice.lines[0].key)
    return f"/units/{quote(notice.to.unit_code, safe='-')}?plan={quote(notice.plan_code, safe='')}"


def _item_path(key: str) -> str:
    return f"/items/{quote(key, safe=':-._~')}"


def _groups(notice: ReminderNotice) -> dict[str, Any]:
    """The lines of a reminder: what the unit itself is late with, what comes, and what units below are late with."""
    own = [line for line in notice.lines if line.unit_code == notice.to.unit_code]
    below = [line for line in notice.lines if line.unit_code != notice.to.unit_code]
    return {
        "overdue": [line for line in own if line.deadline < notice.as_of],
        "coming": [line for line in own if line.deadline >= notice.as_of],
        "below": below,
        "below_units": _by_unit(below) if len(below) > BELOW_SHOWN else (),
    }


def _by_unit(lines: Sequence[ReminderLine]) -> list[UnitCount]:
    """The longest overdue first, then those with the most items."""
    grouped: dict[str, list[ReminderLine]] = {}
    for line in lines:
        grouped.setdefault(line.unit_code, []).append(line)
    units = [UnitCount(g[0].unit_name, len(g), -min(line.workdays for line in g)) for g in grouped.values()]
    return sorted(units, key=lambda one: (-one.workdays, -one.count))


@cache
def environment() -> Environment:
    """The templates, strict about what is missing; values stay in their line."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # plain text for people; nothing here reaches a browser as markup
        finalize=flat,
    )
    environment.filters.update(day=day, short_day=short_day, moment=moment, half_year=half_year)
    return environment


def flat(value: object) -> object:
    """A value as it may stand in a line of a message: line breaks, control and direction marks become one space."""
    if not isinstance(value, str):
        return value
    return " ".join("".join(one if one.isprintable() else " " for one in value).split())


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
