"""Work days against the published tables, against two other libraries, and against themselves."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_models import calendar_file
from policy_models.calendars import Confidence, HolidayBlock, HolidayYear, Layer, WorkCalendar, notice_missing, worst
from policy_models.errors import NotFound
from policy_models.holiday_layers import forecast_year, packaged_years

WORK = calendar_file.load([calendar_file.BUNDLED]).work
PACKAGED = WorkCalendar()
DATES = st.dates(date(2023, 1, 1), date(2028, 12, 31))

# The State Council's notices: off days, make-up work days.
OFF = {
    2024: ["1/1", "2/10-2/17", "4/4-4/6", "5/1-5/5", "6/10", "9/15-9/17", "10/1-10/7"],
    2025: ["1/1", "1/28-2/4", "4/4-4/6", "5/1-5/5", "5/31-6/2", "10/1-10/8"],
    2026: ["1/1-1/3", "2/15-2/23", "4/4-4/6", "5/1-5/5", "6/19-6/21", "9/25-9/27", "10/1-10/7"],
}
MAKE_UP = {
    2024: ["2/4", "2/18", "4/7", "4/28", "5/11", "9/14", "9/29", "10/12"],
    2025: ["1/26", "2/8", "4/27", "9/28", "10/11"],
    2026: ["1/4", "2/14", "2/28", "5/9", "9/20", "10/10"],
}


def on(year: int, text: str) -> date:
    month, day = map(int, text.split("/"))
    return date(year, month, day)


def every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_published_table_is_reproduced(year: int) -> None:
    expected = []
    for text in OFF[year]:
        first, _, last = text.partition("-")
        expected.append((on(year, first), on(year, last or first)))
    assert [(block.first, block.last) for block in WORK.arrangement(year).days_off] == expected
    assert list(WORK.arrangement(year).make_up) == [on(year, text) for text in MAKE_UP[year]]
    assert WORK.layer(year) is Layer.FILE


@pytest.mark.parametrize("calendar", [WORK, PACKAGED], ids=["files", "package"])
def test_every_day_of_2024_to_2026_agrees_with_chinese_calendar(calendar: WorkCalendar) -> None:
    days = every_day(date(2024, 1, 1), date(2026, 12, 31))
    assert [calendar.is_workday(d) for d in days] == [chinese_calendar.is_workday(d) for d in days]


def test_every_day_of_the_packaged_years_agrees_with_chinese_calendar() -> None:
    days = every_day(date(2016, 1, 1), date(2023, 12, 31))
    assert [PACKAGED.is_workday(d) for d in days] == [chinese_calendar.is_workday(d) for d in days]
    assert PACKAGED.layer(2023) is Layer.PACKAGE
    assert PACKAGED.confidence(2023) is Confidence.ANNOUNCED


def test_package_arrangements_are_sound_and_cross_the_years_end() -> None:
    assert {year: found.problems() for year, found in packaged_years().items() if found.problems()} == {}
    new_year = PACKAGED.blocks(2023)[0]
    assert (new_year.id, new_year.first, new_year.last) == ("new_year", date(2022, 12, 31), date(2023, 1, 2))
    assert PACKAGED.day(date(2022, 12, 31)).holiday == "元旦"


@pytest.mark.parametrize("year", range(2027, 2041))
def test_forecast_has_the_weekdays_off_that_the_holidays_package_has(year: int) -> None:
    theirs = {d for d in holidays.country_holidays("CN", years=year) if d.weekday() < 5}
    ours = {d for block in forecast_year(year).days_off for d in block.days() if d.weekday() < 5}
    assert ours == theirs


def test_forecast_says_so() -> None:
    day = WORK.day(date(2027, 5, 3))
    assert (day.is_workday, day.holiday, day.confidence) == (False, "劳动节", Confidence.FORECAST)
    assert day.why == "推定：2027年放假安排尚未公布，按周末和法定节假日推算，5月3日（周一）为劳动节放假"
    spring = WORK.blocks(2027)[1]
    assert (spring.id, spring.first, spring.last) == ("spring_festival", date(2027, 2, 5), date(2027, 2, 10))
    assert spring.confidence is Confidence.FORECAST
    assert spring.why == "推定：2027年放假安排尚未公布，按周末和法定节假日推算，春节为2月5日至2月10日"
    assert WORK.arrangement(2027).make_up == ()
    assert WORK.missing_years(date(2024, 5, 1), date(2028, 2, 1)) == (2027, 2028)


def test_days_explain_themselves() -> None:
    source = "《国务院办公厅关于2025年部分节假日安排的通知》（国办发明电〔2024〕12号）"
    make_up, off, plain = WORK.day(date(2025, 1, 26)), WORK.day(date(2025, 10, 6)), WORK.day(date(2024, 2, 9))
    assert (make_up.is_workday, make_up.make_up, make_up.holiday) == (True, True, None)
    assert make_up.why == f"1月26日（周日）调休上班，依据{source}"
    assert (off.is_workday, off.make_up, off.holiday) == (False, False, "中秋节、国庆节")
    assert off.why == f"10月6日（周一）中秋节、国庆节放假，依据{source}"
    assert (plain.is_workday, plain.holiday, plain.confidence) == (True, None, Confidence.ANNOUNCED)
    assert plain.why == "2月9日（周五）为工作日"
    assert WORK.day(date(2026, 10, 31)).why == "10月31日（周六）为休息日"


def test_blocks_have_their_ids_in_order() -> None:
    names = ["new_year", "spring_festival", "qingming", "labour_day", "dragon_boat", "mid_autumn", "national_day"]
    for year in (2023, 2024, 2025, 2026, 2027):
        assert [block.id for block in WORK.blocks(year)] == names
    mid_autumn, national = WORK.blocks(2025)[-2:]
    assert (
        (mid_autumn.first, mid_autumn.last) == (national.first, national.last) == (date(2025, 10, 1), date(2025, 10, 8))
    )


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        ("2024-02-09", 1, "2024-02-18"),  # over the Spring Festival to the make-up Sunday
        ("2024-02-10", 1, "2024-02-18"),  # from a day off the next work day counts as 1
        ("2024-02-10", -1, "2024-02-09"),
        ("2024-02-10", 0, "2024-02-10"),
        ("2024-12-31", 1, "2025-01-02"),  # over the year's end
        ("2025-01-02", -1, "2024-12-31"),
        ("2024-12-31", 600, "2027-06-07"),
        ("2025-10-11", -2, "2025-10-09"),
    ],
)
def test_shift(start: str, n: int, expected: str) -> None:
    assert WORK.shift(date.fromisoformat(start), n) == date.fromisoformat(expected)


def test_the_nearest_work_day() -> None:
    assert WORK.on_or_before(date(2024, 6, 30)) == date(2024, 6, 28)
    assert WORK.on_or_before(date(2026, 10, 31)) == date(2026, 10, 30)
    assert WORK.on_or_before(date(2026, 10, 30)) == date(2026, 10, 30)
    assert WORK.on_or_after(date(2025, 10, 1)) == date(2025, 10, 9)
    assert WORK.on_or_after(date(2025, 9, 28)) == date(2025, 9, 28)


@given(DATES, DATES)
def test_count_is_what_counting_gives(a: date, b: date) -> None:
    low, high = min(a, b), max(a, b)
    counted = sum(WORK.is_workday(d) for d in every_day(low, high)[1:])
    assert WORK.count(a, b) == (counted if a <= b else -counted)


@given(DATES, st.integers(-300, 300).filter(bool))
def test_shift_and_count_agree(d: date, n: int) -> None:
    found = WORK.shift(d, n)
    assert WORK.is_workday(found)
    # Backwards from a work day, the start itself is counted and the end is not.
    assert WORK.count(d, found) == (n if n > 0 else n + (not WORK.is_workday(d)))


def test_a_year_file_wins_over_the_package_and_reaches_into_december() -> None:
    own = packaged_years()[2026].model_copy(
        update={
            "year": 2027,
            "source": "试",
            "days_off": (HolidayBlock(festivals=("new_year",), first="2026-12-31", last="2027-01-02"),),
            "make_up": (date(2026, 12, 27),),
        }
    )
    calendar = WorkCalendar([own])
    assert calendar.layer(2027) is Layer.FILE
    assert [calendar.is_workday(date(2026, 12, d)) for d in (27, 30, 31)] == [True, True, False]
    assert [WORK.is_workday(date(2026, 12, d)) for d in (27, 30, 31)] == [False, True, True]
    assert calendar.day(date(2026, 12, 27)).why == "12月27日（周日）调休上班，依据试"
    assert calendar.blocks(2027)[0].first == date(2026, 12, 31)


def test_outside_the_lunar_table_is_a_sentence() -> None:
    with pytest.raises(NotFound, match=r"^日历只到1901年至2099年，没有2100年$"):
        WORK.is_workday(date(2100, 1, 4))


def test_the_missing_notice_is_a_warning_from_25_october() -> None:
    sentence = "2027年放假安排尚未录入，有关日期均为推定，请在国务院办公厅通知公布后导入"
    assert notice_missing(WORK, date(2026, 10, 24)) is None
    assert notice_missing(WORK, date(2026, 10, 25)) == sentence
    assert notice_missing(WORK, date(2026, 12, 31)) == sentence
    assert notice_missing(WORK, date(2025, 12, 31)) is None


def test_worst() -> None:
    announced, forecast, placeholder = Confidence.ANNOUNCED, Confidence.FORECAST, Confidence.PLACEHOLDER
    assert worst(announced, forecast) is worst(forecast, announced) is forecast
    assert worst(forecast, placeholder) is worst(placeholder, announced) is placeholder
    assert worst(announced, announced) is announced


def test_a_complete_year_has_no_problem_and_each_contradiction_is_one() -> None:
    sound = WORK.arrangement(2026)
    assert sound.problems() == []

    def changed(**update: object) -> list[tuple[tuple[str | int, ...], str]]:
        return HolidayYear.model_validate({**sound.model_dump(), **update}).problems()

    off = [block.model_dump() for block in sound.days_off]
    assert changed(make_up=["2026-05-06"]) == [(("make_up", 0), "调休上班日5月6日是周三，本来就是工作日")]
    assert changed(make_up=["2026-02-21"]) == [(("make_up", 0), "调休上班日2月21日在放假期间内")]
    assert changed(make_up=["2025-05-10"]) == [(("make_up", 0), "调休上班日2025-05-10不在2026年的放假安排前后")]
    assert changed(make_up=["2026-05-09", "2026-05-09"]) == [(("make_up",), "同一个调休上班日写了两次")]
    assert changed(days_off=off[:6]) == [(("days_off",), "没有国庆节的放假安排")]
    assert changed(days_off=[*off[:2], off[3], off[2], *off[4:]]) == [
        (("days_off", 3), "清明节与劳动节的放假日期重叠或次序颠倒")
    ]
    long = [*off[:6], {**off[6], "last": "2026-10-20"}]
    assert changed(days_off=long) == [
        (("days_off", 6), "国庆节放假超过15天，请核对"),
        (("make_up", 5), "调休上班日10月10日在放假期间内"),
    ]
    wrong = [off[0], {**off[1], "first": "2026-02-18"}, *off[2:]]
    assert changed(days_off=wrong) == [(("days_off", 1), "春节放假不含春节当日（2026年为2月17日）")]
