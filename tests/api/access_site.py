"""A ledger with something of every kind in both counties, and every address of the application filled in for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import create_app
from api.guard import COOKIE
from api.rights import RULES
from ledger import extensions, feed_tokens, issuing, panels, rounds
from ledger.database import Database, connect
from ledger.settings import Settings
from policy_models.access import Role
from tests.api.evidence import form, form_type, photo
from tests.api.site import BASE, Roles, signed_in
from tests.exemplar_site import collecting, hand_in
from tests.factories import BUREAU, CODE, Files, instant, item, load, office, query, tiny_pack, village
from tests.reporting import visit, with_reports, write
from tests.staff import add_staff

DAY = "2025-06-20"
COUNTY, DEPARTMENT, TOWNSHIP, VILLAGE, NEXT_DOOR = "9001", "9001-mz", "900101", village(1, 1), village(1, 2)
NOBODYS = "9001-jy"  # owes nothing that is asked for here
OTHER_COUNTY, OTHER_DEPARTMENT, OTHER_TOWNSHIP, OTHER_VILLAGE = "9002", "9002-mz", "900201", village(2, 1)


def everything(files: Files) -> None:
    with_reports(files)
    collecting(files)


@dataclass
class AccessSite:
    """``filled``: what stands for each parameter of an address, by county."""

    database: Database
    files: Path
    filled: dict[int, dict[str, str]]

    @cached_property
    def app(self) -> FastAPI:
        made = Settings(base_url=BASE, clock=instant(DAY), files_dir=self.files, data_dir=self.files.parent)
        return create_app(self.database, made)

    def browser(self, roles: Roles | None) -> TestClient:
        browser = TestClient(self.app, raise_server_exceptions=False, follow_redirects=False)
        browser.headers["sec-fetch-site"] = "same-origin"
        if roles is not None:
            browser.cookies.set(COOKIE, signed_in(self.database, roles, instant(DAY)))
        return browser

    def path(self, route: str, county: int = 1, *, code: str | None = None, objects: int | None = None) -> str:
        """The address of a route ("GET /units/{code}"), its unit of one county and what else it names of another."""
        own, others = self.filled[county], self.filled[objects or county]
        pattern = route.partition(" ")[2]

        def value(found: re.Match[str]) -> str:
            name, before = found[1], pattern[: found.start()].rstrip("/").rpartition("/")[2]
            if name == "code":
                return code or own["code"]
            return others.get(before, "1") if name == "id" else others[name]

        return re.sub(r"\{(\w+)(?::path)?\}", value, pattern)


def routes_of(app: FastAPI) -> list[str]:
    """Every route of the application as "METHOD path"."""
    found: list[str] = []

    def walk(routes: list[Any]) -> None:
        for one in routes:
            inner = getattr(one, "original_router", None)
            if inner is not None:
                walk(inner.routes)
            elif isinstance(one, APIRoute):
                found.extend(f"{method} {one.path}" for method in sorted(one.methods))

    walk(app.routes)
    return found


def every_route() -> list[str]:
    return [f"{method} {path}" for method, path in RULES]


def bare_app() -> FastAPI:
    return create_app(connect("sqlite://"), Settings(base_url=BASE))


@contextmanager
def access_site(database: Database, folder: Path) -> Iterator[AccessSite]:
    """Both counties have the same: items in every state, a file, a report, an exemplar, an extension, a sample, a chase."""
    load(database, tiny_pack(folder / "pack", everything))
    with database.write() as session:
        issuing.issue_due(session, CODE, as_of=instant(DAY).date(), now=instant("2025-06-01"))
        rounds.open_due(session, CODE, now=instant("2025-06-01"))
    site = AccessSite(database, folder / "files", {})
    site.filled = {county: _filled(site, county) for county in (1, 2)}
    yield site


def _filled(site: AccessSite, county: int) -> dict[str, str]:
    database, own, township = site.database, village(county, 1), f"900{county}01"
    department = f"900{county}-mz"
    visit(database, own, "2025-01", "2025-02-03", "3", "4")
    visit(database, own, "2025-02", "2025-03-03", "3", "4", accepted=False)
    write(database, department)
    key, current = item("1.2", own, "2025-03"), item("1.2", own, "2025-06")
    sent = site.browser({own: [Role.LIAISON]}).post(
        f"/units/{own}/files/{key}?type=photo", content=form((f"照片{county}.jpg", photo(county))), headers=form_type()
    )
    assert sent.status_code == 200, sent.text
    with database.write() as session:
        exemplar, _ = hand_in(session, unit=department)
        person = add_staff(session, own, f"村干部{county}", instant(DAY))
        feed_tokens.create(session, own, f"日历{county}", instant(DAY))
        token = panels.appoint(session, CODE, "2025-H1", f"评委{county}", None, by=office(BUREAU), now=instant(DAY))
        [(file_id,)] = query(session, "SELECT max(id) FROM file")
        [(feed,)] = query(session, "SELECT max(id) FROM feed_token")
        [(panelist,)] = query(session, "SELECT max(id) FROM panelist")
        asked = extensions.request(
            session, current, wanted=date(2025, 7, 4), reason="汛期道路中断", by=office(own), now=instant(DAY)
        )
    return {
        "code": township,
        "key": key,
        "number": "1",
        "people": str(person),
        "extensions": str(asked),
        "feeds": str(feed),
        "kind": "monthly",
        "period": "2025-05",
        "requirement": "1.2",
        "round_code": "2025-H1",
        "section": "overview",
        "act": "close",
        "unit": department,
        "exemplar_id": str(exemplar),
        "picture_id": "1",
        "panelist_id": str(panelist),
        "token": token,
        "token_id": str(feed),
        "file_id": str(file_id),
        "name": "x.jpg",
        "digest": "0" * 64,
        "sha256": "0" * 64,
        "item_id": "1",
        "letter_id": "1",
        "message_id": "1",
        "batch": "1",
        "channel": "inbox",
        "chapter_name": "start",
        "view_id": "1",
        "entry_id": "1",
        "account_id": "1",
    }
