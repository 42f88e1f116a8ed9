"""A stranger sees nothing: every route without login, at the wrong unit, in the wrong role. Held against a table that is
written by hand (tests/api/access_table.py), never against the application's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, update

from api.guard import COOKIE, NO_RIGHT, NO_SCOPE, SIGN_IN
from api.rights import RULES
from ledger import accounts, logins
from ledger.tables import account, login, machine_token
from policy_models.access import Grant, Role
from tests.api.access_site import (
    COUNTY,
    DAY,
    NEXT_DOOR,
    NOBODYS,
    OTHER_TOWNSHIP,
    TOWNSHIP,
    VILLAGE,
    AccessSite,
    access_site,
    bare_app,
    every_route,
    routes_of,
)
from tests.api.access_table import ANYONE, allowed, is_of_any_account, place
from tests.api.site import Roles, signed_in
from tests.factories import fresh_database, instant

ROUTES = every_route()
BEHIND = [route for route in ROUTES if route not in ANYONE]
ROLES = tuple(Role)
JSON = {"content-type": "application/json"}  # what the interface for programs takes, and no form can be sent as
CROSS_SITE = {"sec-fetch-site": "cross-site"}  # the guard is asked first; then such a form goes no further
NOT_OURS = "不是从本系统的页面发出的"


@pytest.fixture(scope="module")
def site(
    sqlite_template: object, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[AccessSite]:
    request.param = "sqlite"
    with (
        fresh_database(request, tmp_path_factory) as database,
        access_site(database, tmp_path_factory.mktemp("access")) as found,
    ):
        yield found


@pytest.fixture
def browsers(site: AccessSite) -> dict[tuple[str, Role], TestClient]:
    return Browsers(site)


class Browsers(dict[tuple[str, Role], TestClient]):
    """One browser for each unit and role, signed in when first asked for."""

    def __init__(self, site: AccessSite) -> None:
        super().__init__()
        self.site = site

    def __missing__(self, key: tuple[str, Role]) -> TestClient:
        unit, role = key
        self[key] = self.site.browser({unit: [role]})
        return self[key]


def outcome(browser: TestClient, route: str, path: str) -> str:
    """``in``: past the guard; ``no``: refused by it, in one sentence; anything else is a fault."""
    method = route.partition(" ")[0]
    answer = browser.request(method, path, headers={} if method == "GET" else CROSS_SITE | JSON)
    refused = answer.status_code == 403 and (NO_RIGHT in answer.text or NO_SCOPE in answer.text)
    if refused:
        return "no"
    if method != "GET":
        return "in" if answer.status_code == 403 and NOT_OURS in answer.text else f"{answer.status_code}"
    at_the_door = answer.status_code == 303 and answer.headers["location"].startswith("/login")
    return f"{answer.status_code}" if at_the_door or answer.status_code in (401, 500) else "in"


def expected(route: str, role: Role, where: str) -> str:
    """``where``: own, above, below, beside, everywhere."""
    if role not in allowed(route):
        return "no"
    if where == "everywhere" or place(route) == "listed":
        return "in"
    if place(route) == "whole":
        return "no"
    return "in" if where in ("own", "above") else "no"


def account_units(route: str) -> dict[str, str]:
    """By where: the unit that an account is of, when the address names the township (or an item or a file of its
    village)."""
    if place(route) in ("item", "file"):
        return {"own": VILLAGE, "above": TOWNSHIP, "below": NEXT_DOOR, "beside": OTHER_TOWNSHIP, "everywhere": ""}
    return {"own": TOWNSHIP, "above": COUNTY, "below": VILLAGE, "beside": OTHER_TOWNSHIP, "everywhere": ""}


def test_every_route_has_one_rule_and_every_rule_a_route() -> None:
    served = routes_of(bare_app())
    assert len(served) == len(set(served))
    assert sorted(served) == sorted(ROUTES)
    assert len(ROUTES) == len(RULES) > 150


def test_the_table_knows_every_route() -> None:
    assert [route for route in ANYONE if route not in ROUTES] == []
    assert {place(route) for route in BEHIND if allowed(route)} == {"unit", "item", "file", "whole", "listed"}


@pytest.mark.parametrize("machine", [False, True])
def test_a_stranger_sees_nothing(site: AccessSite, machine: bool) -> None:
    browser = site.browser(None)
    if machine:
        browser.headers["authorization"] = "Bearer nobodys-token"
    for route in BEHIND:
        method = route.partition(" ")[0]
        answer = browser.request(method, site.path(route))
        told = (route, answer.status_code)
        if "/api/v1/" in route:
            assert told == (route, 401)
            assert answer.json()["detail"] == SIGN_IN
        elif method == "GET":
            assert told == (route, 303)
            assert answer.headers["location"].partition("?")[0] == "/login"
            assert answer.text == ""
        else:
            assert told == (route, 401)
        for word in ("小方案", "1县", "2县", "民政局", "事项1.2", "tiny-2025"):
            assert word not in answer.text, route


def test_what_is_open_to_anyone_tells_nothing_of_the_plan(site: AccessSite) -> None:
    browser = site.browser(None)
    for route in ANYONE:
        method, path = route.partition(" ")[0], site.path(route)
        if path.startswith("/scoring/"):
            path = path.replace(site.filled[1]["token"], "nobodys-token")
        answer = browser.request(method, path, headers={} if method == "GET" else CROSS_SITE)
        assert answer.status_code < 500, route
        for word in ("小方案", "1县", "2县", "民政局", "事项1.2", "tiny-2025"):
            assert word not in answer.text, route


@pytest.mark.thorough
@pytest.mark.parametrize("role", ROLES)
def test_a_role_at_its_own_unit(browsers: dict[tuple[str, Role], TestClient], site: AccessSite, role: Role) -> None:
    found, wanted = {}, {}
    for route in BEHIND:
        unit = account_units(route)["own"]
        found[route] = outcome(browsers[unit, role], route, site.path(route))
        wanted[route] = expected(route, role, "own")
    assert {route: got for route, got in found.items() if got != wanted[route]} == {}


@pytest.mark.parametrize("where", ["above", "below", "beside"])
def test_a_role_that_may_at_other_units(
    browsers: dict[tuple[str, Role], TestClient], site: AccessSite, where: str
) -> None:
    found, wanted = {}, {}
    for route in BEHIND:
        if place(route) == "listed":
            continue  # what it shows there: tests/api/test_access_leaks.py
        role = min(allowed(route), key=lambda one: (one is Role.ADMINISTRATOR, one))
        found[route] = outcome(browsers[account_units(route)[where], role], route, site.path(route))
        wanted[route] = expected(route, role, where)
    assert {route: got for route, got in found.items() if got != wanted[route]} == {}


@pytest.mark.thorough
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("where", ["above", "below", "beside", "everywhere"])
def test_every_role_at_every_unit(
    browsers: dict[tuple[str, Role], TestClient], site: AccessSite, where: str, role: Role
) -> None:
    found, wanted = {}, {}
    for route in BEHIND:
        found[route] = outcome(browsers[account_units(route)[where], role], route, site.path(route))
        wanted[route] = expected(route, role, where)
    assert {route: got for route, got in found.items() if got != wanted[route]} == {}


def test_an_account_without_a_role_has_only_itself(site: AccessSite) -> None:
    browser = site.browser({})
    for route in BEHIND:
        own = is_of_any_account(route)
        assert (route, outcome(browser, route, site.path(route))) == (route, "in" if own else "no")


@pytest.mark.thorough
def test_no_form_of_another_site_is_taken(site: AccessSite) -> None:
    """Also of somebody who may do everything, and of a browser that says neither where it comes from."""
    browser = site.browser({"": ROLES})
    for headers in (CROSS_SITE, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}, {}):
        browser.headers.pop("sec-fetch-site", None)
        for route in ROUTES:
            if not route.startswith("GET"):
                answer = browser.request(route.partition(" ")[0], site.path(route), headers=headers | JSON)
                assert (route, answer.status_code, NOT_OURS in answer.text) == (route, 403, True)


def test_sessions_that_are_none(site: AccessSite) -> None:
    roles: Roles = {"": ROLES}
    browser = site.browser(roles)
    key = browser.cookies[COOKIE]
    assert browser.get("/units").status_code == 200
    tampered = [key[:-1] + ("A" if key[-1] != "A" else "B"), key.upper(), key[:-1], "", " ", "0" * 43, f"{key}x"]
    for wrong in tampered:
        browser.cookies.clear()
        browser.cookies.set(COOKIE, wrong)
        assert browser.get("/units").status_code == 303, wrong
    for wrong in _keys_that_opened_once(site, roles):
        browser.cookies.clear()
        browser.cookies.set(COOKIE, wrong)
        assert browser.get("/units").status_code == 303


def _keys_that_opened_once(site: AccessSite, roles: Roles) -> list[str]:
    """Of a session that is idle, one that has lasted too long though it is in use, and one that was ended."""
    database, now = site.database, instant(DAY)
    idle = signed_in(database, roles, now - timedelta(minutes=61))
    outlived = signed_in(database, roles, now - timedelta(hours=13))
    with database.write() as session:
        session.execute(update(login).where(login.c.digest == logins.digest_of(outlived)).values(seen_at=now))
        account = accounts.create_account(session, f"离开{len(idle)}", "", now)
        ended = logins.open_login(session, account, now)
        assert logins.end_all_logins(session, account, now) == 1
    return [idle, outlived, ended]


def test_an_account_that_was_stopped(site: AccessSite) -> None:
    """Its running session is worth nothing from that moment on."""
    now = instant(DAY)
    browser = site.browser(None)
    with site.database.write() as session:
        stopped = accounts.create_account(session, "停用的人", "", now)
        accounts.set_grants(session, stopped, [Grant(Role.COORDINATOR, "")], now)
        browser.cookies.set(COOKIE, logins.open_login(session, stopped, now))
    assert browser.get("/units").status_code == 200
    with site.database.write() as session:
        session.execute(update(account).where(account.c.id == stopped).values(active=False))
    assert browser.get("/units").status_code == 303


def bearer(site: AccessSite, *, only_reads: bool, name: str, **more: object) -> TestClient:
    """A program with a token of an account that may do everything everywhere."""
    now, key = instant(DAY), f"the key of {name.encode().hex()}"
    with site.database.write() as session:
        made = accounts.create_account(session, name, name, now, machine=True)
        accounts.set_grants(session, made, [Grant(role, "") for role in ROLES], now)
        facts = {"account_id": made, "name": name, "digest": logins.digest_of(key), "created_at": now}
        session.execute(insert(machine_token).values(**facts, only_reads=only_reads, **more))
    browser = site.browser(None)
    browser.headers.pop("sec-fetch-site")
    browser.headers["authorization"] = f"Bearer {key}"
    return browser


def test_a_token_that_only_reads_does_nothing(site: AccessSite) -> None:
    reads, acts = (bearer(site, only_reads=only, name=f"程序{only}") for only in (True, False))
    assert [one.get("/api/v1/items").status_code for one in (reads, acts)] == [200, 200]
    for route in BEHIND:
        if place(route) == "unit" and allowed(route) != frozenset(ROLES) and route.startswith("POST /api/"):
            answer = reads.request(*_asked(site, route))
            assert (route, answer.status_code, answer.json()["detail"]) == (route, 403, NO_RIGHT)
            assert acts.request(*_asked(site, route)).status_code != 403 or "rounds" in route


def _asked(site: AccessSite, route: str) -> tuple[str, str]:
    return route.partition(" ")[0], site.path(route, code=NOBODYS)


def test_tokens_that_are_none(site: AccessSite) -> None:
    now = instant(DAY)
    revoked = bearer(site, only_reads=False, name="停用的令牌", revoked_at=now)
    expired = bearer(site, only_reads=False, name="过期的令牌", expires_at=now)
    for browser in (revoked, expired):
        assert browser.get("/api/v1/items").status_code == 401
        assert browser.get("/units").status_code == 303


ODD = ("none", "9999", "9001'--", "9001%20", "%00", "%ff", "%ed%a0%80", "９００１", "9" * 24, "9" * 25, "🙂")


@pytest.mark.parametrize("roles", [{"": ROLES}, {COUNTY: ROLES}], ids=["everywhere", "county"])
def test_codes_that_are_none_get_one_sentence(site: AccessSite, roles: Roles) -> None:
    browser = site.browser(roles)
    for odd in ODD:
        for path in (
            f"/units/{odd}",
            f"/units/{odd}/review",
            f"/items/{odd}",
            f"/files/{odd}/x.jpg",
            f"/api/v1/units/{odd}",
        ):
            answer = browser.get(path)
            assert answer.status_code in (403, 404, 422), (path, answer.status_code)
            assert "Traceback" not in answer.text
            if "/api/" in path:
                assert answer.json()["detail"]
            else:
                assert 'class="empty' in answer.text or "<h1" in answer.text
