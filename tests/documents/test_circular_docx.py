"""通报 as .docx: the format of an official paper, every word and figure in it, the same bytes for the same facts."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn

from documents.circular_docx import circular_docx
from documents.pdf import to_pdf
from policy_models.circular_words import worded
from policy_models.circulars import Circular, issued, to_json
from tests.documents.compilations import HOSTILE, SHOWN
from tests.policy_models.test_circulars import FACTS, MONTHLY

pytestmark = pytest.mark.thorough


def opened(circular: Circular) -> Any:
    return docx.Document(io.BytesIO(circular_docx(circular)))


@pytest.fixture(scope="module")
def facts() -> Circular:
    return issued(worded(FACTS), date(2025, 4, 7))


@pytest.fixture(scope="module")
def paper(facts: Circular) -> Any:
    return opened(facts)


def texts(document: Any) -> list[str]:
    return [one.text for one in document.paragraphs if one.text]


def cells(table: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_the_page_is_upright_a4_with_the_margins_and_numbers_of_the_standard(paper: Any) -> None:
    for section in paper.sections:
        assert (round(section.page_width.mm), round(section.page_height.mm), section.orientation) == (210, 297, 0)
        edges = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
        assert [round(edge.mm) for edge in edges] == [37, 35, 28, 26]
        assert "".join(section.footer.paragraphs[0].text.split()) == "—1—"


def test_every_run_names_its_fonts(paper: Any) -> None:
    found = {}
    for run in paper.element.body.iter(qn("w:r")):
        fonts = run.rPr.find(qn("w:rFonts"))
        assert fonts.get(qn("w:eastAsia")) == fonts.get(qn("w:ascii"))
        found[fonts.get(qn("w:eastAsia"))] = True
    assert set(found) == {"方正小标宋简体", "仿宋_GB2312", "黑体"}


def test_it_says_what_the_circular_says_in_its_order(paper: Any, facts: Circular) -> None:
    said = texts(paper)
    assert said[:3] == [
        "方案落实情况周通报（2025年第14周）",
        "（截至2025年4月6日）",
        "现将《小方案》2025年第14周（3月31日至4月6日）落实情况通报如下：",
    ]
    body = [
        text
        for number, one in enumerate(facts.sections)
        for text in (f"{'一二三四五六七'[number]}、{one.heading}", one.text)
    ]
    assert said[3 : 3 + len(body)] == body
    assert said[3 + len(body) : 3 + len(body) + 5] == [
        "附件：1. 各旗县区办理情况",
        "　　　2. 市直部门办理情况",
        "　　　3. 下周到期事项",
        "市民政局　　",
        "2025年4月7日　　",
    ]


def test_the_tables_hold_the_figures(paper: Any) -> None:
    lights, counties, departments, coming = map(cells, paper.tables)
    assert lights == [["1", "2", "3", "4"], ["正常", "严重逾期", "临期", "持续"]]
    assert counties == [
        ["单位", "应办", "已办", "按期率", "逾期", "其中严重逾期", "逾期比上周末", "未审核", "本周办结"],
        ["东河区", "60", "50", "80.0%", "4", "1", "+1", "5", "11"],
        ["石拐区", "30", "30", "100.0%", "0", "0", "0", "0", "6"],
        ["合计", "90", "80", "86.7%", "4", "1", "+1", "5", "17"],
    ]
    assert departments[1] == ["市教育局", "6", "3", "50.0%", "2", "2", "+1", "1", "0"]
    assert coming == [
        ["时限", "请于此日前报送", "事项", "期次", "单位数", "待报送"],
        ["4月13日（推定）", "4月11日（周五）", "开展走访", "2025年4月", "855", "800"],
    ]
    for table in paper.tables[1:]:
        assert sum(column.width.mm for column in table.columns) == pytest.approx(156, abs=0.5)


def test_a_preview_a_demonstration_and_a_month_say_so() -> None:
    preview = worded(replace(FACTS, day=date(2025, 4, 2), demonstration=True))
    assert {"预览稿：未发布，数据以发布时为准", "演示：办理情况均为虚构"} < set(texts(opened(preview)))
    monthly = issued(
        worded(replace(FACTS, kind=MONTHLY, period="2025-03", day=date(2025, 3, 31), coming=())), date(2025, 4, 1)
    )
    said = texts(opened(monthly))
    assert "现将《小方案》2025年3月落实情况通报如下：" in said
    assert not [text for text in said if "预览" in text or "演示" in text or text == "下月到期事项"]
    assert cells(opened(monthly).tables[1])[0][-1] == "本月办结"


def test_a_city_without_work_gives_a_paper_all_the_same() -> None:
    empty = worded(replace(FACTS, areas=(), tasks=(), coming=(), rounds=()))
    assert texts(opened(empty)).count("没有承担任务的单位。") == 2
    assert opened(empty).tables == []


def test_hostile_names_stay_text() -> None:
    lines = (replace(FACTS.areas[0], name=HOSTILE),)
    told = worded(replace(FACTS, bureau=HOSTILE, plan_title=HOSTILE, areas=lines))
    document = opened(told)
    shown = SHOWN.replace("\x07", "")
    assert cells(document.tables[1])[1][0] == shown
    assert f"现将《{shown}》2025年第14周（3月31日至4月6日）落实情况通报如下：" in texts(document)


def test_the_same_facts_give_the_same_bytes_in_another_process_and_hour(facts: Circular) -> None:
    made = circular_docx(facts)
    assert circular_docx(facts) == made
    told = (
        "import sys; from documents.circular_docx import circular_docx; from policy_models.circulars import from_json;"
        "sys.stdout.buffer.write(circular_docx(from_json(sys.stdin.read())))"
    )
    again = subprocess.run(
        [sys.executable, "-c", told], input=to_json(facts).encode(), capture_output=True, check=True
    ).stdout
    assert again == made
    assert circular_docx(replace(facts, submitted=facts.submitted + 1)) == made  # it shows nothing of what is not said
    assert circular_docx(replace(facts, bureau="市教育局")) != made
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.slow
def test_libreoffice_opens_it(facts: Circular) -> None:
    pdf = to_pdf(circular_docx(facts))
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert "东河区" in text
    assert "附件 3" in text or "附件3" in text
