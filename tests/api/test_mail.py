"""The coordinator's page for letters: what waits, one letter with its report, confirming, giving, dismissing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from docx import Document
from fastapi.testclient import TestClient

from documents.mail import parse
from documents.receiving import receive
from ledger import addresses, letters
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.letters import Looked, Place
from ledger.queries.letters import letter as letter_row
from ledger.settings import Settings
from policy_models.files import LETTER_KINDS, Limits
from policy_models.letters import LetterState
from policy_models.lifecycle import State
from tests.api.site import BASE, open_browser
from tests.factories import BUREAU, instant, load, query, statements, tiny_pack
from tests.factories import opened as connected
from tests.letters import ADDRESSES, ONE, docx, letter, named, whole_identity, word
from tests.reporting import COUNTY, OTHER, ROUND, opened, told, with_reports

pytestmark = pytest.mark.thorough

NOW = instant("2025-06-25", 15)
MAIL = f"/units/{BUREAU}/mail"
HALF = word("2025年上半年工作报告")


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with connected(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack", with_reports), instant("2025-01-01"))
        opened(database)
        with database.write() as session:
            addresses.save_addresses(session, ADDRESSES, now=NOW)
        yield database


@pytest.fixture
def browser(database: Database, tmp_path: Path) -> TestClient:
    settings = Settings(base_url=BASE, clock=NOW, data_dir=tmp_path)
    return open_browser(database, settings)


def post(
    database: Database, folder: Path, raw: bytes, number: int = 1, arrived: datetime = instant("2025-06-24", 23)
) -> int:
    """A letter as the mail flow takes it in; its id."""
    found = parse(raw)
    looked = [
        Looked(one.name, one.size, receive(one.name, one.data, limits=Limits(), kinds=LETTER_KINDS))
        for one in found.attachments
        if one.data
    ]
    with database.write() as session:
        letters.begin(session, "bureau@mz.example/INBOX", 1, since=None, now=NOW)
        place = Place("bureau@mz.example/INBOX", 1, number, arrived)
        store = FileStore(folder / "files")
        taken = letters.take_in(session, store, found, looked, place=place, own=[], answer=True, now=NOW)
    assert taken is not None
    return taken.id


def report(number: int = 1, sender: str = ONE, *lines: str) -> bytes:
    return letter(number, sender, HALF, named("半年报告.docx", docx(*lines)))


def state(database: Database, letter_id: int) -> LetterState:
    with database.read() as session:
        return letter_row(session, letter_id).state


def texts(page: str) -> dict[str, str]:
    """What stands in the text fields."""
    return dict(re.findall(r'<textarea id="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL))


def test_before_any_letter(browser: TestClient) -> None:
    page = browser.get(MAIL)
    assert page.status_code == 200
    assert "还没有收取过来信" in page.text
    assert "请系统管理员按操作手册配置收信邮箱" in page.text
    assert f'href="/units/{BUREAU}/mail' in browser.get(f"/units/{BUREAU}").text
    assert "/mail" not in browser.get(f"/units/{COUNTY}").text


def test_the_list_says_what_waits_and_why(browser: TestClient, database: Database, tmp_path: Path) -> None:
    post(database, tmp_path, report(1), 1)
    post(database, tmp_path, report(2, "li@b.example"), 2)
    post(database, tmp_path, letter(3, ONE, HALF), 3)
    post(database, tmp_path, letter(4, ONE, word("自动回复：好")), 4)
    page = browser.get(MAIL).text
    assert re.findall(r'<h2 id="(\w+)">\S+ <span class="n">(\d+)</span>', page) == [
        ("filed", "1"),
        ("aside", "2"),
        ("settled", "1"),
    ]
    assert "1县民政局 · 2025年上半年 · office@county1.example · 2025年6月24日 23:00 · 附件 1 个 · 回执待发" in page
    assert "发件地址没有登记，不能确定是哪个单位" in page
    assert "来信没有附件" in page
    assert "自动回复，不需办理" in page


def test_one_letter_confirmed_with_the_words_as_corrected(
    browser: TestClient, database: Database, tmp_path: Path
) -> None:
    number = post(database, tmp_path, report())
    page = browser.get(f"{MAIL}/{number}").text
    assert texts(page) == {
        "overview": "上半年总体平稳。",
        "progress": "走访 12 次。",
        "highlights": "",
        "problems": "无。",
        "next": "继续。",
    }
    assert "按其中的标题分为 4 节" in page
    assert "确认，计为2025年6月24日报送" in page
    [file] = re.findall(r'href="(/files/\d+/[^"?]+)', page)
    assert browser.get(file).content[:4] == b"PK\x03\x04"
    form = {**texts(page), "next": "继续推进。", "by_name": "办公室"}
    answer = browser.post(f"{MAIL}/{number}/confirm", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{MAIL}?told=confirm")
    assert "来信已确认，按收到日期计为已报送" in browser.get(answer.headers["location"]).text
    handed = told(database, COUNTY, "2025-06-26")
    assert (handed.state, handed.first_submitted_on) == (State.SUBMITTED, date(2025, 6, 24))
    assert {one.section: one.text for one in handed.sections} == {
        "overview": "上半年总体平稳。",
        "progress": "走访 12 次。",
        "problems": "无。",
        "next": "继续推进。",
    }
    after = browser.get(f"{MAIL}/{number}").text
    assert "已确认 · 办公室" in after
    assert "<form" not in after.split("<main")[1]


def test_a_report_without_headings_and_one_without_text(
    browser: TestClient, database: Database, tmp_path: Path
) -> None:
    plain = browser.get(f"{MAIL}/{post(database, tmp_path, report(1, ONE, '只有一段话。'), 1)}").text
    assert "中没有找到“一、总体情况”之类的标题" in plain
    assert texts(plain)["overview"] == "只有一段话。"
    out = io.BytesIO()
    Document().save(out)
    empty = post(database, tmp_path, letter(2, ONE, HALF, named("空白.docx", out.getvalue())), 2)
    page = browser.get(f"{MAIL}/{empty}").text
    assert "附件中没有可以读取的正文" in page
    answer = browser.post(f"{MAIL}/{empty}/confirm", data=texts(page))
    assert answer.status_code == 422
    assert "来信中没有可以作为报告正文的文字，请先整理后再确认。" in answer.text
    assert state(database, empty) is LetterState.FILED


def test_what_is_refused_is_shown_with_what_was_typed(browser: TestClient, database: Database, tmp_path: Path) -> None:
    number = post(database, tmp_path, report())
    answer = browser.post(
        f"{MAIL}/{number}/confirm", data={"overview": f"身份证号 {whole_identity()}", "next": "改过的话"}
    )
    assert answer.status_code == 422
    assert "疑似公民身份号码" in answer.text
    assert texts(answer.text)["next"] == "改过的话"
    assert state(database, number) is LetterState.FILED
    with database.read() as session:
        assert query(session, "SELECT outcome FROM screening") == [("blocked",)]
    browser.post(f"{MAIL}/{number}/dismiss", data={"reason": "重复"})
    again = browser.post(f"{MAIL}/{number}/confirm", data={"overview": "好"})
    assert again.status_code == 409
    assert "只有已归入单位和期次、待确认的来信可以确认。" in again.text


def test_given_to_a_unit_and_remembered(browser: TestClient, database: Database, tmp_path: Path) -> None:
    number = post(database, tmp_path, report(1, "li@b.example"))
    page = browser.get(f"{MAIL}/{number}").text
    assert "未登记" in page
    assert f'<option value="{OTHER}">2县民政局</option>' in page
    for form, sentence in (
        ({"unit": "", "round": ROUND}, "所选单位在这一期没有应报的报告"),
        ({"unit": OTHER, "round": "2020-H1"}, "所选单位在这一期没有应报的报告"),
    ):
        refused = browser.post(f"{MAIL}/{number}/assign", data=form)
        assert (refused.status_code, sentence in refused.text) == (409, True)
    answer = browser.post(f"{MAIL}/{number}/assign", data={"unit": OTHER, "round": ROUND, "remember": "on"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{MAIL}/{number}")
    page = browser.get(answer.headers["location"]).text
    assert "2县民政局" in page
    assert "未登记" not in page
    assert state(database, post(database, tmp_path, report(2, "li@b.example"), 2)) is LetterState.FILED


def test_dismissed_needs_a_reason(browser: TestClient, database: Database, tmp_path: Path) -> None:
    number = post(database, tmp_path, report(1, "li@b.example"))
    assert "不予办理须写明理由。" in browser.post(f"{MAIL}/{number}/dismiss", data={"reason": " "}).text
    answer = browser.post(f"{MAIL}/{number}/dismiss", data={"reason": "与报送无关"})
    assert answer.status_code == 303
    assert "与报送无关" in browser.get(MAIL).text
    assert state(database, number) is LetterState.DISMISSED


def test_the_coordinator_alone(browser: TestClient, database: Database, tmp_path: Path) -> None:
    number = post(database, tmp_path, report())
    other = f"/units/{COUNTY}/mail"
    for answer in (
        browser.get(other),
        browser.get(f"{other}/{number}"),
        browser.post(f"{other}/{number}/confirm", data={"overview": "好"}),
        browser.post(f"{other}/{number}/dismiss", data={"reason": "x"}),
        browser.post(f"{other}/{number}/assign", data={"unit": COUNTY, "round": ROUND}),
    ):
        assert answer.status_code == 403
        assert "来信由统筹单位办理" in answer.text
    foreign = browser.post(f"{MAIL}/{number}/dismiss", data={"reason": "x"}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    assert state(database, number) is LetterState.FILED


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{MAIL}/999", 404),
        (f"{MAIL}/0", 422),
        (f"{MAIL}/x", 422),
        (f"{MAIL}/{2**70}", 422),
        ("/units/nobody/mail", 403),
    ],
)
def test_addresses_that_lead_nowhere(browser: TestClient, path: str, status: int) -> None:
    answer = browser.get(path)
    assert answer.status_code == status
    assert "letter_id" not in answer.text


def test_hostile_words_are_shown_as_words(browser: TestClient, database: Database, tmp_path: Path) -> None:
    subject = word("<script>alert(1)</script>2025年上半年")
    raw = letter(
        1, ONE, subject, named("<img src=x onerror=y>.docx", docx("一、总体情况", "</textarea><b>x", "四、问题", "无"))
    )
    number = post(database, tmp_path, raw)
    for path in (MAIL, f"{MAIL}/{number}"):
        page = browser.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>x" not in page


def test_as_many_statements_with_many_letters(browser: TestClient, database: Database, tmp_path: Path) -> None:
    def counted(path: str) -> int:
        with statements(database) as sent:
            assert browser.get(path).status_code == 200
        return len(sent)

    first = post(database, tmp_path, report(1), 1)
    one = counted(MAIL), counted(f"{MAIL}/{first}")
    for number in range(2, 25):
        post(database, tmp_path, letter(number, ONE, HALF, named("半年报告.docx", docx(str(number)))), number)
    assert (counted(MAIL), counted(f"{MAIL}/{first}")) == one
