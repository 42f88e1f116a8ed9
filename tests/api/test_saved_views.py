"""督办台账: views that an account keeps, and what is chosen for 催办 and export."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from api.routes.saved_views import filter_of
from policy_models.access import Role
from tests.api.site import MONTHLY, Site, tiny_site
from tests.factories import BUREAU, CODE, query, statements, village

pytestmark = pytest.mark.thorough
DAY = "2025-02-07"
DESK = f"/units/{BUREAU}/chase"
LIGHTS = "light=orange&light=red&section=task-1"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack") as found:
        yield found


def chips(html: str) -> list[tuple[str, bool]]:
    """The names of the views, and which of them is shown."""
    part = html.partition('id="views">')[2].partition("</p>")[0]
    return [(name, "aria-current" in rest) for rest, name in re.findall(r"<a ([^>]*)>([^<]+)</a>", part)]


def test_a_view_is_kept_shown_renamed_removed_and_put_back(site: Site) -> None:
    browser = site.at(DAY)
    page = browser.get(f"/register?{LIGHTS}").text
    assert chips(page) == [("全部", False)]
    assert f'name="query" value="{LIGHTS}"' in unescape(page)
    saved = browser.post("/register/views", data={"name": "任务1逾期", "query": LIGHTS})
    place = saved.headers["location"]
    assert place == "/register?light=orange&light=red&section=task-1&told=view-saved"
    shown = browser.get(place).text
    assert "已保存为常用视图" in shown
    assert chips(shown) == [("全部", False), ("任务1逾期", True)]
    assert "保存为常用视图</button>" not in shown
    assert chips(browser.get("/register").text) == [("全部", True), ("任务1逾期", False)]
    (number,) = set(re.findall(r"/register/views/(\d+)/rename", shown))
    renamed = browser.post(f"/register/views/{number}/rename", data={"name": "逾期", "query": LIGHTS})
    assert chips(browser.get(renamed.headers["location"]).text)[1] == ("逾期", True)
    gone = browser.post(f"/register/views/{number}/remove", data={"query": LIGHTS})
    after = browser.get(gone.headers["location"]).text
    assert chips(after) == [("全部", False)]
    undo = after.partition("已删除常用视图“逾期”")[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(name|query)" value="([^"]*)"', unescape(undo)))
    assert fields == {"name": "逾期", "query": LIGHTS}
    browser.post("/register/views", data=fields)
    assert chips(browser.get(f"/register?{LIGHTS}").text)[1] == ("逾期", True)
    with site.database.read() as session:
        acts = [row[0] for row in query(session, "SELECT act FROM audit ORDER BY id")]
    assert acts == ["保存常用视图", "更改常用视图", "删除常用视图", "保存常用视图"]


@pytest.mark.parametrize(
    ("path", "fields", "status", "sentence"),
    [
        ("/register/views", {"name": "", "query": "light=red"}, 422, "请填写常用视图的名称"),
        ("/register/views", {"name": "长" * 21, "query": ""}, 422, "不超过20个字"),
        ("/register/views", {"name": "长" * 81, "query": ""}, 422, ""),
        ("/register/views", {"name": "a\x00b", "query": ""}, 422, "不能识别的字符"),
        ("/register/views/999/rename", {"name": "x"}, 404, "没有这个常用视图"),
        ("/register/views/999/remove", {}, 404, "没有这个常用视图"),
        ("/register/views/0/remove", {}, 422, ""),
        ("/register/views/99999999999/remove", {}, 422, ""),
        ("/register/views/x/remove", {}, 422, ""),
    ],
)
def test_what_is_wrong_is_told(site: Site, path: str, fields: dict[str, str], status: int, sentence: str) -> None:
    answer = site.at(DAY).post(path, data=fields)
    assert (answer.status_code, sentence in answer.text) == (status, True)


def test_another_s_views_are_out_of_reach(site: Site) -> None:
    mine, theirs = site.at(DAY), site.at(DAY, roles={village(1, 1): [Role.LIAISON]})
    shown = mine.get(mine.post("/register/views", data={"name": "甲", "query": LIGHTS}).headers["location"]).text
    (number,) = set(re.findall(r"/register/views/(\d+)/rename", shown))
    assert theirs.post(f"/register/views/{number}/remove").status_code == 404
    assert chips(theirs.get("/register").text) == [("全部", True)]
    del theirs.headers["sec-fetch-site"]
    assert theirs.post("/register/views", data={"name": "乙"}).status_code == 403


def test_a_view_remembers_known_fields_alone() -> None:
    hostile = "light=red&plan=x&as_of=2025-01-01&page=3&next=//evil&section=task-1&light=red&light=&told=saved"
    assert filter_of(hostile) == "light=red&section=task-1"
    assert filter_of("section=task-1&light=red") == filter_of("light=red&section=task-1")
    assert filter_of("<script>") == ""


def exported(answer: httpx.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]


def test_the_rows_that_were_ticked_are_exported(site: Site) -> None:
    browser = site.at(DAY)
    ticked = re.findall(r'name="pick" value="([^"]*)"', browser.get("/register?requirement=1.2&period=2025-01").text)
    assert len(ticked) == 4
    some = browser.get("/register.csv", params={"which": "picked", "pick": ticked[:2]})
    assert [row[0] for row in exported(some)] == ["1", "2"]
    whole = browser.get("/register.csv", params={"which": "all", "pick": ticked[:1], "requirement": "1.2"})
    assert len(exported(whole)) == len(exported(browser.get("/register.csv?requirement=1.2"))) > 4
    assert exported(browser.get("/register.csv", params={"which": "picked", "pick": "no:such:key:x"})) == []
    nothing = browser.get("/register.xlsx?which=picked")
    assert (nothing.status_code, "没有选择要导出的行" in nothing.text) == (404, True)
    assert browser.get("/register.csv", params={"which": "picked", "pick": ["k"] * 101}).status_code == 422


def test_all_that_match_go_to_the_preview(site: Site) -> None:
    browser = site.at(DAY)
    page = unescape(browser.get("/register?requirement=1.2&period=2025-01").text)
    action = re.search(r'id="chosen" method="post" action="([^"]+)"', page)
    assert action is not None
    assert action[1].startswith(f"{DESK}/preview?")
    shown = browser.post(action[1], data={"which": "all"}).text
    assert "将向 4 个单位发送催办，涉及 4 项" in shown
    one = browser.post(action[1], data={"which": "picked", "pick": MONTHLY}).text
    assert "将向 1 个单位发送催办，涉及 1 项" in one
    none = browser.post(f"{DESK}/preview?light=blue", data={"which": "all"}).text
    assert "符合条件的事项目前都不需要催办" in none
    assert browser.post(f"{DESK}/preview", data={"which": "everything"}).status_code == 422


def test_who_may_not_chase_can_still_export(site: Site) -> None:
    liaison = site.at(DAY, roles={village(1, 1): [Role.LIAISON]}).get("/register").text
    assert 'id="chosen" method="get" action="/register.xlsx"' in liaison
    assert "chase" not in liaison
    township = unescape(site.at(DAY, roles={"900101": [Role.REVIEWER]}).get("/register").text)
    assert f'action="/units/900101/chase/preview?plan={CODE}"' in township


def test_views_cost_one_statement(site: Site) -> None:
    browser = site.at(DAY)
    browser.get("/register")

    def cost() -> int:
        with statements(site.database) as sent:
            browser.get("/register")
        return len(sent)

    before = cost()
    for number in range(20):
        browser.post("/register/views", data={"name": f"视图{number}", "query": LIGHTS})
    assert cost() == before
