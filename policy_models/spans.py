"""What every calendar answers with: a day, a span of days, and how far each may be relied on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


class Confidence(StrEnum):
    """``announced``: published or fixed by law. ``forecast``: 推定, computed. ``placeholder``: a customary pattern."""

    ANNOUNCED = "announced"
    FORECAST = "forecast"
    PLACEHOLDER = "placeholder"


_RANK = {Confidence.ANNOUNCED: 0, Confidence.FORECAST: 1, Confidence.PLACEHOLDER: 2}


def worst(a: Confidence, b: Confidence) -> Confidence:
    """The less reliable of two: placeholder before forecast before announced."""
    return max(a, b, key=_RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class Day:
    """One civil date (Asia/Shanghai). ``make_up``: 调休上班. ``holiday``: Chinese name of the block it lies in.

    ``why``: one Chinese sentence without its full stop, so that it can be joined to others.
    """

    date: date
    is_workday: bool
    make_up: bool
    holiday: str | None
    confidence: Confidence
    why: str


@dataclass(frozen=True, slots=True)
class Span:
    """Civil dates ``first`` to ``last``, both included, and one Chinese sentence (no full stop) that says why these."""

    id: str
    name: str
    first: date
    last: date
    confidence: Confidence
    why: str


class Written(BaseModel):
    """Something that a person writes in a calendar file: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def civil_date(value: object) -> date:
    """A date, or text like ``2025-05-01``; anything else, and days that do not exist, raise ValueError in Chinese.

    (pydantic alone would take ``20250230`` for a number of seconds.)
    """
    if isinstance(value, date):
        return value
    found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", str(value).strip())
    if not found:
        raise ValueError(f"日期须写作 2025-05-01 的样子，现为“{value}”")
    year, month, day = map(int, found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"没有{year}年{month}月{day}日这一天") from None


CivilDate = Annotated[date, BeforeValidator(civil_date)]


class DateRange(Written):
    """Two civil dates, both included, in order."""

    first: CivilDate
    last: CivilDate

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"结束日期 {self.last} 早于开始日期 {self.first}")
        return self

    def meets(self, other: DateRange) -> bool:
        return self.first <= other.last and other.first <= self.last


def month_day(day: date) -> str:
    """``2025-05-01`` → ``5月1日``."""
    return f"{day.month}月{day.day}日"


def full_day(day: date) -> str:
    """``2025-05-01`` → ``2025年5月1日``."""
    return f"{day.year}年{month_day(day)}"


def weekday_name(day: date) -> str:
    """``2025-05-01`` → ``周四``."""
    return "周" + "一二三四五六日"[day.weekday()]
