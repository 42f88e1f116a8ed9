"""A running site over the tiny plan: the application as uvicorn serves it, on a virtual day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from ledger import issuing, reviews, submissions
from ledger.database import Database
from ledger.settings import Settings
from tests.factories import BUREAU, CODE, Change, full_evidence, instant, item, load, office, opened, tiny_pack, village

BASE = "http://testserver"
Served = Callable[..., TestClient]


@dataclass
class Site:
    """A ledger and the application over it. ``at(day)`` gives a browser that believes it is 09:00 of that day."""

    database: Database

    def at(self, day: str, base_url: str = BASE) -> TestClient:
        settings = Settings(base_url=base_url, clock=instant(day))
        return TestClient(create_app(self.database, settings), raise_server_exceptions=False, follow_redirects=False)


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
