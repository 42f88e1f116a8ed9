"""通报 as pages: what was issued, a preview, the paper, the short address; its numbers are those of the lists behind."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import docx
import pytest

from ledger import circulars
from tests.api.site import Site, empty_site, finish, send_back, tiny_site
from tests.factories import BUREAU, CODE, COUNTIES, instant, item, load, opened, statements, tiny_pack, village

pytestmark = pytest.mark.thorough

WEEKLY, PAPER = "/circulars/weekly/2025-W14", "/circulars/weekly/2025-W14.docx"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path) as site:
        one, two = village(1, 1), village(1, 2)
        finish(site.database, item("1.2", one, "2025-03"), "2025-04-01", by=one, reviewer="900101")
        send_back(site.database, item("1.2", two, "2025-03"), "2025-04-02", by=two, reviewer="900101")
        yield site


def issued(site: Site, day: str = "2025-04-07") -> list[int]:
    with site.database.write() as session:
        return [one.id for one in circulars.issue_due(session, CODE, now=instant(day, 8, 40))]


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_an_issued_one_is_shown_as_it_was(site: Site) -> None:
    issued(site)
    finish(site.database, item("1.2", village(2, 1), "2025-03"), "2025-04-08", by=village(2, 1), reviewer="900201")
    page = site.at("2025-05-20").get(WEEKLY)
    assert page.status_code == 200
    shown = text(page.text)
    assert "方案落实情况周通报（2025年第14周）" in shown
    assert "2025年4月7日 08:40发布，内容以发布时为准" in shown
    assert "发往 1 处：已送达 0，等待发送 1。" in shown
    assert "现将《小方案》2025年第14周（3月31日至4月6日）落实情况通报如下：" in shown
    assert "预览" not in shown
    with site.database.read() as session:
        kept = circulars.circulars_of(session, 1, 2025)[0].circular
    for one in kept.sections:
        assert one.heading in shown
        assert one.text in shown
    assert "截至2025年4月6日" in shown


def test_every_number_of_the_tables_leads_to_as_many_items(site: Site) -> None:
    """The links carry the day of the circular; the list behind counts what the cell says."""
    issued(site)
    browser = site.at("2025-05-20")
    links = []
    for path, day in ((WEEKLY, "2025-04-06"), ("/circulars/monthly/2025-03", "2025-03-31")):
        found = re.findall(r'<a href="(/items\?[^"]+)">(\d+)</a>', browser.get(path).text)
        assert all(f"as_of={day}" in target for target, _ in found)
        links += found
    assert {word for target, _ in links for word in re.findall(r"timing=(\w+)", target)} == {
        "expected", "done", "late", "long_overdue", "unreported",
    }  # fmt: skip
    for target, number in links:
        target = unescape(target)
        answer = browser.get(f"/api/v1{target}").json()
        assert answer["total"] == int(number), target


def test_the_board_of_that_day_shows_the_same_figures(site: Site) -> None:
    issued(site)
    browser = site.at("2025-05-20")
    for path, day in (("weekly/2025-W14", "2025-04-06"), ("monthly/2025-03", "2025-03-31")):
        board = browser.get(f"/api/v1/board?as_of={day}").json()
        areas = browser.get(f"/api/v1/circulars/{path}").json()["areas"]
        sums = {name: sum(one[name] for one in areas) for name in ("expected", "done", "overdue", "due")}
        assert sums == {name: board["total"][name] for name in sums}
        assert f"方案全程应办{sums['expected']}件，时限已到{sums['due']}件" in browser.get(f"/circulars/{path}").text


def test_a_running_period_is_a_preview_of_now_and_nothing_is_kept(site: Site) -> None:
    browser = site.at("2025-04-02")
    shown = text(browser.get(WEEKLY).text)
    assert "预览 本期尚未结束，按此刻的台账推算，将于4月7日(周一)发布。" in shown
    assert "截至2025年4月2日 · 预览" in shown
    assert "时限已到20件" in shown
    with site.database.read() as session:
        assert circulars.years_with_circulars(session, 1) == ()
    document = docx.Document(io.BytesIO(browser.get(PAPER).content))
    assert "预览稿：未发布，数据以发布时为准" in [one.text for one in document.paragraphs]


@pytest.mark.parametrize(
    ("today", "period", "words"),
    [
        ("2025-05-20", "weekly/2025-W05", "预览 本期没有发布。以下按台账推算。"),
        ("2025-04-01", "monthly/2025-03", "预览 本期已结束，将于4月1日(周二)发布。以下按台账推算。"),
        ("2025-04-06", "weekly/2025-W14", "预览 本期尚未结束，按此刻的台账推算，将于4月7日(周一)发布。"),
    ],
)
def test_one_that_was_not_issued_can_be_looked_at_and_says_so(site: Site, today: str, period: str, words: str) -> None:
    assert words in text(site.at(today).get(f"/circulars/{period}").text)


def test_the_paper_is_the_same_each_time_and_named_for_people(site: Site) -> None:
    issued(site)
    first, later = site.at("2025-04-07").get(PAPER), site.at("2025-05-20").get(PAPER)
    assert first.content == later.content
    assert first.headers["content-type"].endswith("wordprocessingml.document")
    assert "%E6%96%B9%E6%A1%88" in first.headers["content-disposition"]
    assert docx.Document(io.BytesIO(first.content)).paragraphs[0].text == "方案落实情况周通报（2025年第14周）"


def test_the_list_of_a_year_and_the_way_to_the_running_ones(site: Site) -> None:
    empty = text(site.at("2025-04-03").get("/circulars").text)
    assert "2025年还没有发布过周通报。每周结束后的第一个工作日自动发布，可先查看上面的预览。" in empty
    issued(site)
    page = site.at("2025-04-09").get("/circulars").text
    shown = text(page)
    assert "周通报 · 2025年第15周 预览 4月7日(周一)至4月13日(周日)，将于4月14日(周一)发布" in shown
    assert "2025年第14周 4月6日(周日) 4月7日(周一)" in shown
    assert f'href="{WEEKLY}?plan={CODE}"' in page
    assert f'href="{PAPER}?plan={CODE}"' in page
    assert "2024年还没有发布过月通报" in text(site.at("2025-04-09").get("/circulars?year=2024").text)
    assert site.at("2025-04-09").get("/circulars?year=x").status_code == 422


def test_the_short_address_of_messages_leads_to_the_page(site: Site) -> None:
    [id, _] = issued(site)
    answer = site.at("2025-04-09").get(f"/circulars/{id}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WEEKLY}?plan={CODE}")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/circulars/weekly/2025-W99", 404, "期次写作 2025-W14 的样子"),
        ("/circulars/monthly/2025-13", 404, "期次写作 2025-03 的样子"),
        ("/circulars/daily/2025-W14", 404, "周通报（weekly）和月通报（monthly）"),
        ("/circulars/weekly/2025-W16", 404, "尚未开始"),
        ("/circulars/weekly/2024-W40", 404, "早于方案开始"),
        ("/circulars/999", 404, "没有这份通报"),
        ("/circulars/weekly/%00", 422, ""),
        ("/circulars/weekly/2025-W14?plan=nothing", 404, ""),
        ("/circulars/99999999999999999999", 422, ""),
        ("/circulars/weekly/" + "9" * 200, 422, ""),
        ("/api/v1/circulars/weekly/2025-W99", 404, "期次写作"),
    ],
)
def test_wrong_addresses_end_in_a_sentence(site: Site, path: str, status: int, words: str) -> None:
    answer = site.at("2025-04-10").get(path)
    assert answer.status_code == status
    assert words in answer.text


def test_the_same_as_json(site: Site) -> None:
    issued(site)
    browser = site.at("2025-04-10")
    listed = browser.get("/api/v1/circulars").json()
    assert [(one["kind"], one["period"], one["issued_on"]) for one in listed] == [
        ("weekly", "2025-W14", "2025-04-07"),
        ("monthly", "2025-03", "2025-04-07"),
    ]
    assert browser.get("/api/v1/circulars/weekly/2025-W14").json() == listed[0]
    running = browser.get("/api/v1/circulars/weekly/2025-W15").json()
    assert (running["issued_on"], running["day"]) == (None, "2025-04-10")
    assert {one["code"] for one in listed[0]["areas"]} == {*COUNTIES, BUREAU}


def test_without_a_plan_there_is_a_sentence(database_url: str) -> None:
    with empty_site(database_url) as site:
        for path in ("/circulars", WEEKLY, PAPER):
            answer = site.at("2025-04-10").get(path)
            assert answer.status_code == 404
            assert "还没有方案" in answer.text


def test_as_many_statements_with_many_villages_as_with_few(database_url: str, tmp_path: Path) -> None:
    sent = []
    with opened(database_url) as database:
        for villages in (1, 30):
            load(database, tiny_pack(tmp_path, villages=villages))
            browser = Site(database).at("2025-04-10")
            with statements(database) as seen:
                assert browser.get("/circulars/weekly/2025-W15").status_code == 200
            sent.append(len(seen))
    assert sent[0] == sent[1]
