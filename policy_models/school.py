"""School calendars: one file for a school year, and the customary pattern where there is none.

A vacation is named by the year in which it begins: winter 2025 begins in January 2025. The window in which duties of a
vacation are owed is that of the primary stage (compulsory education): most children in question are of that age, and
the final years of the higher stages differ from school to school.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from policy_models.spans import Confidence, DateRange, Span, Written, worst

Season = Literal["winter", "summer"]
_VACATIONS: dict[str, str] = {"winter": "寒假", "summer": "暑假"}
_TERMS = {"spring": "春季学期", "autumn": "秋季学期"}
_ONE_DAY = timedelta(days=1)
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Stages(Written):
    """A vacation of each stage of school; only ``primary`` drives dates, the others are for people to read."""

    primary: DateRange
    junior: DateRange | None = None
    senior: DateRange | None = None


class Vacations(Written):
    winter: Stages | None = None
    summer: Stages | None = None


class Terms(Written):
    autumn: DateRange | None = None
    spring: DateRange | None = None


class Override(Written):
    """What differs in one county (6-digit code) or for one school (its unit code)."""

    terms: Terms = Terms()
    vacations: Vacations = Vacations()


class SchoolYear(Written):
    """One school year as its calendar was published (official), or as custom suggests (placeholder)."""

    school_year: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{4}$")]
    status: Literal["official", "placeholder"]
    issuer: Text | None = None
    document: Text | None = None
    note: Text | None = None
    terms: Terms = Terms()
    vacations: Vacations = Vacations()
    overrides: dict[Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{2,12}$")], Override] = Field(
        default_factory=dict
    )

    @property
    def ends(self) -> int:
        """The year in which the school year ends: 2025 for 2024-2025."""
        return int(self.school_year[5:])

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if int(self.school_year[:4]) + 1 != self.ends:
            raise ValueError("school_year 须为相连的两年，如 2024-2025")
        if self.status == "official" and not (self.issuer and self.document):
            raise ValueError("status: official 须写明发布单位 issuer 和文号 document")
        for place, terms, vacations in self._parts():
            _check(place, terms, vacations, self.ends)
        return self

    def _parts(self) -> Iterator[tuple[str, Terms, Vacations]]:
        yield self.school_year, self.terms, self.vacations
        for area, other in self.overrides.items():
            yield f"{self.school_year}（{area}）", other.terms, other.vacations


def _check(place: str, terms: Terms, vacations: Vacations, ends: int) -> None:
    in_order = (
        (terms.autumn, ends - 1, "秋季学期"),
        (vacations.winter and vacations.winter.primary, ends, "寒假"),
        (terms.spring, ends, "春季学期"),
        (vacations.summer and vacations.summer.primary, ends, "暑假"),
    )
    given = [(span, year, name) for span, year, name in in_order if span]
    for span, year, name in given:
        if span.first.year != year:
            raise ValueError(f"{place}学年的{name}应从{year}年开始，现为 {span.first}")
    for (one, _, before), (two, _, after) in pairwise(given):
        if two.first <= one.last:
            raise ValueError(f"{place}学年的{after}与{before}重叠或次序颠倒")


class SchoolCalendars:
    """Vacations and terms. ``area``: a county code, or a longer unit code in it; None is the city."""

    def __init__(self, years: Iterable[SchoolYear] = ()) -> None:
        self._years: Mapping[int, SchoolYear] = {found.ends: found for found in years}
        self._spans: dict[tuple[str, int, str | None], Span] = {}

    def status(self, ends: int) -> Literal["official", "placeholder", "missing"]:
        """Of the school year that ends in ``ends``."""
        found = self._years.get(ends)
        return found.status if found else "missing"

    def vacation(self, kind: Season | str, year: int, area: str | None = None) -> Span:
        """The winter or summer vacation that begins in ``year``, of the primary stage."""
        key = (_VACATIONS[kind], year, area)
        if key not in self._spans:
            self._spans[key] = self._vacation(kind, year, area)
        return self._spans[key]

    def term(self, season: Literal["spring", "autumn"] | str, year: int, area: str | None = None) -> Span:
        """The term that begins in ``year``; where none is written, it lies between the vacations around it."""
        id, name = f"{year}-{season}", f"{year}年{_TERMS[season]}"
        found = self._years.get(year + (season == "autumn"))
        if found and (span := _term_in(found, season, area)):
            return Span(id, name, span.first, span.last, _confidence(found), _why(found, name))
        if season == "spring":
            before, after = self.vacation("winter", year, area), self.vacation("summer", year, area)
        else:
            before, after = self.vacation("summer", year, area), self.vacation("winter", year + 1, area)
        confidence = worst(before.confidence, after.confidence)
        reason = before if confidence is before.confidence else after
        why = f"{name}按前后假期推算：{reason.why.removeprefix('推定：')}"
        return Span(id, name, before.last + _ONE_DAY, after.first - _ONE_DAY, confidence, why)

    def terms(self, first: date, last: date, area: str | None = None) -> tuple[Span, ...]:
        """The terms that share a day with ``first`` to ``last``, in order of date."""
        seasons = ((season, year) for year in range(first.year - 1, last.year + 1) for season in ("spring", "autumn"))
        spans = (self.term(season, year, area) for season, year in seasons)
        return tuple(span for span in spans if span.first <= last and span.last >= first)

    def _vacation(self, kind: str, year: int, area: str | None) -> Span:
        id, name = f"{year}-{kind}", f"{year}年{_VACATIONS[kind]}"
        found = self._years.get(year)
        stages = _vacation_in(found, kind, area) if found else None
        if found and stages:
            return Span(id, name, stages.primary.first, stages.primary.last, _confidence(found), _why(found, name))
        first, last = customary(kind, year)
        return Span(
            id,
            name,
            first,
            last,
            Confidence.PLACEHOLDER,
            f"推定：{year - 1}-{year}学年校历尚未录入，{name}按惯例推定",
        )


def customary(kind: str, year: int) -> tuple[date, date]:
    """The pattern: winter from the second Saturday of January to the Sunday nearest to the end of February,
    summer from the Saturday in 11–17 July to the last Sunday of August."""
    if kind == "winter":
        return _weekday_from(date(year, 1, 8), 5), _weekday_from(date(year, 2, 25), 6)
    return _weekday_from(date(year, 7, 11), 5), _weekday_from(date(year, 8, 25), 6)


def _weekday_from(start: date, weekday: int) -> date:
    return start + timedelta(days=(weekday - start.weekday()) % 7)


def _override(year: SchoolYear, area: str | None) -> Override | None:
    return (year.overrides.get(area) or year.overrides.get(area[:6])) if area else None


def _vacation_in(year: SchoolYear, kind: str, area: str | None) -> Stages | None:
    other = _override(year, area)
    own: Stages | None = getattr(other.vacations, kind) if other else None
    common: Stages | None = getattr(year.vacations, kind)
    return own or common


def _term_in(year: SchoolYear, season: str, area: str | None) -> DateRange | None:
    other = _override(year, area)
    own: DateRange | None = getattr(other.terms, season) if other else None
    # Where a county's vacations differ, the city's term would overlap them: then the term follows from the vacations.
    common: DateRange | None = None if other and other.vacations != Vacations() else getattr(year.terms, season)
    return own or common


def _confidence(year: SchoolYear) -> Confidence:
    return Confidence.ANNOUNCED if year.status == "official" else Confidence.PLACEHOLDER


def _why(year: SchoolYear, name: str) -> str:
    if year.status == "official":
        return f"{name}依据{year.issuer}校历（{year.document}）"
    return f"推定：{year.school_year}学年正式校历尚未录入，{name}按惯例推定，以教育部门公布为准"
