"""Uploads: the form as a stream, one file after the other, and everything that people and programs send instead."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.multipart import BrokenUpload, Part, names_in, parts
from ledger import drafts
from ledger.acts import standing
from ledger.file_store import FileStore
from ledger.files import set_copy, stored_file
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType
from tests.api.evidence import (
    BUREAU_ITEM,
    MONTH,
    NEXT_DOOR,
    TOWNSHIP,
    VILLAGE,
    asking,
    browser,
    document,
    form,
    form_type,
    photo,
)
from tests.api.site import Site, tiny_site
from tests.factories import BUREAU, item, office, query

pytestmark = pytest.mark.thorough

PATH = f"/units/{VILLAGE}/files/{MONTH}"
HIDDEN = "150203201001011232"


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack", asking) as found:
        yield found


@pytest.fixture
def unit(site: Site, tmp_path: Path) -> TestClient:
    return browser(site.database, tmp_path)


def send(unit: TestClient, body: bytes, path: str = PATH, **headers: str) -> dict[str, object]:
    answer = unit.post(path, content=body, headers={**form_type(), **headers})
    return {**answer.json(), "status": answer.status_code}


def held(site: Site, key: str = MONTH) -> list[Evidence]:
    with site.database.read() as session:
        return [piece.evidence for piece in drafts.pieces(session, standing(session, key).id)]


def names(site: Site) -> list[str | None]:
    return [piece.file_name for piece in held(site)]


# the parser


async def collected(chunks: list[bytes], file_bytes: int = 1000, content_type: str = "") -> list[Part]:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    kind = content_type or form_type()["Content-Type"]
    return [part async for part in parts(stream(), kind, file_bytes=file_bytes, body_bytes=100_000)]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
def test_parts_are_the_same_however_the_body_is_cut_into_chunks(size: int) -> None:
    body = form(("a.pdf", b"one\r\n--two"), ("b.pdf", b""), ("c.pdf", b"x" * 1001), fields=[("by_name", "张三")])
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    assert asyncio.run(collected(chunks)) == [
        Part("by_name", None, "张三".encode()),
        Part("file", "a.pdf", b"one\r\n--two"),
        Part("file", "b.pdf", b""),
        Part("file", "c.pdf", b"", too_large=True),
    ]


def test_a_part_is_given_before_the_next_is_read() -> None:
    first, second = form(("a.pdf", b"one"), ("b.pdf", b"two")).split(b"two")
    read: list[str] = []

    async def stream() -> AsyncIterator[bytes]:
        yield first
        read.append("second chunk")
        yield b"two" + second

    async def consume() -> None:
        async for part in parts(stream(), form_type()["Content-Type"], file_bytes=99, body_bytes=9999):
            read.append(str(part.file_name))

    asyncio.run(consume())
    assert read == ["a.pdf", "second chunk", "b.pdf"]


@pytest.mark.parametrize(
    ("chunks", "content_type", "why"),
    [
        ([form(("a.pdf", b"one"), cut=-10)], "", "中途断开"),
        ([], "", "不完整"),
        ([form(("a.pdf", b"one"))], "multipart/form-data; boundary=other", "格式有误"),
        ([form(("a.pdf", b"one"))], "multipart/form-data", "格式有误"),
        ([b'{"a": 1}'], "application/json", "格式有误"),
        ([b"not a form at all"], "", "格式有误"),
        ([form(*[(f"{n}.pdf", b"x" * 900) for n in range(120)])], "", "内容过多"),
    ],
)
def test_what_is_no_form(chunks: list[bytes], content_type: str, why: str) -> None:
    with pytest.raises(BrokenUpload, match=why):
        asyncio.run(collected(chunks, content_type=content_type))


GB = "签到表".encode("gb18030")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="签到表圐圙.pdf"'.encode(), "签到表圐圙.pdf"),
        (b'filename="' + GB + b'.pdf"', "签到表.pdf"),
        ('filename="誠.pdf"'.encode("gb18030"), "誠.pdf"),  # its second byte is a backslash
        (b"filename=\"x.pdf\"; filename*=UTF-8''" + quote("签到表.pdf").encode(), "签到表.pdf"),
        (b"filename*=gb18030''" + quote(GB).encode() + b".pdf", "签到表.pdf"),
        (b"filename*0*=GB18030''" + quote(GB[:2]).encode() + b"; filename*1*=" + quote(GB[2:]).encode(), "签到表"),
        (b"filename*=nonsense''" + quote(GB).encode(), "签到表"),
        (b'filename="C:\\fakepath\\a.pdf"', "C:\\fakepath\\a.pdf"),
        (b'filename="a%22b%0D%0A%41.pdf"', 'a"b\r\n%41.pdf'),
        (b'filename="say \\"hi\\".pdf"', 'say "hi".pdf'),
        (b"filename=plain.pdf", "plain.pdf"),
        (b'filename=""', ""),
        (b"", None),
    ],
)
def test_names_of_files_as_they_are_sent(disposition: bytes, name: str | None) -> None:
    assert names_in(b'form-data; name="file"; ' + disposition) == ("file", name)


# the route


def test_each_file_is_answered(unit: TestClient, site: Site) -> None:
    one, two = photo(1), photo(2)
    answer = send(unit, form(("照片1.jpg", one), ("说明.exe", b"MZ\x90\0"), ("照片2.jpg", two), ("照片1.jpg", one)))
    told = [(file["name"], file["outcome"], bool(file["sentence"])) for file in answer["files"]]  # type: ignore[attr-defined]
    assert told == [
        ("照片1.jpg", "kept", False),
        ("说明.exe", "refused", True),
        ("照片2.jpg", "kept", False),
        ("照片1.jpg", "there", False),
    ]
    assert (answer["kept"], answer["refused"], answer["there"], answer["status"]) == (2, 1, 1, 200)
    assert [(piece.type, piece.file_name) for piece in held(site)] == [
        (EvidenceType.PHOTO, "照片1.jpg"),
        (EvidenceType.PHOTO, "照片2.jpg"),
    ]


def test_the_type_the_day_and_the_person(unit: TestClient, site: Site) -> None:
    body = form(("签到.jpg", photo(1)), fields=[("type", "photo"), ("by_name", "李干事")])
    send(unit, body, f"{PATH}?type=sign_in&effective_on=2025-02-18")
    with site.database.read() as session:
        [piece] = drafts.pieces(session, standing(session, MONTH).id)
    assert (piece.evidence.type, str(piece.evidence.effective_on)) == (EvidenceType.SIGN_IN, "2025-02-18")
    assert piece.added_by == "李干事"


@pytest.mark.parametrize("name", ["长" * 41, "李\x07干事"])
def test_a_name_that_is_none(unit: TestClient, site: Site, name: str) -> None:
    answer = send(unit, form(("1.jpg", photo(1)), fields=[("by_name", name)]))
    assert (answer["status"], answer["kept"]) == (422, 0)
    assert "经办人姓名" in str(answer["broken"])
    assert held(site) == []


def test_a_plain_form_goes_back_to_the_page_or_says_what_was_refused(unit: TestClient) -> None:
    kind = {"Content-Type": form_type()["Content-Type"]}
    good = unit.post(PATH, content=form(("照片.jpg", photo(1))), headers=kind)
    assert (good.status_code, good.headers["location"]) == (303, f"/units/{VILLAGE}/submit/{MONTH}#files")
    mixed = unit.post(PATH, content=form(("照片2.jpg", photo(2)), ("a<b>.exe", b"MZ")), headers=kind)
    assert mixed.status_code == 200
    assert "已收 1 份" in mixed.text
    assert "a_b_.exe" in mixed.text
    assert unit.post(PATH, content=form(("a.exe", b"MZ")), headers=kind).status_code == 422


@pytest.mark.parametrize("body", [form(), form(("", b"")), form(fields=[("by_name", "张三")])])
def test_no_file_at_all(unit: TestClient, site: Site, body: bytes) -> None:
    answer = send(unit, body)
    assert (answer["status"], answer["broken"]) == (422, "没有收到文件，请先选择文件")
    assert held(site) == []


def test_an_empty_file_is_refused(unit: TestClient, site: Site) -> None:
    assert send(unit, form(("空.jpg", b"")))["refused"] == 1
    assert held(site) == []


def test_one_file_too_many_and_one_too_large(site: Site, tmp_path: Path) -> None:
    unit = browser(site.database, tmp_path, max_files=3, max_file_mb=1)
    large = photo(9) + b"\0" * (1 << 20)
    answer = send(unit, form(("大.jpg", large), *[(f"{n}.jpg", photo(n)) for n in range(4)]))
    assert (answer["kept"], answer["refused"]) == (3, 2)
    sentences = [file["sentence"] for file in answer["files"]]  # type: ignore[attr-defined]
    assert "超过 1 MB" in sentences[0]
    assert "最多 3 份" in sentences[4]
    assert names(site) == ["0.jpg", "1.jpg", "2.jpg"]


@pytest.mark.slow
def test_three_hundred_and_one_files_and_one_of_21_megabytes(site: Site, tmp_path: Path) -> None:
    unit = browser(site.database, tmp_path)
    files = [(f"{n}.jpg", photo(n)) for n in range(301)]
    answer = send(unit, form(("大.jpg", photo(999) + b"\0" * (21 << 20)), *files))
    assert (answer["kept"], answer["refused"], answer["broken"]) == (300, 2, "")
    refused = {file["name"]: file["sentence"] for file in answer["files"] if file["sentence"]}  # type: ignore[attr-defined]
    assert set(refused) == {"大.jpg", "300.jpg"}
    assert "超过 20 MB" in refused["大.jpg"]
    assert "最多 300 份" in refused["300.jpg"]
    assert names(site) == [f"{n}.jpg" for n in range(300)]


def test_names_with_paths_marks_of_direction_and_line_breaks(unit: TestClient, site: Site) -> None:
    sent = ["../../etc/照片1.jpg", "C:\\桌面\\照片2.jpg", "照\u202e片gpj.jpg", "照片%0D%0A4.jpg"]
    send(unit, form(*[(name, photo(n)) for n, name in enumerate(sent)]))
    assert names(site) == ["照片1.jpg", "照片2.jpg", "照片gpj.jpg", "照片 4.jpg"]


def test_names_in_gb18030(unit: TestClient, site: Site) -> None:
    raw = b'filename="' + "走访照片.jpg".encode("gb18030") + b'"'
    coded = b"filename*=GB18030''" + quote("签到表.jpg".encode("gb18030")).encode()
    send(unit, form((raw, photo(1)), (coded, photo(2))))
    assert names(site) == ["走访照片.jpg", "签到表.jpg"]


def test_a_form_that_breaks_off_keeps_what_had_arrived(unit: TestClient, site: Site) -> None:
    whole = form(("1.jpg", photo(1)), ("2.jpg", photo(2)), ("3.jpg", photo(3)))
    cut = whole.index(b"3.jpg") + 100
    answer = send(unit, whole[:cut])
    assert (answer["status"], answer["kept"], answer["broken"]) == (400, 2, "上传在中途断开")
    assert names(site) == ["1.jpg", "2.jpg"]


def test_a_wrong_boundary(unit: TestClient, site: Site) -> None:
    answer = send(unit, form(("1.jpg", photo(1)), boundary="other"))
    assert (answer["status"], answer["kept"]) == (422, 0)
    assert held(site) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/units/{VILLAGE}/files/nowhere", 404),
        (f"/units/000000/files/{MONTH}", 404),
        (f"/units/{NEXT_DOOR}/files/{MONTH}", 403),
        (f"/units/{VILLAGE}/files/{item('1.2', VILLAGE, '2025-12')}", 409),
        (f"{PATH}?type=nonsense", 422),
        (f"{PATH}?effective_on=2025-02-30", 422),
    ],
)
def test_where_no_file_may_go(unit: TestClient, site: Site, path: str, status: int) -> None:
    assert unit.post(path, content=form(("1.jpg", photo(1))), headers=form_type()).status_code == status
    assert unit.post(path.replace("?", "/missing?"), json={"sha256": []}).status_code in (status, 200)
    with site.database.read() as session:
        assert query(session, "SELECT count(*) FROM file") == [(0,)]


def test_another_site_cannot_upload(unit: TestClient, site: Site) -> None:
    headers = {**form_type(), "Sec-Fetch-Site": "cross-site"}
    assert unit.post(PATH, content=form(("1.jpg", photo(1))), headers=headers).status_code == 403
    assert held(site) == []


def test_the_township_uploads_for_its_village(unit: TestClient, site: Site) -> None:
    send(unit, form(("1.jpg", photo(1))), f"/units/{TOWNSHIP}/files/{MONTH}")
    assert names(site) == ["1.jpg"]


def test_a_file_that_is_no_photo_among_the_photos(unit: TestClient, site: Site) -> None:
    answer = send(unit, form(("1.pdf", document())), f"{PATH}?type=photo")
    assert answer["refused"] == 1
    assert send(unit, form(("1.pdf", document())))["kept"] == 1
    assert [piece.type for piece in held(site)] == [EvidenceType.DOCUMENT]


def test_a_name_with_a_number_is_refused_recorded_and_never_shown(unit: TestClient, site: Site) -> None:
    answer = unit.post(PATH, content=form((f"{HIDDEN}.jpg", photo(1))), headers=form_type())
    assert answer.json()["refused"] == 1
    assert HIDDEN not in answer.text
    with site.database.read() as session:
        [(outcome, place, findings, by)] = query(session, "SELECT outcome, place, findings, by_unit FROM screening")
        assert query(session, "SELECT count(*) FROM file") == [(0,)]
    assert (outcome, by) == ("blocked", VILLAGE)
    assert HIDDEN not in place + findings


def test_a_photo_loses_where_it_was_taken(unit: TestClient, site: Site, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETPHONE"
    exif.get_ifd(0x8825).update({1: "N", 2: (40.0, 39.0, 25.5), 3: "E", 4: (109.0, 50.0, 25.0)})
    sent = photo(1, exif=exif)
    assert b"SECRETPHONE" in sent
    assert send(unit, form(("带位置.jpg", sent)))["kept"] == 1
    kept = [path.read_bytes() for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(kept) == 1
    assert b"SECRETPHONE" not in kept[0]
    assert b"Exif" not in kept[0]
    assert hashlib.sha256(sent).hexdigest() not in [path.name for path in (tmp_path / "files").rglob("*")]


def test_what_a_retry_has_to_send(unit: TestClient) -> None:
    files = [photo(n) for n in range(3)]
    digests = [hashlib.sha256(data).hexdigest() for data in files]
    send(unit, form(("0.jpg", files[0])))
    answer = unit.post(f"{PATH}/missing", json={"sha256": digests})
    assert answer.json() == {"missing": digests[1:]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sha256": "x"},
        {"sha256": ["X" * 64]},
        {"sha256": ["0" * 63]},
        {"sha256": [1]},
        {"sha256": ["0" * 64] * 601},
    ],
)
def test_a_wrong_question_for_what_is_missing(unit: TestClient, body: object) -> None:
    assert unit.post(f"{PATH}/missing", json=body).status_code == 422


def test_a_browser_that_goes_away_leaves_what_arrived(site: Site, tmp_path: Path) -> None:
    """The connection ends in the middle of the second file: the first one is in the draft."""
    unit = browser(site.database, tmp_path)
    whole = form(("1.jpg", photo(1)), ("2.jpg", photo(2)))
    messages = iter(
        [
            {"type": "http.request", "body": whole[: whole.index(b"2.jpg") + 40], "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return next(messages)

    async def answer(message: dict[str, object]) -> None:
        sent.append(message)

    cookies = "; ".join(f"{name}={value}" for name, value in unit.cookies.items())
    sent_with = {"host": "testserver", **form_type(), "sec-fetch-site": "same-origin", "cookie": cookies}
    headers = [(name.lower().encode(), value.encode()) for name, value in sent_with.items()]
    scope = {"type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b""}
    asyncio.run(unit.app({**scope, "headers": headers, "http_version": "1.1", "scheme": "http"}, receive, answer))  # type: ignore[operator]
    assert names(site) == ["1.jpg"]
    assert sent[0]["status"] == 400


# what is given out


@pytest.fixture
def kept(unit: TestClient, site: Site) -> tuple[int, int]:
    """A photo and a document in the bureau's draft: their ids."""
    path = f"/units/{BUREAU}/files/{BUREAU_ITEM}"
    unit.post(path, content=form(("照片.jpg", photo(1, side=800)), ("总结.pdf", document())), headers=form_type())
    first, second = (piece.file_id for piece in held(site, BUREAU_ITEM))
    assert first
    assert second
    return first, second


