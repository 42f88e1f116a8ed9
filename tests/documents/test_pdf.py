"""PDF by the LibreOffice that is installed: every word, 28 characters to a line, two at once; and where it cannot."""

from __future__ import annotations

import io
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from documents import pdf
from documents.report_docx import report_docx
from policy_models.compilation import Compilation
from policy_models.errors import FileRefused
from tests.documents.compilations import compilation, said

LINE = "一二三四五六七八九十" * 20


@pytest.fixture(scope="module")
def facts() -> Compilation:
    return replace(compilation(), problems=(said("市教育局", LINE),))


@pytest.fixture(scope="module")
def made(facts: Compilation) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf.to_pdf(report_docx(facts))))


@pytest.mark.slow
def test_every_part_is_in_the_pdf(made: pypdf.PdfReader) -> None:
    text = "".join("".join(page.extract_text().split()) for page in made.pages)
    for words in ("一、总体情况", "（一）精神素养提升行动", "附件1重点任务进展表", "圐圙村的暖心屋", "29/45"):
        assert words in text
    sizes = {(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in made.pages}
    assert sizes == {(595, 842), (842, 595)}


@pytest.mark.slow
def test_a_line_holds_28_characters(made: pypdf.PdfReader) -> None:
    lines = [line for page in made.pages for line in page.extract_text().splitlines()]
    whole = [line.strip() for line in lines if line.strip() and line.strip() in LINE]
    assert max(map(len, whole)) == 28
    assert [len(line) for line in whole if len(line) > 5][:2] == [26, 28]  # the first is indented by two


@pytest.mark.slow
def test_no_font_is_missing_from_the_pdf(made: pypdf.PdfReader) -> None:
    fonts = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in made.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    assert all("CJK" in name for name in fonts), fonts


@pytest.mark.slow
def test_two_at_once_do_not_meet(facts: Compilation, made: pypdf.PdfReader) -> None:
    document = report_docx(facts)
    with ThreadPoolExecutor(2) as both:
        found = list(both.map(pdf.to_pdf, [document, document]))
    assert {len(pypdf.PdfReader(io.BytesIO(one)).pages) for one in found} == {len(made.pages)}


@pytest.mark.slow
def test_one_that_takes_too_long_is_stopped_and_leaves_nothing(facts: Compilation) -> None:
    before = set(running())
    with pytest.raises(FileRefused, match="超时"):
        pdf.to_pdf(report_docx(facts), seconds=0.3)
    assert set(running()) - before == set()


def running() -> list[str]:
    found = subprocess.run(["pgrep", "-f", "lucheng-pdf-"], capture_output=True, text=True, check=False)
    return found.stdout.split()


def test_without_libreoffice_there_is_a_sentence(
    facts: Compilation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pdf.program() is None
    with pytest.raises(FileRefused, match="未安装 LibreOffice"):
        pdf.to_pdf(report_docx(facts))


@pytest.mark.parametrize("script", ["exit 7", "exit 0"])
def test_a_libreoffice_that_fails_or_makes_nothing_is_told(
    facts: Compilation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(FileRefused, match="未能生成 PDF"):
        pdf.to_pdf(report_docx(facts))
