"""A workbook that went through a spreadsheet program: opened and saved by LibreOffice, nothing is lost or changed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from documents.workbook import read, written
from tests.documents.test_workbook import NOW, TAB, book, row
from tests.workbooks import Sheets

pytestmark = pytest.mark.slow


def saved_again(data: bytes, folder: Path) -> bytes:
    (folder / "in").mkdir()
    (folder / "in" / "sheet.xlsx").write_bytes(data)
    home = f"-env:UserInstallation=file://{folder / 'home'}"
    subprocess.run(
        [
            "soffice",
            home,
            "--headless",
            "--convert-to",
            "xlsx",
            "--outdir",
            str(folder),
            str(folder / "in" / "sheet.xlsx"),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return (folder / "sheet.xlsx").read_bytes()


def test_saved_by_a_spreadsheet_program(tmp_path: Path) -> None:
    data = Sheets(written(book(row("圐圙村"), row("乙村")), now=NOW))
    data.fill(TAB, 0, 已联系=28, 应联系="=20+10", 主要做法="=不是公式", 发生日期="2025-06-05", 无新增=None)
    before, after = read(data.saved())[1], read(saved_again(data.saved(), tmp_path))[1]
    assert after.name == before.name == TAB
    titles = dict(zip(before.rows[2], range(20), strict=False))
    first = after.rows[3]
    assert after.rows[2][: len(titles)] == before.rows[2]
    assert [first[titles[title]] for title in ("办理件编号", "预填校验", "单位", "时限")] == [
        before.rows[3][titles[title]] for title in ("办理件编号", "预填校验", "单位", "时限")
    ]
    assert (first[titles["已联系"]], first[titles["应联系"]]) == (28.0, 30.0)  # the formula has its result now
    assert after.formulas >= {(4, titles["应联系"] + 1)}
