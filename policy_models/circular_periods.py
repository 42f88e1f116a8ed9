"""通报的期次: weeks from Monday to Sunday and months, and when their circulars are issued."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from policy_models.calendars import WorkCalendar
from policy_models.errors import NotFound
from policy_models.spans import month_day

FIRST_YEAR, LAST_YEAR = 2000, 2090  # what the calendars can answer for
AFTER_THE_END = 31  # days: a plan that ended longer ago has no circular


class CircularKind(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"


KIND_NAMES = {CircularKind.WEEKLY: "周通报", CircularKind.MONTHLY: "月通报"}
UNIT_OF = {CircularKind.WEEKLY: "周", CircularKind.MONTHLY: "月"}


@dataclass(frozen=True, slots=True)
class CircularPeriod:
    """A week from Monday to Sunday ("2025-W14", ISO) or a month ("2025-03"); civil dates, both included."""

    kind: CircularKind
    code: str
    first: date
    last: date

    @property
    def name(self) -> str:
        """``2025年第14周``, ``2025年3月``."""
        if self.kind is CircularKind.MONTHLY:
            return f"{self.first.year}年{self.first.month}月"
        year, week, _ = self.first.isocalendar()
        return f"{year}年第{week}周"

    @property
    def days(self) -> str:
        """``3月31日至4月6日``, ``4月7日至13日``."""
        last = f"{self.last.day}日" if self.first.month == self.last.month else month_day(self.last)
        return f"{month_day(self.first)}至{last}"

    @property
    def before(self) -> CircularPeriod:
        return period_with(self.kind, self.first - timedelta(days=1))

    @property
    def next(self) -> CircularPeriod:
        return period_with(self.kind, self.last + timedelta(days=1))

    def issued_on(self, work: WorkCalendar) -> date:
        """The first work day after it."""
        return work.on_or_after(self.last + timedelta(days=1))

    def has_work(self, work: WorkCalendar) -> bool:
        """Whether a work day lies in it: a week that is all holiday has no circular of its own."""
        return work.on_or_after(self.first) <= self.last

    def concerns(self, starts_on: date, ends_on: date) -> bool:
        """Whether a plan of these days has one for it: begun by its end, and not over for more than a month."""
        return starts_on <= self.last <= ends_on + timedelta(days=AFTER_THE_END)


def period_with(kind: CircularKind, day: date) -> CircularPeriod:
    """The week or month that a civil date lies in."""
    if kind is CircularKind.MONTHLY:
        last = calendar.monthrange(day.year, day.month)[1]
        return CircularPeriod(kind, f"{day:%Y-%m}", day.replace(day=1), day.replace(day=last))
    year, week, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    return CircularPeriod(kind, f"{year}-W{week:02}", monday, monday + timedelta(days=6))


def period_of(kind: str, code: str) -> CircularPeriod:
    """The period of a code. Raises NotFound, naming how it is written."""
    if kind not in set(CircularKind):
        raise NotFound("通报分为周通报（weekly）和月通报（monthly）两种")
    known = CircularKind(kind)
    pattern, example = (r"W([0-9]{2})", "2025-W14") if known is CircularKind.WEEKLY else (r"([0-9]{2})", "2025-03")
    found = re.fullmatch(rf"([0-9]{{4}})-{pattern}", code)
    try:
        if found and FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
            year, number = int(found[1]), int(found[2])
            weekly = known is CircularKind.WEEKLY
            return period_with(known, date.fromisocalendar(year, number, 1) if weekly else date(year, number, 1))
    except ValueError as error:
        raise NotFound(f"没有 {code} 这一期，{KIND_NAMES[known]}的期次写作 {example} 的样子") from error
    raise NotFound(f"没有“{code[:12]}”这一期，{KIND_NAMES[known]}的期次写作 {example} 的样子")


def last_ended(kind: CircularKind, day: date, work: WorkCalendar) -> CircularPeriod:
    """The last period that was over before a civil date and had a work day in it."""
    found = period_with(kind, day).before
    while not found.has_work(work):
        found = found.before
    return found
