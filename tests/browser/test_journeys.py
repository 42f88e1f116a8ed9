"""Journeys of a day in a real browser, from the sign-in page to what the ledger holds afterwards."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import icalendar
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, expect

from ledger.acts import standing
from ledger.database import Database
from policy_models.access import Role
from policy_models.lifecycle import State
from tests.api.site import tiny_site
from tests.browser.conftest import PASSWORD, account
from tests.browser.pictures import scene
from tests.browser.running import DESK, PHONE, clean, keep, person, serving, sign_in
from tests.factories import BUREAU, Files, instant, item, query, requirement_of, village
from tests.workbooks import CONTACTS, Sheets, sheets_plan

pytestmark = pytest.mark.slow

VILLAGE, TOWN, COUNTY_OFFICE = village(1, 1), "900101", "9001-mz"
JANUARY = item("1.2", VILLAGE, "2025-01")


def plan(files: Files) -> None:
    """The month asks for two photos and a figure, the vacation for figures by sheet."""
    sheets_plan(files)
    monthly = requirement_of(files, "2.2")
    monthly["evidence"] = [
        {"type": "measure", "name": "visited", "label": "已走访数", "of": "should_visit", "of_label": "应走访数"},
        {"type": "photo", "min": 2, "label": "走访照片"},
    ]


WINTER = item("2.2", VILLAGE, "2025-winter")


@pytest.fixture
def database(sqlite_url: str, tmp_path: Path) -> Iterator[Database]:
    with tiny_site(sqlite_url, tmp_path / "pack", plan) as site:
        account(site.database, "mz", "李统筹", Role.COORDINATOR, BUREAU)
        account(site.database, "town", "王联络", Role.LIAISON, TOWN)
        account(site.database, "county", "赵审核", Role.REVIEWER, TOWN)
        yield site.database


def state(database: Database, key: str) -> State:
    with database.read() as session:
        return standing(session, key).state


def test_the_coordinators_morning(database: Database, browser: Browser, shots: Path) -> None:
    """Board, what is overdue, 催办 looked at and sent."""
    with serving(database, instant("2025-03-20")) as served, person(browser, served.base) as someone:
        page = sign_in(someone, "mz", PASSWORD)
        assert urlsplit(page.url).path == "/"
        late = page.locator("a.figure").filter(has_text="逾期")
        assert (late.locator(".figure-value").text_content() or "").strip() == "12"
        late.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("办理件"))
        page.go_back()
        page.get_by_role("link", name=re.compile("^催办这 12 项")).click()
        expect(page.locator(".head .sub")).to_have_text("将向 4 个单位发送催办，涉及 12 项")
        page.get_by_label("催办说明").fill("请于本周内补报")
        page.get_by_role("button", name="更新预览").click()
        expect(page.locator(".message-body")).to_contain_text("催办说明：请于本周内补报")
        keep(page, shots / "chase.png")
        page.get_by_role("button", name="发送", exact=True).click()
        page.wait_for_url("**/chase/*")
        expect(page.locator(".notice")).to_have_text("已催办 4 个单位的 12 项，消息 4 条。")
        clean(someone)
    with database.read() as session:
        told = query(session, "SELECT recipient, count(*) FROM reminder WHERE step IS NULL GROUP BY 1 ORDER BY 1")
        assert told == [(village(1, 1), 3), (village(1, 2), 3), (village(2, 1), 3), (village(2, 2), 3)]
        assert query(session, "SELECT DISTINCT note FROM reminder WHERE step IS NULL") == [("请于本周内补报",)]
        assert query(session, "SELECT count(*) FROM outbox WHERE kind = 'chase'") == [(4,)]
        assert query(session, "SELECT account, act FROM audit WHERE act = '催办'") == [("mz", "催办")]


def test_the_liaisons_item(database: Database, browser: Browser, shots: Path, tmp_path: Path) -> None:
    """On a telephone: signed in, two photos, handed in; sent back; handed in again; accepted."""
    for n in (1, 2, 3):
        (tmp_path / f"照片{n}.jpg").write_bytes(scene(n))
    with ExitStack() as stack:
        served = stack.enter_context(serving(database, instant("2025-02-20"), files_dir=tmp_path / "files"))
        liaison = stack.enter_context(person(browser, served.base, PHONE))
        reviewer = stack.enter_context(person(browser, served.base, DESK))

        page = sign_in(liaison, "town", PASSWORD, f"/units/{VILLAGE}/desk")
        page.locator("#todo").get_by_role("link", name=re.compile("^报送 ?：假期走访")).click()
        over = page.locator("dialog.sheet-over")
        over.get_by_label("选择文件").set_input_files([tmp_path / "照片1.jpg", tmp_path / "照片2.jpg"])
        over.get_by_role("button", name="上传", exact=True).click()
        expect(over.get_by_text("已有 2 份，至少 2 份")).to_be_visible()
        over.get_by_label("已走访数").fill("３")
        over.get_by_label("应走访数").fill("12")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        keep(page, shots / "submit-360.png", full=False)
        over.get_by_role("button", name="报送", exact=True).click()
        expect(page.locator("[data-toast]")).to_contain_text("已报送")
        assert state(database, WINTER) is State.SUBMITTED

        desk = sign_in(reviewer, "county", PASSWORD, f"/units/{TOWN}/review")
        desk.get_by_role("link", name=re.compile("1县1村")).first.click()
        expect(desk.locator(".cards img, .given img")).to_have_count(2)
        desk.get_by_label("意见").fill("缺签到表，请补充")
        desk.get_by_role("button", name="退回").click()
        assert state(database, WINTER) is State.RETURNED

        page.goto(f"{served.base}/units/{VILLAGE}/desk")
        expect(page.locator("#todo")).to_contain_text("退回意见：缺签到表，请补充")
        page.get_by_role("link", name=re.compile("^补正 ?：假期走访")).click()
        over.get_by_label("选择文件").set_input_files(tmp_path / "照片3.jpg")
        over.get_by_role("button", name="上传", exact=True).click()
        expect(over.get_by_text("已有 3 份，至少 2 份")).to_be_visible()
        over.get_by_role("button", name="报送", exact=True).click()
        expect(page.locator("[data-toast]")).to_contain_text("已报送")

        desk.goto(f"{served.base}/units/{TOWN}/review")
        desk.get_by_role("link", name=re.compile("1县1村")).first.click()
        expect(desk.locator(".history")).to_contain_text(["缺签到表，请补充"])
        desk.get_by_role("button", name="通过").click()
        expect(desk.locator("main")).to_contain_text("没有")
        clean(liaison, reviewer)
    assert state(database, WINTER) is State.ACCEPTED
    with database.read() as session:
        acts = query(
            session, "SELECT act, by_name FROM entry WHERE act IN ('submit', 'send_back', 'accept') ORDER BY id"
        )
        assert acts == [("submit", "王联络"), ("send_back", "赵审核"), ("submit", "王联络"), ("accept", "赵审核")]
        assert query(session, "SELECT count(*) FROM file") == [(3,)]


def test_the_townships_sheet(database: Database, browser: Browser, tmp_path: Path) -> None:
    """The workbook down, filled in with one fault, up: shown; corrected: taken."""
    with serving(database, instant("2025-02-20"), data_dir=tmp_path) as served, person(browser, served.base) as someone:
        page = sign_in(someone, "town", PASSWORD, f"/units/{TOWN}/workbook")
        with page.expect_download() as waiting:
            page.get_by_role("link", name="只下载1.2 每月联系").click()
        sheets = Sheets(waiting.value.path().read_bytes())
        rows = 10  # two villages, five months
        for row in range(rows):
            sheets.fill(CONTACTS, row, 已联系数=3 + row, 应联系数=20, 谈心次数=1, 主要做法="入户走访")
        sheets.fill(CONTACTS, 1, 已联系数=30)
        path = tmp_path / "填好.xlsx"
        path.write_bytes(sheets.saved())
        page.get_by_label("表格文件").set_input_files(path)
        page.get_by_role("button", name="核对并报送").click()
        expect(page.locator(".outcome--refused")).to_contain_text("已联系数")
        expect(page.locator("table.faults tbody tr")).to_have_count(1)
        assert state(database, JANUARY) is State.OPEN
        with page.expect_download() as waiting:
            page.get_by_role("link", name="下载标注副本").click()
        marked = Sheets(waiting.value.path().read_bytes())
        marked.fill(CONTACTS, 1, 已联系数=9)
        path.write_bytes(marked.saved())
        page.get_by_label("表格文件").set_input_files(path)
        page.get_by_role("button", name="核对并报送").click()
        expect(page.locator(".outcome h2")).to_have_text(f"已报送 {rows} 件")
        assert [one for one in someone.answers if one[0] != 422] == []
        assert someone.faults == []
    assert state(database, JANUARY) is State.SUBMITTED
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM entry WHERE act = 'submit'") == [(rows,)]


def test_subscribing(database: Database, browser: Browser) -> None:
    """The link and the QR code say the same address, and a calendar program gets the township's deadlines there."""
    with serving(database, instant("2025-02-20")) as served, person(browser, served.base) as someone:
        page = sign_in(someone, "town", PASSWORD, f"/units/{TOWN}/subscribe")
        page.locator("input[name=scope][value=below]").check()
        page.get_by_label("用途名称").fill("手机")
        page.get_by_role("button", name="生成订阅地址").click()
        link = page.get_by_label("订阅地址", exact=True).input_value()
        seen = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.locator(".qr").screenshot())))
        assert [one.text for one in seen] == [link.replace("http://", "webcal://")]
        answer = httpx.get(link)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        events = [str(one["SUMMARY"]) for one in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")]
        assert any("每月联系" in one for one in events), events
        clean(someone)
    with database.read() as session:
        kept = query(session, "SELECT unit_code, scope, target, name FROM feed_token")
        assert kept == [(TOWN, "below", TOWN, "手机")]
        assert link.split("/")[-1][:32] not in str(query(session, "SELECT * FROM feed_token"))
