"""What comes back in a workbook, cell by cell: what is taken, what is left alone, what is told as wrong and where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType, Requirement
from policy_models.workbook import (
    DIGEST,
    Fill,
    Raw,
    ReadSheet,
    columns_of,
    digest,
    fits_a_sheet,
    letters,
    sheet_name,
)
from policy_models.workbook_check import Checked, Expected, check, keys_of

TODAY = date(2025, 6, 30)
CONTACTS = Requirement.model_validate(
    {
        "code": "8.5",
        "title": "每月联系",
        "kind": "recurring",
        "assignee": {"level": "village"},
        "recurrence": {"every": "month"},
        "nothing_new": True,
        "evidence": [
            {"type": "measure", "name": "contacted", "label": "已联系", "of": "should", "of_label": "应联系"},
            {"type": "measure", "name": "homes", "label": "已入户", "of": "should", "of_label": "应联系"},
            {"type": "text", "label": "主要做法"},
        ],
        "source": [{"section": "task-8", "phrase": "按时完成"}],
    }
)
VISITS = CONTACTS.model_copy(update={"code": "8.6", "title": "走访", "nothing_new": False})
TITLES = tuple(column.title for column in columns_of(CONTACTS))
UNTOUCHED = digest([None] * sum(column.to_fill for column in columns_of(CONTACTS)))
RIGHT: dict[str, Raw] = {"已联系": 28.0, "应联系": 30.0, "已入户": 3.0, "主要做法": "电话联系"}
LONG_ID = "11010519491231002X"


def expected(requirement: Requirement = CONTACTS, *villages: str, refused: str = "") -> dict[str, Expected]:
    found = {}
    for name in villages or ("甲村", "乙村"):
        key = f"p:{requirement.code}:{name}:2025-06"
        found[key] = Expected(key, requirement, name, "2025年6月", refused)
    return found


def line(village: str = "甲村", requirement: str = "8.5", **values: Raw) -> tuple[Raw, ...]:
    given: dict[str, Raw] = {
        "办理件编号": f"p:{requirement}:{village}:2025-06",
        "预填校验": UNTOUCHED,
        "单位": village,
        "期次": "2025年6月",
        "时限": date(2025, 6, 30),
        "状态": "待报送",
    }
    return tuple({**given, **values}.get(title) for title in TITLES)


def sheet(
    *rows: tuple[Raw, ...], name: str = "8.5 每月联系", titles: tuple[str, ...] = TITLES, **more: Any
) -> ReadSheet:
    return ReadSheet(name, ((None, None, "8.5 每月联系"), (None,), titles, *rows), **more)


def checked(*rows: tuple[Raw, ...], items: Mapping[str, Expected] | None = None, **more: Any) -> Checked:
    return check([sheet(*rows, **more)], expected() if items is None else items, {}, today=TODAY)


def told(found: Checked) -> list[tuple[str, str, str]]:
    return [(fault.cell, fault.shown, fault.reason) for fault in found.faults]


def column(title: str) -> int:
    return TITLES.index(title) + 1


def at(title: str, row: int = 4) -> str:
    return f"{letters(column(title))}{row}"


def test_a_row_that_is_right_becomes_evidence() -> None:
    found = checked(line(**RIGHT, 发生日期="2025-6-5", 备注=" 补报 "), line("乙村"))
    assert found.faults == ()
    assert found.untouched == 1
    [row] = found.filled
    assert (row.key, row.note) == ("p:8.5:甲村:2025-06", "补报")
    on = date(2025, 6, 5)
    assert row.evidence == (
        Evidence(EvidenceType.MEASURE, "contacted", Decimal(28), Decimal(30), effective_on=on),
        Evidence(EvidenceType.MEASURE, "homes", Decimal(3), Decimal(30), effective_on=on),
        Evidence(EvidenceType.TEXT, text="电话联系", effective_on=on),
    )


def test_what_is_counted_of_the_same_is_asked_once() -> None:
    assert TITLES.count("应联系") == 1
    assert [c.fill for c in columns_of(CONTACTS)].count(Fill.NUMBER) == 3


def test_nothing_new_goes_in_with_its_reason_alone() -> None:
    found = checked(line(应联系=30.0, 无新增="无新增", 无新增理由="本月全部外出"))
    assert told(found) == []
    assert found.filled[0].evidence == (Evidence(EvidenceType.NOTHING_NEW, text="本月全部外出"),)
    assert found.filled[0].says_nothing_new


def test_a_row_that_was_filled_beforehand_and_not_touched_is_left_alone() -> None:
    held = [None, Decimal(30), *[None] * 7]
    columns = [c.title for c in columns_of(CONTACTS) if c.to_fill]
    held = [Decimal(30) if title == "应联系" else None for title in columns]
    found = checked(line(应联系=30.0, 预填校验=digest(held)))
    assert (told(found), found.filled, found.untouched) == ([], (), 1)
    changed = checked(line(应联系=31.0, 预填校验=digest(held)))
    assert [cell for cell, _, _ in told(changed)] == [at("已联系"), at("已入户"), at("主要做法")]


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ({**RIGHT, "已联系": "12人"}, [(at("已联系"), "12人", "只填数字，请删去“人”")]),
        ({**RIGHT, "已联系": None}, [(at("已联系"), "", "请填写“已联系”")]),
        ({**RIGHT, "已联系": 31.0}, [(at("已联系"), "31", "大于“应联系”（30），请核对")]),
        ({**RIGHT, "应联系": -1.0}, [(at("应联系"), "-1", "不能是负数")]),
        ({**RIGHT, "主要做法": "长" * 2001}, [(at("主要做法"), "长" * 24 + "…", "内容过长：2001 字，不超过 2000 字")]),
        ({**RIGHT, "发生日期": "2025-07-01"}, [(at("发生日期"), "2025-07-01", "日期晚于今天，请核对")]),
        ({"备注": "请稍候"}, [(at(t), "", f"请填写“{t}”") for t in ("已联系", "应联系", "已入户", "主要做法")]),
        ({"无新增": "无新增"}, [(at("无新增理由"), "", "选了“无新增”，请写明理由")]),
        ({**RIGHT, "无新增": "3人"}, [(at("无新增"), "3人", "只能选“无新增”或留空")]),
        ({**RIGHT, "无新增理由": "外出"}, [(at("无新增"), "", "写了无新增理由，请选“无新增”")]),
        (
            {"已联系": 0.0, "应联系": 30.0, "主要做法": "电话", "无新增": "无新增", "无新增理由": "外出"},
            [
                (at("已联系"), "0", "选了“无新增”，这一格须留空；有内容报送的请取消“无新增”"),
                (at("主要做法"), "电话", "选了“无新增”，这一格须留空；有内容报送的请取消“无新增”"),
            ],
        ),
        (
            {**RIGHT, "单位": "乙村"},
            [(at("单位"), "乙村", "单位与编号不符：这个编号是“甲村”的，请恢复原样或重新下载")],
        ),
        (
            {**RIGHT, "期次": "2025年7月"},
            [(at("期次"), "2025年7月", "期次与编号不符：这个编号是“2025年6月”的，请恢复原样或重新下载")],
        ),
        ({**RIGHT, "办理件编号": None}, [(at("单位"), "甲村", "缺少办理件编号：请勿自行增加行，合计行也请删去")]),
        (
            {**RIGHT, "办理件编号": "p:8.5:甲村:2025-6"},
            [(at("单位"), "甲村", "编号不是本系统的办理件，请勿改动编号；可重新下载")],
        ),
    ],
    ids=lambda value: None,
)
def test_what_is_wrong_is_told_at_its_cell(values: dict[str, Raw], faults: list[tuple[str, str, str]]) -> None:
    found = checked(line(**values), line("乙村", **RIGHT))
    assert told(found) == faults
    assert found.filled == ()  # all or nothing


def test_errors_formulas_and_merged_cells() -> None:
    place = (4, column("已联系"))
    broken = checked(line(**{**RIGHT, "已联系": None}), broken={place: "#REF!"}, formulas=frozenset({place}))
    assert told(broken) == [(at("已联系"), "#REF!", "公式出错（#REF!），请直接填写内容")]
    hollow = checked(line(**{**RIGHT, "已联系": None}), formulas=frozenset({place}))
    assert told(hollow) == [(at("已联系"), "", "公式没有计算结果，请直接填写内容")]
    sums = checked(line(**RIGHT), formulas=frozenset({place}))
    assert sums.filled[0].evidence[0].value == 28
    merged = checked(line(**{**RIGHT, "已联系": None}), merged=frozenset({place}))
    assert told(merged) == [(at("已联系"), "", "单元格已与其他单元格合并，请取消合并，逐格填写")]


def test_an_untouched_row_with_a_broken_cell_is_not_left_alone() -> None:
    found = checked(line(), broken={(4, column("已联系")): "#N/A"})
    assert told(found)[0] == (at("已联系"), "#N/A", "公式出错（#N/A），请直接填写内容")


def test_the_same_item_twice() -> None:
    found = checked(line(**RIGHT), line("乙村", **RIGHT), line(**RIGHT))
    reason = "与第 {} 行是同一办理件，只能保留一行"
    assert told(found) == [(at("单位", 4), "", reason.format(6)), (at("单位", 6), "", reason.format(4))]
    assert checked(line(**RIGHT), line()).faults == ()  # the second is empty


def test_the_same_item_on_two_sheets() -> None:
    found = check([sheet(line(**RIGHT)), sheet(line(**RIGHT), name="副本")], expected(), {}, today=TODAY)
    assert [(fault.sheet, fault.reason) for fault in found.faults] == [
        ("8.5 每月联系", "与工作表“副本”第 4 行是同一办理件，只能保留一行"),
        ("副本", "与工作表“8.5 每月联系”第 4 行是同一办理件，只能保留一行"),
    ]


def test_an_item_that_was_handed_in_meanwhile() -> None:
    items = expected(refused="已经报送，正待审核")
    assert told(checked(line(**RIGHT), items=items)) == [(at("单位"), "甲村", "已经报送，正待审核")]
    assert checked(line(), items=items).untouched == 1


def test_an_item_of_others() -> None:
    other = "这一办理件由丙村报送，您的单位不能代办"
    found = check([sheet(line(), line("丙村"))], expected(), {"p:8.5:丙村:2025-06": other}, today=TODAY)
    assert told(found) == [(at("单位", 5), "丙村", other)]


def test_a_row_on_the_wrong_sheet() -> None:
    items = {**expected(), **expected(VISITS, "甲村")}
    found = checked(line(), line("乙村"), line(requirement="8.6", **RIGHT), items=items)
    assert told(found) == [(at("单位", 6), "甲村", "本行是事项 8.6 的，请在该事项的工作表中填写")]


def test_a_header_that_was_changed() -> None:
    titles = tuple("联系数" if title == "已联系" else title for title in TITLES)
    found = checked(line(**RIGHT), line("乙村", **RIGHT), titles=titles)
    assert told(found) == [(at("单位", 3), "", "表头缺少“已联系”列，请恢复表头或重新下载")]
    doubled = (*TITLES, "已联系")
    found = checked((*line(**RIGHT), 3.0), titles=doubled)
    assert told(found) == [(f"{letters(len(doubled))}3", "已联系", "表头重复：“已联系”只能有一列")]


def test_columns_in_another_order_and_columns_of_ones_own() -> None:
    titles = (*reversed(TITLES), "电话记录")
    row = (*reversed(line(**RIGHT)), "有")
    found = checked(row, titles=titles)
    assert told(found) == []
    assert found.filled[0].evidence[0].value == 28
    assert found.unread == ("工作表“8.5 每月联系”的“电话记录”列",)
    again = checked((*line(**RIGHT), "上次的问题"), titles=(*TITLES, "问题"))
    assert (told(again), again.unread) == ([], ())


def test_sheets_of_others_are_named() -> None:
    scratch = ReadSheet("草稿", ((1.0, 2.0),))
    empty = ReadSheet("Sheet3", ((None, ""),))
    found = check(
        [ReadSheet("填写说明", (("说明",),)), scratch, empty, sheet(line(**RIGHT))], expected(), {}, today=TODAY
    )
    assert found.unread == ("工作表“草稿”",)
    assert len(found.filled) == 1


def test_what_is_personal_is_found_wherever_it_stands_and_shown_masked() -> None:
    scratch = ReadSheet("草稿", ((None, f"证号{LONG_ID}"),))
    row = line(**{**RIGHT, "主要做法": f"联系{LONG_ID}"})
    found = check([sheet(row), scratch], expected(), {}, today=TODAY)
    assert [(fault.sheet, fault.cell, fault.private) for fault in found.faults] == [
        ("8.5 每月联系", at("主要做法"), True),
        ("草稿", "B1", True),
    ]
    assert found.private
    assert all(LONG_ID not in f"{fault.shown}{fault.reason}" for fault in found.faults)


def test_keys_in_the_order_they_stand() -> None:
    assert keys_of([sheet(line("乙村"), line(), line("乙村"), line(办理件编号=None)), ReadSheet("草稿", ())]) == [
        "p:8.5:乙村:2025-06",
        "p:8.5:甲村:2025-06",
    ]


def test_names_of_sheets() -> None:
    name = sheet_name("8.5", "甲/乙[丙]:丁?*\\" + "长" * 40)
    assert name == "8.5 甲 乙 丙  丁   " + "长" * 16
    assert len(name) <= 31
    assert sheet_name("1.1", "甲'") == "1.1 甲"


def test_the_same_title_twice_is_numbered() -> None:
    rules = [
        {"type": "measure", "name": "a", "label": "备注"},
        {"type": "text", "label": "做法", "min": 2},
        {"type": "text", "label": "做法1"},
    ]
    wanted = Requirement.model_validate({**CONTACTS.model_dump(mode="json"), "evidence": rules})
    titles = [column.title for column in columns_of(wanted)]
    assert [t for t in titles if "备注" in t or "做法" in t] == ["备注（2）", "做法1", "做法2", "做法1（2）", "备注"]
    assert len(titles) == len(set(titles))


def test_what_has_a_page_of_its_own_gets_no_sheet() -> None:
    report = CONTACTS.model_copy(update={"collects": "report"})
    photos = CONTACTS.model_copy(
        update={
            "nothing_new": False,
            "evidence": (CONTACTS.evidence[2].model_copy(update={"type": EvidenceType.PHOTO}),),
        }
    )
    assert [fits_a_sheet(one) for one in (CONTACTS, report, photos)] == [True, False, False]


def test_a_digest_is_no_number_and_ignores_how_a_figure_is_written() -> None:
    assert digest([Decimal("30.0"), "甲 ", None]) == digest([Decimal(30), "甲", None])
    assert digest([Decimal(30)]) != digest([Decimal(31)])
    assert digest([]).startswith("v")
    assert DIGEST.title in TITLES


@pytest.mark.parametrize(("number", "name"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")])
def test_column_letters(number: int, name: str) -> None:
    assert letters(number) == name


def test_a_column_of_names_that_somebody_added_is_emptied() -> None:
    rows = [(*line(**RIGHT), "张小明", 13812345678.0), (*line("乙村", **RIGHT), "无", None)]
    found = checked(*rows, titles=(*TITLES, "儿童姓名", "电话"))
    at_name, at_mobile = f"{letters(len(TITLES) + 1)}4", f"{letters(len(TITLES) + 2)}4"
    assert [(fault.cell, fault.title, fault.private) for fault in found.faults] == [
        (at_name, "儿童姓名", True),
        (at_mobile, "电话", True),
    ]
    assert all("张小明" not in fault.shown and "13812345678" not in fault.shown for fault in found.faults)


def test_figures_side_by_side_are_no_number_of_a_person() -> None:
    titles = tuple(f"数{n}" for n in range(18))
    sheet_of_digits = ReadSheet("数", (titles, *(tuple(float(n) for n in range(18)) for _ in range(30))))
    assert check([sheet_of_digits], expected(), {}, today=TODAY).faults == ()
