"""日历 on pages: a notice pasted is shown with all that it moves, entered into the ledger, kept by a load, taken back."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from ledger import plans, tally
from ledger.loading import NOTHING, load_plan
from policy_models.access import Role
from policy_models.calendars import Calendars, Confidence
from tests.api.site import Site
from tests.factories import CODE, COUNTIES, instant, query, tiny_pack

pytestmark = pytest.mark.thorough

DAY = "2025-06-02"
NOW = instant(DAY)
# The notice of 2025 as it might have been: 国庆节 two days longer, and 30 September off.
NOTICE = """国务院办公厅关于２０２５年部分节假日安排的通知
国办发明电〔2024〕12号
一、元旦：1月1日（周三）放假1天，不调休。
二、春节：1月28日（农历除夕、周二）至2月4日（农历正月初七、周二）放假调休，共8天。1月26日（周日）、2月8日（周六）上班。
三、清明节：4月4日（周五）至6日（周日）放假，共3天。
四、劳动节：5月1日（周四）至5日（周一）放假调休，共5天。4月27日（周日）上班。
五、端午节：5月31日（周六）至6月2日（周一）放假，共3天。
六、国庆节、中秋节：9月30日（周二）至10月9日（周四）放假调休，共10天。9月28日（周日）、10月11日（周六）上班。
国务院办公厅
2024年11月12日"""
SCHOOL = {
    "school_year": "2024-2025",
    "winter_first": "2025-01-11",
    "winter_last": "2025-02-23",
    "summer_first": "２０２５－０７－０５",
    "summer_last": "2025/08/24",
    "issuer": "小城教育局",
    "document": "〔2024〕1号",
}
NOTICES, ENTERED = "/admin/calendars/notice", "/admin/calendars?told=entered"


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text[text.index("<main") :])).split())


def seen(page: Response) -> str:
    [found] = re.findall(r'name="seen" value="(\w{64})"', page.text)
    return str(found)


def held(site: Site) -> Calendars:
    with site.database.read() as session:
        return plans.calendars(session, CODE)


def dates(site: Site, requirement: str) -> dict[str, tuple[str, str]]:
    """Deadline and day to aim at of the duties of a requirement, by period and area."""
    with site.database.read() as session:
        rows = query(
            session,
            "SELECT d.period, d.area, d.deadline, d.remind_by FROM duty d JOIN requirement r ON r.id = d.requirement_id "
            "WHERE r.code = :code AND d.dropped = false ORDER BY 1, 2",
            code=requirement,
        )
    return {f"{period} {area}": (str(deadline), str(aim)) for period, area, deadline, aim in rows}


def items(site: Site, requirement: str) -> set[tuple[str, str, str]]:
    with site.database.read() as session:
        rows = query(
            session,
            "SELECT w.period, u.county, w.deadline FROM work_item w JOIN requirement r ON r.id = w.requirement_id "
            "JOIN unit u ON u.code = w.unit_code WHERE r.code = :code AND w.state NOT IN ('cancelled')",
            code=requirement,
        )
    return {(period, county, str(deadline)) for period, county, deadline in rows}


def enter(browser: TestClient, text: str = NOTICE) -> Response:
    shown = browser.post(NOTICES, data={"text": text})
    return browser.post(f"{NOTICES}/confirm", data={"text": text, "seen": seen(shown)})


def test_shown_then_entered_then_taken_back(site: Site) -> None:
    browser, before = site.at(DAY), dates(site, "1.2")
    assert before["2025-09 *"] == ("2025-09-30", "2025-09-30")
    shown = browser.post(NOTICES, data={"text": NOTICE})
    said = words(shown.text)
    assert "中秋节、国庆节 9月30日（周二）至10月9日（周四） 10" in said
    assert "与现在不同的日子 2 9月30日（周二） 工作日 → 中秋节、国庆节 10月9日（周四） 工作日 → 中秋节、国庆节" in said
    assert "时限不变，报送日变动 6 件" in said
    assert "1.2 事项1.2 2025年9月 全部 9月30日(周二) 9月30日(周二) 请于9月29日前报送 时限不变，报送日变动 4 件" in said
    assert dates(site, "1.2") == before  # nothing was written
    done = enter(browser)
    assert (done.status_code, done.headers["location"]) == (303, ENTERED)
    assert "日历已更新" in browser.get(ENTERED).text
    assert dates(site, "1.2") == {**before, "2025-09 *": ("2025-09-30", "2025-09-29")}
    with site.database.read() as session:
        assert tally.recount(session, CODE) == []
        assert query(session, "SELECT act, done FROM audit") == [("录入放假安排", True)]
        assert query(session, "SELECT version FROM plan") == [(1,)]  # every feed looks anew
    back = browser.get("/admin/calendars/1/restore")
    assert "9月30日（周二） 中秋节、国庆节 → 工作日" in words(back.text)
    undone = browser.post("/admin/calendars/1/restore", data={"seen": seen(back)})
    assert undone.headers["location"] == "/admin/calendars?told=restored"
    assert dates(site, "1.2") == before
    assert "撤销：2025年放假安排" in browser.get("/admin/calendars").text
    assert browser.get("/admin/calendars/1/restore").status_code == 409
    assert browser.get("/admin/calendars/77/restore").status_code == 404


def test_a_load_keeps_what_was_entered(site: Site, tmp_path: Path) -> None:
    enter(site.at(DAY))
    pack = tiny_pack(tmp_path / "pack")
    with site.database.write() as session:
        assert load_plan(session, pack, now=NOW) == NOTHING
    assert not held(site).work.is_workday(instant("2025-09-30").date())
    browser = site.at(DAY)
    back = browser.get("/admin/calendars/1/restore")
    browser.post("/admin/calendars/1/restore", data={"seen": seen(back)})
    with site.database.write() as session:
        assert load_plan(session, pack, now=NOW) == NOTHING
    assert held(site).work.is_workday(instant("2025-09-30").date())


def test_the_same_notice_again_is_not_written(site: Site) -> None:
    browser = site.at(DAY)
    enter(browser)
    again = browser.post(NOTICES, data={"text": NOTICE})
    assert ("与现在完全一致" in again.text, "/notice/confirm" in again.text) == (True, False)


def test_what_changed_meanwhile_is_shown_again(site: Site) -> None:
    browser = site.at(DAY)
    shown = browser.post(NOTICES, data={"text": NOTICE})
    enter(
        browser,
        NOTICE.replace(
            "9月30日（周二）至10月9日（周四）放假调休，共10天", "10月1日（周三）至8日（周三）放假调休，共8天"
        ),
    )
    late = browser.post(f"{NOTICES}/confirm", data={"text": NOTICE, "seen": seen(shown)})
    assert (late.status_code, "请重新预览后再确认" in late.text) == (409, True)
    other = NOTICE.replace("10月9日（周四）放假调休，共10天", "10月10日（周五）放假调休，共11天")
    swapped = browser.post(
        f"{NOTICES}/confirm", data={"text": other, "seen": seen(browser.post(NOTICES, data={"text": NOTICE}))}
    )
    assert swapped.status_code == 409  # another text than the one that was shown


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_a_file_in_any_encoding(site: Site, encoding: str) -> None:
    file = {"file": ("通知.txt", NOTICE.encode(encoding), "text/plain")}
    assert "9月30日（周二） 工作日" in words(site.at(DAY).post(NOTICES, files=file).text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "请粘贴通知全文，或选择存有通知的文本文件"),
        ("今天放假", "标题中没有年份"),
        (NOTICE.replace("共10天", "共9天"), "写作共9天，所列日期为10天"),
        (NOTICE.replace("9月30日（周二）", "9月31日（周二）"), "没有2025年9月31日这一天"),
        (NOTICE.replace("10月11日（周六）", "10月10日（周五）"), "本来就是工作日"),
        (NOTICE.replace("三、清明节：4月4日（周五）至6日（周日）放假，共3天。", ""), "没有清明节的放假安排"),
        (NOTICE.replace("二〇", "").replace("元旦", '=HYPERLINK("x")'), "HYPERLINK"),
        ("<script>alert(1)</script>" + NOTICE[22:], "标题中没有年份"),
        ("国庆节" * 7000, "不像放假通知"),
    ],
)
def test_a_bad_notice_is_refused_in_a_sentence(site: Site, text: str, said: str) -> None:
    refused = site.at(DAY).post(NOTICES, data={"text": text})
    assert refused.status_code == 422
    assert said in unescape(refused.text)
    assert "<script>alert" not in refused.text
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM calendar_entry") == [(0,)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe\x00x", "不是 UTF-8 或 GB18030"),
        (NOTICE.encode("utf-16"), "不是 UTF-8 或 GB18030"),
        (b"PK\x03\x04rest", "把通知全文粘贴到文本框中"),
        (b"%PDF-1.7", "把通知全文粘贴到文本框中"),
        (b"x" * (200 * 1024 + 1), "不像放假通知"),
        (NOTICE.encode("gb18030")[:301], ""),
    ],
)
def test_a_bad_file_is_refused(site: Site, data: bytes, said: str) -> None:
    refused = site.at(DAY).post(NOTICES, files={"file": ("a.txt", data)})
    assert (refused.status_code, said in refused.text) == (422, True)


def test_a_school_calendar_moves_its_vacations(site: Site) -> None:
    browser = site.at(DAY)
    assert "2025-07-12" not in browser.get("/admin/calendars/school?school_year=2024-2025").text
    shown = browser.post("/admin/calendars/school", data=SCHOOL)
    said = words(shown.text)
    assert "2025年暑假 7月12日—8月31日 推定 7月5日—8月24日" in said
    assert "时限移动 8 件" in said
    done = browser.post("/admin/calendars/school/confirm", data={**SCHOOL, "seen": seen(shown)})
    assert done.headers["location"] == ENTERED
    assert items(site, "2.2") == {
        (period, county, day)
        for county in COUNTIES
        for period, day in (("2025-winter", "2025-02-23"), ("2025-summer", "2025-08-24"))
    }
    assert held(site).school.vacation("summer", 2025).confidence is Confidence.ANNOUNCED
    county = {
        "school_year": "2024-2025",
        "area": COUNTIES[1],
        "summer_first": "2025-07-01",
        "summer_last": "2025-08-20",
    }
    shown = browser.post("/admin/calendars/school", data=county)
    assert "2025年暑假 2县 8月24日(周日) 请于8月22日前报送 8月20日(周三) 时限移动 2 件" in words(shown.text)
    browser.post("/admin/calendars/school/confirm", data={**county, "seen": seen(shown)})
    assert {day for period, where, day in items(site, "2.2") if period == "2025-summer"} == {"2025-08-24", "2025-08-20"}
    form = browser.get(f"/admin/calendars/school?school_year=2024-2025&area={COUNTIES[1]}").text
    assert 'value="2025-08-20"' in form
    with site.database.read() as session:
        assert tally.recount(session, CODE) == []


@pytest.mark.parametrize(
    ("other", "said", "status"),
    [
        ({"summer_last": ""}, "暑假：起止日期须都填写", 422),
        ({"summer_first": "", "summer_last": "", "winter_first": "", "winter_last": ""}, "请至少填写一个假期", 422),
        ({"summer_first": "2025-02-30"}, "没有2025年2月30日这一天", 422),
        ({"summer_first": "下周"}, "日期须写作", 422),
        ({"summer_last": "2025-07-01"}, "早于开始日期", 422),
        ({"summer_first": "2026-07-05", "summer_last": "2026-08-01"}, "应从2025年开始", 422),
        ({"winter_last": "2025-07-10"}, "重叠", 422),
        ({"document": ""}, "发布单位和文号须都填写", 422),
        ({"school_year": "2024-2027"}, "school_year", 422),
        ({"school_year": "今年"}, "", 422),
        ({"area": "1234567"}, "没有代码为“1234567”的旗县区", 404),
        ({"area": "<b>"}, "没有代码为", 404),
        ({"issuer": "x" * 121}, "", 422),
    ],
)
def test_a_bad_school_calendar_is_refused(site: Site, other: dict[str, str], said: str, status: int) -> None:
    refused = site.at(DAY).post("/admin/calendars/school", data={**SCHOOL, **other})
    assert (refused.status_code, said in unescape(refused.text)) == (status, True)
    assert dates(site, "2.2")["2025-summer *"][0] == "2025-08-31"


def test_only_the_whole_city_changes_calendars(site: Site) -> None:
    for roles in ({COUNTIES[0]: (Role.ADMINISTRATOR,)}, {"": (Role.COORDINATOR, Role.AUDITOR)}):
        browser = site.at(DAY, roles=roles)
        answers = [
            browser.get("/admin/calendars"),
            browser.post(NOTICES, data={"text": NOTICE}),
            browser.post(f"{NOTICES}/confirm", data={"text": NOTICE, "seen": "0" * 64}),
            browser.post("/admin/calendars/school", data=SCHOOL),
            browser.post("/admin/calendars/1/restore", data={"seen": "0" * 64}),
        ]
        assert [one.status_code for one in answers] == [403] * 5


def test_without_a_plan_there_is_nothing_to_enter(bare_site: Site) -> None:
    browser = bare_site.at(DAY)
    assert "台账中还没有方案" in browser.get("/admin/calendars").text
    assert browser.post(NOTICES, data={"text": NOTICE}).status_code == 409
    assert browser.post("/admin/calendars/school", data=SCHOOL).status_code == 409
