"""订阅日历: what a unit may subscribe to, the address that is shown once, its QR code, rotating and stopping."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect
from sqlalchemy import insert, update

from api.calendar_clients import client_name
from api.feed_options import read_options
from api.qr import QUIET, qr_svg
from api.subscribing import ALARMS, KINDS, Options, links
from ledger import feed_tokens
from ledger.database import Session
from ledger.feed_tokens import Use
from ledger.tables import person, unit
from policy_models.feeds import Choice, Component
from tests.api.evidence import served
from tests.api.site import BASE, VILLAGE, Site, key_at, tiny_site
from tests.browser.running import browsing
from tests.factories import BUREAU, COUNTIES, SCHOOLS, instant, query, statements

TOWNSHIP, COUNTY_OFFICE = "900101", f"{COUNTIES[0]}-mz"
ADDRESS = re.compile(r'value="(http://[^"]+/feeds/[\w-]{32}\.ics[^"]*)"')


def made(browser: TestClient, unit: str = VILLAGE, **chosen: str) -> tuple[str, str]:
    """A new subscription: its address as the page shows it, and the page."""
    answer = browser.post(f"/units/{unit}/feeds", data={"name": "电脑", **chosen})
    assert answer.status_code == 200, answer.text
    [address] = ADDRESS.findall(answer.text)
    return unescape(address), answer.text


def scopes(browser: TestClient, unit: str) -> list[str]:
    page = browser.get(f"/units/{unit}/subscribe")
    assert page.status_code == 200
    return re.findall(r'name="scope" value="(\w+)"', page.text)


def stored(site: Site) -> list[tuple[object, ...]]:
    with site.database.read() as session:
        return query(session, "SELECT unit_code, scope, target FROM feed_token ORDER BY id")


def test_a_unit_is_offered_what_it_may_have(site: Site) -> None:
    browser = site.at("2025-05-31")
    assert scopes(browser, VILLAGE) == ["unit", "task", "phase"]
    assert scopes(browser, TOWNSHIP) == ["unit", "below", "task", "phase"]
    assert scopes(browser, COUNTY_OFFICE) == ["unit", "task", "phase"]
    assert scopes(browser, SCHOOLS) == ["unit", "function", "task", "phase"]
    assert scopes(browser, BUREAU) == ["unit", "below", "function", "task", "phase"]
    with site.database.write() as session:
        person = add_person(session, VILLAGE)
    assert scopes(browser, VILLAGE) == ["unit", "person", "task", "phase"]
    page = browser.get(f"/units/{VILLAGE}/subscribe").text
    assert f'<option value="{person}">王芳</option>' in page
    assert '<option value="2">任务2 任务二</option>' in page


def add_person(session: Session, unit: str) -> int:
    at = instant("2025-05-01")
    made = session.execute(insert(person).values(unit_code=unit, name="王芳", liaison=True, added_at=at, changed_at=at))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


@pytest.mark.parametrize(
    ("unit", "chosen", "row"),
    [
        (VILLAGE, {}, (VILLAGE, "unit", VILLAGE)),
        (TOWNSHIP, {"scope": "below"}, (TOWNSHIP, "below", TOWNSHIP)),
        (VILLAGE, {"scope": "task", "task": "2", "phase": "1"}, (VILLAGE, "task", "2")),
        (VILLAGE, {"scope": "phase", "task": "2", "phase": "1"}, (VILLAGE, "phase", "1")),
        (SCHOOLS, {"scope": "function"}, (SCHOOLS, "function", "教育")),
        (BUREAU, {"scope": "function", "function": "教育"}, (BUREAU, "function", "教育")),
        (BUREAU, {"scope": "below", "below": COUNTIES[1]}, (BUREAU, "below", COUNTIES[1])),
    ],
)
def test_what_was_chosen_is_what_the_feed_is_of(
    site: Site, unit: str, chosen: dict[str, str], row: tuple[str, ...]
) -> None:
    browser = site.at("2025-05-31")
    address, _ = made(browser, unit, **chosen)
    assert stored(site) == [row]
    assert browser.get(address.removeprefix(BASE)).text.startswith("BEGIN:VCALENDAR\r\n")


@pytest.mark.parametrize(
    ("unit", "chosen", "status", "words"),
    [
        (VILLAGE, {"scope": "below"}, 404, "本单位没有这种订阅内容"),
        (VILLAGE, {"scope": "function", "function": "民政"}, 404, "本单位没有这种订阅内容"),
        (SCHOOLS, {"scope": "function", "function": "民政"}, 404, "请选择教育系统全市的具体内容"),
        (VILLAGE, {"scope": "person", "person": "1"}, 404, "本单位没有这种订阅内容"),
        (VILLAGE, {"scope": "task", "task": "99"}, 404, "请选择某项任务的具体内容"),
        (VILLAGE, {"scope": "task"}, 404, "请选择某项任务的具体内容"),
        (VILLAGE, {"scope": "everything"}, 404, "本单位没有这种订阅内容"),
        (VILLAGE, {"alarm": "400"}, 422, "没有这种提醒或类型"),
        (VILLAGE, {"kind": "<script>"}, 422, "没有这种提醒或类型"),
        (VILLAGE, {"scope": "task\x00"}, 422, "地址中含有不能识别的字符"),
        (VILLAGE, {"name": "　"}, 422, "请填写用途名称"),
        (VILLAGE, {"name": "长" * 201}, 422, "名称"),
        ("9999", {}, 404, "没有代码为“9999”的单位"),
    ],
)
def test_what_was_not_offered_is_refused(
    site: Site, unit: str, chosen: dict[str, str], status: int, words: str
) -> None:
    answer = site.at("2025-05-31").post(f"/units/{unit}/feeds", data={"name": "电脑", **chosen})
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert stored(site) == []


def test_a_person_of_another_unit_cannot_be_chosen(site: Site) -> None:
    with site.database.write() as session:
        mine, other = add_person(session, VILLAGE), add_person(session, TOWNSHIP)
    browser = site.at("2025-05-31")
    address, shown = made(browser, VILLAGE, scope="person", person=str(mine))
    assert "王芳 · 报送日当天上午九时" in shown
    assert stored(site) == [(VILLAGE, "person", str(mine))]
    answer = browser.post(f"/units/{VILLAGE}/feeds", data={"name": "电脑", "scope": "person", "person": str(other)})
    assert answer.status_code == 404
    with site.database.write() as session:
        session.execute(update(person).values(active=False))
    assert "person" not in scopes(browser, VILLAGE)
    assert browser.get(address.removeprefix(BASE)).status_code == 200


def test_the_address_in_three_forms_and_as_a_code(site: Site) -> None:
    browser = site.at("2025-05-31")
    answer = browser.post(f"/units/{VILLAGE}/feeds", data={"name": "手机", "alarm": "3", "open": "1", "holidays": "1"})
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    [address] = map(unescape, ADDRESS.findall(answer.text))
    assert re.fullmatch(r"http://testserver/feeds/[\w-]{32}\.ics\?alarm=3&open=1&holidays=1", address)
    webcal = address.replace("http://", "webcal://")
    assert f'href="{webcal}"' in unescape(answer.text)
    assert f"calendar/r?cid={quote(webcal, safe='')}" in unescape(answer.text)
    assert str(qr_svg(webcal, "订阅地址的二维码")) in answer.text
    assert " style=" not in answer.text
    assert "<script>" not in answer.text
    assert "LUCHENG_BASE_URL" not in answer.text
    assert browser.get(address.removeprefix("http://testserver")).status_code == 200


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_an_address_that_only_this_machine_reaches_is_said_to_be_one(site: Site, base: str) -> None:
    browser = site.at("2025-05-31", base)
    assert "请系统管理员先设置对外地址（LUCHENG_BASE_URL）" in browser.get(f"/units/{VILLAGE}/subscribe").text
    _, shown = made(browser)
    assert "该地址只在本机可用，请由管理员设置对外地址（LUCHENG_BASE_URL）" in shown
    assert "LUCHENG_BASE_URL" not in site.at("2025-05-31").get(f"/units/{VILLAGE}/subscribe").text


def test_the_list_tells_name_content_use_and_program(site: Site) -> None:
    browser = site.at("2025-05-31")
    assert "还没有订阅。在上面选好内容" in browser.get(f"/units/{VILLAGE}/subscribe").text
    address, _ = made(browser, VILLAGE, name="<b>值班室</b>", scope="task", task="1")
    with site.database.write() as session:
        [one] = feed_tokens.listing(session, VILLAGE)
        feed_tokens.touch(session, [Use(one.id, "iOS/18.5 (22F76) dataaccessd/1.0", instant("2025-05-31", 8))])
    page = browser.get(f"/units/{VILLAGE}/subscribe").text
    assert "&lt;b&gt;值班室&lt;/b&gt;</th>" in page
    assert '<td data-name="内容">任务1 任务一</td>' in page
    assert "2025年5月31日 08:00" in page
    assert '<span title="iOS/18.5 (22F76) dataaccessd/1.0">苹果手机或平板</span>' in page
    assert address.split("/feeds/")[1][:32] not in page
    assert "在用的订阅 1 个" in browser.get(f"/units/{VILLAGE}").text


def test_a_subscription_is_stopped_once_and_by_its_own_unit(site: Site) -> None:
    browser = site.at("2025-05-31")
    address, _ = made(browser)
    [stop] = re.findall(r'action="(/units/\w+/feeds/\d+/revoke)"', browser.get(f"/units/{VILLAGE}/subscribe").text)
    assert browser.post(stop.replace(VILLAGE, BUREAU)).status_code == 404
    answer = browser.post(stop)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/units/{VILLAGE}/subscribe#running")
    assert browser.post(stop).status_code == 409
    page = browser.get(f"/units/{VILLAGE}/subscribe").text
    assert "还没有在用的订阅" in page
    assert "已停用 1 个" in page
    assert "停用" in browser.get(address.removeprefix(BASE)).text
    for bad in ("0", "x", "99999999999999999999999"):
        assert browser.post(f"/units/{VILLAGE}/feeds/{bad}/revoke").status_code == 422


def test_a_new_address_keeps_the_content_and_stops_the_old_one(site: Site) -> None:
    browser = site.at("2025-05-31")
    old, _ = made(browser, TOWNSHIP, scope="below", name="乙室日历")
    [renew] = re.findall(r'action="(/units/\w+/feeds/\d+/rotate)"', browser.get(f"/units/{TOWNSHIP}/subscribe").text)
    answer = browser.post(renew, data={"alarm": "off", "kind": "event"})
    [new] = map(unescape, ADDRESS.findall(answer.text))
    assert new.endswith("?alarm=off")
    assert "乙室日历 · 本单位及下级 · 不提醒" in answer.text
    assert "原地址已停用" in answer.text
    assert stored(site) == [(TOWNSHIP, "below", TOWNSHIP)] * 2
    assert "BEGIN:VALARM" not in browser.get(new.removeprefix(BASE)).text
    told = browser.get(old.removeprefix(BASE)).text
    assert (told.count("BEGIN:VEVENT"), "停用" in told) == (1, True)
    assert browser.post(renew, data={"alarm": "off"}).status_code == 409
    assert browser.post(renew.replace(TOWNSHIP, BUREAU)).status_code == 404
    page = browser.get(f"/units/{TOWNSHIP}/subscribe").text
    assert page.count("乙室日历") == 3  # in use (its row and its question), and among the stopped


def test_a_form_from_another_site_makes_nothing(site: Site) -> None:
    browser = site.at("2025-05-31")
    for path in ("", "/1/rotate", "/1/revoke"):
        answer = browser.post(
            f"/units/{VILLAGE}/feeds{path}", data={"name": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403
    assert stored(site) == []


def test_a_unit_that_is_closed_subscribes_to_nothing_new(site: Site) -> None:
    browser = site.at("2025-05-31")
    made(browser)
    with site.database.write() as session:
        session.execute(update(unit).where(unit.c.code == VILLAGE).values(closed_on=instant("2025-05-01").date()))
    page = browser.get(f"/units/{VILLAGE}/subscribe").text
    assert "已停用，不能新建订阅" in page
    assert "生成订阅地址" not in page
    assert "/revoke" in page
    assert browser.post(f"/units/{VILLAGE}/feeds", data={"name": "电脑"}).status_code == 403


def test_without_a_plan_the_page_still_says_what_can_be_done(bare_site: Site) -> None:
    answer = bare_site.at("2025-05-31").get(f"/units/{VILLAGE}/subscribe")
    assert (answer.status_code, "没有代码为" in answer.text) == (404, True)


def test_the_page_asks_as_often_with_many_subscriptions(site: Site) -> None:
    browser = site.at("2025-05-31")

    def asked() -> int:
        with statements(site.database) as seen:
            assert browser.get(f"/units/{VILLAGE}/subscribe").status_code == 200
        return len(seen)

    made(browser)
    few = asked()
    for number in range(30):
        made(browser, VILLAGE, name=f"电脑{number}")
    assert asked() == few


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("iOS/18.5 (22F76) dataaccessd/1.0", "苹果手机或平板"),
        ("macOS/15.5 (24F74) dataaccessd/1.0", "苹果电脑"),
        ("Mac+OS+X/10.15.7 (19H15) CalendarAgent/930.5.1", "苹果电脑"),
        ("Google-Calendar-Importer", "Google 日历"),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)", "Outlook（经典版）"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0", "Thunderbird"),
        ("ICSx5/2.3 (at.bitfire.icsdroid; okhttp/4.12.0) Android/15", "ICSx5（安卓）"),
        ("Evolution/3.56.1", "Evolution"),
        ("Mozilla/5.0 (X11; Linux x86_64) KIO/5.86 akonadi_ical_resource/5.18", "KDE 日历"),
        ("vdirsyncer/0.21.0", "vdirsyncer"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "浏览器"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/126.0 MicroMessenger/8.0.50", "微信"),
        ("SomeThing/1.0 (+https://example.org)", "SomeThing"),
        ("", "–"),
        (None, "–"),
        ("<<<>>>", "–"),
    ],
)
def test_a_program_has_a_short_name(told: str | None, name: str) -> None:
    assert client_name(told) == name


def test_the_code_has_its_quiet_zone_and_nothing_that_the_policy_forbids() -> None:
    drawn = str(qr_svg("webcal://plan.example.org/feeds/x.ics", '地址"><script>'))
    assert "<script" not in drawn
    assert " style=" not in drawn
    side = int(re.findall(r'viewBox="0 0 (\d+) \1"', drawn)[0])
    spans = [(int(x), int(y), int(w)) for x, y, w in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn)]
    assert min(x for x, _, _ in spans) == min(y for _, y, _ in spans) == QUIET
    assert max(x + w for x, _, w in spans) == max(y for _, y, _ in spans) + 1 == side - QUIET
    assert spans[:2] == [(4, 4, 7), (side - 11, 4, 7)] or spans[0] == (4, 4, 7)


def test_links_of_an_address_below_a_path() -> None:
    made = links("https://city.example.org/lucheng/", "T" * 32, Options("off", "todo", True, True))
    assert made.https == f"https://city.example.org/lucheng/feeds/{'T' * 32}.ics?alarm=off&kind=todo&open=1&holidays=1"
    assert made.webcal == made.https.replace("https://", "webcal://")
    assert not made.only_here
    assert Options().query == ""


@pytest.mark.parametrize("alarm", ALARMS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_feed_reads_the_options_that_the_page_writes(alarm: str, kind: str) -> None:
    for open_only, holidays in ((False, True), (True, False)):
        found = read_options(Options(alarm, kind, open_only, holidays).query.removeprefix("?").encode())
        assert found.alarm == (None if alarm == "off" else int(alarm))
        assert found.choice == Choice(Component(kind), open_only=open_only, holidays=holidays)


@pytest.fixture
def running(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    with tiny_site(sqlite_url, tmp_path / "pack"), served(sqlite_url, tmp_path, "2025-05-31") as (_, base):
        yield f"{base}/units/{VILLAGE}/subscribe", key_at(sqlite_url, "2025-05-31")


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_in_a_browser_with_and_without_script(running: tuple[str, str], script: bool) -> None:
    address_of_page, key = running
    with browsing(address_of_page, key, script=script) as page:
        page.goto(address_of_page)
        page.fill("#name", "手机")
        page.select_option("#alarm", "3")
        page.click("text=生成订阅地址")
        address = page.locator("#address").input_value()
        assert address.endswith(".ics?alarm=3")
        button = page.locator("[data-copy]")
        if script:
            page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            button.click()
            expect(page.locator("[data-copied]")).to_have_text("已复制，请粘贴到日历软件中。")
            assert page.evaluate("navigator.clipboard.readText()") == address
        else:
            expect(button).to_be_hidden()
            expect(page.locator("[data-copied]")).to_contain_text("全选（Ctrl+A）后复制")
        box = page.locator(".qr").bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (232, 232)
        page.goto(address_of_page)
        page.click(".subscriptions summary:has-text('停用')")
        page.click("text=停用“手机”")
        expect(page.locator("#running + .empty")).to_contain_text("还没有在用的订阅")
