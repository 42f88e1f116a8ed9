"""Observance days and yearly periods: rules as data, and the span that a rule gives in a year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, RootModel, StringConstraints

from policy_models.errors import NotFound
from policy_models.festivals import Festival, lunar_date
from policy_models.school import SchoolCalendars
from policy_models.spans import Confidence, DateRange, Span, Written, month_day
from policy_models.working_days import WorkCalendar

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHINESE_WEEKDAYS = dict(zip(_WEEKDAYS, "一二三四五六日", strict=True))
Name = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


def _every_year(text: str) -> str:
    """``09-01``: a month and a day that every year has (29 February is not one)."""
    try:
        month, day = (int(part) for part in text.split("-"))
        date(2001, month, day)
    except ValueError:
        raise ValueError(f"须写作 09-01 的样子，且每年都有这一天，现为“{text}”") from None
    return text


MonthDay = Annotated[str, BeforeValidator(str), AfterValidator(_every_year)]


def _in(year: int, month_and_day: str) -> date:
    month, day = map(int, month_and_day.split("-"))
    return date(year, month, day)


class FixedRule(Written):
    """The same month and day each year."""

    kind: Literal["fixed"]
    name: Name
    date: MonthDay


class WeekdayRule(Written):
    """The nth (1–4) or last such weekday of a month."""

    kind: Literal["weekday"]
    name: Name
    month: Annotated[int, Field(ge=1, le=12)]
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    nth: Annotated[int, Field(ge=1, le=4)] | Literal["last"]


class WeekRule(Written):
    """The week, Monday to Sunday, that contains a month and day."""

    kind: Literal["week"]
    name: Name
    date: MonthDay


class LunarRule(Written):
    """A month and day of the lunar year that begins in the year."""

    kind: Literal["lunar"]
    name: Name
    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=29)]


class YearRange(DateRange):
    """A range as it was announced for one year."""

    source: Name


class RangeRule(Written):
    """A period set anew each year: what was announced for a year, else the usual dates as a forecast."""

    kind: Literal["range"]
    name: Name
    default: Annotated[tuple[MonthDay, MonthDay], Field(description="first and last month-day")]
    years: dict[Annotated[int, Field(ge=1901, le=2099)], YearRange] = Field(default_factory=dict)


class RelativeRule(Written):
    """``length`` days from ``days`` calendar days after (negative: before) the first or last day of a vacation or term."""

    kind: Literal["relative"]
    name: Name
    to: Literal["winter", "summer", "spring", "autumn"]
    edge: Literal["first", "last"]
    days: Annotated[int, Field(ge=-366, le=366)] = 0
    length: Annotated[int, Field(ge=1, le=366)] = 1


class HolidayRule(Written):
    """A holiday block of the working-day calendar."""

    kind: Literal["holiday"]
    name: Name
    block: Festival


Rule = Annotated[
    FixedRule | WeekdayRule | WeekRule | LunarRule | RangeRule | RelativeRule | HolidayRule, Field(discriminator="kind")
]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class ObservanceRules(RootModel[dict[Id, Rule]]):
    """The content of ``observances.yaml``: id → rule."""


class Observances:
    """Observances by id; rules that lean on the work or school calendar take its confidence."""

    def __init__(self, rules: Mapping[str, Rule], work: WorkCalendar, school: SchoolCalendars) -> None:
        self._rules = dict(rules)
        self._work = work
        self._school = school

    def ids(self) -> tuple[str, ...]:
        return tuple(self._rules)

    def resolve(self, id: str, year: int, area: str | None = None) -> Span:
        """The span of an observance in a civil year. Raises NotFound, naming the id, where there is no such rule.

        ``area`` matters to rules relative to a vacation or term only.
        """
        rule = self._rules.get(id)
        if rule is None:
            raise NotFound(f"没有“{id}”这个纪念日或时段")
        match rule:
            case RangeRule():
                return _range(id, rule, year)
            case RelativeRule():
                return self._relative(id, rule, year, area)
            case HolidayRule():
                return self._block(id, rule, year)
            case _:
                first, last, why = _calendar(rule, year)
                return Span(id, rule.name, first, last, Confidence.ANNOUNCED, why)

    def _relative(self, id: str, rule: RelativeRule, year: int, area: str | None) -> Span:
        school = self._school
        of_vacation = rule.to in ("winter", "summer")
        base = school.vacation(rule.to, year, area) if of_vacation else school.term(rule.to, year, area)
        first = (base.first if rule.edge == "first" else base.last) + timedelta(days=rule.days)
        return Span(id, rule.name, first, first + timedelta(days=rule.length - 1), base.confidence, base.why)

    def _block(self, id: str, rule: HolidayRule, year: int) -> Span:
        block = next((span for span in self._work.blocks(year) if span.id == rule.block), None)
        if block is None:
            raise NotFound(f"{year}年没有“{rule.block}”这个假期")
        return Span(id, rule.name, block.first, block.last, block.confidence, block.why)


def _calendar(rule: FixedRule | WeekdayRule | WeekRule | LunarRule, year: int) -> tuple[date, date, str]:
    """Rules that the calendar alone decides: first, last, why."""
    match rule:
        case FixedRule():
            day = _in(year, rule.date)
            return day, day, f"{rule.name}为每年{month_day(day)}"
        case WeekRule():
            day = _in(year, rule.date)
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=6), f"{rule.name}为每年{month_day(day)}所在的一周"
        case LunarRule():
            day = lunar_date(year, rule.month, rule.day)
            return day, day, f"{rule.name}为农历{rule.month}月{rule.day}日，{year}年在{month_day(day)}"
        case WeekdayRule():
            day = _nth_weekday(rule, year)
            nth = "最后一" if rule.nth == "last" else f"第{'一二三四'[rule.nth - 1]}"
            why = f"{rule.name}为每年{rule.month}月{nth}个星期{_CHINESE_WEEKDAYS[rule.weekday]}"
            return day, day, why


def _nth_weekday(rule: WeekdayRule, year: int) -> date:
    weekday = _WEEKDAYS.index(rule.weekday)
    if rule.nth == "last":
        after = date(year + rule.month // 12, rule.month % 12 + 1, 1)
        return after - timedelta(days=(after.weekday() - weekday - 1) % 7 + 1)
    first = date(year, rule.month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (rule.nth - 1))


def _range(id: str, rule: RangeRule, year: int) -> Span:
    if own := rule.years.get(year):
        return Span(id, rule.name, own.first, own.last, Confidence.ANNOUNCED, f"{year}年{rule.name}依据{own.source}")
    first, last = (_in(year, text) for text in rule.default)
    if last < first:
        last = _in(year + 1, rule.default[1])
    why = f"推定：{year}年{rule.name}暂按{month_day(first)}至{month_day(last)}，以当年公布为准"
    return Span(id, rule.name, first, last, Confidence.FORECAST, why)
