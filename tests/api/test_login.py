"""The door: names and passwords, what shuts it, the cookie, a demonstration's personas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from ledger import passwords
from ledger.database import Database
from lucheng.demo_accounts import open_accounts
from policy_models.access import Grant, Role
from policy_models.plan_file import BUNDLED, load_pack
from tests.accounts import DAY, PASSWORD, door, set_clock, sign_in, somebody
from tests.api.site import tiny_site
from tests.factories import BUREAU, instant, load, opened, query

NOW = instant(DAY)
WRONG = "账号名或密码不正确，或者该账号暂停登录"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with tiny_site(database_url, tmp_path / "pack") as site:
        yield site.database


def trail(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        return query(session, "SELECT act, account, detail, done FROM audit ORDER BY id")


def inside(browser: TestClient) -> bool:
    return browser.get("/account").status_code == 200


def test_a_name_and_a_password_open_it(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    assert browser.get("/account").headers["location"] == "/login?next=%2Faccount"
    answer = sign_in(browser, next="/register?unit=9001")
    assert (answer.status_code, answer.headers["location"]) == (303, "/register?unit=9001")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("lucheng=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert inside(browser)
    assert browser.get("/login").headers["location"] == "/start"
    assert trail(database) == [("登录", "zhang", "", True)]


def test_over_https_the_cookie_travels_over_nothing_else(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser = door(database, tmp_path, base_url="https://lucheng.example")
    cookie = sign_in(browser).headers["set-cookie"]
    assert cookie.startswith("__Host-lucheng=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie
    assert inside(browser)
    browser.cookies.clear()
    browser.cookies.set("lucheng", cookie.split("=", 1)[1].split(";")[0])  # a plain page's cookie is not asked
    assert not inside(browser)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/x\\..\\y",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
        "/杏花",
        "evil",
        "/",
        "",
    ],
)
def test_one_goes_on_to_pages_of_this_site_alone(database: Database, tmp_path: Path, wanted: str) -> None:
    somebody(database)
    assert sign_in(door(database, tmp_path), next=wanted).headers["location"] == "/start"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("zhang", "不对的密码"),
        ("nobody", PASSWORD),
        ("", ""),
        ("zhang", ""),
        ("", PASSWORD),
        ("zhang' OR '1'='1", PASSWORD),
        ("zhang\x00", PASSWORD),
        ("zhang", PASSWORD + "\x00"),
        ("张" * 100, PASSWORD),
        ("zhang", "x" * 900),
        ("<script>alert(1)</script>", PASSWORD),
    ],
)
def test_everything_else_is_told_the_same_sentence(
    database: Database, tmp_path: Path, name: str, password: str
) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    answer = sign_in(browser, name, password)
    assert answer.status_code == 422
    assert answer.text.count(WRONG) == 1
    assert "set-cookie" not in answer.headers
    assert "<script>alert" not in answer.text
    assert not inside(browser)


def test_what_is_too_long_is_refused_unread(database: Database, tmp_path: Path) -> None:
    assert sign_in(door(database, tmp_path), "zhang", "x" * 5000).status_code == 422
    assert trail(database) == []


def test_a_shut_account_is_told_the_same_as_a_wrong_password(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    pages = [sign_in(browser, "zhang", "不对的密码").text for _ in range(5)]
    pages.append(sign_in(browser).text)
    pages.append(sign_in(browser, "nobody").text.replace("nobody", "zhang"))
    assert len(set(pages)) == 1
    assert trail(database) == [
        *[("登录", "zhang", "", False)] * 4,
        ("登录", "zhang", "连续输错，账号暂停登录", False),
        ("登录", "zhang", "", False),
        ("登录", "", "没有这个账号", False),
    ]
    set_clock(browser, NOW + timedelta(minutes=16))
    assert sign_in(browser).status_code == 303


def test_a_password_typed_as_a_name_is_kept_nowhere(database: Database, tmp_path: Path) -> None:
    sign_in(door(database, tmp_path), "Hongqi-Street-2026", "")
    assert "hongqi" not in repr(trail(database)).lower()


def test_ten_attempts_at_a_name_and_it_must_wait(database: Database, tmp_path: Path) -> None:
    browser = door(database, tmp_path)
    assert [sign_in(browser, "nobody", "不对的密码").status_code for _ in range(10)] == [422] * 10
    answer = sign_in(browser, "ＮＯＢＯＤＹ", "不对的密码")  # the same name
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "600"
    assert "尝试过于频繁，请10 分钟后再试" in answer.text
    assert sign_in(browser, "other", "不对的密码").status_code == 422


def test_thirty_failures_of_an_address_and_it_must_wait(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    for number in range(30):
        assert sign_in(browser, f"name{number}", "不对的密码").status_code == 422
    answer = sign_in(browser)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"


def test_who_signs_in_rightly_never_waits(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    assert [sign_in(browser).status_code for _ in range(35)] == [303] * 35


def test_signing_in_gives_a_new_key_and_ends_the_old_one(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser, other = door(database, tmp_path), door(database, tmp_path)
    sign_in(browser)
    old = browser.cookies["lucheng"]
    sign_in(browser)
    assert browser.cookies["lucheng"] != old
    other.cookies.set("lucheng", old)
    assert not inside(other)
    with database.read() as session:
        assert query(session, "SELECT ended_why FROM login ORDER BY id") == [("replaced",), (None,)]


def test_a_key_that_somebody_planted_is_not_taken_over(database: Database, tmp_path: Path) -> None:
    somebody(database)
    planted = {"cookie": "lucheng=planted-by-somebody-else"}
    browser, thief = door(database, tmp_path), door(database, tmp_path)
    answer = browser.post("/login", data={"name": "zhang", "password": PASSWORD}, headers=planted)
    assert answer.status_code == 303
    assert "planted" not in answer.headers["set-cookie"]
    assert thief.get("/account", headers=planted).status_code == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser, other = door(database, tmp_path), door(database, tmp_path)
    sign_in(browser)
    other.cookies.set("lucheng", browser.cookies["lucheng"])
    assert browser.post("/logout").headers["location"] == "/login"
    assert "lucheng" not in browser.cookies
    assert not inside(other)


def test_an_idle_session_asks_again_and_says_so(database: Database, tmp_path: Path) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    sign_in(browser)
    set_clock(browser, NOW + timedelta(minutes=59))
    assert inside(browser)
    set_clock(browser, NOW + timedelta(minutes=59 + 61))
    answer = browser.get("/account", follow_redirects=True)
    assert "登录已结束，请重新登录" in answer.text
    assert browser.post("/account/name", data={"display_name": "李四"}).status_code == 401


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}])
@pytest.mark.parametrize("path", ["/login", "/login/demo", "/login/code", "/logout", "/account/password"])
def test_no_other_site_signs_anybody_in_or_out(
    database: Database, tmp_path: Path, path: str, headers: dict[str, str]
) -> None:
    somebody(database)
    browser = door(database, tmp_path)
    sign_in(browser)
    data = {"name": "zhang", "password": PASSWORD, "persona": "1"}
    assert browser.post(path, data=data, headers=headers).status_code == 403
    assert inside(browser)


def test_hashing_holds_no_lock_on_the_ledger(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a password is compared somebody else writes: on SQLite that waits for whoever holds the lock."""
    somebody(database)
    real, written = passwords.check, list[int]()

    def check(password: str, hashed: str | None) -> passwords.Checked:
        with opened(str(database.engine.url.render_as_string(hide_password=False))) as other, other.write() as session:
            written.append(session.execute(text("UPDATE account SET display_name = '李四'")).rowcount)
        return real(password, hashed)

    monkeypatch.setattr(passwords, "check", check)
    assert sign_in(door(database, tmp_path)).status_code == 303
    assert written == [1]


