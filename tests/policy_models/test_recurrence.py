"""The periods of every cadence, and what the plan's bounds make of them."""

from __future__ import annotations

from typing import Any

import pytest

from policy_models import calendar_file
from policy_models.calendars import Calendars, Confidence
from policy_models.plan import Plan, Requirement
from policy_models.recurrence import Period, periods

CALENDARS = calendar_file.load([calendar_file.BUNDLED])
Row = tuple[str, str, str, str]


def a_plan(starts_on: str, ends_on: str) -> Plan:
    return Plan.model_validate(
        {
            "code": "p",
            "title": "方案",
            "revision": 1,
            "starts_on": starts_on,
            "ends_on": ends_on,
            "coordinator": "民政局",
            "organs": {},
            "actions": [],
            "phases": [
                {"number": 1, "title": "一段", "starts_on": starts_on, "ends_on": "2025-06-30"},
                {"number": 2, "title": "二段", "starts_on": "2025-07-01", "ends_on": ends_on},
            ],
            "tasks": [{"number": 1, "title": "任务", "action": 1, "owners": ["民政局"]}],
        }
    )


PLAN = a_plan("2025-01-10", "2025-12-20")


def found(
    recurrence: dict[str, Any],
    *,
    plan: Plan = PLAN,
    section: str = "task-1",
    calendars: Calendars = CALENDARS,
    **more: Any,
) -> list[Period]:
    kind = "dated" if "deadline" in recurrence else "recurring" if "every" in recurrence else "on_event"
    body = {"code": "1.1", "title": "事项", "kind": kind, "assignee": {"level": "village"}, "recurrence": recurrence}
    source = [{"section": section, "phrase": "按时完成"}]
    requirement = Requirement.model_validate({**body, "source": source, **more})
    return periods(requirement, plan, section, calendars)


def rows(found: list[Period]) -> list[Row]:
    return [(p.code, str(p.first), str(p.last), str(p.deadline)) for p in found]


def test_once() -> None:
    (period,) = found({"deadline": "2025-06-30"})
    assert rows([period]) == [("once", "2025-01-10", "2025-06-30", "2025-06-30")]
    assert period.why == "方案载明的时限：2025年6月30日"
    (inferred,) = found({"deadline": "2025-06-30"}, inferred=["deadline"])
    assert inferred.why == "推定时限，方案未载明：2025年6月30日"


def test_months_quarters_halves_and_years_are_cut_at_both_ends() -> None:
    months = rows(found({"every": "month"}))
    assert [code for code, *_ in months] == [f"2025-{n:02}" for n in range(1, 13)]
    assert months[0] == ("2025-01", "2025-01-10", "2025-01-31", "2025-01-31")
    assert months[1] == ("2025-02", "2025-02-01", "2025-02-28", "2025-02-28")
    assert months[-1] == ("2025-12", "2025-12-01", "2025-12-20", "2025-12-20")
    assert rows(found({"every": "quarter"})) == [
        ("2025Q1", "2025-01-10", "2025-03-31", "2025-03-31"),
        ("2025Q2", "2025-04-01", "2025-06-30", "2025-06-30"),
        ("2025Q3", "2025-07-01", "2025-09-30", "2025-09-30"),
        ("2025Q4", "2025-10-01", "2025-12-20", "2025-12-20"),
    ]
    assert rows(found({"every": "half_year"})) == [
        ("2025-H1", "2025-01-10", "2025-06-30", "2025-06-30"),
        ("2025-H2", "2025-07-01", "2025-12-20", "2025-12-20"),
    ]
    (year,) = found({"every": "year"})
    assert rows([year]) == [("2025", "2025-01-10", "2025-12-20", "2025-12-20")]
    assert year.why == "2025年度，期末为2025年12月31日；方案或阶段于2025年12月20日结束，以此为限"


def test_days_of_grace_are_counted_from_the_end_or_the_start() -> None:
    assert rows(found({"every": "half_year", "due": {"days": 15}})) == [
        ("2025-H1", "2025-01-10", "2025-06-30", "2025-07-15"),
        ("2025-H2", "2025-07-01", "2025-12-20", "2025-12-20"),
    ]
    (period,) = found({"every": "year", "due": {"at": "start", "days": 90}})
    assert (str(period.deadline), period.why) == ("2025-04-01", "2025年度开始后90日内；2025年度，期末为2025年12月31日")


