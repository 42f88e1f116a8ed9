"""催办记录 in a browser: filters in the address, pages, the export, the ladder on the page of an item."""

from __future__ import annotations

import csv
import io
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from api.telling import COLUMNS, step_words
from ledger import chasing, outbox
from ledger.reminders import queue_due
from tests.api.site import MONTHLY, VILLAGE, Site, send_back, tiny_site
from tests.api.test_chase import seen
from tests.chasing import MAIL, add_person, confirm_mail
from tests.factories import BUREAU, CODE, instant, item, office, query, statements, village

pytestmark = pytest.mark.thorough

OTHER = village(1, 2)
OTHER_KEY = item("1.2", OTHER, "2025-01")
DAY = "2025-01-23"


def told(site: Site, *, words: str = "请抓紧", answer: str = "250 收到") -> None:
    """Reminders of a day, one sent through the mail and the inbox; a 催办 by hand the day after, not yet sent."""
    with site.database.write() as session:
        confirm_mail(session)
        add_person(session, VILLAGE, "王敏", liaison=True, email="wang@example.cn")
        queue_due(session, CODE, as_of=date.fromisoformat(DAY), now=instant(DAY, 7))
    with site.database.claim() as session:
        claimed = outbox.claim(session, now=instant(DAY, 9), by="test", ways={**outbox.INBOX_ONLY, MAIL.code: MAIL})
    with site.database.write() as session:
        for one in claimed:
            outbox.record_sent(
                session, one.id, subject="题", body="文", answer=answer * (one.channel == "email"), now=instant(DAY, 9)
            )
    with site.database.write() as session:
        chasing.chase(session, [MONTHLY, OTHER_KEY], by=office(BUREAU), now=instant("2025-01-24"), words=words)


def test_each_notice_with_its_reason_and_what_came_of_it(site: Site) -> None:
    told(site)
    page = seen(site.at("2025-01-24").get("/reminders", params={"item": MONTHLY}))
    assert "共 4 条，第 1—4 条" in page
    row = "事项1.2（2025年1月）"
    assert f"{row} 时限前3个工作日 1县1村 王敏 电子邮件 ● 已发送 250 收到 2025年1月23日 09:00" in page
    assert f"{row} 时限前3个工作日 1县1村 本单位 站内消息 ● 已发送 2025年1月23日 09:00" in page
    assert f"{row} 市民政局 9000-mz经办人催办 请抓紧 1县1村 本单位 站内消息 ○ 待发送 2025年1月24日 09:00" in page
    # no channel file: what was meant for the mail says why it waits
    assert f"{row} 市民政局 9000-mz经办人催办 请抓紧 1县1村 王敏 email ▲ 渠道未配置" in page.replace(
        "电子邮件 ▲", "email ▲"
    )
    other = seen(site.at("2025-01-24").get("/reminders", params={"item": OTHER_KEY, "outcome": "nobody"}))
    assert f"{row} 市民政局 9000-mz经办人催办 请抓紧 1县2村 联络员 – ▲ 无人可联系" in other


def test_filters_live_in_the_address(site: Site) -> None:
    told(site)
    browser = site.at("2025-01-24")

    def count(**query: str) -> str:
        text = seen(browser.get("/reminders", params=query))
        return text.partition("共 ")[2].partition(" 条")[0]

    assert count() == "12"
    assert [count(kind="chase"), count(kind="reminder"), count(kind="returned")] == ["4", "8", "0"]
    assert [count(day="2025-01-23"), count(day="2025-01-24"), count(day="2025-01-22")] == ["8", "4", "0"]
    assert [count(outcome="sent"), count(outcome="nobody"), count(outcome="cap")] == ["5", "4", "0"]
    assert [count(unit=VILLAGE), count(unit="1县1村"), count(unit=f" {VILLAGE}")] == ["4", "4", "4"]
    assert count(unit="", kind="", day="", outcome="", item="") == "12"
    page = browser.get("/reminders", params={"unit": VILLAGE, "kind": "chase"})
    assert f'value="{VILLAGE}"' in page.text
    assert '<option value="chase" selected>催办</option>' in page.text
    export = page.text.partition('href="/reminders.csv?')[2].partition('"')[0]
    assert unescape(export) == f"unit={VILLAGE}&kind=chase&span=all&plan={CODE}"
    choice = seen(browser.get("/reminders", params={"unit": "1村"}))
    assert "有 2 个单位符合，请选择： 1县1村 1县镇 2县1村 2县镇" in choice
    assert "没有名称或代码与“没有的村”相符的单位" in seen(browser.get("/reminders", params={"unit": "没有的村"}))


