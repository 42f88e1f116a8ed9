"""待审核 in a browser: the queue, one verdict after another, many at once, and who comes second."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.guard import COOKIE
from ledger import reviews, submissions
from ledger.acts import standing
from ledger.database import Database
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.plan import EvidenceType
from tests.api.site import BUREAU_ITEM, Site, tiny_site
from tests.factories import (
    BUREAU,
    Files,
    full_evidence,
    instant,
    item,
    just_before,
    office,
    opened,
    query,
    requirement_of,
    statements,
    village,
)

pytestmark = pytest.mark.thorough

TOWN = "900101"
QUEUE = f"/units/{TOWN}/review"
KEYS = [item("1.2", village(1, number), "2025-01") for number in (1, 2, 3, 4)]
FEBRUARY = item("1.2", village(1, 1), "2025-02")
DAY = "2025-02-12"


def measured(files: Files) -> None:
    requirement_of(files, "1.2")["nothing_new"] = True
    requirement_of(files, "1.2")["evidence"] = [
        {"type": "measure", "name": "met", "label": "已联系儿童数", "of": "all", "of_label": "应联系儿童数"}
    ]


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    yield from reported(database_url, tmp_path)


@pytest.fixture
def postgres_site(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    """Where two writers can be on their way at once; on SQLite the second one waits before it reads."""
    yield from reported(postgres_url, tmp_path)


def reported(url: str, folder: Path) -> Iterator[Site]:
    with tiny_site(url, folder / "pack", measured, villages=4) as found:
        with found.database.write() as session:
            for number, key in enumerate(KEYS, 1):
                met = Evidence(EvidenceType.MEASURE, "met", Decimal(number), Decimal(9))
                by, now = office(village(1, number)), instant(f"2025-02-0{number + 2}")
                submissions.submit(session, key, by=by, evidence=[met], now=now, note=f"说明{number}")
        yield found


def state(database: Database, key: str) -> State:
    with database.read() as session:
        return standing(session, key).state


def picks(html: str) -> list[str]:
    return re.findall(r'name="pick" value="([^"]+)"', html)


def act(browser: TestClient, path: str, **fields: object) -> tuple[int, str]:
    answer = browser.post(path, data=fields)
    return answer.status_code, answer.headers.get("location", answer.text)


def test_the_queue(site: Site) -> None:
    html = site.at(DAY).get(QUEUE).text
    assert "1县镇 · 共 4 件，先报先审" in html
    assert [one.split("@") for one in picks(html)] == [[key, "2"] for key in KEYS]
    assert re.findall(r"已等 (\d+) 个工作日", html) == [
        "7",
        "7",
        "6",
        "5",
    ]  # off until the 4th, at work on Saturday the 8th
    assert re.findall(r"<b>(\d)</b> / 9", html) == ["1", "2", "3", "4"]
    assert "说明3" in html
    assert "逾期报送" in html
    assert "已联系儿童数 / 应联系儿童数" in html


@pytest.mark.parametrize(
    ("query_", "count"),
    [("?period=2025-01", 4), ("?period=2025-02", 0), ("?late=on", 4), ("?requirement=2.2", 0), ("?under=900101", 4)],
)
def test_filters_live_in_the_address(site: Site, query_: str, count: int) -> None:
    html = site.at(DAY).get(QUEUE + query_).text
    assert len(picks(html)) == count
    assert ("没有符合条件的待审核材料" in html) == (count == 0)
    if count:
        assert f'action="{QUEUE}{query_}&amp;plan=tiny-2025"' in html


def test_an_empty_queue_says_what_to_do(site: Site) -> None:
    html = site.at(DAY).get("/units/900201/review").text
    assert "目前没有等待2县镇审核的材料" in html
    assert "within=900201" in html


@pytest.mark.parametrize("path", ["/units/nobody/review", f"{QUEUE}?page=9", f"{QUEUE}/tiny-2025:1.2:nobody:2025-01"])
def test_not_there(site: Site, path: str) -> None:
    assert site.at(DAY).get(path).status_code == 404


@pytest.mark.parametrize("path", [f"{QUEUE}?page=0", f"{QUEUE}?late=maybe", f"{QUEUE}?period=%00", f"{QUEUE}?done=x"])
def test_a_senseless_address(site: Site, path: str) -> None:
    assert site.at(DAY).get(path).status_code == 422


def test_one_beside_its_rule_and_its_past(site: Site) -> None:
    with site.database.write() as session:
        reviews.send_back(session, KEYS[0], by=office(TOWN), now=instant("2025-02-10"), reason="数字与走访记录不符")
        for key, value in ((KEYS[0], 5), (FEBRUARY, 7)):
            met = [Evidence(EvidenceType.MEASURE, "met", Decimal(value), Decimal(8))]
            submissions.submit(session, key, by=office(village(1, 1)), evidence=met, now=instant("2025-02-11"))
    html = site.at(DAY).get(f"{QUEUE}/{KEYS[0]}").text
    assert '此前退回 <span class="n">1 次' in html
    assert "数字与走访记录不符" in html
    assert "<b>5</b> / 8" in html
    assert "此前没有可以对照的期次" in html
    assert "指标：已联系儿童数 / 应联系儿童数" in html
    later = site.at(DAY).get(f"{QUEUE}/{FEBRUARY}").text
    assert ("<b>7</b> / 8" in later, "<b>5</b> / 8" in later, "2025年1月" in later) == (True, True, True)


def test_one_verdict_leads_to_the_next(site: Site) -> None:
    browser = site.at(DAY)
    status, place = act(browser, f"{QUEUE}/{KEYS[1]}?period=2025-01", verdict="accept", seen=2, by_name="王主任")
    assert (status, place) == (303, f"{QUEUE}/{KEYS[2]}?verdict=accept&period=2025-01")
    assert "上一件已通过，接着审核下一件" in browser.get(place).text
    status, place = act(browser, place, verdict="send_back", seen=2, reason="缺签到表")
    assert place.startswith(f"{QUEUE}/{KEYS[3]}?verdict=send_back")
    act(browser, f"{QUEUE}/{KEYS[3]}", verdict="accept", seen=2)
    status, place = act(browser, f"{QUEUE}/{KEYS[0]}", verdict="accept", seen=2)
    assert (status, place) == (303, f"{QUEUE}?verdict=accept&done=1")
    assert "已通过 1 件" in browser.get(place).text
    assert [state(site.database, key) for key in KEYS] == [State.ACCEPTED] * 2 + [State.RETURNED, State.ACCEPTED]
    with site.database.read() as session:
        names = query(session, "SELECT by_name FROM entry WHERE act = 'accept' ORDER BY id")
    assert names == [("王主任",), ("测试员",), ("测试员",)]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "退回须写明理由"),
        ("  ", "退回须写明理由"),
        ("孩子证号１５０２０３２０１５０１０１１２３９", "疑似公民身份号码"),
    ],
)
def test_a_reason_is_wanted_and_screened(site: Site, reason: str, sentence: str) -> None:
    status, html = act(site.at(DAY), f"{QUEUE}/{KEYS[0]}", verdict="send_back", seen=2, reason=reason)
    assert status == 422
    assert sentence in html
    assert state(site.database, KEYS[0]) is State.SUBMITTED


def test_what_was_typed_stays(site: Site) -> None:
    long = "请补交：签到表\n<b>和照片</b> 150203201501011239"
    _, html = act(site.at(DAY), f"{QUEUE}/{KEYS[0]}", verdict="send_back", seen=2, reason=long)
    assert "请补交：签到表\n&lt;b&gt;和照片&lt;/b&gt;" in html
    assert site.at(DAY).post(f"{QUEUE}/{KEYS[0]}", data={"verdict": "accept"}).status_code == 422
    assert site.at(DAY).post(f"{QUEUE}/{KEYS[0]}", data={"verdict": "maybe", "seen": 2}).status_code == 422
    assert act(site.at(DAY), f"{QUEUE}/{KEYS[0]}", verdict="send_back", seen=2, reason="长" * 501)[0] == 422


def test_who_comes_second_reads_who_was_first(site: Site) -> None:
    browser = site.at(DAY)
    act(browser, f"/units/{BUREAU}/review/{KEYS[0]}", verdict="send_back", seen=2, reason="缺表", by_name="李科长")
    status, html = act(browser, f"{QUEUE}/{KEYS[0]}", verdict="accept", seen=2, reason="属实")
    assert status == 409
    for words in ("在您查看之后有了变化", "李科长", "缺表", "您刚才写的意见没有记入：属实", f'href="{QUEUE}?plan='):
        assert words in html
    assert state(site.database, KEYS[0]) is State.RETURNED
    assert "这一办理件不在待审核之列" in browser.get(f"{QUEUE}/{KEYS[0]}").text


@pytest.mark.postgres
def test_overtaken_between_reading_and_writing(postgres_site: Site) -> None:
    """The other one's act is committed while ours is on its way: a page, not a fault, and one verdict."""

    def other() -> None:
        with postgres_site.database.write() as session:
            reviews.send_back(session, KEYS[0], by=office(BUREAU), now=instant(DAY), reason="缺表")

    with just_before(postgres_site.database, "UPDATE work_item", other):
        status, html = act(postgres_site.at(DAY), f"{QUEUE}/{KEYS[0]}", verdict="accept", seen=2)
    assert (status, "刚刚被他人处理" in html, "返回待审核" in html) == (409, True, True)
    assert state(postgres_site.database, KEYS[0]) is State.RETURNED


