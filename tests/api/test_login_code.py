"""The second step: a session that waits for its number opens nothing else, and wrong numbers shut the account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from fastapi.testclient import TestClient

from ledger import totp
from ledger.database import Database
from ledger.secret_box import SecretBox
from policy_models.access import Grant, Role
from tests.accounts import DAY, door, set_clock, sign_in, somebody
from tests.api.site import tiny_site
from tests.factories import BUREAU, instant, query

NOW = instant(DAY)
LATER = NOW + timedelta(minutes=5)
WRONG = "动态码不正确或已用过"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with tiny_site(database_url, tmp_path / "pack") as site:
        yield site.database


def with_totp(database: Database, folder: Path, **more: object) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    made, box = somebody(database, **more), SecretBox(folder / "account.key")  # type: ignore[arg-type]
    with database.write() as session:
        totp.begin(session, made, box)
        telephone = pyotp.TOTP(totp.secret_of(session, made, box))
        return telephone, totp.confirm(session, made, telephone.at(NOW), box, NOW)


def waiting(database: Database, folder: Path) -> TestClient:
    browser = door(database, folder)
    set_clock(browser, LATER)
    answer = sign_in(browser, next="/register")
    assert answer.headers["location"] == "/login/code?next=%2Fregister"
    return browser


def give(browser: TestClient, number: str) -> int:
    return browser.post("/login/code", data={"number": number, "next": "/register"}).status_code


def test_until_the_number_nothing_is_open(database: Database, tmp_path: Path) -> None:
    telephone, _ = with_totp(database, tmp_path)
    browser = waiting(database, tmp_path)
    for path in ("/account", "/accounts", "/", "/register"):
        assert browser.get(path).headers["location"].startswith("/login/code"), path
    assert browser.get("/api/v1/units").status_code == 401
    assert browser.post("/account/name", data={"display_name": "李四"}).status_code == 401
    before = browser.cookies["lucheng"]
    answer = browser.post("/login/code", data={"number": telephone.at(LATER), "next": "/register"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/register")
    assert browser.cookies["lucheng"] != before
    assert browser.get("/account").status_code == 200
    thief = door(database, tmp_path)
    thief.cookies.set("lucheng", before)
    assert thief.get("/account").status_code == 303


def test_a_recovery_code_does_too_once(database: Database, tmp_path: Path) -> None:
    _, codes = with_totp(database, tmp_path)
    assert give(waiting(database, tmp_path), codes[0]) == 303
    assert give(waiting(database, tmp_path), codes[0]) == 422


def test_a_seen_number_is_not_taken_again(database: Database, tmp_path: Path) -> None:
    telephone, _ = with_totp(database, tmp_path)
    first, second = waiting(database, tmp_path), waiting(database, tmp_path)
    assert give(first, telephone.at(LATER)) == 303
    answer = second.post("/login/code", data={"number": telephone.at(LATER)})
    assert (answer.status_code, WRONG in answer.text) == (422, True)


def test_five_wrong_numbers_shut_the_account_and_end_the_session(database: Database, tmp_path: Path) -> None:
    telephone, _ = with_totp(database, tmp_path)
    browser = waiting(database, tmp_path)
    wrong = "000000" if telephone.at(LATER) != "000000" else "000001"
    assert [give(browser, wrong) for _ in range(5)] == [422] * 5
    assert "lucheng" not in browser.cookies
    assert sign_in(browser).status_code == 422
    with database.read() as session:
        assert query(session, "SELECT failures FROM account") == [(5,)]
        assert query(session, "SELECT detail, done FROM audit WHERE detail <> '' ORDER BY id") == [
            *[("动态码不正确", False)] * 4,
            ("动态码不正确，账号暂停登录", False),
        ]


def test_a_known_password_buys_no_more_guesses(database: Database, tmp_path: Path) -> None:
    """Signing in again between wrong numbers does not set the count back."""
    telephone, _ = with_totp(database, tmp_path)
    wrong = "000000" if telephone.at(LATER) != "000000" else "000001"
    for _ in range(4):
        assert give(waiting(database, tmp_path), wrong) == 422
    assert give(waiting(database, tmp_path), wrong) == 422
    assert sign_in(door(database, tmp_path)).status_code == 422


def test_it_waits_ten_minutes(database: Database, tmp_path: Path) -> None:
    telephone, _ = with_totp(database, tmp_path)
    browser = waiting(database, tmp_path)
    late = LATER + timedelta(minutes=11)
    set_clock(browser, late)
    assert browser.post("/login/code", data={"number": telephone.at(late)}).headers["location"] == "/start"
    assert browser.get("/account").headers["location"] == "/login?next=%2Faccount"


@pytest.mark.parametrize("number", ["", "12345", "abcdef", "' OR '1'='1", "\x00", "１２３４５", "x" * 40])
def test_what_is_no_number(database: Database, tmp_path: Path, number: str) -> None:
    with_totp(database, tmp_path)
    assert give(waiting(database, tmp_path), number) == 422


def test_where_it_is_required_an_administrator_sets_it_first(database: Database, tmp_path: Path) -> None:
    somebody(database)
    somebody(database, "liaison", [Grant(Role.LIAISON, BUREAU)])
    browser = door(database, tmp_path, require_totp=True)
    sign_in(browser, "liaison")
    assert browser.get("/register").status_code == 200
    sign_in(browser)
    for path in ("/", "/accounts", "/register", "/accounts/new"):
        assert browser.get(path).headers["location"] == "/account/totp", path
    assert browser.get("/api/v1/units").status_code == 403
    assert browser.post("/accounts", data={"name": "x"}).status_code == 403
    page = browser.get("/account/totp")
    assert (page.status_code, "管理员须启用动态码后才能使用其他页面" in page.text) == (200, True)


def test_nothing_waits_for_who_is_not_waiting(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    assert browser.get("/login/code").headers["location"] == "/login"
    assert browser.post("/login/code", data={"number": "123456"}).headers["location"] == "/start"
    sign_in(browser)
    assert browser.get("/login/code").headers["location"] == "/start"
