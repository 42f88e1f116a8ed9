"""The dated items of the bundled plan, without a ledger."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from policy_models.calendars import Confidence
from policy_models.plan_file import BUNDLED, load_pack
from policy_models.work_items import WorkItem, item_key, task_number, work_items

PACK = load_pack(BUNDLED)
ITEMS = list(work_items(PACK.plan, PACK.units, PACK.calendars))
VILLAGES = {unit.code for unit in PACK.units.values() if unit.level == "village"}
# Requirements whose dates hang on a school calendar (all placeholders) or on a range that is set each year.
BY_SCHOOL = {"2.4", "3.9", "5.4", "11.2", "11.7", "11.12", "13.4", "14.11", "15.3"}
BY_RANGE = {"11.6", "14.7", "14.8"}


def of(requirement: str) -> list[WorkItem]:
    return [item for item in ITEMS if item.requirement == requirement]


def test_a_winter_and_a_summer_visit_for_each_village_and_year() -> None:
    visits = Counter((item.unit, item.period) for item in of("5.4"))
    seasons = ["2024-summer", "2025-winter", "2025-summer", "2026-winter", "2026-summer"]
    assert visits == {(village, season): 1 for village in VILLAGES for season in seasons}
    assert len(VILLAGES) == 855


def test_lectures_before_each_vacation() -> None:
    found = {(item.period, item.deadline, item.remind_by) for item in of("13.4")}
    assert found == {
        ("2024-before-summer", date(2024, 7, 12), date(2024, 7, 12)),
        ("2025-before-winter", date(2025, 1, 10), date(2025, 1, 10)),
        ("2025-before-summer", date(2025, 7, 11), date(2025, 7, 11)),
        ("2026-before-winter", date(2026, 1, 9), date(2026, 1, 9)),
        ("2026-before-summer", date(2026, 7, 10), date(2026, 7, 10)),
    }


def test_the_day_of_the_disabled() -> None:
    (found,) = [item for item in of("9.12") if item.period == "2025-disability_day"]
    assert (found.key, found.task, found.unit) == ("baotou-2024:9.12:150200-cl:2025-disability_day", 9, "150200-cl")
    assert (found.deadline, found.remind_by, found.confidence) == (
        date(2025, 5, 18),
        date(2025, 5, 16),
        Confidence.ANNOUNCED,
    )
    assert found.why == "全国助残日为每年5月第三个星期日；当日休息（周末），请于2025年5月16日前报送"


def test_the_survey() -> None:
    found = of("P2.3")
    assert len(found) == 10
    assert {(i.deadline, i.remind_by, i.task) for i in found} == {(date(2024, 6, 30), date(2024, 6, 28), None)}


def test_the_end_of_the_plan() -> None:
    last = [item for item in ITEMS if item.deadline == date(2026, 10, 31)]
    assert {item.remind_by for item in last} == {date(2026, 10, 30)}
    assert {"P3.1", "P3.2", "P3.3", "S3.1", "S3.5", "5.5", "8.5"} <= {item.requirement for item in last}
    assert max(item.deadline for item in ITEMS) == date(2026, 10, 31)


def test_what_rests_on_a_placeholder_or_a_forecast_says_so() -> None:
    by_confidence: dict[Confidence, set[str]] = {confidence: set() for confidence in Confidence}
    for item in ITEMS:
        by_confidence[item.confidence].add(item.requirement)
        if item.confidence is not Confidence.ANNOUNCED:
            assert "推定" in item.why
    assert by_confidence[Confidence.PLACEHOLDER] == BY_SCHOOL
    inferred = {r.code for _, r in PACK.plan.requirements() if r.deadline and "deadline" in r.inferred}
    assert by_confidence[Confidence.FORECAST] == BY_RANGE | inferred
    assert by_confidence[Confidence.ANNOUNCED].isdisjoint(BY_SCHOOL | BY_RANGE | inferred)


def test_keys_are_unique_and_dates_in_order() -> None:
    assert len({item.key for item in ITEMS}) == len(ITEMS)
    work = PACK.calendars.work
    for item in {(i.opens_on, i.remind_by, i.deadline) for i in ITEMS}:
        opens_on, remind_by, deadline = item
        assert opens_on <= deadline
        assert remind_by == max(d for d in (deadline_minus(deadline, n) for n in range(12)) if work.is_workday(d))
        assert PACK.plan.starts_on <= opens_on
        assert deadline <= PACK.plan.ends_on


def deadline_minus(deadline: date, days: int) -> date:
    return date.fromordinal(deadline.toordinal() - days)


def test_items_come_by_requirement_and_deadline() -> None:
    order = {requirement.code: n for n, (_, requirement) in enumerate(PACK.plan.requirements())}
    places = [(order[item.requirement], item.deadline, item.period) for item in ITEMS]
    assert places == sorted(places)


def test_a_key_and_a_task_number() -> None:
    assert item_key("baotou-2024", "5.4", "150202001001", "2025-winter") == "baotou-2024:5.4:150202001001:2025-winter"
    assert [task_number(section) for section in ("task-5", "phase-2", "safeguard-3")] == [5, None, None]


@pytest.mark.parametrize("code", ["1.1", "4.4"])
def test_continuous_and_event_duties_have_no_dated_items(code: str) -> None:
    assert of(code) == []
