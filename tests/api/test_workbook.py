"""表格填报 through the door: down, filled in, up; and everything that people send instead."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import openpyxl
import pytest
from fastapi.testclient import TestClient

from ledger import submissions
from ledger.acts import standing
from ledger.database import Database
from ledger.settings import Settings
from policy_models.files import MEGABYTE
from policy_models.lifecycle import State
from tests.api.site import BASE, open_browser, tiny_site
from tests.factories import instant, item, just_before, office, query, statements, village
from tests.ledger.test_workbooks import contacts
from tests.workbooks import CONTACTS, FULL, TOWNSHIP, VISITS, Sheets, sheets_plan

pytestmark = pytest.mark.thorough

DAY = "2025-06-01"
FIRST, SECOND = village(1, 1), village(1, 2)
JANUARY, WINTER = item("1.2", FIRST, "2025-01"), item("2.2", FIRST, "2025-winter")
NUMBER = "11010519491231002X"


class Desk:
    """One ledger and its file store, with browsers at a day."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder

    def browser(self, day: str = DAY) -> TestClient:
        settings = Settings(base_url=BASE, clock=instant(day), data_dir=self.folder, max_file_mb=2)
        return open_browser(self.database, settings)

    def download(self, unit: str = TOWNSHIP, query: str = "") -> Sheets:
        answer = self.browser().get(f"/units/{unit}/workbook.xlsx{query}")
        assert answer.status_code == 200
        return Sheets(answer.content)

    def upload(
        self,
        data: bytes,
        unit: str = TOWNSHIP,
        name: str = "待报送.xlsx",
        browser: TestClient | None = None,
        **fields: str,
    ) -> httpx.Response:
        browser = browser or self.browser()
        return browser.post(f"/units/{unit}/workbook", files={"file": (name, data)}, data=fields)

    def state(self, key: str) -> State:
        with self.database.read() as session:
            return standing(session, key).state

    def count(self, table: str) -> int:
        with self.database.read() as session:
            return int(query(session, f"SELECT count(*) FROM {table}")[0][0])


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with tiny_site(database_url, tmp_path / "pack", sheets_plan) as found:
        yield Desk(found.database, tmp_path / "data")


def faults(answer: httpx.Response) -> list[list[str]]:
    """The table of what is wrong: sheet, cell, column, what stands there, why."""
    table = re.search(r'<table class="dense faults">.*?</table>', answer.text, re.DOTALL)
    assert table is not None, answer.text
    row = (
        r'<tr><th scope="row">(\S+) ([^<]*)<span class="small">([^<]*)</span></th><td>([^<]*)</td><td>([^<]*)</td></tr>'
    )
    found = [[unescape(part) for part in parts] for parts in re.findall(row, table[0])]
    assert len(found) == table[0].count("<tr>") - 1
    return [[sheet, cell, title, shown, reason] for cell, title, sheet, shown, reason in found]


def copy_of(desk: Desk, answer: httpx.Response) -> openpyxl.Workbook:
    """The marked copy that a refusal links to."""
    link = re.search(r'href="(/units/[^"]+\.xlsx[^"]*)">下载标注副本', answer.text)
    assert link is not None, answer.text
    copy = desk.browser().get(unescape(link[1]))
    assert copy.status_code == 200
    return openpyxl.load_workbook(io.BytesIO(copy.content))


def row_of(sheets: Sheets, sheet: str, unit: str, period: str) -> int:
    for number in range(40):
        if sheets.cell(sheet, number, "单位").value == unit and sheets.cell(sheet, number, "期次").value == period:
            return number
    raise AssertionError(f"no row for {unit} {period}")


def filled(desk: Desk, **more: object) -> Sheets:
    """The township's workbook with January of its first village filled in."""
    sheets = desk.download()
    return sheets.fill(CONTACTS, row_of(sheets, CONTACTS, "1县1村", "2025年1月"), **{**FULL, **more})


