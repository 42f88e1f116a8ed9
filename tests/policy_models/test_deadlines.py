"""Duties: the legal deadline, the work day to aim at, and the sentence that says why."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from policy_models import calendar_file
from policy_models.calendars import Confidence
from policy_models.deadlines import Duty, timetable
from policy_models.plan_file import BUNDLED, Pack, load_pack
from tests.factories import COUNTIES, Files, requirement_of, tiny_files, tiny_pack, tiny_units, write_files

OFFICIAL = {"school_year": "2024-2025", "status": "official", "issuer": "市教育局", "document": "小教〔2024〕1号"}


def by_period(duties: list[Duty], requirement: str) -> dict[str, Duty]:
    return {duty.period: duty for duty in duties if duty.requirement == requirement}


def test_a_deadline_on_a_rest_day_aims_at_the_work_day_before() -> None:
    pack = load_pack(BUNDLED)
    survey = by_period(timetable(pack.plan, pack.calendars), "P2.3")["once"]
    assert (survey.opens_on, survey.deadline, survey.remind_by, survey.phase) == (
        date(2024, 6, 1),
        date(2024, 6, 30),
        date(2024, 6, 28),
        2,
    )
    assert survey.why == "方案载明的时限：2024年6月30日；当日休息（周末），请于2024年6月28日前报送"


def test_opening_days_never_lie_before_the_bounds_or_after_the_deadline(tmp_path: Path) -> None:
    def change(files: Files) -> None:
        requirement_of(files, "1.1")["opens"] = {"days_before": 10}
        requirement_of(files, "2.1")["opens"] = {"days_before": 200}
        requirement_of(files, "P1.1")["opens"] = {"on": "2025-03-01"}
        requirement_of(files, "1.2")["starts_on"] = "2025-06-15"

    pack = tiny_pack(tmp_path, change)
    duties = timetable(pack.plan, pack.calendars)
    assert by_period(duties, "1.1")["once"].opens_on == date(2025, 6, 20)
    assert [str(duty.opens_on) for duty in by_period(duties, "2.1").values()] == [
        "2025-01-01",
        "2025-01-01",
        "2025-03-14",
        "2025-06-14",
    ]
    assert by_period(duties, "P1.1")["once"].opens_on == date(2025, 3, 1)
    assert by_period(duties, "1.2")["2025-06"].opens_on == date(2025, 6, 15)


def school(folder: Path, **more: object) -> Pack:
    vacations = {
        "winter": {"primary": {"first": "2025-01-11", "last": "2025-02-23"}},
        "summer": {"primary": {"first": "2025-07-12", "last": "2025-08-31"}},
    }
    files = tiny_files()
    files["calendars/school/2024-2025.yaml"] = {**OFFICIAL, "vacations": vacations, **more}
    return load_pack(write_files(folder, files, tiny_units()))


def test_one_timetable_for_everybody_while_the_counties_agree(tmp_path: Path) -> None:
    pack = school(tmp_path)
    vacations = [d for d in timetable(pack.plan, pack.calendars, COUNTIES) if d.requirement == "2.2"]
    assert [(d.period, d.area, d.deadline, d.confidence, d.why) for d in vacations] == [
        (
            "2025-winter",
            None,
            date(2025, 2, 23),
            Confidence.ANNOUNCED,
            "2025年寒假依据市教育局校历（小教〔2024〕1号）；当日休息（周末），请于2025年2月21日前报送",
        ),
        (
            "2025-summer",
            None,
            date(2025, 8, 31),
            Confidence.ANNOUNCED,
            "2025年暑假依据市教育局校历（小教〔2024〕1号）；当日休息（周末），请于2025年8月29日前报送",
        ),
    ]


def test_a_timetable_for_each_county_as_soon_as_one_differs(tmp_path: Path) -> None:
    other = {"vacations": {"winter": {"primary": {"first": "2025-01-11", "last": "2025-02-16"}}}}
    calendars = calendar_file.parse_texts({})
    assert calendars.school.status(2025) == "missing"
    pack = school(tmp_path, overrides={"900200": other})
    duties = timetable(pack.plan, pack.calendars, ["900100", "900200"])
    winter = {d.area: str(d.deadline) for d in duties if d.period == "2025-winter"}
    assert winter == {"": "2025-02-23", "900100": "2025-02-23", "900200": "2025-02-16"}


def test_a_rest_day_of_a_forecast_year_says_so(tmp_path: Path) -> None:
    def change(files: Files) -> None:
        files["plan.yaml"]["ends_on"] = files["plan.yaml"]["phases"][0]["ends_on"] = "2029-12-31"

    pack = tiny_pack(tmp_path, change)
    sunday = by_period(timetable(pack.plan, pack.calendars), "1.2")["2028-04"]
    assert (sunday.deadline, sunday.confidence) == (date(2028, 4, 30), Confidence.FORECAST)
    assert "推定" in sunday.why


def test_the_day_to_aim_at_is_not_before_the_opening(tmp_path: Path) -> None:
    pack = tiny_pack(tmp_path, lambda files: requirement_of(files, "1.2").update(starts_on="2025-05-31"))
    may = by_period(timetable(pack.plan, pack.calendars), "1.2")["2025-05"]
    assert may.opens_on <= may.remind_by
