"""账号: what an administrator of the city, and one of a county, may do; what nobody else may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger import people
from ledger.database import Database
from policy_models.access import Grant, Role
from policy_models.people import PersonFacts, PersonRole
from tests.accounts import DAY, PASSWORD, door, sign_in, somebody
from tests.api.site import tiny_site
from tests.factories import BUREAU, CITY, COUNTIES, instant, query, village

NOW = instant(DAY)
COUNTY = COUNTIES[0]
ADMIN, LIAISON, REVIEWER = Role.ADMINISTRATOR, Role.LIAISON, Role.REVIEWER
FORM = {"unit": f"{COUNTY}-mz", "name": "wang", "display_name": "王芳", "role": "reviewer"}


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with tiny_site(database_url, tmp_path / "pack") as site:
        somebody(site.database, "admin")
        somebody(site.database, "county", [Grant(ADMIN, COUNTY), Grant(LIAISON, BUREAU)])
        yield site.database


def as_one(database: Database, folder: Path, name: str) -> TestClient:
    browser = door(database, folder)
    assert sign_in(browser, name).status_code == 303
    return browser


@pytest.fixture
def admin(database: Database, tmp_path: Path) -> TestClient:
    return as_one(database, tmp_path, "admin")


@pytest.fixture
def county(database: Database, tmp_path: Path) -> TestClient:
    """Administers a county; a liaison elsewhere, which gives no right over accounts there."""
    return as_one(database, tmp_path, "county")


def told(browser: TestClient, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and the sentence of a refusal."""
    answer = browser.post(path, data=form or {})
    found = re.search(r'<p class="(?:prose|notice notice--fault)"[^>]*>([^<]+)</p>', answer.text)
    return answer.status_code, found[1] if found else ""