def test_strangers_do_not_review(site: Site) -> None:
    for stranger in ("900201", village(1, 1)):
        assert site.at(DAY).get(f"/units/{stranger}/review/{KEYS[0]}").status_code == 403
        path = f"/units/{stranger}/review/{KEYS[0]}"
        assert act(site.at(DAY), path, verdict="accept", seen=2)[0] == 403
        assert act(site.at(DAY), f"/units/{stranger}/review", verdict="accept", pick=f"{KEYS[0]}@2")[0] == 403
    foreign = {"sec-fetch-site": "cross-site"}
    answer = site.at(DAY).post(f"{QUEUE}/{KEYS[0]}", data={"verdict": "accept", "seen": 2}, headers=foreign)
    assert answer.status_code == 403
    assert state(site.database, KEYS[0]) is State.SUBMITTED


def test_many_at_once(site: Site) -> None:
    browser = site.at(DAY)
    path = f"{QUEUE}?period=2025-01"
    chosen = picks(browser.get(path).text)[:3]
    status, place = act(browser, path, verdict="accept", pick=chosen)
    assert (status, place) == (303, f"{QUEUE}?done=3&verdict=accept&period=2025-01")
    assert "已通过 3 件" in browser.get(place).text
    assert [state(site.database, key) for key in KEYS] == [State.ACCEPTED] * 3 + [State.SUBMITTED]
    status, place = act(browser, QUEUE, verdict="send_back", pick=f"{KEYS[3]}@2", reason="缺签到表")
    assert (status, state(site.database, KEYS[3])) == (303, State.RETURNED)