def test_down_filled_in_and_up(desk: Desk) -> None:
    sheets = filled(desk, 备注="补报", 发生日期="2025-01-20")
    visits = row_of(sheets, VISITS, "1县1村", "2025年寒假")
    sheets.fill(VISITS, visits, 已走访数=8, 应走访数=9)
    answer = desk.upload(sheets.saved(), by_name="经办甲")
    assert answer.status_code == 303
    assert (desk.state(JANUARY), desk.state(WINTER)) == (State.SUBMITTED, State.OPEN)
    page = desk.browser().get(answer.headers["location"])
    told = unescape(re.sub(r"<[^>]+>", "", page.text))
    assert "已报送 1 件" in told
    assert "1 件还缺照片或文件，数字已存为草稿" in told
    assert "假期走访 · 1县1村 · 2025年寒假" in told
    assert "还缺走访照片1份" in told
    with desk.database.read() as session:
        assert query(session, "SELECT by_unit, by_name, note FROM entry WHERE act = 'submit'") == [
            (TOWNSHIP, "经办甲", "补报")
        ]
        handed = query(session, 'SELECT name, value, "of", text, effective_on FROM evidence ORDER BY id')
    assert [(name, value and int(value), of and int(of), text, str(on)) for name, value, of, text, on in handed] == [
        ("contacted", 28, 30, None, "2025-01-20"),
        ("talks", 5, None, None, "2025-01-20"),
        (None, None, None, "逐户电话联系", "2025-01-20"),
    ]
    again = desk.upload(sheets.saved())  # twice is once, and is told so
    assert again.status_code == 422
    assert faults(again)[0][4] == "已经报送，正待审核；要改请先在办理件页面撤回"


def test_one_wrong_cell_and_nothing_is_taken(desk: Desk) -> None:
    sheets = filled(desk)
    second = row_of(sheets, CONTACTS, "1县2村", "2025年1月")
    sheets.fill(CONTACTS, second, **{**FULL, "已联系数": "12人", "应联系数": None})
    answer = desk.upload(sheets.saved())
    assert answer.status_code == 422
    assert "有 2 处需要更正，本次没有报送任何一行" in answer.text
    cell = sheets.cell(CONTACTS, second, "已联系数").coordinate
    of = sheets.cell(CONTACTS, second, "应联系数").coordinate
    assert faults(answer) == [
        [CONTACTS, cell, "已联系数", "12人", "只填数字，请删去“人”"],
        [CONTACTS, of, "应联系数", "（空）", "请填写“应联系数”"],
    ]
    assert desk.state(JANUARY) is State.OPEN
    assert desk.count("evidence") == desk.count("draft_evidence") == 0
    copy = copy_of(desk, answer)
    marked = [
        c.coordinate for row in copy[CONTACTS].iter_rows(min_row=4) for c in row if c.fill.fgColor.rgb == "FFF9D5D1"
    ]
    assert marked == [cell, of]
    reasons = [c.value for c in copy[CONTACTS][sheets.cell(CONTACTS, second, "已联系数").row] if c.value]
    assert reasons[-1] == f"{cell}“已联系数”：只填数字，请删去“人”；{of}“应联系数”：请填写“应联系数”"


def test_the_copy_put_right_goes_in(desk: Desk) -> None:
    sheets = filled(desk, 已联系数=31)
    answer = desk.upload(sheets.saved())
    assert faults(answer)[0][3:] == ["31", "大于“应联系数”（30），请核对"]
    target = io.BytesIO()
    copy_of(desk, answer).save(target)
    right = Sheets(target.getvalue())
    right.fill(CONTACTS, row_of(right, CONTACTS, "1县1村", "2025年1月"), 已联系数="２ ８")
    assert desk.upload(right.saved()).status_code == 303
    assert desk.state(JANUARY) is State.SUBMITTED


