"""盲评 by HTTP: secret links, what a reviewer sees and does not, what the coordinator sees and when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.logging import redact
from api.misses import MOST_IN_WINDOW
from tests.api.exemplars import Office, office_of, text_of
from tests.api.test_pages import read
from tests.exemplar_site import FIRST, LONG, ROUND, SECOND, hand_in
from tests.factories import BUREAU, query

pytestmark = pytest.mark.thorough

PANELISTS = f"/units/{BUREAU}/panelists"
LIST = f"/units/{BUREAU}/shortlist"
TELLING = replace(
    LONG,
    title="1县的做法",
    background="小城1县民政局在1县镇和1县1村试点，2县没有。" + "背景" * 200,
    practice="市民政局指导，1 县 民 政 局 落实。" + "做法" * 400,
)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_of(database_url, tmp_path) as found:
        yield found


def appoint(browser: TestClient, name: str = "王评审", unit: str = "") -> str:
    answer = browser.post(PANELISTS, data={"round": ROUND, "name": name, "unit": unit})
    assert answer.status_code == 200, answer.text
    found = re.search(r"http://testserver(/scoring/[\w-]{32})<", answer.text)
    assert found
    assert answer.headers["referrer-policy"] == "no-referrer"
    return found.group(1)


def test_a_panel_from_the_first_link_to_the_short_list(site: Office) -> None:
    browser = site.at()
    with site.database.write() as session:
        one, _ = hand_in(session)
        two, _ = hand_in(session, replace(LONG, title="结对帮扶"), SECOND)
    wang, li = appoint(browser), appoint(browser, "李评审", SECOND)
    assert "已评 0/2" in text_of(browser.get(wang).text)
    assert "已评 0/1" in text_of(browser.get(li).text)  # not of the own unit
    assert browser.get(f"{li}/{two}").status_code == 404
    form = {"version": "3", "points": "８５分", "comment": "数据扎实"}
    first = browser.post(f"{wang}/{one}", data=form)
    assert (first.status_code, first.headers["location"]) == (303, f"{wang}/{two}")
    assert browser.post(f"{wang}/{two}", data={"version": "3", "points": "90"}).headers["location"] == wang
    seen = text_of(browser.get(LIST).text)
    assert "得分在全部评完或结束评审后显示" in seen
    assert "数据扎实" not in seen
    assert "85.00" not in seen
    assert "2/3" in seen
    browser.post(f"{li}/{one}", data={"version": "3", "points": "95"})
    told = text_of(browser.get(LIST).text)
    assert "并列第 1" in told  # 90 and 90
    assert "王评审 85 分：数据扎实" in told
    assert browser.post(f"{LIST}/{one}", data={"version": "3", "action": "shortlist"}).status_code == 409
    assert browser.post(f"/units/{BUREAU}/panel/close", data={"round": ROUND}).status_code == 303
    assert browser.post(f"{LIST}/{one}", data={"version": "3", "action": "shortlist"}).status_code == 303
    late = browser.post(f"{wang}/{one}", data={"version": "3", "points": "1"})
    assert (late.status_code, "评审已经结束" in late.text) == (409, True)
    ended = browser.get(f"{wang}/{one}")
    assert (ended.status_code, "评审已经结束" in ended.text, "保存评分" in ended.text) == (200, True, False)


def test_nothing_tells_whose_it_is(site: Office) -> None:
    browser = site.at()
    with site.database.write() as session:
        one, _ = hand_in(session, TELLING)
        hand_in(session, replace(LONG, title="另一篇"), SECOND)
    path = appoint(browser)
    shown = browser.get(f"{path}/{one}").text
    assert "某单位在某地和某地试点，某地没有。" in shown
    assert "市民政局指导，某单位 落实。" in shown or "市民政局指导，某单位落实。" in shown
    for page in (shown, browser.get(path).text):
        assert [word for word in ("1县", "1 县", "9001", FIRST, "经办人") if word in page] == []
        assert "<nav" not in page
        assert (read(page).open, read(page).faults) == ([], [])
    assert "某地的做法" in browser.get(path).text


@pytest.mark.parametrize(
    "points", ["", " ", "-1", "101", "1e2", "85.5", "八十五", "٣", "9" * 20, "<script>", "0x10", "100100"]
)
def test_points_that_are_none(site: Office, points: str) -> None:
    browser = site.at()
    with site.database.write() as session:
        one, _ = hand_in(session)
    path = appoint(browser)
    answer = browser.post(f"{path}/{one}", data={"version": "3", "points": points, "comment": "写好的评语"})
    assert answer.status_code == 422
    assert "须为 0 至 100 之间的整数" in answer.text
    assert "写好的评语" in answer.text
    assert "<script>" not in answer.text
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM score") == [(0,)]


@pytest.mark.parametrize(("points", "kept"), [("0", 0), ("100", 100), (" ８８ ", 88), ("088", 88)])
def test_points_as_people_write_them(site: Office, points: str, kept: int) -> None:
    browser = site.at()
    with site.database.write() as session:
        one, _ = hand_in(session)
    assert browser.post(f"{appoint(browser)}/{one}", data={"version": "3", "points": points}).status_code == 303
    with site.database.read() as session:
        assert query(session, "SELECT points FROM score") == [(kept,)]


def test_a_name_in_a_comment_is_stopped(site: Office) -> None:
    browser = site.at()
    with site.database.write() as session:
        one, _ = hand_in(session)
    form = {"version": "3", "points": "80", "comment": "孩子的身份证110101199003070134"}
    answer = browser.post(f"{appoint(browser)}/{one}", data=form)
    assert (answer.status_code, "不能提交" in answer.text) == (422, True)
    with site.database.read() as session:
        assert query(session, "SELECT outcome FROM screening") == [("blocked",)]
        assert query(session, "SELECT count(*) FROM score") == [(0,)]


def test_unknown_and_dead_links(site: Office) -> None:
    browser = site.at()
    path = appoint(browser)
    with site.database.read() as session:
        [(panelist,)] = query(session, "SELECT id FROM panelist")
    renewed = browser.post(f"{PANELISTS}/{panelist}", data={"action": "renew"})
    new = re.search(r"(/scoring/[\w-]{32})<", renewed.text)
    assert new
    assert [browser.get(one).status_code for one in (path, new.group(1))] == [404, 200]
    assert browser.post(f"{PANELISTS}/{panelist}", data={"action": "revoke"}).status_code == 303
    for dead in (path, new.group(1), "/scoring/x", "/scoring/%ed%a0%80", f"{new.group(1)}/1"):
        answer = browser.get(dead)
        assert (dead, answer.status_code, "不存在或已停用" in answer.text) == (dead, 404, True)
    assert browser.post(f"{path}/1", data={"version": "1", "points": "1"}).status_code == 404


def test_guessing_is_slowed_down(site: Office) -> None:
    browser = site.at()
    path = appoint(browser)
    codes = [browser.get(f"/scoring/{n}").status_code for n in range(MOST_IN_WINDOW + 2)]
    assert codes == [404] * MOST_IN_WINDOW + [429, 429]
    assert browser.get(path).status_code == 200  # a valid link never waits


def test_each_reads_in_another_order_and_the_same_each_time(site: Office) -> None:
    browser = site.at()
    with site.database.write() as session:
        for n in range(8):
            hand_in(session, replace(LONG, title=f"案例之{n}"))

    def order(path: str) -> list[str]:
        return re.findall(r"案例之(\d)", browser.get(path).text)

    paths = [appoint(browser, f"评审{n}") for n in range(5)]
    orders = [order(path) for path in paths]
    assert orders == [order(path) for path in paths]
    assert {tuple(sorted(one)) for one in orders} == {tuple("01234567")}
    assert len({tuple(one) for one in orders}) == 5


def test_only_the_coordinators_own_page_names_reviewers(site: Office) -> None:
    browser = site.at()
    appoint(browser)
    for path, data in (
        (f"/units/{FIRST}/panelists", {"round": ROUND, "name": "李"}),
        (f"/units/{FIRST}/panelists/1", {"action": "revoke"}),
        (f"/units/{FIRST}/panel/close", {"round": ROUND}),
    ):
        assert browser.post(path, data=data).status_code == 403
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    assert browser.post(PANELISTS, data={"round": ROUND, "name": "李"}, headers=foreign).status_code == 403


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"round": ROUND, "name": ""}, 422),
        ({"round": ROUND, "name": "王" * 41}, 422),
        ({"round": ROUND, "name": "王", "unit": "none"}, 422),
        ({"round": "2031-H1", "name": "王"}, 404),
        ({"name": "王"}, 404),
    ],
)
def test_naming_a_reviewer_badly(site: Office, data: dict[str, str], status: int) -> None:
    answer = site.at().post(PANELISTS, data=data)
    assert answer.status_code == status
    assert re.search("[\u4e00-\u9fff]{4}", text_of(answer.text))


def test_logs_hold_no_link() -> None:
    token = "Zx0_-" + "k" * 27
    for line in (f"GET /scoring/{token} HTTP/1.1", f'"/scoring/{token}/12"', f"/scoring/{token}?x=1"):
        assert token not in redact(line)
    assert redact("/scoring/abc/12") == "/scoring/***/12"
