"""The gate for files: the corpus of files, what is refused and how, what is kept, and that it fails closed."""

from __future__ import annotations

import hashlib
import io
import random
import re
import time
from typing import Any

import docx
import pytest

import documents.receiving
from documents.receiving import UNSCREENED, receive
from policy_models.errors import FileRefused
from policy_models.files import LETTER_KINDS, MEGABYTE, PHOTO_KINDS, FileKind, Limits, Received
from tests.corpus import builders as make
from tests.corpus.files import CLEAN, FOUND, MOBILE, RESIDENT, ROWS, Sample

pytestmark = pytest.mark.thorough

LIMITS = Limits()
ALL = frozenset(FileKind)


def came(name: str, data: bytes, **more: Any) -> Received:
    return receive(name, data, limits=more.pop("limits", LIMITS), **more)


def blocking(received: Received) -> set[str]:
    return {finding.kind for finding in received.findings if finding.blocks}


@pytest.mark.parametrize("sample", FOUND, ids=lambda sample: sample.name)
def test_what_a_file_holds_is_found(sample: Sample) -> None:
    received = came(sample.name, sample.make())
    assert blocking(received) == sample.kinds
    assert received.blocked
    for value in sample.values:
        digits = re.sub(r"\D", "", value)
        for finding in received.findings:
            assert value not in finding.sample + finding.why
            assert len(digits) < 8 or digits not in re.sub(r"\D", "", finding.sample)


@pytest.mark.parametrize("sample", CLEAN, ids=lambda sample: sample.name)
def test_what_is_clean_comes_in_without_a_word(sample: Sample) -> None:
    data = sample.make()
    received = came(sample.name, data)
    assert received.findings == ()
    assert received.redacted is None
    assert received.sha256 == hashlib.sha256(data).hexdigest()


def test_the_corpus_of_files_is_large_enough(capsys: pytest.CaptureFixture[str]) -> None:
    missed = [sample.name for sample in FOUND if blocking(came(sample.name, sample.make())) != sample.kinds]
    alarms = [sample.name for sample in CLEAN if came(sample.name, sample.make()).findings]
    with capsys.disabled():
        print(f"\nfiles: {len(missed)} of {len(FOUND)} missed, {len(alarms)} of {len(CLEAN)} false alarms")
    assert (len(FOUND) >= 20, missed, alarms) == (True, [], [])
    assert {sample.name.rpartition(".")[2] for sample in FOUND} == {"docx", "xlsx", "pdf", "jpg", "png", "heic"}


def test_text_in_the_encodings_that_come() -> None:
    words = f"姓名：张小伟\r\n电话：{MOBILE}\r\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        received = came("名单.txt", words.encode(encoding), kinds=ALL)
        assert blocking(received) == {"name", "mobile"}
        assert received.redacted == "姓名：████\r\n电话：████\r\n".encode()


def test_a_long_number_in_a_cell_warns() -> None:
    received = came("a.xlsx", make.workbook([["编号"], [123456789012345678], [12345678901234]]))
    assert [(one.kind, one.blocks) for one in received.findings] == [("long_number", False)]
    assert received.findings[0].sample.startswith("123***")


def test_a_scan_asks_for_a_person() -> None:
    image = make.photo(size=(60, 40))
    picture = make.stream(
        b"/Type/XObject/Subtype/Image/Width 60/Height 40/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode",
        image,
    )
    scan = make.pdf("", extra=b"q 60 0 0 40 0 0 cm /I Do Q", objects=[picture])
    [finding] = came("扫描.pdf", scan).findings
    assert (finding.kind, finding.blocks, finding.sample) == ("scan", False, "第1页")
    assert "人工" in finding.why
    mixed = make.pdf("半年工作进展情况报告，已完成", "", extra=b"", page=b"")
    assert came("有一空白页.pdf", mixed).findings == ()


def test_a_picture_in_a_pdf_that_tells_its_place_and_more() -> None:
    head = b"/Type/XObject/Subtype/Image/Width 60/Height 40/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
    facts = make.exif(place=True, words=f"ID {RESIDENT}")
    picture = make.stream(head, make.photo(size=(60, 40), exif=facts))
    catalog = b"/Extra 7 0 R"
    received = came("a.pdf", make.pdf("活动照片一组，共三张照片", catalog=catalog, objects=[picture]))
    assert [(one.kind, one.blocks) for one in received.findings] == [("resident_id", True), ("place", False)]


def test_too_large() -> None:
    with pytest.raises(FileRefused, match="超过 1 MB"):
        came("a.jpg", make.photo() + bytes(MEGABYTE), limits=Limits(file_bytes=MEGABYTE))


