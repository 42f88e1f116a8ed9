"""公文 written line by line: a blank paper, paragraphs and tables whose runs name their fonts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE as LINK
from docx.oxml import OxmlElement
from docx.shared import Mm

from documents import official
from documents.cells import UNWRITABLE
from documents.official import FANGSONG, HEITI, KAITI, SAN, WU, XIAOBIAOSONG

FONTS = {
    "Title": (XIAOBIAOSONG, official.ER),
    "Heading 1": (HEITI, SAN),
    "Heading 2": (KAITI, SAN),
    "附件": (HEITI, SAN),
    "表格文字": (FANGSONG, WU),
}


def blank() -> Any:
    """An empty document with the page, the styles and the page numbers of an official paper."""
    document = Document()
    package = document.part.package
    for key in [key for key, one in package.rels.items() if one.reltype == LINK.THUMBNAIL]:
        package.rels.pop(key)  # a picture of some other document
    official.set_up(document)
    official.page_numbers(document.sections[0])
    return document


def write(document: Any, text: str, style: str = "Normal", *, indent: int = 2, align: Any = None) -> Any:
    """A paragraph whose run names its fonts itself, as every run of an official paper should."""
    paragraph = document.add_paragraph(style=style)
    run = paragraph.add_run(text)
    official.fonts(run._element.get_or_add_rPr(), *FONTS.get(style, (FANGSONG, SAN)))
    if style == "Normal" and indent:
        official.indent(paragraph, indent)
    if align is not None:
        paragraph.alignment = align
    return paragraph


def grid(document: Any, widths: Sequence[int], rows: int) -> Any:
    """A table of the official kind; widths in millimetres. Rows stay whole, the first is repeated on each page."""
    table = document.add_table(rows, len(widths), style=official.TABLE_STYLE)
    table.autofit = False
    for place, width in enumerate(widths):
        table.columns[place].width = Mm(width)
        for cell in table.columns[place].cells:
            cell.width = Mm(width)
    for place, row in enumerate(table.rows):
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if place == 0:
            properties.append(OxmlElement("w:tblHeader"))
    return table


def fill(cell: Any, text: str, *, head: bool = False, left: bool = False, points: float = WU) -> None:
    """Write a cell: in the middle, or at the left; heads in 黑体."""
    paragraph = cell.paragraphs[0]
    paragraph.style = "表格文字"
    paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if left and not head else WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(text)
    official.fonts(run._element.get_or_add_rPr(), HEITI if head else FANGSONG, points)
    cell.vertical_alignment = 1


def stamp(core: Any, *, author: str, title: str, subject: str, moment: datetime) -> None:
    """The document's own properties: whose it is and of when (naive), nothing of who made the file or on what."""
    core.author = core.last_modified_by = UNWRITABLE.sub("", author)[:255]
    core.title, core.subject, core.comments = title[:255], subject, ""
    core.created = core.modified = moment
    core.revision, core.language = 1, "zh-CN"
