"""One year's arrangement of days off and make-up work days, and what makes an arrangement contradict itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field

from policy_models.festivals import FESTIVAL_NAMES, FIRST_YEAR, LAST_YEAR, Festival, festival_date
from policy_models.spans import CivilDate, DateRange, Written, month_day, weekday_name

LONGEST_BLOCK = 15
FARTHEST_MAKE_UP = timedelta(days=31)
Problem = tuple[tuple[str | int, ...], str]
Festivals = Annotated[
    tuple[Festival, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v), Field(min_length=1)
]


class HolidayBlock(DateRange):
    """Days off in one piece. 国庆节 and 中秋节 share a block in the years in which they meet."""

    festivals: Festivals

    @property
    def name(self) -> str:
        """``国庆节、中秋节`` as a notice would write it."""
        return "、".join(FESTIVAL_NAMES[festival] for festival in self.festivals)

    def days(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


class HolidayYear(Written):
    """A year's arrangement, as the State Council announces it (one notice, one year).

    ``days_off`` in order of date; a block belongs to the year of its festival even if it begins or ends in another.
    ``source``: the document, in Chinese. ``published_on``: its civil date, if known.
    """

    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    source: Annotated[str, Field(min_length=1)]
    published_on: CivilDate | None = None
    days_off: tuple[HolidayBlock, ...]
    make_up: tuple[CivilDate, ...] = ()

    def problems(self) -> list[Problem]:
        """Every contradiction as (path of the field, Chinese sentence); empty for a sound arrangement."""
        return [*self._blocks(), *self._complete(), *self._make_ups()]

    def _blocks(self) -> Iterator[Problem]:
        for n, block in enumerate(self.days_off):
            if len(list(block.days())) > LONGEST_BLOCK:
                yield ("days_off", n), f"{block.name}放假超过{LONGEST_BLOCK}天，请核对"
            for festival in block.festivals:
                day = festival_date(festival, self.year)
                if not block.first <= day <= block.last:
                    name = FESTIVAL_NAMES[festival]
                    yield ("days_off", n), f"{name}放假不含{name}当日（{self.year}年为{month_day(day)}）"
        for n, (one, two) in enumerate(pairwise(self.days_off), start=1):
            if two.first <= one.last:
                yield ("days_off", n), f"{two.name}与{one.name}的放假日期重叠或次序颠倒"

    def _complete(self) -> Iterator[Problem]:
        count = Counter(festival for block in self.days_off for festival in block.festivals)
        if missing := [FESTIVAL_NAMES[festival] for festival in Festival if not count[festival]]:
            yield ("days_off",), f"没有{'、'.join(missing)}的放假安排"
        if doubled := [FESTIVAL_NAMES[festival] for festival in Festival if count[festival] > 1]:
            yield ("days_off",), f"{'、'.join(doubled)}写了不止一次"

    def _make_ups(self) -> Iterator[Problem]:
        off = {day for block in self.days_off for day in block.days()}
        for n, day in enumerate(self.make_up):
            if day in off:
                yield ("make_up", n), f"调休上班日{month_day(day)}在放假期间内"
            elif day.weekday() < 5:
                yield ("make_up", n), f"调休上班日{month_day(day)}是{weekday_name(day)}，本来就是工作日"
            if (
                self.days_off
                and not self.days_off[0].first - FARTHEST_MAKE_UP <= day <= self.days_off[-1].last + FARTHEST_MAKE_UP
            ):
                yield ("make_up", n), f"调休上班日{day}不在{self.year}年的放假安排前后"
        if len(set(self.make_up)) != len(self.make_up):
            yield ("make_up",), "同一个调休上班日写了两次"
