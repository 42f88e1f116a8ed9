"""Every number leads to as many items; what is 推定 says so; what is ahead, empty or wrong gets its sentence."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import words
from api.narrowing import GROUPS, expanded, narrowed, narrowed_name, rest
from api.short_names import short_name
from api.tiles import pace
from ledger import submissions
from policy_models.rollup import Cell
from policy_models.timing import Light, Timing
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish, send_back, tiny_site
from tests.factories import BUREAU, CITY, COUNTIES, Files, full_evidence, instant, item, office, requirement_of


def total(browser: TestClient, link: str) -> int:
    [found] = set(re.findall(r"共 (\d+) 件，第|共 (\d+) 件，按", browser.get(unescape(link)).text))
    return int(found[0] or found[1])


def links(page: str, pattern: str) -> list[tuple[str, str]]:
    """Address and words of the links whose words fit."""
    return re.findall(rf'<a [^>]*href="([^"]+)"[^>]*>({pattern})</a>', page)


def test_done_leads_to_what_is_not_done(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-02-20", by=VILLAGE, reviewer="900101")
    browser = site.at("2025-05-31")
    for path in ("/", "/tasks/1", "/phases/1", "/units"):
        found = links(browser.get(path).text, r"办结 \d+/\d+")
        for link, said in found:
            done, expected = map(int, re.findall(r"\d+", said))
            assert total(browser, link) == (expected - done if done < expected else done)
        assert found


def test_each_tile_of_the_tasks_leads_to_what_is_not_done(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-02-20", by=VILLAGE, reviewer="900101")
    browser = site.at("2025-05-31")
    page = browser.get("/tasks").text
    tiles = re.findall(r'<a class="tile[^>]*href="([^"]+)"[^>]*><span[^>]*>.</span>(\d+)/(\d+)<', page)
    assert len(tiles) == 6
    for link, done, expected in tiles:
        assert total(browser, link) == int(expected) - int(done)


def test_where_all_is_done_the_number_leads_to_that(site: Site) -> None:
    finish(site.database, BUREAU_ITEM, "2025-05-31", by=BUREAU, reviewer=BUREAU)
    browser = site.at("2025-05-31")
    [(link, _)] = links(browser.get(f"/units/{CITY}").text, "1/1")
    assert "timing=done" in link
    assert total(browser, link) == 1


def test_what_is_under_review_is_not_waited_for(site: Site) -> None:
    june = item("1.2", VILLAGE, "2025-06")
    with site.database.write() as session:
        submissions.submit(session, BUREAU_ITEM, by=office(BUREAU), evidence=full_evidence(), now=instant("2025-05-30"))
    send_back(site.database, MONTHLY, "2025-05-30", by=VILLAGE, reviewer="900101")
    browser = site.at("2025-05-31")
    page = browser.get("/").text
    upcoming = page[page.index('id="upcoming"') : page.index("<footer")]
    found = links(upcoming, r"\d+")
    assert [int(said) for _, said in found] == [total(browser, link) for link, _ in found]
    assert found
    [(review, _)] = links(upcoming, "待审核 1")
    assert BUREAU_ITEM in browser.get(unescape(review)).text
    assert june not in browser.get(unescape(review)).text


def test_this_month_leads_to_its_items(site: Site) -> None:
    browser = site.at("2025-05-31")
    page = browser.get("/").text
    [(link, count)] = re.findall(
        r'href="([^"]*due_from=[^"]*expected[^"]*)">\s*.*\s*<span class="figure-value">(\d+)', page
    )
    assert "due_from=2025-05-01&amp;due_to=2025-05-31" in link
    assert total(browser, link) == int(count) > 0


def test_the_units_below_lead_to_their_items(site: Site) -> None:
    browser = site.at("2025-05-31")
    page = browser.get(f"/units/{COUNTIES[0]}").text
    assert "下级单位逾期" in page
    for link, said in links(page, r"下级单位逾期 \d+ 件|\d+/\d+"):
        numbers = list(map(int, re.findall(r"\d+", said)))
        assert total(browser, link) == (numbers[0] if len(numbers) == 1 else numbers[1] - numbers[0])


def test_the_list_opens_with_what_is_not_done(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-02-20", by=VILLAGE, reviewer="900101")
    browser = site.at("2025-05-31")
    assert total(browser, "/items") == total(browser, "/items?timing=unfinished")
    assert total(browser, "/items?timing=all") == total(browser, "/items") + 1
    assert total(browser, "/items?timing=done") == total(browser, "/items?state=accepted") == 1
    assert total(browser, "/items?under=city&timing=all") == 1


def test_pages_lead_on_and_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.item.PAGE_ROWS", 20)
    browser = site.at("2025-05-31")
    first = browser.get("/items?timing=all&section=task-1").text
    assert "第 1—20 件" in first
    assert links(first, "上一页") == []
    [(onward, _)] = links(first, "下一页")
    second = browser.get(unescape(onward)).text
    assert "第 21—40 件" in second
    [(back, _)] = links(second, "上一页")
    assert browser.get(unescape(back)).text == first
    keys = re.compile(r'href="(/items/[^"?]+)')
    assert set(keys.findall(first)).isdisjoint(keys.findall(second))


def test_a_coming_day_says_that_it_is_reckoned(site: Site) -> None:
    browser = site.at("2025-05-31")
    for path in ("/", "/tasks/1", "/units", f"/units/{BUREAU}", "/items", f"/items/{MONTHLY}"):
        ahead = browser.get(f"{path}?as_of=2025-06-01").text
        assert "截至日期晚于今天（2025年5月31日），按目前的办理情况推算，不代表届时实际进展" in ahead
        assert "推算</strong>" not in browser.get(f"{path}?as_of=2025-05-31").text
        assert 'value="2025-06-01"' in ahead


def test_the_day_stays_when_an_item_is_opened(site: Site) -> None:
    page = site.at("2025-05-31").get("/items?as_of=2025-04-10").text
    opened = re.findall(r'href="(/items/[^"]+)"', page)
    assert len(opened) > 10
    assert all("as_of=2025-04-10" in link for link in opened)


@pytest.fixture
def doubtful(database_url: str, tmp_path: Path) -> Iterator[Site]:
    def change(files: Files) -> None:
        requirement_of(files, "1.2").update(inferred=["recurrence"], notes=["原文未写频次。", "按每月理解。"])

    with tiny_site(database_url, tmp_path / "pack", change) as found:
        yield found


def test_what_the_text_does_not_state_is_marked(doubtful: Site) -> None:
    browser = doubtful.at("2025-05-31")
    mark = '<summary><span class="inferred">推定</span>日期依据'
    for path in (f"/items/{MONTHLY}", f"/units/{VILLAGE}", "/items?requirement=1.2"):
        page = browser.get(path).text
        assert mark in page
        assert "；频次在文件中未载明，由系统推定</p>" in page
    assert mark not in browser.get(f"/items/{BUREAU_ITEM}").text
    assert browser.get("/tasks/1").text.count("频次在文件中未载明，由系统推定") == 1
    shown = browser.post(f"/units/{VILLAGE}/feeds", data={"name": "电脑"}).text
    [address] = set(re.findall(r"http://testserver(/feeds/[\w-]{32}\.ics)", shown))
    assert "【推定】任务1" in re.sub(r"\r\n ", "", browser.get(address).text)
    told = browser.get("/api/v1/items?requirement=1.2").json()["items"]
    assert {(one["confidence"], one["inferred"]) for one in told} == {("announced", True)}


def test_a_bad_day_can_be_mended_on_the_spot(site: Site) -> None:
    page = site.at("2025-05-31").get("/items?section=task-1&as_of=2025-02-30").text
    assert "没有2025年2月30日这一天，请核对日期。" in page
    assert '<form class="as-of" method="get" action="/items">' in page
    assert '<input type="hidden" name="section" value="task-1">' in page


def test_a_part_that_the_plan_has_not_is_not_found(site: Site) -> None:
    answer = site.at("2025-05-31").get("/items?section=task-99")
    assert (answer.status_code, "方案中没有“task-99”这一部分" in answer.text) == (404, True)


def test_groups_of_timings() -> None:
    assert expanded(["late", "overdue", ""]) == [Timing.OVERDUE, Timing.LONG_OVERDUE]
    assert expanded(["soonish"]) == ["soonish"]
    assert expanded(None) == []
    for word, members in GROUPS.items():
        assert narrowed(members) == word
    assert narrowed((Timing.OVERDUE, Timing.UNDER_REVIEW)) == (Timing.OVERDUE, Timing.UNDER_REVIEW)
    assert narrowed_name((Timing.OVERDUE, Timing.UNDER_REVIEW)) == "逾期、待审核"
    assert [rest(None), rest(Cell()), rest(Cell({Timing.DONE_LATE: 1}))] == ["all", "all", "done"]


@pytest.mark.parametrize(
    ("cell", "colour"),
    [
        (Cell(), Light.GREY),
        (Cell({Timing.DONE_ON_TIME: 2}), Light.BLUE),
        (Cell({Timing.DONE_ON_TIME: 1, Timing.LONG_OVERDUE: 1}, due=1), Light.GREEN),
        (Cell({Timing.DONE_ON_TIME: 1, Timing.ON_TRACK: 1}, due=2), Light.YELLOW),
    ],
)
def test_a_bar_shows_the_pace_and_not_the_light(cell: Cell, colour: Light) -> None:
    assert pace(cell) is colour


def test_words_for_narrow_places() -> None:
    assert [short_name(name) for name in ("达尔罕茂明安联合旗", "东河区", "包头市民政局")] == [
        "达茂旗",
        "东河区",
        "民政局",
    ]
    assert words.joined(["原文未写频次。", "按每月理解。"]) == "原文未写频次；按每月理解"
    assert words.quoted("提出“四个一”要求") == "提出‘四个一’要求"