def trail(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        return query(session, "SELECT act, account, detail FROM audit WHERE act <> '登录' AND done ORDER BY id")


def roles(database: Database, name: str) -> list[tuple[object, ...]]:
    statement = "SELECT role, unit_code FROM account_grant g JOIN account a ON a.id = g.account_id WHERE a.name = :n ORDER BY g.id"
    with database.read() as session:
        return query(session, statement, n=name)


def test_inviting_gives_a_link_that_works(database: Database, county: TestClient, tmp_path: Path) -> None:
    assert "王芳" not in county.get("/accounts").text
    assert county.get("/accounts/new?q=民政").text.count(f"unit={COUNTY}-mz") == 1
    assert "审核下级报送" in county.get(f"/accounts/new?unit={COUNTY}-mz").text
    page = county.post("/accounts", data=FORM)
    assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
    [address] = re.findall(r'value="http://testserver(/invitations/[^"]+)"', page.text)
    somebody_else = door(database, tmp_path)
    form = {"display_name": "王芳", "password": PASSWORD, "again": PASSWORD}
    assert somebody_else.post(address, data=form).headers["location"] == "/start"
    assert "审核员</b> · " in somebody_else.get("/account").text
    assert somebody_else.get("/accounts").status_code == 403
    assert "王芳" in county.get("/accounts").text
    assert trail(database)[0] == ("邀请账号", "county", "wang：审核员 · 1县民政局")
    assert address.rsplit("/", 1)[1] not in repr(trail(database))


def test_a_person_of_the_unit_lends_the_name(database: Database, county: TestClient) -> None:
    with database.write() as session:
        facts = PersonFacts(f"{COUNTY}-mz", "王芳", frozenset((PersonRole.LIAISON,)), "科员", "", False, False, ())
        own = people.add_person(session, facts, now=NOW)
        other = people.add_person(session, PersonFacts(BUREAU, "赵六", facts.roles, "", "", False, False, ()), now=NOW)
    page = county.get(f"/accounts/new?unit={COUNTY}-mz").text
    assert ("王芳（科员）" in page, "赵六" in page) == (True, False)
    assert county.post("/accounts", data={**FORM, "person": str(other)}).status_code == 422
    assert county.post("/accounts", data={**FORM, "display_name": "", "person": str(own)}).status_code == 200
    with database.read() as session:
        assert query(session, "SELECT display_name, person_id FROM account WHERE name = 'wang'") == [("王芳", own)]


@pytest.mark.parametrize(
    ("more", "status", "sentence"),
    [
        ({"name": ""}, 422, "账号名须为 2 至 60 个"),
        ({"name": "a b"}, 422, "账号名须为 2 至 60 个"),
        ({"name": "ＡＤＭＩＮ"}, 422, "账号名“admin”已有人使用"),
        ({"display_name": ""}, 422, "请填写姓名"),
        ({"display_name": "王\u202e芳"}, 422, "请填写姓名"),
        ({"display_name": "王小明 150203199003078895"}, 422, "不能提交"),
        ({"role": ""}, 422, "请至少选择一个角色"),
        ({"role": "emperor"}, 422, "没有这个角色"),
        ({"person": "999"}, 422, "不在所选单位的名单中"),
        ({"person": "１"}, 422, "不在所选单位的名单中"),
        ({"unit": "nowhere"}, 404, "没有代码为"),
        ({"unit": ""}, 404, "没有代码为"),
        ({"unit": BUREAU}, 403, "您不能在这个单位设立账号"),
        ({"unit": CITY}, 403, "您不能在这个单位设立账号"),
        ({"unit": COUNTIES[1]}, 403, "您不能在这个单位设立账号"),
        ({"unit": "\x00"}, 422, "不能识别的字符"),
    ],
)
def test_what_is_wrong_makes_no_account(
    database: Database, county: TestClient, more: dict[str, str], status: int, sentence: str
) -> None:
    form = {key: value for key, value in {**FORM, **more}.items() if key != "role" or value}
    answer = county.post("/accounts", data=form)
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert "150203199003078895" not in answer.text
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM account") == [(2,)]
    assert trail(database) == []


def test_beyond_the_county_there_is_nothing(database: Database, county: TestClient) -> None:
    outside = {
        somebody(database, "bureau", [Grant(LIAISON, BUREAU)]),
        somebody(database, "second", [Grant(LIAISON, COUNTIES[1])]),
        somebody(database, "both", [Grant(LIAISON, COUNTY), Grant(LIAISON, COUNTIES[1])]),
        somebody(database, "upward", [Grant(LIAISON, COUNTY), Grant(Role.AUDITOR, "")]),
    }
    with database.read() as session:
        outside |= {made for (made,) in query(session, "SELECT id FROM account WHERE name IN ('admin', 'county')")}
    assert re.findall(r'href="/accounts/(\d+)"', county.get("/accounts").text) == []
    acts = ("roles", "roles/remove", "deactivate", "restore", "unlock", "end-sessions", "unlink", "reset")
    for made in outside:
        assert county.get(f"/accounts/{made}").status_code == 404
        for act in acts:
            form = {"role": "liaison", "unit": COUNTY}
            assert county.post(f"/accounts/{made}/{act}", data=form).status_code == 404, act
    assert trail(database) == []


def test_a_county_gives_roles_in_the_county_alone(database: Database, county: TestClient) -> None:
    made = somebody(database, "wang", [Grant(REVIEWER, f"{COUNTY}-mz")])
    path = f"/accounts/{made}/roles"
    assert county.post(path, data={"role": "administrator", "unit": "1县镇"}).status_code == 303
    assert county.post(path, data={"role": "liaison", "unit": village(1, 2)}).status_code == 303
    for unit, status in ((BUREAU, 404), ("市民政局", 404), (COUNTIES[1], 404), ("", 404), ("不存在的单位", 404)):
        assert county.post(path, data={"role": "liaison", "unit": unit}).status_code == status, unit
    assert told(county, path, {"role": "auditor", "unit": "", "everywhere": "1"}) == (
        409,
        "只有全市管理员能给予或收回适用于全部单位的角色",
    )
    assert county.post(path, data={"role": "emperor", "unit": COUNTY}).status_code == 422
    assert told(county, path, {"role": "liaison", "unit": "村"})[0] == 409  # several are called so
    wanted = [("reviewer", f"{COUNTY}-mz"), ("administrator", f"{COUNTY}01"), ("liaison", village(1, 2))]
    assert roles(database, "wang") == wanted
    assert county.post(f"{path}/remove", data={"role": "reviewer", "unit": f"{COUNTY}-mz"}).status_code == 303
    assert county.post(f"{path}/remove", data={"role": "reviewer", "unit": f"{COUNTY}-mz"}).status_code == 409
    assert roles(database, "wang") == wanted[1:]
    assert trail(database) == [
        ("给予角色", "county", "wang；给予管理员 · 1县镇"),
        ("给予角色", "county", "wang；给予联络员 · 1县2村"),
        ("收回角色", "county", "wang；收回审核员 · 1县民政局"),
    ]


def test_other_roles_act_at_once(database: Database, admin: TestClient, tmp_path: Path) -> None:
    made = somebody(database, "wang", [Grant(REVIEWER, BUREAU), Grant(LIAISON, COUNTY)])
    other = as_one(database, tmp_path, "wang")
    assert other.get(f"/units/{BUREAU}/review").status_code == 200
    admin.post(f"/accounts/{made}/roles/remove", data={"role": "reviewer", "unit": BUREAU})
    assert other.get(f"/units/{BUREAU}/review").status_code == 403
    admin.post(f"/accounts/{made}/deactivate")
    assert other.get("/account").status_code == 303
    assert sign_in(other, "wang").status_code == 422
    assert "已停用" in admin.get(f"/accounts/{made}").text
    admin.post(f"/accounts/{made}/restore")
    assert other.get("/account").status_code == 303
    assert sign_in(other, "wang").status_code == 303


def test_a_reset_leaves_the_old_password_until_it_is_used(
    database: Database, admin: TestClient, tmp_path: Path
) -> None:
    made = somebody(database, "wang", [Grant(REVIEWER, BUREAU)])
    page = admin.post(f"/accounts/{made}/reset").text
    [address] = re.findall(r'value="http://testserver(/invitations/[^"]+)"', page)
    other = as_one(database, tmp_path, "wang")
    new = "草原上的另一条更长的密码"
    browser = door(database, tmp_path)
    assert "重设密码" in browser.get(address).text
    assert browser.post(address, data={"display_name": "王芳", "password": new, "again": new}).status_code == 303
    assert other.get("/account").status_code == 303
    assert sign_in(other, "wang").status_code == 422
    assert sign_in(other, "wang", new).status_code == 303


def test_a_shut_account_is_shown_and_opened(database: Database, admin: TestClient, tmp_path: Path) -> None:
    made = somebody(database, "wang", [Grant(REVIEWER, BUREAU)])
    other = door(database, tmp_path)
    for _ in range(5):
        sign_in(other, "wang", "不对的密码")
    assert "张建国" in admin.get("/accounts?state=locked").text
    assert "连续输错密码，2025年3月10日 09:15 前不能登录" in admin.get(f"/accounts/{made}").text
    assert admin.post(f"/accounts/{made}/unlock").status_code == 303
    assert sign_in(other, "wang").status_code == 303


def test_sessions_are_ended_from_here(database: Database, admin: TestClient, tmp_path: Path) -> None:
    made = somebody(database, "wang", [Grant(REVIEWER, BUREAU)])
    other = as_one(database, tmp_path, "wang")
    assert admin.post(f"/accounts/{made}/end-sessions").status_code == 303
    assert other.get("/account").status_code == 303
    assert trail(database)[-1] == ("结束账号的登录", "admin", "wang；结束登录 1 个")


def test_the_last_administrator_stays(database: Database, admin: TestClient) -> None:
    with database.read() as session:
        [(own,)] = query(session, "SELECT id FROM account WHERE name = 'admin'")
    assert told(admin, f"/accounts/{own}/deactivate") == (409, "不能停用自己的账号，请由其他管理员办理")
    admin.post(f"/accounts/{own}/roles", data={"role": "liaison", "unit": BUREAU})
    status, sentence = told(admin, f"/accounts/{own}/roles/remove", {"role": "administrator", "unit": ""})
    assert (status, sentence.startswith("这是最后一位管理员")) == (409, True)
    assert admin.get("/accounts").status_code == 200


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.REVIEWER, Role.LIAISON, Role.AUDITOR])
def test_nobody_else_looks_after_accounts(database: Database, tmp_path: Path, role: Role) -> None:
    made = somebody(database, "wang", [Grant(role, "")])
    browser = as_one(database, tmp_path, "wang")
    for path in ("/accounts", "/accounts/new", f"/accounts/{made}"):
        assert browser.get(path).status_code == 403, path
    assert browser.post("/accounts", data=FORM).status_code == 403
    assert browser.post(f"/accounts/{made}/roles", data={"role": "administrator", "everywhere": "1"}).status_code == 403
    assert roles(database, "wang") == [(role.value, None)]


def test_filters_live_in_the_address(database: Database, admin: TestClient) -> None:
    somebody(database, "wang", [Grant(REVIEWER, BUREAU)], password=None)
    listed = {
        "": 3,
        "?q=WANG": 1,
        "?q=%E6%B0%91%E6%94%BF%E5%B1%80": 2,
        "?role=administrator": 2,
        "?role=&state=": 3,
        "?state=new": 1,
        "?q=%25": 0,
        "?page=2": 3,
    }
    for address, total in listed.items():
        assert f"共 {total} 个" in admin.get(f"/accounts{address}").text, address
    for wrong in ("?role=emperor", "?state=x", "?page=0", "?page=x", "?q=%00", "?page=" + "9" * 30):
        assert admin.get(f"/accounts{wrong}").status_code == 422, wrong
