"""The city's single sign-on, against a real provider: who is let in, and every answer that must not be believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from ledger import accounts, totp
from ledger.database import Database
from ledger.secret_box import SecretBox
from ledger.settings import Settings
from policy_models.access import Grant, Role
from tests.accounts import set_clock, somebody
from tests.api.site import BASE, open_browser, tiny_site
from tests.factories import BUREAU, opened, query
from tests.sign_on_provider import Provider, rsa, running_provider

pytestmark = pytest.mark.thorough
DOWN = "统一身份认证暂时无法使用，请稍后再试，或用账号名和密码登录"
REFUSED = "统一身份认证没有通过，请重试"
UNTRUSTED = "统一身份认证的答复未能通过校验，没有登录"
STALE = "这次认证已失效或已用过，请重新登录"
UNKNOWN = "统一身份认证已通过，但还没有您的账号"
LIAISON = (Grant(Role.LIAISON, BUREAU),)
KEY, OTHER_KEY = rsa("k1"), rsa("k2")


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with running_provider() as found:
        yield found


@pytest.fixture
def provider(running: Provider) -> Iterator[Provider]:
    running.knows("s-1", preferred_username="Zhang", email="zhang@baotou.example", email_verified=True)
    yield running
    running.change = lambda _path, answer: answer


@pytest.fixture
def database(sqlite_url: str, tmp_path: Path) -> Iterator[Database]:
    """What the ledger does with a visit is tested on both databases in tests/ledger/test_sign_on.py."""
    with tiny_site(sqlite_url, tmp_path / "pack") as site:
        yield site.database


def door(database: Database, provider: Provider, folder: Path, **more: object) -> TestClient:
    settings = Settings(base_url=BASE, data_dir=folder, **provider.settings(**more))  # type: ignore[arg-type]
    return open_browser(database, settings, None)


@pytest.fixture
def browser(database: Database, provider: Provider, tmp_path: Path) -> TestClient:
    return door(database, provider, tmp_path)


def invited(database: Database, name: str = "zhang", **more: Any) -> int:
    return somebody(database, name, LIAISON, password=None, **more)


def away(browser: TestClient, next: str = "") -> str:
    """Out to the provider: the address."""
    answer = browser.get("/oidc/start", params={"next": next} if next else {})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def back(browser: TestClient, address: str) -> Any:
    found = urlsplit(address)
    return browser.get(f"{found.path}?{found.query}")


def come(browser: TestClient, provider: Provider, subject: str = "s-1", next: str = "") -> Any:
    return back(browser, provider.agree(away(browser, next), subject))


def inside(browser: TestClient) -> bool:
    return browser.get("/account").status_code == 200


def refused(database: Database, browser: TestClient, answer: Any, sentence: str) -> None:
    """One sentence, and nothing opened or linked."""
    assert (answer.status_code in (403, 422, 503), answer.text.count(sentence)) == (True, 1), answer.text
    assert not inside(browser)
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM login") == [(0,)]
        assert query(session, "SELECT count(*) FROM account WHERE oidc_subject IS NOT NULL") == [(0,)]


def test_an_invited_account_is_linked_by_the_first_visit_for_good(
    database: Database, browser: TestClient, provider: Provider, tmp_path: Path
) -> None:
    invited(database)
    assert "用本市统一身份认证登录" in browser.get("/login").text
    answer = come(browser, provider, next="/register?unit=9001")
    assert (answer.status_code, answer.headers["location"]) == (303, "/register?unit=9001")
    assert inside(browser)
    assert "统一身份认证" in browser.get("/account").text
    provider.knows("s-1", preferred_username="somebody-else")
    assert come(door(database, provider, tmp_path), provider).status_code == 303
    with database.read() as session:
        assert query(session, "SELECT oidc_subject FROM account") == [(f"{provider.issuer} s-1",)]
        assert query(session, "SELECT act, account, detail, done FROM audit ORDER BY id") == [
            ("登录", "zhang", "统一身份认证，首次关联", True),
            ("登录", "zhang", "统一身份认证", True),
        ]
        assert query(session, "SELECT DISTINCT way FROM login") == [("oidc",)]
        assert query(session, "SELECT count(*) FROM sign_on") == [(0,)]


def test_the_visit_asks_as_it_should(browser: TestClient, provider: Provider) -> None:
    asked = {name: value[0] for name, value in parse_qs(urlsplit(away(browser)).query).items()}
    assert {name: asked[name] for name in ("response_type", "client_id", "scope", "code_challenge_method")} == {
        "response_type": "code",
        "client_id": provider.client_id,
        "scope": "openid profile email",
        "code_challenge_method": "S256",
    }
    assert asked["redirect_uri"] == f"{BASE}/oidc/callback"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43


@pytest.mark.parametrize(
    ("claims", "opened_as"),
    [
        ({"email": "zhang@baotou.example", "email_verified": True}, "zhang@baotou.example"),
        ({"email": "Zhang@Baotou.example", "email_verified": True}, "zhang@baotou.example"),
        ({"email": "zhang@baotou.example", "email_verified": False}, None),
        ({"email": "zhang@baotou.example"}, None),
        ({"email": "zhang@baotou.example", "email_verified": "true"}, None),
        ({"name": "zhang@baotou.example"}, None),
        ({"preferred_username": "zhang@baotou.exampl"}, None),
        ({"preferred_username": ["zhang@baotou.example"]}, None),
    ],
)
def test_only_a_name_that_the_provider_vouches_for_links(
    database: Database, browser: TestClient, provider: Provider, claims: dict[str, object], opened_as: str | None
) -> None:
    invited(database, "zhang@baotou.example")
    provider.knows("s-2", **claims)
    answer = come(browser, provider, "s-2")
    if opened_as is None:
        refused(database, browser, answer, UNKNOWN)
    else:
        assert answer.status_code == 303
        assert f"{opened_as} · 张建国" in browser.get("/account").text


def test_who_is_unknown_gets_one_sentence(database: Database, browser: TestClient, provider: Provider) -> None:
    refused(database, browser, come(browser, provider), UNKNOWN)
    with database.read() as session:
        [line] = query(session, "SELECT act, account, detail, done FROM audit")
    assert line == ("登录", "", "统一身份认证：没有对应的账号", False)


def test_an_account_with_a_password_is_not_taken_over(
    database: Database, browser: TestClient, provider: Provider
) -> None:
    somebody(database, "zhang", LIAISON)
    refused(database, browser, come(browser, provider), UNKNOWN)


def test_nor_one_of_a_program_nor_one_that_is_switched_off(
    database: Database, browser: TestClient, provider: Provider
) -> None:
    with database.write() as session:
        made = accounts.create_account(session, "zhang", "程序", datetime.now(UTC), machine=True)
    refused(database, browser, come(browser, provider), UNKNOWN)
    with database.write() as session:
        session.execute(text("UPDATE account SET machine = false, active = false WHERE id = :i"), {"i": made})
    refused(database, browser, come(browser, provider), UNKNOWN)


def test_a_linked_account_that_is_switched_off_stays_shut(
    database: Database, browser: TestClient, provider: Provider
) -> None:
    made = invited(database)
    assert come(browser, provider).status_code == 303
    with database.write() as session:
        accounts.set_active(session, made, False, datetime.now(UTC))
    assert not inside(browser)
    assert UNKNOWN in come(browser, provider).text
    assert not inside(browser)


def test_no_number_is_asked_for(database: Database, browser: TestClient, provider: Provider, tmp_path: Path) -> None:
    made = invited(database)
    with database.write() as session:
        totp.begin(session, made, SecretBox(tmp_path / "account.key"))
        session.execute(text("UPDATE account SET totp_since = '2025-01-01'"))
    assert come(browser, provider).status_code == 303
    assert inside(browser)


def _set(**claims: object) -> Callable[[dict[str, Any]], None]:
    return lambda found: found.update(claims)


def _drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda found: found.pop(name)


def _same(_found: dict[str, Any]) -> None:
    return None


def test_the_gate_lets_a_rightly_signed_token_through(
    database: Database, browser: TestClient, provider: Provider
) -> None:
    """Else what follows would prove nothing."""
    invited(database)
    provider.resigned(_same, KEY, published=KEY)
    assert come(browser, provider).status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        _set(nonce="another"),
        _drop("nonce"),
        _set(aud="another-client"),
        _set(aud=["another-client", "third"]),
        _set(azp="another-client"),
        _drop("aud"),
        _set(iss="https://evil.example"),
        _drop("iss"),
        _set(exp=int((datetime.now(UTC) - timedelta(hours=1)).timestamp())),
        _set(exp="tomorrow"),
        _drop("exp"),
        _set(nbf=int((datetime.now(UTC) + timedelta(hours=1)).timestamp())),
        _drop("sub"),
        _set(sub=""),
        _set(sub=17),
        _set(sub="x" * 300),
        _set(sub="a\x00b"),
    ],
)
def test_a_token_that_says_something_else_is_not_believed(
    database: Database, browser: TestClient, provider: Provider, change: Callable[[dict[str, Any]], None]
) -> None:
    invited(database)
    provider.resigned(change, KEY, published=KEY)
    refused(database, browser, come(browser, provider), UNTRUSTED)


@pytest.mark.parametrize("trick", ["another key", "no signature", "our own secret", "the public key as secret"])
def test_a_token_that_another_signed_is_not_believed(
    database: Database, browser: TestClient, provider: Provider, trick: str
) -> None:
    invited(database)
    key, header = {
        "another key": (OTHER_KEY, {"alg": "RS256", "kid": "k1"}),
        "no signature": (b"", {"alg": "none"}),
        "our own secret": (provider.secret.encode(), {"alg": "HS256", "kid": "k1"}),
        "the public key as secret": (KEY.as_pem(private=False), {"alg": "HS256", "kid": "k1"}),
    }[trick]
    provider.resigned(_same, key, published=KEY, header=header)
    refused(database, browser, come(browser, provider), UNTRUSTED)


def test_a_newer_key_of_the_provider_is_fetched(
    database: Database, browser: TestClient, provider: Provider, tmp_path: Path
) -> None:
    invited(database)
    provider.resigned(_same, KEY, published=KEY)
    assert come(browser, provider).status_code == 303
    provider.resigned(_same, OTHER_KEY, published=OTHER_KEY)
    assert come(browser, provider).status_code == 303


def test_a_state_is_good_once_for_the_browser_that_went(
    database: Database, browser: TestClient, provider: Provider, tmp_path: Path
) -> None:
    invited(database)
    address = provider.agree(away(browser), "s-1")
    stranger = door(database, provider, tmp_path)
    refused(database, stranger, back(stranger, address), STALE)  # somebody else is sent it: no login by another's hand
    assert back(browser, address).status_code == 303
    replayed = back(browser, address)
    assert (replayed.status_code, replayed.text.count(STALE)) == (422, 1)
    assert provider.asked.count("/oauth2/token") >= 1


def test_a_code_is_good_once(database: Database, browser: TestClient, provider: Provider) -> None:
    invited(database)
    first = parse_qs(urlsplit(provider.agree(away(browser), "s-1")).query)["code"][0]
    second = urlsplit(away(browser)).query
    state = parse_qs(second)["state"][0]
    refused(database, browser, browser.get("/oidc/callback", params={"code": first, "state": state}), REFUSED)


def test_who_comes_back_late_begins_anew(database: Database, browser: TestClient, provider: Provider) -> None:
    invited(database)
    address = provider.agree(away(browser), "s-1")
    set_clock(browser, datetime.now(UTC) + timedelta(minutes=10, seconds=1))
    refused(database, browser, back(browser, address), STALE)


def test_a_token_whose_time_is_over_by_our_clock(database: Database, browser: TestClient, provider: Provider) -> None:
    invited(database)
    set_clock(browser, datetime.now(UTC) + timedelta(hours=2))
    refused(database, browser, come(browser, provider), UNTRUSTED)


def test_who_says_no_there_is_not_in_here(database: Database, browser: TestClient, provider: Provider) -> None:
    invited(database)
    denied = provider.deny(away(browser))
    state = parse_qs(urlsplit(denied).query).get("state", [""])[0] or browser.cookies["lucheng-sso"]
    answer = browser.get("/oidc/callback", params={"error": "access_denied", "state": state})
    refused(database, browser, answer, REFUSED)


def test_the_verifier_is_this_visits_own(database: Database, browser: TestClient, provider: Provider) -> None:
    invited(database)
    address = provider.agree(away(browser), "s-1")
    with database.write() as session:
        session.execute(text("UPDATE sign_on SET verifier = 'another'"))
    refused(database, browser, back(browser, address), REFUSED)


def test_a_wrong_secret_of_ours_is_refused(database: Database, provider: Provider, tmp_path: Path) -> None:
    invited(database)
    browser = door(database, provider, tmp_path, oidc_client_secret="wrong")
    refused(database, browser, come(browser, provider), REFUSED)


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?code=x&state=y", "?code=%00&state=%00", "?state=%ED%A0%80"]
)
def test_an_address_typed_by_hand_opens_nothing(
    database: Database, browser: TestClient, provider: Provider, query: str
) -> None:
    invited(database)
    refused(database, browser, browser.get(f"/oidc/callback{query}"), STALE)
    assert browser.get("/oidc/callback", params={"code": "x" * 5000}).status_code == 422


def broken(wanted: str, answer: Any) -> Callable[[str, Any], Any]:
    return lambda path, true: answer if path == wanted else true


@pytest.mark.parametrize("answer", [b"<html>", b"", b"[]", b"\xff\xfe", b"null", (500, {"error": "x"}), (503, {})])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/oauth2/token"])
def test_what_is_no_answer_counts_as_being_away(
    database: Database, browser: TestClient, provider: Provider, path: str, answer: Any
) -> None:
    invited(database)
    provider.change = broken(path, answer)
    if "well-known" in path:
        refused(database, browser, browser.get("/oidc/start"), DOWN)
    else:
        refused(database, browser, come(browser, provider), DOWN)


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ""},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    database: Database, browser: TestClient, provider: Provider, change: dict[str, object]
) -> None:
    provider.changing("/.well-known/openid-configuration", lambda body: {**body, **change})
    refused(database, browser, browser.get("/oidc/start"), UNTRUSTED)


@pytest.mark.parametrize("keys", [{"keys": []}, {"keys": "x"}, {}, {"keys": [{"kty": "RSA"}]}, {"keys": [17]}])
def test_keys_that_are_none(
    database: Database, browser: TestClient, provider: Provider, keys: dict[str, object]
) -> None:
    invited(database)
    provider.changing("/jwks", lambda _body: keys)
    refused(database, browser, come(browser, provider), UNTRUSTED)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", None, 17])
def test_tokens_that_are_none(database: Database, browser: TestClient, provider: Provider, token: object) -> None:
    invited(database)
    provider.changing("/oauth2/token", lambda body: {**body, "id_token": token})
    refused(database, browser, come(browser, provider), UNTRUSTED)


def test_names_may_lie_beside_the_token(database: Database, browser: TestClient, provider: Provider) -> None:
    """Some providers tell them only where the access token is shown; anothers' are not taken."""
    invited(database)

    def bare(found: dict[str, Any]) -> None:
        for name in ("preferred_username", "email", "email_verified"):
            found.pop(name, None)

    provider.resigned(bare, KEY, published=KEY)
    swap = provider.change
    provider.change = lambda path, answer: (
        (answer[0], {**answer[1], "sub": "s-9"}) if path == "/userinfo" else swap(path, answer)
    )
    refused(database, browser, come(browser, provider), UNTRUSTED)
    provider.change = swap
    assert come(browser, provider).status_code == 303


