"""The State Council's notices, as published, as pasted, and as they must not be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policy_models.calendars import HolidayYear
from policy_models.errors import CalendarInvalid
from policy_models.holiday_layers import packaged_years
from policy_models.holiday_notice import parse

NOTICES = {year: (Path(__file__).parent / "notices" / f"{year}.txt").read_text("utf-8") for year in (2024, 2025, 2026)}
N2026 = NOTICES[2026]


def content(year: HolidayYear) -> tuple[object, ...]:
    return [(b.festivals, b.first, b.last) for b in year.days_off], year.make_up


def refused(text: str, year: int | None = None) -> list[tuple[str, str]]:
    with pytest.raises(CalendarInvalid) as caught:
        parse(text, year)
    return [(fault.field, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize("year", NOTICES)
def test_each_notice_gives_what_was_published(year: int) -> None:
    found, known = parse(NOTICES[year]), packaged_years()[year]
    # The package counts a plain weekend before 1 January 2024 to the block; 2024's notice does not.
    off = [(b.festivals, max(b.first, date(year, 1, 1)), b.last) for b in known.days_off]
    assert content(found) == (off, known.make_up)


def test_where_it_comes_from() -> None:
    found = parse(NOTICES[2025])
    assert found.source == "《国务院办公厅关于2025年部分节假日安排的通知》（国办发明电〔2024〕12号）"
    assert found.published_on == date(2024, 11, 12)
    bare = parse(N2026.split("7号")[1].split("国务院办公厅")[0], 2026)
    assert (bare.source, bare.published_on) == ("《国务院办公厅关于2026年部分节假日安排的通知》", None)
    assert content(bare) == content(parse(N2026))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.translate({ord("0") + n: "０１２３４５６７８９"[n] for n in range(10)}),
        lambda text: text.replace("月", " 月 ").replace("日", "\u3000日").replace("放假", "放\n假"),
        lambda text: text.replace("（", "(").replace("）", ")").replace("：", ":").replace("，", ","),
        lambda text: text.replace("周", "星期"),
        lambda text: text.replace("至", "—"),
        lambda text: "".join("\u200b" + c for c in text),
        lambda text: text.replace("一、元旦", "（一）元旦").replace("七、国庆节", "（七）国庆节"),
        lambda text: text.replace("共9天", "共九天"),
        lambda text: text + "责任编辑：某某\n相关阅读：11月5日 2026年春节放假8天，元旦：1月1日放假",
    ],
    ids=[
        "bom-crlf",
        "full-width",
        "spaces",
        "ascii",
        "weekday",
        "dash",
        "zero-width",
        "numbering",
        "chinese-number",
        "web-page",
    ],
)
def test_pasted_from_anywhere(change: object) -> None:
    assert content(parse(change(N2026))) == content(parse(N2026))  # type: ignore[operator]


def test_a_block_may_cross_the_years_end() -> None:
    crossing = "一、元旦：2025年12月31日至2026年1月2日放假调休，共3天。2025年12月28日（星期日）上班。"
    head, tail = N2026.split("一、元旦")[0], N2026[N2026.index("二、春节") :]
    found = parse(head + crossing + tail)
    assert (found.days_off[0].first, found.days_off[0].last) == (date(2025, 12, 31), date(2026, 1, 2))
    assert found.make_up[0] == date(2025, 12, 28)
    # Without years: December of 元旦 is the year before.
    bare = crossing.replace("2025年", "").replace("2026年", "")
    assert content(parse(head + bare + tail)) == content(found)


def test_rest_and_advice_are_not_days_off() -> None:
    assert date(2024, 2, 9) not in {day for block in parse(NOTICES[2024]).days_off for day in block.days()}
    assert parse(NOTICES[2024]).make_up[0] == date(2024, 2, 4)


@pytest.mark.parametrize(
    ("old", "new", "faults"),
    [
        ("共9天", "共8天", [("春节", "写作共8天，所列日期为9天")]),
        ("2月14日（周六）", "2月14日（周五）", [("春节", "2026年2月14日写作周五，实为周六")]),
        ("5月9日（周六）上班", "5月8日上班", [("调休上班", "调休上班日5月8日是周五，本来就是工作日")]),
        ("5月9日（周六）上班", "5月2日上班", [("调休上班", "调休上班日5月2日在放假期间内")]),
        ("2月28日（周六）", "2月30日（周六）", [("春节", "没有2026年2月30日这一天")]),
        ("6月19日（周五）至21日（周日）", "6月21日至19日", [("端午节", "6月21日至19日：结束早于开始")]),
        ("7日（周三）放假调休", "7日（周三）放一放", [("国庆节", "没有读到放假日期")]),
        ("4月4日（周六）至6日", "4日（周六）至6日", [("清明节", "“4日(周六)”没有写明月份")]),
        ("七、国庆节", "七、建国节", [("建国节", "不认识的节日“建国节”")]),
        ("六、中秋节：9月25日（周五）至27日（周日）放假，共3天。", "", [("放假", "没有中秋节的放假安排")]),
        ("5月9日（周六）上班", "5月9日（周六）要上班", [("劳动节", "看不懂这一句：5月9日(周六)要上班")]),
        ("月4日（周六）至6日（周一）放假，共3天", "月4日、6日放假，共2天", [("清明节", "放假日期不相连，请核对")]),
        ("9月25日（周五）至27日（周日）", "9月26日至28日", [("中秋节", "中秋节放假不含中秋节当日（2026年为9月25日）")]),
    ],
)
def test_contradictions_are_refused(old: str, new: str, faults: list[tuple[str, str]]) -> None:
    assert N2026.count(old) == 1
    assert refused(N2026.replace(old, new)) == faults


def test_all_faults_at_once() -> None:
    text = N2026.replace("共9天", "共8天").replace("2026年部分", "2026年").replace("共7天", "共6天")
    assert [field for field, _ in refused(text)] == ["春节", "国庆节"]


def test_the_year_must_be_clear() -> None:
    body = N2026[N2026.index("一、元旦") :]
    assert refused(body) == [("year", "标题中没有年份，请写明是哪一年的通知")]
    assert refused(N2026, 2027) == [("year", "通知是2026年的，与指定的2027年不符")]
    assert refused(N2026 + NOTICES[2025]) == [("year", "标题中的年份不止一个，请写明是哪一年的通知")]
    assert refused(body, 2200) == [("year", "没有2200年的日历")]
    assert refused("关于召开会议的通知", 2026) == [("", "没有读到任何节日的放假安排")]


def test_a_wrong_year_is_noticed_by_the_weekdays() -> None:
    text = N2026.replace("2026年部分节假日", "2027年部分节假日")
    assert ("元旦", "2027年1月1日写作周四，实为周五") in refused(text)


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "一、元旦：",
        "元旦：1月1日放假" * 50,
        "（" * 5000,
        "1日、" * 5000,
        "一、" * 5000 + "：",
        "元旦：" + "1月1日、" * 4000 + "放假",
    ],
)
@pytest.mark.timeout(5)
def test_junk_is_refused_quickly(junk: str) -> None:
    assert refused(junk, 2026) != []
