"""The submit page in a real browser: progress, a broken connection, what was typed, the drawn boxes."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Route

from tests.api.evidence import MONTH, VILLAGE, asking, form, form_type, photo, served
from tests.api.site import key_at, own_headers, tiny_site
from tests.browser.running import browsing
from tests.factories import query

PAGE = f"/units/{VILLAGE}/submit/{MONTH}"
FILES = f"/units/{VILLAGE}/files/{MONTH}"

# how many files each request carried, kept where a navigation does not lose it
COUNT_FILES = """
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  sessionStorage.setItem("sent", `${sessionStorage.getItem("sent") || ""},${body.getAll("file").length}`);
  return send.call(this, body);
};
"""

pytestmark = pytest.mark.slow
DAY = "2025-02-20"


def test_after_a_break_only_what_is_missing_is_sent(sqlite_url: str, tmp_path: Path) -> None:
    files = [(f"{n}.jpg", photo(n)) for n in range(4)]
    for name, data in files:
        (tmp_path / name).write_bytes(data)
    with (
        tiny_site(sqlite_url, tmp_path / "pack", asking) as site,
        served(sqlite_url, tmp_path, DAY) as (_, base),
    ):
        httpx.post(base + FILES, content=form(*files[:2]), headers=form_type() | own_headers(sqlite_url, DAY))
        broken: list[str] = []

        def break_once(route: Route) -> None:
            if broken:
                return route.continue_()
            broken.append(route.request.url)
            return route.abort()

        with browsing(base, key_at(sqlite_url, DAY)) as page:
            page.add_init_script(COUNT_FILES)
            page.goto(base + PAGE)
            page.route(f"**{FILES}?type=*", break_once)
            page.fill("#text", "已逐户走访")
            page.set_input_files("form.upload input[type=file]", [str(tmp_path / name) for name, _ in files])
            page.click("form.upload button")
            page.wait_for_url("**saved=1")
            assert page.input_value("#text") == "已逐户走访"
            assert page.locator(".card").count() == 4
            assert page.evaluate("sessionStorage.getItem('sent')") == ",4,2"
        assert len(broken) == 1
        with site.database.read() as session:
            assert query(session, "SELECT count(*) FROM draft_evidence WHERE type = 'photo'") == [(4,)]


def test_what_was_refused_is_named_on_the_page(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "说明.exe").write_bytes(b"MZ\x90")
    (tmp_path / "照片.jpg").write_bytes(photo(1))
    with (
        tiny_site(sqlite_url, tmp_path / "pack", asking),
        served(sqlite_url, tmp_path, DAY) as (_, base),
        browsing(base, key_at(sqlite_url, DAY)) as page,
    ):
        page.goto(base + PAGE)
        page.set_input_files("form.upload input[type=file]", [str(tmp_path / "说明.exe"), str(tmp_path / "照片.jpg")])
        page.click("form.upload button")
        page.wait_for_selector(".upload-refused li")
        assert page.inner_text(".upload-refused li b") == "说明.exe"
        page.click("text=知道了")
        page.wait_for_url("**saved=1")
        assert page.locator(".card").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_fits_a_phone(sqlite_url: str, tmp_path: Path) -> None:
    with tiny_site(sqlite_url, tmp_path / "pack", asking), served(sqlite_url, tmp_path, DAY) as (_, base):
        httpx.post(
            base + FILES,
            content=form(*[(f"{n}.jpg", photo(n)) for n in range(3)]),
            headers=form_type() | own_headers(sqlite_url, DAY),
        )
        with browsing(base, key_at(sqlite_url, DAY)) as page:
            page.set_viewport_size({"width": 360, "height": 800})
            page.goto(base + PAGE)
            assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_box_is_drawn_over_a_picture(sqlite_url: str, tmp_path: Path) -> None:
    with (
        tiny_site(sqlite_url, tmp_path / "pack", asking) as site,
        served(sqlite_url, tmp_path, DAY) as (_, base),
        browsing(base, key_at(sqlite_url, DAY)) as page,
    ):
        httpx.post(
            base + FILES,
            content=form(("照片.jpg", photo(60, side=400))),
            headers=form_type() | own_headers(sqlite_url, DAY),
        )
        page.goto(base + PAGE)
        page.click("text=遮盖")
        stage = page.locator(".mask-stage").bounding_box()
        assert stage
        for corner in (0.1, 0.6):
            page.mouse.move(stage["x"] + stage["width"] * corner, stage["y"] + stage["height"] * corner)
            page.mouse.down()
            page.mouse.move(
                stage["x"] + stage["width"] * (corner + 0.25), stage["y"] + stage["height"] * (corner + 0.25)
            )
            page.mouse.up()
        assert page.locator(".mask-box").count() == 2
        page.click("text=撤回上一处")
        page.click("button.primary >> text=遮盖")
        page.wait_for_selector("text=已遮盖")
        with site.database.read() as session:
            [(digest,)] = query(session, "SELECT redacted FROM file")
        picture = Image.open(
            io.BytesIO(httpx.get(f"{base}/files/1/x.jpg", headers=own_headers(sqlite_url, DAY)).content)
        ).convert("RGB")
        assert digest
        dark = [max(picture.getpixel((int(x * picture.width), int(x * picture.height)))) < 9 for x in (0.05, 0.2, 0.7)]  # type: ignore[type-var, arg-type]
        assert dark == [False, True, False]
