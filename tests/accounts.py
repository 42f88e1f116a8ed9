"""People with passwords, and browsers whose clock can be moved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import httpx2
from fastapi.testclient import TestClient

from api.dependencies import Clock
from ledger import accounts
from ledger.database import Database
from ledger.settings import Settings
from policy_models.access import Grant, Role
from tests.api.site import BASE, open_browser
from tests.factories import instant

DAY = "2025-03-10"
PASSWORD = "三月的杏花开在昆都仑河边"
EVERYWHERE = (Grant(Role.ADMINISTRATOR, ""),)


def somebody(
    database: Database,
    name: str = "zhang",
    grants: Iterable[Grant] = EVERYWHERE,
    *,
    password: str | None = PASSWORD,
    now: datetime | None = None,
) -> int:
    """An account with roles and a password; its id."""
    at = now or instant(DAY)
    with database.write() as session:
        made = accounts.create_account(session, name, "张建国", at, password=password)
        accounts.set_grants(session, made, grants, at)
    return made


def door(database: Database, folder: Path, day: str = DAY, *, base_url: str = BASE, **more: object) -> TestClient:
    """The browser of somebody who is not signed in, on a site whose data folder is ``folder``."""
    settings = Settings(base_url=base_url, clock=instant(day), data_dir=folder, **more)  # type: ignore[arg-type]
    browser = open_browser(database, settings, None)
    browser.base_url = httpx2.URL(base_url)
    return browser


def sign_in(browser: TestClient, name: str = "zhang", password: str = PASSWORD, **more: str) -> httpx2.Response:
    return browser.post("/login", data={"name": name, "password": password, **more})


def set_clock(browser: TestClient, at: datetime) -> None:
    """Let the browser's site believe that it is now this instant."""
    browser.app.state.clock = Clock(at)  # type: ignore[attr-defined]
