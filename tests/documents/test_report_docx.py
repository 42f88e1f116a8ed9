"""The compiled report as .docx: the format of an official paper, every word in it, nothing run, the same bytes."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn

from documents.deterministic import normalised, same_content
from documents.report_docx import report_docx
from policy_models.compilation import Compilation
from tests.documents.compilations import AS_OF, HOSTILE, SHOWN, compilation, large, said

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def facts() -> Compilation:
    return compilation()


@pytest.fixture(scope="module")
def report(facts: Compilation) -> Any:
    return docx.Document(io.BytesIO(report_docx(facts)))


def cells(table: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def runs(document: Any) -> list[Any]:
    """Every run of the body, of the tables and of the footers."""
    parts = [document.element.body]
    for section in document.sections:
        parts += [section.footer._element, section.even_page_footer._element]
    return [run for part in parts for run in part.iter(qn("w:r"))]


def test_the_page_is_a4_with_the_margins_of_the_standard(report: Any) -> None:
    upright = [section for section in report.sections if section.orientation == 0]
    assert len(upright) == 3
    assert len(report.sections) == 4
    for section in upright:
        assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
        edges = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
        assert [round(edge.mm) for edge in edges] == [37, 35, 28, 26]


def test_the_grid_holds_22_lines_of_28_characters(report: Any) -> None:
    section = report.sections[0]
    grid = section._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "linesAndChars"
    height = section.page_height.pt - section.top_margin.pt - section.bottom_margin.pt
    width = section.page_width.pt - section.left_margin.pt - section.right_margin.pt
    assert int(height // (int(grid.get(qn("w:linePitch"))) / 20)) == 22
    assert int(width // (16 + int(grid.get(qn("w:charSpace"))) / 4096)) == 28


def test_body_and_headings_have_their_fonts_sizes_and_lines(report: Any) -> None:
    wanted = {
        "Normal": ("仿宋_GB2312", 16, 28),
        "Title": ("方正小标宋简体", 22, 32),
        "Heading 1": ("黑体", 16, 28),
        "Heading 2": ("楷体_GB2312", 16, 28),
        "Heading 3": ("仿宋_GB2312", 16, 28),
        "Heading 4": ("仿宋_GB2312", 16, 28),
    }
    for name, (font, points, line) in wanted.items():
        style = report.styles[name]
        fonts = style.element.rPr.find(qn("w:rFonts"))
        assert {fonts.get(qn(f"w:{script}")) for script in ("ascii", "eastAsia", "hAnsi")} == {font}, name
        assert style.font.size.pt == points
        assert style.paragraph_format.line_spacing.pt == line
        assert not style.font.bold
    assert report.styles["Title"].paragraph_format.alignment == 1
    first = next(p for p in report.paragraphs if p.style.name == "Normal" and p.text.startswith("截至"))
    assert first._p.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"


def test_every_run_names_its_font_for_east_asia_and_for_the_rest(report: Any) -> None:
    found = runs(report)
    assert len(found) > 100
    for run in found:
        fonts = run.rPr.find(qn("w:rFonts"))
        assert fonts.get(qn("w:eastAsia")) == fonts.get(qn("w:ascii")) == fonts.get(qn("w:hAnsi"))
    table = next(style for style in report.styles if style.name == "公文表格")
    fonts = table.element.find(qn("w:rPr")).find(qn("w:rFonts"))
    assert fonts.get(qn("w:eastAsia")) == fonts.get(qn("w:ascii")) == "仿宋_GB2312"


def test_no_font_and_no_macro_is_shipped(facts: Compilation) -> None:
    with zipfile.ZipFile(io.BytesIO(report_docx(facts))) as archive:
        assert [
            name for name in archive.namelist() if "font" in name.lower() and not name.endswith("fontTable.xml")
        ] == []
        assert [name for name in archive.namelist() if "vba" in name.lower()] == []


def test_page_numbers_stand_right_on_odd_pages_and_left_on_even_ones(report: Any) -> None:
    assert report.settings.odd_and_even_pages_header_footer is True
    for footer, side in ((report.sections[0].footer, 2), (report.sections[0].even_page_footer, 0)):
        paragraph = footer.paragraphs[0]
        assert paragraph.alignment == side
        assert paragraph.text == "— 1 —"
        assert [code.text for code in paragraph._p.iter(qn("w:instrText"))] == [" PAGE "]
        assert {run.font.size.pt for run in paragraph.runs} == {14}


def test_properties_are_those_of_the_moment_and_the_bureau(report: Any) -> None:
    core = report.core_properties
    assert (core.author, core.last_modified_by, core.revision) == ("小城市民政局", "小城市民政局", 1)
    assert core.created == core.modified == AS_OF
    assert core.title == "小方案2025年上半年工作进展情况报告"


def test_the_parts_stand_in_their_order(report: Any) -> None:
    heads = [(p.style.name, p.text) for p in report.paragraphs if p.style.name in ("Title", "Heading 1", "附件")]
    assert heads == [
        ("Title", "小方案2025年上半年工作进展情况报告"),
        *(
            ("Heading 1", t)
            for t in ("一、总体情况", "二、重点任务进展", "三、特色亮点", "四、存在问题", "五、下一步打算")
        ),
        *(
            pair
            for number, name in enumerate(("重点任务进展表", "指标完成情况表", "缺报、迟报和待审核单位", "优秀案例"), 1)
            for pair in (("附件", f"附件{number}"), ("Title", name))
        ),
    ]
    second = [p.text for p in report.paragraphs if p.style.name in ("Heading 2", "Heading 3")]
    assert second == [
        "（一）精神素养提升行动",
        "1. 精神素养提升",
        "2. 精准摸排",
        "（二）阶段工作和保障措施",
        "1. 第二阶段 重点推进",
        "（三）未按任务分写的报送内容",
        "1. 综合情况",
        "1. 圐圙村的暖心屋",
    ]


def test_words_of_the_units_stand_under_their_names(report: Any) -> None:
    text = [p.text for p in report.paragraphs]
    at = text.index("1. 精神素养提升")
    assert text[at + 1] == "责任单位：教育局、民政局。"
    assert text[at + 3 : at + 8] == ["（1）市教育局", "开展宣讲。", SHOWN, "（2）东河区民政局", "走访入户。"]
    at = text.index("四、存在问题")
    assert text[at + 1] == "（本期没有审核通过的内容）"


def test_what_people_type_is_text_and_is_not_run(facts: Compilation) -> None:
    typed = [HOSTILE, "{{ 7 * 7 }}", "{%p for x in 行动 %}", "{#p #}", "{{r x }}", "&#123;&amp;&lt;w:p&gt;", "a\tb"]
    shown = [SHOWN, "{{ 7 * 7 }}", "{%p for x in 行动 %}", "{#p #}", "{{r x }}", "&#123;&amp;&lt;w:p&gt;", "a b"]
    hostile = replace(
        facts,
        problems=(said("甲{{ 标题 }}局", *typed),),
        bureau="市<民政>&局{{ 标题 }}",
        plan_title="方案{{ 标题 }}<w:p>",
    )
    found = docx.Document(io.BytesIO(report_docx(hostile)))
    text = [p.text for p in found.paragraphs]
    at = text.index("四、存在问题")
    assert text[at + 1 : at + 2 + len(typed)] == ["（1）甲{{ 标题 }}局", *shown]
    assert text[0] == "方案{{ 标题 }}<w:p>2025年上半年工作进展情况报告"
    assert "市<民政>&局{{ 标题 }}　　" in text
    assert found.core_properties.author == "市<民政>&局{{ 标题 }}"


def test_annex_1_counts_each_task_each_action_and_all(report: Any) -> None:
    assert cells(report.tables[0]) == [
        ["任务", "应办（件）", "办结（件）", "办结率", "按期办结", "逾期", "待审核"],
        ["任务1 精神素养提升", "10", "8", "80%", "7", "1", "1"],
        ["任务2 精准摸排", "10", "8", "80%", "7", "1", "1"],
        ["精神素养提升行动小计", "20", "16", "80%", "14", "2", "2"],
        ["第二阶段 重点推进", "2", "2", "100%", "2", "0", "0"],
        ["合计", "22", "18", "81%", "16", "2", "2"],
    ]


def test_annex_2_has_a_column_for_each_county_and_says_what_differs(report: Any) -> None:
    assert cells(report.tables[1]) == [
        ["指标", "全市", "市级单位", "东河区", "昆都仑区", "青山区", "石拐区"],
        ["2.1 已建档", "29", "3", "5", "6", "7", "8"],
        ["　　应办", "45", "9", "9", "9", "9", "9"],
        ["2.2 入户", "3", "–", "1", "2", "–", "–"],
    ]
    text = [p.text for p in report.paragraphs]
    assert "2.1 已建档/应办：全市比各旗县区之和多3/9，为市级单位填报（市教育局3/9）。" in text
    assert "其余1项指标各旗县区之和与全市一致。" in text


def test_a_table_keeps_its_width_whatever_the_number_of_counties(facts: Compilation) -> None:
    for count in (1, 4, 10):
        wide = replace(facts, counties=tuple((f"90{n:02}", f"第{n}旗县区") for n in range(1, count + 1)))
        table = docx.Document(io.BytesIO(report_docx(wide))).tables[1]
        widths = [int(column.get(qn("w:w"))) for column in table._tbl.tblGrid]
        assert len(widths) == len(table.rows[0].cells) == 3 + count
        assert abs(sum(widths) - 225 / 25.4 * 1440) < 40  # twips: as wide as the text of a page on its side
        assert [int(w.get(qn("w:w"))) for w in table.rows[1]._tr.iter(qn("w:tcW"))] == widths


def test_annex_3_names_whoever_is_missing_late_or_not_accepted(report: Any) -> None:
    assert cells(report.tables[2]) == [
        ["序号", "单位", "时限", "情况"],
        ["1", "东河区民政局", "2025年7月15日", "7月18日报送，逾期3日"],
        ["2", "昆都仑区民政局", "2025年7月15日", "已退回修改：任务2 精准摸排"],
        ["3", "青山区民政局", "2025年7月15日", "未报送，已超过时限5日"],
    ]


def test_with_nobody_missing_and_no_case_there_is_a_sentence(facts: Compilation) -> None:
    bare = replace(facts, submitters=facts.submitters[:1], cases=(), overviews=(), whole=(), others=())
    found = docx.Document(io.BytesIO(report_docx(bare)))
    text = [p.text for p in found.paragraphs]
    assert "各单位均已按时报送并审核通过。" in text
    assert "本期尚无入选的优秀案例。" in text
    assert len(found.tables) == 2
    assert "各单位报送的总体情况如下：" not in text
    assert "（二）阶段工作和保障措施" not in text


ALONE = (
    "import hashlib; from documents.report_docx import report_docx; from documents.report_xlsx import report_xlsx; "
    "from tests.documents.compilations import compilation as c; "
    "print(hashlib.sha256(report_docx(c())).hexdigest(), hashlib.sha256(report_xlsx(c())).hexdigest())"
)


def test_the_same_facts_give_the_same_bytes_in_every_process(facts: Compilation) -> None:
    mine = hashlib.sha256(report_docx(facts)).hexdigest()
    time.sleep(2.1)  # a zip archive tells time in steps of two seconds
    assert hashlib.sha256(report_docx(facts)).hexdigest() == mine
    told = {
        subprocess.run(
            [sys.executable, "-c", ALONE], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert told.pop().split()[0] == mine


def test_another_fact_gives_other_bytes(facts: Compilation) -> None:
    later = replace(facts, as_of=datetime(2025, 7, 21, 16, tzinfo=UTC))
    assert report_docx(later) != report_docx(facts)
    assert not same_content(report_docx(later), report_docx(facts))


def test_an_archive_packed_otherwise_has_the_same_content(facts: Compilation) -> None:
    data, other = report_docx(facts), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(other, "w", zipfile.ZIP_STORED) as target:
        for name in reversed(source.namelist()):
            target.writestr(name, source.read(name))
    assert other.getvalue() != data
    assert same_content(other.getvalue(), data)
    assert normalised(other.getvalue()) == data


def test_entries_are_sorted_and_undated(facts: Compilation) -> None:
    with zipfile.ZipFile(io.BytesIO(report_docx(facts))) as archive:
        names = archive.namelist()
        assert names[0] == "[Content_Types].xml"
        assert names[1:] == sorted(names[1:])
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_26_units_with_18_tasks_take_less_than_ten_seconds() -> None:
    facts = large(26, 18, 1500)
    begin = time.perf_counter()
    data = report_docx(facts)
    assert time.perf_counter() - begin < 10
    text = [p.text for p in docx.Document(io.BytesIO(data)).paragraphs]
    assert sum(len(line) for line in text if line.startswith("各单位按照方案要求")) == 26 * 18 * 1500
    assert sum(bool(re.fullmatch(r"（\d+）单位\d+", line)) for line in text) == 26 * 18


# ECMA-376: Word calls a file damaged whose properties stand in another order.
ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs "
    "suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd "
    "snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment "
    "textboxTightWrap outlineLvl divId cnfStyle rPr sectPr pPrChange",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid "
    "vanish webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em "
    "lang eastAsianLayout specVanish oMath",
    "sectPr": "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc pgBorders lnNumType "
    "pgNumType cols formProt vAlign noEndnote titlePg textDirection bidi rtlGutter docGrid printerSettings",
    "style": "name aliases basedOn next link autoRedefine hidden uiPriority semiHidden unhideWhenUsed qFormat locked "
    "personal personalCompose personalReply rsid pPr rPr tblPr trPr tcPr tblStylePr",
    "tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing "
    "tblInd tblBorders shd tblLayout tblCellMar tblLook",
    "tcPr": "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection tcFitText vAlign hideMark",
}


@pytest.mark.parametrize("name", ORDER)
def test_properties_stand_in_the_order_of_the_schema(facts: Compilation, name: str) -> None:
    wanted = ORDER[name].split()
    with zipfile.ZipFile(io.BytesIO(report_docx(facts))) as archive:
        parts = ("word/document.xml", "word/styles.xml", "word/footer1.xml", "word/footer2.xml")
        trees = [docx.oxml.parse_xml(archive.read(part)) for part in parts]
    found = [one for tree in trees for one in tree.iter(qn(f"w:{name}"))]
    assert found
    for one in found:
        places = [wanted.index(child.tag.partition("}")[2]) for child in one if child.tag.startswith(qn("w:b")[:-1])]
        assert places == sorted(places), [child.tag.partition("}")[2] for child in one]
        assert len(set(places)) == len(places) or name in ("sectPr", "style")
