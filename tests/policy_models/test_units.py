"""The unit list: as spreadsheets hand it over, checked as a tree, faults by line and column, all or nothing."""

from __future__ import annotations

import pytest

from policy_models.errors import NotFound, UnitsInvalid
from policy_models.plan import Assignee, Function, Level
from policy_models.text import decode_text
from policy_models.units import Unit, Units, parse_units
from tests.factories import BUREAU, CITY, COUNTIES, SCHOOLS, tiny_units, village

HEADER = "code,name,level,function,parent,functional_zone\n"
ROOT = "10,市,city,,,\n"


def faults(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(UnitsInvalid) as caught:
        parse_units(text, "名单.csv")
    assert {fault.file for fault in caught.value.faults} == {"名单.csv"}
    return [(fault.line, fault.field, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings(encoding: str) -> None:
    text = HEADER + ROOT + "1001,圐圙补隆,county,,10,是\n"
    units = parse_units(decode_text(text.encode(encoding), "名单.csv"))
    assert list(units.values()) == [
        Unit("10", "市", Level.CITY, None, None),
        Unit("1001", "圐圙补隆", Level.COUNTY, None, "10", functional_zone=True),
    ]


def test_full_width_digits_blanks_and_windows_lines() -> None:
    text = (HEADER + ROOT + " １００１ ,县,county,,１０,\n").replace("\n", "\r\n")
    assert parse_units(text)["1001"] == Unit("1001", "县", Level.COUNTY, None, "10")


def test_columns_in_any_order_and_more_than_are_known() -> None:
    text = "name,phone,parent,level,code\n市,,,city,10\n县,0472,10,county,1001\n"
    assert list(parse_units(text)) == ["10", "1001"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1001,县,county,,10,\n1001,乡,county,,10,\n", (4, "code", "单位代码重复：1001（已见于第 3 行）")),
        ("1001,县,county,,11,\n", (3, "parent", "上级单位不存在：11")),
        (
            "1001,县,country,,10,\n",
            (3, "level", "层级只能是 city、county、township、village、school、institution：country"),
        ),
        ("1001,县,county,气象,10,\n", (3, "function", f"条线只能是 {'、'.join(Function)}：气象")),
        ("10-01-02,县,county,,10,\n", (3, "code", "单位代码须为数字或字母，可带“-”和条线缩写：10-01-02")),
        (",县,county,,10,\n", (3, "code", "单位代码须为数字或字母，可带“-”和条线缩写：（空）")),
        ("1001,,county,,10,\n", (3, "name", "单位名称为空")),
        ("1001,县,county,,,\n", (3, "parent", "除市级外都须写上级单位")),
        ("1001,县,county,,10,,多,余\n", (3, "", "列数多于表头")),
        ("1001,村,village,,10,\n1002,县,county,,1001,\n", (4, "parent", "上级单位的层级低于本单位：村")),
    ],
)
def test_one_fault_by_line_and_column(rows: str, expected: tuple[int, str, str]) -> None:
    assert faults(HEADER + ROOT + rows) == [expected]


def test_all_faults_come_together() -> None:
    found = faults(HEADER + ROOT + "1001,,county,,10,\n1002,县,nowhere,,10,\n1003,好,county,,10,\n")
    assert [(line, field) for line, field, _ in found] == [(3, "name"), (4, "level")]


def test_a_cycle_is_named_at_each_of_its_units() -> None:
    cycle = "1001,甲,county,,1002,\n1002,乙,county,,1003,\n1003,丙,county,,1001,\n100101,丁,township,,1001,\n"
    assert faults(HEADER + ROOT + cycle) == [
        (3, "parent", "上下级关系成环：1001（甲）是自己的上级"),
        (4, "parent", "上下级关系成环：1002（乙）是自己的上级"),
        (5, "parent", "上下级关系成环：1003（丙）是自己的上级"),
    ]
    assert faults(HEADER + ROOT + "1001,甲,county,,1001,\n")[0][:2] == (3, "parent")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (1, "code", "表头缺少列：code、name、level、parent")),
        ("\n\n", (1, "code", "表头缺少列：code、name、level、parent")),
        (HEADER, (2, "", "没有任何单位")),
        ("code,name,parent\n10,市,\n", (1, "level", "表头缺少列：level")),
    ],
)
def test_empty_files_and_missing_columns(text: str, expected: tuple[int, str, str]) -> None:
    assert faults(text) == [expected]


def test_units_made_elsewhere_are_checked_too() -> None:
    twice = [Unit("10", "市", Level.CITY, None, None), Unit("10", "城", Level.CITY, None, None)]
    with pytest.raises(UnitsInvalid, match=r"^units\.csv \[code\] 单位代码重复：10$"):
        Units(twice)


def test_who_stands_above_whom() -> None:
    units = parse_units(tiny_units())
    first = COUNTIES[0]
    above = {code: units.superior(units[code]) for code in (village(1, 1), f"{first}01", f"{first}-mz", f"{first}-jy")}
    assert above == {
        village(1, 1): f"{first}01",
        f"{first}01": f"{first}-mz",
        f"{first}-mz": BUREAU,
        f"{first}-jy": SCHOOLS,
    }
    assert [units.superior(units[code]) for code in (first, SCHOOLS, CITY)] == [BUREAU, BUREAU, BUREAU]
    assert [units.county_of(code) for code in (village(2, 1), f"{first}-mz", first, SCHOOLS, CITY)] == [
        COUNTIES[1],
        first,
        first,
        None,
        None,
    ]
    assert tuple(unit.code for unit in units.counties) == COUNTIES


def test_whom_an_assignee_means() -> None:
    units = parse_units(tiny_units())

    def meant(**assignee: object) -> list[str]:
        return [u.code for u in units.assigned(Assignee.model_validate(assignee), {"民政局": BUREAU})]

    assert meant(level="county") == list(COUNTIES)
    assert meant(level="county", function="民政") == [f"{county}-mz" for county in COUNTIES]
    assert meant(level="county", function=["民政", "教育"]) == ["9001-jy", "9001-mz", "9002-jy", "9002-mz"]
    assert meant(function="教育") == [SCHOOLS, "9001-jy", "9002-jy"]
    assert meant(level="village") == [village(1, 1), village(1, 2), village(2, 1), village(2, 2)]
    assert meant(units=["民政局", "9001"]) == [BUREAU, "9001"]
    with pytest.raises(NotFound, match="没有代码为 教育局 的单位"):
        meant(units="教育局")
