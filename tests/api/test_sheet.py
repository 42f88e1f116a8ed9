"""代填 in a browser: a row for each village, wrong cells marked, nothing typed lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import reviews, submissions
from ledger.acts import standing
from policy_models.lifecycle import State
from tests.api.site import Site, tiny_site
from tests.factories import Files, instant, item, office, query, requirement_of, statements, village
from tests.ledger.test_sheets import met

pytestmark = pytest.mark.thorough

TOWN, DAY, VILLAGES = "900101", "2025-02-20", 4
SHEET = f"/units/{TOWN}/sheet/1.2/2025-02"
WINTER_SHEET = f"/units/{TOWN}/sheet/2.2/2025-winter"
KEYS = [item("1.2", village(1, number), "2025-02") for number in range(1, VILLAGES + 1)]
WINTER = [item("2.2", village(1, number), "2025-winter") for number in range(1, VILLAGES + 1)]


def change(files: Files) -> None:
    requirement_of(files, "1.2")["nothing_new"] = True
    requirement_of(files, "1.2")["evidence"] = [
        {"type": "measure", "name": "met", "label": "已联系", "of": "all", "of_label": "应联系"}
    ]
    requirement_of(files, "2.2")["evidence"] = [
        {"type": "measure", "name": "seen", "label": "已走访"},
        {"type": "text", "label": "主要做法"},
        {"type": "photo", "label": "走访照片", "min": 2},
    ]


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", change, villages=VILLAGES) as found:
        yield found


def ids(site: Site, keys: list[str]) -> list[int]:
    with site.database.read() as session:
        return [standing(session, key).id for key in keys]


def states(site: Site, keys: list[str]) -> list[State]:
    with site.database.read() as session:
        return [standing(session, key).state for key in keys]


def filled(site: Site, figures: list[tuple[str, str]], **more: str) -> dict[str, str]:
    fields = {"note": "", **more}
    for id, (value, of) in zip(ids(site, KEYS), figures, strict=False):
        fields |= {f"{id}.value-met": value, f"{id}.of-met": of, f"{id}.seen": "1"}
    return fields


def test_the_list_and_the_sheet(site: Site) -> None:
    browser = site.at(DAY)
    listed = browser.get(f"/units/{TOWN}/sheets").text
    assert f'href="{SHEET}?plan=tiny-2025"' in listed
    assert "0/4 个村（社区）已填" in listed
    html = browser.get(SHEET).text
    assert "0/4 个村（社区）已填" in html
    assert len(re.findall(r'name="\d+\.value-met"', html)) == VILLAGES
    assert 'href="/units/900101/sheets' in browser.get(f"/units/{TOWN}").text


def test_what_people_type_is_understood(site: Site) -> None:
    fields = filled(
        site, [("３", "１２"), (" 1,000 ", "1,200"), ("0", "0"), ("", "")], note="统一核对", by_name="王主任"
    )
    answer = site.at(DAY).post(SHEET, data=fields)
    assert answer.headers["location"] == f"{SHEET}?done=3"
    assert states(site, KEYS) == [State.SUBMITTED] * 3 + [State.OPEN]
    html = site.at(DAY).get(answer.headers["location"]).text
    assert ("已报送 3 个村（社区）" in html, "3/4 个村（社区）已填" in html) == (True, True)
    with site.database.read() as session:
        rows = query(session, 'SELECT value, "of" FROM evidence ORDER BY id')
        names = query(session, "SELECT DISTINCT by_unit, by_name, note FROM entry WHERE act = 'submit'")
    assert [(int(value), int(of)) for value, of in rows] == [(3, 12), (1000, 1200), (0, 0)]
    assert names == [(TOWN, "王主任", "统一核对")]


@pytest.mark.parametrize(
    ("value", "of", "sentence"),
    [
        ("13", "12", "不能大于应联系（12）"),
        ("-1", "12", "不能是负数"),
        ("3人", "12", "只填数字，请删去“人”"),
        ("三", "12", "请填写数字"),
        ("80%", "12", "请填写数量，不填百分比"),
        ("3", "", "请填写"),
        ("1e9", "12", "不是一个数字"),
        ("NaN", "12", "请填写数字"),
        ("9" * 20, "12", "数字过大"),
        ("=1+1", "12", "不是一个数字"),
    ],
)
def test_a_wrong_cell_is_told_beside_it_and_nothing_is_lost(site: Site, value: str, of: str, sentence: str) -> None:
    fields = filled(site, [("1", "2"), (value, of)], note="备注<b>")
    answer = site.at(DAY).post(SHEET, data=fields)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert "有 1 行需要核对" in answer.text
    shown = dict(re.findall(r'name="(\d+\.(?:value|of)-met)" value="([^"]*)"', answer.text))
    assert {name: shown[name] for name in fields if "-met" in name} == {n: v for n, v in fields.items() if "-met" in n}
    assert 'value="备注&lt;b&gt;"' in answer.text
    assert answer.text.count("aria-invalid") == 1
    assert states(site, KEYS) == [State.OPEN] * 4


def test_no_such_case_with_a_reason(site: Site) -> None:
    first, second, *_ = ids(site, KEYS)
    fields = {f"{first}.nothing_new": "on", f"{first}.reason": "本月无在册儿童", f"{second}.nothing_new": "on"}
    answer = site.at(DAY).post(SHEET, data=fields)
    assert (answer.status_code, "请写明无新增、无此情况的理由" in answer.text) == (422, True)
    assert answer.text.count("checked") == 2
    del fields[f"{second}.nothing_new"]
    assert site.at(DAY).post(SHEET, data=fields).status_code == 303
    assert "本月无在册儿童" in site.at(DAY).get(SHEET).text


def test_personal_values_are_stopped_and_noted(site: Site) -> None:
    first, *_ = ids(site, KEYS)
    fields = {f"{first}.nothing_new": "on", f"{first}.reason": "张某 150203201501011239 已转学"}
    answer = site.at(DAY).post(SHEET, data=fields)
    assert (answer.status_code, "疑似公民身份号码" in answer.text) == (422, True)
    with site.database.read() as session:
        noted = query(session, "SELECT outcome, by_unit, findings FROM screening")
    assert [(outcome, by) for outcome, by, _ in noted] == [("blocked", TOWN)]
    assert "150203201501011239" not in str(noted)


def test_photos_are_waited_for(site: Site) -> None:
    html = site.at(DAY).get(WINTER_SHEET).text
    assert "本事项还须上传走访照片" in html
    assert html.count("缺照片 2 份") == VILLAGES
    first, second, *_ = ids(site, WINTER)
    fields = {f"{first}.value-seen": "5", f"{first}.text": "逐户走访", f"{second}.value-seen": "6"}
    answer = site.at(DAY).post(WINTER_SHEET, data=fields)
    assert (answer.status_code, "请填写" in answer.text) == (422, True)
    fields[f"{second}.text"] = "电话联系"
    answer = site.at(DAY).post(WINTER_SHEET, data=fields)
    assert answer.headers["location"] == f"{WINTER_SHEET}?kept=2"
    html = site.at(DAY).get(answer.headers["location"]).text
    assert "2 个村（社区）的数字已存为草稿，补齐下面标出的走访照片后即可报送" in html
    assert html.count('<span class="tag">草稿') == 2
    assert ('value="5"' in html, "逐户走访" in html) == (True, True)
    assert f'href="/units/{TOWN}/submit/{WINTER[0]}?plan=tiny-2025">上传' in html
    assert states(site, WINTER) == [State.OPEN] * 4


def test_last_accepted_figures_are_offered(site: Site) -> None:
    with site.database.write() as session:
        january = item("1.2", village(1, 1), "2025-01")
        submissions.submit(session, january, by=office(TOWN), evidence=met(5, 7), now=instant("2025-02-01"))
        reviews.accept(session, january, by=office(TOWN), now=instant("2025-02-02"))
    html = site.at(DAY).get(SHEET).text
    assert (html.count('value="7"'), "同2025年1月" in html) == (1, True)
    first, *_ = ids(site, KEYS)
    answer = site.at(DAY).post(SHEET, data={f"{first}.of-met": "7"})
    assert (answer.status_code, "尚未填写任何一行" in answer.text) == (422, True)


def test_somebody_filled_it_in_meanwhile(site: Site) -> None:
    with site.database.write() as session:
        submissions.submit(session, KEYS[0], by=office(village(1, 1)), evidence=met(5, 7), now=instant(DAY))
        reviews.send_back(session, KEYS[0], by=office(TOWN), now=instant(DAY), reason="请核对")
    answer = site.at(DAY).post(SHEET, data=filled(site, [("1", "2"), ("3", "4")]))
    assert (answer.status_code, "1县1村的办理件刚刚有了变化" in answer.text) == (409, True)
    assert ('value="3"' in answer.text, "退回：请核对" in answer.text) == (True, True)
    assert states(site, KEYS) == [State.RETURNED, *[State.OPEN] * 3]


def test_rows_that_are_done_are_only_shown(site: Site) -> None:
    with site.database.write() as session:
        submissions.submit(session, KEYS[0], by=office(village(1, 1)), evidence=met(5, 7), now=instant(DAY))
    answer = site.at(DAY).post(SHEET, data=filled(site, [("1", "1"), ("3", "4")]))
    assert answer.headers["location"] == f"{SHEET}?done=1"
    with site.database.read() as session:
        handed = query(
            session, "SELECT value FROM evidence JOIN work_item w ON w.id = item_id WHERE w.key = :k", k=KEYS[0]
        )
    assert [int(value) for (value,) in handed] == [5]


def test_all_filled_leads_on(site: Site) -> None:
    site.at(DAY).post(SHEET, data=filled(site, [("1", "1")] * 4))
    html = site.at(DAY).get(SHEET).text
    assert "4 个村（社区）都已填报" in html
    assert "前往审核" in html


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/units/{TOWN}/sheet/9.9/2025-02", 404),
        (f"/units/{TOWN}/sheet/1.2/2031-02", 404),
        ("/units/9001-mz/sheet/1.2/2025-02", 404),
        (f"/units/{village(1, 1)}/sheet/1.2/2025-02", 404),
        ("/units/nobody/sheets", 404),
        (f"/units/{TOWN}/sheet/{'x' * 41}/2025-02", 422),
    ],
)
def test_sheets_that_are_not_there(site: Site, path: str, status: int) -> None:
    assert site.at(DAY).get(path).status_code == status


def test_no_sheets_says_why(site: Site) -> None:
    assert "目前没有可以代填的表" in site.at(DAY).get(f"/units/{village(1, 1)}/sheets").text


def test_hostile_fields(site: Site) -> None:
    foreign = ids(site, [item("1.2", village(2, 1), "2025-02")])[0]
    fields = {f"{foreign}.value-met": "1", f"{foreign}.of-met": "1", "x.y.z": "1", "": "1", "1.": "2"}
    answer = site.at(DAY).post(SHEET, data=fields)
    assert (answer.status_code, "尚未填写任何一行" in answer.text) == (422, True)
    assert site.at(DAY).post(SHEET, data={"note": "长" * 501, **filled(site, [("1", "1")])}).status_code == 303
    long = filled(site, [("1", "1"), ("1", "1")], note="长" * 501)
    answer = site.at(DAY).post(SHEET, data=long)
    assert (answer.status_code, "备注过长：501 字" in answer.text) == (422, True)


def test_as_many_statements_for_four_rows_as_for_one(site: Site) -> None:
    def sent(count: int, first: int) -> int:
        chosen = ids(site, KEYS)[first : first + count]
        fields = {f"{id}.{name}": "1" for id in chosen for name in ("value-met", "of-met", "seen")}
        browser = site.at(DAY)
        with statements(site.database) as found:
            assert browser.post(SHEET, data=fields).status_code == 303
        return len([one for one in found if not one.startswith("BEGIN")])

    assert sent(1, 0) == sent(3, 1)