def test_a_phase_and_its_own_dates_narrow_a_requirement() -> None:
    assert [code for code, *_ in rows(found({"every": "quarter"}, section="phase-2"))] == ["2025Q3", "2025Q4"]
    own = found({"every": "month"}, starts_on="2025-03-15", ends_on="2025-04-15")
    assert rows(own) == [
        ("2025-03", "2025-03-15", "2025-03-31", "2025-03-31"),
        ("2025-04", "2025-04-01", "2025-04-15", "2025-04-15"),
    ]


def test_vacations_and_the_days_before_them() -> None:
    assert rows(found({"every": "vacation"})) == [
        ("2025-winter", "2025-01-11", "2025-03-02", "2025-03-02"),
        ("2025-summer", "2025-07-12", "2025-08-31", "2025-08-31"),
    ]
    assert [code for code, *_ in rows(found({"every": "vacation", "on": "summer"}))] == ["2025-summer"]
    before = found({"every": "before_vacation"}, plan=a_plan("2025-01-10", "2025-12-01"))
    assert rows(before) == [
        ("2025-before-winter", "2025-01-10", "2025-03-02", "2025-01-10"),
        ("2025-before-summer", "2025-06-11", "2025-08-31", "2025-07-11"),
    ]
    assert {p.confidence for p in before} == {Confidence.PLACEHOLDER}
    assert before[1].why.startswith("2025年暑假前一日；推定：2024-2025学年正式校历尚未录入")


def test_every_second_week_of_term() -> None:
    found_rows = rows(found({"every": "fortnight_in_term"}, starts_on="2025-03-01", ends_on="2025-07-20"))
    assert found_rows[0] == ("2025-spring-w02", "2025-03-03", "2025-03-16", "2025-03-16")
    assert found_rows[-1] == ("2025-spring-w20", "2025-07-07", "2025-07-11", "2025-07-11")
    assert len(found_rows) == 10


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        ({"every": "observance", "on": "disability_day"}, ("2025-disability_day", "2025-05-04", "2025-05-18")),
        ({"every": "observance", "on": ["childrens_day"]}, ("2025-childrens_day", "2025-05-18", "2025-06-01")),
        ({"every": "holiday", "on": "national_day"}, ("2025-national_day", "2025-09-16", "2025-09-30")),
        (
            {"every": "holiday", "on": "spring_festival", "due": {"days": 7}},
            ("2025-spring_festival", "2025-01-28", "2025-02-11"),
        ),
        ({"every": "range", "on": "charity_period"}, ("2025-charity_period", "2025-09-01", "2025-09-10")),
        (
            {"every": "range", "on": "flood_season", "due": {"at": "start"}},
            ("2025-flood_season", "2025-06-01", "2025-06-01"),
        ),
    ],
)
def test_occasions(recurrence: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert [(p.code, str(p.first), str(p.deadline)) for p in found(recurrence)] == [expected]


@pytest.mark.parametrize(
    "recurrence",
    [
        {"every": "observance", "on": "constitution_day"},
        {"every": "holiday", "on": "new_year"},
        {"every": "before_vacation", "on": "winter"},
    ],
)
def test_an_occasion_after_the_plan_is_not_owed(recurrence: dict[str, Any]) -> None:
    ends = {"constitution_day": "2025-11-30", "new_year": "2025-12-25", "winter": "2025-12-20"}[recurrence["on"]]
    plan = a_plan("2025-02-01", ends)
    assert rows(found(recurrence, plan=plan)) == []


def test_the_yearly_ranges_are_forecasts() -> None:
    (period,) = found({"every": "range", "on": "flood_season"})
    assert period.confidence is Confidence.FORECAST
    assert period.why == "推定：2025年汛期暂按6月1日至9月30日，以当年公布为准"


def test_what_happens_on_an_event_has_no_period() -> None:
    assert found({"within": "3d"}) == []


def test_years_without_a_school_calendar_are_placeholders() -> None:
    plan = a_plan("2025-01-01", "2030-12-31")
    last = found({"every": "vacation"}, plan=plan)[-1]
    assert (last.code, last.confidence) == ("2030-summer", Confidence.PLACEHOLDER)
    assert last.why == "推定：2029-2030学年校历尚未录入，2030年暑假按惯例推定"
