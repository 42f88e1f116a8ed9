"""The pages of the half-year rounds: boards, the editor that loses no text, review; what people really send."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger import drafts, files, issuing, rounds
from ledger.acts import Actor
from ledger.file_store import FileStore
from ledger.units import close_unit
from policy_models.files import FileKind, Received
from policy_models.plan import EvidenceType
from tests.api.round_play import editor, form, forms, get, send
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, CODE, SCHOOLS, instant, item, office, query, statements, village
from tests.reporting import COUNTY, FIRST_VILLAGE, OTHER, ROUND, hand_in, opened, visit, with_reports, write

pytestmark = pytest.mark.thorough

ID = "150202201001011236"
JSON = {"accept": "application/json"}
REVIEW = f"/units/{BUREAU}/reports/{ROUND}/{COUNTY}"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", with_reports) as found:
        opened(found.database, "2025-06-01")
        yield found


@pytest.fixture
def browser(site: Site) -> TestClient:
    return site.at("2025-06-20")


def post(browser: TestClient, section: str = "overview", unit: str = COUNTY, **fields: str):  # type: ignore[no-untyped-def]
    return browser.post(f"{editor(unit)}/sections/{section}", data={"version": "0", **fields})


def test_an_empty_ledger_says_what_to_do(bare_site: Site) -> None:
    assert "尚无方案" in get(bare_site.at("2025-06-20"), "/rounds")


def test_the_rounds_page(browser: TestClient) -> None:
    page = get(browser, "/rounds")
    assert "已报 0/4，未报 4" in page
    assert 'href="/exemplars?plan=tiny-2025"' in page
    assert f'href="/rounds/{ROUND}/compilations?plan=tiny-2025"' in page
    assert "2025年下半年</a>：" in page


def test_the_same_as_json(site: Site, browser: TestClient) -> None:
    write(site.database, SCHOOLS)
    hand_in(site.database, SCHOOLS, "2025-06-19")
    listed = browser.get("/api/v1/rounds").json()
    assert [(one["code"], one["phase"], one["owing"], one["handed_in"]) for one in listed] == [
        ("2025-H2", "coming", 0, 0),
        (ROUND, "open", 4, 1),
    ]
    told = browser.get(f"/api/v1/rounds/{ROUND}?as_of=2025-07-16").json()
    assert (told["round"]["completeness"], told["round"]["missing"], told["as_of"]) == (0.25, 3, "2025-07-16")
    assert {one["unit"]: (one["status"], one["missing"], one["first_submitted_on"]) for one in told["reports"]} == {
        BUREAU: ("missing", True, None),
        SCHOOLS: ("submitted", False, "2025-06-19"),
        COUNTY: ("missing", True, None),
        OTHER: ("missing", True, None),
    }
    refused = browser.get("/api/v1/rounds/2031-H1")
    assert (refused.status_code, refused.json()["detail"]) == (404, "方案没有 2031-H1 这一期半年报送")


def test_the_board_of_a_round_and_its_filters(site: Site, browser: TestClient) -> None:
    write(site.database, SCHOOLS)
    hand_in(site.database, SCHOOLS, "2025-06-19")
    write(site.database, COUNTY, {"overview": "一半"})
    page = get(browser, f"/rounds/{ROUND}")
    assert "齐报率" in page
    assert "25%" in page
    assert "已写 1 节" in page
    missing = get(browser, f"/rounds/{ROUND}?show=missing")
    assert "2县民政局" in missing
    assert "1县民政局" not in missing
    assert "没有“通过”的单位" in get(browser, f"/rounds/{ROUND}?show=accepted")
    late = get(site.at("2025-07-16"), f"/rounds/{ROUND}?show=overdue")
    assert late.count("过期未报</span>") >= 3
    past = get(site.at("2025-07-16"), f"/rounds/{ROUND}?as_of=2025-06-18")
    assert "已报 0/4" in past
    assert "结束本期报送" not in past


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/rounds/2031-H1", 404, "方案没有 2031-H1 这一期半年报送"),
        ("/rounds/２０２５", 404, "方案没有 ２０２５ 这一期半年报送"),
        (f"/rounds/{ROUND}?show=all%27--", 422, ""),
        (f"/rounds/{ROUND}?as_of=2025-06-31", 422, "没有2025年6月31日这一天"),
        (f"/units/9001-jy/reports/{ROUND}", 404, "这个单位在本期没有半年报告要报送"),
        (f"/units/none/reports/{ROUND}", 404, "这个单位在本期没有半年报告要报送"),
        (f"/units/{COUNTY}/reports/2025-H2", 404, "这个单位在本期没有半年报告要报送"),
        (f"{editor(COUNTY)}?section=task-99", 404, "这个单位的报告中没有这一节"),
        (f"/units/{SCHOOLS}/reports/{ROUND}/{COUNTY}", 403, "您的单位不是这份报告的审核单位"),
    ],
)
def test_addresses_that_lead_nowhere(browser: TestClient, address: str, status: int, words: str) -> None:
    answer = browser.get(address)
    assert (answer.status_code, words in answer.text) == (status, True)


def test_saved_as_one_types_and_by_button(browser: TestClient) -> None:
    told = browser.post(f"{editor(COUNTY)}/sections/overview", data={"version": "0", "text": "甲"}, headers=JSON)
    assert told.json() == {"version": 1, "saved": "已保存 09:00"}
    told = browser.post(f"{editor(COUNTY)}/sections/overview", data={"version": "1", "text": "乙"}, headers=JSON)
    assert told.json()["version"] == 2
    page = send(browser, form(get(browser, editor(COUNTY)), "/sections/overview"), text="丙\r\n丁")
    assert "丙\n丁</textarea>" in page
    assert "已保存" in page
    assert "2 字" in page


def test_the_second_writer_keeps_the_text_and_sees_the_other(browser: TestClient) -> None:
    assert post(browser, text="先保存的").status_code == 303
    told = browser.post(f"{editor(COUNTY)}/sections/overview", data={"version": "0", "text": "后写的"}, headers=JSON)
    assert told.status_code == 409
    assert told.json()["sentence"].startswith("这一节刚刚由他人保存过，您的文字没有保存")
    page = post(browser, text="后写的<b>")
    assert page.status_code == 409
    assert "后写的&lt;b&gt;</textarea>" in page.text
    assert "先保存的" in page.text
    merged = form(page.text, "/sections/overview")
    assert merged.fields["version"] == "1"
    assert "两人商定的" in send(browser, merged, text="两人商定的")


def test_nothing_personal_is_kept_and_the_text_is_not_lost(site: Site, browser: TestClient) -> None:
    told = browser.post(f"{editor(COUNTY)}/sections/problems", data={"version": "0", "text": f"儿童{ID}"}, headers=JSON)
    assert told.status_code == 422
    assert ID not in told.text
    page = post(browser, "problems", text=f"儿童{ID}")
    assert page.status_code == 422
    assert "存在问题" in page.text
    assert f"儿童{ID}</textarea>" in page.text  # only the writer's own form shows it again
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM report_draft") == [(0,)]
        kept = query(session, "SELECT place, outcome, findings FROM screening")
    assert len(kept) == 2
    assert ID not in str(kept)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"version": ""}, 422, "内容不完整，请刷新页面后重新填写"),
        ({"version": "-1"}, 422, "内容不完整"),
        ({"version": "１"}, 422, "内容不完整"),
        ({"version": "9" * 12}, 422, "内容不完整"),
        ({"version": "7", "text": "有"}, 409, "这一节刚刚由他人保存过"),
        ({"text": "字" * 20_001}, 422, "超过 20000 字"),
        ({"answer-9.9": "不该有"}, 404, "这一节没有事项 9.9"),
        ({"by_name": "张\x00三", "text": "有"}, 422, ""),
    ],
)
def test_forms_that_are_not_taken(
    site: Site, browser: TestClient, fields: dict[str, str], status: int, words: str
) -> None:
    answer = post(browser, **fields)
    assert (answer.status_code, words in answer.text) == (status, True)
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM report_draft") == [(0,)]


def test_a_form_of_another_site_is_refused(site: Site, browser: TestClient) -> None:
    evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for address, data in (
        (f"{editor(COUNTY)}/sections/overview", {"version": "0", "text": "有"}),
        (f"{editor(COUNTY)}/submit", {}),
        (f"{editor(COUNTY)}/withdraw", {}),
        (f"{REVIEW}/review", {"seen": "1", "act": "accept"}),
        (f"/units/{BUREAU}/rounds/{ROUND}/close", {}),
    ):
        assert browser.post(address, data=data, headers=evil).status_code == 403, address


def test_a_continuous_duty_is_answered_in_words_or_with_nothing_new(site: Site, browser: TestClient) -> None:
    assert post(browser, "task-2", **{"answer-2.3": " ", "none-2.3": "on", "text": ""}).status_code == 303
    page = get(browser, editor(COUNTY) + "?section=task-2")
    assert 'name="none-2.3" value="on" checked' in page
    with site.database.read() as session:
        assert query(session, "SELECT answers FROM report_draft") == [('{"2.3": "无新增"}',)]
    assert post(browser, "task-2", version="1", **{"answer-2.3": "已开展", "none-2.3": "on"}).status_code == 303
    with site.database.read() as session:
        assert query(session, "SELECT answers FROM report_draft") == [('{"2.3": "已开展"}',)]


def test_figures_are_locked_with_their_source(site: Site, browser: TestClient) -> None:
    visit(site.database, FIRST_VILLAGE, "2025-01", "2025-06-10", "3", "0.5")
    page = get(browser, editor(COUNTY) + "?section=task-1")
    assert "<b>3</b>" in page
    assert "<b>0.5</b> / 100" in page
    source = f"/items?requirement=1.2&amp;due_from=2025-01-01&amp;due_to=2025-06-30&amp;timing=expected&amp;under=9001&amp;plan={CODE}"
    assert f'href="{source}">1/12</a>' in page
    assert "共 12 件" in get(browser, source.replace("&amp;", "&"))
    assert 'name="visits"' not in page


def test_the_offered_text_is_offered_and_not_inserted(site: Site, browser: TestClient) -> None:
    visit(site.database, FIRST_VILLAGE, "2025-01", "2025-06-10", "3", "0.5")
    page = get(browser, editor(COUNTY))
    offer = "2025年上半年，1县民政局参与《小方案》任务 2 项。"
    assert offer in page
    assert form(page, "/sections/overview").fields["text"] == ""
    page = send(browser, form(page, "/sections/overview"), text="自己写的。", offer="1")
    text = form(page, "/sections/overview").fields["text"]
    assert text.startswith(f"自己写的。\n{offer}")
    assert "走访次数 3" in text


def test_handed_in_and_taken_back(site: Site, browser: TestClient) -> None:
    write(site.database, COUNTY, day="2025-06-19")
    check = get(browser, editor(COUNTY) + "?section=check")
    assert "各节均已完成" in check
    page = send(browser, form(check, "/submit"), by_name="李主任")
    assert "报告已报送，等待审核。" in page
    assert [one.action.split("?")[0] for one in forms(page)] == [f"{editor(COUNTY)}/withdraw"]
    assert "<textarea" not in get(browser, editor(COUNTY))
    refused = post(browser, text="晚了", version="1")
    assert (refused.status_code, "“待审核”的报告不能修改" in refused.text) == (409, True)
    page = send(browser, form(page, "/withdraw"))
    assert "报告已撤回，可以修改后重新报送。" in page


def test_an_unfinished_report_is_not_handed_in(browser: TestClient) -> None:
    answer = browser.post(f"{editor(COUNTY)}/submit", data={})
    assert answer.status_code == 422
    assert "报告还不完整：总体情况（尚未填写）" in answer.text
    assert "disabled" in get(browser, editor(COUNTY) + "?section=check")


def test_sent_back_section_by_section(site: Site, browser: TestClient) -> None:
    write(site.database, COUNTY)
    hand_in(site.database, COUNTY)
    page = get(browser, REVIEW)
    asked = form(page, "/review")
    refused = browser.post(asked.action, data={**asked.fields, "act": "return"})
    assert (refused.status_code, "请先标明退回哪几节" in refused.text) == (422, True)
    refused = browser.post(asked.action, data={**asked.fields, "verdict-next": "returned", "act": "keep"})
    assert (refused.status_code, "退回“下一步打算”须写明理由" in refused.text) == (422, True)
    assert 'name="verdict-next" value="returned" checked' in refused.text
    marked = send(browser, asked, **{"verdict-next": "returned", "reason-next": "请写明措施", "act": "keep"})
    assert "审核意见已保存" in marked
    refused = browser.post(asked.action, data={**form(marked, "/review").fields, "act": "accept"})
    assert (refused.status_code, "有 1 节标为退回，不能通过" in refused.text) == (409, True)
    assert "报告已退回。" in send(browser, form(marked, "/review"), act="return")
    unit = get(browser, editor(COUNTY) + "?section=next")
    assert unit.count("请写明措施") == 2
    stale = browser.post(asked.action, data={**asked.fields, "act": "accept"})
    assert (stale.status_code, "这份报告不在待审核状态" in stale.text) == (409, True)


@pytest.mark.parametrize("fields", [{"act": "destroy"}, {"seen": ""}, {"seen": "x"}, {"verdict-next": "perfect"}])
def test_reviews_that_are_not_taken(site: Site, browser: TestClient, fields: dict[str, str]) -> None:
    write(site.database, COUNTY)
    hand_in(site.database, COUNTY)
    asked = form(get(browser, REVIEW), "/review")
    answer = browser.post(asked.action, data={**asked.fields, "act": "keep", **fields})
    assert answer.status_code in (404, 422)


def test_last_half_years_text_lies_beside_and_is_not_copied(site: Site) -> None:
    write(site.database, COUNTY)
    hand_in(site.database, COUNTY)
    with site.database.write() as session:
        issuing.issue_due(session, CODE, as_of=date(2025, 12, 1), now=instant("2025-12-01"))
        rounds.open_due(session, CODE, now=instant("2025-12-01"))
    page = get(site.at("2025-12-02"), f"/units/{COUNTY}/reports/2025-H2?section=problems")
    assert "参考上期（2025年上半年）" in page
    assert "力量不足。" in page
    assert form(page, "/sections/problems").fields["text"] == ""


def test_files_in_the_draft_go_with_the_report(site: Site, browser: TestClient, tmp_path: Path) -> None:
    write(site.database, COUNTY)
    key, by = item("1.9", COUNTY, ROUND), office(COUNTY)
    paper = Received("盖章件.pdf", FileKind.PDF, "a" * 64, b"%PDF-1.4 stamp")
    with site.database.write() as session:
        stored = files.keep(session, FileStore(tmp_path / "files"), paper, by=by, now=instant("2025-06-19"))
        drafts.add_file(
            session, key, stored, "盖章件.pdf", EvidenceType.DOCUMENT, limit=9, by=by, now=instant("2025-06-19")
        )
    refused = browser.post(f"/units/{COUNTY}/submit/{key}", data={"action": "submit"})
    assert (refused.status_code, "在“报送”栏目逐节填写后报送" in refused.text) == (409, True)
    send(browser, form(get(browser, editor(COUNTY) + "?section=check"), "/submit"))
    with site.database.read() as session:
        told = query(session, "SELECT text, file_name FROM evidence ORDER BY id")
    assert told == [("半年工作进展情况报告（在线填报）", None), (None, "盖章件.pdf")]


def test_the_item_page_leads_to_the_editor(site: Site, browser: TestClient) -> None:
    page = get(browser, f"/items/{item('1.9', COUNTY, ROUND)}")
    assert f'href="{editor(COUNTY)}"' in page


def test_the_coordinator_closes_and_opens_again(site: Site, browser: TestClient) -> None:
    page = get(browser, f"/rounds/{ROUND}")
    assert "本期报送已结束" in send(browser, form(page, "/close"))
    refused = post(browser, text="晚了")
    assert (refused.status_code, "本期报送已结束，如需补报请联系统筹单位" in refused.text) == (409, True)
    assert "本期报送已结束，不能再填写和报送" in get(browser, editor(COUNTY))
    page = send(browser, form(get(browser, f"/rounds/{ROUND}"), "/reopen"))
    assert "本期报送已重新开放。" in page
    assert post(browser, text="可以了").status_code == 303
    refused = browser.post(f"/units/{COUNTY}/rounds/{ROUND}/close")
    assert (refused.status_code, "半年报送由统筹单位启动和结束" in refused.text) == (403, True)


def test_a_closed_unit_acts_no_more(site: Site) -> None:
    with site.database.write() as session:
        close_unit(session, OTHER, on=date(2025, 6, 20), now=instant("2025-06-10"), by=Actor("", "系统管理员"))
    refused = post(site.at("2025-06-20"), unit=OTHER, text="有")
    assert (refused.status_code, "2县民政局已停用，不能办理" in refused.text) == (403, True)
    assert "2025年6月20日起停用" in get(site.at("2025-06-20"), f"/units/{OTHER}")


def test_pages_make_the_same_number_of_statements(site: Site, browser: TestClient) -> None:
    def count(address: str) -> int:
        with statements(site.database) as sent:
            get(browser, address)
        return len([one for one in sent if not one.startswith("BEGIN")])

    pages = ("/rounds", f"/rounds/{ROUND}", f"{editor(COUNTY)}?section=task-1", f"{editor(COUNTY)}?section=check")
    few = [count(page) for page in pages]
    for unit in (COUNTY, OTHER, SCHOOLS):
        write(site.database, unit)
    for unit in (FIRST_VILLAGE, village(2, 1)):
        visit(site.database, unit, "2025-01", "2025-06-10", "3", "1")
    hand_in(site.database, SCHOOLS)
    assert [count(page) for page in pages] == few
