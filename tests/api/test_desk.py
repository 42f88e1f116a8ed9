"""The submit page: what the rule wants, what people type, what goes wrong, what comes back."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from ledger import drafts, reviews
from ledger.acts import standing
from ledger.queries.items import item as item_of
from ledger.queries.reading import open_plan
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.plan import EvidenceType
from tests.api.evidence import BUREAU_ITEM, MONTH, NEXT_DOOR, TOWNSHIP, VILLAGE, asking, browser, form, form_type, photo
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, CODE, instant, item, office, query, statements

pytestmark = pytest.mark.thorough

PAGE = f"/units/{VILLAGE}/submit/{MONTH}"
FILES = f"/units/{VILLAGE}/files/{MONTH}"
WITHDRAW = f"/units/{VILLAGE}/withdraw/{MONTH}"
ITEM = f"/items/{MONTH}"
JANUARY = item("1.2", VILLAGE, "2025-01")
HIDDEN = "150203201001011232"
SHEET = {
    "value-seen": "１，２００",
    "of-seen": "1,234",
    "value-gaps": "0",
    "text": "已逐户走访。\r\n情况良好。",
    "link": "https://www.example.cn/a?b=1&c=2",
    "effective_on": "2025-02-18",
}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", asking) as found:
        yield found


@pytest.fixture
def unit(site: Site, tmp_path: Path) -> TestClient:
    return browser(site.database, tmp_path)


def held(site: Site, key: str = MONTH) -> list[Evidence]:
    with site.database.read() as session:
        return [piece.evidence for piece in drafts.pieces(session, standing(session, key).id)]


def state(site: Site, key: str = MONTH) -> State:
    with site.database.read() as session:
        return standing(session, key).state


def with_files(unit: TestClient, path: str = FILES) -> None:
    for type, numbers in (("photo", (1, 2)), ("sign_in", (3,))):
        body = form(*[(f"{type}{n}.jpg", photo(n)) for n in numbers])
        assert unit.post(f"{path}?type={type}", content=body, headers=form_type()).json()["kept"] == len(numbers)


def words_of(text: str) -> str:
    """What a reader sees of a page."""
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def hand_in(unit: TestClient, page: str = PAGE, **changed: str) -> tuple[int, str]:
    answer = unit.post(page, data={**SHEET, "action": "submit", **changed})
    return answer.status_code, answer.headers.get("location") or answer.text


def test_what_the_rule_wants(unit: TestClient) -> None:
    page = unit.get(PAGE)
    assert page.status_code == 200
    told = words_of(page.text)
    for words in ("走访照片", "已有 0 份，至少 2 份", "签到表", "至少 1 份", "已走访", "应走访", "目标 100%"):
        assert words in told
    for words in ("发现问题数", "走访情况", "报道链接", "本期无新增", "发生日期", "经办人", "备注"):
        assert words in told
    assert "<script>" not in page.text
    assert " style=" not in page.text


def test_put_together_and_handed_in(unit: TestClient, site: Site) -> None:
    with_files(unit)
    told = words_of(unit.get(PAGE).text)
    assert "已有 2 份，至少 2 份" in told
    assert "photo1.jpg" in told
    assert hand_in(unit, note="本月走访完成", by_name="李干事") == (303, ITEM)
    assert state(site) is State.SUBMITTED
    assert held(site) == []
    with site.database.read() as session:
        reading = open_plan(session, CODE, as_of=None, now=instant("2025-02-21"))
        assert reading is not None
        detail = item_of(session, reading, MONTH)
    last = detail.entries[-1]
    assert (last.by_unit, last.by_name, last.note) == (VILLAGE, "李干事", "本月走访完成")
    figures = [(piece.name, piece.value, piece.of) for piece in detail.evidence if piece.name]
    assert figures == [("seen", Decimal(1200), Decimal(1234)), ("gaps", Decimal(0), None)]
    texts = {piece.type: (piece.text, str(piece.effective_on)) for piece in detail.evidence if piece.text}
    assert texts[EvidenceType.TEXT] == ("已逐户走访。\r\n情况良好。", "2025-02-18")
    assert texts[EvidenceType.LINK] == ("https://www.example.cn/a?b=1&c=2", "2025-02-18")
    shown = unit.get(ITEM).text
    assert "1,200</b> / 应走访 1,234" in shown
    assert quote("photo1.jpg") in shown


def test_saved_and_read_again(unit: TestClient, site: Site) -> None:
    answer = unit.post(PAGE, data={**SHEET, "action": "save"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?saved=1")
    page = unit.get(f"{PAGE}?saved=1").text
    assert "草稿已保存" in page
    assert 'name="value-seen" inputmode="decimal" maxlength="30" value="1200"' in page
    assert "情况良好。</textarea>" in page
    assert state(site) is State.OPEN


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("value-seen", "十二", "请填写数字"),
        ("value-seen", "12人", "只填数字，请删去“人”"),
        ("value-seen", "95%", "不填百分比"),
        ("value-seen", "-1", "不能是负数"),
        ("value-seen", "1,23", "不是一个数字"),
        ("value-seen", "1235", "不能大于应走访（1234）"),
        ("value-seen", "1" * 20, "数字过大"),
        ("of-seen", "约1300", "不是一个数字"),
        ("effective_on", "2025-02-30", "没有2025年2月30日"),
        ("effective_on", "2025-02-21", "晚于今天"),
        ("link", "javascript:alert(1)", "须以 http"),
        ("link", "https://a b", "不能有空格"),
        ("text", "长" * 2001, "内容过长"),
        ("note", "长" * 501, "内容过长"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(
    unit: TestClient, site: Site, field: str, typed: str, told: str
) -> None:
    status, page = hand_in(unit, **{field: typed})
    assert status == 422
    assert told in words_of(page)
    assert f'id="fault-{field}"' in page
    assert html.escape(typed, quote=True).replace("&#x27;", "&#39;") in page
    assert "已逐户走访" in page or field == "text"
    assert held(site) == []


def test_what_is_missing_is_said_and_the_draft_is_saved(unit: TestClient, site: Site) -> None:
    status, page = hand_in(unit)
    assert status == 422
    assert "还缺：走访照片2份、签到表1份" in page
    assert len(held(site)) == 4
    assert state(site) is State.OPEN


def test_personal_data_is_stopped_masked_recorded_and_kept_on_the_page_only(unit: TestClient, site: Site) -> None:
    with_files(unit)
    status, page = hand_in(unit, text=f"走访对象证件 {HIDDEN}")
    assert status == 422
    assert "公民身份号码" in page
    sentence = page[page.index('role="alert"') :].split("</p>")[0]
    assert HIDDEN not in sentence
    assert state(site) is State.OPEN
    with site.database.read() as session:
        [(outcome, place, findings, by)] = query(session, "SELECT outcome, place, findings, by_unit FROM screening")
        texts = query(session, "SELECT text FROM draft_evidence WHERE text IS NOT NULL")
    assert (outcome, by) == ("blocked", VILLAGE)
    assert HIDDEN not in f"{place}{findings}{texts}"


@pytest.mark.parametrize("path", [WITHDRAW, PAGE])
def test_what_another_door_stops_is_recorded_too(unit: TestClient, site: Site, path: str) -> None:
    with_files(unit)
    assert hand_in(unit)[0] == 303
    with site.database.write() as session:
        reviews.send_back(session, MONTH, by=office(TOWNSHIP), now=instant("2025-02-20"), reason="缺签到表")
    if path == WITHDRAW:
        assert hand_in(unit)[0] == 303
    answer = unit.post(path, data={**SHEET, "action": "save", "note": "好", "by_name": f"王{HIDDEN}"})
    assert answer.status_code == 422
    with site.database.read() as session:
        assert query(session, "SELECT outcome, by_unit FROM screening") == [("blocked", VILLAGE)]


def test_nothing_new_in_one_step(unit: TestClient, site: Site) -> None:
    status, page = hand_in(unit, nothing_new="on", reason="", **{"value-seen": "", "of-seen": ""})
    assert status == 422
    assert "请写明无新增、无此情况的理由" in page
    blank = dict.fromkeys(SHEET, "")
    answer = unit.post(PAGE, data={**blank, "action": "submit", "nothing_new": "on", "reason": "本村没有留守儿童"})
    assert answer.status_code == 303
    shown = words_of(unit.get(ITEM).text)
    assert "无新增： 本村没有留守儿童" in shown


def test_nothing_new_is_not_offered_where_the_rule_does_not_allow_it(unit: TestClient) -> None:
    page = unit.get(f"/units/{BUREAU}/submit/{BUREAU_ITEM}").text
    assert "本期无新增" not in page


def test_withdrawn_and_handed_in_again(unit: TestClient, site: Site) -> None:
    with_files(unit)
    hand_in(unit)
    page = unit.get(PAGE).text
    assert "正在等待审核" in page
    assert "data-upload" not in page
    answer = unit.post(WITHDRAW, data={"note": "补一张照片"})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert len(held(site)) == 7
    assert "已有 2 份，至少 2 份" in words_of(unit.get(PAGE).text)
    assert "上次报送已撤回" in unit.get(ITEM).text
    assert hand_in(unit) == (303, ITEM)


def test_sent_back_with_the_former_evidence_and_each_version_shown(unit: TestClient, site: Site) -> None:
    with_files(unit)
    hand_in(unit)
    with site.database.write() as session:
        reviews.send_back(session, MONTH, by=office(TOWNSHIP), now=instant("2025-02-20"), reason="照片模糊")
    page = unit.get(PAGE).text
    assert "照片模糊" in page
    assert "历次报送" in page
    assert "已有 2 份，至少 2 份" in words_of(page)
    assert hand_in(unit, **{"value-seen": "1234"}) == (303, ITEM)
    shown = unit.get(ITEM).text
    assert "<b>1,234</b>" in shown
    assert "当时报送的材料 7 项" in shown
    assert "<b>1,200</b>" in shown


def test_denominators_of_the_last_accepted_item_are_filled_in(unit: TestClient, site: Site) -> None:
    january = f"/units/{VILLAGE}/submit/{JANUARY}"
    with_files(unit, f"/units/{VILLAGE}/files/{JANUARY}")
    assert hand_in(unit, january)[0] == 303
    assert "上期数据" not in unit.get(PAGE).text
    with site.database.write() as session:
        reviews.accept(session, JANUARY, by=office(TOWNSHIP), now=instant("2025-02-20"))
    page = unit.get(PAGE).text
    assert 'name="of-seen" inputmode="decimal" maxlength="30" value="1234"' in page
    assert "取自2025年1月" in page
    unit.post(PAGE, data={"action": "save", "value-seen": "1", "of-seen": "1300"})
    page = unit.get(PAGE).text
    assert 'value="1300"' in page
    assert "上期数据" not in page


def test_a_file_is_taken_out_and_put_back_and_words_are_not_lost(unit: TestClient, site: Site) -> None:
    with_files(unit)
    with site.database.read() as session:
        first = drafts.pieces(session, standing(session, MONTH).id)[0]
    answer = unit.post(PAGE, data={**SHEET, "action": f"remove-{first.id}"})
    assert answer.status_code == 303
    after = unit.get(answer.headers["location"])
    assert "已移除“photo1.jpg”" in after.text
    assert [piece.file_name for piece in held(site) if piece.file_id] == ["photo2.jpg", "sign_in3.jpg"]
    assert "情况良好" in after.text
    undone = {"action": "put_back", "file_id": str(first.evidence.file_id), "as": "photo", "called": "photo1.jpg"}
    assert unit.post(PAGE, data=undone).status_code == 303
    assert {piece.file_name for piece in held(site) if piece.file_id} == {"photo1.jpg", "photo2.jpg", "sign_in3.jpg"}
    assert "情况良好" in unit.get(PAGE).text


def test_files_are_dated_on_their_cards(unit: TestClient, site: Site) -> None:
    with_files(unit)
    with site.database.read() as session:
        first = drafts.pieces(session, standing(session, MONTH).id)[0]
    unit.post(PAGE, data={"action": "save", f"day-{first.id}": "2025-02-11", "day-x": "1", "day-99999": "2025-01-01"})
    assert str(held(site)[0].effective_on) == "2025-02-11"
    status, page = hand_in(unit, **{f"day-{first.id}": "2025-02-29"})
    assert status == 422
    assert f'id="fault-day-{first.id}"' in page


def test_a_file_of_another_item_is_picked(unit: TestClient, site: Site) -> None:
    with_files(unit)
    january = f"/units/{VILLAGE}/submit/{JANUARY}"
    page = unit.get(january).text
    ids = re.findall(r'name="file_id" value="(\d+)" form="sheet"', page)
    assert "从本单位近期文件中选用（3）" in page
    answer = unit.post(january, data={"action": "pick", "as": "photo", "file_id": ids})
    assert answer.status_code == 303
    assert {piece.file_name for piece in held(site, JANUARY)} == {"photo1.jpg", "photo2.jpg", "sign_in3.jpg"}
    assert "从本单位近期文件中选用" not in unit.get(january).text
    other = f"/units/{NEXT_DOOR}/submit/{item('1.2', NEXT_DOOR, '2025-02')}"
    assert "从本单位近期文件中选用" not in unit.get(other).text
    assert unit.post(other, data={"action": "pick", "as": "photo", "file_id": ids}).status_code == 404


def test_a_draft_is_emptied(unit: TestClient, site: Site) -> None:
    with_files(unit)
    assert "data-ask" in unit.get(PAGE).text
    assert unit.post(PAGE, data={**SHEET, "action": "clear"}).status_code == 303
    assert held(site) == []


def test_the_township_fills_in_for_its_village(unit: TestClient, site: Site) -> None:
    page = f"/units/{TOWNSHIP}/submit/{MONTH}"
    assert "代为填报" in unit.get(page).text
    with_files(unit, f"/units/{TOWNSHIP}/files/{MONTH}")
    assert hand_in(unit, page) == (303, ITEM)
    with site.database.read() as session:
        assert query(session, "SELECT by_unit FROM entry WHERE act = 'submit'") == [(TOWNSHIP,)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/units/{VILLAGE}/submit/nowhere", 404),
        ("GET", f"/units/000000/submit/{MONTH}", 404),
        ("GET", f"/units/{NEXT_DOOR}/submit/{MONTH}", 403),
        ("POST", f"/units/{NEXT_DOOR}/submit/{MONTH}", 403),
        ("POST", f"/units/{NEXT_DOOR}/withdraw/{MONTH}", 403),
        ("POST", WITHDRAW, 409),
        ("GET", f"/units/{VILLAGE}/submit/{item('1.2', VILLAGE, '2025-12')}", 200),
        ("POST", f"/units/{VILLAGE}/submit/{item('1.2', VILLAGE, '2025-12')}", 409),
        ("GET", f"{PAGE}?removed=x", 422),
    ],
)
def test_who_may_and_when(unit: TestClient, method: str, path: str, status: int) -> None:
    assert unit.request(method, path, data={"action": "save"} if method == "POST" else None).status_code == status


@pytest.mark.parametrize("action", ["remove-", "remove-x", "remove-99999", "remove-1234567890123456789012"])
def test_a_piece_that_is_not_there(unit: TestClient, action: str) -> None:
    assert unit.post(PAGE, data={"action": action}).status_code == 404


def test_another_site_cannot_hand_in(unit: TestClient) -> None:
    for path in (PAGE, WITHDRAW):
        assert unit.post(path, data=SHEET, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_hostile_words_stay_words(unit: TestClient) -> None:
    with_files(unit)
    hostile = "<script>alert(1)</script>\x00\x1b=1+1"
    status, _ = hand_in(unit, text=hostile)
    assert status == 303
    shown = unit.get(ITEM).text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;=1+1" in shown


def test_a_past_day_shows_what_stood_then_and_no_button(unit: TestClient) -> None:
    with_files(unit)
    hand_in(unit)
    shown = unit.get(f"{ITEM}?as_of=2025-02-19").text
    assert "尚未报送材料" in shown
    assert "/submit/" not in shown
    assert "撤回修改" in unit.get(ITEM).text


def test_the_page_costs_as_many_statements_with_one_file_and_with_sixty(unit: TestClient, site: Site) -> None:
    def cost() -> int:
        with statements(site.database) as sent:
            assert unit.get(PAGE).status_code == 200
        return len(sent)

    unit.post(FILES, content=form(("1.jpg", photo(1))), headers=form_type())
    few = cost()
    unit.post(FILES, content=form(*[(f"{n}.jpg", photo(n)) for n in range(2, 62)]), headers=form_type())
    assert len(held(site)) == 61
    assert cost() == few
