"""信息 by HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.exemplars import Office, office_of, text_of
from tests.api.test_pages import read
from tests.exemplar_site import FIRST, SECOND, YEARLY, given
from tests.factories import BUREAU, query, statements, village

pytestmark = pytest.mark.thorough

DESK = f"/units/{FIRST}/bulletin"
REVIEW = f"/units/{BUREAU}/bulletin"
TEXT = "近日开展宣传活动。" * 60
FORM = {"year": "2025", "title": "宣传周", "text": TEXT}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_of(database_url, tmp_path) as found:
        yield found


def test_sent_returned_sent_again_counted_and_reported(site: Office) -> None:
    browser = site.at()
    assert browser.post(DESK, data={**FORM, "by_name": "张"}).status_code == 303
    assert "宣传周" in text_of(browser.get(REVIEW).text)
    browser.post(f"{REVIEW}/1/review", data={"version": "1", "action": "send_back", "reason": "缺数据"})
    assert "退回意见：缺数据" in text_of(browser.get(DESK).text)
    again = {"version": "1", "title": "宣传周", "text": TEXT + "共86场。"}
    assert browser.post(f"{DESK}/1", data=again).status_code == 303
    assert browser.post(f"{REVIEW}/1/review", data={"version": "1", "action": "count"}).status_code == 409
    assert browser.post(f"{REVIEW}/1/review", data={"version": "2", "action": "count"}).status_code == 303
    assert "按已计入的 1 篇报送" in text_of(browser.get(DESK).text)
    assert browser.post(f"{DESK}/year", data={"year": "2025"}).status_code == 303
    assert browser.post(f"{DESK}/year", data={"year": "2025"}).status_code == 409
    with site.database.read() as session:
        assert given(session, YEARLY)[0] == ("measure", "items_sent", 1, None)


def test_a_form_sent_twice_is_one(site: Office) -> None:
    browser = site.at()
    assert [browser.post(DESK, data=FORM).status_code for _ in range(2)] == [303, 303]
    other = browser.post(DESK, data={**FORM, "text": "另一篇"})
    assert (other.status_code, "已有同题信息" in other.text, "另一篇" in other.text) == (422, True, True)
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM bulletin_item") == [(1,)]


@pytest.mark.parametrize("day", ["2024-12-15", "2025-06-20", "2026-03-01"])
def test_the_page_is_whole_on_every_day(site: Office, day: str) -> None:
    browser = site.at(day)
    browser.post(DESK, data=FORM)
    for path in (DESK, REVIEW, f"/units/{village(1, 1)}/bulletin", f"{DESK}?year=2025"):
        answer = browser.get(path)
        tags = read(answer.text)
        assert (path, answer.status_code, tags.faults, tags.open) == (path, 200, [], [])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({**FORM, "title": ""}, "请填写标题"),
        ({**FORM, "text": " \r\n"}, "请填写正文"),
        ({**FORM, "title": "题" * 61}, "不超过 60 字"),
        ({**FORM, "text": "字" * 10_001}, "不超过 10000 字"),
        ({**FORM, "year": "2031"}, "须在2025年至2025年之间"),
        ({**FORM, "text": "身份证110101199003070134"}, "不能提交"),
    ],
)
def test_what_cannot_be_sent_stays_in_the_form(site: Office, data: dict[str, str], words: str) -> None:
    answer = site.at().post(DESK, data=data)
    assert (answer.status_code, words in text_of(answer.text)) == (422, True)
    assert data["title"] in answer.text
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM bulletin_item") == [(0,)]


@pytest.mark.parametrize("year", ["", "x", "99999", "２０２５年"])
def test_a_year_that_is_none(site: Office, year: str) -> None:
    assert site.at().post(DESK, data={**FORM, "year": year}).status_code == 422


def test_hostile_text_is_only_text(site: Office) -> None:
    hostile = "<img src=x onerror=alert(1)></textarea>"
    browser = site.at()
    browser.post(DESK, data={**FORM, "title": hostile, "text": hostile})
    browser.post(f"{REVIEW}/1/review", data={"version": "1", "action": "send_back", "reason": hostile})
    for path in (DESK, REVIEW):
        html = browser.get(path).text
        assert "<img src=x" not in html
        assert read(html).open == []


def test_others_do_not_decide_or_change(site: Office) -> None:
    browser = site.at()
    browser.post(DESK, data=FORM)
    assert browser.post(f"{DESK}/1/review", data={"version": "1", "action": "count"}).status_code == 403
    strange = browser.post(f"/units/{SECOND}/bulletin/1", data={"version": "1", "title": "我", "text": "改"})
    assert strange.status_code == 403
    assert browser.post(f"{REVIEW}/9/review", data={"version": "1", "action": "count"}).status_code == 404
    assert browser.post(f"{REVIEW}/1/review", data={"version": "1", "action": "burn"}).status_code == 422
    assert browser.post(DESK, data=FORM, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_as_many_statements_for_many_as_for_one(site: Office) -> None:
    browser = site.at()
    browser.post(DESK, data=FORM)

    def asked() -> list[int]:
        counts = []
        for path in (DESK, REVIEW):
            with statements(site.database) as sent:
                assert browser.get(path).status_code == 200
            counts.append(len(sent))
        return counts

    few = asked()
    for n in range(10):
        browser.post(f"/units/{SECOND if n % 2 else FIRST}/bulletin", data={**FORM, "title": f"信息{n}"})
    assert asked() == few