def test_what_is_personal_goes_nowhere(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    sheets = filled(desk, 备注=f"证号{NUMBER}，已联系")
    answer = desk.upload(sheets.saved())
    assert answer.status_code == 422
    assert NUMBER not in answer.text
    assert "有疑似" in faults(answer)[0][4]
    row = row_of(sheets, CONTACTS, "1县1村", "2025年1月")
    assert copy_of(desk, answer)[CONTACTS][sheets.cell(CONTACTS, row, "备注").coordinate].value is None
    for path in desk.folder.rglob("*"):
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                assert all(NUMBER.encode() not in packed.read(name) for name in packed.namelist())
    assert NUMBER not in caplog.text
    assert desk.count("evidence") == desk.count("draft_evidence") == 0


def test_what_is_personal_in_a_remark_is_refused_without_a_copy(desk: Desk) -> None:
    sheets = filled(desk)
    sheets.book[CONTACTS]["G4"].comment = openpyxl.comments.Comment(f"证号{NUMBER}", "甲")
    answer = desk.upload(sheets.saved())
    assert answer.status_code == 422
    assert NUMBER not in answer.text
    assert "批注、图片或文件属性中有" in answer.text
    assert "标注副本" not in answer.text
    sheets.fill(CONTACTS, row_of(sheets, CONTACTS, "1县1村", "2025年1月"), 备注=f"证号{NUMBER}")
    both = desk.upload(sheets.saved())
    assert "不提供副本" in both.text
    assert ">下载标注副本" not in both.text
    assert desk.state(JANUARY) is State.OPEN


def test_a_village_fills_in_for_itself_and_not_for_others(desk: Desk) -> None:
    township = desk.download()
    for number in range(2):
        township.fill(CONTACTS, number, **FULL)
    answer = desk.upload(township.saved(), unit=FIRST)
    assert answer.status_code == 422
    assert {row[4] for row in faults(answer)} == {"这一办理件由其他单位报送，您的单位不能代办"}
    own = desk.download(FIRST, "?requirement=1.2&period=2025-01")
    assert own.book.sheetnames == ["填写说明", CONTACTS]
    assert desk.upload(own.fill(CONTACTS, 0, **FULL).saved(), unit=FIRST).status_code == 303


def test_handed_in_by_somebody_else_between_check_and_act(desk: Desk) -> None:
    data = filled(desk).saved()
    browser = desk.browser()

    def first() -> None:
        with desk.database.write() as session:
            submissions.submit(session, JANUARY, by=office(FIRST), evidence=contacts(), now=instant(DAY))

    sqlite = desk.database.engine.dialect.name == "sqlite"  # which locks before it reads
    begins = "BEGIN IMMEDIATE" if sqlite else "SELECT work_item.id, work_item.key, work_item.plan_id"
    with just_before(desk.database, begins, first):
        answer = desk.upload(data, browser=browser)
    assert answer.status_code == 422
    assert faults(answer)[0][4] == "“待审核”的办理件不能报送"
    assert copy_of(desk, answer)
    assert desk.count("evidence") == 3


def test_nothing_filled_in(desk: Desk) -> None:
    answer = desk.upload(desk.download().saved())
    assert answer.status_code == 303
    assert "没有可报送的内容" in desk.browser().get(answer.headers["location"]).text


def test_the_copy_of_an_earlier_upload_is_gone(desk: Desk) -> None:
    first = desk.upload(filled(desk, 已联系数="甲").saved())
    link = re.search(r'href="(/units/[^"]+\.xlsx[^"]*)">下载标注副本', first.text)
    assert link is not None
    second = desk.upload(filled(desk, 已联系数="乙").saved())
    assert copy_of(desk, second)
    assert desk.browser().get(unescape(link[1])).status_code == 404
    assert desk.browser().get(unescape(link[1]).replace(TOWNSHIP, "900201")).status_code == 404
    assert len([path for path in desk.folder.rglob("*") if path.is_file()]) == 1


def other_workbook() -> bytes:
    target = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["单位", "人数"])
    book.save(target)
    return target.getvalue()


def macro_workbook() -> bytes:
    target = io.BytesIO(other_workbook())
    with zipfile.ZipFile(target, "a") as packed:
        packed.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    return target.getvalue()


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts_of(other_workbook()):
            packed.writestr(name, part)
        packed.writestr("xl/worksheets/sheet2.xml", b"0" * (300 * MEGABYTE))
    return target.getvalue()


