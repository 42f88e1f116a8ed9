"""Old Word documents (.doc) through LibreOffice: read like any other, or refused with what to do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from documents.old_word import as_docx
from documents.receiving import receive
from policy_models.errors import FileRefused
from policy_models.files import LETTER_KINDS, FileKind, Limits, Received
from tests.corpus import builders as make
from tests.corpus.files import MOBILE, NAME, RESIDENT, ROWS, header_and_footer


def came(data: bytes) -> Received:
    return receive("半年总结.doc", data, limits=Limits(), kinds=LETTER_KINDS)


def old(data: bytes, folder: Path) -> bytes:
    """The document as Word 97 to 2003 keeps it."""
    (folder / "a.docx").write_bytes(data)
    program = shutil.which("soffice") or shutil.which("libreoffice")
    assert program, "LibreOffice is needed for this test"
    command = [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", "doc"]
    subprocess.run(
        [*command, "--outdir", str(folder), str(folder / "a.docx")], check=True, capture_output=True, timeout=180
    )
    return (folder / "a.doc").read_bytes()


@pytest.mark.slow
def test_an_old_document_is_read_and_kept_as_it_came(tmp_path: Path) -> None:
    data = old(make.word("上半年走访留守儿童35人次，签订责任确认书12份。"), tmp_path)
    received = came(data)
    assert (received.name, received.kind, received.data) == ("半年总结.doc", FileKind.DOC, data)
    assert received.findings == ()


@pytest.mark.slow
def test_what_an_old_document_holds_is_found(tmp_path: Path) -> None:
    document = make.word(f"身份证号：{RESIDENT}，监护人：{NAME}", change=header_and_footer)
    received = came(old(document, tmp_path))
    assert {one.kind for one in received.findings if one.blocks} == {"resident_id", "name", "student_number", "mobile"}
    assert received.redacted is None
    table = came(old(make.word_table([[str(value) for value in row] for row in ROWS]), tmp_path))
    assert {one.kind for one in table.findings if one.blocks} == {"name", "resident_id", "mobile"}
    assert not any(MOBILE in one.sample for one in table.findings)


@pytest.mark.slow
def test_too_long_is_said(tmp_path: Path) -> None:
    data = old(make.word("正文"), tmp_path)
    with pytest.raises(FileRefused, match="超时"):
        as_docx(data, seconds=0.05)


def test_without_libreoffice_it_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(FileRefused, match=r"另存为 \.docx"):
        came(make.compound("WordDocument"))


@pytest.mark.slow
def test_what_only_looks_like_an_old_document_is_refused() -> None:
    with pytest.raises(FileRefused):
        came(make.compound("WordDocument"))
