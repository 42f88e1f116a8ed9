"""A multipart form as a stream of its parts: one part in memory at a time, each given as soon as it has ended."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import decode_params
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

FIELD_BYTES = 64 * 1024  # of one field that is not a file
DISPOSITION = re.compile(rb';\s*([!#-+\-.0-9A-Z^-z|~]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', re.DOTALL)
BOUNDARY = re.compile(
    r'multipart/form-data\b.*?;\s*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))', re.IGNORECASE | re.DOTALL
)
CUT_OFF = "上传在中途断开"
NOT_A_FORM = "上传内容不完整或格式有误，请从页面重新上传"


class BrokenUpload(Exception):
    """The body is no multipart form, or ended before its last part did; one Chinese sentence without full stop."""


@dataclass(frozen=True, slots=True)
class Part:
    """``file_name``: as it was sent, None for a field that is no file. ``too_large``: its bytes were let go."""

    field: str
    file_name: str | None
    data: bytes
    too_large: bool = False

    @property
    def text(self) -> str:
        return decoded(self.data)


@dataclass
class _Reading:
    """What the parser has told of the part that it is in."""

    file_bytes: int
    done: list[Part] = field(default_factory=list)
    ended: bool = False
    header: bytes = b""
    value: bytes = b""
    disposition: bytes = b""
    data: bytearray = field(default_factory=bytearray)
    size: int = 0
    name: str = ""
    file_name: str | None = None

    def part_begin(self) -> None:
        self.disposition, self.data, self.size = b"", bytearray(), 0

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        if self.header.strip().lower() == b"content-disposition":
            self.disposition = self.value
        self.header = self.value = b""

    def headers_finished(self) -> None:
        self.name, self.file_name = names_in(self.disposition)

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self.size += end - start
        if self.size <= self.longest:
            self.data += data[start:end]
        else:
            self.data.clear()

    def part_end(self) -> None:
        self.done.append(Part(self.name, self.file_name, bytes(self.data), self.size > self.longest))
        self.data = bytearray()

    def end(self) -> None:
        self.ended = True

    @property
    def longest(self) -> int:
        return FIELD_BYTES if self.file_name is None else self.file_bytes


async def parts(
    chunks: AsyncIterator[bytes], content_type: str, *, file_bytes: int, body_bytes: int
) -> AsyncIterator[Part]:
    """The parts of a form, each as it ends; those of more than ``file_bytes`` come without their bytes.

    Raises BrokenUpload where the body is no form, ends too early or is longer than ``body_bytes``; the parts before
    that have been given.
    """
    found = BOUNDARY.match(content_type)
    if not found:
        raise BrokenUpload(NOT_A_FORM)
    reading, read = _Reading(file_bytes), 0
    names = (
        "part_begin",
        "part_data",
        "part_end",
        "header_field",
        "header_value",
        "header_end",
        "headers_finished",
        "end",
    )
    callbacks = {f"on_{name}": getattr(reading, name) for name in names}
    parser = MultipartParser((found.group(1) or found.group(2)).encode("latin-1", "replace"), callbacks)  # type: ignore[arg-type]
    async for chunk in chunks:
        read += len(chunk)
        broken = _write(parser, chunk)
        while reading.done:
            yield reading.done.pop(0)
        if broken or read > body_bytes:
            raise BrokenUpload(NOT_A_FORM if broken else "一次上传的内容过多，其余未收，请分次上传")
    if not reading.ended:
        raise BrokenUpload(CUT_OFF if read else NOT_A_FORM)


def _write(parser: MultipartParser, chunk: bytes) -> bool:
    """Whether the parser could not read on; the parts before that are whole."""
    try:
        parser.write(chunk)
    except FormParserError:
        return True
    return False


def names_in(disposition: bytes) -> tuple[str, str | None]:
    """The field's name and the file's, from a Content-Disposition as browsers and other programs write it: raw bytes in
    UTF-8 or GB18030, RFC 5987 (``filename*=UTF-8''…``) or RFC 2231 in pieces (``filename*0*=…``)."""
    found = [
        (m.group(1).decode("ascii").lower(), m.group(2) or m.group(3) or b"") for m in DISPOSITION.finditer(disposition)
    ]
    plain = {name: value for name, value in found if "*" not in name}
    coded = [(name, value.decode("ascii", "replace")) for name, value in found if name.startswith("filename*")]
    field_name = decoded(plain.get("name", b""))
    if coded and (named := _rfc2231(coded)):
        return field_name, named
    if "filename" not in plain:
        return field_name, None
    # browsers write a quote as %22 and line breaks as %0D %0A, other programs a quote as \"
    raw = re.sub(rb"%(22|0D|0A)", lambda m: unquote_to_bytes(m.group()), plain["filename"], flags=re.IGNORECASE)
    return field_name, decoded(raw.replace(b'\\"', b'"'))


def decoded(raw: bytes) -> str:
    """Words in UTF-8, else in GB18030 as older programs send them."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def _rfc2231(coded: list[tuple[str, str]]) -> str | None:
    [*_, (name, value)] = decode_params([("", ""), *coded])
    if name != "filename":
        return None
    # the standard library gives every value in quotes
    if isinstance(value, str):
        return value.strip('"')
    charset, _language, quoted = value
    raw = quoted.strip('"').encode("latin-1", "replace")
    try:
        return raw.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decoded(raw)
