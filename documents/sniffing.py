"""What bytes are, told from the bytes: never from the name, never from what the sender says."""

from __future__ import annotations

import io
import re

import olefile

from documents.packages import office_kind
from policy_models.errors import Faulty, FileRefused
from policy_models.files import FileKind, Limits
from policy_models.text import decode_text

WANTED = "请上传 Word（.docx）、Excel（.xlsx）、PDF 或照片（jpg、png、heic）"
EMPTY = "文件是空的（0 字节），可能没有传完，请重新上传"
PROGRAM = "这是程序或脚本文件，不能接收"
ARCHIVE = "不接收压缩包，请解压后逐个上传文件"
ENCRYPTED = "文件设了打开密码，无法进行隐私筛查，请取消密码后再上传"
MACROS = "文件含有宏，不能接收，请另存为不含宏的 .docx 或 .xlsx 后再上传"
OLD_WORD = "这是旧版 Word 文档（.doc），请在 Word 或 WPS 中另存为 .docx 后再上传"
OLD_EXCEL = "这是旧版 Excel 表格（.xls），请在 Excel 或 WPS 中另存为 .xlsx 后再上传"
RICH_TEXT = "这是 RTF 文档，请在 Word 或 WPS 中另存为 .docx 后再上传"
WEB_PAGE = "这是网页格式的文件，请在 Word 或 Excel 中打开后另存为 .docx 或 .xlsx 再上传"
OTHER_PICTURE = "这种图片格式不能接收，请转换为 jpg 或 png 后再上传"
DAMAGED = "文件已损坏或没有传完，无法打开，请重新导出后再上传"
UNKNOWN = f"无法识别这个文件的格式，{WANTED}"
PLAIN_TEXT = f"不接收纯文本文件，{WANTED}"
EMBEDDED = "文件内嵌了其他文件或控件，不能接收，请删除内嵌对象或另存后再上传"

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
REFUSED_STARTS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"), PROGRAM),
    ((b"#!", b"L\x00\x00\x00\x01\x14\x02\x00", b"dex\n", b"\x00asm", b"!<arch>"), PROGRAM),
    (
        (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"MSCF"),
        ARCHIVE,
    ),
    ((b"{\\rtf",), RICH_TEXT),
    ((b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"\x00\x00\x01\x00", b"8BPS"), OTHER_PICTURE),
)
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
MARKUP = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(!doctype|html|head|body|script|svg|meta|table|\?php|%)", re.I | re.S
)
SCRIPT = re.compile(
    rb"\s*(?:@echo off|rem |set-executionpolicy|powershell|import os|on error resume|wscript|function\s*\()", re.I
)
WORD_ENCRYPTED = 0x0100  # FibBase.fEncrypted ([MS-DOC] 2.5.2)


def sniff(data: bytes, limits: Limits) -> FileKind:
    """The kind of a file. Raises FileRefused, with a sentence for what is no kind of ours."""
    if not data:
        raise FileRefused(EMPTY)
    for starts, why in REFUSED_STARTS:
        if data.startswith(starts):
            raise FileRefused(why)
    if data.startswith(ZIP_STARTS):
        return office_kind(data, limits)
    if data.startswith(OLE):
        return _old_office(data)
    return _by_magic(data) or _text(data)


def _by_magic(data: bytes) -> FileKind | None:
    head = data[:16]
    if head.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileKind.PNG
    if data[:1024].lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-"):
        return FileKind.PDF
    if head[4:8] == b"ftyp":
        if head[8:12] in HEIC_BRANDS:
            return FileKind.HEIC
        raise FileRefused(OTHER_PICTURE if head[8:12] in (b"avif", b"avis") else UNKNOWN)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        raise FileRefused(OTHER_PICTURE)
    return None


def _text(data: bytes) -> FileKind:
    if MARKUP.match(data[:4096]) or b"\nMIME-Version:" in data[:1024] or data.startswith(b"MIME-Version:"):
        raise FileRefused(WEB_PAGE)
    if SCRIPT.match(data[:4096]):
        raise FileRefused(PROGRAM)
    try:
        text = decode_text(data)
    except Faulty:
        raise FileRefused(UNKNOWN) from None
    odd = sum(char < " " and char not in "\t\r\n\f" for char in text[:100_000])
    if odd > len(text[:100_000]) // 200:
        raise FileRefused(UNKNOWN)
    return FileKind.TEXT


def _old_office(data: bytes) -> FileKind:
    """A compound file: an old Word document, or one of many things that are refused."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            names = {"/".join(entry).lower() for entry in ole.listdir(streams=True, storages=True)}
            header = ole.openstream("WordDocument").read(32) if "worddocument" in names else b""
    except (OSError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise FileRefused(DAMAGED) from error
    if names & {"encryptedpackage", "encryptioninfo"}:
        raise FileRefused(ENCRYPTED)
    if any("vba" in name.split("/") or name.startswith(("macros", "_vba_project")) for name in names):
        raise FileRefused(MACROS)
    if names & {"workbook", "book"}:
        raise FileRefused(OLD_EXCEL)
    if not header:
        raise FileRefused(UNKNOWN)
    if len(header) < 12 or int.from_bytes(header[10:12], "little") & WORD_ENCRYPTED:
        raise FileRefused(ENCRYPTED if len(header) >= 12 else DAMAGED)
    if any(name.startswith("objectpool/") for name in names):
        raise FileRefused(EMBEDDED)
    return FileKind.DOC
