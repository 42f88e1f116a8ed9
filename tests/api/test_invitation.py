"""The page behind a one-time link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.logging import redact
from ledger import invitations
from ledger.database import Database
from policy_models.access import Grant, Role
from tests.accounts import DAY, PASSWORD, door, set_clock, sign_in, somebody
from tests.api.site import tiny_site
from tests.factories import BUREAU, instant, query

NOW = instant(DAY)
GONE = "这个链接已失效"
LIAISON = (Grant(Role.LIAISON, BUREAU), Grant(Role.AUDITOR, ""))


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with tiny_site(database_url, tmp_path / "pack") as site:
        yield site.database


def invited(database: Database, name: str = "zhang", password: str | None = None) -> str:
    made = somebody(database, name, LIAISON, password=password)
    with database.write() as session:
        return f"/invitations/{invitations.invite(session, made, NOW)}"


def accept(browser: TestClient, path: str, **more: str) -> int:
    form = {"display_name": "张建国", "password": PASSWORD, "again": PASSWORD, **more}
    return browser.post(path, data=form).status_code


def test_it_shows_roles_and_units_in_words(database: Database, tmp_path: Path) -> None:
    page = door(database, tmp_path).get(invited(database))
    assert page.status_code == 200
    assert re.findall(r"<dd>(联络员 · 市民政局)<br>(监督员（只读） · 全部单位)</dd>", page.text) == [
        ("联络员 · 市民政局", "监督员（只读） · 全部单位")
    ]
    assert "2025年3月13日 09:00 前有效" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


def test_name_and_password_are_set_and_one_is_in(database: Database, tmp_path: Path) -> None:
    path, browser = invited(database), door(database, tmp_path)
    answer = browser.post(path, data={"display_name": " 李四 ", "password": PASSWORD, "again": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/start")
    assert "zhang · 李四" in browser.get("/account").text
    again = door(database, tmp_path)
    assert GONE in again.get(path).text
    assert accept(again, path) == 404
    assert sign_in(again).status_code == 303
    with database.read() as session:
        assert query(session, "SELECT act, account, done FROM audit ORDER BY id") == [
            ("使用邀请链接", "zhang", True),
            ("登录", "zhang", True),
        ]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"again": PASSWORD + "x"}, "两次输入的密码不一致"),
        ({"password": "short", "again": "short"}, "密码须为 10 至 200 个字符，现为 5 个"),
        ({"password": "1234567890", "again": "1234567890"}, "过于常见"),
        ({"password": "", "again": ""}, "密码须为 10 至 200 个字符，现为 0 个"),
        ({"password": "x\x00" + PASSWORD, "again": "x\x00" + PASSWORD}, "不能识别的字符"),
        ({"display_name": ""}, "请填写姓名"),
        ({"display_name": "  "}, "请填写姓名"),
        ({"display_name": "张" * 41}, "请填写姓名，不超过 40 个字"),
        ({"display_name": "张\x00"}, "请填写姓名"),
        ({"display_name": "张\u202e三"}, "请填写姓名"),
        ({"display_name": "王小明 150203199003078895"}, "不能提交"),
    ],
)
def test_what_is_wrong_is_told_and_the_link_stays_good(
    database: Database, tmp_path: Path, more: dict[str, str], told: str
) -> None:
    path, browser = invited(database), door(database, tmp_path)
    form = {"display_name": "张建国", "password": PASSWORD, "again": PASSWORD, **more}
    answer = browser.post(path, data=form)
    assert (answer.status_code, told in answer.text) == (422, True), answer.text
    assert "150203199003078895" not in answer.text
    assert PASSWORD not in answer.text
    assert accept(browser, path) == 303


def test_it_expires(database: Database, tmp_path: Path) -> None:
    path, browser = invited(database), door(database, tmp_path)
    set_clock(browser, NOW + timedelta(hours=72, seconds=1))
    assert browser.get(path).status_code == 404
    assert accept(browser, path) == 404


def test_a_newer_link_stops_it(database: Database, tmp_path: Path) -> None:
    path, browser = invited(database), door(database, tmp_path)
    with database.write() as session:
        invitations.invite(session, 1, NOW)
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("token", ["x", "%E6%9D%8F", "..%2f..%2fetc", "%00", "a" * 90, "'--"])
def test_other_words_are_told_the_same(database: Database, tmp_path: Path, token: str) -> None:
    invited(database)
    answer = door(database, tmp_path).get(f"/invitations/{token}")
    assert answer.status_code in (404, 422)
    assert "zhang" not in answer.text


def test_who_tries_many_must_wait(database: Database, tmp_path: Path) -> None:
    path, browser = invited(database), door(database, tmp_path)
    assert [browser.get(f"/invitations/guess{number}").status_code for number in range(30)] == [404] * 30
    assert browser.get(path).status_code == 429


def test_the_token_stands_in_no_log(database: Database) -> None:
    path = invited(database)
    token = path.rsplit("/", 1)[1]
    assert redact(f'"GET {path} HTTP/1.1" 200') == '"GET /invitations/*** HTTP/1.1" 200'
    assert token not in redact(f"error at {path}?x=1 in a traceback")
    back = '"GET /oidc/callback?code=abc&state=def HTTP/1.1" 303'
    assert redact(back) == '"GET /oidc/callback?*** HTTP/1.1" 303'
