"""优秀案例 by HTTP: written, handed in, sent back, picked, published; what is refused and how it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger.acts import standing
from tests.api.exemplars import FORM, Office, office_of, picture, text_of
from tests.api.test_pages import read
from tests.exemplar_site import ASKED, FIRST, LONG, ROUND, SECOND, given, hand_in, publish, states
from tests.factories import BUREAU, query, statements, village

pytestmark = pytest.mark.thorough

DESK = f"/units/{FIRST}/exemplars"
LIST = f"/units/{BUREAU}/shortlist"
RESIDENT = "110101199003070134"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_of(database_url, tmp_path) as found:
        yield found


def begin(browser: TestClient, title: str = "牵手成长") -> str:
    answer = browser.post(DESK, data={"round": ROUND, "title": title})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def version(browser: TestClient, path: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', browser.get(path).text)
    assert found
    return found.group(1)


def handed_in(browser: TestClient) -> str:
    path = begin(browser)
    answer = browser.post(path, data={**FORM, "version": "1", "action": "submit"})
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    return path


def test_from_the_first_word_to_the_published_page(site: Office) -> None:
    browser = site.at()
    path = begin(browser)
    saved = browser.post(path, data={**FORM, "insight": "", "version": "1"})
    assert saved.headers["location"] == f"{path}?saved=1"
    assert "报送前还须写：经验启示" in text_of(browser.get(saved.headers["location"]).text)
    answer = browser.post(path, data={**FORM, "version": "2", "action": "submit", "by_name": "张科长"})
    assert answer.status_code == 303
    with site.database.read() as session:
        assert states(session) == ["issue", "submit"]
        assert given(session)[0] == ("measure", "exemplars_sent", 1, None)
    back = browser.post(f"{LIST}/1", data={"version": "4", "action": "send_back", "note": "缺成效数据"})
    assert back.status_code == 303
    assert "缺成效数据" in text_of(browser.get(path).text)
    browser.post(path, data={**FORM, "effect": "成效" * 300, "version": "4", "action": "submit"})
    assert browser.get("/exemplars/1").status_code == 404  # not before it is published
    for action in ("shortlist", "publish"):
        assert browser.post(f"{LIST}/1", data={"version": "6", "action": action}).status_code == 303
    shown = text_of(browser.get("/exemplars/1").text)
    assert "牵手成长" in shown
    assert "1县民政局 · 2025年上半年" in shown
    assert "2025年6月20日发布" in shown
    assert "牵手成长" in text_of(browser.get("/exemplars?q=做法").text)
    assert "没有符合条件的案例" in text_of(browser.get("/exemplars?under=9002").text)
    browser.post(f"{LIST}/1", data={"version": "6", "action": "unpublish"})
    assert browser.get("/exemplars/1").status_code == 404


@pytest.mark.parametrize("day", ["2024-12-15", "2025-06-20", "2025-12-31", "2026-03-01"])
def test_every_page_is_whole_on_every_day(site: Office, day: str) -> None:
    with site.database.write() as session:
        one, its = hand_in(session)
        publish(session, one, its)
        hand_in(session, replace(LONG, title="另一篇"), SECOND)
    browser = site.at(day)
    pages = [
        "/exemplars",
        "/exemplars/1",
        DESK,
        f"{DESK}/1",
        LIST,
        f"{LIST}?round=2025-H2",
        f"/units/{BUREAU}/exemplars",
    ]
    pages += [
        f"/units/{BUREAU}/exemplars/2",
        f"/units/{village(1, 1)}/exemplars",
        f"/exemplars?round={ROUND}&under=city",
    ]
    for path in pages:
        answer = browser.get(path)
        assert (path, answer.status_code) == (path, 200)
        tags = read(answer.text)
        assert (path, tags.faults, tags.open) == (path, [], [])
        assert [found for found in tags.forbidden if found != "script"] == []  # a file of our own
        assert all(found.startswith(("/static/", "/files/")) for found in tags.loads)


def test_an_empty_ledger(bare_site: object) -> None:
    browser = bare_site.at("2025-06-20")  # type: ignore[attr-defined]
    assert browser.get("/exemplars").status_code == 200
    for path in (DESK, LIST, f"/units/{FIRST}/bulletin"):
        answer = browser.get(path)
        assert (answer.status_code, "请先载入方案" in answer.text) == (404, True)


def test_what_was_typed_is_never_lost(site: Office) -> None:
    browser = site.at()
    path = begin(browser)
    refused = browser.post(path, data={**FORM, "effect": f"身份证{RESIDENT}", "version": "1", "action": "submit"})
    assert refused.status_code == 422
    assert "不能提交" in text_of(refused.text)
    assert FORM["practice"] in refused.text  # still in the form
    with site.database.read() as session:
        assert query(session, "SELECT effect, version FROM exemplar") == [("", 1)]
        assert [row[:2] for row in query(session, "SELECT outcome, by_unit FROM screening")] == [("blocked", FIRST)]
        assert RESIDENT not in str(query(session, "SELECT * FROM screening"))
    long = browser.post(path, data={**FORM, "title": "题" * 61, "version": "1"})
    assert (long.status_code, "题目不超过 60 字，现为 61 字" in long.text, FORM["insight"] in long.text) == (
        422,
        True,
        True,
    )


@pytest.mark.parametrize(
    "words",
    ["姓名：张小明，今年八岁", "监护人：乌云其其格", "联系电话：１３８０４７２０００１", "身份证 1101011990 03070134"],
)
def test_a_name_or_a_number_in_the_text_is_stopped(site: Office, words: str) -> None:
    browser = site.at()
    path = begin(browser)
    answer = browser.post(path, data={**FORM, "background": f"{'背景' * 200}{words}", "version": "1"})
    assert (answer.status_code, "不能提交" in answer.text) == (422, True)
    with site.database.read() as session:
        assert query(session, "SELECT background FROM exemplar") == [("",)]


def test_a_second_window_is_told_and_keeps_its_words(site: Office) -> None:
    browser = site.at()
    path = begin(browser)
    browser.post(path, data={**FORM, "insight": "先存的", "version": "1", "by_name": "王"})
    late = browser.post(path, data={**FORM, "insight": "后存的", "version": "1"})
    assert late.status_code == 409
    assert "王于2025年6月20日 09:00修改了这篇案例" in text_of(late.text)
    assert "后存的" in late.text
    assert 'name="version" value="2"' in late.text  # saving again is meant
    assert browser.post(path, data={**FORM, "insight": "后存的", "version": "2"}).status_code == 303


def test_a_form_sent_twice_is_one(site: Office) -> None:
    browser = site.at()
    paths = [begin(browser), begin(browser)]
    assert paths[0] == paths[1]
    answers = [browser.post(paths[0], data={**FORM, "version": "1", "action": "submit"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM exemplar_entry") == [(2,)]
        assert states(session) == ["issue", "submit"]


def test_consent_is_refused_and_asked_for(site: Office) -> None:
    browser = site.at()
    path = begin(browser)
    told = {**FORM, "tells_of_child": "1", "child_consents": "1", "version": "1", "action": "submit"}
    refused = browser.post(path, data=told)
    assert refused.status_code == 422
    assert "还缺：监护人同意、已作匿名处理" in text_of(refused.text)
    full = {**told, "guardian_consents": "1", "anonymised": "1", "version": version(browser, path)}
    assert browser.post(path, data=full).status_code == 303
    assert "已确认儿童本人同意、监护人同意、已作匿名处理" in text_of(browser.get(path).text)


def test_consent_for_what_tells_of_nobody_is_not_kept(site: Office) -> None:
    browser = site.at()
    path = begin(browser)
    browser.post(path, data={**FORM, "child_consents": "1", "anonymised": "1", "version": "1"})
    with site.database.read() as session:
        assert [tuple(map(bool, row)) for row in query(session, "SELECT child_consents, anonymised FROM exemplar")] == [
            (False, False)
        ]


def test_hostile_text_is_only_text(site: Office) -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}\"' onload=x=\u202e\x00\x07"
    browser = site.at()
    path = begin(browser, hostile)
    form = {**FORM, "title": hostile, "background": f"</textarea>{hostile}", "version": "1", "action": "submit"}
    assert browser.post(path, data=form).status_code == 303
    with site.database.write() as session:
        publish(session, 1, 3)
    for page in (path, "/exemplars", "/exemplars/1", LIST, DESK):
        html = browser.get(page).text
        assert (page, "<script>alert" in html, "49" in text_of(html).replace("1649", "")) == (page, False, False)
        assert (page, read(html).open) == (page, [])
        assert "\x00" not in html


@pytest.mark.parametrize("answer", ["", " \n "])
def test_nothing_this_time_needs_a_reason(site: Office, answer: str) -> None:
    browser = site.at()
    refused = browser.post(f"{DESK}/nothing", data={"round": ROUND, "reason": answer})
    assert (refused.status_code, "须写明理由" in refused.text) == (422, True)
    assert browser.post(f"{DESK}/nothing", data={"round": ROUND, "reason": "试点尚未结束"}).status_code == 303
    assert "已答复本期无" in text_of(browser.get(DESK).text)
    assert "1/3" in text_of(browser.get(LIST).text)  # two counties and the bureau
    with site.database.read() as session:
        assert given(session) == [("nothing_new", None, None, "试点尚未结束")]


def test_others_do_not_write_pick_or_look(site: Office) -> None:
    browser = site.at()
    path = handed_in(browser)
    number = path.rsplit("/", 1)[1]
    strange = f"/units/{SECOND}/exemplars/{number}"
    assert browser.get(strange).status_code == 403
    assert browser.post(strange, data={**FORM, "version": "3"}).status_code == 403
    assert browser.post(f"{strange}/withdraw", data={"version": "3"}).status_code == 403
    assert (
        browser.post(f"/units/{FIRST}/shortlist/{number}", data={"version": "3", "action": "shortlist"}).status_code
        == 403
    )
    assert browser.get(f"/units/{FIRST}/shortlist").status_code == 403
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    assert browser.post(path, data={**FORM, "version": "3"}, headers=foreign).status_code == 403
    assert browser.get(f"/units/{BUREAU}/exemplars/{number}").status_code == 200


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        (f"{DESK}/999", {**FORM, "version": "1"}, 404),
        (f"{DESK}/0", {**FORM, "version": "1"}, 422),
        (f"{DESK}/99999999999999999999", {**FORM, "version": "1"}, 422),
        (f"{DESK}/1", FORM, 422),
        (f"{DESK}/1", {**FORM, "version": "x"}, 422),
        (f"{DESK}/1", {**FORM, "version": "99999999999"}, 422),
        (DESK, {"round": "", "title": "题"}, 403),
        (DESK, {"round": "2025-H1\x00", "title": "题"}, 422),
        (DESK, {"round": ROUND, "title": " \u3000"}, 422),
        (f"{LIST}/1", {"version": "1", "action": "burn"}, 422),
        (f"{LIST}/1", {"version": "1", "action": "publish"}, 409),
        (f"{LIST}/1", {"version": "1", "action": "send_back", "note": "长" * 501}, 422),
    ],
)
def test_bad_input_is_answered_with_a_sentence(site: Office, path: str, data: dict[str, str], status: int) -> None:
    browser = site.at()
    begin(browser)
    answer = browser.post(path, data=data)
    assert answer.status_code == status
    assert re.search("[\u4e00-\u9fff]{4}", text_of(answer.text))


def test_pictures(site: Office) -> None:
    browser = site.at()
    path = begin(browser)
    files = [("file", (f"{n}.jpg", picture((n * 60, 90, 90)), "image/jpeg")) for n in range(3)]
    unsure = browser.post(f"{path}/pictures", files=files)
    assert (unsure.status_code, "照片中没有儿童正面" in unsure.text) == (422, True)
    sure = browser.post(f"{path}/pictures", data={"no_faces": "on"}, files=files)
    assert (sure.status_code, sure.headers.get("location")) == (303, f"{path}#pictures")
    again = browser.post(f"{path}/pictures", data={"no_faces": "on"}, files=files[:1])
    assert again.status_code == 303
    with site.database.read() as session:
        kept = query(session, "SELECT id, file_id, confirmed_by FROM exemplar_picture ORDER BY id")
    assert [row[2] for row in kept] == ["测试员"] * 3
    assert (
        browser.post(f"{path}/pictures/{kept[0][0]}", data={"action": "caption", "caption": "<b>课堂"}).status_code
        == 303
    )
    assert browser.post(f"{path}/pictures/{kept[1][0]}", data={"action": "remove"}).status_code == 303
    assert browser.post(f"{path}/pictures/{kept[1][0]}", data={"action": "remove"}).status_code == 404
    html = browser.get(path).text
    assert html.count("/thumbnail?v=") == 2
    assert "&lt;b&gt;课堂" in html
    assert browser.get(f"/files/{kept[0][1]}/照片1").headers["content-type"] == "image/jpeg"
    browser.post(path, data={**FORM, "version": "1", "action": "submit"})
    late = browser.post(f"{path}/pictures", data={"no_faces": "on"}, files=files[1:2])
    assert late.status_code == 409
    with site.database.read() as session:
        [content] = query(session, "SELECT content FROM exemplar_entry WHERE state = 'submitted'")
        assert '"pictures": [{"caption": "<b>课堂"' in content[0]
        assert query(session, "SELECT count(*) FROM exemplar_picture") == [(2,)]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.exe", b"MZ" + b"\0" * 100),
        ("a.pdf", b"%PDF-1.4\n%%EOF"),
        ("a.jpg", b""),
        ("a.jpg", b"\xff\xd8\xff" + b"x" * 50),
    ],
)
def test_what_is_no_picture_is_refused(site: Office, name: str, data: bytes) -> None:
    browser = site.at()
    path = begin(browser)
    answer = browser.post(f"{path}/pictures", data={"no_faces": "on"}, files=[("file", (name, data, "image/jpeg"))])
    assert answer.status_code == 422
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM exemplar_picture") == [(0,)]


def test_pictures_of_nothing_or_by_others(site: Office) -> None:
    browser = site.at()
    path = begin(browser)
    empty = browser.post(f"{path}/pictures", data={"no_faces": "on"}, files=[("file", ("", b"", ""))])
    assert (empty.status_code, "请先选择照片" in empty.text) == (422, True)
    assert browser.post(f"{path}/pictures", content=b"no form").status_code == 422
    strange = path.replace(FIRST, SECOND)
    files = [("file", ("a.jpg", picture(), "image/jpeg"))]
    assert browser.post(f"{strange}/pictures", data={"no_faces": "on"}, files=files).status_code == 403
    too_many = [("file", (f"{n}.jpg", picture((n * 10, 9, 9)), "image/jpeg")) for n in range(13)]
    full = browser.post(f"{path}/pictures", data={"no_faces": "on"}, files=too_many)
    assert "一篇案例最多保存 12 张照片" in text_of(full.text)


def test_withdrawn_and_the_item_with_it(site: Office) -> None:
    browser = site.at()
    path = handed_in(browser)
    assert browser.post(f"{path}/withdraw", data={"version": "3"}).status_code == 303
    with site.database.read() as session:
        assert standing(session, ASKED).state == "open"
    assert 'name="practice"' in browser.get(path).text


def test_as_many_statements_for_many_as_for_one(site: Office) -> None:
    browser = site.at()

    def asked(path: str) -> int:
        with statements(site.database) as sent:
            assert browser.get(path).status_code == 200
        return len(sent)

    with site.database.write() as session:
        one, its = hand_in(session)
        publish(session, one, its)
    few = {path: asked(path) for path in ("/exemplars", DESK, LIST)}
    with site.database.write() as session:
        for n in range(12):
            made, its = hand_in(session, replace(LONG, title=f"案例{n}"), FIRST if n % 2 else SECOND)
            if n % 3 == 0:
                publish(session, made, its)
    assert {path: asked(path) for path in few} == few
