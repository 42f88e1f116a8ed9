"""A running site over the tiny plan: the application as uvicorn serves it, on a virtual day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.testclient import TestClient

from api.app import create_app
from api.guard import COOKIE, cookie_name
from ledger import accounts, issuing, logins, reviews, submissions
from ledger.database import Database
from ledger.settings import Settings
from policy_models.access import Grant, Role
from policy_models.errors import NotFound
from tests.factories import BUREAU, CODE, Change, full_evidence, instant, item, load, office, opened, tiny_pack, village

if TYPE_CHECKING:
    from playwright.sync_api import Page

BASE = "http://testserver"
Served = Callable[..., TestClient]
Roles = Mapping[str, Iterable[Role]]  # by the code of a unit; "" for everywhere
EVERY_ROLE: Roles = {"": tuple(Role)}


def signed_in(database: Database, roles: Roles, now: datetime) -> str:
    """The key of a session of an account with these roles, made where there is none yet."""
    name = "测试" + "".join(f"{code}{','.join(sorted(held))}" for code, held in sorted(roles.items()))[:50]
    with database.write() as session:
        try:
            found = accounts.account_id_of(session, name)
        except NotFound:
            found = accounts.create_account(session, name, "测试员", now)
        accounts.set_grants(session, found, [Grant(role, code) for code, held in roles.items() for role in held], now)
        return logins.open_login(session, found, now)


def key_at(url: str, day: str, roles: Roles = EVERY_ROLE) -> str:
    """The key of a session in the ledger at this address, begun at 09:00 of a day: for real browsers and servers."""
    with opened(url) as database:
        return signed_in(database, roles, instant(day))


def own_headers(url: str, day: str, roles: Roles = EVERY_ROLE) -> dict[str, str]:
    """What a browser that is signed in sends with a form of the site's own page."""
    return {"Cookie": f"{COOKIE}={key_at(url, day, roles)}", "Sec-Fetch-Site": "same-origin"}


def let_in(page: Page, base: str, key: str) -> None:
    """Sign a real browser in."""
    page.context.add_cookies([{"name": COOKIE, "value": key, "url": base}])


@dataclass
class Site:
    """A ledger and the application over it. ``at(day)`` gives a browser that believes it is 09:00 of that day."""

    database: Database

    def at(self, day: str, base_url: str = BASE, *, roles: Roles = EVERY_ROLE) -> TestClient:
        """The browser of an account with these roles, by default one that may do everything everywhere."""
        return open_browser(self.database, Settings(base_url=base_url, clock=instant(day)), roles)

    def stranger(self, day: str, base_url: str = BASE) -> TestClient:
        """The browser of somebody without an account, on one of the site's own pages."""
        return open_browser(self.database, Settings(base_url=base_url, clock=instant(day)), None)


def open_browser(database: Database, settings: Settings, roles: Roles | None = EVERY_ROLE) -> TestClient:
    """A browser on one of the site's own pages, signed in with these roles; None for a stranger."""
    browser = TestClient(create_app(database, settings), raise_server_exceptions=False, follow_redirects=False)
    browser.headers["sec-fetch-site"] = "same-origin"
    if roles is not None:
        browser.cookies.set(cookie_name(settings), signed_in(database, roles, settings.clock or datetime.now(UTC)))
    return browser


@contextmanager
def empty_site(url: str) -> Iterator[Site]:
    with opened(url) as database:
        yield Site(database)


@contextmanager
def tiny_site(
    url: str, folder: Path, change: Change | None = None, *, villages: int = 2, **settings: object
) -> Iterator[Site]:
    """The tiny plan in force since 2024-12-01 (or as ``settings`` say), everything up to 2025-05-31 issued."""
    with opened(url) as database:
        load(database, tiny_pack(folder, change, villages=villages), **settings)
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=instant("2025-05-31").date(), now=instant("2025-05-31"))
        yield Site(database)


def finish(database: Database, key: str, day: str, *, by: str, reviewer: str) -> None:
    """Hand an item in and accept it, both on a day."""
    with database.write() as session:
        submissions.submit(session, key, by=office(by), evidence=full_evidence(), now=instant(day, 10))
    with database.write() as session:
        reviews.accept(session, key, by=office(reviewer), now=instant(day, 11))


def send_back(database: Database, key: str, day: str, *, by: str, reviewer: str, reason: str = "缺签到表") -> None:
    with database.write() as session:
        submissions.submit(session, key, by=office(by), evidence=full_evidence(), now=instant(day, 10))
    with database.write() as session:
        reviews.send_back(session, key, by=office(reviewer), now=instant(day, 11), reason=reason)


VILLAGE = village(1, 1)
MONTHLY = item("1.2", VILLAGE, "2025-01")
BUREAU_ITEM = item("1.1", BUREAU, "once")
