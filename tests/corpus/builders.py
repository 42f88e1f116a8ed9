"""Small files as people send them, made by the libraries that people's programs resemble, and a few by hand."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import docx
import openpyxl
import xlsxwriter
from openpyxl.comments import Comment
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfReader, PdfWriter

CORPUS = Path(__file__).parent
Rows = Sequence[Sequence[Any]]


def word(*paragraphs: str, change: Callable[[Any], None] | None = None) -> bytes:
    """A .docx of these paragraphs."""
    document = docx.Document()
    for words in paragraphs:
        document.add_paragraph(words)
    if change:
        change(document)
    return saved(document.save)


def word_table(rows: Rows) -> bytes:
    def fill(document: Any) -> None:
        table = document.add_table(len(rows), len(rows[0]))
        for row, values in zip(table.rows, rows, strict=True):
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
        document.add_paragraph()  # as Word does: nothing ends with a table

    return word("走访登记", change=fill)


def word_with(old: bytes, new: bytes, data: bytes, part: str = "word/document.xml") -> bytes:
    """A package in one part of which some bytes are replaced: for what no library writes."""
    entries = unzipped(data)
    assert old in entries[part]
    return zipped({**entries, part: entries[part].replace(old, new, 1)}.items())


def packed_with(data: bytes, **entries: bytes) -> bytes:
    """A package with entries added or replaced; ``__`` in a name stands for a slash."""
    added = {name.replace("__", "/"): body for name, body in entries.items()}
    return zipped({**unzipped(data), **added}.items())


def workbook(*sheets: Rows, change: Callable[[Any], None] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(list(row))
    if change:
        change(book)
    return saved(book.save)


def with_chart(rows: Rows) -> bytes:
    """By another library: inline strings, formulas with results, a chart with a title."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet()
    for n, row in enumerate(rows):
        sheet.write_row(n, 0, row)
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": ["Sheet1", 1, 1, len(rows) - 1, 1]})
    chart.set_title({"name": "电话13812345678"})
    sheet.insert_chart("F2", chart)
    book.close()
    return target.getvalue()


def comment(text: str) -> Comment:
    return Comment(text, "填报人")


def photo(*, size: tuple[int, int] = (640, 480), exif: Image.Exif | None = None, **more: Any) -> bytes:
    target = io.BytesIO()
    scene(size).save(target, "JPEG", quality=90, **({"exif": exif} if exif is not None else {}), **more)
    return target.getvalue()


def scene(size: tuple[int, int]) -> Image.Image:
    """A red corner at the top left of a picture with many colours."""
    gradient = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", (gradient, gradient.rotate(180), gradient.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=(200, 20, 20))
    return picture


def png(text: dict[str, str] | None = None, *, packed: bool = False) -> bytes:
    facts = PngInfo()
    for key, value in (text or {}).items():
        facts.add_itxt(key, value, zip=packed) if packed else facts.add_text(key, value)
    target = io.BytesIO()
    scene((200, 100)).save(target, "PNG", pnginfo=facts)
    return target.getvalue()


def exif(*, turned: int | None = None, place: bool = False, words: str = "", comment: str = "") -> Image.Exif:
    """``words``: image description; ``comment``: the remark that Windows writes in UTF-16."""
    tags = Image.Exif()
    if turned:
        tags[0x0112] = turned
    if words:
        tags[0x010E] = words
    if comment:
        tags[0x9C9C] = comment.encode("utf-16-le") + b"\0\0"
    if place:
        tags.get_ifd(0x8825).update({1: "N", 2: (40.0, 39.0, 26.0), 3: "E", 4: (109.0, 50.0, 25.0)})
    return tags


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def pdf(
    *pages: str, extra: bytes = b"", catalog: bytes = b"", page: bytes = b"", objects: Iterable[bytes] = ()
) -> bytes:
    """A PDF by hand, with words in a Chinese font that every viewer has; a page without words is empty."""
    count = len(pages)
    font = b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[4 0 R]>>"
    descendant = (
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/DW 1000"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>"
    )
    numbered = [
        b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b" ".join(b"%d 0 R" % (5 + 2 * n) for n in range(count))),
        font,
        descendant,
    ]
    for n, words in enumerate(pages):
        shown = b"".join(
            b"BT /F 12 Tf 40 %d Td <%s> Tj ET\n" % (780 - 20 * k, line.encode("utf-16-be").hex().encode())
            for k, line in enumerate(words.split("\n"))
            if line
        )
        drawn = shown + (extra if n == 0 else b"")
        numbered.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R"
            % (6 + 2 * n)
            + page
            + b">>"
        )
        numbered.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
    return assembled([*numbered, *objects])


