"""程序凭证: the page of tokens, and what a token may do at the door of every route."""

from __future__ import annotations

import logging
import re

import pytest
from fastapi.testclient import TestClient

from ledger import machine_tokens
from ledger.settings import Settings
from policy_models.access import Grant, Role
from tests.api.site import BASE, MONTHLY, VILLAGE, Site, open_browser
from tests.factories import BUREAU, instant, query

pytestmark = pytest.mark.thorough
PAGE = "/admin/machines"
DAY = "2025-05-31"


def make(site: Site, role: Role, unit: str = "", *, only_reads: bool = False, name: str = "platform") -> str:
    now = instant(DAY)
    with site.database.write() as session:
        machine_tokens.create_machine(session, name, "数据平台", [Grant(role, unit)], now)
        return machine_tokens.create(session, name, "取数", now, only_reads=only_reads)


def program(site: Site, token: str, **settings: object) -> TestClient:
    found = open_browser(site.database, Settings(base_url=BASE, clock=instant(DAY), **settings), None)  # type: ignore[arg-type]
    del found.headers["sec-fetch-site"]
    found.headers["authorization"] = f"Bearer {token}"
    return found


def test_an_administrator_makes_an_account_and_a_token_that_is_shown_once(site: Site) -> None:
    browser = site.at(DAY, roles={"": [Role.ADMINISTRATOR]})
    assert "还没有接口账号" in browser.get(PAGE).text
    typed = {"name": "Shuju-Gongxiang", "display_name": "市数据共享平台", "role": "reviewer", "unit": "9001"}
    made = browser.post(PAGE, data=typed)
    assert (made.status_code, made.headers["location"]) == (303, f"{PAGE}?told=made")
    answer = browser.post(f"{PAGE}/shuju-gongxiang/tokens", data={"purpose": "每日取数", "until": "2025-12-31"})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    [token] = re.findall(r"lct_[\w-]{43}", answer.text)
    shown = browser.get(PAGE).text
    assert token not in shown
    assert all(words in shown for words in ("每日取数", "只读", "2025年12月31日 23:59", "尚未使用", "1县"))
    own = program(site, token)
    assert own.get("/api/v1/items").json()["total"] > 0
    assert {one["unit"][:4] for one in own.get("/api/v1/items?limit=500").json()["items"]} == {"9001"}
    assert "最近使用" in browser.get(PAGE).text
    with site.database.read() as session:
        acts = [act for (act,) in query(session, "SELECT act FROM audit ORDER BY id")]
        assert acts == ["新建接口账号", "新建令牌"]
        assert token not in str(query(session, "SELECT * FROM audit"))


def test_a_token_is_stopped_from_the_page(site: Site) -> None:
    token = make(site, Role.AUDITOR)
    browser, own = site.at(DAY, roles={"": [Role.ADMINISTRATOR]}), program(site, token)
    assert own.get("/api/v1/plans").status_code == 200
    assert browser.post(f"{PAGE}/tokens/1/revoke").status_code == 303
    refused, unknown = own.get("/api/v1/plans"), program(site, "lct_" + "x" * 43).get("/api/v1/plans")
    assert refused.status_code == unknown.status_code == 401
    assert refused.json() == unknown.json()
    assert refused.headers["www-authenticate"] == "Bearer"
    assert browser.post(f"{PAGE}/tokens/1/revoke").status_code == 409


def test_an_account_is_switched_off_and_on_again(site: Site) -> None:
    token = make(site, Role.AUDITOR)
    browser, own = site.at(DAY, roles={"": [Role.ADMINISTRATOR]}), program(site, token)
    with site.database.read() as session:
        [machine] = machine_tokens.listing(session)
    assert browser.post(f"{PAGE}/{machine.id}/deactivate").status_code == 303
    assert own.get("/api/v1/plans").status_code == 401
    assert browser.post(f"{PAGE}/{machine.id}/restore").status_code == 303
    assert own.get("/api/v1/plans").status_code == 200


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "", "role": "auditor"}, "请填写账号名"),
        ({"name": "x", "role": ""}, "请选择角色"),
        ({"name": "x", "role": "king"}, "请选择角色"),
        ({"name": "x", "role": "auditor", "unit": "none"}, "没有代码为“none”的单位"),
    ],
)
def test_what_is_refused_is_shown_again(site: Site, typed: dict[str, str], sentence: str) -> None:
    answer = site.at(DAY, roles={"": [Role.ADMINISTRATOR]}).post(PAGE, data=typed)
    assert answer.status_code in (404, 422)
    assert sentence in answer.text


@pytest.mark.parametrize("until", ["2025-05-30", "2025-02-30", "明天", "２０２５年"])
def test_a_token_cannot_end_before_it_begins(site: Site, until: str) -> None:
    make(site, Role.AUDITOR)
    browser = site.at(DAY, roles={"": [Role.ADMINISTRATOR]})
    answer = browser.post(f"{PAGE}/platform/tokens", data={"purpose": "取数", "until": until})
    assert answer.status_code == 422
    assert "lct_" not in answer.text


def test_only_who_administers_the_whole_city(site: Site) -> None:
    for roles in ({"": [Role.COORDINATOR, Role.AUDITOR]}, {"9001": [Role.ADMINISTRATOR]}):
        browser = site.at(DAY, roles=roles)
        assert browser.get(PAGE).status_code == 403
        assert browser.post(PAGE, data={"name": "x", "role": "administrator"}).status_code == 403
    with site.database.read() as session:
        assert machine_tokens.listing(session) == ()


def test_a_token_makes_no_token(site: Site) -> None:
    own = program(site, make(site, Role.ADMINISTRATOR))
    answer = own.post(f"{PAGE}/platform/tokens", data={"purpose": "再来一个"})
    assert (answer.status_code, "请由管理员登录后办理" in answer.text) == (403, True)


def test_a_token_that_only_reads_changes_nothing(site: Site) -> None:
    own = program(site, make(site, Role.LIAISON, VILLAGE, only_reads=True))
    path = f"/api/v1/units/{VILLAGE}/items/{MONTHLY}"
    assert own.get(f"/api/v1/items/{MONTHLY}").status_code == 200
    assert own.post(f"{path}/submit", json={"text": "已办"}).status_code == 403
    assert own.get(f"{path}/draft").status_code == 403


def test_a_token_acts_at_its_units_alone(site: Site) -> None:
    own = program(site, make(site, Role.LIAISON, "9002"))
    assert own.get(f"/api/v1/items/{MONTHLY}").status_code == 403
    assert own.post(f"/api/v1/units/{VILLAGE}/items/{MONTHLY}/submit", json={}).status_code == 403
    assert own.get(f"/api/v1/units/{BUREAU}").status_code == 403
    assert own.get("/api/v1/trail").status_code == 403


def test_a_token_has_its_pace(site: Site) -> None:
    token = make(site, Role.AUDITOR)
    own = program(site, token, token_per_minute=3)
    answers = [own.get("/api/v1/plans") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert answers[3].json()["title"] == "请求过于频繁"
    with site.database.write() as session:
        other = machine_tokens.create(session, "platform", "另一个", instant(DAY))
    own.headers["authorization"] = f"Bearer {other}"
    assert own.get("/api/v1/plans").status_code == 200


def test_no_token_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    token = make(site, Role.AUDITOR)
    with caplog.at_level(logging.DEBUG):
        own = program(site, token)
        own.get("/api/v1/plans")
        own.get("/api/v1/nothing")
        own.post(f"/api/v1/units/{VILLAGE}/items/{MONTHLY}/submit", content=b"\xff")
    assert token not in caplog.text
