"""Sections of a report: who tells of what, what is asked in words, when it is complete."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from policy_models.plan import Plan
from policy_models.plan_file import BUNDLED, Pack, load_pack
from policy_models.reports import (
    HIGHLIGHTS,
    NEXT,
    OVERVIEW,
    PROBLEMS,
    SectionText,
    checklist,
    section_title,
    sections_of,
    speaks_for,
    unfinished,
)
from tests.factories import BUREAU, SCHOOLS, tiny_pack
from tests.reporting import COUNTY, with_reports

SPAN = {"first": date(2025, 1, 1), "last": date(2025, 6, 30)}


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(BUNDLED)


def tasks(sections: tuple[str, ...]) -> list[int]:
    return [int(one.removeprefix("task-")) for one in sections if one.startswith("task-")]


@pytest.mark.parametrize(
    ("name", "wanted", "others"),
    [
        ("残联", [9], ["safeguard-1", "safeguard-3", "safeguard-4"]),
        ("教育局", [1, 2, 3, 4, 5, 6, 10, 12, 13, 14, 18], ["phase-2", "safeguard-1", "safeguard-3", "safeguard-4"]),
        (
            "民政局",
            [*range(1, 15), 16, 17, 18],
            ["phase-2", "safeguard-1", "safeguard-2", "safeguard-3", "safeguard-4"],
        ),
    ],
)
def test_departments_tell_of_their_tasks_and_their_line(
    pack: Pack, name: str, wanted: list[int], others: list[str]
) -> None:
    unit = pack.units[pack.plan.organs[name]]
    found = sections_of(pack.plan, unit, pack.units, **SPAN)
    assert tasks(found) == wanted
    assert [one for one in found if one.startswith(("phase", "safeguard"))] == others
    assert (found[0], found[-3:]) == (OVERVIEW, (HIGHLIGHTS, PROBLEMS, NEXT))


def test_every_owner_in_a_bracket_tells_of_that_task(pack: Pack) -> None:
    plan = pack.plan
    silent = [
        (task.number, owner)
        for task in plan.tasks
        for owner in task.owners
        if f"task-{task.number}" not in sections_of(plan, pack.units[plan.organs[owner]], pack.units)
    ]
    assert silent == []


def test_ten_county_bureaus_tell_of_all_that_is_owed_in_their_county(pack: Pack) -> None:
    bureaus = [u for u in pack.units.values() if u.level == "county" and u.function == "民政"]
    found = Counter(sections_of(pack.plan, unit, pack.units, **SPAN) for unit in bureaus)
    [(sections, count)] = found.items()
    assert count == 10
    assert tasks(sections) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 16, 18]


def test_phases_that_are_over_are_not_asked_for(pack: Pack) -> None:
    bureau = pack.units[pack.plan.organs["民政局"]]
    late = sections_of(pack.plan, bureau, pack.units, first=date(2026, 1, 1), last=date(2026, 6, 30))
    assert "phase-2" not in late
    assert "phase-2" in sections_of(pack.plan, bureau, pack.units)


def test_whom_a_unit_speaks_for(tmp_path: Path) -> None:
    units = tiny_pack(tmp_path, with_reports).units
    assert speaks_for(units[SCHOOLS], units) == {SCHOOLS, "9001-jy", "9002-jy"}
    assert {code for code in units if units.county_of(code) == "9001"} == speaks_for(units[COUNTY], units)
    assert speaks_for(units[BUREAU], units) == set(units) - {"9000", SCHOOLS, "9001-jy", "9002-jy"}


def test_every_continuous_duty_of_the_plan_is_asked_of_somebody(pack: Pack) -> None:
    plan, submitters = pack.plan, _submitters(pack)
    asked = {
        one.code
        for unit in submitters
        for section in sections_of(plan, unit, pack.units)
        for one in checklist(plan, unit, pack.units, section)
    }
    lasting = {one.code for _, one in plan.requirements() if one.kind == "continuous"}
    assert lasting - asked == set()


def _submitters(pack: Pack) -> list:  # type: ignore[type-arg]
    found = [one for _, one in pack.plan.requirements() if one.collects == "report"]
    return [unit for one in found for unit in pack.units.assigned(one.assignee, pack.plan.organs)]


def test_the_sixteen_departments_and_ten_bureaus(pack: Pack) -> None:
    assert len(_submitters(pack)) == len({unit.code for unit in _submitters(pack)}) == 26


def test_titles(pack: Pack) -> None:
    plan: Plan = pack.plan
    assert section_title(plan, OVERVIEW) == "总体情况"
    assert section_title(plan, "task-5") == f"任务5 {plan.task(5).title}"  # type: ignore[union-attr]
    assert section_title(plan, "phase-2") == "第二阶段 重点推进"
    assert section_title(plan, "task-99") == "任务99"


def test_when_a_report_is_complete(tmp_path: Path) -> None:
    pack = tiny_pack(tmp_path, with_reports)
    unit = pack.units[COUNTY]
    wanted = sections_of(pack.plan, unit, pack.units)
    lists = {name: checklist(pack.plan, unit, pack.units, name) for name in wanted}
    assert unfinished(wanted, {}, lists) == {
        "overview": "尚未填写",
        "task-1": "尚未填写",
        "task-2": "还有 1 项持续开展的工作未说明",
        "phase-1": "尚未填写",
        "problems": "尚未填写",
        "next": "尚未填写",
    }
    full = {name: SectionText(name, "有") for name in ("overview", "task-1", "phase-1", "problems", "next")}
    assert unfinished(wanted, full, lists) == {"task-2": "还有 1 项持续开展的工作未说明"}
    blank = SectionText("task-2", "有", {"2.3": " 　"})
    assert unfinished(wanted, {**full, "task-2": blank}, lists) == {"task-2": "还有 1 项持续开展的工作未说明"}
    assert unfinished(wanted, {**full, "task-2": SectionText("task-2", "", {"2.3": "无新增"})}, lists) == {}
