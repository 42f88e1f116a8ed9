"""管理: what there is to look after, with its warnings; people found; channels, subscriptions, the system's findings."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from ledger import feed_tokens, marks, people
from ledger.feed_tokens import Use
from policy_models.access import Role
from policy_models.people import PersonFacts, PersonRole
from tests.api.site import EVERY_ROLE, Roles, Site
from tests.factories import BUREAU, COUNTIES, instant, query, statements, village

pytestmark = pytest.mark.thorough

DAY = "2025-06-02"
NOW = instant(DAY)
COUNTY = COUNTIES[0]
LOCAL: Roles = {COUNTY: (Role.ADMINISTRATOR,)}
AUDITOR: Roles = {"": (Role.AUDITOR,)}
PAGES = (
    "/admin",
    "/admin/units",
    "/admin/people",
    "/admin/calendars",
    "/admin/calendars/school",
    "/admin/channels",
    "/admin/tokens",
    "/admin/audit",
    "/admin/system",
    "/admin/system?whole=1",
)


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text[text.index("<main") :])).split())


def person(name: str, unit: str, **more: object) -> PersonFacts:
    return PersonFacts(unit, name, frozenset({PersonRole.LIAISON}), **more)  # type: ignore[arg-type]


def add_people(site: Site, *facts: PersonFacts) -> None:
    with site.database.write() as session:
        for one in facts:
            people.add_person(session, one, now=NOW)


def subscribe(site: Site, unit: str, name: str, day: str = DAY) -> None:
    with site.database.write() as session:
        feed_tokens.create(session, unit, name, instant(day))


def test_every_page_opens_with_a_plan_and_without(site: Site, bare_site: Site) -> None:
    for one in (site, bare_site):
        browser = one.at(DAY)
        answers = {path: browser.get(path).status_code for path in PAGES if not (one is bare_site and "school" in path)}
        assert set(answers.values()) == {200}, answers


def test_what_is_to_be_done_is_counted(site: Site) -> None:
    add_people(site, person("李明", village(1, 1)))
    subscribe(site, BUREAU, "手机")
    subscribe(site, BUREAU, "旧电脑", "2025-03-01")
    said = words(site.at(DAY).get("/admin").text)
    assert "单位 15 个 没有停用的单位" in said
    assert "人员 1 人 联络员、负责人、审核人 ◐ 待处理 14 个单位没有登记联络员" in said
    assert "订阅凭证 2 个 在用的日历订阅 ◐ 待处理 1 个长期没有使用" in said
    assert "日历 2/2 今明两年的放假安排已公布 ◐ 待处理 2024-2025学年没有正式校历，假期为推定" in said
    assert "渠道 0/0 向外发送的渠道可用 ◐ 待处理 还没有配置向外发送的渠道，消息只在站内" in said


def test_a_county_looks_after_its_own(site: Site) -> None:
    add_people(site, person("李明", village(1, 1)), person("王芳", village(2, 1)))
    subscribe(site, village(1, 1), "手机")
    subscribe(site, village(2, 1), "手机")
    browser = site.at(DAY, roles=LOCAL)
    said = words(browser.get("/admin").text)
    assert "单位 6 个" in said
    assert "人员 1 人" in said
    assert "订阅凭证 1 个" in said
    assert ("今明两年" in said, "向外发送" in said) == (False, False)
    assert words(browser.get("/admin/people?q=村").text).count("李明") == 1
    assert "没有找到" in browser.get("/admin/people?q=王芳").text
    for path in ("/admin/calendars", "/admin/channels", "/admin/system"):
        assert browser.get(path).status_code == 403


def test_who_only_audits_finds_the_trail_alone(site: Site) -> None:
    browser = site.at(DAY, roles=AUDITOR)
    page = browser.get("/admin")
    assert page.status_code == 200
    assert "matter" not in page.text
    tabs = re.findall(r'<nav class="tabs.*?</nav>', page.text, re.DOTALL)[0]
    assert re.findall(r'href="([^"]+)"', tabs) == ["/admin", "/admin/audit"]
    answers = [browser.get(path).status_code for path in PAGES]
    assert [status for status in answers if status == 200] == [200, 200]


@pytest.mark.parametrize("path", ["/admin", "/admin/units?q=村", "/admin/people?q=村", "/admin/tokens", "/admin/audit"])
def test_three_hundred_cost_what_one_does(site: Site, path: str) -> None:
    browser = site.at(DAY)
    add_people(site, person("李明", village(1, 1)))
    subscribe(site, BUREAU, "手机")
    browser.get(path)
    with statements(site.database) as few:
        assert browser.get(path).status_code == 200
    add_people(
        site, *(person("赵" + "一二三四五六七八九十"[n // 30] + chr(0x4E00 + n), village(1, 2)) for n in range(300))
    )
    for n in range(300):
        subscribe(site, BUREAU, f"电脑{n}")
    with statements(site.database) as many:
        assert browser.get(path).status_code == 200
    assert len(many) == len(few)


def test_people_are_found_by_any_word(site: Site) -> None:
    add_people(site, person("李明", village(1, 1), post="儿童主任", phone="0472-5123456"))
    browser = site.at(DAY)
    for asked in ("李明", "儿童主任", "5123456", "1县1村", village(1, 1)):
        said = words(browser.get("/admin/people", params={"q": asked}).text)
        assert "李明 儿童主任 1县1村 联络员 0472-5123456" in said, asked
    for asked in ("%", "_", "\\", "没有这个人"):
        assert "没有找到" in browser.get("/admin/people", params={"q": asked}).text


@pytest.mark.parametrize("asked", ["a\x00b", "\u202e", "x" * 41])
def test_a_word_that_nobody_writes_is_refused(site: Site, asked: str) -> None:
    for path in ("/admin/people", "/admin/units", "/admin/tokens"):
        assert site.at(DAY).get(path, params={"q": asked}).status_code == 422


def test_a_subscription_is_stopped_here(site: Site) -> None:
    subscribe(site, village(1, 1), "手机")
    with site.database.write() as session:
        [(token,)] = query(session, "SELECT id FROM feed_token")
        feed_tokens.touch(session, [Use(token, "iOS/18.0 dataaccessd", NOW)])
    browser = site.at(DAY, roles=LOCAL)
    page = browser.get("/admin/tokens")
    assert "手机 1县1村 本单位 2025年6月2日 2025年6月2日 09:00 苹果手机或平板" in words(page.text)
    path = f"/admin/units/{village(1, 1)}/tokens/{token}/revoke"
    assert f'action="{path}"' in page.text
    stopped = browser.post(path)
    assert (stopped.status_code, stopped.headers["location"]) == (303, "/admin/tokens?told=revoked")
    assert "已停用这个订阅" in browser.get(stopped.headers["location"]).text
    assert "手机" in words(browser.get("/admin/tokens?pile=stopped").text)
    assert browser.post(path).status_code == 409
    with site.database.read() as session:
        assert query(session, "SELECT act, unit_code, object, done FROM audit") == [
            ("停用日历订阅", village(1, 1), str(token), True)
        ]


def test_another_countys_subscription_is_not_stopped(site: Site) -> None:
    subscribe(site, village(2, 1), "手机")
    browser = site.at(DAY, roles=LOCAL)
    assert "手机" not in words(browser.get("/admin/tokens").text)
    assert browser.post(f"/admin/units/{village(2, 1)}/tokens/1/revoke").status_code == 403
    # neither by way of an own unit
    assert browser.post(f"/admin/units/{village(1, 1)}/tokens/1/revoke").status_code == 404
    with site.database.read() as session:
        assert query(session, "SELECT revoked_at FROM feed_token") == [(None,)]


def test_pages_of_subscriptions_follow_each_other(site: Site) -> None:
    for n in range(120):
        subscribe(site, BUREAU, f"电脑{n:03}")
    browser, path, seen = site.at(DAY), "/admin/tokens", []
    for _ in range(3):
        page = browser.get(path).text
        seen += re.findall(r'<th scope="row">(电脑\d+)</th>', page)
        following = re.findall(r'href="([^"]*before=[^"]*)"', page)
        path = unescape(following[0]) if following else ""
    assert (seen, path) == ([f"电脑{n:03}" for n in reversed(range(120))], "")


def test_the_system_tells_what_the_doctor_tells_without_secrets(site: Site, tmp_path: Path) -> None:
    with site.database.write() as session:
        marks.mark(session, "sweep", as_of=NOW.date(), now=instant("2025-05-30", 7))
    said = words(site.at(DAY).get("/admin/system?whole=1").text)
    assert "▲ 错误 流程 每日巡检已超过 26 小时没有完成（上次 2025-05-30 07:00），请查看 data/logs。" in said
    assert "● 正常 计数 tiny-2025：看板计数与台账一致。" in said
    assert "每日巡检 2025年5月30日 07:00 2025年6月2日" in said
    assert "数据库结构为当前版本" in said
    address = str(site.database.engine.url)
    assert (address in said, str(tmp_path) in said, "127.0.0.1:" in said) == (False, False, False)
    assert "计数" not in words(site.at(DAY).get("/admin/system").text).split("全面体检另外")[0].split("体检 结果")[1]


def test_every_role_may_be_given_and_the_whole_city_sees_all(site: Site) -> None:
    assert site.at(DAY, roles=EVERY_ROLE).get("/admin/system").status_code == 200
    for role in (Role.COORDINATOR, Role.REVIEWER, Role.LIAISON):
        browser = site.at(DAY, roles={"": (role,)})
        assert {browser.get(path).status_code for path in PAGES} == {403}
    stranger = site.stranger(DAY)
    assert {stranger.get(path).status_code for path in PAGES} == {303}
