"""延期申请 in a browser: asked for, answered, and both dates wherever the item is shown."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.acts import standing
from tests.api.site import MONTHLY, VILLAGE, Site
from tests.factories import BUREAU, query, village

pytestmark = pytest.mark.thorough

TOWN, DAY = "900101", "2025-01-20"
ASK = f"/units/{VILLAGE}/extend/{MONTHLY}"
GOOD = {"wanted": "2025-03-10", "reason": "大雪封路，入户推迟"}


def asked(site: Site, **fields: str) -> int:
    answer = site.at(DAY).post(ASK, data={**GOOD, **fields})
    assert answer.status_code == 303, answer.text
    with site.database.read() as session:
        return int(query(session, "SELECT max(id) FROM extension")[0][0])


def test_asked_and_granted(site: Site) -> None:
    browser = site.at(DAY)
    assert f'href="{ASK}?plan=tiny-2025">申请延期' in browser.get(f"/items/{MONTHLY}").text
    form = browser.get(ASK).text
    assert 'min="2025-01-31" max="2025-12-31"' in form
    id = asked(site)
    assert "已有一份延期申请等待审批" in browser.get(ASK).text
    own = browser.get(f"/units/{VILLAGE}/extensions?told=requested").text
    assert ("申请已提交" in own, "撤回申请" in own) == (True, True)
    waiting = browser.get(f"/units/{TOWN}/extensions").text
    for words in ("待审批 1 件", "原定 1月31日(周五)", "3月10日(周一)", "大雪封路，入户推迟"):
        assert words in waiting
    assert f'{TOWN}/extensions?plan=tiny-2025">待审批的延期 <b>1</b>' in browser.get(f"/units/{TOWN}").text
    answer = browser.post(f"/units/{TOWN}/extensions/{id}/grant", data={"until": "2025-02-14", "note": "同意半月"})
    assert answer.headers["location"] == f"/units/{TOWN}/extensions?told=granted"
    with site.database.read() as session:
        assert standing(session, MONTHLY).deadline == date(2025, 2, 14)


def test_both_dates_are_shown_and_a_past_day_shows_the_old_one(site: Site) -> None:
    id = asked(site)
    site.at(DAY).post(f"/units/{TOWN}/extensions/{id}/grant")
    browser = site.at("2025-01-21")
    item = browser.get(f"/items/{MONTHLY}").text
    assert "（延期，原定1月31日(周五)）" in item
    assert "经审批延期，原定2025年1月31日" in item
    assert "已同意，延至3月10日(周一)" in item
    listed = browser.get(f"/items?unit={VILLAGE}&requirement=1.2&period=2025-01").text
    assert "原定1月31日(周五)" in listed
    row = browser.get(f"/api/v1/items?unit={VILLAGE}&requirement=1.2&period=2025-01").json()["items"][0]
    assert (row["deadline"], row["planned"]) == ("2025-03-10", "2025-01-31")
    past = browser.get(f"/items/{MONTHLY}?as_of=2025-01-19").text
    assert ("原定" in past, "大雪封路" in past, "1月31日(周五)" in past) == (False, False, True)
    before = browser.get(f"/api/v1/items?unit={VILLAGE}&requirement=1.2&period=2025-01&as_of=2025-01-19").json()
    assert (before["items"][0]["deadline"], before["items"][0]["planned"]) == ("2025-01-31", None)


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"wanted": ""}, 422, "须写明理由和新的时限"),
        ({"reason": " "}, 422, "须写明理由和新的时限"),
        ({"wanted": "2025-01-31"}, 409, "须晚于现在的时限"),
        ({"wanted": "2026-01-01"}, 409, "不能晚于方案结束之日"),
        ({"wanted": "2025-02-30"}, 422, "没有2025年2月30日这一天"),
        ({"wanted": "下周"}, 422, "日期须写作"),
        ({"wanted": "9999-99-99"}, 422, "没有9999年99月99日"),
        ({"reason": "孩子证号 150203201501011239"}, 422, "疑似公民身份号码"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(
    site: Site, fields: dict[str, str], status: int, sentence: str
) -> None:
    answer = site.at(DAY).post(ASK, data={**GOOD, **fields})
    assert (answer.status_code, sentence in answer.text) == (status, True)
    typed = {**GOOD, **fields}
    assert f'value="{typed["wanted"]}"' in answer.text
    assert typed["reason"].strip() in answer.text
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM extension") == [(0,)]


def test_too_late(site: Site) -> None:
    answer = site.at("2025-02-01").post(ASK, data=GOOD)
    assert (answer.status_code, "时限已过，不能再申请延期" in answer.text) == (409, True)
    assert "申请延期</a>" not in site.at("2025-02-01").get(f"/items/{MONTHLY}").text


def test_only_the_unit_itself_asks(site: Site) -> None:
    for stranger in (TOWN, village(1, 2), BUREAU):
        assert site.at(DAY).get(ASK.replace(VILLAGE, stranger, 1)).status_code == 403
        assert site.at(DAY).post(ASK.replace(VILLAGE, stranger, 1), data=GOOD).status_code == 403
    assert site.at(DAY).post(ASK, data=GOOD, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_answers_that_are_not_taken(site: Site) -> None:
    id = asked(site)
    browser, path = site.at(DAY), f"/units/{TOWN}/extensions/{id}"
    answer = browser.post(f"{path}/refuse", data={"note": "", "until": "2025-03-01"})
    assert (answer.status_code, "不同意延期须写明理由" in answer.text) == (422, True)
    assert 'value="2025-03-01"' in answer.text
    answer = browser.post(f"{path}/grant", data={"until": "2025-03-11", "note": "同意"})
    assert (answer.status_code, "不能晚于申请的时限" in answer.text, 'value="同意"' in answer.text) == (409, True, True)
    assert browser.post(f"{path}/grant", data={"until": "明天"}).status_code == 422
    assert browser.post(f"/units/900201/extensions/{id}/grant").status_code == 403
    assert browser.post(f"/units/{TOWN}/extensions/{id + 1}/grant").status_code == 404
    assert browser.post(f"/units/{TOWN}/extensions/{2**70}/grant").status_code == 422


def test_withdrawn_and_decided_at_the_same_time(site: Site) -> None:
    id = asked(site)
    browser = site.at(DAY)
    assert browser.post(f"/units/{TOWN}/extensions/{id}/withdraw").status_code == 403
    assert browser.post(f"/units/{VILLAGE}/extensions/{id}/withdraw").status_code == 303
    answer = browser.post(f"/units/{TOWN}/extensions/{id}/grant")
    assert (answer.status_code, "已被撤回或审批" in answer.text) == (409, True)
    assert "已撤回" in browser.get(f"/units/{VILLAGE}/extensions").text


def test_refused_with_its_reason(site: Site) -> None:
    id = asked(site)
    site.at(DAY).post(f"/units/{TOWN}/extensions/{id}/refuse", data={"note": "能按期完成", "by_name": "王主任"})
    html = site.at(DAY).get(f"/units/{VILLAGE}/extensions").text
    assert ("不同意" in html, "能按期完成" in html, "王主任" in html) == (True, True, True)
    assert "不同意，能按期完成" in site.at(DAY).get(f"/items/{MONTHLY}").text


def test_an_empty_list_says_what_to_do(site: Site) -> None:
    html = site.at(DAY).get(f"/units/{VILLAGE}/extensions").text
    assert "确需延期的，请在时限之前从办理件页面申请" in html
