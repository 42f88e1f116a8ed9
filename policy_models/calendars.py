"""The calendars of the product in one place: work days, school, observances. Everything that others need is here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from policy_models.errors import NotFound
from policy_models.festivals import FESTIVAL_NAMES, Festival, festival_date, lunar_date
from policy_models.holiday_layers import PACKAGE
from policy_models.holiday_years import HolidayBlock, HolidayYear
from policy_models.observances import ObservanceRules, Observances
from policy_models.school import SchoolCalendars, SchoolYear
from policy_models.spans import Confidence, Day, Span, worst
from policy_models.working_days import Layer, WorkCalendar, is_holiday_block, notice_missing

__all__ = [
    "FESTIVAL_NAMES",
    "Calendars",
    "Confidence",
    "Day",
    "Festival",
    "HolidayBlock",
    "HolidayYear",
    "Layer",
    "ObservanceRules",
    "Observances",
    "SchoolCalendars",
    "SchoolYear",
    "Span",
    "WorkCalendar",
    "build",
    "festival_date",
    "lunar_date",
    "notice_missing",
    "worst",
]


@dataclass(frozen=True)
class Calendars:
    """``digest``: SHA-256 (hex) of the content, files and package version: equal digest, equal dates."""

    work: WorkCalendar
    school: SchoolCalendars
    observances: Observances
    digest: str

    def occasion(self, id: str, year: int, area: str | None = None) -> Span:
        """An observance or, failing that, a holiday block by its id in a year. Raises NotFound naming the id."""
        if id in self.observances.ids():
            return self.observances.resolve(id, year, area)
        block = next((span for span in self.work.blocks(year) if span.id == id), None)
        if block is None:
            raise NotFound(f"没有“{id}”这个纪念日、时段或假期")
        return block

    def knows(self, id: str) -> bool:
        """Whether ``occasion`` would find this id."""
        return id in self.observances.ids() or is_holiday_block(id)


def build(holidays: Iterable[HolidayYear], schools: Iterable[SchoolYear], rules: ObservanceRules) -> Calendars:
    """Calendars from their content, whatever files it came from."""
    years = sorted(holidays, key=lambda found: found.year)
    school_years = sorted(schools, key=lambda found: found.school_year)
    content = {
        "holidays": [found.model_dump(mode="json") for found in years],
        "school": [found.model_dump(mode="json") for found in school_years],
        "observances": rules.model_dump(mode="json"),
        "package": PACKAGE,
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    work, school = WorkCalendar(years), SchoolCalendars(school_years)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return Calendars(work, school, Observances(rules.root, work, school), digest)
