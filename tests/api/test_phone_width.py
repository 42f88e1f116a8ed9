"""On a telephone of 360 px no page is wider than the screen, also where names are as long as they may be: only tables
scroll sideways, in their own frames. What is tapped under the thumb is large enough."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import text

from ledger.database import Session
from tests.api.evidence import MONTH, VILLAGE, asking, served
from tests.api.site import EVERY_ROLE, MONTHLY, Site, key_at, let_in, tiny_site
from tests.browser.running import chromium
from tests.factories import BUREAU, CODE

pytestmark = pytest.mark.slow
DAY, WIDTH = "2025-02-20", 360
TOWNSHIP = "900101"
AT_UNIT = ("", "/desk", "/people", "/subscribe", "/bulletin", "/exemplars", "/extensions", "/review", "/sheets")
PAGES = (
    "/",
    "/tasks",
    "/tasks/1",
    "/phases/1",
    "/timeline",
    "/calendar",
    "/changes",
    "/units",
    "/items",
    f"/items/{MONTHLY}",
    "/charts",
    "/register?light=red",
    "/reminders",
    "/circulars",
    "/exemplars",
    "/rounds",
    "/messages",
    "/people/unreachable",
    "/help",
    "/help/admin",
    "/account",
    "/accounts",
    "/accounts/new",
    "/admin",
    "/admin/audit",
    "/admin/units",
    "/admin/calendars",
    "/admin/tokens",
    "/api/docs",
    f"/units/{VILLAGE}/submit/{MONTH}",
    f"/units/{TOWNSHIP}/sheet/1.2/2025-02",
    f"/units/{TOWNSHIP}/workbook",
    f"/units/{BUREAU}/chase?late=on",
    f"/units/{BUREAU}/mail",
    f"/units/{BUREAU}/exceptions",
    f"/units/{BUREAU}/channels",
    *(f"/units/{TOWNSHIP}{page}" for page in AT_UNIT),
)
WIDER = """() => [...document.querySelectorAll("body *")].filter((one) => {
  const box = one.getBoundingClientRect();
  if (box.right <= innerWidth + 1 || !box.width || getComputedStyle(one).position === "fixed") return false;
  for (let up = one.parentElement; up; up = up.parentElement)
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(up).overflowX)) return false;
  return true;
}).slice(0, 3).map((one) => `${one.tagName}.${one.className}`)"""
SMALL = """() => [...document.querySelectorAll(".thumbs > ul > li > *, .todo-act .button")]
  .map((one) => one.getBoundingClientRect()).filter((box) => box.height < 44 || box.width < 44).length"""


@pytest.fixture(scope="module")
def telephone(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[tuple[Page, str]]:
    folder = tmp_path_factory.mktemp("phone")
    ledger = folder / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{ledger}"
    with tiny_site(url, folder / "pack", asking) as site:
        lengthen(site)
    key = key_at(url, DAY, EVERY_ROLE)
    with served(url, folder, DAY) as (_, base), chromium() as browser:
        context = browser.new_context(viewport={"width": WIDTH, "height": 740}, is_mobile=True, has_touch=True)
        page = context.new_page()
        let_in(page, base, key)
        yield page, base


def lengthen(site: Site) -> None:
    """Names as long as they may be: of units in one word without a place to break, of what is to be done, of the plan."""
    with site.database.write() as session:
        change(session, "UPDATE unit SET name = name || :more WHERE level = 'village'", more="x" * 60)
        change(session, "UPDATE requirement SET title = title || :more", more="开展".ljust(120, "长"))
        change(session, "UPDATE plan SET title = title || :more WHERE code = :code", more="长" * 90, code=CODE)


def change(session: Session, statement: str, **values: str) -> None:
    session.execute(text(statement), values)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_the_screen(telephone: tuple[Page, str], path: str) -> None:
    page, base = telephone
    answer = page.goto(base + path)
    assert answer is not None
    assert answer.status == 200
    assert (page.evaluate("document.documentElement.scrollWidth"), page.evaluate(WIDER)) == (WIDTH, [])
    assert page.evaluate(SMALL) == 0


def test_more_is_within_reach(telephone: tuple[Page, str]) -> None:
    page, base = telephone
    page.goto(base + "/")
    assert not page.locator(".rail").is_visible()
    page.locator(".thumbs summary").tap()
    sheet = page.locator(".thumbs-sheet")
    assert sheet.get_by_role("link", name="两日变化").is_visible()
    assert sheet.get_by_role("button", name="退出").is_visible()
    box = sheet.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    page.locator(".thumbs summary").tap()
    page.locator("h1").first.tap()
    assert not sheet.is_visible()


def test_by_keyboard_the_first_stop_leads_past_the_navigation(telephone: tuple[Page, str]) -> None:
    page, base = telephone
    page.goto(base + "/register")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
