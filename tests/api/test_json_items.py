"""An item's whole life by JSON, and every way in which it is refused: a problem with one Chinese sentence, nothing done."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from policy_models.access import Role
from tests.api.evidence import photo
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish
from tests.factories import BUREAU, item, query, village

pytestmark = pytest.mark.thorough
DAY = "2025-05-31"
TOWN = "900101"
AT = f"/api/v1/units/{VILLAGE}/items/{MONTHLY}"
REVIEW = f"/api/v1/units/{TOWN}/items/{MONTHLY}"
ONE = f"/api/v1/items/{MONTHLY}"


def problem(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert set(found) == {"type", "title", "status", "detail"}
    assert found["status"] == answer.status_code
    return answer.status_code, found["detail"]


def test_submitted_sent_back_submitted_withdrawn_and_accepted(site: Site) -> None:
    unit, town = site.at(DAY, roles={VILLAGE: [Role.LIAISON]}), site.at(DAY, roles={TOWN: [Role.REVIEWER]})
    before = unit.get(ONE)
    assert (before.json()["state"], before.json()["revision"]) == ("open", 1)
    handed = unit.post(
        f"{AT}/submit", json={"text": "已办结", "by_name": "李四"}, headers={"if-match": before.headers["etag"]}
    )
    assert (handed.status_code, handed.json()["state"], handed.json()["revision"]) == (200, "submitted", 2)
    assert handed.headers["etag"] == unit.get(ONE).headers["etag"]
    [piece] = handed.json()["evidence"]
    assert (piece["type"], piece["text"]) == ("text", "已办结")
    back = town.post(f"{REVIEW}/send-back", json={"reason": "缺签到表"})
    assert (back.json()["state"], back.json()["reason"], back.json()["returns"]) == ("returned", "缺签到表", 1)
    unit.post(f"{AT}/submit", json={"text": "已补签到表"})
    assert unit.post(f"{AT}/withdraw", json={"note": "再核对"}).json()["state"] == "open"
    unit.post(f"{AT}/submit", json={"text": "核对完毕"})
    done = town.post(f"{REVIEW}/accept", json={"note": "合格"})
    acts = [(one["act"], one["by_name"], one["note"]) for one in done.json()["history"]]
    assert acts == [
        ("issue", "系统", None),
        ("submit", "李四", None),
        ("send_back", "测试员", "缺签到表"),
        ("submit", "测试员", None),
        ("withdraw", "测试员", "再核对"),
        ("submit", "测试员", None),
        ("accept", "测试员", "合格"),
    ]
    assert [one["text"] for one in done.json()["evidence"]] == ["核对完毕"]


def test_the_same_submission_twice_is_done_once(site: Site) -> None:
    browser = site.at(DAY)
    assert browser.post(f"{AT}/submit", json={"text": "已办结"}).status_code == 200
    assert problem(browser.post(f"{AT}/submit", json={"text": "已办结"}))[0] == 409
    assert browser.get(ONE).json()["revision"] == 2


def test_what_was_seen_before_is_not_acted_on(site: Site) -> None:
    browser = site.at(DAY)
    old = browser.get(ONE).headers["etag"]
    browser.post(f"{AT}/submit", json={"text": "已办结"})
    for path, body in ((f"{AT}/withdraw", {}), (f"{REVIEW}/accept", {}), (f"{REVIEW}/send-back", {"reason": "缺"})):
        status, detail = problem(browser.post(path, json=body, headers={"if-match": old}))
        assert (status, detail) == (412, "办理件在您读取之后有了变化，请重新读取后再操作")
    assert browser.get(ONE).json()["revision"] == 2
    for match in ("*", '"4"'):
        assert browser.post(f"{AT}/withdraw", json={}, headers={"if-match": match}).status_code == 200
        assert browser.post(f"{AT}/submit", json={"text": "已办结"}).status_code == 200
    assert problem(browser.post(f"{AT}/withdraw", json={}, headers={"if-match": '"2", "3"'}))[0] == 412
    tags = f'"9", {browser.get(ONE).headers["etag"]}'
    assert browser.post(f"{AT}/withdraw", json={}, headers={"if-match": tags}).status_code == 200


def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    browser = site.at(DAY)
    for path in (ONE, "/api/v1/items", "/api/v1/board", "/api/v1/units"):
        first = browser.get(path)
        again = browser.get(path, headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert first.headers["cache-control"] == "private, no-cache"
    old = browser.get(ONE).headers["etag"]
    browser.post(f"{AT}/submit", json={"text": "已办结"})
    assert browser.get(ONE, headers={"if-none-match": old}).status_code == 200


def test_figures_and_files_by_their_numbers(site: Site) -> None:
    browser = site.at(DAY)
    desk = f"/api/v1/units/{BUREAU}/items/{BUREAU_ITEM}"
    files = [("file", (f"现场{n}.jpg", photo(n), "image/jpeg")) for n in (1, 2)]
    answer = browser.post(f"{desk}/files", files=files).json()
    assert [(one["name"], one["outcome"]) for one in answer["files"]] == [("现场1.jpg", "kept"), ("现场2.jpg", "kept")]
    ids = [one["file"]["id"] for one in answer["draft"]["pieces"]]
    assert browser.get(f"{desk}/draft").json() == answer["draft"]
    body = {
        "figures": [{"name": "done", "value": 412, "of": "455"}],
        "files": [{"id": id, "type": "photo", "effective_on": "2025-05-20"} for id in ids],
        "note": "附照片",
    }
    found = browser.post(f"{desk}/submit", json=body).json()
    given = {one["type"]: one for one in found["evidence"]}
    assert (given["measure"]["value"], given["measure"]["of"]) == ("412", "455")
    assert (given["photo"]["effective_on"], len(found["evidence"])) == ("2025-05-20", 3)
    assert browser.get(given["photo"]["file"]["path"]).status_code == 200


def test_half_an_upload_and_what_is_no_form(site: Site) -> None:
    browser = site.at(DAY)
    assert problem(browser.post(f"{AT}/files", content=b"x", headers={"content-type": "text/plain"}))[0] == 415
    cut = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n\xff\xd8'
    kind = {"content-type": "multipart/form-data; boundary=b"}
    assert problem(browser.post(f"{AT}/files", content=cut, headers=kind))[0] == 400
    assert problem(browser.post(f"{AT}/files", content=b"--b--\r\n", headers=kind)) == (422, "没有收到文件")
    refused = browser.post(f"{AT}/files", files={"file": ("a.exe", b"MZ\x90\0", "image/jpeg")}).json()
    assert [one["outcome"] for one in refused["files"]] == ["refused"]
    assert refused["files"][0]["sentence"]


BIG = 10**19
BAD_BODIES: list[tuple[object, int, str]] = [
    ({"txt": "已办"}, 422, "没有“txt”这一项"),
    ({"text": "已\0办"}, 422, "文字中含有不能保存的控制字符，请删去后重新提交"),
    ({"text": 5}, 422, "text不能写作“5”"),
    ({"text": None}, 422, "请填写text"),
    ({"text": "长" * 2001}, 422, "text最多 2000 个字"),
    ({"by_name": "李\n四"}, 422, "地址中含有不能识别的字符，请核对后重新输入"),
    ({"effective_on": "2025-02-30"}, 422, "没有2025年2月30日这一天，请核对日期"),
    ({"effective_on": 20250530}, 422, "日期须写作 2025-06-30 的样子"),
    ({"effective_on": "1800-01-01"}, 422, "日期须在2000年至2090年之间，现为“1800-01-01”"),
    ({"effective_on": "2025-06-01", "text": "x"}, 422, "发生日期 日期晚于今天，请核对"),
    ({"files": [{"id": BIG, "type": "photo"}]}, 422, "编号不能写作“10000000000000000000”"),
    ({"files": [{"id": 1.5, "type": "photo"}]}, 422, "编号不能写作“1.5”"),
    ({"files": [{"id": 99, "type": "photo"}]}, 404, "没有这个文件，地址可能不完整或已失效"),
    ({"files": [{"id": 1, "type": "video"}]}, 422, "材料类别不能写作“video”"),
    ({"figures": [{"name": "none", "value": 1}]}, 422, "指标 本事项没有名为 none 的指标"),
    ({"figures": {}}, 422, "figures的格式不对"),
    ([], 422, "请求内容的格式不对"),
    ("x", 422, "请求内容不能写作“x”"),
]


@pytest.mark.parametrize(("body", "status", "detail"), BAD_BODIES)
def test_a_body_that_is_wrong(site: Site, body: object, status: int, detail: str) -> None:
    browser = site.at(DAY)
    found = problem(browser.post(f"{AT}/submit", json=body))
    assert found[0] == status
    assert found[1].startswith(detail[:12]), found
    assert browser.get(ONE).json()["revision"] == 1


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b'{"text": "\\ud800"}', "application/json", 422),
        (b'{"\\ud800\\u0000": 1}', "application/json", 422),
        (b"{", "application/json", 422),
        (b"", "application/json", 422),
        (b'{"text": "\xb4\xf3"}', "application/json", 400),  # GB18030
        (b"[" * 100_000, "application/json", 400),
        (b'{"note": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"text=x", "application/x-www-form-urlencoded", 415),
        (b'{"text": "' + b"x" * (1 << 20) + b'"}', "application/json", 413),
    ],
)
def test_bytes_that_are_no_body(site: Site, raw: bytes, kind: str, status: int) -> None:
    browser = site.at(DAY)
    answer = browser.post(f"{AT}/submit", content=raw, headers={"content-type": kind})
    found, detail = problem(answer)
    assert found == status, detail
    assert any("\u4e00" <= one <= "\u9fff" for one in detail)


def test_a_body_without_a_length_is_cut_off(site: Site) -> None:
    def pieces() -> object:
        for _ in range(40):
            yield b" " * (1 << 16)

    answer = site.at(DAY).post(f"{AT}/submit", content=pieces(), headers={"content-type": "application/json"})  # type: ignore[arg-type]
    assert problem(answer)[0] == 413


def test_no_child_comes_in_by_this_door(site: Site) -> None:
    browser = site.at(DAY)
    status, detail = problem(browser.post(f"{AT}/submit", json={"text": "身份证 11010519491231002X 已登记"}))
    assert (status, "11010519491231002X" in detail, "文字说明" in detail) == (422, False, True), detail
    with site.database.read() as session:
        assert query(session, "SELECT by_unit, outcome FROM screening") == [(VILLAGE, "blocked")]
    assert browser.get(ONE).json()["state"] == "open"


def test_who_may_not(site: Site) -> None:
    other, stranger = site.at(DAY, roles={village(2, 1): [Role.LIAISON]}), site.stranger(DAY)
    reader = site.at(DAY, roles={"": [Role.AUDITOR]})
    for path, body in (
        (f"{AT}/submit", {}),
        (f"{REVIEW}/accept", {}),
        (f"{AT}/extensions", {"wanted": None, "reason": ""}),
    ):
        assert problem(stranger.post(path, json=body)) == (401, "请先登录")
        assert problem(other.post(path, json=body))[0] == 403
        assert problem(reader.post(path, json=body))[0] == 403
    own = site.at(DAY, roles={VILLAGE: [Role.LIAISON]})
    assert problem(own.post(f"/api/v1/units/{VILLAGE}/items/{MONTHLY}/accept", json={}))[0] == 403
    assert problem(own.post(f"{AT}/submit", json={}, headers={"content-type": "text/plain"}))[0] == 415
    assert problem(other.post(f"{AT}/submit", content=b"\xff", headers={"content-type": "text/plain"}))[0] == 403
    assert problem(site.at(DAY).delete(ONE)) == (405, "这个地址不支持这种操作。")


def test_many_at_once_leave_alone_what_changed(site: Site) -> None:
    browser = site.at(DAY)
    keys = [item("1.2", village(1, n), "2025-01") for n in (1, 2)]
    for n, key in enumerate(keys, 1):
        browser.post(f"/api/v1/units/{village(1, n)}/items/{key}/submit", json={"text": "已办"})
    chosen = [{"key": keys[0], "revision": 2}, {"key": keys[1], "revision": 1}]
    found = browser.post(f"/api/v1/units/{TOWN}/review", json={"verdict": "accept", "items": chosen}).json()
    assert found == {"done": [keys[0]], "left": [{"key": keys[1], "state": "submitted", "revision": 2}]}
    back = {"verdict": "send_back", "items": [{"key": keys[1]}]}
    assert problem(browser.post(f"/api/v1/units/{TOWN}/review", json=back)) == (422, "退回须写明理由")
    found = browser.post(f"/api/v1/units/{TOWN}/review", json={**back, "note": "缺签到表"}).json()
    assert found == {"done": [keys[1]], "left": []}


def queue(browser: TestClient, cursor: str | None = None) -> dict[str, object]:
    answer = browser.get(f"/api/v1/units/{TOWN}/review", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
    found: dict[str, object] = answer.json()
    return found


def test_the_queue_by_cursor(site: Site) -> None:
    browser = site.at(DAY)
    for n in (1, 2):
        key = item("1.2", village(1, n), "2025-01")
        browser.post(f"/api/v1/units/{village(1, n)}/items/{key}/submit", json={"text": "已办"})
    first = queue(browser)
    second = queue(browser, str(first["next_cursor"]))
    assert (first["total"], second["next_cursor"]) == (2, None)
    assert first["waiting"] != second["waiting"]


def test_a_past_day_has_no_tag_to_act_on(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-05-30", by=VILLAGE, reviewer=TOWN)
    browser = site.at(DAY)
    then = browser.get(ONE, params={"as_of": "2025-05-29"})
    assert (then.json()["state"], then.json()["history"]) == ("scheduled", [])
    assert "-" not in then.headers["etag"]
    assert browser.get(ONE).headers["etag"].startswith('"3-')