def test_without_accounts_the_page_says_where_the_first_link_is(database: Database, tmp_path: Path) -> None:
    browser = door(database, tmp_path)
    assert "第一位管理员请打开启动鹿程的窗口中显示的链接" in browser.get("/login").text
    somebody(database)
    assert "第一位管理员" not in browser.get("/login").text


@pytest.fixture(scope="module")
def bundled() -> object:
    return load_pack(BUNDLED)


@pytest.mark.thorough
def test_a_demonstration_lets_anybody_in_as_one_of_six(sqlite_url: str, tmp_path: Path, bundled: object) -> None:
    with opened(sqlite_url) as database:
        load(database, bundled, demonstration=True)  # type: ignore[arg-type]
        with database.write() as session:
            open_accounts(session, bundled, NOW)  # type: ignore[arg-type]
        browser = door(database, tmp_path)
        page = browser.get("/login").text
        words = (
            "统筹员（市民政局）",
            "旗县区审核员",
            "苏木乡镇街道联络员",
            "联络员（市教育局）",
            "管理员",
            "监督员（只读）",
        )
        assert [word for word in words if f"<b>{word}</b>" in page] == list(words)
        with database.read() as session:
            known = query(session, "SELECT id, name FROM account ORDER BY id")
        roles = []
        for number, _ in known:
            assert browser.post("/login/demo", data={"persona": str(number)}).headers["location"] == "/start"
            account = browser.get("/account").text
            roles.append(
                next(word for word in ("统筹员", "审核员", "联络员", "管理员", "监督员") if f"<b>{word}" in account)
            )
        assert roles == ["统筹员", "审核员", "联络员", "联络员", "管理员", "监督员"]


def test_a_real_ledger_lets_nobody_in_so(database: Database, tmp_path: Path) -> None:
    made = somebody(database, "演示-统筹员", [Grant(Role.COORDINATOR, BUREAU)], password=None)
    browser = door(database, tmp_path)
    assert "演示身份" not in browser.get("/login").text
    answer = browser.post("/login/demo", data={"persona": str(made)})
    assert (answer.status_code, "这不是演示台账，不能免密登录" in answer.text) == (403, True)
    assert not inside(browser)
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM login") == [(0,)]


def test_on_a_demonstration_only_its_personas_are_open(database: Database, tmp_path: Path) -> None:
    made = somebody(database)
    with database.write() as session:
        session.execute(text("UPDATE plan SET demonstration = true"))
    browser = door(database, tmp_path)
    assert browser.post("/login/demo", data={"persona": str(made)}).status_code == 403
    for wrong in ("0", "-1", "x", "", "9" * 30, "１"):
        assert browser.post("/login/demo", data={"persona": wrong}).status_code in (403, 422)
    assert not inside(browser)


def test_a_ledger_that_is_away_is_told(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'none' / 'ledger.db'}") as database:
        browser = door(database, tmp_path)
        assert browser.get("/login").status_code == 503
        assert sign_in(browser).status_code == 503
