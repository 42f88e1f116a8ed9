"""优秀案例 in a real browser: counters, questions, nothing sent twice, print on upright A4, phones."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from playwright.sync_api import Dialog
from pypdf import PdfReader

from ledger import panels
from tests.api.evidence import served
from tests.api.exemplars import FORM, office_of, picture
from tests.api.site import key_at
from tests.browser.running import browsing
from tests.exemplar_site import DAY, FIRST, ROUND, hand_in, plan_id, publish
from tests.factories import BUREAU, CODE, office, query

pytestmark = pytest.mark.slow
DESK = f"/units/{FIRST}/exemplars"


def test_written_with_counters_and_handed_in_once(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(picture())
    with (
        office_of(sqlite_url, tmp_path) as site,
        served(sqlite_url, tmp_path) as (_, base),
        browsing(base, key_at(sqlite_url, "2025-06-20")) as page,
    ):
        page.goto(base + DESK)
        page.get_by_label("题目").first.fill("牵手成长")
        page.get_by_role("button", name="撰写案例").first.click()
        for name in ("background", "practice", "effect", "insight"):
            page.locator(f"#{name}").fill(FORM[name])
        assert page.locator('[data-count-of="practice"]').inner_text() == "800"
        assert "正文共 1800 字" in page.locator(".tally").inner_text()
        assert "合适" in page.locator(".tally").inner_text()
        page.locator("#practice").fill("短 做\n法")
        assert page.locator('[data-count-of="practice"]').inner_text() == "3"
        assert "还差 497 字" in page.locator(".tally").inner_text()
        assert not page.locator("#consent").is_visible()
        page.get_by_label("本案例讲述了某一名儿童的具体情况").check()
        assert page.locator("#consent").is_visible()
        page.get_by_label("本案例讲述了某一名儿童的具体情况").uncheck()
        page.get_by_role("button", name="保存草稿").click()
        page.locator('input[type="file"]').set_input_files(tmp_path / "1.jpg")
        page.get_by_label("照片中没有儿童正面，不能认出儿童").check()
        page.get_by_role("button", name="上传照片").click()
        page.wait_for_selector(".pictures img")
        asked: list[str] = []
        page.once("dialog", lambda dialog: refuse(dialog, asked))
        page.get_by_role("button", name="移除").click()
        assert asked == ["将从案例中移除这张照片。确定移除吗？"]
        page.get_by_role("button", name="保存并报送").dblclick()
        page.wait_for_selector("text=等待评选")
        with site.database.read() as session:
            assert query(session, "SELECT state FROM exemplar_entry ORDER BY id") == [("draft",), ("submitted",)]
            assert query(session, "SELECT count(*) FROM exemplar_picture") == [(1,)]


def refuse(dialog: Dialog, asked: list[str]) -> None:
    asked.append(dialog.message)
    dialog.dismiss()


def test_printed_on_upright_paper_without_the_frame(sqlite_url: str, tmp_path: Path) -> None:
    with (
        office_of(sqlite_url, tmp_path) as site,
        served(sqlite_url, tmp_path) as (_, base),
        browsing(base, key_at(sqlite_url, "2025-06-20")) as page,
    ):
        with site.database.write() as session:
            one, version = hand_in(session)
            publish(session, one, version)
        page.goto(f"{base}/exemplars/{one}")
        printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        sizes = {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in printed.pages}
        text = "".join(sheet.extract_text() for sheet in printed.pages)
    assert sizes == {(595, 842)}
    assert len(printed.pages) == 2  # 1,800 characters at 12 points, and no page for the frame
    assert "背景背景" in text
    assert "总览" not in text
    assert "小方案" not in text


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_is_wider_than_the_screen(sqlite_url: str, tmp_path: Path, width: int) -> None:
    with (
        office_of(sqlite_url, tmp_path) as site,
        served(sqlite_url, tmp_path) as (_, base),
        browsing(base, key_at(sqlite_url, "2025-06-20"), width=width) as page,
    ):
        with site.database.write() as session:
            one, _ = hand_in(session)
            token = panels.appoint(session, CODE, ROUND, "王", None, by=office(BUREAU), now=DAY)
            assert plan_id(session)
        pages = ["/exemplars", DESK, f"{DESK}/{one}", f"/units/{BUREAU}/shortlist", f"/units/{FIRST}/bulletin"]
        for path in [*pages, f"/scoring/{token}", f"/scoring/{token}/{one}"]:
            page.goto(base + path)
            assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, width)
