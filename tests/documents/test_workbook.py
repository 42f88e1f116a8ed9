"""The workbook as bytes: what is given out, what comes back in every state, and the copy with the marks."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
import xlsxwriter

from documents.sheet_scan import MOST_COLUMNS, MOST_ROWS
from documents.workbook import marked, read, written
from policy_models.errors import FileRefused
from policy_models.plan import Requirement
from policy_models.workbook import CellFault, ReadSheet, Row, Sheet, Value, Workbook, columns_of, sheet_name
from tests.factories import instant
from tests.policy_models.test_workbook_check import CONTACTS
from tests.workbooks import Sheets

NOW = instant("2025-06-30")
TAB = "8.5 每月联系"


def row(village: str, **filled: Value) -> Row:
    given: dict[str, Value] = {
        "key": f"p:8.5:{village}:2025-06",
        "digest": "v0",
        "unit": village,
        "period": "2025年6月",
        "deadline": date(2025, 6, 30),
        "standing": "待报送",
    }
    return Row({**given, **filled})


def book(*rows: Row, requirement: Requirement = CONTACTS) -> Workbook:
    name = sheet_name(requirement.code, requirement.title)
    title = f"{requirement.code} {requirement.title}"
    sheet = Sheet(requirement.code, name, title, columns_of(requirement), rows, ("走访照片 1 份",))
    return Workbook("金山镇", "150222100", "三年行动方案", date(2025, 6, 30), (sheet,), ("17.1 半年报告",))


@pytest.fixture
def data() -> bytes:
    of = "of:should:应联系"
    return written(
        book(row("圐圙村", **{of: Decimal(30)}), row("乙村", **{of: Decimal("2.5"), "note": "=1+1"})), now=NOW
    )


def rows_of(data: bytes, name: str = TAB) -> ReadSheet:
    return next(sheet for sheet in read(data) if sheet.name == name)


def test_what_is_written_is_read_again(data: bytes) -> None:
    assert [sheet.name for sheet in read(data)] == ["填写说明", TAB]
    sheet = rows_of(data)
    titles = [column.title for column in columns_of(CONTACTS)]
    assert list(sheet.rows[2]) == titles
    first = dict(zip(titles, sheet.rows[3], strict=True))
    assert (first["单位"], first["时限"], first["应联系"]) == ("圐圙村", date(2025, 6, 30), 30.0)
    second = dict(zip(titles, sheet.rows[4], strict=True))
    assert (second["应联系"], second["备注"], second["已联系"]) == (2.5, "=1+1", None)
    assert sheet.formulas == frozenset()


def test_the_same_facts_give_the_same_bytes() -> None:
    assert written(book(row("甲村")), now=NOW) == written(book(row("甲村")), now=NOW)
    assert written(book(row("甲村")), now=NOW) != written(book(row("甲村")), now=instant("2025-07-01"))


def test_what_is_ours_is_locked_and_what_is_theirs_is_not(data: bytes) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(data))[TAB]
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    assert sheet.freeze_panes == "D4"
    locked = {sheet.cell(3, place).value: sheet.cell(4, place).protection.locked for place in range(1, 15)}
    assert [title for title, shut in locked.items() if shut] == [
        "办理件编号", "预填校验", "单位", "期次", "时限", "状态"
    ]  # fmt: skip
    hidden = sheet.column_dimensions["A"]  # one for both columns
    assert (hidden.hidden, hidden.min, hidden.max, sheet.column_dimensions["C"].hidden) == (True, 1, 2, False)


def test_every_column_to_be_filled_is_validated(data: bytes) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(data))[TAB]
    found = {str(one.sqref): one.type for one in sheet.data_validations.dataValidation}
    assert found == {
        "G4:G5": "decimal", "H4:H5": "decimal", "I4:I5": "decimal", "J4:J5": "textLength",
        "K4:K5": "list", "L4:L5": "textLength", "M4:M5": "date", "N4:N5": "textLength",
    }  # fmt: skip
    rules = sheet.conditional_formatting
    assert sorted(str(one.sqref) for one in rules) == ["G4:G5", "I4:I5"]  # a value above what it is counted of


def test_no_word_becomes_a_formula_or_a_link(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        sheet = packed.read("xl/worksheets/sheet2.xml")
    assert b"<f>" not in sheet
    assert b"hyperlink" not in sheet


def test_errors_formulas_and_merged_cells_are_seen(data: bytes) -> None:
    def act(found: openpyxl.Workbook) -> None:
        sheet = found[TAB]
        sheet["G4"] = "=H4-2"  # nobody has calculated it yet
        sheet["H4"].value, sheet["H4"].data_type = "#REF!", "e"
        sheet.merge_cells("I4:I5")

    sheet = rows_of(Sheets(data).change(act).saved())
    assert sheet.formulas == {(4, 7)}
    assert sheet.broken == {(4, 8): "#REF!"}
    assert sheet.merged == {(5, 9)}
    assert sheet.rows[3][6] is None


def test_the_bad_cells_are_marked_with_the_reason_beside_them(data: bytes) -> None:
    faults = [
        CellFault(TAB, 4, 7, "已联系", "12人", "只填数字，请删去“人”"),
        CellFault(TAB, 4, 8, "应联系", "", "请填写“应联系”"),
        CellFault(TAB, 5, 14, "备注", "1****", "有疑似公民身份号码", private=True),
    ]
    copy = marked(data, faults)
    sheet = openpyxl.load_workbook(io.BytesIO(copy))[TAB]
    assert sheet["O3"].value == "问题"
    assert sheet["O4"].value == "G4“已联系”：只填数字，请删去“人”；H4“应联系”：请填写“应联系”"
    assert sheet["O5"].value == "N5“备注”：有疑似公民身份号码"
    assert [sheet[place].fill.fgColor.rgb for place in ("G4", "H4", "N5", "G5")] == [
        "FFF9D5D1", "FFF9D5D1", "FFF9D5D1", "00000000"
    ]  # fmt: skip
    assert sheet["N5"].value is None
    assert openpyxl.load_workbook(io.BytesIO(copy)).active.title == TAB


def test_a_copy_that_is_wrong_again_has_one_column_of_reasons(data: bytes) -> None:
    first = marked(data, [CellFault(TAB, 4, 7, "已联系", "", "甲")])
    second = marked(first, [CellFault(TAB, 5, 7, "已联系", "", "乙")])
    sheet = openpyxl.load_workbook(io.BytesIO(second))[TAB]
    assert [[sheet.cell(line, place).value for place in (15, 16)] for line in (3, 4, 5)] == [
        ["问题", None], [None, None], ["G5“已联系”：乙", None]
    ]  # fmt: skip


def test_a_formula_in_what_somebody_wrote_stays_what_it_was_and_reasons_are_words(data: bytes) -> None:
    copy = marked(data, [CellFault(TAB, 4, 7, "=1+1", "", "=1+1")])
    sheet = openpyxl.load_workbook(io.BytesIO(copy))[TAB]
    assert (sheet["O4"].value, sheet["O4"].data_type) == ("G4“=1+1”：=1+1", "s")
    assert (sheet["N5"].value, sheet["N5"].data_type) == ("=1+1", "s")


def packed(change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The workbook with its parts changed; None leaves a part out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written(book(row("甲村")), now=NOW))) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if (part := change(name, old.read(name))) is not None:
                new.writestr(name, part)
    return target.getvalue()


def in_sheet(old: bytes, new: bytes) -> bytes:
    def change(name: str, part: bytes) -> bytes:
        return part.replace(old, new, 1) if name.endswith("sheet2.xml") else part

    return packed(change)


FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
HOSTILE = {
    "no zip": b"PK\x03\x04 and nothing more",
    "cut off": written(book(row("甲村")), now=NOW)[:3000],
    "no workbook": packed(lambda name, part: None if name == "xl/workbook.xml" else part),
    "no sheet": packed(lambda name, part: None if name.endswith("sheet2.xml") else part),
    "half a sheet": packed(lambda name, part: part[:1500] if name.endswith("sheet2.xml") else part),
    "far cell": in_sheet(b"</sheetData>", FAR),
    "far cell, lower case": in_sheet(b"</sheetData>", FAR.replace(b"XFD", b"xfd")),
    "far cell, spaces": in_sheet(b"</sheetData>", FAR.replace(b'r="XFD1048576"', b"r = 'XFD1048576'")),
    "far cell, prefix": in_sheet(b"</sheetData>", FAR.replace(b"<c ", b"<x:c ").replace(b"</c>", b"</x:c>")),
    "far cell behind a comment": in_sheet(b"</sheetData>", FAR.replace(b"<v>", b"<!-- --><v>")),
    "no place": in_sheet(b"</sheetData>", b'<row r="1048576"><c t="n"><v>1</v></c></row></sheetData>'),
    "entities": in_sheet(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'),
    "entities in the book": packed(
        lambda name, part: (
            part.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook', 1)
            if name == "xl/workbook.xml"
            else part
        )
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_workbooks_are_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(FileRefused, match=r"。|，|；"):
        read(HOSTILE[name])


def test_a_far_cell_takes_no_memory() -> None:
    """The reader alone would lay out 17 thousand million cells and end the program."""
    code = (
        "import resource, sys\n"
        "from documents.workbook import read\n"
        "from policy_models.errors import FileRefused\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "try:\n    read(sys.stdin.buffer.read())\nexcept FileRefused as refused:\n    print(refused)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], input=HOSTILE["far cell"], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout.decode()) == (
        0,
        f"工作表“{TAB}”内容超出可读取的范围（{MOST_ROWS:,} 行、{MOST_COLUMNS} 列），请从本系统重新下载后填写\n",
    )


def test_one_long_text_repeated_in_every_cell_is_refused() -> None:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as file:
        page = file.add_worksheet()
        for line in range(400):
            page.write_row(line, 0, ["长" * 30_000] * 60)
    with pytest.raises(FileRefused, match="内容超出可读取的范围"):
        read(target.getvalue())


def test_formats_without_content_reach_no_further() -> None:
    def act(found: openpyxl.Workbook) -> None:
        found[TAB]["XFD1048576"].number_format = "0.00"

    data = Sheets(written(book(row("甲村")), now=NOW)).change(act).saved()
    assert len(rows_of(data).rows) == 4