def test_what_changed_meanwhile_is_named_and_the_others_are_done(site: Site) -> None:
    browser = site.at(DAY)
    chosen = picks(browser.get(QUEUE).text)
    act(browser, f"/units/{BUREAU}/review/{KEYS[0]}", verdict="send_back", seen=2, reason="缺表", by_name="李科长")
    with site.database.write() as session:
        submissions.withdraw(session, KEYS[1], by=office(village(1, 2)), now=instant(DAY))
        submissions.submit(session, KEYS[1], by=office(village(1, 2)), evidence=measure(), now=instant(DAY))
    status, html = act(browser, QUEUE, verdict="accept", pick=chosen)
    assert status == 200
    for words in ("已通过 2 件，另有 2 件未办理", "李科长", "重新报送，请看过再审核", "返回待审核"):
        assert words in html
    states = [State.RETURNED, State.SUBMITTED, State.ACCEPTED, State.ACCEPTED]
    assert [state(site.database, key) for key in KEYS] == states
    status, html = act(browser, QUEUE, verdict="accept", pick=chosen[:1])
    assert (status, "选中的 1 件都未办理" in html) == (409, True)


def measure() -> list[Evidence]:
    return [Evidence(EvidenceType.MEASURE, "met", Decimal(1), Decimal(9))]


