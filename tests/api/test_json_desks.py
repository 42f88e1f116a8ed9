"""The other desks by JSON: extensions, reminders by hand, people, subscriptions, records: the pages' verbs and rights."""

from __future__ import annotations

import re

import pytest

from policy_models.access import Role
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site
from tests.factories import BUREAU, CODE, query

pytestmark = pytest.mark.thorough
DAY = "2025-05-31"
API = "/api/v1"
DESK = f"{API}/units/{BUREAU}"


def test_an_extension_asked_for_refused_asked_for_again_and_granted(site: Site) -> None:
    browser = site.at(DAY)
    ask = {"wanted": "2025-07-15", "reason": "入户核对尚未完成"}
    first = browser.post(f"{DESK}/items/{BUREAU_ITEM}/extensions", json=ask).json()
    assert (first["state"], first["planned"], first["wanted"]) == ("requested", "2025-06-30", "2025-07-15")
    assert browser.post(f"{DESK}/items/{BUREAU_ITEM}/extensions", json=ask).status_code == 409
    assert [one["id"] for one in browser.get(f"{DESK}/extensions").json()["waiting"]] == [first["id"]]
    refused = browser.post(f"{DESK}/extensions/{first['id']}/refuse", json={"reason": "不必"}).json()
    assert (refused["state"], refused["note"]) == ("refused", "不必")
    second = browser.post(f"{DESK}/items/{BUREAU_ITEM}/extensions", json=ask).json()
    granted = browser.post(f"{DESK}/extensions/{second['id']}/grant", json={"until": "2025-07-10"}).json()
    assert (granted["state"], granted["granted"]) == ("granted", "2025-07-10")
    found = browser.get(f"{API}/items/{BUREAU_ITEM}").json()
    assert (found["deadline"], found["planned"], len(found["extensions"])) == ("2025-07-10", "2025-06-30", 2)
    assert browser.post(f"{DESK}/extensions/{second['id']}/withdraw", json={}).status_code == 409


def test_chasing_is_seen_first_and_done_once(site: Site) -> None:
    browser = site.at(DAY)
    body = {"keys": [MONTHLY], "words": "请尽快"}
    seen = browser.post(f"{DESK}/chase/preview", json=body).json()
    assert ([one["unit"] for one in seen["units"]], "请尽快" in seen["body"]) == ([VILLAGE], True)
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM reminder") == [(0,)]
    done = browser.post(f"{DESK}/chase", json=body).json()
    again = browser.post(f"{DESK}/chase", json=body).json()
    assert (done["items"], again["items"], again["batch"]) == (1, 0, done["batch"])
    assert again["passed"][0]["reason"] == "chased"
    sent = browser.get(f"{DESK}/chase/{done['batch']}").json()
    assert ([one["unit_code"] for one in sent["messages"]], sent["note"]) == ([VILLAGE], "请尽快")
    told = browser.get(f"{API}/reminders").json()
    assert {(one["kind"], one["key"], one["recipient"]) for one in told["notices"]} == {("chase", MONTHLY, VILLAGE)}
    not_below = browser.post(f"{API}/units/9002-mz/chase", json=body)
    assert not_below.status_code == 403


def test_people_come_change_go_and_come_back(site: Site) -> None:
    browser = site.at(DAY)
    one = {"name": "王芳", "roles": ["liaison"], "phone": "0472-5123456", "ways": [{"channel": "inbox"}]}
    made = browser.post(f"{DESK}/people", json=one).json()
    assert (made["name"], made["roles"], made["active"]) == ("王芳", ["liaison"], True)
    assert browser.post(f"{DESK}/people", json=one).status_code == 409
    path = f"{DESK}/people/{made['id']}"
    changed = browser.put(path, json={**one, "post": "科长", "seen": made["changed_at"]}).json()
    assert changed["post"] == "科长"
    stale = browser.put(path, json={**one, "post": "处长", "seen": "2020-01-01T00:00:00Z"})
    assert (stale.status_code, browser.get(path).json()["post"]) == (409, "科长")
    assert browser.post(f"{path}/deactivate", json={}).json()["active"] is False
    assert browser.post(f"{path}/deactivate", json={}).status_code == 409
    assert browser.post(f"{path}/restore", json={}).json()["active"] is True
    assert [person["name"] for person in browser.get(f"{DESK}/people").json()["people"]] == ["王芳"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"phone": "13904721234"}, "不登记手机号码"),
        ({"name": "待定"}, "请填写姓名"),
        ({"roles": []}, "请至少写一个角色"),
        ({"roles": ["king"]}, "king"),
        ({"ways": [{"channel": "pigeon"}]}, "没有这个渠道"),
        ({"weekly": "yes"}, "weekly"),
    ],
)
def test_a_person_that_is_wrong(site: Site, change: dict[str, object], words: str) -> None:
    body = {"name": "王芳", "roles": ["liaison"], **change}
    answer = site.at(DAY).post(f"{DESK}/people", json=body)
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.json()