def test_a_provider_that_is_away_leaves_the_password_door_open(
    database: Database, provider: Provider, tmp_path: Path
) -> None:
    browser = door(database, provider, tmp_path, oidc_issuer="http://127.0.0.1:9")
    refused(database, browser, browser.get("/oidc/start"), DOWN)
    page = browser.get("/login")
    assert (page.status_code, 'name="password"' in page.text) == (200, True)


def test_the_network_is_never_inside_a_transaction(database: Database, browser: TestClient, provider: Provider) -> None:
    """While the provider is asked somebody else writes: on SQLite that waits for whoever holds the lock."""
    invited(database)
    url, written = database.engine.url.render_as_string(hide_password=False), list[int]()

    def write(_path: str, answer: Any) -> Any:
        with opened(url) as other, other.write() as session:
            written.append(session.execute(text("UPDATE account SET display_name = '李四'")).rowcount)
        return answer

    provider.change = write
    assert come(browser, provider).status_code == 303
    assert written == [1] * 3  # what it says of itself, the token, its keys


def test_without_a_provider_there_is_no_such_door(database: Database, tmp_path: Path) -> None:
    browser = open_browser(database, Settings(base_url=BASE, data_dir=tmp_path), None)
    assert "统一身份认证" not in browser.get("/login").text
    for path in ("/oidc/start", "/oidc/callback?code=x&state=y"):
        answer = browser.get(path)
        assert (answer.status_code, "本系统没有设置统一身份认证" in answer.text) == (404, True)


@pytest.mark.parametrize(
    "given",
    [
        {"oidc_issuer": "https://sso.example"},
        {"oidc_client_id": "x", "oidc_client_secret": "y"},
        {"oidc_issuer": "http://sso.example", "oidc_client_id": "x", "oidc_client_secret": "y"},
        {"oidc_issuer": "https://sso.example?x=1", "oidc_client_id": "x", "oidc_client_secret": "y"},
    ],
)
def test_half_a_setting_is_refused_and_shows_no_secret(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="LUCHENG_OIDC_ISSUER") as refusal:
        Settings(**given)  # type: ignore[arg-type]
    assert "LUCHENG_OIDC" in str(refusal.value)
