"""通报: periods, the day of issue, what is said, and the frozen text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from policy_models.circular_periods import CircularKind, last_ended, period_of, period_with
from policy_models.circular_words import percent, worded
from policy_models.circulars import (
    AreaLine,
    Chased,
    Circular,
    ComingLine,
    RoundLine,
    TaskLight,
    from_json,
    to_json,
    worst_first,
)
from policy_models.errors import NotFound
from policy_models.plan_file import BUNDLED, load_pack
from policy_models.timing import Light

WEEKLY, MONTHLY = CircularKind.WEEKLY, CircularKind.MONTHLY
WORK = load_pack(BUNDLED).calendars.work


def test_a_week_runs_from_monday_to_sunday_by_the_iso_year() -> None:
    for code, first, last in (
        ("2025-W14", "2025-03-31", "2025-04-06"),
        ("2025-W01", "2024-12-30", "2025-01-05"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
    ):
        found = period_of("weekly", code)
        assert (found.code, str(found.first), str(found.last)) == (code, first, last)
        assert {period_with(WEEKLY, found.first + timedelta(days=n)) for n in range(7)} == {found}
    assert period_of("weekly", "2025-W01").name == "2025年第1周"
    assert period_of("weekly", "2026-W53").next.code == "2027-W01"
    assert period_of("weekly", "2025-W01").before.code == "2024-W52"


def test_a_month_runs_from_its_first_to_its_last_day() -> None:
    found = period_of("monthly", "2024-02")
    assert (found.name, found.days, found.first, found.last) == (
        "2024年2月",
        "2月1日至29日",
        date(2024, 2, 1),
        date(2024, 2, 29),
    )
    assert (found.before.code, found.next.code) == ("2024-01", "2024-03")


@pytest.mark.parametrize("kind", ["weekly", "monthly"])
@pytest.mark.parametrize(
    "code",
    ["2025-W54", "2025-W53", "2025-W00", "2025-13", "2025-00", "2025-W1", "25-W14", "", "２０２５-０３", "2025-3", "1999-W14",
     "2091-01", "2025-W14\n", "9999-W52", "2025-03; DROP TABLE circular", "2025-W14" * 40],
)  # fmt: skip
def test_what_is_no_period_is_refused_with_an_example(kind: str, code: str) -> None:
    with pytest.raises(NotFound, match="2025-W14" if kind == "weekly" else "2025-03"):
        period_of(kind, code)
    with pytest.raises(NotFound, match="周通报"):
        period_of("yearly", code)


def test_it_is_issued_on_the_first_work_day_after() -> None:
    issued = {code: str(period_of("weekly", code).issued_on(WORK)) for code in ("2025-W14", "2025-W39", "2026-W06")}
    # 2025-W39 ends on 28 September, a make-up Sunday; 2026-W07 is followed by 春节 from 15 to 23 February
    assert issued == {"2025-W14": "2025-04-07", "2025-W39": "2025-09-29", "2026-W06": "2026-02-09"}
    assert str(period_of("weekly", "2026-W07").issued_on(WORK)) == "2026-02-24"
    assert str(period_of("monthly", "2025-09").issued_on(WORK)) == "2025-10-09"
    assert str(period_of("monthly", "2024-12").issued_on(WORK)) == "2025-01-02"


def test_a_week_that_is_all_holiday_has_none_of_its_own() -> None:
    assert not period_of("weekly", "2026-W08").has_work(WORK)
    assert last_ended(WEEKLY, date(2026, 2, 24), WORK).code == "2026-W07"
    assert last_ended(WEEKLY, date(2026, 3, 2), WORK).code == "2026-W09"
    assert last_ended(MONTHLY, date(2026, 3, 1), WORK).code == "2026-02"


def test_each_period_of_three_years_with_work_has_one_day_of_issue_and_weeks_never_two_on_a_day() -> None:
    days, seen = [date(2024, 5, 1) + timedelta(days=n) for n in range(1096)], []
    for day in days:
        found = last_ended(WEEKLY, day, WORK)
        if found.issued_on(WORK) == day:
            seen.append((day, found.code))
    weeks = [period_with(WEEKLY, date(2024, 4, 29) + timedelta(weeks=n)) for n in range(160)]
    assert [code for _, code in seen] == [
        one.code for one in weeks if one.has_work(WORK) and one.issued_on(WORK) <= days[-1]
    ]
    assert len({day for day, _ in seen}) == len(seen) == len({code for _, code in seen})
    assert all(WORK.is_workday(day) for day, _ in seen)


def test_a_plan_has_them_from_its_beginning_until_a_month_after_its_end() -> None:
    days = (date(2024, 5, 1), date(2026, 10, 31))
    codes = ["2024-04", "2024-05", "2026-11", "2026-12"]
    assert [period_of("monthly", code).concerns(*days) for code in codes] == [False, True, True, False]


AREAS = (
    AreaLine("01", "东河区", False, 100, 60, 50, 55, 60, 48, 5, 4, 1, 12, 9, 2, 1, 11, 44, 3, 100),
    AreaLine("02", "石拐区", False, 50, 30, 30, 30, 30, 30, 0, 0, 0, 6, 6, 0, 0, 6, 24, 0, 50),
    AreaLine("jy", "市教育局", True, 10, 6, 3, 3, 6, 3, 1, 2, 2, 2, 0, 1, 1, 0, 3, 1, 10),
)
FACTS = Circular(
    WEEKLY,
    "2025-W14",
    date(2025, 4, 6),
    "tiny-2025",
    "小方案",
    "市民政局",
    False,
    AREAS,
    (
        TaskLight(1, "任务一", Light.GREEN, 80, 40, 0),
        TaskLight(2, "任务二", Light.RED, 60, 40, 6),
        TaskLight(3, "任务三", Light.YELLOW, 20, 8, 0),
        TaskLight(4, "任务四", Light.GREY, 0, 0, 0, continuous=True),
    ),
    (ComingLine(date(2025, 4, 13), date(2025, 4, 11), "1.2", "开展走访", "task-1", "2025年4月", 855, 800, True),),
    20,
    2,
    Chased(12, 2, 7, 9, 6, 1),
    (RoundLine("2025-H1", "2025年上半年", date(2025, 7, 15), 26, 4, 2, 1, 0),),
)


def said(circular: Circular) -> dict[str, str]:
    return {one.heading: one.text for one in circular.sections}


def test_what_is_said() -> None:
    told = worded(FACTS)
    assert told.title == "方案落实情况周通报（2025年第14周）"
    assert said(told) == {
        "总体进展": "截至4月6日，方案全程应办160件，时限已到96件；已办结88件，办结率55.0%，序时进度60.0%，落后5.0个百分点。"
        "比上周末增加办结17件，办结率提高10.6个百分点。",
        "本周到期和办结": "时限在本周的办理件20件，截至4月6日已办结15件（75.0%），待审核3件，逾期未报2件。"
        "本周共报送20件次，审核办结17件，退回2件次。",
        "逾期情况": "截至4月6日，逾期6件，其中严重逾期（超过5个工作日或两次退回）3件，比上周末增加2件。"
        "旗县区中，东河区4件（时限已到60件），其余1个没有逾期。市直部门中，市教育局2件（时限已到6件）。",
        "重点任务": "4项重点任务中，严重逾期1项（任务2），临期1项（任务3），正常1项，持续开展1项。",
        "下周到期事项": "下周（4月7日至13日）到期1项、855件，其中待报送800件："
        "“开展走访”4月13日到期（推定），855个单位，请于4月11日（周五）前报送。",
        "催办情况": "本周向7个单位发出催办12件次（其中人工催办2件次），涉及办理件9件；"
        "催办后3个工作日内报送6件（66.7%），1件尚未满3个工作日。",
        "半年报送": "2025年上半年报送（时限7月15日）应报26个单位，已报送4个，齐报率15.4%，审核通过2个，退回1个。",
    }


def test_a_month_speaks_of_months() -> None:
    told = worded(replace(FACTS, kind=MONTHLY, period="2025-03", day=date(2025, 3, 31), unreachable=3))
    assert told.title == "方案落实情况月通报（2025年3月）"
    assert not any("周末" in text or "本周" in text or "下周" in text for text in said(told).values())
    assert said(told)["联络情况"] == "目前有3个承担任务的单位没有可以联系到的联络员，请有关单位及时补充。"
    assert len(told.sections) == 8


def test_nothing_to_say_is_said_in_a_sentence() -> None:
    none = replace(FACTS, areas=(), coming=(), chased=Chased(), rounds=(), tasks=(), submitted=0, returned=0)
    assert said(worded(none)) == {
        "总体进展": "截至4月6日，没有应办的办理件。",
        "本周到期和办结": "本周没有到期的办理件。本周共报送0件次，审核办结0件，退回0件次。",
        "逾期情况": "截至4月6日，没有逾期的办理件。",
        "下周到期事项": "下周（4月7日至13日）没有到期事项。",
        "催办情况": "本周没有发出催办。",
    }


def test_at_most_five_areas_are_named_worst_first() -> None:
    lines = tuple(AreaLine(f"{n:02}", f"{n}县", False, due=10 * n, overdue=n % 7) for n in range(1, 10))
    text = said(worded(replace(FACTS, areas=lines)))["逾期情况"]
    assert (
        "旗县区中，6县6件（时限已到60件）、5县5件（时限已到50件）、4县4件（时限已到40件）、3县3件（时限已到30件）、"
        in text
    )
    assert text.endswith("2县2件（时限已到20件）等8个单位有逾期，其余1个没有逾期。")
    equal = (
        AreaLine("02", "乙", due=10, overdue=2),
        AreaLine("01", "甲", due=20, overdue=2),
        AreaLine("03", "丙", due=20),
    )
    assert [one.name for one in worst_first(equal)] == ["乙", "甲", "丙"]


def test_percent_rounds_half_up_and_never_divides_by_nothing() -> None:
    cases = [(1, 8), (1, 2000), (1, 2001), (2, 3), (5, 5), (0, 7), (0, 0)]
    assert [percent(*case) for case in cases] == ["12.5%", "0.1%", "0.0%", "66.7%", "100.0%", "0.0%", "–"]


def test_what_is_frozen_comes_back_and_equal_facts_give_equal_text() -> None:
    told = worded(replace(FACTS, issued_on=date(2025, 4, 7), bureau='甲 < & "丙" 圐圙'))
    text = to_json(told)
    assert from_json(text) == told
    assert to_json(from_json(text)) == text
    kept = json.loads(text)
    assert (kept["title"], kept["paragraphs"]) == (told.title, [one.text for one in told.sections])
    older = json.dumps({k: v for k, v in kept.items() if k not in ("unreachable", "issued_on")})
    assert from_json(older).issued_on is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"kind": "weekly"}', "\x00"])
def test_what_is_no_circular_is_not_read(text: str) -> None:
    with pytest.raises(NotFound, match="已损坏"):
        from_json(text)


def test_a_total_is_the_sum_of_its_lines() -> None:
    assert (FACTS.total.expected, FACTS.total.overdue, FACTS.total.closed) == (160, 6, 17)
    assert [one.name for one in FACTS.counties] == ["东河区", "石拐区"]
    assert [one.name for one in FACTS.departments] == ["市教育局"]
