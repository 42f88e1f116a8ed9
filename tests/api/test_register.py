"""督办台账: the official columns, and exports that are the screen cell by cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest
from python_calamine import load_workbook

from documents.cells import safe
from documents.tables import HEAD
from ledger import reviews, submissions
from ledger.database import Database
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType
from tests.api.site import Site, send_back, tiny_site
from tests.factories import (
    BUREAU,
    Files,
    full_evidence,
    instant,
    item,
    office,
    requirement_of,
    statements,
    village,
)

pytestmark = pytest.mark.thorough

# Domain facts §6, in their order.
OFFICIAL = [
    "序号",
    "任务编号",
    "行动",
    "重点任务",
    "具体举措",
    "类型",
    "牵头单位",
    "责任单位",
    "配合单位",
    "层级",
    "时间节点",
    "量化指标",
    "目标值/完成值",
    "进展情况",
    "佐证材料",
    "存在问题",
    "下步措施",
    "状态灯",
    "责任人",
    "联系人",
    "填报时间",
    "审核人",
    "审核时间",
    "备注",
]
DAY = "2025-06-10"
ONCE = item("1.1", BUREAU, "once")
HOSTILE = '=HYPERLINK("http://example.org")、圐圙<b>&amp;'


def register_plan(files: Files) -> None:
    """1.1 is led by the bureau and asks for problems and next steps; the schools cooperate."""
    one = requirement_of(files, "1.1")
    one["assignee"]["role"] = "lead"
    one["evidence"][0]["target"] = ">=3"
    one["evidence"] += [{"type": "text", "label": label} for label in ("主要做法", "存在问题", "下步打算")]
    files["tasks/01.yaml"]["requirements"].append(
        {**requirement_of(files, "1.1"), "code": "1.4", "assignee": {"units": ["教育局"], "role": "cooperating"}}
    )


def text(words: str) -> Evidence:
    return Evidence(EvidenceType.TEXT, text=words)


def live(database: Database) -> None:
    """What the villages and the bureau did until the day."""
    with database.write() as session:
        given = [*full_evidence(), text(HOSTILE), text("人手不足"), text("下月补齐")]
        submissions.submit(
            session, ONCE, by=office(BUREAU), evidence=given, now=instant("2025-06-03", 9, 5), note="补报"
        )
        reviews.accept(session, ONCE, by=office(BUREAU), now=instant("2025-06-04", 10, 30))
    send_back(database, item("1.2", village(1, 1), "2025-01"), "2025-01-20", by=village(1, 1), reviewer="900101")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", register_plan, villages=4) as found:
        live(found.database)
        yield found


def screen(html: str) -> list[list[str]]:
    """The table as one reads it: header and rows."""
    table = re.search(r"<table.*?</table>", html, re.DOTALL)
    if table is None:
        return []
    rows = re.findall(r"<tr>(.*?)</tr>", table[0], re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(re.sub(r"<[^>]+>", "", cell)) for cell in row] for row in cells]


def pages(client: httpx.Client, query: str) -> list[list[str]]:
    """All pages of the screen, one after the other."""
    path, found = f"/register?{query}", []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200
        found += screen(answer.text)[1:]
        following = re.search(r'<a href="([^"]+)">下一页', answer.text)
        path = unescape(following[1]) if following else ""
    return found


def shown(cell: object) -> str:
    """A workbook's cell as a spreadsheet shows it."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return cell.isoformat()
    return str(int(cell)) if isinstance(cell, float) else str(cell)


