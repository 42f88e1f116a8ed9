"""The compiled report as .xlsx: the figures of the .docx, what people wrote as text, the same bytes."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

from documents.report_xlsx import report_xlsx
from policy_models.compilation import Compilation
from tests.documents.compilations import SHOWN, compilation, large, said

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def facts() -> Compilation:
    return compilation()


def rows(data: bytes, sheet: str) -> list[tuple[Any, ...]]:
    """The sheet's rows below its title and date."""
    return list(openpyxl.load_workbook(io.BytesIO(data))[sheet].iter_rows(min_row=3, values_only=True))


def test_the_progress_table_adds_up(facts: Compilation) -> None:
    found = rows(report_xlsx(facts), "进展表")
    assert found[0][:4] == ("任务", "应办（件）", "办结（件）", "办结率")
    assert found[1:] == [
        ("任务1 精神素养提升", 10, 8, "80%", 7, 9, 7, 1, 1, 0),
        ("任务2 精准摸排", 10, 8, "80%", 7, 9, 7, 1, 1, 0),
        ("精神素养提升行动小计", 20, 16, "80%", 14, 18, 14, 2, 2, 0),
        ("第二阶段 重点推进", 2, 2, "100%", 2, 2, 2, 0, 0, 0),
        ("合计", 22, 18, "81%", 16, 20, 16, 2, 2, 0),
    ]


def test_values_and_denominators_stand_apart_as_numbers(facts: Compilation) -> None:
    found = rows(report_xlsx(facts), "指标表")
    assert found[0][2:8] == ("全市", "全市（总数）", "市级单位", "市级单位（总数）", "东河区", "东河区（总数）")
    assert found[1][:8] == ("2.1", "已建档/应办", 29, 45, 3, 9, 5, 9)
    assert found[1][-1] == "全市比各旗县区之和多3/9，为市级单位填报（市教育局3/9）"
    assert found[2] == ("2.2", "入户", 3, None, None, None, 1, None, 2, *[None] * 5, "各旗县区之和与全市一致")
    assert found[1][2] == sum(found[1][4:14:2])


def test_every_text_and_every_case_is_there(facts: Compilation) -> None:
    data = report_xlsx(facts)
    assert rows(data, "各单位报送")[1:4] == [
        ("总体情况", "市教育局", "总体平稳。"),
        ("任务1 精神素养提升", "市教育局", f"开展宣讲。\n{SHOWN}"),
        ("任务1 精神素养提升", "东河区民政局", "走访入户。"),
    ]
    assert rows(data, "优秀案例")[1] == ("圐圙村的暖心屋", "东河区民政局", "主要做法", "第一段。\n第二段。")
    assert rows(data, "缺报迟报")[3] == ("青山区民政局", "2025年7月15日", "未报送，已超过时限5日")


@pytest.mark.parametrize(
    "typed",
    ["=1+1", '=HYPERLINK("http://x.invalid","甲")', "+1", "-1", "@SUM(A1)", "http://x.invalid/", "００７", "3-5"],
)
def test_what_people_wrote_is_never_a_formula_a_link_or_a_number(facts: Compilation, typed: str) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(report_xlsx(replace(facts, problems=(said(typed, typed),)))))[
        "各单位报送"
    ]
    row = next(row for row in sheet.iter_rows() if row[0].value == "存在问题")
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in row[1:3]] == [(typed, "s", None)] * 2


def test_the_same_facts_give_the_same_bytes(facts: Compilation) -> None:
    first = report_xlsx(facts)
    time.sleep(2.1)
    assert report_xlsx(compilation()) == first
    assert report_xlsx(replace(facts, bureau="另一个局")) != first


def test_a_large_round_is_quick() -> None:
    begin = time.perf_counter()
    data = report_xlsx(large())
    assert time.perf_counter() - begin < 10
    assert len(rows(data, "各单位报送")) == 1 + 26 * 18 + 4
