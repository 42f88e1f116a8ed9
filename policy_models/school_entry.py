"""校历录入: vacations typed for a school year become the calendar file of that year. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from policy_models.calendar_file import parse_texts
from policy_models.errors import CalendarInvalid, Fault
from policy_models.plan_yaml import read_document
from policy_models.school import SchoolYear

SEASON_NAMES = {"winter": "寒假", "summer": "暑假"}
NOTHING = "请至少填写一个假期的起止日期"
HALF = "起止日期须都填写"


@dataclass(frozen=True, slots=True)
class TypedVacations:
    """``area``: "" for the whole city, else a county's code. ``spans``: first and last day by season, None where nothing
    was typed. ``issuer`` and ``document``: of the published calendar; without them the year stays a customary one. They
    are the city's: a county's own dates lie in the year that the city published."""

    school_year: str
    area: str
    spans: dict[str, tuple[date | None, date | None]] = field(default_factory=dict)
    issuer: str = ""
    document: str = ""

    def faults(self) -> list[Fault]:
        """What is missing; what contradicts itself the calendar says."""
        halves = [name for name, (first, last) in self.spans.items() if (first is None) != (last is None)]
        found = [Fault("校历", None, SEASON_NAMES[name], HALF) for name in halves]
        if not self.area and not halves and not any(first for first, _ in self.spans.values()):
            found.append(Fault("校历", None, "", NOTHING))
        if not self.area and bool(self.issuer) != bool(self.document):
            found.append(Fault("校历", None, "", "发布单位和文号须都填写，或都不填写（为推定）"))
        return found


def school_name(school_year: str) -> str:
    """``school/2026-2027.yaml``: the name that calendars know it by."""
    return f"school/{school_year}.yaml"


def held_year(texts: dict[str, str], school_year: str) -> SchoolYear | None:
    """The school year as calendar texts hold it; None where they do not."""
    text = texts.get(school_name(school_year))
    return SchoolYear.model_validate(read_document(text, school_name(school_year)).data) if text is not None else None


def school_text(typed: TypedVacations, held: SchoolYear | None) -> str:
    """The file with what was typed over what is held.

    Where the city's vacations change, terms that were written before give way: they follow from the vacations. Raises
    CalendarInvalid: dates that are missing, in the wrong order, in another year, or that meet.
    """
    if faults := typed.faults():
        raise CalendarInvalid(faults)
    data: dict[str, Any] = held.model_dump(mode="json", exclude_none=True) if held else _empty(typed.school_year)
    if typed.area:
        _put_county(data, typed)
    else:
        _put_city(data, typed)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)
    parse_texts({school_name(typed.school_year): text})
    return text


def _empty(school_year: str) -> dict[str, Any]:
    return {"school_year": school_year, "status": "placeholder", "overrides": {}}


def _put_city(data: dict[str, Any], typed: TypedVacations) -> None:
    official = bool(typed.issuer and typed.document)
    data["status"] = "official" if official else "placeholder"
    for name, value in (("issuer", typed.issuer), ("document", typed.document)):
        data.pop(name, None)
        if official:
            data[name] = value
    data.pop("note", None)
    wanted = _typed_vacations(typed)
    if _primary(data.get("vacations", {})) != wanted:
        data["vacations"] = {name: {"primary": span} for name, span in wanted.items()}
        data.pop("terms", None)


def _put_county(data: dict[str, Any], typed: TypedVacations) -> None:
    others: dict[str, Any] = data.setdefault("overrides", {})
    others.pop(typed.area, None)  # nothing typed: as in the whole city
    if wanted := _typed_vacations(typed):
        others[typed.area] = {"vacations": {name: {"primary": span} for name, span in wanted.items()}}


def _typed_vacations(typed: TypedVacations) -> dict[str, dict[str, str]]:
    return {
        name: {"first": first.isoformat(), "last": last.isoformat()}
        for name, (first, last) in typed.spans.items()
        if first and last
    }


def _primary(vacations: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {name: stages["primary"] for name, stages in vacations.items() if stages}
