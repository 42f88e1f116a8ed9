"""Work days in three layers: a year's own notice, `chinese_calendar`, a forecast.

A notice speaks for its year. Its successor may still change the last days of December (a New Year block or make-up day
before 1 January): then the successor's word counts for those days.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

from policy_models.festivals import FESTIVAL_NAMES, FIRST_YEAR, LAST_YEAR, Festival
from policy_models.holiday_layers import forecast_year, packaged_years
from policy_models.holiday_years import HolidayBlock, HolidayYear
from policy_models.spans import Confidence, Day, Span, month_day, weekday_name


class Layer(StrEnum):
    """Where a year's work days come from."""

    FILE = "file"
    PACKAGE = "package"
    FORECAST = "forecast"


class _Table:
    """One civil year, ready for look-ups: ordinals of its work days in order, and what is special about which day."""

    __slots__ = ("make_up", "off", "ordinals", "workdays")

    def __init__(self, year: int, arrangements: Iterable[HolidayYear]) -> None:
        self.off: dict[date, tuple[HolidayBlock, HolidayYear]] = {}
        self.make_up: dict[date, HolidayYear] = {}
        for found in arrangements:
            self.off.update(
                {day: (block, found) for block in found.days_off for day in block.days() if day.year == year}
            )
            self.make_up.update({day: found for day in found.make_up if day.year == year})
        first = date(year, 1, 1)
        days = (first + timedelta(days=n) for n in range((date(year, 12, 31) - first).days + 1))
        works = [d.toordinal() for d in days if d in self.make_up or (d.weekday() < 5 and d not in self.off)]
        self.ordinals = works
        self.workdays = frozenset(works)


class WorkCalendar:
    """Work days of the People's Republic, 1901–2099; NotFound outside. All arguments are civil dates."""

    def __init__(self, years: Iterable[HolidayYear] = ()) -> None:
        self._own = {found.year: found for found in years}
        self._tables: dict[int, _Table] = {}

    def layer(self, year: int) -> Layer:
        """Which of the three layers answers for a year."""
        if year in self._own:
            return Layer.FILE
        return Layer.PACKAGE if year in packaged_years() else Layer.FORECAST

    def arrangement(self, year: int) -> HolidayYear:
        """The days off and make-up days that count for a year, announced or forecast."""
        return self._own.get(year) or packaged_years().get(year) or forecast_year(year)

    def confidence(self, year: int) -> Confidence:
        """``announced`` when the year's notice is known, else ``forecast``."""
        return Confidence.FORECAST if self.layer(year) is Layer.FORECAST else Confidence.ANNOUNCED

    def missing_years(self, first: date, last: date) -> tuple[int, ...]:
        """The civil years touched by ``first`` to ``last`` whose notice is not known."""
        return tuple(y for y in range(first.year, last.year + 1) if self.layer(y) is Layer.FORECAST)

    def is_workday(self, d: date) -> bool:
        return d.toordinal() in self._table(d.year).workdays

    def on_or_before(self, d: date) -> date:
        """The last work day that is not after ``d``."""
        return d if self.is_workday(d) else self.shift(d, -1)

    def on_or_after(self, d: date) -> date:
        """The first work day that is not before ``d``."""
        return d if self.is_workday(d) else self.shift(d, 1)

    def shift(self, d: date, n: int) -> date:
        """``n`` work days after ``d`` (before it, if negative); ``n`` = 0 is ``d`` itself, work day or not.

        From a day off the first work day in the direction counts as 1.
        """
        year, ordinal = d.year, d.toordinal()
        while n > 0:
            ordinals = self._table(year).ordinals
            at = bisect_right(ordinals, ordinal) + n - 1
            if at < len(ordinals):
                return date.fromordinal(ordinals[at])
            n, year = at - len(ordinals) + 1, year + 1
        while n < 0:
            ordinals = self._table(year).ordinals
            at = bisect_left(ordinals, ordinal) + n
            if at >= 0:
                return date.fromordinal(ordinals[at])
            n, year = at, year - 1
        return d

    def count(self, a: date, b: date) -> int:
        """Work days after ``a`` up to and with ``b``; if ``b`` is before ``a``, minus the count from ``b`` to ``a``."""
        if b < a:
            return -self.count(b, a)
        whole = sum(len(self._table(year).ordinals) for year in range(a.year, b.year))
        return whole + self._passed(b) - self._passed(a)

    def day(self, d: date) -> Day:
        """Everything about one day, with the sentence that explains it."""
        table = self._table(d.year)
        block, arranged = table.off.get(d, (None, None))
        source = arranged or table.make_up.get(d) or self.arrangement(d.year)
        make_up, works = d in table.make_up, self.is_workday(d)
        confidence = self.confidence(source.year)
        holiday = block.name if block and not make_up else None
        return Day(d, works, make_up, holiday, confidence, _why_day(d, works, make_up, holiday, source, confidence))

    def blocks(self, year: int) -> tuple[Span, ...]:
        """The holiday blocks of a year, by the year of their festival; ids are those of ``Festival``, in order of date.

        Where 国庆节 and 中秋节 share a block, each is given with the whole of it.
        """
        arranged, confidence = self.arrangement(year), self.confidence(year)
        return tuple(
            Span(
                festival.value,
                FESTIVAL_NAMES[festival],
                block.first,
                block.last,
                confidence,
                _why_block(block, arranged, confidence),
            )
            for block in arranged.days_off
            for festival in block.festivals
        )

    def _passed(self, d: date) -> int:
        """Work days from 1 January to ``d``, both included."""
        return bisect_right(self._table(d.year).ordinals, d.toordinal())

    def _table(self, year: int) -> _Table:
        table = self._tables.get(year)
        if table is None:
            near = (
                y for y in (year - 1, year + 1) if FIRST_YEAR <= y <= LAST_YEAR and self.layer(y) is not Layer.FORECAST
            )
            table = self._tables[year] = _Table(year, [self.arrangement(year), *map(self.arrangement, near)])
        return table


