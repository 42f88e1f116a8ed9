"""Observances: published dates, every kind of rule, and what a rule may not say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from policy_models import calendar_file
from policy_models.calendars import Confidence, ObservanceRules, Observances, Span
from policy_models.errors import NotFound

CALENDARS = calendar_file.load([calendar_file.BUNDLED])
BUNDLED = CALENDARS.observances


def resolve(rule: dict[str, Any], year: int, area: str | None = None) -> Span:
    rules = ObservanceRules.model_validate({"it": {"name": "试", **rule}})
    return Observances(rules.root, CALENDARS.work, CALENDARS.school).resolve("it", year, area)


def dates(span: Span) -> tuple[str, str]:
    return str(span.first), str(span.last)


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("ear_care_day", ["2024-03-03", "2025-03-03", "2026-03-03", "2027-03-03"]),
        ("autism_day", ["2024-04-02", "2025-04-02", "2026-04-02", "2027-04-02"]),
        ("disability_day", ["2024-05-19", "2025-05-18", "2026-05-17", "2027-05-16"]),
        ("childrens_day", ["2024-06-01", "2025-06-01", "2026-06-01", "2027-06-01"]),
        ("disability_prevention_day", ["2024-08-25", "2025-08-25", "2026-08-25", "2027-08-25"]),
        ("defence_education_day", ["2024-09-21", "2025-09-20", "2026-09-19", "2027-09-18"]),
        ("constitution_day", ["2024-12-04", "2025-12-04", "2026-12-04", "2027-12-04"]),
        ("spring_festival_day", ["2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06"]),
        ("mid_autumn_day", ["2024-09-17", "2025-10-06", "2026-09-25", "2027-09-15"]),
    ],
)
def test_days_fall_where_they_were_published(id: str, expected: list[str]) -> None:
    spans = [BUNDLED.resolve(id, year) for year in range(2024, 2028)]
    assert [dates(span) for span in spans] == [(day, day) for day in expected]
    assert {span.confidence for span in spans} == {Confidence.ANNOUNCED}


def test_the_week_of_family_education() -> None:
    assert dates(BUNDLED.resolve("family_education_week", 2025)) == ("2025-05-12", "2025-05-18")
    assert dates(BUNDLED.resolve("family_education_week", 2027)) == ("2027-05-10", "2027-05-16")


def test_yearly_ranges_are_forecast_until_they_are_announced() -> None:
    season = BUNDLED.resolve("flood_season", 2025)
    assert (dates(season), season.confidence) == (("2025-06-01", "2025-09-30"), Confidence.FORECAST)
    assert season.why == "推定：2025年汛期暂按6月1日至9月30日，以当年公布为准"
    assert dates(BUNDLED.resolve("charity_period", 2024)) == ("2024-09-01", "2024-09-10")
    rule = {
        "kind": "range",
        "default": ["12-20", "01-10"],
        "years": {2025: {"first": "2025-06-15", "last": "2025-09-20", "source": "市防汛抗旱指挥部公告"}},
    }
    own = resolve(rule, 2025)
    assert (dates(own), own.confidence) == (("2025-06-15", "2025-09-20"), Confidence.ANNOUNCED)
    assert own.why == "2025年试依据市防汛抗旱指挥部公告"
    assert dates(resolve(rule, 2026)) == ("2026-12-20", "2027-01-10")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"kind": "weekday", "month": 5, "weekday": "sunday", "nth": "last"}, "2026-05-31"),
        ({"kind": "weekday", "month": 12, "weekday": "thursday", "nth": "last"}, "2026-12-31"),
        ({"kind": "weekday", "month": 2, "weekday": "monday", "nth": "last"}, "2026-02-23"),
        ({"kind": "weekday", "month": 6, "weekday": "monday", "nth": 1}, "2026-06-01"),
        ({"kind": "lunar", "month": 5, "day": 5}, "2026-06-19"),
    ],
)
def test_rules_for_one_day(rule: dict[str, Any], expected: str) -> None:
    assert dates(resolve(rule, 2026)) == (expected, expected)


def test_relative_to_a_vacation_or_term() -> None:
    before = resolve({"kind": "relative", "to": "summer", "edge": "first", "days": -14, "length": 14}, 2025)
    assert dates(before) == ("2025-06-28", "2025-07-11")
    assert before.confidence is Confidence.PLACEHOLDER
    assert before.why == "推定：2024-2025学年正式校历尚未录入，2025年暑假按惯例推定，以教育部门公布为准"
    assert dates(resolve({"kind": "relative", "to": "autumn", "edge": "last"}, 2025)) == ("2026-01-09", "2026-01-09")


def test_a_holiday_block() -> None:
    block = resolve({"kind": "holiday", "block": "national_day"}, 2025)
    assert (block.id, block.name, dates(block)) == ("it", "试", ("2025-10-01", "2025-10-08"))
    assert resolve({"kind": "holiday", "block": "national_day"}, 2027).confidence is Confidence.FORECAST


def test_occasions_are_observances_or_blocks() -> None:
    assert CALENDARS.occasion("disability_day", 2025) == BUNDLED.resolve("disability_day", 2025)
    assert CALENDARS.occasion("spring_festival", 2025) == CALENDARS.work.blocks(2025)[1]
    assert [CALENDARS.knows(id) for id in ("flood_season", "new_year", "flood")] == [True, True, False]
    with pytest.raises(NotFound, match=r"^没有“flood”这个纪念日、时段或假期$"):
        CALENDARS.occasion("flood", 2025)
    with pytest.raises(NotFound, match=r"^没有“flood”这个纪念日或时段$"):
        BUNDLED.resolve("flood", 2025)


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "fixed", "date": "02-29"},
        {"kind": "fixed", "date": "06-31"},
        {"kind": "fixed", "date": "六月一日"},
        {"kind": "weekday", "month": 5, "weekday": "sunday", "nth": 5},
        {"kind": "lunar", "month": 1, "day": 30},
        {"kind": "holiday", "block": "christmas"},
        {"kind": "relative", "to": "easter", "edge": "first"},
        {"kind": "moon"},
    ],
)
def test_rules_that_cannot_be(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        resolve(rule, 2025)
