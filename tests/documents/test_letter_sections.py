"""A report is cut at its own headings, however they are put."""

from __future__ import annotations

import io

import pytest
from docx import Document

from documents.letter_sections import Cut, cut
from documents.letter_text import text_of
from policy_models.errors import FileRefused
from policy_models.files import FileKind

USUAL = """石拐区民政局关于2025年上半年工作进展情况的报告
包头市民政局：
现将有关情况报告如下。
一、总体情况
上半年总体平稳。
二、重点任务进展情况
（一）开展走访。
1.存在困难的家庭走访 12 次。
三、特色亮点和优秀案例：建立“一点两站”…运行良好。
四、存在的问题

无。
五、下一步打算
继续。
六、附件
名单。
"""


def test_the_usual_form() -> None:
    assert cut(USUAL) == Cut(
        {
            "overview": "现将有关情况报告如下。\n上半年总体平稳。",
            "progress": "（一）开展走访。\n1.存在困难的家庭走访 12 次。",
            "highlights": "建立“一点两站”…运行良好。",
            "problems": "无。",
            "next": "继续。\n六、附件\n名单。",
        },
        5,
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("总体情况\n好。\n存在问题\n无\n下一步打算\n继续", {"overview": "好。", "problems": "无", "next": "继续"}),
        ("1、工作开展情况\n好。\n2、存在问题及下一步打算\n无", {"progress": "好。", "problems": "无"}),
        ("第一部分 基本情况\n好。\n第二部分 存在不足\n无", {"overview": "好。", "problems": "无"}),
        ("（一）总体情况\n好。\n（二）存在问题\n无", {"overview": "好。", "problems": "无"}),
        ("一．总体情况\n好。\n四．问题\n无", {"overview": "好。", "problems": "无"}),
        ("一、主要做法\n甲。\n二、取得进展\n乙。\n三、问题\n无", {"progress": "甲。\n乙。", "problems": "无"}),
    ],
)
def test_other_forms(text: str, found: dict[str, str]) -> None:
    assert cut(text).sections == found


def test_without_headings_all_of_it_is_kept() -> None:
    assert cut("总结\n全年走访 12 次。") == Cut({"overview": "总结\n全年走访 12 次。"}, 0)
    assert cut("一、总体情况\n好。") == Cut({"overview": "一、总体情况\n好。"}, 0)
    assert cut(" \n") == Cut({}, 0)


def test_the_text_of_a_document_with_a_table_in_its_place() -> None:
    document = Document()
    document.add_paragraph("一、总体情况")
    table = document.add_table(2, 2)
    for number, words in enumerate(("指标", "数量", "走访", "12")):
        table.cell(number // 2, number % 2).text = words
    document.add_paragraph("四、存在问题")
    out = io.BytesIO()
    document.save(out)
    assert text_of(FileKind.DOCX, out.getvalue()) == "一、总体情况\n指标\t数量\n走访\t12\n四、存在问题"
    assert text_of(FileKind.XLSX, b"anything") == ""


@pytest.mark.parametrize(("kind", "data"), [(FileKind.DOCX, b"PK\x03\x04 broken"), (FileKind.PDF, b"%PDF-1.4 broken")])
def test_what_cannot_be_read_says_so(kind: FileKind, data: bytes) -> None:
    with pytest.raises(FileRefused, match="附件的文字无法读取，请打开附件查看"):
        text_of(kind, data)
