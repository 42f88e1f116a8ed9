"""A school calendar as it is typed on its form: dates in any width, by season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Form

from api.dependencies import civil
from policy_models.errors import CalendarInvalid, Fault
from policy_models.school_entry import SEASON_NAMES, TypedVacations
from policy_models.text import normalize_digits, written

Short = Annotated[str, Form(max_length=120)]
Day = Annotated[str, Form(max_length=20)]


@dataclass(frozen=True, slots=True)
class SchoolForm:
    """What was typed, as it was typed."""

    school_year: str
    area: str
    issuer: str
    document: str
    days: dict[str, tuple[str, str]]

    def typed(self) -> TypedVacations:
        """Raises CalendarInvalid for what is no date."""
        faults: list[Fault] = []
        spans = {
            season: (_day(season, first, faults), _day(season, last, faults))
            for season, (first, last) in self.days.items()
        }
        if faults:
            raise CalendarInvalid(faults)
        return TypedVacations(self.school_year, self.area, spans, self.issuer, self.document)


def school_form(
    school_year: Annotated[str, Form(pattern=r"^\d{4}-\d{4}$")],
    area: Annotated[str, Form(max_length=24)] = "",
    issuer: Short = "",
    document: Short = "",
    winter_first: Day = "",
    winter_last: Day = "",
    summer_first: Day = "",
    summer_last: Day = "",
) -> SchoolForm:
    days = {
        "winter": (winter_first.strip(), winter_last.strip()),
        "summer": (summer_first.strip(), summer_last.strip()),
    }
    return SchoolForm(school_year, written(area), written(issuer), written(document), days)


def _day(season: str, text: str, faults: list[Fault]) -> date | None:
    try:
        found = civil(normalize_digits(text).replace("－", "-").replace("/", "-"))
    except ValueError as error:
        faults.append(Fault("校历", None, SEASON_NAMES[season], str(error)))
        return None
    return found if isinstance(found, date) else None
