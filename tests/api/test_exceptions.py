"""例外放行: stopped, shown masked to the coordinator, let in by name and reason, sent again, seen as a copy."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document
from fastapi.testclient import TestClient

from tests.api.evidence import MONTH, VILLAGE, asking, browser, form, form_type, photo
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, query, statements

pytestmark = pytest.mark.thorough

HIDDEN = "150203201001011232"
FILES = f"/units/{VILLAGE}/files/{MONTH}"
PAGE = f"/units/{BUREAU}/exceptions"
WHO = {"named": "张主任", "reason": "公开发布的机构名录"}


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", asking) as found:
        yield found


@pytest.fixture
def unit(site: Site, tmp_path: Path) -> TestClient:
    return browser(site.database, tmp_path)


def paper(*lines: str) -> bytes:
    document, out = Document(), io.BytesIO()
    for line in lines:
        document.add_paragraph(line)
    document.save(out)
    return out.getvalue()


def send(unit: TestClient, data: bytes, name: str = "名录.docx") -> dict[str, int]:
    return dict(unit.post(FILES, content=form((name, data)), headers=form_type()).json())


def digest(site: Site) -> str:
    with site.database.read() as session:
        return str(query(session, "SELECT sha256 FROM screening ORDER BY id DESC LIMIT 1")[0][0])


def texts(data: bytes) -> list[str]:
    return [paragraph.text for paragraph in Document(io.BytesIO(data)).paragraphs]


def test_stopped_allowed_sent_again_and_seen_as_a_copy(unit: TestClient, site: Site) -> None:
    data = paper("机构名录", f"证号 {HIDDEN}")
    assert [send(unit, data)["refused"] for _ in range(2)] == [1, 1]
    page = unit.get(PAGE).text
    assert "名录.docx" in page
    assert "共 2 次" in page
    assert "公民身份号码" in page
    assert HIDDEN not in page
    answer = unit.post(f"{PAGE}/{digest(site)}", data=WHO)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    page = unit.get(PAGE).text
    assert "已放行" in page
    assert "张主任" in page
    assert send(unit, data)["kept"] == 1
    assert send(unit, paper("另一份", f"证号 {HIDDEN}"))["refused"] == 1
    with site.database.read() as session:
        [(id, restricted)] = query(session, "SELECT id, restricted FROM file")
    assert restricted
    copy = unit.get(f"/files/{id}/名录.docx").content
    assert texts(copy)[0] == "机构名录"
    assert HIDDEN not in "".join(texts(copy))
    assert texts(unit.get(f"/units/{VILLAGE}/files/{id}").content)[1] == f"证号 {HIDDEN}"
    assert unit.get(f"/units/{BUREAU}/files/{id}").status_code == 403
    assert "例外放行" in unit.get(f"/units/{VILLAGE}/submit/{MONTH}").text


@pytest.mark.parametrize("blank", ["named", "reason"])
def test_without_a_name_or_a_reason_nothing_is_let_in(unit: TestClient, site: Site, blank: str) -> None:
    data = paper(f"证号 {HIDDEN}")
    send(unit, data)
    assert unit.post(f"{PAGE}/{digest(site)}", data={**WHO, blank: "  "}).status_code == 422
    assert send(unit, data)["refused"] == 1


def test_only_the_coordinator(unit: TestClient, site: Site) -> None:
    send(unit, paper(f"证号 {HIDDEN}"))
    other = f"/units/{VILLAGE}/exceptions"
    assert unit.get(other).status_code == 403
    assert unit.post(f"{other}/{digest(site)}", data=WHO).status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert unit.post(f"{PAGE}/{digest(site)}", data=WHO, headers=cross).status_code == 403
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM privacy_exception") == [(0,)]


@pytest.mark.parametrize("sha256", ["x", "0" * 63, "G" * 64])
def test_what_is_no_digest(unit: TestClient, sha256: str) -> None:
    assert unit.post(f"{PAGE}/{sha256}", data=WHO).status_code == 422


def test_an_empty_page_and_texts_counted_beside_files(unit: TestClient) -> None:
    assert "筛查没有拦下过文件" in unit.get(PAGE).text
    unit.post(f"/units/{VILLAGE}/submit/{MONTH}", data={"action": "save", "text": f"证号 {HIDDEN}"})
    page = unit.get(PAGE).text
    assert "另拦下文字 1 次" in page
    assert "筛查没有拦下过文件" in page


def test_the_page_costs_as_many_statements_with_one_and_with_many(unit: TestClient, site: Site) -> None:
    def cost() -> int:
        with statements(site.database) as sent:
            assert unit.get(PAGE).status_code == 200
        return len(sent)

    send(unit, photo(1), name=f"{HIDDEN}.jpg")
    one = cost()
    for n in range(2, 8):
        send(unit, photo(n), name=f"{HIDDEN}.jpg")
    assert "共 7 份" in unit.get(PAGE).text
    assert cost() == one
