"""Pages about people: a unit's own, the coordinator's table, and the warning that nobody can reach a unit."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from ledger import channels, people
from ledger.people import Address, Person
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, SCHOOLS, instant, query, statements, village

pytestmark = pytest.mark.thorough

DAY = "2025-06-02"
NOW = instant(DAY)
VILLAGE = village(1, 1)
PAGE, TABLE = f"/units/{VILLAGE}/people", f"/units/{BUREAU}/people/import"
HEAD = "单位,姓名,职务,电话,角色,电子邮箱,渠道,通报,停用\n"
ID_NUMBER = "150203199003078895"
FORM = {
    "name": "李　明",
    "post": "儿童主任",
    "phone": "０４７２－５１２３４５６",
    "role": ["liaison", "reviewer"],
    "circular": ["weekly"],
    "way": ["email", "inbox"],
    "place": ["2", "1"],
    "address": ["Li＠Village.example", ""],
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack") as found:
        yield found


def known(site: Site, unit: str = VILLAGE) -> tuple[Person, ...]:
    with site.database.read() as session:
        return people.people_of(session, unit)


def add(browser: TestClient, unit: str = VILLAGE, **other: Any) -> Response:
    return browser.post(f"/units/{unit}/people", data={**FORM, **other})


def sentences(answer: Response) -> list[str]:
    return [unescape(one) for one in re.findall(r'<span class="fault">(.*?)</span>', answer.text)]


def rows(answer: Response) -> list[list[str]]:
    """The cells of the first table below its head, as one reads them."""
    [body] = re.findall(r"<tbody>(.*?)</tbody>", answer.text, re.DOTALL)[:1]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("</tr>")[:-1]]
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


def test_added_changed_deactivated_restored(site: Site) -> None:
    browser = site.at(DAY)
    assert "还没有登记人员" in browser.get(PAGE).text
    added = add(browser)
    assert (added.status_code, added.headers["location"]) == (303, f"{PAGE}?told=added")
    [one] = known(site)
    assert (one.name, one.post, one.phone, one.weekly, one.monthly) == ("李明", "儿童主任", "0472-5123456", True, False)
    assert (one.liaison, one.principal, one.reviewer) == (True, False, True)
    assert one.addresses == (Address("inbox", ""), Address("email", "li@village.example"))
    shown = browser.get(added.headers["location"])
    assert "已添加。" in shown.text
    assert rows(shown) == [
        [
            "李明 儿童主任",
            "联络员 审核人",
            "0472-5123456",
            "站内消息 电子邮件 li@village.example 渠道未确认",
            "周",
            "更改 停用",
        ]
    ]
    edit = browser.get(f"{PAGE}/{one.id}").text
    [seen] = re.findall(r'name="seen" value="([^"]+)"', edit)
    assert 'value="li@village.example"' in edit
    changed = browser.post(
        f"{PAGE}/{one.id}", data={**FORM, "name": "李明亮", "place": ["", "1"], "address": ["", ""], "seen": seen}
    )
    assert changed.headers["location"] == f"{PAGE}?told=changed"
    [one] = known(site)
    assert (one.name, one.addresses) == ("李明亮", (Address("inbox", ""),))
    assert browser.post(f"{PAGE}/{one.id}/deactivate").headers["location"] == f"{PAGE}?told=deactivated"
    page = browser.get(f"{PAGE}?told=deactivated").text
    assert ("可在名单中恢复" in page, f'action="{PAGE}/{one.id}/restore' in page) == (True, True)
    assert known(site)[0].active is False
    assert browser.post(f"{PAGE}/{one.id}/restore").status_code == 303
    assert browser.post(f"{PAGE}/{one.id}/restore").status_code == 409
    assert known(site)[0].active is True


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"name": ""}, ["请填写姓名，人选未定的先不登记"]),
        ({"name": "李明1"}, ["姓名只能是文字，不超过 40 字，不能有数字或符号"]),
        ({"phone": "13947212345"}, ["只登记办公电话，不登记手机号码"]),
        ({"role": [], "circular": []}, ["请至少写一个角色：联络员、负责人、审核人"]),
        ({"role": ["boss"], "circular": []}, ["请至少写一个角色：联络员、负责人、审核人"]),
        ({"address": ["li.village.example", ""]}, ["不是完整的邮箱地址：li.village.example"]),
        ({"place": ["", "1"]}, ["写了电子邮件的地址而选了“不用”，请选择先后，或清空地址"]),
        ({"place": ["9" * 5000, "1"]}, ["写了电子邮件的地址而选了“不用”，请选择先后，或清空地址"]),
        ({"address": ["", "x"]}, ["站内消息不用写地址"]),
        ({"way": ["email", "fax"]}, ["没有这个渠道：fax；可写 email（电子邮件）、inbox（站内消息）"]),
        ({"way": ["inbox", "inbox"], "address": ["", ""]}, ["渠道重复：站内消息"]),
    ],
)
def test_a_form_that_is_wrong_is_shown_again(site: Site, other: dict[str, Any], said: list[str]) -> None:
    answer = add(site.at(DAY), **other)
    assert (answer.status_code, sentences(answer)) == (422, said)
    assert known(site) == ()
    assert 'value="儿童主任"' in answer.text  # nothing that was typed is lost


@pytest.mark.parametrize("field", ["name", "post"])
def test_characters_that_no_database_takes(site: Site, field: str) -> None:
    assert add(site.at(DAY), **{field: "李\x00\u202e明"}).status_code == 303
    assert getattr(known(site)[0], field) == "李明"


def test_what_is_personal_is_stopped_and_noted(site: Site) -> None:
    answer = add(site.at(DAY), post=f"监护人身份证{ID_NUMBER}")
    assert (answer.status_code, "不能提交" in answer.text) == (422, True)
    assert known(site) == ()
    with site.database.read() as session:
        assert query(session, "SELECT place, outcome, by_unit FROM screening") == [("职务", "blocked", VILLAGE)]
    upload = send(site.at(DAY), f"{HEAD}市教育局,李明,监护人身份证{ID_NUMBER},,联络员,,,,\n".encode())
    assert (upload.status_code, ID_NUMBER in upload.text) == (422, False)


def test_two_who_change_the_same(site: Site) -> None:
    browser = site.at(DAY)
    add(browser)
    [one] = known(site)
    seen = one.changed_at.isoformat()
    assert browser.post(f"{PAGE}/{one.id}", data={**FORM, "post": "主任", "seen": seen}).status_code == 303
    late = browser.post(f"{PAGE}/{one.id}", data={**FORM, "post": "书记", "seen": "2025-06-01T00:00:00+00:00"})
    assert (late.status_code, "刚被他人改动" in late.text, 'value="书记"' in late.text) == (409, True, True)
    assert known(site)[0].post == "主任"
    double = add(browser)
    assert (double.status_code, "本单位已登记李明" in double.text) == (409, True)
    for wrong in ("", "yesterday", "2025-06-01"):
        assert browser.post(f"{PAGE}/{one.id}", data={**FORM, "seen": wrong}).status_code == 422


def test_doors_that_lead_nowhere(site: Site) -> None:
    browser = site.at(DAY)
    add(browser)
    [one] = known(site)
    assert browser.get(f"/units/{SCHOOLS}/people/{one.id}").status_code == 404
    assert browser.post(f"/units/{SCHOOLS}/people/{one.id}/deactivate").status_code == 404
    assert browser.get(f"{PAGE}/999").status_code == 404
    assert browser.get("/units/none/people").status_code == 404
    assert browser.post("/units/none/people", data=FORM).status_code == 404
    for wrong, status in (("why=rain", 422), ("page=0", 422), ("page=x", 422), ("page=%00", 422), ("page=99", 404)):
        assert browser.get(f"/people/unreachable?{wrong}").status_code == status, wrong
    assert browser.get(f"/units/{VILLAGE}/people/import").status_code == 403
    assert browser.get(f"/units/{VILLAGE}/people/people.csv").status_code == 403
    assert browser.post(f"/units/{VILLAGE}/people/import", files={"file": ("a.csv", HEAD.encode())}).status_code == 403
    other_site = {"Sec-Fetch-Site": "cross-site"}
    for path in (PAGE, f"{PAGE}/{one.id}", f"{PAGE}/{one.id}/deactivate", TABLE, f"{TABLE}/confirm"):
        assert browser.post(path, data=FORM, headers=other_site).status_code == 403
    assert known(site) == (one,)


def test_letters_that_came_back_are_shown_and_trusted_again(site: Site) -> None:
    browser = site.at(DAY)
    add(browser)
    [one] = known(site)
    with site.database.write() as session:
        people.note_bounce(session, "li@village.example", "收件服务器说没有这个邮箱", NOW)
    listed = browser.get(PAGE)
    assert "▲ 退信 收件服务器说没有这个邮箱" in rows(listed)[0][3]
    assert "退信：收件服务器说没有这个邮箱" in browser.get(f"{PAGE}/{one.id}").text
    assert browser.post(f"{PAGE}/{one.id}/trust").headers["location"] == f"{PAGE}?told=trusted"
    assert known(site)[0].addresses[1] == Address("email", "li@village.example")


def send(browser: TestClient, data: bytes, name: str = "人员.csv") -> Response:
    return browser.post(TABLE, files={"file": (name, data)})


def hidden(answer: Response) -> dict[str, str]:
    return {
        name: unescape(value)
        for name, value in re.findall(r'type="hidden" name="(text|seen)" value="([^"]*)"', answer.text)
    }


def test_a_table_is_shown_first_and_taken_when_confirmed(site: Site) -> None:
    browser = site.at(DAY)
    add(browser)
    text = f'{HEAD}1县1村,李明,"主任, <b>",0472-5123456,联络员、审核人,li@village.example,inbox,周,\n市教育局,王芳,,,联络员,,inbox,,\n'
    shown = send(browser, text.encode("gb18030"))
    assert shown.status_code == 200
    after = "联络员 审核人 主任, <b> · 0472-5123456 · 站内消息、电子邮件 li@village.example"
    assert rows(shown) == [
        ["1县1村", "李明", "更改：职务", after],
        ["市教育局", "王芳", "新增", "联络员 站内消息"],
    ]
    assert known(site, SCHOOLS) == ()
    taken = browser.post(f"{TABLE}/confirm", data=hidden(shown))
    assert (taken.status_code, taken.headers["location"]) == (303, f"/units/{BUREAU}/people?told=imported")
    assert (known(site)[0].post, known(site, SCHOOLS)[0].name) == ("主任, <b>", "王芳")
    again = send(browser, text.encode())
    assert "表中内容与现有登记一致" in again.text


def test_what_was_not_seen_is_not_taken(site: Site) -> None:
    browser = site.at(DAY)
    shown = send(browser, f"{HEAD}市教育局,王芳,,,联络员,,inbox,,\n".encode())
    form = hidden(shown)
    changed = browser.post(f"{TABLE}/confirm", data={**form, "text": form["text"].replace("王芳", "赵静")})
    assert (changed.status_code, "在预览之后有了变化" in changed.text) == (409, True)
    assert browser.post(f"{TABLE}/confirm", data={**form, "seen": "x"}).status_code == 422
    assert browser.post(f"{TABLE}/confirm", data={**form, "text": "x"}).status_code == 422
    assert known(site, SCHOOLS) == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "文件是空的，可能没有上传完整，请重新选择"),
        (b"PK\x03\x04\x14\x00", "这是 Excel 工作簿，请另存为 CSV（逗号分隔，UTF-8）后上传"),
        ("单位,姓名".encode("utf-16"), "不是 UTF-8 或 GB18030 编码的文本，无法读取"),
        (HEAD.encode() + b"x" * (512 * 1024), "文件超过 512 KB，请分几次导入"),
        (HEAD[:12].encode(), "表头缺少列：角色"),
        (f"{HEAD}市教育局,王芳,,0472-51".encode(), "最后一行不完整，文件可能没有上传完整"),
        (f"{HEAD}市教育局,王芳".encode()[:-1], "不是 UTF-8 或 GB18030 编码的文本，无法读取"),
        (f"{HEAD}市教育局,王芳,,13947212345,联络员,,,,\n".encode(), "只登记办公电话，不登记手机号码"),
        (f"{HEAD}市教育局,=1+1,,,联络员,,,,\n".encode(), "不能是公式，请粘贴为数值（文本）后再导入"),
        (f"{HEAD}市教育局,王芳,,,,,,,是\n".encode(), "没有登记过这位人员，不能停用"),
    ],
)
def test_tables_that_are_refused(site: Site, data: bytes, said: str) -> None:
    answer = send(site.at(DAY), data)
    assert answer.status_code == 422
    assert [row[2] for row in rows(answer)] == [said]
    assert known(site, SCHOOLS) == ()


def test_an_upload_without_a_file(site: Site) -> None:
    assert site.at(DAY).post(TABLE, data={"x": "y"}).status_code == 422


def test_the_table_that_goes_out_comes_back_the_same(site: Site) -> None:
    browser = site.at(DAY)
    add(browser)
    answer = browser.get(f"/units/{BUREAU}/people/people.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"].startswith('attachment; filename="people.csv"')
    head, *lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert ",".join(head) + "\n" == HEAD
    assert [
        "1县1村",
        "李明",
        "儿童主任",
        "0472-5123456",
        "联络员、审核人",
        "li@village.example",
        "inbox、email",
        "周",
        "",
    ] in lines
    assert ["市教育局", *[""] * 8] in lines
    assert len(lines) == 15
    assert "表中内容与现有登记一致" in send(browser, answer.content).text


def test_the_warning_on_the_board_and_its_page(site: Site) -> None:
    browser = site.at(DAY)
    board = browser.get("/").text
    assert '<a href="/people/unreachable?plan=tiny-2025">7 个单位联系不到：' in board
    listed = browser.get("/people/unreachable")
    assert rows(listed)[0] == ["市民政局", "市级", "小城", "没有联络员", "登记联络员"]
    assert len(rows(listed)) == 7
    assert f'href="{PAGE}?plan=tiny-2025"' in listed.text
    add(browser, place=["1", ""])
    assert ["1县1村", "嘎查村社区", "1县镇", "渠道未确认", "改用已确认的渠道"] in rows(
        browser.get("/people/unreachable")
    )
    assert len(rows(browser.get("/people/unreachable?why=unconfirmed"))) == 1
    assert "没有因退信而联系不到的单位" in browser.get("/people/unreachable?why=bounced").text
    with site.database.write() as session:
        channels.note_test(session, "email", "email", "d" * 64, number="123456", now=NOW)
        channels.confirm(session, "email", "123456", by="管理员", now=NOW)
    assert "6 个单位联系不到" in browser.get("/").text
    assert "联系不到" not in browser.get("/?as_of=2025-06-01").text


def test_no_warning_where_everybody_can_be_reached(site: Site) -> None:
    browser = site.at(DAY)
    for unit in (BUREAU, "9001-mz", "9002-mz", *(village(c, v) for c in (1, 2) for v in (1, 2))):
        assert add(browser, unit).status_code == 303
    assert "联系不到" not in browser.get("/").text
    assert "有事项的单位都有联络员能收到消息" in browser.get("/people/unreachable").text


def test_the_register_names_them(site: Site) -> None:
    browser = site.at(DAY)
    add(browser, role=["liaison", "principal"])
    path = f"within={VILLAGE}&period=2025-01&section=task-1"
    for day, told in ((DAY, False), ("2025-02-15", True)):
        page = browser.get(f"/register?{path}&as_of={day}")
        head, [row] = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page.text), rows(page)
        cells = dict(zip(head, row, strict=True))
        assert (cells["责任人"], cells["联系人"]) == ("李明", "李明 0472-5123456")
        assert ("责任人、联系人为现任人员" in page.text) is told
        lines = list(
            csv.DictReader(io.StringIO(browser.get(f"/register.csv?{path}&as_of={day}").content.decode("utf-8-sig")))
        )
        assert [(one["责任人"], one["联系人"]) for one in lines] == [("李明", "李明 0472-5123456")]


def test_the_same_statements_for_one_and_for_three_hundred(database_url: str, tmp_path: Path) -> None:
    with tiny_site(database_url, tmp_path / "pack", villages=150) as site:
        browser = site.at(DAY)
        paths = ("/", PAGE, "/people/unreachable", TABLE, f"/units/{BUREAU}/people/people.csv")
        add(browser)
        counts = [_counted(site, browser, paths)]
        names = ["".join(chr(0x4E00 + 97 * n + m) for m in range(2)) for n in range(150)]
        here = "".join(f"{VILLAGE},{name},,,联络员,a@b.cn,,,\n" for name in names)
        there = "".join(f"{village(2, n)},{name},,,联络员,,inbox,,\n" for n, name in enumerate(names, 1))
        shown = send(browser, (HEAD + here + there).encode())
        assert browser.post(f"{TABLE}/confirm", data=hidden(shown)).status_code == 303
        counts.append(_counted(site, browser, paths))
        assert len(known(site)) == 151
        assert counts[0] == counts[1]


def _counted(site: Site, browser: TestClient, paths: tuple[str, ...]) -> list[int]:
    counts = []
    for path in paths:
        with statements(site.database) as sent:
            assert browser.get(path).status_code == 200
        counts.append(len(sent))
    return counts


def test_an_empty_ledger(bare_site: Site) -> None:
    for path in ("/people/unreachable", PAGE, TABLE):
        assert bare_site.at(DAY).get(path).status_code == 404