@pytest.mark.postgres
def test_a_bulk_act_that_is_overtaken_is_tried_again(postgres_site: Site) -> None:
    def other() -> None:
        with postgres_site.database.write() as session:
            reviews.send_back(session, KEYS[0], by=office(BUREAU), now=instant(DAY), reason="缺表")

    with just_before(postgres_site.database, "UPDATE work_item", other):
        status, html = act(postgres_site.at(DAY), QUEUE, verdict="accept", pick=[f"{key}@2" for key in KEYS])
    assert (status, "已通过 3 件，另有 1 件未办理" in html) == (200, True)


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"verdict": "accept"}, 409, "没有选中办理件，请先勾选"),
        ({"verdict": "send_back", "pick": f"{KEYS[0]}@2"}, 422, "退回须写明理由"),
        ({"verdict": "send_back", "pick": f"{KEYS[0]}@2", "reason": "150203201501011239"}, 422, "疑似公民身份号码"),
        ({"verdict": "accept", "pick": KEYS[0]}, 404, "勾选的内容不完整"),
        ({"verdict": "accept", "pick": f"{KEYS[0]}@²"}, 404, "勾选的内容不完整"),
        ({"verdict": "accept", "pick": f"{KEYS[0]}@99999999999999999999"}, 404, "勾选的内容不完整"),
        ({"verdict": "accept", "pick": "@2"}, 404, "勾选的内容不完整"),
        ({"verdict": "accept", "pick": "' OR 1=1 --@2"}, 404, "没有编号为"),
    ],
)
def test_bad_bulk_forms(site: Site, fields: dict[str, str], status: int, sentence: str) -> None:
    met, html = act(site.at(DAY), QUEUE, **fields)
    assert (met, sentence in html) == (status, True)
    assert [state(site.database, key) for key in KEYS] == [State.SUBMITTED] * 4


def test_the_ticks_and_the_reason_stay(site: Site) -> None:
    fields = {"verdict": "send_back", "pick": [f"{KEYS[0]}@2", f"{KEYS[2]}@2"], "reason": " 150203201501011239"}
    _, html = act(site.at(DAY), QUEUE, **fields)
    assert len(re.findall(r'name="pick"[^>]* checked', html)) == 2


def test_the_coordinator_sees_everybodys_when_asked(site: Site) -> None:
    with site.database.write() as session:
        submissions.submit(session, BUREAU_ITEM, by=office(BUREAU), evidence=full_evidence(), now=instant(DAY))
    browser, path = site.at(DAY), f"/units/{BUREAU}/review"
    own, whole = browser.get(path).text, browser.get(f"{path}?whole=on").text
    assert (len(picks(own)), len(picks(whole))) == (0, 4)
    assert "共 1 件" in own
    assert "共 5 件" in whole


def test_the_queue_asks_as_often_for_one_as_for_many(site: Site) -> None:
    browser = site.at(DAY)
    with statements(site.database) as many:
        browser.get(QUEUE)
    with site.database.write() as session:
        reviews.accept_all(session, KEYS[1:], by=office(TOWN), now=instant(DAY))
    with statements(site.database) as one:
        browser.get(QUEUE)
    assert len(one) == len(many)
    assert len(one) < 16, one


