"""Copies without what was found: clean when screened again, and otherwise the same document."""

from __future__ import annotations

import io
from typing import Any

import docx
import openpyxl
import pytest

from documents.receiving import receive
from documents.redaction import redacted_copy
from policy_models.files import FileKind, Limits
from tests.corpus import builders as make
from tests.corpus.files import ADDRESS, CARD, FOUND, MOBILE, NAME, RESIDENT, ROWS, Sample, across_runs, every_line
from tests.corpus.lines import found_lines

pytestmark = pytest.mark.thorough

LIMITS = Limits()
OFFICE = [sample for sample in FOUND if sample.name.endswith((".docx", ".xlsx")) and not sample.name.startswith("姓名")]
MASK = "████"


def copy_of(data: bytes, name: str = "a") -> bytes:
    received = receive(name, data, limits=LIMITS, kinds=frozenset(FileKind))
    assert received.redacted is not None
    return received.redacted


def everything(data: bytes) -> str:
    return "\n".join(part.decode("utf-8", "replace") for part in make.unzipped(data).values())


@pytest.mark.parametrize("sample", OFFICE, ids=lambda sample: sample.name)
def test_a_copy_is_clean_and_holds_no_value(sample: Sample) -> None:
    received = receive(sample.name, sample.make(), limits=LIMITS)
    assert received.redacted is not None
    assert receive("copy", received.redacted, limits=LIMITS).findings == ()
    assert [value for value in sample.values if value in everything(received.redacted)] == []


def test_the_rest_of_a_document_stays() -> None:
    document = docx.Document(io.BytesIO(copy_of(make.word("第一段", change=across_runs))))
    assert [paragraph.text for paragraph in document.paragraphs] == ["第一段", f"身份证号：{MASK * 6}"]
    assert [run.font.size.pt for run in document.paragraphs[1].runs[1:]] == [10, 13, 16, 19, 22, 25]


def test_the_rest_of_a_table_stays() -> None:
    book = openpyxl.load_workbook(io.BytesIO(copy_of(make.workbook(ROWS))))
    assert [[cell.value for cell in row] for row in book.active.iter_rows()] == [
        ["序号", "姓名", "身份证号", "联系电话"],
        [1, MASK, MASK, MASK],
        [2, MASK, MASK, None],
    ]


def test_a_name_found_in_one_place_is_masked_in_all() -> None:
    words = f"{NAME}在校表现良好，已走访{NAME}家。"
    document = docx.Document(io.BytesIO(copy_of(make.word(f"姓名：{NAME}", words))))
    assert [one.text for one in document.paragraphs] == [f"姓名：{MASK}", f"{MASK}在校表现良好，已走访{MASK}家。"]


def test_formulas_that_bring_a_value_back_go() -> None:
    def add(book: Any) -> None:
        book.active = book.worksheets[0]
        book.active["B2"] = f'=CONCATENATE("电话","{MOBILE}")'

    copy = copy_of(make.workbook([["甲", "乙"], ["丙", None]], change=add))
    assert MOBILE not in everything(copy)


def test_the_first_page_as_a_picture_goes_with_the_copy() -> None:
    data = make.word(f"身份证{RESIDENT}")
    assert "docProps/thumbnail.jpeg" in make.unzipped(data)
    copy = make.unzipped(copy_of(data))
    assert "docProps/thumbnail.jpeg" not in copy
    assert b"thumbnail" not in copy["_rels/.rels"]


def test_every_line_of_the_corpus_in_one_document() -> None:
    copy = copy_of(make.word("语料", change=every_line))
    assert receive("a.docx", copy, limits=LIMITS).findings == ()
    text = everything(copy)
    for line in found_lines():
        if line.expected == "block" and not set("\t\n") & set(line.text) and len(line.value) > 8:
            assert line.value not in text


def test_text_files() -> None:
    copy = copy_of(f"卡号：{CARD}\n家庭住址：{ADDRESS}\n其他".encode("gb18030"))
    assert copy.decode() == f"卡号：{MASK}\n家庭住址：{MASK}\n其他"


def test_no_copy_of_what_cannot_be_copied_and_none_of_what_is_clean() -> None:
    assert redacted_copy(FileKind.PDF, make.pdf("身份证")) is None
    clean = make.word("没有个人信息")
    assert redacted_copy(FileKind.DOCX, clean) == clean
    assert receive("a.docx", clean, limits=LIMITS).redacted is None
    received = receive("a.pdf", make.pdf(f"身份证{RESIDENT}"), limits=LIMITS)
    assert (received.blocked, received.redacted) == (True, None)


def test_a_photo_whose_remark_blocks_has_a_copy_without_it() -> None:
    received = receive("a.jpg", make.photo(exif=make.exif(words=f"ID {RESIDENT}")), limits=LIMITS)
    assert received.redacted == received.data
    assert RESIDENT.encode() not in received.data


@pytest.mark.parametrize("sample", OFFICE[:6], ids=lambda sample: sample.name)
def test_the_same_file_gives_the_same_copy(sample: Sample) -> None:
    data = sample.make()
    assert copy_of(data) == copy_of(data)
