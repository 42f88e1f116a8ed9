"""单位 on pages: found, renamed, moved, added, closed, merged, as a list; within the scope of whoever does it."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from httpx2 import Response

from ledger import tally
from policy_models.access import Role
from tests.api.site import Roles, Site
from tests.factories import BUREAU, CODE, COUNTIES, query, village

pytestmark = pytest.mark.thorough

DAY = "2025-06-02"
COUNTY, OTHER = COUNTIES
TOWN, FAR_TOWN = f"{COUNTY}01", f"{OTHER}01"
VILLAGE = village(1, 1)
LOCAL: Roles = {COUNTY: (Role.ADMINISTRATOR,)}
FORM = {"name": "1县1村", "level": "village", "parent": TOWN}
NEW = {"name": "新村", "level": "village", "new_code": "９００１０１００３"}
LIST = "代码,名称,层级,条线,上级代码,功能区\r\n"


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text[text.index("<main") :])).split())


def seen(page: Response) -> str:
    [found] = re.findall(r'name="seen" value="(\w{64})"', page.text)
    return str(found)


def unit(site: Site, code: str) -> tuple[object, ...] | None:
    with site.database.read() as session:
        sql = "SELECT name, level, parent, county, closed_on, merged_into FROM unit WHERE code = :code"
        rows = query(session, sql, code=code)
    return (*rows[0][:4], str(rows[0][4] or ""), rows[0][5]) if rows else None


def open_items(site: Site, code: str) -> int:
    sql = "SELECT count(*) FROM work_item WHERE unit_code = :code AND state NOT IN ('cancelled', 'waived', 'accepted')"
    with site.database.read() as session:
        return int(query(session, sql, code=code)[0][0])


def upload(site: Site, data: bytes, roles: Roles | None = None) -> Response:
    browser = site.at(DAY, roles=roles) if roles else site.at(DAY)
    return browser.post("/admin/units/import", files={"file": ("u.csv", data)})


def test_found_floor_by_floor_and_by_a_word(site: Site) -> None:
    browser = site.at(DAY)
    assert "小城 9000 市级 – 4 个" in words(browser.get("/admin/units").text)
    assert f"1县镇 {TOWN} 苏木乡镇街道 1县 2 个" in words(browser.get(f"/admin/units?parent={COUNTY}").text)
    assert f"1县1村 {VILLAGE}" in words(browser.get("/admin/units?q=1县1村").text)
    assert "没有名称或代码相符的单位" in browser.get("/admin/units?q=%25").text
    assert "没有停用的单位" in browser.get("/admin/units?pile=closed").text
    local = site.at(DAY, roles=LOCAL)
    assert "1县 9001 旗县区" in words(local.get("/admin/units").text)
    assert "没有名称或代码相符的单位" in local.get("/admin/units?q=2县").text
    assert (local.get(f"/admin/units/{VILLAGE}").status_code, local.get(f"/admin/units/{OTHER}").status_code) == (
        200,
        403,
    )


def test_a_new_name_is_saved_at_once(site: Site) -> None:
    done = site.at(DAY, roles=LOCAL).post(f"/admin/units/{VILLAGE}", data={**FORM, "name": "红旗村"})
    assert done.headers["location"] == f"/admin/units/{VILLAGE}?told=renamed"
    assert unit(site, VILLAGE) == ("红旗村", "village", TOWN, COUNTY, "", None)
    with site.database.read() as session:
        assert query(session, "SELECT act, unit_code FROM audit") == [("更改单位", VILLAGE)]


def test_another_place_is_asked_about_first(site: Site) -> None:
    browser, form = site.at(DAY), {**FORM, "parent": "2县镇"}
    asked = browser.post(f"/admin/units/{VILLAGE}", data=form)
    assert (asked.status_code, "上级 1县镇 2县镇" in words(asked.text)) == (200, True)
    assert unit(site, VILLAGE) == ("1县1村", "village", TOWN, COUNTY, "", None)
    done = browser.post(f"/admin/units/{VILLAGE}", data={**form, "seen": seen(asked)})
    assert done.status_code == 303
    assert unit(site, VILLAGE) == ("1县1村", "village", FAR_TOWN, OTHER, "", None)
    with site.database.read() as session:
        assert tally.recount(session, CODE) == []


def test_another_level_cancels_what_it_owed_and_says_so_before(site: Site) -> None:
    browser, form, owed = site.at(DAY), {**FORM, "level": "school"}, open_items(site, VILLAGE)
    asked = browser.post(f"/admin/units/{VILLAGE}", data=form)
    assert f"取消未办结的办理件 {owed} 件，取消后不能恢复" in words(asked.text)
    assert open_items(site, VILLAGE) == owed
    browser.post(f"/admin/units/{VILLAGE}", data={**form, "seen": seen(asked)})
    assert open_items(site, VILLAGE) == 0


def test_what_changed_meanwhile_is_asked_again(site: Site) -> None:
    browser, form = site.at(DAY), {**FORM, "level": "school"}
    asked = browser.post(f"/admin/units/{VILLAGE}", data=form)
    browser.post(f"/admin/units/{village(1, 2)}", data={**FORM, "name": "别的名称"})
    again = browser.post(f"/admin/units/{VILLAGE}", data={**form, "seen": seen(asked)})
    assert (again.status_code, seen(again) != seen(asked)) == (200, True)  # shown anew, not done
    assert unit(site, VILLAGE) == ("1县1村", "village", TOWN, COUNTY, "", None)


@pytest.mark.parametrize(
    ("other", "said", "status"),
    [
        ({"name": ""}, "名称：单位名称为空", 422),
        ({"name": "x" * 81}, "须在 80 字以内", 422),
        ({"name": "村\x07"}, "", 303),  # what nobody types is left out
        ({"level": "省"}, "层级只能是", 422),
        ({"level": ""}, "层级只能是", 422),
        ({"function": "气象"}, "条线只能是", 422),
        ({"parent": "8888"}, "上级单位不存在：8888", 422),
        ({"parent": ""}, "除市级外都须写上级单位", 422),
        ({"parent": VILLAGE}, "是自己的上级", 422),
        ({"parent": village(1, 2), "level": "county"}, "上级单位的层级低于本单位", 422),
        ({"name": '"; DROP TABLE unit; --'}, "", 303),
        ({"name": "村,\n假"}, "", 303),
    ],
)
def test_a_bad_unit_is_refused_by_field(site: Site, other: dict[str, str], said: str, status: int) -> None:
    answer = site.at(DAY).post(f"/admin/units/{VILLAGE}", data={**FORM, **other})
    assert (answer.status_code, said in unescape(answer.text)) == (status, True)
    if status != 303:
        assert unit(site, VILLAGE) == ("1县1村", "village", TOWN, COUNTY, "", None)


def test_added_after_it_was_shown_what_it_will_owe(site: Site) -> None:
    browser = site.at(DAY, roles=LOCAL)
    asked = browser.post(f"/admin/units/{TOWN}/below", data=NEW)
    assert "新增办理件 14 件，其中 6 件时限已过" in words(asked.text)
    assert unit(site, "900101003") is None
    done = browser.post(f"/admin/units/{TOWN}/below", data={**NEW, "seen": seen(asked)})
    assert done.headers["location"] == "/admin/units/900101003?told=added"
    assert (unit(site, "900101003"), open_items(site, "900101003")) == (("新村", "village", TOWN, COUNTY, "", None), 14)
    for code, said in ((VILLAGE, "已是1县1村"), ("村-X!", "单位代码须为数字或字母"), ("", "单位代码须为数字或字母")):
        refused = browser.post(f"/admin/units/{TOWN}/below", data={**NEW, "new_code": code})
        assert (refused.status_code in (409, 422), said in unescape(refused.text)) == (True, True)


def test_closed_or_merged_after_it_was_shown(site: Site) -> None:
    browser, wanted = site.at(DAY), {"on": "２０２５-07-01", "into": "1县2村"}
    asked = browser.post(f"/admin/units/{VILLAGE}/close/preview", data=wanted)
    said = words(asked.text)
    assert "1县1村自2025年7月1日起停用，并入1县2村" in said
    assert "时限在7月1日及以后、还没有报送的办理件 7 件取消" in said
    assert "时限在此之前、没有办结的 7 件保留" in said
    assert (unit(site, VILLAGE) or ())[4] == ""
    done = browser.post(f"/admin/units/{VILLAGE}/close", data=wanted)
    assert done.headers["location"] == f"/admin/units/{VILLAGE}?told=closed"
    assert unit(site, VILLAGE) == ("1县1村", "village", TOWN, COUNTY, "2025-07-01", village(1, 2))
    assert open_items(site, VILLAGE) == 7
    assert "2025年7月1日起停用，并入1县2村" in browser.get(f"/admin/units/{VILLAGE}").text
    other_day = browser.post(f"/admin/units/{VILLAGE}/close", data={"on": "2025-08-01"})
    assert (other_day.status_code, "不能再改" in other_day.text) == (409, True)


@pytest.mark.parametrize(
    ("code", "wanted", "said", "status"),
    [
        (VILLAGE, {"on": ""}, "请填写停用日期", 409),
        (VILLAGE, {"on": "2025-02-30"}, "没有2025年2月30日这一天", 409),
        (VILLAGE, {"on": "明天"}, "日期须写作", 409),
        (VILLAGE, {"on": "1999-01-01"}, "日期须在", 409),
        (VILLAGE, {"on": "2025-07-01", "into": VILLAGE}, "不能并入", 409),
        (VILLAGE, {"on": "2025-07-01", "into": "没有的村"}, "没有代码为", 404),
        (BUREAU, {"on": "2025-07-01"}, "统筹单位，不能停用", 409),
    ],
)
def test_a_bad_closing_is_refused(site: Site, code: str, wanted: dict[str, str], said: str, status: int) -> None:
    for path in (f"/admin/units/{code}/close/preview", f"/admin/units/{code}/close"):
        refused = site.at(DAY).post(path, data=wanted)
        assert (refused.status_code, said in unescape(refused.text)) == (status, True)
    assert (unit(site, code) or ())[4] == ""


def test_a_county_stays_within_itself(site: Site) -> None:
    browser = site.at(DAY, roles=LOCAL)
    tried = [
        browser.post(f"/admin/units/{village(2, 1)}", data={**FORM, "name": "x"}),
        browser.post(f"/admin/units/{FAR_TOWN}/below", data=NEW),
        browser.post(f"/admin/units/{village(2, 1)}/close", data={"on": "2025-07-01"}),
        browser.post(f"/admin/units/{VILLAGE}", data={**FORM, "parent": FAR_TOWN}),
        browser.post(f"/admin/units/{VILLAGE}/close", data={"on": "2025-07-01", "into": village(2, 1)}),
        browser.post(f"/admin/units/{COUNTY}", data={"name": "1县", "level": "county", "parent": OTHER}),
    ]
    assert [one.status_code for one in tried] == [403] * 6
    assert unit(site, VILLAGE) == ("1县1村", "village", TOWN, COUNTY, "", None)


def test_a_list_goes_out_and_comes_back(site: Site) -> None:
    browser = site.at(DAY)
    out = browser.get("/admin/units.csv")
    rows = list(csv.reader(io.StringIO(out.content.decode("utf-8-sig"))))
    assert rows[0] == ["代码", "名称", "层级", "条线", "上级代码", "功能区"]
    assert [VILLAGE, "1县1村", "嘎查村社区", "", TOWN, ""] in rows
    assert len(rows) == 16
    assert "表中内容与现有名录一致" in upload(site, out.content).text
    local = list(csv.reader(io.StringIO(site.at(DAY, roles=LOCAL).get("/admin/units.csv").content.decode("utf-8-sig"))))
    assert {row[0][:4] for row in local[1:]} == {COUNTY}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_a_list_is_shown_then_taken_over_whole(site: Site, encoding: str) -> None:
    text = LIST + f"９００１０１００３,三村,嘎查村社区,,{TOWN},\r\n{VILLAGE},一村,village,,{TOWN},\r\n"
    shown = upload(site, text.encode(encoding), LOCAL)
    said = words(shown.text)
    assert "新增单位 1 更改单位 1 新增办理件 14 ，其中时限已过 6" in said
    assert "一村 900101001 原名1县1村" in said
    assert unit(site, "900101003") is None
    confirm = {"text": text, "seen": seen(shown)}
    browser = site.at(DAY, roles=LOCAL)
    done = browser.post("/admin/units/import/confirm", data=confirm)
    assert done.headers["location"] == "/admin/units?told=imported"
    assert (unit(site, "900101003") or ())[0] == "三村"
    assert (unit(site, VILLAGE) or ())[0] == "一村"
    assert browser.post("/admin/units/import/confirm", data=confirm).status_code == 409
    with site.database.read() as session:
        assert query(session, "SELECT act FROM audit") == [("导入单位名录",)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "文件是空的"),
        (b"PK\x03\x04", "这是 Excel 工作簿"),
        (b"\xff\x00", "不是 UTF-8 或 GB18030"),
        ("代码,名称\r\n1,2\r\n".encode(), "表头缺少列"),
        (LIST.encode(), "没有任何单位"),
        ((LIST + "9,x,村,,900101,\r\n").encode(), "2 层级 层级只能是"),
        (
            (LIST + f"900101009,甲,village,,{TOWN},\r\n900101009,乙,village,,{TOWN},\r\n").encode(),
            "3 代码 单位代码重复",
        ),
        ((LIST + "900101009,甲,village,,7777,\r\n").encode(), "2 上级代码 上级单位不存在：7777"),
        ((LIST + f"900101009,甲,village,,{TOWN},,,多\r\n").encode(), "列数多于表头"),
        ((LIST + f"900101009,{'甲' * 81},village,,{TOWN},\r\n").encode(), "须在 80 字以内"),
        (LIST.encode() + b"9" * (512 * 1024), "文件超过 512 KB"),
    ],
)
def test_a_bad_list_is_refused_by_line(site: Site, data: bytes, said: str) -> None:
    refused = upload(site, data)
    assert (refused.status_code, said in words(refused.text)) == (422, True)
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM unit") == [(15,)]


def test_a_list_of_another_county_is_refused_whole(site: Site) -> None:
    text = LIST + f"900101003,三村,village,,{TOWN},\r\n{village(2, 1)},改名,village,,{FAR_TOWN},\r\n"
    refused = upload(site, text.encode(), LOCAL)
    assert (refused.status_code, f"不在您负责的范围内：{village(2, 1)}（改名）" in refused.text) == (422, True)
    stolen = LIST + f"{village(2, 1)},2县1村,village,,{TOWN},\r\n"  # taken over from the other county
    assert upload(site, stolen.encode(), LOCAL).status_code == 422
    assert unit(site, "900101003") is None
