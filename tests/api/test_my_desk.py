"""我的待办: what is next in order, how much of it is ready, who sees and does what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from api.agenda import DESK as SLICES
from api.agenda import DESK_ROWS, todo
from ledger import issuing, reviews, submissions
from ledger.queries.items import unit_items
from ledger.queries.reading import open_plan
from policy_models.access import Role
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType
from tests.api.evidence import MONTH, VILLAGE, asking, browser, form, form_type, photo
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, CODE, Files, instant, item, load, office, requirement_of, statements, tiny_pack

pytestmark = pytest.mark.thorough

DAY = "2025-02-07"
DESK = f"/units/{VILLAGE}/desk"
JANUARY, TOWNSHIP = item("1.2", VILLAGE, "2025-01"), "900101"
LIAISON = {VILLAGE: [Role.LIAISON]}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", asking) as found:
        yield found


def hand_in(site: Site, key: str, day: str) -> None:
    nothing = [Evidence(EvidenceType.NOTHING_NEW, text="本月没有新增")]
    with site.database.write() as session:
        submissions.submit(session, key, by=office(VILLAGE), evidence=nothing, now=instant(day, 10))


def rows(html: str, slice: str) -> list[str]:
    """What the rows of a slice say."""
    part = html.partition(f'<section class="panel" aria-labelledby="{slice}">')[2].partition("</section>")[0]
    found = re.findall(r'<li class="todo">(.*?)</li>', part, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in found]


def test_the_most_urgent_comes_first_with_its_reason(site: Site) -> None:
    hand_in(site, JANUARY, "2025-02-05")
    with site.database.write() as session:
        reviews.send_back(session, JANUARY, by=office(TOWNSHIP), now=instant("2025-02-05", 11), reason="缺签到表")
    html = site.at(DAY, roles=LIAISON).get(DESK).text
    (returned,) = rows(html, "returned")
    assert "退回意见：缺签到表" in returned
    assert "已逾期 3 个工作日" in returned
    assert returned.endswith("补正 ：事项1.2 2025年1月")
    assert "2025年1月" not in " ".join(rows(html, "late"))
    assert html.index('id="returned"') < html.index('id="month"')
    february = next(row for row in rows(html, "month") if "事项1.2" in row)
    assert "2月28日(周五) · 还有 16 个工作日" in february
    assert february.endswith("材料 0/7 报送 ：事项1.2 2025年2月")


def test_what_lies_in_the_draft_is_counted(site: Site, tmp_path: Path) -> None:
    unit = browser(site.database, tmp_path, DAY)
    kept = unit.post(
        f"/units/{VILLAGE}/files/{MONTH}?type=photo", content=form(("1.jpg", photo(1))), headers=form_type()
    )
    assert kept.json()["kept"] == 1
    assert "材料 1/7" in rows(unit.get(DESK).text, "month")[0]
    three = form(*[(f"{n}.jpg", photo(n)) for n in (2, 3, 4)])
    unit.post(f"/units/{VILLAGE}/files/{MONTH}?type=photo", content=three, headers=form_type())
    assert "材料 2/7" in rows(unit.get(DESK).text, "month")[0]  # more photos than are asked for count once


def test_handed_in_from_the_desk_one_comes_back_to_it(site: Site, tmp_path: Path) -> None:
    unit = browser(site.database, tmp_path, DAY)
    path = f"/units/{VILLAGE}/submit/{MONTH}"
    assert f'href="{path}?back=desk" data-sheet' in unescape(unit.get(DESK).text).replace("%3A", ":")
    page = unit.get(f"{path}?back=desk").text
    assert f'action="{path}?back=desk"' in unescape(page)
    saved = unit.post(f"{path}?back=desk", data={"action": "save", "text": "已走访"})
    assert saved.headers["location"] == f"{path}?back=desk&saved=1"
    lacking = unit.post(f"{path}?back=desk", data={"action": "submit", "text": "已走访"})
    assert (lacking.status_code, f'action="{path}?back=desk"' in unescape(lacking.text)) == (422, True)
    answer = {"action": "submit", "nothing_new": "on", "reason": "本村本月没有留守儿童"}
    done = unit.post(f"{path}?back=desk", data=answer)
    assert done.headers["location"] == f"{DESK}?told=submitted"
    html = unit.get(done.headers["location"]).text
    assert "已报送，等待审核" in html
    assert not any("2025年2月" in row and "事项1.2" in row for row in rows(html, "month"))
    assert "事项1.2" in rows(html, "review")[0]
    assert unit.post(f"{path}?back=elsewhere", data=answer).status_code == 422


def test_a_reviewer_sees_what_waits_and_an_auditor_has_no_buttons(site: Site) -> None:
    hand_in(site, JANUARY, "2025-02-05")
    at_township = f"/units/{TOWNSHIP}/desk"
    seen = site.at(DAY, roles={TOWNSHIP: [Role.REVIEWER]}).get(at_township).text
    assert f'href="/units/{TOWNSHIP}/review?plan={CODE}">去审核' in seen
    assert "填表" not in seen
    liaison = site.at(DAY, roles={TOWNSHIP: [Role.LIAISON]}).get(at_township).text
    assert "去审核" not in liaison
    assert "填表 ：事项1.2" in " ".join(rows(liaison, "sheets"))
    auditor = site.at(DAY, roles={VILLAGE: [Role.AUDITOR]}).get(DESK).text
    assert "data-sheet" not in auditor.replace("a[data-sheet]", "")
    assert "表格填报" not in auditor


def test_an_empty_ledger_has_no_desk(bare_site: Site) -> None:
    assert "尚无方案" in bare_site.at(DAY).get("/desk").text


def test_one_finds_one_s_own_desk(site: Site) -> None:
    assert site.at(DAY, roles=LIAISON).get("/desk").headers["location"] == DESK
    assert site.at(DAY, roles={"": [Role.ADMINISTRATOR]}).get("/desk").headers["location"] == f"/units/{BUREAU}/desk"
    assert 'aria-current="page"' in site.at(DAY, roles=LIAISON).get(DESK).text
    assert site.at(DAY, roles=LIAISON).get(f"/units/{BUREAU}/desk").status_code == 403
    assert site.at(DAY, roles=LIAISON).get("/units/nowhere/desk").status_code == 403
    assert site.at(DAY).get("/units/nowhere/desk").status_code == 404


def test_nothing_due_soon_is_said_and_the_rest_is_listed(site: Site) -> None:
    html = site.at(DAY, roles={"9001-mz": [Role.LIAISON]}).get("/units/9001-mz/desk").text
    assert "目前没有逾期事项，本周和本月也没有要报送的事项。" in html
    assert "事项2.1 任务2 · 2025年第一季度 3月31日(周一) · 还有 37 个工作日" in rows(html, "later")[0]
    nobody = site.at(DAY, roles={"9001": [Role.LIAISON]}).get("/units/9001/desk").text
    assert "本方案没有直接交由1县报送的事项。" in nobody
    assert "查看本单位和下级单位的情况" in nobody


def many(files: Files) -> None:
    """The bureau owes thirty more things a month."""
    section, one = files["tasks/01.yaml"]["requirements"], requirement_of(files, "1.2")
    more = {**one, "assignee": {"units": ["民政局"]}}
    section += [{**more, "code": f"1.{n}", "title": f"事项1.{n}"} for n in range(10, 40)]


def test_one_row_and_three_hundred_cost_the_same(database_url: str, tmp_path: Path) -> None:
    path = f"/units/{BUREAU}/desk"
    with tiny_site(database_url, tmp_path / "few") as site:
        desk = site.at("2025-05-20", roles={BUREAU: [Role.LIAISON]})
        desk.get(path)
        with statements(site.database) as few:
            shown = desk.get(path).text
        assert 0 < len(re.findall('<li class="todo">', shown)) < 10
        load(site.database, tiny_pack(tmp_path / "few", many))
        with site.database.write() as session:
            issuing.issue_due(session, CODE, as_of=instant("2025-05-31").date(), now=instant("2025-05-31"))
        desk.get(path)
        with statements(site.database) as lots:
            html = desk.get(path).text
    assert len(lots) == len(few)
    assert len(rows(html, "later")) == DESK_ROWS
    assert "以上 60 件，查看全部" in html


def test_each_item_lies_in_one_slice(site: Site) -> None:
    with site.database.read() as session:
        reading = open_plan(session, CODE, as_of=None, now=instant("2025-03-10"))
        assert reading is not None
        found = unit_items(session, reading, VILLAGE)
        slices = todo(found, reading.as_of)
    keys = [row.key for one in slices for row in one.rows]
    assert len(keys) == len(set(keys))
    names = [one.name for one in slices]
    assert names == [name for name in SLICES if name in names]
    assert {"late", "later"} <= set(names)
