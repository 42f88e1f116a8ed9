"""What leaves the house in a cell is words: no formula runs, no letter is lost."""

import csv
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from python_calamine import load_workbook

from documents.cells import LONGEST, csv_lines, is_risky, plain, safe, words
from documents.tables import HEAD, Heading, write_table
from tests.factories import instant

ATTACKS = [
    "=1+1",
    "+86 472",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "  =1+1",
    "\u3000=1+1",
    "\u200b=1+1",
    '=HYPERLINK("http://example.org","点击")',
]


@pytest.mark.parametrize("text", ATTACKS)
def test_what_begins_like_a_formula_is_put_behind_an_apostrophe(text: str) -> None:
    assert is_risky(text)
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "圐圙村", "1=1", "3-5次", "a@b", "'=1", "（-）", "—", "0472-5551234"])
def test_other_words_stay_as_they_are(text: str) -> None:
    assert not is_risky(text)
    assert safe(text) == text


def test_a_csv_has_a_bom_and_keeps_every_letter() -> None:
    rows = [["单位", "说明"], ["圐圙村", "=1+1"], ["甲,乙", '说"好"\n两行'], [Decimal("3.5"), date(2025, 6, 30)]]
    data = "".join(csv_lines(rows)).encode()
    assert data.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert read == [["单位", "说明"], ["圐圙村", "'=1+1"], ["甲,乙", '说"好"\n两行'], ["3.5", "2025-06-30"]]


def test_a_csv_comes_in_pieces() -> None:
    pieces = list(csv_lines([[n] for n in range(1200)]))
    assert len(pieces) == 3
    assert "".join(pieces).count("\r\n") == 1200


def test_what_a_cell_cannot_hold_is_left_out() -> None:
    assert plain("甲\x00乙\x0b\ud800丙\ufffe") == "甲乙丙"
    assert plain("长" * (LONGEST + 9)).endswith("……（内容过长，此处略）")
    assert len(plain("长" * (LONGEST + 9))) == LONGEST


def test_dates_and_figures_in_words() -> None:
    told = [words(one) for one in (None, date(2025, 6, 30), datetime(2025, 6, 30, 9, 5), Decimal("1E+3"), 7, "甲")]
    assert told == ["", "2025-06-30", "2025-06-30 09:05", "1000", "7", "甲"]


def table(rows: list[list[object]]) -> bytes:
    target = io.BytesIO()
    heading = Heading("台账", "督办台账 & 附表", "截至 2025-06-30", [("甲", 9), ("乙", 9)])
    assert write_table(target, heading, rows, now=instant("2025-06-30")) == len(rows)  # type: ignore[arg-type]
    return target.getvalue()


def test_no_formula_and_no_link_is_written_to_a_table() -> None:
    data = table([[attack, "https://example.org"] for attack in ATTACKS])
    found = load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert [row[0] for row in found[HEAD + 1 :]] == [plain(attack) for attack in ATTACKS]
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"<hyperlink" not in sheet
        assert b"quotePrefix" in packed.read("xl/styles.xml")


def test_the_same_table_gives_the_same_bytes() -> None:
    rows: list[list[object]] = [["圐圙", date(2025, 6, 30)], [Decimal("3.5"), datetime(2025, 6, 30, 9, 5)], [None, 7]]
    assert table(rows) == table(rows)
    found = load_workbook(io.BytesIO(table(rows))).get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert found[HEAD + 1 :] == [["圐圙", date(2025, 6, 30)], [3.5, datetime(2025, 6, 30, 9, 5)], ["", 7.0]]
