"""Where a year's arrangement comes from when nobody has entered its notice: `chinese_calendar`, or a forecast."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version

import chinese_calendar

from policy_models.festivals import Festival, festival_date, statutory_days
from policy_models.holiday_years import HolidayBlock, HolidayYear

# Earlier years know a festival of one year only (2015-09-03) and are of no use here.
FIRST_PACKAGED = 2016
PACKAGE = f"chinesecalendar {version('chinesecalendar')}"


@cache
def packaged_years() -> dict[int, HolidayYear]:
    """Every year from 2016 that `chinese_calendar` has data for; its data ends with the last published notice."""
    blocks: dict[int, list[HolidayBlock]] = {}
    for run in _runs(day for day in chinese_calendar.holidays if day >= date(FIRST_PACKAGED - 1, 12, 1)):
        year = run[-1].year
        festivals = tuple(festival for festival in Festival if festival_date(festival, year) in run)
        blocks.setdefault(year, []).append(HolidayBlock(festivals=festivals, first=run[0], last=run[-1]))
    make_ups: dict[int, list[date]] = {}
    for day, name in sorted(chinese_calendar.workdays.items()):
        if day.year < FIRST_PACKAGED - 1:
            continue
        next_year = day.month == 12 and name == "New Year's Day"
        make_ups.setdefault(day.year + next_year, []).append(day)
    return {
        year: HolidayYear(
            year=year,
            source=f"{year}年放假安排（{PACKAGE} 收录）",
            days_off=tuple(found),
            make_up=tuple(make_ups.get(year, ())),
        )
        for year, found in blocks.items()
        if year >= FIRST_PACKAGED
    }


@cache
def forecast_year(year: int) -> HolidayYear:
    """推定: statutory days, substitute days for those that fall on a weekend, adjoining weekends; no make-up days.

    The law gives the substitutes; which further days are shifted only the notice of the year can say.
    Raises NotFound outside 1901–2099.
    """
    owner: dict[date, set[Festival]] = {}
    for festival in Festival:
        for day in statutory_days(festival, year):
            owner.setdefault(day, set()).add(festival)
    for festival in Festival:
        owner.update({day: {festival} for day in _substitutes(statutory_days(festival, year), owner)})
    blocks = []
    for run in _runs(_with_weekends(owner)):
        festivals = set().union(*(owner.get(day, set()) for day in run))
        blocks.append(HolidayBlock(festivals=tuple(f for f in Festival if f in festivals), first=run[0], last=run[-1]))
    return HolidayYear(year=year, source="周末和法定节假日", days_off=tuple(blocks))


def _substitutes(days: tuple[date, ...], taken: Container[date]) -> list[date]:
    """The next free weekdays after a festival, one for each of its days that falls on a weekend."""
    found: list[date] = []
    day = days[-1]
    while len(found) < sum(day.weekday() >= 5 for day in days):
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in taken:
            found.append(day)
    return found


def _with_weekends(days: Iterable[date]) -> set[date]:
    grown = set(days)
    for step in (timedelta(days=-1), timedelta(days=1)):
        for start in list(grown):
            day = start + step
            while day.weekday() >= 5:
                grown.add(day)
                day += step
    return grown


def _runs(days: Iterable[date]) -> list[list[date]]:
    """Days grouped into pieces without a gap, in order."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
