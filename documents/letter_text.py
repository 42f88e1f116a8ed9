"""The text of a report that came by letter, as far as its format has one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from zipfile import BadZipFile

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from documents.old_word import as_docx
from policy_models.errors import FileRefused
from policy_models.files import FileKind

LONGEST = 200_000  # characters


def text_of(kind: FileKind, data: bytes) -> str:
    """The text as a reader of the document sees it, line by line; "" for kinds without running text. Old Word documents
    take seconds: never in a transaction. Raises FileRefused when it cannot be read."""
    reading = READERS.get(kind)
    if reading is None:
        return ""
    try:
        return reading(data)[:LONGEST]
    except (BadZipFile, PackageNotFoundError, PyPdfError, KeyError, ValueError, RecursionError) as error:
        raise FileRefused("附件的文字无法读取，请打开附件查看") from error


def _docx(data: bytes) -> str:
    return "\n".join(_blocks(Document(io.BytesIO(data))))


def _blocks(document: object) -> Iterator[str]:
    for block in document.iter_inner_content():  # type: ignore[attr-defined]
        if isinstance(block, Table):
            yield from ("\t".join(_cells(row)) for row in block.rows)
        else:
            yield block.text


def _cells(row: object) -> list[str]:
    """A merged cell is handed over once for each column it spans."""
    seen: list[object] = []
    for cell in row.cells:  # type: ignore[attr-defined]
        if cell._tc not in seen:
            seen.append(cell._tc)
    return ["".join(node.text or "" for node in one.iter() if node.tag.endswith("}t")) for one in seen]  # type: ignore[attr-defined]


def _pdf(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def _doc(data: bytes) -> str:
    return _docx(as_docx(data))


READERS: Mapping[FileKind, Callable[[bytes], str]] = {FileKind.DOCX: _docx, FileKind.DOC: _doc, FileKind.PDF: _pdf}
