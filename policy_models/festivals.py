"""The days of festivals: lunar dates, Qingming, and the statutory days off of the law.

Lunar calendar and solar terms: `borax`, 1900 to 2100 (checked in the tests against published tables). Statutory days:
《全国年节及纪念日放假办法》 as amended in November 2024.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from borax.calendars.lunardate import InvalidLunarDateError, LunarDate, TermUtils

from policy_models.errors import NotFound

FIRST_YEAR, LAST_YEAR = 1901, 2099


class Festival(StrEnum):
    """The seven festivals with days off, in the order in which a State Council notice lists them."""

    NEW_YEAR = "new_year"
    SPRING_FESTIVAL = "spring_festival"
    QINGMING = "qingming"
    LABOUR_DAY = "labour_day"
    DRAGON_BOAT = "dragon_boat"
    MID_AUTUMN = "mid_autumn"
    NATIONAL_DAY = "national_day"


FESTIVAL_NAMES: dict[Festival, str] = {
    Festival.NEW_YEAR: "元旦",
    Festival.SPRING_FESTIVAL: "春节",
    Festival.QINGMING: "清明节",
    Festival.LABOUR_DAY: "劳动节",
    Festival.DRAGON_BOAT: "端午节",
    Festival.MID_AUTUMN: "中秋节",
    Festival.NATIONAL_DAY: "国庆节",
}
# How many days before and after the festival itself the law gives off.
_AROUND: dict[Festival, tuple[int, int]] = {
    Festival.SPRING_FESTIVAL: (1, 2),
    Festival.LABOUR_DAY: (0, 1),
    Festival.NATIONAL_DAY: (0, 2),
}
_FIXED = {Festival.NEW_YEAR: (1, 1), Festival.LABOUR_DAY: (5, 1), Festival.NATIONAL_DAY: (10, 1)}
_LUNAR = {Festival.SPRING_FESTIVAL: (1, 1), Festival.DRAGON_BOAT: (5, 5), Festival.MID_AUTUMN: (8, 15)}


def lunar_date(year: int, month: int, day: int) -> date:
    """The civil date of a lunar month and day in the lunar year that begins in ``year``.

    Raises NotFound outside 1901–2099 and for a day that this lunar month does not have (some end with the 29th).
    """
    _known(year)
    try:
        civil: date = LunarDate(year, month, day).to_solar_date()
    except InvalidLunarDateError:
        raise NotFound(f"农历{year}年没有{month}月{day}日") from None
    return civil


@cache
def festival_date(festival: Festival, year: int) -> date:
    """The day of the festival itself in a civil year. Raises NotFound outside 1901–2099."""
    _known(year)
    if festival in _FIXED:
        return date(year, *_FIXED[festival])
    if festival in _LUNAR:
        return lunar_date(year, *_LUNAR[festival])
    qingming: date = TermUtils.nth_term_day(year, term_name="清明")
    return qingming


def statutory_days(festival: Festival, year: int) -> tuple[date, ...]:
    """The days off that the law gives for a festival, before any shifting: 13 in a year."""
    before, after = _AROUND.get(festival, (0, 0))
    day = festival_date(festival, year)
    return tuple(day + timedelta(days=n) for n in range(-before, after + 1))


def _known(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound(f"日历只到{FIRST_YEAR}年至{LAST_YEAR}年，没有{year}年")
