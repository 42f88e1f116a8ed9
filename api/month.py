"""日历 as a month: weeks of days with what falls due, what opens, and whether one works. Pure."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator

from api.dependencies import FIRST_DAY, LAST_DAY
from ledger.civil import civil_date
from ledger.queries.calendar import Matter, Opening
from ledger.queries.reading import Reading
from policy_models.calendars import Confidence, Day, WorkCalendar
from policy_models.periods import section_name

WRONG = "月份须写作 2025-06 的样子，现为“{}”"


@dataclass(frozen=True)
class DayView:
    """One day: ``notes`` are what the plan itself says of it (a phase begins or ends); ``why``: why one does not work, or
    does, said once for a holiday in one piece."""

    date: date
    inside: bool
    today: bool
    about: Day
    why: str
    due: tuple[Matter, ...]
    opening: tuple[Opening, ...]
    notes: tuple[str, ...]

    @property
    def is_bare(self) -> bool:
        """Whether nothing falls due, opens or happens on it."""
        return not (self.due or self.opening or self.notes)

    @property
    def is_told(self) -> bool:
        """Whether the agenda has it: for what there is to do, for a holiday that begins, or for being today."""
        return not self.is_bare or self.today or bool(self.why)

    @property
    def mark(self) -> str:
        """休 for a day off of a festival, 班 for a weekend that is worked, else nothing."""
        return "班" if self.about.make_up else "休" if self.about.holiday else ""

    @property
    def forecast(self) -> bool:
        """Whether what is said of working on this day is 推定."""
        return bool(self.mark) and self.about.confidence is not Confidence.ANNOUNCED


@dataclass(frozen=True)
class Month:
    """A month in weeks from Monday; the days around it that fill them are not ``inside``."""

    first: date
    last: date
    weeks: tuple[tuple[DayView, ...], ...]

    @property
    def days(self) -> tuple[DayView, ...]:
        """The month's own days that the agenda tells, in order."""
        return tuple(day for week in self.weeks for day in week if day.inside and day.is_told)

    @property
    def is_bare(self) -> bool:
        """Whether nothing falls due or opens in it."""
        return not any(day.due or day.opening for day in self.days)

    @property
    def total(self) -> int:
        return sum(one.cell.expected for day in self.days for one in day.due)


def month_day(value: object) -> object:
    """The first day of the month that ``2025-06`` names; None where none is given."""
    if value is None or value == "":
        return None
    text = unicodedata.normalize("NFKC", str(value)).strip()
    found = re.fullmatch(r"(\d{4})-(\d{1,2})", text)
    if not found or not 1 <= int(found[2]) <= 12:
        raise ValueError(WRONG.format(text[:20]))
    first = date(max(1, int(found[1])), int(found[2]), 1)
    if not FIRST_DAY <= first <= LAST_DAY:
        raise ValueError(f"月份须在{FIRST_DAY.year}年至{LAST_DAY.year}年之间，现为“{text}”")
    return first


MonthDay = Annotated[date | None, BeforeValidator(month_day), Query(alias="month", description="月份，如 2025-06")]


def span_of(first: date) -> tuple[date, date]:
    """The first and last day of a month's grid, from a Monday to a Sunday."""
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def neighbour(first: date, step: int) -> date | None:
    """The first day of the month before (-1) or after (+1); None where the calendars end."""
    month = first.year * 12 + first.month - 1 + step
    found = date(month // 12, month % 12 + 1, 1)
    return found if FIRST_DAY <= found <= LAST_DAY else None


def month_of(reading: Reading, first: date, due: Iterable[Matter], opening: Iterable[Opening]) -> Month:
    """The month with its days filled."""
    begins, ends = span_of(first)
    work = reading.calendars.work
    falls, opens, notes = defaultdict(list), defaultdict(list), _notes(reading)
    for matter in due:
        falls[matter.day].append(matter)
    for one in opening:
        opens[one.day].append(one)
    days = [begins + timedelta(days=n) for n in range((ends - begins).days + 1)]
    views = [
        DayView(
            day,
            (day.year, day.month) == (first.year, first.month),
            day == civil_date(reading.now),
            work.day(day),
            _why(work, day, first),
            tuple(falls[day]),
            tuple(opens[day]),
            notes.get(day, ()),
        )
        for day in days
    ]
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return Month(first, last, tuple(tuple(views[n : n + 7]) for n in range(0, len(views), 7)))


def _why(work: WorkCalendar, day: date, first: date) -> str:
    """The sentence of a make-up day, or of a holiday on the first of its days in the month."""
    about = work.day(day)
    if about.make_up:
        return about.why
    if about.holiday is None:
        return ""
    years = (day.year - 1, day.year, day.year + 1)
    block = next((one for year in years for one in work.blocks(year) if one.first <= day <= one.last), None)
    if block is None:
        return about.why
    return block.why if day == max(block.first, first) else ""


def _notes(reading: Reading) -> Mapping[date, tuple[str, ...]]:
    found: dict[date, tuple[str, ...]] = {}
    for phase in reading.plan.phases:
        name = f"{section_name(f'phase-{phase.number}')} {phase.title}"
        found[phase.starts_on] = (*found.get(phase.starts_on, ()), f"{name} 开始")
        found[phase.ends_on] = (*found.get(phase.ends_on, ()), f"{name} 结束")
    return found