def test_a_picture_is_shown_and_all_else_is_saved(unit: TestClient, kept: tuple[int, int]) -> None:
    picture, document = (unit.get(f"/files/{id}/{quote('走访 一.jpg')}") for id in kept)
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["content-disposition"].startswith("inline; ")
    assert f"filename*=UTF-8''{quote('走访 一.jpg')}" in picture.headers["content-disposition"]
    assert document.headers["content-type"] == "application/pdf"
    assert document.headers["content-disposition"].startswith("attachment; ")
    assert document.headers["content-disposition"].endswith(quote("走访 一.jpg.pdf"))
    for answer in (picture, document):
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-cache"
        again = unit.get(answer.request.url, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_small_picture(unit: TestClient, kept: tuple[int, int]) -> None:
    small = unit.get(f"/files/{kept[0]}/thumbnail")
    assert (small.status_code, small.headers["content-type"]) == (200, "image/jpeg")
    assert len(small.content) < 20_000
    assert unit.get(f"/files/{kept[1]}/thumbnail").status_code == 404


def test_hostile_names_in_the_address(unit: TestClient, kept: tuple[int, int]) -> None:
    broken = unit.get(f"/files/{kept[1]}/" + quote("a\r\nSet-Cookie: x=1"))
    assert (broken.status_code, "set-cookie" in broken.headers) == (422, False)
    answer = unit.get(f"/files/{kept[1]}/" + quote('a"; filename="x.html；名'))
    assert answer.status_code == 200
    assert re.fullmatch(r"[\x20-\x7e]+", answer.headers["content-disposition"])


def test_the_original_is_for_the_unit_that_sent_it(unit: TestClient, kept: tuple[int, int]) -> None:
    assert unit.get(f"/units/{BUREAU}/files/{kept[0]}?name=a.jpg").status_code == 200
    assert unit.get(f"/units/{VILLAGE}/files/{kept[0]}").status_code == 403


@pytest.mark.parametrize("path", ["/files/99/x.jpg", "/files/99/thumbnail", f"/units/{BUREAU}/files/99"])
def test_a_file_that_is_not_there(unit: TestClient, path: str) -> None:
    assert unit.get(path).status_code == 404


def test_everybody_else_sees_the_copy(site: Site, unit: TestClient, kept: tuple[int, int], tmp_path: Path) -> None:
    masked = photo(77, side=800)
    with site.database.write() as session:
        shown = stored_file(session, kept[0]).shown
        set_copy(session, FileStore(tmp_path / "files"), kept[0], masked, over=shown, by=office(BUREAU))
    assert unit.get(f"/files/{kept[0]}/x.jpg").content == masked
    original = unit.get(f"/units/{BUREAU}/files/{kept[0]}").content
    assert original != masked
    assert original.startswith(b"\xff\xd8\xff")
