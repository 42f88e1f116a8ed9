"""Figures, dates and answers as people type them."""

from datetime import date, datetime, time

import pytest

from policy_models.workbook import Raw
from policy_models.workbook_cells import Wrong, choice, day, number, text, words

TODAY = date(2025, 6, 30)


@pytest.mark.parametrize(
    ("raw", "figure"),
    [
        (None, None),
        ("", None),
        ("　 ", None),
        (12, "12"),
        (12.0, "12"),
        (3.5, "3.5"),
        ("12", "12"),
        (" 12 ", "12"),
        ("１２", "12"),
        ("１，２３４", "1234"),
        ("1,234,567", "1234567"),
        ("1 234", "1234"),
        ("+7", "7"),
        ("007", "7"),
        ("3.50", "3.5"),
        ("1000000", "1000000"),
        (0, "0"),
        ("0.1234", "0.1234"),
    ],
)
def test_a_figure(raw: Raw, figure: str | None) -> None:
    found = number(raw)
    assert (None if found is None else format(found, "f")) == figure


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("12人", "只填数字，请删去“人”"),
        ("１２人次", "只填数字，请删去“人次”"),
        ("95%", "请填写数量，不填百分比"),
        ("９５％", "请填写数量，不填百分比"),
        ("-3", "不能是负数"),
        (-3.0, "不能是负数"),
        ("约12", "不是一个数字，请只填一个确定的数"),
        ("12-15", "不是一个数字，请只填一个确定的数"),
        ("1,23", "不是一个数字，请只填一个确定的数"),
        ("十二", "请填写数字"),
        ("无", "请填写数字"),
        ("#REF!", "请填写数字"),
        ("1e5", "不是一个数字，请只填一个确定的数"),
        ("nan", "请填写数字"),
        ("1000000000000", "数字过大，请核对"),
        ("1.23456", "小数不超过 4 位"),
        (True, "请填写数字"),
        (date(2025, 3, 5), "单元格被识别成了日期，请改为数字格式后重新填写"),
        (datetime(2025, 3, 5, 9), "单元格被识别成了日期，请改为数字格式后重新填写"),
        (time(9, 5), "单元格被识别成了日期，请改为数字格式后重新填写"),
    ],
)
def test_no_figure(raw: Raw, why: str) -> None:
    with pytest.raises(Wrong) as wrong:
        number(raw)
    assert str(wrong.value) == why


@pytest.mark.parametrize(
    "raw",
    [
        date(2025, 6, 5),
        datetime(2025, 6, 5),
        "2025-06-05",
        "2025/6/5",
        "2025.6.5",
        "2025年6月5日",
        "２０２５－０６－０５",
        " 2025-6-5 ",
        "2025-06-05 00:00:00",
        45813,
        45813.0,
    ],
)
def test_a_day(raw: Raw) -> None:
    assert day(raw, TODAY) == date(2025, 6, 5)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("6月5日", "请填写日期，如 2025-06-30"),
        ("2025-06", "请填写日期，如 2025-06-30"),
        ("上周", "请填写日期，如 2025-06-30"),
        ("2025-02-30", "没有2025年2月30日这一天"),
        ("2025-13-01", "没有2025年13月1日这一天"),
        (date(2025, 7, 1), "日期晚于今天，请核对"),
        ("1999-12-31", "日期过早，请核对"),
        (12.0, "请填写日期，如 2025-06-30"),
        (time(9, 5), "请填写日期，如 2025-06-30"),
    ],
)
def test_no_day(raw: Raw, why: str) -> None:
    with pytest.raises(Wrong) as wrong:
        day(raw, TODAY)
    assert str(wrong.value) == why


def test_no_day_given() -> None:
    assert day(None, TODAY) is None
    assert day("  ", TODAY) is None


@pytest.mark.parametrize(("raw", "chosen"), [("无新增", True), ("√", True), ("是", True), (True, True), (1.0, True)])
def test_nothing_new(raw: Raw, chosen: bool) -> None:
    assert choice(raw) is chosen


@pytest.mark.parametrize("raw", [None, "", "  ", "否", False, 0.0])
def test_something_new(raw: Raw) -> None:
    assert choice(raw) is False


def test_another_answer_is_none() -> None:
    with pytest.raises(Wrong, match="只能选“无新增”或留空"):
        choice("新增3人")


def test_words() -> None:
    assert words("  圐圙村已走访　", 10) == "圐圙村已走访"
    assert words(" ", 10) is None
    assert words(2025.0, 10) == "2025"
    with pytest.raises(Wrong, match="内容过长：11 字，不超过 10 字"):
        words("长" * 11, 10)


def test_a_long_number_is_told_in_full() -> None:
    assert text(13812345678.0) == "13812345678"
    assert text(0.1) == "0.1"
