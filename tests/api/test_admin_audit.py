"""操作记录 as a page and as CSV: narrowed, page by page, only what lies in the scope, and never changed."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from httpx2 import Response
from sqlalchemy.exc import DBAPIError

from ledger import trail
from policy_models.access import Role
from tests.api.site import Roles, Site
from tests.factories import BUREAU, COUNTIES, instant, query, statements, village

pytestmark = pytest.mark.thorough

DAY = "2025-06-02"
NOW = instant(DAY)
MINE, THEIRS = village(1, 1), village(2, 1)
LOCAL: Roles = {COUNTIES[0]: (Role.AUDITOR,)}


@pytest.fixture
def noted(site: Site) -> Site:
    """Four acts: of both counties, of the city, and a refused one of nobody known."""
    acts = (
        ("报送", MINE, "k:1", "2025-05-30", True),
        ("报送", THEIRS, "k:2", "2025-05-31", True),
        ("录入放假安排", "", "", "2025-06-01", True),
        ("登录", "", "", "2025-06-02", False),
    )
    with site.database.write() as session:
        for act, unit, object, day, done in acts:
            account = "lm" if done else "nobody"
            trail.note_act(
                session, act, instant(day), account=account, unit=unit, object=object, address="10.0.0.7", done=done
            )
    return site


def lines(answer: Response) -> list[list[str]]:
    body = re.findall(r"<tbody>(.*?)</tbody>", answer.text, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in "".join(body).split("</tr>")[:-1]]
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


def acts(answer: Response) -> list[str]:
    return [row[2] for row in lines(answer)]


def table(answer: Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_newest_first_in_full(noted: Site) -> None:
    assert lines(noted.at(DAY).get("/admin/audit")) == [
        ["2025年6月2日 09:00", "nobody", "登录 未准许", "–", "–", "10.0.0.7"],
        ["2025年6月1日 09:00", "lm", "录入放假安排", "–", "–", "10.0.0.7"],
        ["2025年5月31日 09:00", "lm", "报送", "2县1村", "k:2", "10.0.0.7"],
        ["2025年5月30日 09:00", "lm", "报送", "1县1村", "k:1", "10.0.0.7"],
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"account": "nobody"}, ["登录 未准许"]),
        ({"account": " lm "}, ["录入放假安排", "报送", "报送"]),
        ({"act": "报送"}, ["报送", "报送"]),
        ({"act": "报送", "unit": MINE}, ["报送"]),
        ({"refused": "1"}, ["登录 未准许"]),
        ({"refused": "0", "act": "登录"}, ["登录 未准许"]),
        ({"day_from": "2025-05-31", "day_to": "2025-06-01"}, ["录入放假安排", "报送"]),
        ({"day_from": "2025-06-01", "day_to": "2025-05-31"}, ["录入放假安排", "报送"]),
        ({"day_to": "2025-05-30"}, ["报送"]),
        ({"act": "报送' OR 1=1 --"}, []),
        ({"account": "%"}, []),
        ({"cursor": "1-1"}, []),
        ({"cursor": "9999999999999999-999999999999999999", "refused": "1"}, ["登录 未准许"]),
        ({"cursor": "x"}, ["登录 未准许", "录入放假安排", "报送", "报送"]),
        ({"cursor": "１２-３"}, ["登录 未准许", "录入放假安排", "报送", "报送"]),
    ],
)
def test_narrowed(noted: Site, asked: dict[str, str], found: list[str]) -> None:
    assert acts(noted.at(DAY).get("/admin/audit", params=asked)) == found


@pytest.mark.parametrize(
    "asked",
    [{"day_from": "2025-02-30"}, {"day_to": "昨天"}, {"account": "a\x00"}, {"unit": "x" * 61}, {"cursor": "1" * 41}],
)
def test_bad_questions_are_refused_in_a_sentence(noted: Site, asked: dict[str, str]) -> None:
    for path in ("/admin/audit", "/admin/audit.csv"):
        answer = noted.at(DAY).get(path, params=asked)
        if not (path.endswith("csv") and "cursor" in asked):
            assert answer.status_code == 422


def test_a_county_sees_its_own(noted: Site) -> None:
    browser = noted.at(DAY, roles=LOCAL)
    assert [row[3] for row in lines(browser.get("/admin/audit"))] == ["1县1村"]
    for asked in ({"act": "报送"}, {"account": "lm"}):
        assert [row[3] for row in lines(browser.get("/admin/audit", params=asked))] == ["1县1村"]
    assert lines(browser.get("/admin/audit", params={"unit": THEIRS})) == []
    assert lines(browser.get("/admin/audit", params={"refused": "1"})) == []
    assert [row[4] for row in table(browser.get("/admin/audit.csv"))] == ["单位代码", MINE]


def test_as_csv_without_formulas(noted: Site) -> None:
    with noted.database.write() as session:
        trail.note_act(session, "报送", NOW + timedelta(minutes=1), account="lm", unit=BUREAU, object="=1+1")
    answer = noted.at(DAY).get("/admin/audit.csv", params={"unit": BUREAU})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "filename*=UTF-8''%E6%93%8D%E4%BD%9C" in answer.headers["content-disposition"]
    assert table(answer) == [
        ["时间", "账号", "姓名", "操作", "单位代码", "单位", "对象", "说明", "来自", "结果"],
        ["2025-06-02 09:01:00", "lm", "", "报送", BUREAU, "市民政局", "'=1+1", "", "", "完成"],
    ]


@pytest.mark.parametrize("roles", [{"": (Role.AUDITOR,)}, LOCAL], ids=["whole", "county"])
def test_pages_follow_each_other_without_a_gap(site: Site, roles: Roles) -> None:
    with site.database.write() as session:
        for n in range(120):  # many at one instant: the id decides
            trail.note_act(
                session, "报送", NOW + timedelta(minutes=n // 40), account="lm", unit=MINE, object=f"k:{n:03}"
            )
    browser, path, seen = site.at(DAY, roles=roles), "/admin/audit", []
    for _ in range(3):
        page = browser.get(path)
        seen += [row[4] for row in lines(page)]
        following = re.findall(r'href="([^"]*cursor=[^"]*)"', page.text)
        path = unescape(following[-1]) if following else ""
    assert (seen, path) == ([f"k:{n:03}" for n in reversed(range(120))], "")


def test_the_same_statements_for_one_line_and_for_many(noted: Site) -> None:
    browser = noted.at(DAY)
    browser.get("/admin/audit")
    with statements(noted.database) as few:
        browser.get("/admin/audit?act=登录")
    with noted.database.write() as session:
        for n in range(300):
            trail.note_act(session, "登录", NOW, account="lm", object=str(n))
    with statements(noted.database) as many:
        assert len(lines(browser.get("/admin/audit?act=登录"))) == 50
    assert len(many) == len(few)


def test_nobody_changes_it(noted: Site) -> None:
    for statement in ("UPDATE audit SET act = 'x'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError), noted.database.write() as session:
            session.exec_driver_sql(statement)
    with noted.database.read() as session:
        assert query(session, "SELECT count(*) FROM audit WHERE act = 'x'") == [(0,)]
        assert query(session, "SELECT count(*) FROM audit") == [(4,)]