def assembled(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    data, places = b"%PDF-1.7\n", []
    for n, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % at for at in places
    )
    return (
        data
        + table
        + b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, len(data))
    )


def stream(head: bytes, body: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(body), body)


def pdf_with(data: bytes, change: Callable[[PdfWriter], None]) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    change(writer)
    return saved(writer.write)


def bomb(size: int, name: str = "word/media/image1.bin") -> bytes:
    """A .docx with an entry that unfolds to ``size`` zeros."""
    entries = unzipped(word("正常的文字"))
    return zipped([*entries.items(), (name, bytes(size))])


def lying(data: bytes, entry: str, said: int) -> bytes:
    """The archive, in which an entry says another size of itself, in its own header and in the directory."""
    changed, name, wide = bytearray(data), entry.encode(), struct.pack("<I", said)
    here, listed = data.index(name) - 30, data.index(name, data.index(b"PK\x01\x02")) - 46
    assert (data[here : here + 4], data[listed : listed + 4]) == (b"PK\x03\x04", b"PK\x01\x02")
    changed[here + 22 : here + 26] = wide
    changed[listed + 24 : listed + 28] = wide
    return bytes(changed)


def compound(*streams: str, header: bytes = b"\xec\xa5\xc1\0" + bytes(508)) -> bytes:
    """A compound file (as old Word writes them) with these streams, each with the same first bytes, one sector long
    mini streams being avoided by their size."""
    body = header.ljust(4096, b"\0")
    sectors, entries = [], []
    for n, name in enumerate(streams):
        start = 2 + 8 * n
        sectors += [body[k : k + 512] for k in range(0, 4096, 512)]
        following = n + 2 if n + 1 < len(streams) else 0xFFFFFFFF
        entries.append(directory_entry(name, 2, start, 4096, right=following))
    root = directory_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1 if streams else 0xFFFFFFFF)
    directory = b"".join([root, *entries]).ljust(512 * -(-(128 * (len(streams) + 1)) // 512), b"\0")
    assert len(directory) == 512, "at most three streams"
    table = [0xFFFFFFFD, 0xFFFFFFFE]
    for n in range(len(streams)):
        table += [2 + 8 * n + k + 1 for k in range(7)] + [0xFFFFFFFE]
    fat = struct.pack("<128I", *(table + [0xFFFFFFFF] * (128 - len(table))))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", 0, *([0xFFFFFFFF] * 108))
    return head + fat + directory + b"".join(sectors)


def directory_entry(
    name: str, kind: int, start: int, size: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF
) -> bytes:
    wide = (name + "\0").encode("utf-16-le")
    entry = wide.ljust(64, b"\0") + struct.pack("<HBB", len(wide), kind, 1)
    entry += struct.pack("<III", 0xFFFFFFFF, right, child) + bytes(16 + 4 + 16)
    return entry + struct.pack("<IQ", start, size)


def zipped(entries: Iterable[tuple[str, bytes]], *, stored: bool = False) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def png_of(width: int, height: int) -> bytes:
    """A png that says it has so many pixels, and is tiny."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def saved(save: Callable[[io.BytesIO], Any]) -> bytes:
    target = io.BytesIO()
    save(target)
    return target.getvalue()
