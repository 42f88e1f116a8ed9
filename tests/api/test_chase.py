"""催办 by hand in a browser: seen, sent once, and looked at afterwards; who may, and what people really send."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ledger import submissions
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import items
from ledger.queries.reading import open_plan
from policy_models.timing import LATE
from tests.api.site import MONTHLY, VILLAGE, Site, tiny_site
from tests.api.test_pages import read, text_of
from tests.chasing import add_person, confirm_mail
from tests.factories import BUREAU, CODE, instant, item, office, query, village

pytestmark = pytest.mark.thorough

DAY = "2025-02-07"
OTHER = village(1, 2)
OTHER_KEY = item("1.2", OTHER, "2025-01")
FEBRUARY = item("1.2", VILLAGE, "2025-02")
DESK, TOWN = f"/units/{BUREAU}/chase", "/units/900101/chase"
KEYS = f"{MONTHLY} {OTHER_KEY}"


def seen(answer: Any) -> str:
    """What a reader sees of a page whose elements are closed in order and which runs nothing foreign."""
    tags = read(answer.text)
    assert (tags.faults, tags.open, tags.forbidden) == ([], [], ["script"] * tags.forbidden.count("script"))
    assert all(found.startswith("/static/") for found in tags.loads)
    return unescape(text_of(answer.text))


def sent(site: Site) -> list[tuple[object, ...]]:
    with site.database.read() as session:
        return query(session, "SELECT recipient, channel FROM outbox WHERE kind = 'chase' ORDER BY id")


def test_seen_sent_and_looked_at(site: Site) -> None:
    with site.database.write() as session:
        confirm_mail(session)
        add_person(session, VILLAGE, "王敏", liaison=True, email="wang@example.cn")
    browser = site.at(DAY)
    page = browser.get(DESK, params={"key": [MONTHLY, OTHER_KEY]})
    told = seen(page)
    assert page.status_code == 200
    assert "将向 2 个单位发送催办，涉及 2 项 " in told
    assert "催办：1项已逾期，请抓紧报送（市民政局）" in told
    assert (
        "1县1村 王敏同志： 市民政局催办：截至2025年2月7日（周五），《小方案》有下列事项尚未报送，请抓紧办理。" in told
    )
    assert "1 个单位没有可联系的联络员，只有站内消息。" in told
    assert "现在不在工作时段" not in told
    assert f'<input type="hidden" name="keys" value="{KEYS}">' in page.text
    assert sent(site) == []
    answer = browser.post(DESK, data={"keys": KEYS, "words": "请于本周补报", "by_name": "李强"})
    assert answer.status_code == 303
    result = browser.get(answer.headers["location"])
    told = seen(result)
    assert "已催办 2 个单位的 2 项，消息 3 条（其中发给个人 1 条）。" in told
    assert "李强 · 2025年2月7日 09:00" in told
    assert "催办说明 请于本周补报" in told
    assert "1县1村 王敏 电子邮件 1 待发送" in told
    assert sent(site) == [(VILLAGE, "inbox"), (OTHER, "inbox"), (VILLAGE, "email")]


def test_a_double_click_sends_once_and_says_so(site: Site) -> None:
    browser = site.at(DAY)
    first = browser.post(DESK, data={"keys": KEYS})
    again = browser.post(DESK, data={"keys": KEYS})
    place = first.headers["location"].partition("?")[0]
    assert again.headers["location"].partition("?")[0] == place
    told = seen(browser.get(again.headers["location"]))
    assert "这些事项今天已经催办过，没有重复发送。" in told
    assert "没有催办的 2" in told
    assert "1县1村 · 今天已催办过" in told
    assert len(sent(site)) == 2
    assert "所选的 2 项现在都不需要催办。" in seen(browser.get(DESK, params={"key": [MONTHLY, OTHER_KEY]}))
    # somebody else's desk had not sent it: the page says why there is nothing to do
    other = browser.post(TOWN, data={"keys": KEYS})
    assert (other.status_code, "今天已催办过" in seen(other)) == (200, True)
    assert len(sent(site)) == 2


def test_what_was_settled_meanwhile_is_named_in_the_result(site: Site) -> None:
    browser = site.at(DAY)
    with site.database.write() as session:
        submissions.submit(session, MONTHLY, by=office(VILLAGE), evidence=[], now=instant(DAY, 8))
    told = seen(browser.get(browser.post(DESK, data={"keys": KEYS}).headers["location"]))
    assert "已催办 1 个单位的 1 项" in told
    assert "1县1村 · 现为“待审核”" in told
    assert sent(site) == [(OTHER, "inbox")]


def test_whoever_was_reminded_today_is_told_before(site: Site) -> None:
    browser = site.at(DAY)
    browser.post(DESK, data={"keys": MONTHLY})
    told = seen(browser.get(DESK, params={"key": [FEBRUARY, OTHER_KEY]}))
    assert "将向 2 个单位发送催办，涉及 2 项，其中 1 个单位今天已提醒过" in told
    assert "已提醒过 2025年2月7日 09:00" in told


def test_words_stay_when_they_are_refused(site: Site) -> None:
    browser = site.at(DAY)
    for words, status, sentence in (
        ("请补报150203201501011239的材料", 422, "疑似公民身份号码"),
        ("请" * 201, 409, "催办说明不能超过200字，现为201字"),
    ):
        answer = browser.post(DESK, data={"keys": KEYS, "words": words, "principals": "on"})
        told = seen(answer)
        assert (answer.status_code, sentence in told, "尚未发送任何消息" in told) == (status, True, True)
        assert f">{words}</textarea>" in answer.text
        assert 'value="on" checked' in answer.text
    assert sent(site) == []
    with site.database.read() as session:
        assert query(session, "SELECT place, outcome FROM screening") == [("催办说明", "blocked")]


def test_the_preview_with_words_sends_nothing(site: Site) -> None:
    answer = site.at(DAY).post(f"{DESK}/preview", data={"keys": KEYS, "words": "<b>请</b>\n\n抓紧 {{ 7*7 }}"})
    assert answer.status_code == 200
    assert "催办说明：<b>请</b> 抓紧 {{ 7*7 }} 已逾期" in seen(answer).replace("&lt;", "<")
    assert "&lt;b&gt;请&lt;/b&gt;" in answer.text
    assert sent(site) == []


def test_out_of_hours_it_says_when(site: Site) -> None:
    with site.database.write() as session:
        add_person(session, VILLAGE, "王敏", liaison=True)
    told = seen(site.at("2025-02-09").get(DESK, params={"key": MONTHLY}))  # a Sunday
    assert "现在不在工作时段：站内消息随即送达，其他渠道的消息 2025年2月10日 08:30 起发出。" in told


def test_only_those_above(site: Site) -> None:
    browser = site.at(DAY)
    for desk in (f"/units/{VILLAGE}/chase", "/units/9002-mz/chase", "/units/9000-jy/chase"):
        for answer in (browser.get(desk, params={"key": MONTHLY}), browser.post(desk, data={"keys": MONTHLY})):
            assert (answer.status_code, "不是下级单位的" in answer.text) == (403, True)
    assert browser.post(DESK, data={"keys": KEYS}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert (
        browser.post(f"{DESK}/preview", data={"keys": KEYS}, headers={"sec-fetch-site": "cross-site"}).status_code
        == 403
    )
    assert sent(site) == []
    assert browser.post(TOWN, data={"keys": KEYS}).status_code == 303
    assert sent(site) == [(VILLAGE, "inbox"), (OTHER, "inbox")]


@pytest.mark.parametrize(
    ("path", "data", "status", "sentence"),
    [
        (DESK, {}, 404, "没有选择要催办的事项，请先勾选"),
        (DESK, {"keys": "   "}, 404, "没有选择要催办的事项，请先勾选"),
        (DESK, {"keys": "tiny-2025:9.9:x:once"}, 404, "没有编号为 tiny-2025:9.9:x:once 的办理件"),
        (DESK, {"keys": "k" * 121}, 404, "选择的内容不完整"),
        (DESK, {"keys": "a\x00b"}, 404, "选择的内容不完整"),
        (DESK, {"keys": " ".join(f"k{n}" for n in range(2001))}, 409, "一次最多催办2000项，现选择了2001项"),
        (f"{DESK}/preview", {"pick": "' OR 1=1 --"}, 404, "没有编号为"),
        ("/units/nowhere/chase", {"keys": MONTHLY}, 404, "没有代码为“nowhere”的单位"),
        (DESK, {"keys": MONTHLY, "words": "x" * 2001}, 422, "催办说明"),
    ],
)
def test_what_people_send_by_mistake(site: Site, path: str, data: dict[str, str], status: int, sentence: str) -> None:
    answer = site.at(DAY).post(path, data=data)
    assert (answer.status_code, sentence in unescape(answer.text)) == (status, True), answer.text[-800:]
    assert sent(site) == []


@pytest.mark.parametrize("batch", ["0", "999999", "abc", str(2**70)])
def test_a_sending_that_never_was(site: Site, batch: str) -> None:
    assert site.at(DAY).get(f"{DESK}/{batch}").status_code in (404, 422)


def test_hundreds_at_once(database_url: str, tmp_path: Path) -> None:
    """More than a thousand: ticked boxes and the joined field of the preview both arrive whole."""
    with tiny_site(database_url, tmp_path / "pack", villages=600) as site:
        browser = site.at(DAY)
        page = browser.get(DESK, params={"late": "on"})
        told = seen(page)
        keys = re.search(r'name="keys" value="([^"]*)"', page.text)
        assert keys is not None
        assert len(keys[1].split()) == 1200
        assert "将向 1200 个单位发送催办，涉及 1200 项" in told
        answer = browser.post(DESK, data={"keys": keys[1]})
        assert answer.status_code == 303
        assert "已催办 1200 个单位的 1200 项，消息 1200 条。" in seen(browser.get(answer.headers["location"]))
        assert len(sent(site)) == 1200


def test_everything_overdue_below_or_of_one_unit(site: Site) -> None:
    browser = site.at(DAY)
    with site.database.read() as session:
        reading = open_plan(session, CODE, as_of=None, now=instant(DAY))
        assert reading is not None
        late = items(session, reading, ItemFilter(timing=tuple(LATE)), limit=99).total
    assert f"涉及 {late} 项" in seen(browser.get(DESK, params={"late": "on"}))
    assert "将向 2 个单位发送催办，涉及 2 项" in seen(browser.get(TOWN, params={"late": "on"}))
    assert "将向 1 个单位发送催办，涉及 1 项" in seen(browser.get(DESK, params={"late": "on", "unit": VILLAGE}))
    early = seen(site.at("2025-01-15").get(TOWN, params={"late": "on"}))
    assert "下级单位目前没有逾期未报送的事项，不需要催办。" in early
    assert "1县1村目前没有逾期" in seen(site.at("2025-01-15").get(DESK, params={"late": "on", "unit": VILLAGE}))


def test_the_ways_to_the_page(site: Site) -> None:
    browser = site.at(DAY)
    board, unit = browser.get("/").text, browser.get(f"/units/{VILLAGE}").text
    county, shown = browser.get("/units/9001").text, browser.get(f"/items/{MONTHLY}").text
    plan = f"plan={CODE}"
    assert f'href="{DESK}?late=on&amp;{plan}">催办这' in board
    assert f'href="{TOWN}?late=on&amp;unit={VILLAGE}&amp;{plan}">由上级单位催办这 1 项' in unit
    assert f'href="{DESK}?late=on&amp;unit={VILLAGE}&amp;{plan}">由统筹单位催办这 1 项' in unit
    assert f'href="/units/9001/chase?late=on&amp;{plan}">催办下级单位逾期事项' in county
    assert f'href="{DESK}?late=on&amp;{plan}">催办逾期' in browser.get(f"/units/{BUREAU}").text
    key = quote(MONTHLY, safe="")
    assert f'href="{TOWN}?key={key}&amp;{plan}">由1县镇催办' in shown
    assert f'href="{DESK}?key={key}&amp;{plan}">由市民政局催办' in shown
    for past in ("/", f"/units/{VILLAGE}", "/units/9001", f"/items/{MONTHLY}"):
        assert "/chase?" not in browser.get(past, params={"as_of": "2025-02-06"}).text


def test_ticked_in_the_register(site: Site) -> None:
    browser = site.at(DAY)
    page = browser.get("/register", params={"requirement": "1.2", "period": "2025-01"})
    assert seen(page).count("序号") >= 1
    assert f'action="{DESK}/preview?requirement=1.2&amp;period=2025-01&amp;plan={CODE}"' in page.text
    ticked = re.findall(r'name="pick" value="([^"]*)"', page.text)
    assert MONTHLY in ticked
    assert len(ticked) == 4
    answer = browser.post(f"{DESK}/preview", data={"pick": ticked})
    assert "将向 4 个单位发送催办，涉及 4 项" in seen(answer)
    narrowed = browser.get("/register", params={"within": "900101"}).text
    assert f'action="{TOWN}/preview?within=900101&amp;plan={CODE}"' in narrowed
    alone = browser.get("/register", params={"within": VILLAGE}).text
    assert f'action="{DESK}/preview?within={VILLAGE}&amp;plan={CODE}"' in alone
    past = browser.get("/register", params={"as_of": "2025-02-06"}).text
    assert 'name="pick"' in past  # to be exported
    assert "/chase/" not in past
    with site.database.write() as session:
        submissions.submit(session, MONTHLY, by=office(VILLAGE), evidence=[], now=instant(DAY, 8))
    handed_in = browser.post(f"{DESK}/preview", data={"pick": MONTHLY})
    assert "所选的 1 项现在都不需要催办" in seen(handed_in)