def test_how_far_back(site: Site) -> None:
    told(site)

    def count(day: str, **query: str) -> str:
        return seen(site.at(day).get("/reminders", params=query)).partition("共 ")[2].partition(" 条")[0]

    assert [count("2025-02-22"), count("2025-02-23"), count("2025-02-24")] == ["12", "4", "0"]
    assert [count("2025-03-01", span="all"), count("2025-03-01", unit=VILLAGE), count("2025-03-01", span="year")] == [
        "12",
        "4",
        "12",
    ]
    lines = site.at("2025-02-23").get("/reminders.csv").text.count("\r\n")
    assert (lines, site.at("2025-02-23").get("/reminders.csv?span=all").text.count("\r\n")) == (5, 13)
    assert "全部 · 共 0 条" in seen(site.at("2025-03-01").get("/reminders", params={"span": "all", "kind": "weekly"}))


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({"kind": "spam"}, 422, "类别不能写作"),
        ({"outcome": "x"}, 422, "结果不能写作"),
        ({"day": "昨天"}, 422, "日期须写作"),
        ({"page": "0"}, 422, "页码"),
        ({"page": "99"}, 404, "没有这一页"),
        ({"item": "k" * 121}, 422, "办理件编号"),
        ({"item": "a\x00"}, 422, "不能识别的字符"),
        ({"unit": "x" * 41}, 422, "单位"),
    ],
)
def test_what_people_write_into_the_address(site: Site, query: dict[str, str], status: int, sentence: str) -> None:
    answer = site.at(DAY).get("/reminders", params=query)
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text[-700:]


def test_nothing_yet(site: Site) -> None:
    page = seen(site.at("2025-01-02").get("/reminders"))
    assert "近30天没有发过提醒。 查看全部 。系统在工作日按时限自动提醒" in page
    assert "导出" not in page
    assert "没有符合条件的记录。 清除条件" in seen(site.at("2025-01-02").get("/reminders", params={"kind": "chase"}))


def test_an_empty_ledger_says_what_to_do(bare_site: Site) -> None:
    for path in ("/reminders", "/messages"):
        assert "lucheng plan load" in bare_site.at(DAY).get(path).text
    assert bare_site.at(DAY).get("/reminders.csv").status_code == 404


def test_the_export_is_the_record_and_runs_nothing(site: Site) -> None:
    told(site, words="=HYPERLINK(1)", answer="@SUM(1)")
    answer = site.at("2025-01-24").get("/reminders.csv", params={"item": MONTHLY})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "reminders.csv" in answer.headers["content-disposition"]
    raw = answer.content.decode("utf-8")
    assert (raw[0], "\r\n" in raw) == ("\ufeff", True)
    rows = list(csv.reader(io.StringIO(raw[1:])))
    assert tuple(rows[0]) == COLUMNS
    table = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["序号"] for row in table] == ["1", "2", "3", "4"]
    assert {row["附言或意见"] for row in table} == {"'=HYPERLINK(1)", ""}
    mail = next(row for row in table if row["类别"] == "按时限提醒" and row["告知对象"] == "王敏")
    assert mail == {
        "序号": mail["序号"],
        "日期": "2025-01-23",
        "类别": "按时限提醒",
        "发送原因": "时限前3个工作日",
        "附言或意见": "",
        "办理件编号": MONTHLY,
        "事项": "任务1 事项1.2",
        "期次": "2025年1月",
        "责任单位": "1县1村",
        "时限": "2025-01-31",
        "告知单位": "1县1村",
        "告知对象": "王敏",
        "渠道": "电子邮件",
        "结果": "已发送",
        "对方答复": "'@SUM(1)",
        "未发出的原因": "",
        "生成时间": "2025-01-23 07:00",
        "发出时间": "2025-01-23 09:00",
    }