def test_the_way_in(site: Site) -> None:
    browser = site.at(DAY)
    assert f'href="{QUEUE}?plan=tiny-2025">待审核 <b>4</b>' in browser.get(f"/units/{TOWN}").text
    assert f'href="{QUEUE}/{KEYS[0]}?plan=tiny-2025">审核' in browser.get(f"/items/{KEYS[0]}").text
    assert "待审核 <b>" not in browser.get(f"/units/{TOWN}?as_of=2025-02-10").text


def test_two_browsers_at_the_same_item(site: Site) -> None:
    """One is sent on to the next item, the other reads who was first."""
    start = threading.Barrier(2)

    def verdict(browser: TestClient, by: str, key: str, word: str) -> int:
        start.wait(timeout=30)
        fields = {"verdict": word, "seen": 2, "reason": "缺表"}
        return browser.post(f"/units/{by}/review/{key}", data=fields).status_code

    left, right = site.at(DAY), site.at(DAY)
    with ThreadPoolExecutor(2) as pool:
        for key in KEYS:
            first = pool.submit(verdict, left, TOWN, key, "accept")
            second = pool.submit(verdict, right, BUREAU, key, "send_back")
            answers = [first.result(timeout=60), second.result(timeout=60)]
            assert sorted(answers) == [303, 409]
            assert state(site.database, key) is (State.ACCEPTED if answers[0] == 303 else State.RETURNED)


def test_a_ledger_without_a_plan(bare_site: Site) -> None:
    answer = bare_site.at(DAY).get(QUEUE)
    assert (answer.status_code, "台账中还没有方案" in answer.text) == (404, True)


def test_no_database(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/nowhere/ledger.db") as database:
        browser = Site(database).stranger(DAY)
        browser.cookies.set(COOKIE, "of-another-day")
        assert browser.get(QUEUE).status_code == 503
        assert browser.post(QUEUE, data={"verdict": "accept"}).status_code == 503


def test_the_same_queue_as_json(site: Site) -> None:
    found = site.at(DAY).get(f"/api/v1{QUEUE}?period=2025-01").json()
    assert (found["total"], [row["key"] for row in found["waiting"]]) == (4, KEYS)
    assert found["waiting"][0] == {
        "key": KEYS[0],
        "requirement": "1.2",
        "title": "事项1.2",
        "period": "2025-01",
        "unit": village(1, 1),
        "unit_name": "1县1村",
        "superior": TOWN,
        "deadline": "2025-01-31",
        "revision": 2,
        "returns": 0,
        "late": True,
        "submitted_at": "2025-02-03T01:00:00Z",
        "by": f"{village(1, 1)}经办人",
        "note": "说明1",
    }
    assert site.at(DAY).get("/api/v1/units/nobody/review").status_code == 404


def half_yearly(files: Files) -> None:
    requirement_of(files, "2.1").update(recurrence={"every": "half_year"}, collects="report", review="coordinator")


def test_a_half_year_report_is_reviewed_on_its_own_page(database_url: str, tmp_path: Path) -> None:
    key = item("2.1", "9001-mz", "2025-H1")
    with tiny_site(database_url, tmp_path / "pack", half_yearly) as site:
        with site.database.write() as session:
            submissions.submit(session, key, by=office("9001-mz"), evidence=[], now=instant("2025-06-20"))
        browser, own_page = site.at("2025-06-21"), f"/units/{BUREAU}/reports/2025-H1/9001-mz?plan=tiny-2025"
        queue = browser.get(f"/units/{BUREAU}/review").text
        assert (f'href="{own_page}"' in queue, "通过选中的" in queue) == (True, False)
        one = browser.get(f"/units/{BUREAU}/review/{key}").text
        assert (f'href="{own_page}">前往审核' in one, 'name="verdict"' in one) == (True, False)
        answer = browser.post(f"/units/{BUREAU}/review/{key}", data={"verdict": "accept", "seen": 2})
        assert (answer.status_code, reviews.BY_SECTION in answer.text) == (409, True)
        assert state(site.database, key) is State.SUBMITTED
