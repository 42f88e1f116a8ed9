"""The page of compilations by HTTP: make, download, compare, template in and out, PDF; what people really send."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import docx
import httpx
import openpyxl
import pypdf
import pytest
from fastapi.testclient import TestClient

from api.pdf_copies import PdfCopies
from documents.template import built_in
from ledger.database import Database
from ledger.settings import Settings
from tests.api.compiling import HOSTILE, played, with_everything
from tests.api.site import open_browser
from tests.factories import BUREAU, SCHOOLS, instant, load, opened, statements, tiny_pack
from tests.reporting import ROUND

pytestmark = pytest.mark.thorough

PAGE = f"/rounds/{ROUND}/compilations"
DESK = f"/units/{BUREAU}/compilations/{ROUND}"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with opened(database_url) as found:
        load(found, tiny_pack(tmp_path / "pack", with_everything), instant("2025-01-01"))
        played(found)
        yield found


@pytest.fixture
def browser(database: Database, tmp_path: Path) -> TestClient:
    settings = Settings(data_dir=tmp_path / "data", base_url="http://testserver", clock=instant("2025-07-21"))
    return open_browser(database, settings)


def made(browser: TestClient, **fields: str) -> str:
    """Make one; the path of its files without the suffix."""
    answer = browser.post(DESK, data={"as_of": "2025-07-20", **fields})
    assert answer.status_code == 303, answer.text
    id = re.search(r"#made-(\d+)$", answer.headers["location"])
    assert id is not None
    return f"{PAGE}/{id[1]}"


def edited(change: Any) -> bytes:
    document = docx.Document(io.BytesIO(built_in()))
    change(document)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def first_line(text: str) -> bytes:
    return edited(lambda document: document.paragraphs[0].insert_paragraph_before(text))


def upload(browser: TestClient, data: bytes, name: str = "模板.docx", unit: str = BUREAU) -> httpx.Response:
    return browser.post(f"/units/{unit}/compilations/{ROUND}/template", files={"file": (name, data)})


def test_an_empty_page_says_what_to_do_next_and_who_is_missing(browser: TestClient) -> None:
    page = browser.get(PAGE)
    assert page.status_code == 200
    assert "还没有生成过。选好截至日期，点“生成汇编”。" in page.text
    assert "4 个单位应报</a>，已审核通过 1 个。" in page.text
    assert "未报送，已超过时限6日" in page.text
    for path in (f"/units/{BUREAU}/reports/{ROUND}/{SCHOOLS}?plan=tiny-2025", f"/units/{BUREAU}?plan=tiny-2025"):
        assert f'href="{path}"' in page.text
        assert browser.get(path).status_code == 200


def test_one_is_made_and_downloaded(browser: TestClient) -> None:
    path = made(browser, by_name="王科长")
    page = browser.get(PAGE).text
    assert "截至2025年7月20日" in page
    assert "王科长" in page
    answer = browser.get(f"{path}.docx")
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats-officedocument.wordprocessingml")
    assert "2025年上半年工作进展情况报告（截至2025年7月20日）.docx" in unquote(answer.headers["content-disposition"])
    assert HOSTILE in [p.text for p in docx.Document(io.BytesIO(answer.content)).paragraphs]
    book = openpyxl.load_workbook(io.BytesIO(browser.get(f"{path}.xlsx").content))
    assert book.sheetnames == ["总体情况", "进展表", "指标表", "缺报迟报", "各单位报送", "优秀案例"]


def test_the_same_again_is_the_same_and_can_be_compared(browser: TestClient) -> None:
    path = made(browser)
    assert made(browser) == path
    assert "再次生成的文件与原件逐字节一致" in browser.get(f"{path}/check").text


def test_today_means_now(browser: TestClient) -> None:
    assert made(browser, as_of="2025-07-21") != made(browser, as_of="2025-07-20")
    page = browser.get(PAGE).text
    assert re.search(r"<b>截至2025年7月21日</b> 09:00", page)
    assert made(browser, as_of="") != made(browser, as_of="2025-07-20") == made(browser, as_of="２０２５-7-20")


@pytest.mark.parametrize(
    ("as_of", "status", "words"),
    [
        ("2025-07-22", 409, "尚未到来"),
        ("2025-02-30", 422, "没有2025年2月30日这一天"),
        ("昨天", 422, "日期须写作"),
        ("20250720", 422, "日期须写作"),
        ("2025-05-01", 409, "当时还没有启动"),
        ("1999-01-01", 422, "日期须在"),
    ],
)
def test_days_that_cannot_be(browser: TestClient, as_of: str, status: int, words: str) -> None:
    answer = browser.post(DESK, data={"as_of": as_of})
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert "还没有生成过" in browser.get(PAGE).text


def test_only_the_coordinator_and_only_from_its_page(browser: TestClient) -> None:
    answer = browser.post(f"/units/{SCHOOLS}/compilations/{ROUND}", data={"as_of": "2025-07-20"})
    assert (answer.status_code, "由统筹单位汇编" in answer.text) == (403, True)
    assert upload(browser, built_in(), unit=SCHOOLS).status_code == 403
    away = {"sec-fetch-site": "cross-site"}
    assert browser.post(DESK, data={"as_of": "2025-07-20"}, headers=away).status_code == 403
    assert browser.post(f"{DESK}/template/built-in", headers=away).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/rounds/2025-H2/compilations",
        "/rounds/%00/compilations",
        "/rounds/2031-H1/compilations",
        f"{PAGE}/1.docx",
        f"{PAGE}/999.pdf",
        f"{PAGE}/999/check",
        f"{PAGE}?plan=other",
    ],
)
def test_what_is_not_there(browser: TestClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code in (404, 422)
    assert "Traceback" not in answer.text


def test_a_compilation_of_another_round_is_not_shown(browser: TestClient) -> None:
    path = made(browser)
    assert browser.get(path.replace(ROUND, "2025-H2") + ".docx").status_code == 404


def test_the_page_makes_the_same_number_of_statements_with_one_and_with_many(
    browser: TestClient, database: Database
) -> None:
    made(browser)
    with statements(database) as one:
        browser.get(PAGE)
    for day in range(1, 20):
        made(browser, as_of=f"2025-07-{day:02}")
    with statements(database) as many:
        page = browser.get(PAGE)
    assert page.text.count('<li id="made-') == 20
    assert len(many) == len(one)


def test_a_template_goes_out_and_comes_back(browser: TestClient) -> None:
    before = made(browser)
    answer = browser.get("/report-template.docx")
    assert answer.content == built_in()
    answer = upload(browser, first_line("{{ 编制单位 }}文件 {{ 期次 }}"), "局发模板.docx")
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"]).text
    assert "已改用“局发模板.docx”" in page
    assert "模板没有用到：方案。" in page
    path = made(browser)
    assert path != before
    lines = docx.Document(io.BytesIO(browser.get(f"{path}.docx").content)).paragraphs
    assert lines[0].text == "市民政局文件 2025年上半年"
    assert browser.get("/report-template.docx").content != built_in()
    assert browser.get("/report-template/built-in.docx").content == built_in()
    for _ in range(2):
        assert browser.post(f"{DESK}/template/built-in").status_code == 303
    assert "内置模板</b>（公文格式）" in browser.get(PAGE).text
    assert made(browser) == before
    assert "逐字节一致" in browser.get(f"{path}/check").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (first_line("{{ 日期 }}"), "模板中有不认识的标记“日期”（见“{{ 日期 }}”处）"),
        (first_line("{{ ''.__class__ }}"), "不认识的标记"),
        (first_line("{%p for 甲 in 行动 %}"), "标记没有写完整"),
        (b"", "空"),
        ("文本模板 {{ 标题 }}".encode("gb18030"), ""),
        (b"PK\x03\x04", ""),
        (first_line("联系人手机：13847212345 身份证 110101199003070134"), "疑似"),
    ],
)
def test_a_template_that_cannot_be_used(browser: TestClient, data: bytes, words: str) -> None:
    answer = upload(browser, data)
    assert answer.status_code == 422
    told = re.search(r'role="alert">([^<]+)</p>', answer.text)
    assert told is not None, answer.text
    assert words in told[1].replace("&#39;", "'").replace("&#34;", '"'), told[1]
    assert "110101199003070134" not in answer.text
    assert "内置模板</b>（公文格式）" in browser.get(PAGE).text


def test_a_template_as_a_text_field_is_told(browser: TestClient) -> None:
    answer = browser.post(f"{DESK}/template", data={"file": "模板"})
    assert answer.status_code == 422
    assert "Traceback" not in answer.text


@pytest.mark.slow
def test_a_pdf_is_made_once_and_kept(browser: TestClient) -> None:
    path = made(browser)
    assert browser.get(f"{path}.pdf").status_code == 404
    desk = path.replace(PAGE, DESK)
    assert browser.post(f"{desk}/pdf").status_code == 303
    answer = browser.get(f"{path}.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert "总体情况" in "".join(pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().split())
    assert browser.post(f"{desk}/pdf").status_code == 303
    assert browser.get(f"{path}.pdf").content == answer.content
    assert "生成 PDF" not in browser.get(PAGE).text


def test_a_pdf_under_way_is_told_and_the_page_fetches_itself(browser: TestClient) -> None:
    path = made(browser)
    pdfs: PdfCopies = browser.app.state.pdfs  # type: ignore[attr-defined]
    digest = digest_of(browser)
    assert pdfs.begin(digest) is True
    assert pdfs.begin(digest) is False
    page = browser.get(PAGE)
    assert "正在生成 PDF，已 0 秒" in page.text
    assert page.headers["refresh"] == "3"
    pdfs._started.clear()
    assert "refresh" not in browser.get(PAGE).headers
    assert path in page.text


def digest_of(browser: TestClient) -> str:
    path = re.search(rf'href="({PAGE}/\d+\.docx)', browser.get(PAGE).text)
    assert path is not None
    return hashlib.sha256(browser.get(path[1]).content).hexdigest()


def test_a_pdf_that_fails_is_told_and_may_be_tried_again(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = made(browser)
    assert browser.post(path.replace(PAGE, DESK) + "/pdf").status_code == 303
    page = browser.get(PAGE).text
    assert "LibreOffice 未能生成 PDF" in page
    assert "重新生成 PDF" in page


def test_without_libreoffice_the_page_says_so(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = made(browser)
    monkeypatch.setenv("PATH", str(tmp_path))
    page = browser.get(PAGE).text
    assert "未安装 LibreOffice" in page
    assert "生成 PDF</button>" not in page
    answer = browser.post(path.replace(PAGE, DESK) + "/pdf")
    assert (answer.status_code, "未安装 LibreOffice" in answer.text) == (422, True)


def test_two_that_ask_at_once_make_one_pdf(tmp_path: Path) -> None:
    pdfs, digest, won = PdfCopies(tmp_path / "pdf"), "0" * 64, []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        won.append(pdfs.begin(digest))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(won) == [False] * 7 + [True]
