"""Office packages (.docx, .xlsx) opened with care: nothing is unfolded before it is known how large it becomes, and
nothing that could act is let through."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lxml import etree

from policy_models.errors import FileRefused
from policy_models.files import MEGABYTE, FileKind, Limits

DAMAGED = "文件已损坏或没有传完，无法打开，请重新导出后再上传"
BOMB = "文件解压后过大，不能接收，请删减内容或另存后再上传"
ENCRYPTED = "文件设了打开密码，无法进行隐私筛查，请取消密码后再上传"
MACROS = "文件含有宏，不能接收，请另存为不含宏的 .docx 或 .xlsx 后再上传"
ARCHIVE = "不接收压缩包，请解压后逐个上传文件"
EMBEDDED = "文件内嵌了其他文件或控件，不能接收，请删除内嵌对象或另存后再上传"
LINKED = "文件链接了外部模板或外部对象，不能接收，请复制内容到新文件后再上传"
DYNAMIC = "文件含有可自动执行的域（DDE），不能接收，请删除后再上传"
OTHER_OFFICE = "这种 Office 文件不能接收，请另存为 .docx 或 .xlsx 后再上传"

TYPES = "[Content_Types].xml"
MAIN = {
    "wordprocessingml.document.main+xml": FileKind.DOCX,
    "spreadsheetml.sheet.main+xml": FileKind.XLSX,
}
MOST_ENTRIES = 5000
XML_BYTES = 60 * MEGABYTE  # of all XML in one package: a tree takes ten times as much memory
SMALL = 2 * MEGABYTE  # below this no ratio of packing is suspicious
XML = (".xml", ".rels", ".vml", ".svg")
NOT_INSIDE = (b"MZ", b"\x7fELF", b"Rar!", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0", b"%PDF-", b"{\\rtf", b"#!")
PARTS_REFUSED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"vbaproject|vbadata|/macrosheets/|/dialogsheets/|attachedtoolbars", re.I), MACROS),
    (re.compile(r"/activex/|/embeddings/(?!.*\.xlsx$)|/ctrlprops/.*\.bin|/afchunk|oleobject", re.I), EMBEDDED),
)
TYPES_REFUSED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"macroenabled|vbaproject|sheet\.binary", re.I), MACROS),
    (re.compile(r"activex|oleobject", re.I), EMBEDDED),
)
REMOTE = re.compile(r"(?:https?|ftp|smb|file)://(?!/[A-Za-z]:)|file:/{4,}|\\\\", re.I)
DDE = re.compile(r"\bDDE(?:AUTO)?\b|\|'[^']*'!", re.I)


@dataclass(frozen=True, slots=True)
class Package:
    """The entries of a package that passed, in their order; ``trees``: those that are XML."""

    kind: FileKind
    entries: dict[str, bytes]

    def trees(self) -> dict[str, etree._Element]:
        return {name: parse(data) for name, data in self.entries.items() if name.lower().endswith(XML) and data.strip()}


def office_kind(data: bytes, limits: Limits) -> FileKind:
    """What lies in a zip archive. Raises FileRefused for archives that are no document, for bombs and macros."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _require_sound(entries, limits)
            if TYPES not in archive.namelist():
                raise FileRefused(ARCHIVE)
            types = _read(archive, archive.getinfo(TYPES), limits.unpacked_bytes)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, UnicodeDecodeError, OSError) as error:
        raise FileRefused(DAMAGED) from error
    return _kind(types)


def open_package(data: bytes, limits: Limits) -> Package:
    """Every entry, unpacked within the limits and looked at. Raises FileRefused."""
    kind = office_kind(data, limits)
    entries: dict[str, bytes] = {}
    left, left_xml = limits.unpacked_bytes, XML_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                is_xml = entry.filename.lower().endswith(XML)
                content = _read(archive, entry, min(left, left_xml) if is_xml else left)
                left, left_xml = left - len(content), left_xml - len(content) * is_xml
                entries[entry.filename] = content
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
        raise FileRefused(DAMAGED) from error
    _require_harmless(entries, limits)
    return Package(kind, entries)