def test_the_ladder_on_the_page_of_an_item(site: Site) -> None:
    told(site)
    send_back(site.database, OTHER_KEY, "2025-01-24", by=OTHER, reviewer="900101")
    page = seen(site.at("2025-01-25").get(f"/items/{MONTHLY}"))
    ladder = page.partition("提醒和催办")[2]
    assert "时限前3个工作日 1月23日(周四)" in ladder
    assert "● 已发送 1县1村 王敏 · 电子邮件 2025年1月23日 09:00 · 250 收到" in ladder
    assert "催办 1月24日(周五)" in ladder
    assert "逾期7个工作日 2月12日(周三) 未到" in ladder
    assert "由1县镇催办" in ladder
    early = seen(site.at("2025-01-02").get(f"/items/{MONTHLY}")).partition("提醒和催办")[2]
    assert "时限当日 1月27日(周一) 未到" in early
    assert "催办记录" not in early
    returned = seen(site.at("2025-01-25").get("/reminders", params={"item": OTHER_KEY, "kind": "returned"}))
    assert "900101经办人退回 缺签到表 1县2村 本单位 站内消息" in returned


def test_the_inbox_of_a_unit(site: Site) -> None:
    empty = seen(site.at("2025-01-02").get(f"/units/{VILLAGE}"))
    assert "没有消息。临近时限和逾期的提醒、催办、退回意见和延期审批结果会发到这里。" in empty
    told(site)
    with site.database.write() as session:
        session.exec_driver_sql("UPDATE outbox SET body = 'http://testserver/items/x <b>' WHERE channel = 'inbox'")
    page = site.at("2025-01-25").get(f"/units/{VILLAGE}")
    assert "站内消息 最近 1 条" in seen(page)
    assert 'href="http://testserver/items/x"' in page.text
    assert "&lt;b&gt;" in page.text
    assert f'href="/reminders?unit={VILLAGE}&amp;plan={CODE}">本单位的催办记录' in page.text


def test_one_row_and_three_hundred_cost_the_same_statements(database_url: str, tmp_path: Path) -> None:
    def counted(site: Site, day: str) -> tuple[int, int, int]:
        browser = site.at(day)
        with statements(site.database) as sent:
            rows = browser.get("/reminders").text.count('data-name="结果"')
            paged = len(sent)
            browser.get("/messages")
        return rows, paged, len(sent) - paged

    with tiny_site(database_url, tmp_path / "pack", villages=150) as site:
        with site.database.write() as session:
            chasing.chase(session, [MONTHLY], by=office(BUREAU), now=instant("2025-01-20"))
        first = counted(site, "2025-01-20")
        assert first[0] == 2
        with site.database.write() as session:
            queue_due(session, CODE, as_of=date.fromisoformat(DAY), now=instant(DAY, 7))
            assert query(session, "SELECT count(*) FROM reminder") == [(301,)]
        assert counted(site, DAY) == (50, *first[1:])


@pytest.mark.parametrize(
    ("step", "words"), [(-30, "时限前30个工作日"), (0, "时限当日"), (1, "逾期1个工作日"), (7, "逾期7个工作日")]
)
def test_steps_in_words(step: int, words: str) -> None:
    assert step_words(step) == words
