"""The words of a PDF: pages, remarks, forms, outline, properties. What could act, or cannot be read, is refused."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from documents.passages import Passages
from policy_models.errors import FileRefused, Finding

DAMAGED = "PDF 已损坏或没有传完，无法打开，请重新导出后再上传"
ENCRYPTED = "PDF 设了密码或限制，无法进行隐私筛查，请取消密码后再上传"
ACTIVE = "PDF 含有脚本或可启动程序的动作，不能接收，请另行打印为 PDF 后再上传"
ATTACHED = "PDF 内嵌了附件，不能接收，请把附件单独上传"
TOO_MANY = "PDF 页数过多，不能接收，请拆分后再上传"
MOST_PAGES, MOST_OBJECTS = 1000, 300_000
ACTIONS = {"/JavaScript": ACTIVE, "/Launch": ACTIVE, "/GoToE": ATTACHED, "/Rendition": ACTIVE, "/ImportData": ACTIVE}
KEYS = {"/JS": ACTIVE, "/JavaScript": ACTIVE, "/EF": ATTACHED, "/XFA": ACTIVE, "/RichMediaContent": ATTACHED}
WORDS = ("/Contents", "/RC", "/T", "/TU", "/V", "/DV", "/Title", "/Alt", "/ActualText", "/URI", "/Subj")
DRAWS = re.compile(rb"(?<!\S)(?:Do|BI|sh|f\*?|S|B\*?)(?!\S)")  # operators that leave something on the page
SCAN_WHY = "扫描件或图片页没有文字，系统无法筛查，请人工查看确认不含个人信息"
FEW = 8  # characters on a page: a number and a stamp, no text


def read_pdf(data: bytes, into: Passages) -> tuple[list[bytes], tuple[Finding, ...]]:
    """Read all words; the jpg pictures as they lie in it, and a warning where pages have no words.

    Raises FileRefused.
    """
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise FileRefused(ENCRYPTED)
        if len(reader.pages) > MOST_PAGES:
            raise FileRefused(TOO_MANY)
        pictures = [picture for found in _objects(reader) for picture in _look(found, into)]
        for key, value in (reader.metadata or {}).items():
            into.line(f"{key[1:]}：{value}")
        unread = [n for n, page in enumerate(reader.pages, 1) if not _read_page(page, into)]
    except (PyPdfError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise FileRefused(DAMAGED) from error
    if not len(reader.pages):
        raise FileRefused(DAMAGED)
    return pictures, (_scan(unread, into),) if unread else ()


def _objects(reader: PdfReader) -> Iterator[Any]:
    """Every object that can be reached from the trailer, each once."""
    waiting, seen = [reader.trailer.get("/Root"), reader.trailer.get("/Info")], set()
    while waiting:
        found = waiting.pop()
        if isinstance(found, IndirectObject):
            if (found.idnum, found.generation) in seen:
                continue
            seen.add((found.idnum, found.generation))
            found = found.get_object()
        if len(seen) > MOST_OBJECTS:
            raise FileRefused(TOO_MANY)
        if isinstance(found, DictionaryObject):
            yield found
            waiting += list(found.values())
        elif isinstance(found, ArrayObject):
            waiting += list(found)


def _look(found: DictionaryObject, into: Passages) -> Iterator[bytes]:
    """Refuse what acts; take in the words of a dictionary, and the metadata and pictures that it is."""
    for key, why in KEYS.items():
        if key in found:
            raise FileRefused(why)
    kind = str(found.get("/Type"))
    if kind == "/EmbeddedFile" or str(found.get("/S")) in ACTIONS:
        raise FileRefused(ACTIONS.get(str(found.get("/S")), ATTACHED))
    for key in () if "/ByteRange" in found else WORDS:  # a signature's contents are no words
        value = found.get(key)
        value = value.get_object() if isinstance(value, IndirectObject) else value
        if isinstance(value, (str, bytes)):
            into.line(value.decode("gb18030", "replace") if isinstance(value, bytes) else str(value))
    if isinstance(found, StreamObject):
        if kind == "/Metadata":
            into.line(found.get_data().decode("utf-8", "replace"))
        elif str(found.get("/Subtype")) == "/Image" and "/DCTDecode" in str(found.get("/Filter")):
            yield found._data


def _read_page(page: Any, into: Passages) -> bool:
    """Whether all that the page shows was read as words."""
    text = page.extract_text()
    into.line(text)
    letters = sum(char.isalnum() for char in text)
    unknown = sum(
        char == "\ufffd" or "\ue000" <= char <= "\uf8ff" or (char < " " and char not in "\t\r\n") for char in text
    )
    return unknown <= letters // 4 and (letters > FEW or not _draws(page))


def _draws(page: Any) -> bool:
    """Whether a page without words shows something all the same."""
    contents = page.get_contents()
    return contents is not None and DRAWS.search(contents.get_data()) is not None


def _scan(pages: list[int], into: Passages) -> Finding:
    told = "、".join(map(str, pages[:5])) + ("等" if len(pages) > 5 else "")
    return Finding("scan", False, f"第{told}页", into.length, into.length, SCAN_WHY)
