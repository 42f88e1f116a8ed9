"""A real server over a ledger and a real browser before it: what one sees, and everything that must not happen."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from api.app import create_app
from ledger.database import Database
from ledger.settings import Settings
from tests.api.site import let_in

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
DESK, PHONE = (1440, 900), (360, 760)


@dataclass(frozen=True)
class Served:
    """``base``: the address of a running application; ``database``: what it stands on."""

    base: str
    database: Database


@contextmanager
def serving(database: Database, now: datetime, **settings: object) -> Iterator[Served]:
    """The application on a free port, believing it is ``now``; its own address is known to it from the start."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(database, Settings(**{"base_url": base, "clock": now, **settings}))  # type: ignore[arg-type]
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                thread.join(0.05)
                assert thread.is_alive(), "the server did not start"
            yield Served(base, database)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def browsing(
    base: str, key: str, *, width: int = 1440, height: int = 800, phone: bool = False, script: bool = True
) -> Iterator[Page]:
    """A page of somebody who is signed in with this key; a fault in a script ends the test."""
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": width, "height": height}, is_mobile=phone, has_touch=phone, java_script_enabled=script
        )
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        let_in(page, base, key)
        yield page


@dataclass
class Watched:
    """A browser of one person. ``faults``: what the console, scripts and the policy of content complained about, and
    every request that left the site; ``answers``: statuses of 400 and more, which the console tells as well."""

    context: BrowserContext
    base: str
    faults: list[str] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)

    def page(self) -> Page:
        return self.context.pages[0] if self.context.pages else self.context.new_page()

    def open(self, path: str) -> Page:
        page = self.page()
        page.goto(f"{self.base}{path}")
        return page

    def console(self, message: ConsoleMessage) -> None:
        told = "Failed to load resource: the server responded with a status of"  # counted by its answer
        if message.type in ("error", "warning") and not message.text.startswith(told):
            self.faults.append(f"{message.type}: {message.text}")

    def request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.base}/", "data:", "blob:")):
            self.faults.append(f"left the site: {request.url}")

    def response(self, response: Response) -> None:
        if response.status >= 400:
            self.answers.append((response.status, urlsplit(response.url).path))


@contextmanager
def person(browser: Browser, base: str, size: tuple[int, int] = DESK) -> Iterator[Watched]:
    """A fresh browser window of this size, a telephone's where it is narrow, that keeps what goes wrong."""
    narrow = size[0] < 600
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=2 if narrow else 1,
        has_touch=narrow,
        is_mobile=narrow,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    watched = Watched(context, base)
    context.on("console", watched.console)
    context.on("weberror", lambda error: watched.faults.append(f"script: {error.error}"))
    context.on("request", watched.request)
    context.on("response", watched.response)
    try:
        yield watched
    finally:
        context.close()


def sign_in(watched: Watched, name: str, password: str, after: str = "") -> Page:
    """By the sign-in page, as people do."""
    page = watched.open("/login")
    page.get_by_label("账号名").fill(name)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(lambda url: urlsplit(url).path != "/login")
    return watched.open(after) if after else page


def sign_in_as(watched: Watched, persona: str, after: str = "") -> Page:
    """On a demonstration: by one click on somebody."""
    page = watched.open("/login")
    page.locator(".personas button").filter(has=page.get_by_text(persona, exact=True)).click()
    page.wait_for_url(lambda url: urlsplit(url).path != "/login")
    return watched.open(after) if after else page


def keep(page: Page, path: Path, *, full: bool = True) -> Path:
    """A picture of the page as it stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=full)
    return path


def clean(*people: Watched) -> None:
    """Nothing went wrong in these browsers."""
    assert [(one.faults, one.answers) for one in people] == [([], [])] * len(people)