def parse(data: bytes) -> etree._Element:
    """XML without entities, without the network. Raises FileRefused."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"<\0!\0D\0O\0C" in data:
        raise FileRefused(DAMAGED)
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise FileRefused(DAMAGED) from error


def local(element: Any) -> str:
    """The name of an element without its namespace; empty for a comment or an instruction."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _require_sound(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    """What the archive says of itself: encryption, names, sizes, entries that lie upon each other."""
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise FileRefused(ENCRYPTED)
    if len(entries) > MOST_ENTRIES:
        raise FileRefused(BOMB)
    names = [entry.filename for entry in entries]
    strange = any(name.startswith("/") or "\\" in name or ".." in name.split("/") or "\0" in name for name in names)
    if strange or len({name.lower() for name in names}) < len(names):
        raise FileRefused(DAMAGED)
    size, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if size > limits.unpacked_bytes or (size > SMALL and size > limits.ratio * max(packed, 1)):
        raise FileRefused(BOMB)
    for entry in entries:
        if entry.file_size > SMALL and entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise FileRefused(BOMB)
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    for one, following in pairwise(ordered):
        if one.header_offset + 30 + one.compress_size > following.header_offset:
            raise FileRefused(BOMB)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """The bytes of one entry, never more than it says of itself. Raises FileRefused where they are too many."""
    if entry.file_size > limit:
        raise FileRefused(BOMB)
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise FileRefused(DAMAGED)
    return content


def _kind(types: bytes) -> FileKind:
    said = [str(value) for value in parse(types).xpath("//@ContentType")]
    for pattern, why in TYPES_REFUSED:
        if any(pattern.search(one) for one in said):
            raise FileRefused(why)
    kinds = [kind for ending, kind in MAIN.items() if any(one.endswith(ending) for one in said)]
    if len(kinds) != 1:
        raise FileRefused(OTHER_OFFICE)
    return kinds[0]


def _require_harmless(entries: dict[str, bytes], limits: Limits) -> None:
    for name, content in entries.items():
        for pattern, why in PARTS_REFUSED:
            if pattern.search(f"/{name}"):
                raise FileRefused(why)
        if content.startswith(b"PK\x03\x04"):
            if not re.search(r"/embeddings/[^/]+\.xlsx$", name):
                raise FileRefused(EMBEDDED)
            nested = Limits(unpacked_bytes=limits.unpacked_bytes // 4, ratio=limits.ratio)
            if any(inner.startswith(b"PK\x03\x04") for inner in open_package(content, nested).entries.values()):
                raise FileRefused(EMBEDDED)
        elif content.startswith(NOT_INSIDE):
            raise FileRefused(EMBEDDED)
        if name.lower().endswith(".rels"):
            _require_no_links(content)
        elif name.lower().endswith(XML):
            _require_no_dynamics(content)


def _require_no_links(content: bytes) -> None:
    for link in parse(content).iter():
        if not isinstance(link.tag, str):
            continue
        kind, target = str(link.get("Type", "")).rpartition("/")[2], str(link.get("Target", ""))
        outside = link.get("TargetMode") == "External"
        if kind in ("oleObject", "aFChunk", "control", "subDocument", "frame"):
            raise FileRefused(LINKED if outside else EMBEDDED)
        if outside and kind != "hyperlink" and kind != "externalLinkPath" and REMOTE.search(target):
            raise FileRefused(LINKED)


def _require_no_dynamics(content: bytes) -> None:
    if (b"DDE" in content or b"dde" in content) and (
        b"ddeLink" in content or b"instrText" in content or b"fldSimple" in content
    ):
        tree = parse(content)
        words = "".join(
            str(one) for one in tree.xpath("//*[local-name()='instrText']/text() | //@*[local-name()='instr']")
        )
        if DDE.search(words) or tree.xpath("//*[local-name()='ddeLink']"):
            raise FileRefused(DYNAMIC)
