"""A browser, and people with accounts of their own on a ledger of the tiny plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ledger import accounts
from ledger.database import Database
from policy_models.access import Grant, Role
from tests.browser.running import chromium
from tests.factories import instant

PASSWORD = "鹿城 2025 四月 风筝"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return tmp_path / "shots"


def account(database: Database, name: str, shown: str, role: Role, unit: str) -> None:
    """Somebody with a password and one role."""
    with database.write() as session:
        made = accounts.create_account(session, name, shown, instant("2024-12-01"), password=PASSWORD)
        accounts.set_grants(session, made, [Grant(role, unit)], instant("2024-12-01"))