def test_a_subscription_is_answered_once_rotated_and_stopped(site: Site) -> None:
    browser = site.at(DAY)
    made = browser.post(f"{DESK}/feeds", json={"name": "值班室", "alarm": "3"}).json()
    token = re.fullmatch(r"http://testserver/feeds/([\w-]{32})\.ics\?alarm=3", made["url"])
    assert token
    assert browser.get(made["url"]).status_code == 200
    listed = browser.get(f"{DESK}/feeds")
    assert token.group(1) not in listed.text
    assert [one["name"] for one in listed.json()["feeds"]] == ["值班室"]
    fresh = browser.post(f"{DESK}/feeds/{made['id']}/rotate", json={}).json()
    assert fresh["url"] != made["url"]
    stopped = browser.post(f"{DESK}/feeds/{fresh['id']}/revoke", json={}).json()
    assert stopped["revoked_at"]
    assert browser.post(f"{DESK}/feeds/{fresh['id']}/revoke", json={}).status_code == 409
    assert browser.post(f"{DESK}/feeds", json={"name": "值班室", "scope": "task", "target": "99"}).status_code == 404


def test_the_register_by_cursor_is_the_page(site: Site) -> None:
    browser, cells, cursor = site.at(DAY), [], None
    while True:
        page = browser.get(f"{API}/register", params={"limit": 40, **({"cursor": cursor} if cursor else {})}).json()
        cells += [line["cells"] for line in page["lines"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [int(line[0]) for line in cells] == list(range(1, page["total"] + 1))
    assert {len(line) for line in cells} == {len(page["columns"])}
    csv = browser.get("/register.csv").content.decode("utf-8-sig")
    assert cells[0][4] in csv
    assert browser.get(f"{API}/register?cursor={page['total']}").status_code == 404


def test_charts_and_what_they_are_of(site: Site) -> None:
    browser = site.at(DAY)
    for name in ("heat", "burn-up", "timeliness", "burden"):
        found = browser.get(f"{API}/charts/{name}").json()
        assert {len(row) for row in found["rows"]} == {len(found["columns"])}
    assert browser.get(f"{API}/charts/heat?under=8888").status_code == 404


def test_the_trail_tells_what_was_done_here(site: Site) -> None:
    browser = site.at(DAY)
    browser.post(f"{API}/units/{VILLAGE}/items/{MONTHLY}/submit", json={"text": "已办"})
    browser.post(f"{API}/units/{VILLAGE}/items/{MONTHLY}/submit", json={"text": "已办"})
    lines = browser.get(f"{API}/trail").json()["lines"]
    assert [(one["act"], one["unit"], one["object"]) for one in lines][:1] == [("报送", VILLAGE, MONTHLY)]
    assert len([one for one in lines if one["act"] == "报送" and one["done"]]) == 1
    assert site.at(DAY, roles={"": [Role.COORDINATOR]}).get(f"{API}/trail").status_code == 403


def test_rounds_are_the_coordinators(site: Site) -> None:
    browser = site.at(DAY)
    assert browser.post(f"{DESK}/rounds/2025-H1/open", json={}).status_code == 409  # the tiny plan asks for no report
    other = browser.post(f"{API}/units/9001-mz/rounds/2025-H1/open", json={})
    assert (other.status_code, other.json()["detail"]) == (403, "半年报送由统筹单位启动和结束")
    assert browser.get(f"{API}/rounds").json() == []
    assert browser.get(f"{API}/plans").json()[0]["code"] == CODE