def notice_missing(work: WorkCalendar, today: date) -> str | None:
    """From 25 October on, the sentence that warns of next year's missing notice; None while there is nothing to warn of."""
    year = today.year + 1
    if today < date(today.year, 10, 25) or work.layer(year) is not Layer.FORECAST:
        return None
    return f"{year}年放假安排尚未录入，有关日期均为推定，请在国务院办公厅通知公布后导入"


def is_holiday_block(id: str) -> bool:
    """Whether ``id`` names one of the seven blocks of a year."""
    return id in set(Festival)


def _why_day(
    d: date, works: bool, make_up: bool, holiday: str | None, source: HolidayYear, confidence: Confidence
) -> str:
    if confidence is Confidence.FORECAST:
        what = f"{holiday}放假" if holiday else "工作日" if works else "休息日"
        return f"推定：{d.year}年放假安排尚未公布，按周末和法定节假日推算，{month_day(d)}（{weekday_name(d)}）为{what}"
    if make_up:
        return f"{month_day(d)}（{weekday_name(d)}）调休上班，依据{source.source}"
    if holiday:
        return f"{month_day(d)}（{weekday_name(d)}）{holiday}放假，依据{source.source}"
    return f"{month_day(d)}（{weekday_name(d)}）为{'工作日' if works else '休息日'}"


def _why_block(block: HolidayBlock, source: HolidayYear, confidence: Confidence) -> str:
    dates = (
        month_day(block.first) if block.first == block.last else f"{month_day(block.first)}至{month_day(block.last)}"
    )
    if confidence is Confidence.FORECAST:
        return f"推定：{source.year}年放假安排尚未公布，按周末和法定节假日推算，{block.name}为{dates}"
    return f"{block.name}放假：{dates}，依据{source.source}"
