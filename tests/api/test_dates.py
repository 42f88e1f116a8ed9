"""时间轴, 日历, 两日之间的变化 and the task page: every number leads to as many items; wrong input gets one sentence."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger import marks
from policy_models.access import Role
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, empty_site, finish, send_back, tiny_site
from tests.factories import BUREAU, CODE, COUNTIES, instant, statements

pytestmark = pytest.mark.thorough
TODAY = "2025-05-31"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack") as found:
        finish(found.database, BUREAU_ITEM, "2025-05-29", by=BUREAU, reviewer=BUREAU)
        send_back(found.database, MONTHLY, "2025-05-30", by=VILLAGE, reviewer="900101")
        yield found


def links(page: str, pattern: str) -> list[tuple[str, str]]:
    """Address and words of the links whose words fit, marks and hidden words left out."""
    found = re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    bare = [(unescape(link), re.sub(r"<[^>]*>|\s", "", words)) for link, words in found]
    return [(link, words) for link, words in bare if re.fullmatch(pattern, words)]


def total(browser: TestClient, link: str) -> int:
    answer = browser.get(link)
    assert answer.status_code == 200, link
    [found] = set(re.findall(r"共 (\d+) 件，第|共 (\d+) 件，按", answer.text))
    return int(found[0] or found[1])


def sentence(browser: TestClient, path: str) -> tuple[int, str]:
    answer = browser.get(path)
    found = re.search(r'<p class="prose">\s*(.*?)[。<]', answer.text)
    return answer.status_code, unescape(found[1]) if found else ""


def test_the_calendar_of_a_month(site: Site) -> None:
    browser = site.at(TODAY)
    page = browser.get("/calendar").text
    assert "2025年5月" in page
    [(due, said)] = links(page, r"\d+件")[:1]
    assert total(browser, due) == int(said[:-1]) > 0
    for link, said in links(page[page.index('id="agenda"') :], r"\d+件"):  # what opens
        assert "opens_from" in link
        assert total(browser, link) == int(said[:-1])
    for link, said in links(page[page.index('id="agenda"') :], r"逾期\d+"):
        assert total(browser, link) == int(said[2:])
    assert "劳动节放假：5月1日至5月5日" in page
    assert 'title="4月27日' not in page
    assert "调休上班" in browser.get("/calendar?month=2025-04").text


def test_months_lead_on_and_back(site: Site) -> None:
    browser = site.at(TODAY)
    page = browser.get("/calendar?month=2025-12").text
    [(onward, _)] = links(page, "1月›")
    assert "month=2026-01" in onward
    after = browser.get(onward).text
    assert "方案已于2025年12月31日结束" in after
    [(back, _)] = links(after, "‹12月")
    assert browser.get(back).text == page
    [(now, _)] = links(page, "今天")
    assert "2025年5月" in browser.get(now).text
    assert (
        "‹" not in re.search(r'<nav class="month-nav".*?</nav>', browser.get("/calendar?month=2000-01").text, re.S)[0]
    )  # type: ignore[index]


def test_a_units_calendar_and_that_of_all_below(site: Site) -> None:
    browser = site.at(TODAY)
    alone = browser.get(f"/units/{VILLAGE}/calendar").text
    assert f"/units/{VILLAGE}/subscribe" in alone
    assert "含下级单位" not in alone
    [(due, said)] = links(alone, r"\d+件")[:1]
    assert (total(browser, due), said) == (1, "1件")
    county = browser.get(f"/units/{COUNTIES[0]}/calendar").text
    [(wider, _)] = links(county, "含下级单位")
    below = browser.get(wider).text
    [(due, said)] = links(below, r"\d+件")[:1]
    assert "within=9001" in due
    assert total(browser, due) == int(said[:-1]) == 2


def test_the_calendar_on_another_day(site: Site) -> None:
    browser = site.at(TODAY)
    page = browser.get("/calendar?month=2025-06&as_of=2025-05-28").text
    [(link, said)] = [one for one in links(page, r"[○●◐▲✓]?\d+/\d+.*") if "requirement=1.1" in one[0]][-1:]
    assert said.startswith("●0/1") or said.startswith("◐0/1")  # accepted on the day after
    assert total(browser, link) == 1
    assert "✓1/1" in "".join(words for _, words in links(browser.get("/calendar?month=2025-06").text, r".*"))


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/calendar?month=2025-13", 422, "月份须写作 2025-06 的样子，现为“2025-13”"),
        ("/calendar?month=abc", 422, "月份须写作 2025-06 的样子，现为“abc”"),
        ("/calendar?month=1999-12", 422, "月份须在2000年至2090年之间，现为“1999-12”"),
        ("/calendar?month=2091-01", 422, "月份须在2000年至2090年之间，现为“2091-01”"),
        ("/units/none/calendar", 404, "没有代码为“none”的单位"),
        ("/timeline?zoom=phase-9", 404, "时间轴没有“phase-9”这一段，请从列出的范围中选择"),
        ("/timeline?zoom=%3Cscript%3E", 404, "时间轴没有“script”这一段，请从列出的范围中选择"),
        ("/changes?from=2025-05-31", 422, "起始日期须早于截止日期，请重新选择两个日期"),
        ("/changes?from=2025-05-20&to=2025-05-10", 422, "起始日期须早于截止日期，请重新选择两个日期"),
        ("/changes?to=2025-06-01", 422, "截止日期不能晚于今天：两日之间的变化只算已经发生的"),
        ("/changes?from=2025-02-30", 422, "没有2025年2月30日这一天，请核对日期"),
        ("/changes?from=0001-01-01", 422, "日期须在2000年至2090年之间，现为“0001-01-01”"),
        ("/changes/items?change=gone", 422, "变化类别不能写作“gone”"),
        ("/changes/items", 422, "请填写变化类别"),
        ("/changes/items?change=done&section=task-99", 404, "方案中没有“task-99”这一部分，请从两日变化页面重新进入"),
        ("/changes/items?change=done&page=9", 404, "没有这一页，请从第一页重新查看"),
    ],
)
def test_wrong_input_gets_one_sentence(site: Site, path: str, status: int, said: str) -> None:
    assert sentence(site.at(TODAY), path) == (status, said)


def test_a_month_in_full_width_digits_is_understood(site: Site) -> None:
    assert "2025年6月" in site.at(TODAY).get("/calendar", params={"month": "２０２５－０６"}).text


def test_the_timeline_and_its_table(site: Site) -> None:
    browser = site.at(TODAY)
    page = browser.get("/timeline").text
    table = page[page.index('id="table"') :]
    for link, said in links(table, r"[○●◐▲✓]\d+/\d+.*"):
        done, expected = map(int, re.findall(r"\d+", said)[:2])
        assert total(browser, link) == (expected - done if done < expected else done)
    assert re.search(r"任务2.*?2025年1月1日", table, re.DOTALL)
    for zoom, name in re.findall(r'href="/timeline\?zoom=([^&"]+)&amp;[^"]*"[^>]*>([^<]+)</a>', page):
        zoomed = browser.get(f"/timeline?zoom={zoom}").text
        assert f'aria-current="true">{name}</a>' in zoomed
    assert re.findall(r'aria-label="[^"]*任务1 任务一：2025年1月1日至2025年12月31日', page)
    assert "截至 5月31日" in page
    assert "截至 5月31日" not in browser.get("/timeline?zoom=2025-H2").text


def test_the_change_between_two_days_leads_to_its_items(site: Site) -> None:
    browser = site.at(TODAY)
    page = browser.get("/changes?from=2025-05-28&to=2025-05-31").text
    found = [one for one in links(page, r"\d+") if one[0].startswith("/changes/items")]
    assert {re.search(r"change=(\w+)", link)[1] for link, _ in found} >= {"done", "opened", "returned"}  # type: ignore[index]
    for link, said in found:
        assert total(browser, link) == int(said)
    shares = [one for one in links(page, r"\d+%") if one[0].startswith("/items")]
    assert {"as_of=2025-05-28" in link for link, _ in shares} == {True, False}
    for link, _ in shares:
        assert browser.get(link).status_code == 200
    done = browser.get("/changes/items?change=done&from=2025-05-28").text
    assert BUREAU_ITEM in done
    assert total(browser, "/changes/items?change=done&from=2025-05-28&under=city") == 1
    assert "这两日之间没有新办结的办理件" in browser.get("/changes/items?change=done&from=2025-05-30").text


def test_days_without_change_say_so(site: Site) -> None:
    page = site.at(TODAY).get("/changes?from=2025-02-03&to=2025-02-04").text
    assert "这两日之间没有变化" in page


def test_usual_spans_are_offered(site: Site) -> None:
    page = site.at("2025-05-28").get("/changes").text  # a Wednesday
    found = {words: link for link, words in links(page, "近7天|上周|上月")}
    assert "from=2025-05-21&to=2025-05-28" in found["近7天"]
    assert "from=2025-05-18&to=2025-05-25" in found["上周"]
    assert "from=2025-03-31&to=2025-04-30" in found["上月"]


def test_the_change_as_csv(site: Site) -> None:
    answer = site.at(TODAY).get("/changes.csv?from=2025-05-28")
    assert "%E4%B8%A4%E6%97%A5%E5%8F%98%E5%8C%9620250528-20250531.csv" in answer.headers["content-disposition"]
    titles, whole, *rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    told = dict(zip(titles, whole, strict=True))
    assert (told["名称"], told["新办结"], told["办结（2025-05-28）"], told["办结（2025-05-31）"]) == (
        "合计",
        "1",
        "0",
        "1",
    )
    assert {row[0] for row in rows} == {"行动", "任务", "旗县区"}
    city = next(dict(zip(titles, row, strict=True)) for row in rows if row[1] == "市级")
    assert (city["办结率%（2025-05-28）"], city["办结率%（2025-05-31）"]) == ("0.0", "100.0")


def test_a_township_sees_its_own(site: Site) -> None:
    browser = site.at(TODAY, roles={"900101": (Role.LIAISON,)})
    page = browser.get("/changes?from=2025-05-28").text
    assert BUREAU_ITEM not in browser.get("/changes/items?change=done&from=2025-05-28").text
    assert "按旗县区" not in page  # one county alone is no table
    [(due, said)] = links(browser.get("/calendar").text, r"\d+件")[:1]
    assert total(browser, due) == int(said[:-1]) == 2
    assert browser.get(f"/units/{COUNTIES[1]}/calendar").status_code == 403
    assert browser.get(f"/units/{VILLAGE}/calendar").status_code == 200


def test_a_task_page_tells_its_runs_acts_and_evidence(site: Site) -> None:
    browser = site.at(TODAY)
    page = browser.get("/tasks/1").text
    assert "尚未运行 · 下次 6月1日(周日) 08:00：启动 1.2" in page
    assert "已办 <b>3.5</b>/4" in page
    acts = re.findall(r"<b>(审核通过|退回|报送)</b>", page[page.index('id="acts"') :])
    assert acts == ["退回", "报送", "审核通过", "报送"]
    with site.database.write() as session:
        marks.mark(session, "sweep", as_of=date(2025, 5, 31), now=instant(TODAY, 7, 30))
    assert "上次运行 2025年5月31日 07:30（随每日巡检）" in browser.get("/tasks/1").text
    with site.database.write() as session:
        marks.mark(session, f"{CODE}-task-1", as_of=date(2025, 5, 31), now=instant(TODAY, 8, 0))
    assert "上次运行 2025年5月31日 08:00 · 下次" in browser.get("/tasks/1").text
    assert "上次运行" not in browser.get("/tasks/1?as_of=2025-05-30").text


def test_nothing_is_there_before_a_plan(database_url: str) -> None:
    with empty_site(database_url) as site:
        browser = site.at(TODAY)
        for path in ("/timeline", "/calendar", "/changes"):
            assert browser.get(path).status_code == 200, path
        assert browser.get("/changes.csv").status_code == 404


def counted(site: Site) -> dict[str, int]:
    browser, found = site.at(TODAY), {}
    for path in ("/timeline", "/calendar", "/changes", "/tasks/1", "/changes/items?change=opened"):
        browser.get(path)  # fills the caches of plan and calendars
        with statements(site.database) as sent:
            browser.get(path)
        found[path] = len(sent)
    return found


def test_the_statements_do_not_grow_with_the_items(sqlite_template: Path, tmp_path: Path) -> None:
    numbers = []
    for villages in (1, 25):
        path = tmp_path / f"{villages}.db"
        path.write_bytes(sqlite_template.read_bytes())
        with tiny_site(f"sqlite:///{path}", tmp_path / f"pack{villages}", villages=villages) as found:
            finish(found.database, MONTHLY, "2025-05-30", by=VILLAGE, reviewer="900101")
            numbers.append(counted(found))
    assert numbers[0] == numbers[1]