def parts_of(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return [(name, packed.read(name)) for name in packed.namelist()]


INSTEAD = {
    "another workbook": ("汇总.xlsx", other_workbook),
    "empty": ("待报送.xlsx", lambda: b""),
    "old format": ("待报送.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000),
    "csv": ("待报送.csv", lambda: "办理件编号,已联系数\r\nx,1\r\n".encode("gb18030")),
    "named xlsx": ("待报送.xlsx", lambda: "办理件编号,已联系数\r\nx,1\r\n".encode()),
    "macros": ("待报送.xlsm", macro_workbook),
    "macros, renamed": ("待报送.xlsx", macro_workbook),
    "bomb": ("待报送.xlsx", bomb),
    "picture": ("拍照.jpg", lambda: b"\xff\xd8\xff\xe0" + b"\0" * 100),
    "too large": ("待报送.xlsx", lambda: b"PK\x03\x04" + b"\0" * (3 * MEGABYTE)),
    "cut off": ("待报送.xlsx", lambda: other_workbook()[:2000]),
}


@pytest.mark.parametrize("what", INSTEAD)
def test_what_people_send_instead(desk: Desk, what: str) -> None:
    name, make = INSTEAD[what]
    answer = desk.upload(make(), name=name)
    assert answer.status_code == 422
    sentence = re.search(r'<h2 id="refused">(.*?)</h2>', answer.text)
    assert sentence is not None
    assert len(sentence[1]) > 8
    assert "二、上传" in answer.text  # the door to try again
    assert desk.count("evidence") == desk.count("draft_evidence") == 0


def test_no_file_at_all(desk: Desk) -> None:
    browser = desk.browser()
    assert browser.post(f"/units/{TOWNSHIP}/workbook").status_code == 422
    assert browser.post(f"/units/{TOWNSHIP}/workbook", data={"file": "x"}).status_code == 422


def test_a_form_of_another_site(desk: Desk) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    answer = desk.browser().post(
        f"/units/{TOWNSHIP}/workbook", files={"file": ("a.xlsx", filled(desk).saved())}, headers=headers
    )
    assert answer.status_code == 403
    assert desk.state(JANUARY) is State.OPEN


def test_units_that_are_not_there_or_not_any_more(desk: Desk) -> None:
    assert desk.browser().get("/units/nowhere/workbook").status_code == 404
    assert desk.browser().get("/units/nowhere/workbook.xlsx").status_code == 404
    assert desk.upload(filled(desk).saved(), unit="nowhere").status_code == 404
    assert desk.browser().get(f"/units/{TOWNSHIP}/workbook/{'0' * 64}.xlsx").status_code == 404
    assert desk.browser().get(f"/units/{TOWNSHIP}/workbook/..%2f..%2fledger.xlsx").status_code in (404, 422)


def test_a_unit_with_nothing_to_fill_in(desk: Desk) -> None:
    page = desk.browser().get("/units/9000/workbook")
    assert page.status_code == 200
    assert "目前没有可以用表格填报的事项" in page.text
    assert desk.browser().get("/units/9000/workbook.xlsx").status_code == 404


def test_the_page_names_what_there_is(desk: Desk) -> None:
    page = desk.browser().get(f"/units/{TOWNSHIP}/workbook")
    told = unescape(re.sub(r"<[^>]+>", "", page.text))
    assert "下载表格（12 件）" in told
    assert f'href="/units/{TOWNSHIP}/workbook.xlsx?requirement=1.2&amp;plan=tiny-2025"' in page.text
    assert "走访照片 1 份" in told
    assert f'href="/units/{TOWNSHIP}/workbook?plan=tiny-2025"' in desk.browser().get(f"/units/{TOWNSHIP}").text


def test_the_same_number_of_statements_whatever_the_page_holds(desk: Desk) -> None:
    counts = []
    for unit in (FIRST, TOWNSHIP):
        browser = desk.browser()
        with statements(desk.database) as sent:
            assert browser.get(f"/units/{unit}/workbook").status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1]
