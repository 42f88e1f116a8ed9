"""Office addresses from a table that people keep."""

from __future__ import annotations

import pytest

from policy_models.addresses import parse_addresses
from policy_models.errors import Faulty
from policy_models.text import decode_text
from policy_models.units import parse_units
from tests.factories import tiny_units

UNITS = parse_units(tiny_units() + "9003,1县民政局,county,民政,9000\n")


def test_by_code_or_name_with_either_heading() -> None:
    text = (
        "邮箱,单位,备注\n Office@Mz.example ,9001-mz,\ns＠x.example,市教育局,\n\n,,\noffice@mz.example,9001－mz,再次\n"
    )
    expected = {"office@mz.example": "9001-mz", "s@x.example": "9000-jy"}
    assert parse_addresses(text, "a.csv", UNITS) == expected
    assert parse_addresses("unit,address\n9001-mz,a@b.c\n", "a.csv", UNITS) == {"a@b.c": "9001-mz"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_as_spreadsheets_save_it(encoding: str) -> None:
    data = "邮箱,单位\r\na@b.c,市教育局\r\n".encode(encoding)
    assert parse_addresses(decode_text(data), "a.csv", UNITS) == {"a@b.c": "9000-jy"}


def test_every_fault_by_line() -> None:
    text = (
        "邮箱,单位\nnobody,市教育局\na@b.c,没有这个局\nb@b.c,1县民政局\nc@b.c,\na@b.c,市教育局\na@b.c,市民政局\nd@b.c\n"
    )
    with pytest.raises(Faulty) as error:
        parse_addresses(text, "a.csv", UNITS)
    assert [str(fault) for fault in error.value.faults] == [
        "a.csv:2 [邮箱] 不是完整的邮箱地址：nobody",
        "a.csv:3 [单位] 没有这个单位：没有这个局",
        "a.csv:4 [单位] 名为“1县民政局”的单位有 2 个，请写单位代码（9001-mz、9003）",
        "a.csv:5 [单位] 没有这个单位：（空）",
        "a.csv:7 [邮箱] 同一邮箱登记了两个单位：a@b.c",
        "a.csv:8 [单位] 没有这个单位：（空）",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.csv:1 [address] 表头缺少列：邮箱、单位"),
        ("邮箱\na@b.c\n", "a.csv:1 [unit] 表头缺少列：单位"),
        ("邮箱,单位\n", "a.csv:2 没有任何邮箱"),
    ],
)
def test_tables_that_are_none(text: str, sentence: str) -> None:
    with pytest.raises(Faulty) as error:
        parse_addresses(text, "a.csv", UNITS)
    assert str(error.value) == sentence