def workbook(client: httpx.Client, query: str) -> list[list[object]]:
    answer = client.get(f"/register.xlsx?{query}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment; filename=\"register.xlsx\"; filename*=UTF-8''")
    assert int(answer.headers["content-length"]) == len(answer.content)
    return load_workbook(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python(skip_empty_area=False)


def comma_separated(client: httpx.Client, query: str) -> list[list[str]]:
    data = client.get(f"/register.csv?{query}").content
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


QUERIES = ["", "as_of=2025-02-15", "section=task-1", "within=900101", "light=red&light=orange", "level=village", "phase=1",
           "period=2025-01", "under=city", "section=task-1&level=village&as_of=2025-03-01", "as_of=2025-12-31"]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_every_cell_of_the_exports_is_that_of_the_screen(site: Site, query: str) -> None:
    client = site.at(DAY)
    on_screen = pages(client, query)
    assert on_screen
    sheet = workbook(client, query)
    assert sheet[HEAD] == OFFICIAL
    assert [[shown(cell) for cell in row] for row in sheet[HEAD + 1 :]] == on_screen
    head, *lines = comma_separated(client, query)
    assert head == OFFICIAL
    assert lines == [[safe(cell) for cell in row] for row in on_screen]


def test_more_than_one_page(site: Site) -> None:
    client = site.at(DAY)
    whole = pages(client, "")
    assert len(whole) > 100
    assert [row[0] for row in whole] == [str(number) for number in range(1, len(whole) + 1)]
    assert len(screen(client.get("/register").text)) == 101


def test_the_columns_of_one_row(site: Site) -> None:
    answer = site.at(DAY).get("/register?section=task-1&level=city")
    head, row, other = screen(answer.text)
    assert head == OFFICIAL
    assert dict(zip(head, row, strict=True)) == {
        "序号": "1",
        "任务编号": "1.1",
        "行动": "行动",
        "重点任务": "任务1 任务一",
        "具体举措": "事项1.1",
        "类型": "限时",
        "牵头单位": "民政局",
        "责任单位": "市民政局",
        "配合单位": "教育局",
        "层级": "市级",
        "时间节点": "2025-06-30",
        "量化指标": "已办",
        "目标值/完成值": "目标 不少于 3，完成 3.5/4",
        "进展情况": f"已通过。{HOSTILE}",
        "佐证材料": "照片 2 份",
        "存在问题": "人手不足",
        "下步措施": "下月补齐",
        "状态灯": "✓ 办结",
        "责任人": "—",
        "联系人": "—",
        "填报时间": "2025-06-03 09:05",
        "审核人": "9000-mz经办人",
        "审核时间": "2025-06-04 10:30",
        "备注": "补报",
    }
    assert (other[1], other[7], other[13], other[20]) == ("1.4", "市教育局", "待报送", "—")
    assert HOSTILE not in answer.text  # escaped


def test_what_was_sent_back_says_why(site: Site) -> None:
    [row] = pages(site.at(DAY), f"within={village(1, 1)}&period=2025-01&section=task-1")
    assert (row[13], row[15], row[20], row[21]) == ("已退回", "退回：缺签到表", "2025-01-20 10:00", "900101经办人")
    assert row[7] == "1县1村（1县镇）"


def test_a_past_day_shows_what_stood_then(site: Site) -> None:
    client = site.at(DAY)
    query = f"within={village(1, 1)}&period=2025-01&section=task-1"
    [before] = pages(client, f"{query}&as_of=2025-01-19")
    assert (before[13], before[15], before[20], before[21]) == ("未启动", "—", "—", "—")  # issued on 31 May
    [accepted] = pages(client, "section=task-1&level=city&as_of=2025-06-03")[:1]
    assert (accepted[13][:4], accepted[17], accepted[21]) == ("待审核。", "● 正常", "—")


def test_no_formula_leaves_the_house(site: Site) -> None:
    query = "section=task-1&level=city"
    with_state = comma_separated(site.at(DAY), query)[1][13]
    assert with_state.startswith("已通过。=")
    with site.database.write() as session:
        key = item("1.2", village(1, 2), "2025-01")
        submissions.submit(session, key, by=office(village(1, 2)), evidence=[], now=instant(DAY), note="=1+1")
    row = comma_separated(site.at(DAY), f"within={village(1, 2)}&period=2025-01&section=task-1")[1]
    assert row[23] == "'=1+1"
    sheet = workbook(site.at(DAY), f"within={village(1, 2)}&period=2025-01&section=task-1")
    assert sheet[HEAD + 1][23] == "=1+1"  # words: the file holds no formula (tests/documents/test_cells.py)


def test_the_same_number_of_statements_for_one_row_and_for_a_hundred(site: Site) -> None:
    client = site.at(DAY)
    counts = []
    for query in (f"within={village(1, 1)}&level=village&period=2025-01&section=task-1", "within=9001&level=village"):
        with statements(site.database) as sent:
            client.get(f"/register?{query}")
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_links_hand_on_the_filters(site: Site) -> None:
    answer = site.at(DAY).get("/register?light=grey&light=green&as_of=2025-02-15&level=village")
    assert (
        "/register.xlsx?level=village&amp;light=grey&amp;light=green&amp;plan=tiny-2025&amp;as_of=2025-02-15"
        in answer.text
    )
    assert "层级：嘎查村社区 · 状态灯：未开始、正常" in answer.text
    assert "截至2025年2月15日" in answer.text


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("light=purple", 422, "状态灯不能写作“purple”"),
        ("level=moon", 422, "层级不能写作“moon”"),
        ("section=task-99", 404, "方案中没有“task-99”这一部分"),
        ("page=99", 404, "没有这一页"),
        ("page=0", 422, "页码不能写作“0”"),
        ("as_of=2025-02-30", 422, "没有2025年2月30日这一天"),
        ("phase=x", 422, "阶段不能写作“x”"),
    ],
)
def test_addresses_that_are_wrong(site: Site, query: str, status: int, sentence: str) -> None:
    answer = site.at(DAY).get(f"/register?{query}")
    assert answer.status_code == status
    assert sentence in unescape(answer.text)
    if not query.startswith("page"):
        assert site.at(DAY).get(f"/register.xlsx?{query}").status_code == status


def test_nothing_met(site: Site) -> None:
    answer = site.at(DAY).get("/register?period=1999-01")
    assert "没有符合条件的办理件" in answer.text
    assert 'href="/register?plan=tiny-2025">清除条件' in answer.text
    assert len(workbook(site.at(DAY), "period=1999-01")) == HEAD + 1


def test_an_empty_ledger(bare_site: Site) -> None:
    assert bare_site.at(DAY).get("/register").status_code == 200
    assert bare_site.at(DAY).get("/register.csv").status_code == 404