def test_only_the_kinds_that_are_asked_for() -> None:
    with pytest.raises(FileRefused, match="这里只接收jpg 照片、png 图片、heic 照片，上传的是PDF"):
        came("a.jpg", make.pdf("正文内容齐全"), kinds=PHOTO_KINDS)
    with pytest.raises(FileRefused, match="上传的是jpg"):
        came("a.docx", make.photo(), kinds=LETTER_KINDS)
    assert came("a.txt", "走访35人次".encode(), kinds=ALL).kind is FileKind.TEXT
    assert came("a.docx", make.word("正文"), kinds={FileKind.DOCX}).kind is FileKind.DOCX


def test_a_workbook_behind_a_chart_is_read_too() -> None:
    chart = make.packed_with(make.word("正文"), **{"word__embeddings__a.xlsx": make.workbook(ROWS)})
    received = came("a.docx", chart)
    assert blocking(received) == {"name", "resident_id", "mobile"}
    assert received.redacted is not None
    assert came("a.docx", received.redacted).findings == ()


def test_the_content_decides_and_the_name_follows() -> None:
    assert came("照片.pdf", make.photo()).name == "照片.jpg"
    assert came("名单.exe", make.word("正文")).name == "名单.docx"
    heic = came("IMG_1.HEIC", (make.CORPUS / "gps.heic").read_bytes())
    assert (heic.name, heic.kind) == ("IMG_1.jpg", FileKind.JPEG)


def test_a_number_in_the_name_blocks() -> None:
    received = came(f"../上报/{RESIDENT}.jpg", make.photo())
    assert received.name == f"{RESIDENT}.jpg"
    assert [one.why for one in received.findings] == ["文件名中的疑似公民身份号码"]


def test_it_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that cannot happen by itself: a scanner that breaks."""

    def broken(text: str) -> None:
        raise RuntimeError("boom")

    for sample in CLEAN[:6]:
        data = sample.make()
        with monkeypatch.context() as patch:
            patch.setattr(documents.receiving, "screen", broken)
            with pytest.raises(FileRefused) as refused:
                came(sample.name, data)
        assert str(refused.value) == UNSCREENED
        assert isinstance(refused.value.__cause__, RuntimeError)


def test_pictures_in_documents_lose_what_they_tell_and_nothing_else_changes() -> None:
    sample = next(one for one in CLEAN if one.name == "带照片.docx")
    data = sample.make()
    received = came(sample.name, data)
    before, after = make.unzipped(data), make.unzipped(received.data)
    [name] = [name for name in before if name.endswith(".jpg")]
    assert (b"Exif" in before[name], b"Exif" in after[name]) == (True, False)
    assert {k for k in before | after if before.get(k) != after.get(k)} == {name, "docProps/thumbnail.jpeg"}
    assert docx.Document(io.BytesIO(received.data)).paragraphs[0].text == "活动照片"
    assert came("again.docx", received.data).data == received.data
    plain = make.workbook([["没有照片"]])
    assert came("a.xlsx", plain).data == plain


@pytest.mark.parametrize("sample", [*FOUND, *CLEAN], ids=lambda sample: sample.name)
def test_the_same_bytes_give_the_same_result(sample: Sample) -> None:
    data = sample.make()
    assert came(sample.name, data) == came(sample.name, data)


def test_a_document_of_two_megabytes_takes_less_than_two_seconds() -> None:
    random.seed(5)
    paragraphs = ["".join(chr(random.randint(0x4E00, 0x9FA5)) for _ in range(250)) for _ in range(3600)]
    data = make.word(*paragraphs)
    assert len(data) > 2_000_000
    started = time.process_time()
    assert came("长文.docx", data).findings == ()
    assert time.process_time() - started < 2.0


def test_a_sheet_of_all_villages_takes_less_than_two_seconds() -> None:
    row = [
        150202001001,
        "某嘎查村",
        "2024-05-06",
        12,
        12,
        0.95,
        "已走访",
        "签订",
        "正常",
        "外出务工",
        "父母",
        "0472-5155123",
    ]
    data = make.workbook([[f"列{n}" for n in range(12)], *([row] * 855)])
    started = time.process_time()
    assert came("台账.xlsx", data).findings == ()
    assert time.process_time() - started < 2.0


def test_a_list_of_all_villages_children_is_copied_in_time() -> None:
    rows = [
        ["序号", "儿童姓名", "电话"],
        *([n, f"张{chr(0x4E00 + n)}{chr(0x5E00 + n)}", f"138{n:08}"] for n in range(855)),
    ]
    started = time.process_time()
    received = came("名册.xlsx", make.workbook(rows))
    assert time.process_time() - started < 4.0
    assert len(received.findings) == 200
    assert received.redacted is not None
    assert came("名册.xlsx", received.redacted).findings == ()
