"""我的待办 on a telephone, in a real browser: a sheet over the list, a picture by the camera, handed in, back in the list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from ledger.acts import standing
from policy_models.access import Role
from policy_models.lifecycle import State
from tests.api.evidence import MONTH, VILLAGE, photo, served
from tests.api.site import Site, key_at, tiny_site
from tests.browser.running import browsing
from tests.factories import Files, query, requirement_of

pytestmark = pytest.mark.slow
DAY = "2025-02-20"
DESK = f"/units/{VILLAGE}/desk"
WIDTH = 360


def asking(files: Files) -> None:
    """The monthly item asks for a photo and a figure."""
    measure = {"type": "measure", "name": "seen", "label": "已走访", "of": "all", "of_label": "应走访"}
    requirement_of(files, "1.2").update(evidence=[measure, {"type": "photo", "label": "走访照片"}])


@contextmanager
def telephone(base: str, key: str, *, script: bool = True) -> Iterator[Page]:
    with browsing(base, key, width=WIDTH, height=740, phone=True, script=script) as page:
        yield page


def state(site: Site) -> State:
    with site.database.read() as session:
        return standing(session, MONTH).state


@pytest.fixture
def village_site(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Site, str, str]]:
    with (
        tiny_site(sqlite_url, tmp_path / "pack", asking) as site,
        served(sqlite_url, tmp_path, DAY) as (_, base),
    ):
        yield site, base, key_at(sqlite_url, DAY, {VILLAGE: [Role.LIAISON]})


def test_handed_in_without_leaving_the_list(village_site: tuple[Site, str, str], tmp_path: Path) -> None:
    site, base, key = village_site
    (tmp_path / "a.jpg").write_bytes(photo(1))
    with telephone(base, key) as page:
        page.goto(f"{base}/start")
        assert page.url == base + DESK
        row = page.locator("#todo li", has_text="2025年2月").filter(has_text="事项1.2")
        assert "材料 0/2" in row.inner_text()
        button = row.locator("a.button")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        button.tap()
        sheet = page.locator("dialog[open]")
        sheet.locator("h1", has_text="事项1.2").wait_for()
        assert page.url == base + DESK
        assert sheet.evaluate("one => one.scrollWidth <= one.clientWidth")
        sheet.locator("#value-seen").fill("12")
        assert sheet.locator("input[capture]").get_attribute("capture") == "environment"
        sheet.locator("input[capture]").set_input_files(tmp_path / "a.jpg")
        sheet.locator(".card").wait_for()  # it went up by itself, and what was typed was saved with it
        assert sheet.locator("#value-seen").input_value() == "12"
        sheet.get_by_role("button", name="报送", exact=True).tap()
        sheet.get_by_role("alert").first.wait_for()
        assert "未能提交" in sheet.get_by_role("alert").first.inner_text()
        sheet.locator("#of-seen").fill("12")
        sheet.get_by_role("button", name="报送", exact=True).tap()
        page.locator("[data-toast]").wait_for()
        assert page.locator("[data-toast]").inner_text() == "已报送，等待审核"
        assert page.locator("dialog[open]").count() == 0
        assert page.url == base + DESK
        assert "2025年2月" in page.locator("section[aria-labelledby=review]").inner_text()
    assert state(site) is State.SUBMITTED


def test_what_is_typed_is_not_lost_by_a_slip(village_site: tuple[Site, str, str]) -> None:
    _, base, key = village_site
    with telephone(base, key) as page:
        asked: list[str] = []
        answers = iter(["stay", "go"])

        def answer(dialog: object) -> None:
            asked.append(dialog.message)  # type: ignore[attr-defined]
            dialog.dismiss() if next(answers) == "stay" else dialog.accept()  # type: ignore[attr-defined]

        page.on("dialog", answer)
        page.goto(base + DESK)
        page.locator("a.button[data-sheet]").first.tap()
        page.locator("dialog[open] #value-seen").fill("12")
        page.keyboard.press("Escape")
        assert page.locator("dialog[open] #value-seen").input_value() == "12"
        page.locator("dialog[open] .sheet-close").tap()
        page.wait_for_function("!document.querySelector('dialog').open")
        assert asked == ["填写的内容还没有保存，确定关闭吗？"] * 2


def test_a_broken_connection_keeps_the_sheet(village_site: tuple[Site, str, str]) -> None:
    site, base, key = village_site
    with telephone(base, key) as page:
        page.goto(base + DESK)
        page.locator("a.button[data-sheet]").first.tap()
        page.locator("dialog[open] #value-seen").fill("12")
        page.route("**/submit/**", lambda route: route.abort())
        page.locator("dialog[open]").get_by_role("button", name="保存草稿").first.tap()
        page.locator("dialog[open] .sheet-told", has_text="网络中断，尚未送达").wait_for()
        assert page.locator("dialog[open] #value-seen").input_value() == "12"
        page.unroute("**/submit/**")
        page.locator("dialog[open]").get_by_role("button", name="保存草稿").first.tap()
        page.locator("dialog[open]", has_text="草稿已保存，尚未报送").wait_for()
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM draft_evidence") == [(1,)]


def test_without_script_the_same_page_does_it(village_site: tuple[Site, str, str], tmp_path: Path) -> None:
    site, base, key = village_site
    (tmp_path / "a.jpg").write_bytes(photo(1))
    with telephone(base, key, script=False) as page:
        page.goto(base + DESK)
        page.locator("#todo li", has_text="2025年2月").filter(has_text="事项1.2").locator("a.button").tap()
        page.wait_for_url("**/submit/**")
        page.locator("form.upload input[type=file]").set_input_files(tmp_path / "a.jpg")
        with page.expect_navigation():
            page.locator("form.upload button").tap()
        page.goto(base + DESK)
        page.locator("#todo li", has_text="2025年2月").filter(has_text="事项1.2").locator("a.button").tap()
        page.locator(".card").wait_for()
        page.locator("#value-seen").fill("3")
        page.locator("#of-seen").fill("3")
        page.get_by_role("button", name="报送", exact=True).tap()
        page.wait_for_url(f"**{DESK}?told=submitted")
        assert "已报送，等待审核" in page.locator(".toast").inner_text()
        page.locator(".thumbs summary").tap()  # 更多 opens without script too
        assert page.locator(".thumbs-sheet a", has_text="案例").is_visible()
    assert state(site) is State.SUBMITTED
