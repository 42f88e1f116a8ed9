"""我的账号: name, password, sessions, and the number on the telephone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from fastapi.testclient import TestClient

from ledger.database import Database
from tests.accounts import DAY, PASSWORD, door, set_clock, sign_in, somebody
from tests.api.site import signed_in, tiny_site
from tests.factories import instant, query

NOW = instant(DAY)
NEW = "草原上的另一条更长的密码"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0.49"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with tiny_site(database_url, tmp_path / "pack") as site:
        somebody(site.database)
        yield site.database


@pytest.fixture
def browser(database: Database, tmp_path: Path) -> TestClient:
    found = door(database, tmp_path)
    found.headers["user-agent"] = CHROME
    sign_in(found)
    return found


@pytest.fixture
def phone(database: Database, tmp_path: Path) -> TestClient:
    found = door(database, tmp_path)
    found.headers["user-agent"] = WECHAT
    sign_in(found)
    return found


def inside(browser: TestClient) -> bool:
    return browser.get("/account").status_code == 200


def test_another_password_ends_all_other_sessions(
    database: Database, browser: TestClient, phone: TestClient, tmp_path: Path
) -> None:
    answer = browser.post("/account/password", data={"old": PASSWORD, "password": NEW, "again": NEW})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?told=password-changed")
    assert (inside(browser), inside(phone)) == (True, False)
    assert sign_in(door(database, tmp_path)).status_code == 422
    assert sign_in(door(database, tmp_path), password=NEW).status_code == 303
    with database.read() as session:
        [line] = query(session, "SELECT account, by_name, detail FROM audit WHERE act = '更改密码'")
    assert line == ("zhang", "张建国", "退出其他登录 1 个")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"old": "不对的密码"}, "现在的密码不正确，密码没有更改"),
        ({"old": ""}, "现在的密码不正确，密码没有更改"),
        ({"again": NEW + "x"}, "两次输入的新密码不一致，密码没有更改"),
        ({"password": "short", "again": "short"}, "密码须为 10 至 200 个字符，现为 5 个"),
        ({"password": "qwertyuiop", "again": "qwertyuiop"}, "过于常见"),
    ],
)
def test_what_is_wrong_changes_nothing(
    database: Database, browser: TestClient, phone: TestClient, more: dict[str, str], told: str
) -> None:
    answer = browser.post("/account/password", data={"old": PASSWORD, "password": NEW, "again": NEW, **more})
    assert (answer.status_code, told in answer.text) == (422, True)
    assert (inside(browser), inside(phone)) == (True, True)
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM audit WHERE act = '更改密码'") == [(0,)]


def test_an_open_session_is_no_way_to_guess(browser: TestClient) -> None:
    form = {"old": "不对的密码", "password": NEW, "again": NEW}
    assert [browser.post("/account/password", data=form).status_code for _ in range(10)] == [422] * 10
    assert browser.post("/account/password", data={**form, "old": PASSWORD}).status_code == 429


def test_the_name(database: Database, browser: TestClient) -> None:
    assert browser.post("/account/name", data={"display_name": " 李四 "}).status_code == 303
    assert "zhang · 李四" in browser.get("/account").text
    for wrong in ("", " ", "张" * 41, "王小明 150203199003078895"):
        answer = browser.post("/account/name", data={"display_name": wrong})
        assert answer.status_code == 422
        assert "150203199003078895" not in answer.text
    assert "zhang · 李四" in browser.get("/account").text


def test_sessions_are_listed_and_ended_one_by_one(database: Database, browser: TestClient, phone: TestClient) -> None:
    page = browser.get("/account").text
    assert sorted(re.findall(r'<span title="[^"]*">([^<]+)</span>', page)) == ["Chrome · Windows", "微信 · 安卓"]
    with database.read() as session:
        [(own,), (other,)] = query(session, "SELECT id FROM login ORDER BY id")
    assert browser.post(f"/account/sessions/{other}/end").status_code == 303
    assert (inside(browser), inside(phone)) == (True, False)
    assert browser.post(f"/account/sessions/{other}/end").status_code == 404
    assert browser.post(f"/account/sessions/{own}/end").headers["location"] == "/login"
    assert not inside(browser)


def test_all_others_at_once(browser: TestClient, phone: TestClient) -> None:
    assert browser.post("/account/sessions/end-others").status_code == 303
    assert (inside(browser), inside(phone)) == (True, False)


def test_nobody_ends_anothers_session(database: Database, browser: TestClient) -> None:
    stranger = signed_in(database, {"": ()}, NOW)
    with database.read() as session:
        [(theirs,)] = query(session, "SELECT max(id) FROM login")
    for wrong in (str(theirs), "0", "-1", "x", "9" * 30):
        assert browser.post(f"/account/sessions/{wrong}/end").status_code in (404, 422), wrong
    assert stranger


def secret_on(page: str) -> pyotp.TOTP:
    [secret] = re.findall(r'class="totp-secret">([A-Z2-7 ]+)<', page)
    return pyotp.TOTP(secret.replace(" ", ""))


def test_the_number_is_switched_on_used_and_switched_off(
    database: Database, browser: TestClient, phone: TestClient, tmp_path: Path
) -> None:
    assert browser.post("/account/totp", data={"password": "不对的密码"}).status_code == 422
    assert browser.post("/account/totp", data={"password": PASSWORD}).headers["location"] == "/account/totp"
    page = browser.get("/account/totp").text
    telephone = secret_on(page)
    assert 'aria-label="动态码的二维码"' in page
    assert inside(phone)  # not in use before a number has come
    assert browser.post("/account/totp/confirm", data={"number": "000000"}).status_code == 422
    done = browser.post("/account/totp/confirm", data={"number": telephone.at(NOW)})
    codes = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", done.text)
    assert (done.status_code, len(set(codes)), done.headers["cache-control"]) == (200, 10, "no-store")
    assert (inside(browser), inside(phone)) == (True, False)
    assert telephone.secret not in browser.get("/account/totp").text.replace(" ", "")
    assert sign_in(door(database, tmp_path)).headers["location"] == "/login/code"
    renewed = browser.post("/account/totp/codes", data={"password": PASSWORD})
    assert set(re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", renewed.text)).isdisjoint(codes)
    assert browser.post("/account/totp/off", data={"password": "不对的密码"}).status_code == 422
    assert browser.post("/account/totp/off", data={"password": PASSWORD}).status_code == 303
    assert sign_in(door(database, tmp_path)).headers["location"] == "/start"
    with database.read() as session:
        acts = [act for (act,) in query(session, "SELECT act FROM audit WHERE done ORDER BY id") if act != "登录"]
    assert acts == ["生成动态码", "启用动态码", "更换恢复码", "关闭动态码"]


def test_a_number_needs_its_picture_first(browser: TestClient) -> None:
    answer = browser.post("/account/totp/confirm", data={"number": "123456"})
    assert (answer.status_code, "还没有生成动态码的二维码" in answer.text) == (422, True)
    assert browser.post("/account/totp/codes", data={"password": PASSWORD}).status_code == 409


def test_a_machines_token_has_no_account_page(database: Database, tmp_path: Path) -> None:
    browser = door(database, tmp_path)
    assert browser.get("/account", headers={"authorization": "Bearer nothing"}).status_code == 303


def test_the_page_tells_when_it_ends(browser: TestClient) -> None:
    assert "60 分钟不操作自动退出，最长保持 12 小时" in browser.get("/account").text
    set_clock(browser, NOW + timedelta(hours=13))
    assert not inside(browser)
