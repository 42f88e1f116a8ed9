"""The editor of a report in a real browser: saved as one types, two writers, a broken connection, without script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.api.evidence import served
from tests.api.round_play import editor
from tests.api.site import Site, key_at, tiny_site
from tests.browser.running import browsing
from tests.factories import query
from tests.reporting import COUNTY, opened, with_reports

pytestmark = pytest.mark.slow
SAVED = "已保存 "
ID = "150202201001011236"


@pytest.fixture
def writing(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Site, str, str]]:
    with tiny_site(sqlite_url, tmp_path / "pack", with_reports) as site:
        opened(site.database, "2025-06-01")
        with served(sqlite_url, tmp_path, "2025-06-20") as (_, base):
            yield site, base + editor(COUNTY), key_at(sqlite_url, "2025-06-20")


def drafts(site: Site) -> list[tuple[object, ...]]:
    with site.database.read() as session:
        return query(session, "SELECT section, text, version FROM report_draft ORDER BY section")


def test_saved_as_one_types(writing: tuple[Site, str, str]) -> None:
    site, address, key = writing
    with browsing(address, key) as page:
        page.goto(address)
        state = page.locator("[data-state]")
        expect(state).to_have_text("尚未填写")
        page.fill("#text", "上半年 总体平稳。\n")
        expect(page.locator("#count")).to_have_text("8 字")
        expect(state).to_have_text("未保存")
        expect(state).to_contain_text(SAVED)
        assert drafts(site) == [("overview", "上半年 总体平稳。", 1)]
        page.type("#text", "人手不足。")
        expect(state).to_contain_text(SAVED)
        page.wait_for_function("document.querySelector('[name=version]').value === '2'")
        assert drafts(site) == [("overview", "上半年 总体平稳。\n人手不足。", 2)]
        page.click("button.primary")
        expect(page.locator(".notice")).to_have_text("已保存。")
        assert drafts(site)[0][2] == 3


def test_two_writers_and_nobodys_text_is_lost(writing: tuple[Site, str, str]) -> None:
    site, address, key = writing
    with browsing(address, key) as one:
        one.goto(address)
        two = one.context.new_page()
        two.goto(address)
        two.fill("#text", "乙的文字")
        expect(two.locator("[data-state]")).to_contain_text(SAVED)
        one.fill("#text", "甲的文字")
        expect(one.locator("[data-state]")).to_contain_text("未保存：这一节刚刚由他人保存过")
        assert one.input_value("#text") == "甲的文字"
        assert drafts(site) == [("overview", "乙的文字", 1)]
        one.click("button.primary")
        expect(one.locator(".quoted").first).to_contain_text("乙的文字")
        assert one.input_value("#text") == "甲的文字"
        one.fill("#text", "甲乙商定的文字")
        one.click("button.primary")
        expect(one.locator(".notice")).to_have_text("已保存。")
        assert drafts(site) == [("overview", "甲乙商定的文字", 2)]


def test_a_broken_connection_and_personal_data_are_told(writing: tuple[Site, str, str]) -> None:
    site, address, key = writing
    with browsing(address, key) as page:
        page.goto(address)
        state = page.locator("[data-state]")
        page.route("**/sections/overview*", lambda route: route.abort())
        page.fill("#text", "断网时写的")
        expect(state).to_have_text("未保存：暂时连不上系统，稍后自动再试")
        page.unroute("**/sections/overview*")
        page.fill("#text", f"儿童{ID}")
        expect(state).to_contain_text("未保存：“总体情况”中有疑似公民身份号码")
        assert drafts(site) == []
        page.fill("#text", "断网时写的")
        expect(state).to_contain_text(SAVED)
        assert drafts(site) == [("overview", "断网时写的", 1)]


def test_without_script_the_button_saves(writing: tuple[Site, str, str]) -> None:
    site, address, key = writing
    with browsing(address, key, script=False) as page:
        page.goto(f"{address}?section=task-2")
        page.check("[name='none-2.3']")
        page.fill("#text", "没有脚本也能写")
        page.click("button.primary")
        expect(page.locator(".notice")).to_have_text("已保存。")
        assert page.is_checked("[name='none-2.3']")
    assert drafts(site) == [("task-2", "没有脚本也能写", 1)]
