"""A look into the packed sheets before a reader unfolds them: how far they reach, formulas, errors.

The reader lays a sheet out as a full rectangle: one far cell in a file of 5 KB would take all memory and end the
program. It also gives a cell with #REF! as an empty one. So both are looked for in the bytes first.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass, field

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from policy_models.errors import FileRefused

MOST_ROWS, MOST_COLUMNS, MOST_SHEETS = 20_000, 200, 300
SHEET_BYTES = 64 << 20  # of one sheet, unpacked
TEXT_BYTES = 200 << 20  # of all texts, each counted as often as it is repeated, at most
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# a cell that holds something: its attributes, then what comes first in it
CELL = re.compile(rb"<(?:\w+:)?c\s([^<>]*[^<>/])>\s*<(?:\w+:)?(v|f|is)\b[^<>]*>([^<]{0,12})")
PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,7})[\"']")
TYPE = re.compile(rb"\bt\s*=\s*[\"'](\w+)[\"']")
ERROR = re.compile(rb"<(?:\w+:)?c\s([^<>]*\bt\s*=\s*[\"']e[\"'][^<>]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
ERROR_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,16})<")
BROKEN = "表格文件已损坏或不是标准的 .xlsx，无法读取；请用表格软件另存为“Excel 工作簿（.xlsx）”后再上传"


@dataclass(frozen=True)
class Scanned:
    """What a sheet holds beside values; cells are (row, column) from 1."""

    formulas: frozenset[tuple[int, int]] = frozenset()
    broken: dict[tuple[int, int], str] = field(default_factory=dict)


def scan(data: bytes) -> dict[str, Scanned]:
    """By sheet name. Raises FileRefused where a sheet reaches too far, or is not what spreadsheets write."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            places = _sheets(packed)
            longest = _longest_text(packed)
            return {name: _sheet(name, _unpacked(packed, path), longest) for name, path in places.items()}
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, DefusedXmlException, NotImplementedError) as error:
        raise FileRefused(BROKEN) from error


def _sheets(packed: zipfile.ZipFile) -> dict[str, str]:
    """Paths of the sheets by name."""
    links = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    book = ElementTree.fromstring(packed.read("xl/workbook.xml"))
    found = {}
    for sheet in book.iter(f"{MAIN}sheet"):
        target = targets.get(sheet.get(LINK), "")
        found[sheet.get("name", "")] = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    if not found or len(found) > MOST_SHEETS:
        raise FileRefused(BROKEN if not found else f"工作表过多（{len(found)} 张），请只保留从本系统下载的工作表")
    return found


def _unpacked(packed: zipfile.ZipFile, path: str) -> bytes:
    if packed.getinfo(path).file_size > SHEET_BYTES:
        raise FileRefused("表格过大，请从本系统重新下载后填写")
    return packed.read(path)


def _longest_text(packed: zipfile.ZipFile) -> int:
    """Bytes of the longest text that cells may share."""
    if "xl/sharedStrings.xml" not in packed.namelist():
        return 0
    texts = _unpacked(packed, "xl/sharedStrings.xml")
    return max(map(len, re.split(rb"</(?:\w+:)?si>", texts)))


def _sheet(name: str, xml: bytes, longest: int) -> Scanned:
    if b"<!" in xml or xml[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in xml[:8]:
        raise FileRefused(BROKEN)  # nothing that spreadsheets write: what the reader sees could differ from what we see
    formulas: set[tuple[int, int]] = set()
    shared = far_row = far_column = 0
    for found in CELL.finditer(xml):
        place = PLACE.search(found[1])
        if place is None:
            raise FileRefused(BROKEN)
        row, column = int(place[2]), _number(place[1])
        far_row, far_column = max(far_row, row), max(far_column, column)
        kind = TYPE.search(found[1])
        shared += kind is not None and kind[1] == b"s"
        if found[2] == b"f":
            formulas.add((row, column))
    if far_row > MOST_ROWS or far_column > MOST_COLUMNS or shared * longest > TEXT_BYTES:
        raise FileRefused(
            f"工作表“{name[:31]}”内容超出可读取的范围（{MOST_ROWS:,} 行、{MOST_COLUMNS} 列），请从本系统重新下载后填写"
        )
    return Scanned(frozenset(formulas), _broken(xml))


def _broken(xml: bytes) -> dict[tuple[int, int], str]:
    found = {}
    for cell in ERROR.finditer(xml):
        place, value = PLACE.search(cell[1]), ERROR_VALUE.search(cell[2])
        if place:
            found[int(place[2]), _number(place[1])] = value[1].decode("ascii", "replace") if value else "#ERROR!"
    return found


def _number(column: bytes) -> int:
    """``AA`` → 27."""
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - 64
    return number
