"""What a picture tells beside what it shows: EXIF, XMP, IPTC, remarks. Read from its segments, so that a broken
picture inside a document is read as well; and taken out of them without touching the picture."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator

import pi_heif
from PIL import Image

HEIC = re.compile(rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL)
JPEG_KEPT = {0xE0, 0xE2, 0xEE}  # JFIF, colour profile, Adobe
PNG_FACTS = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME")
MOST_TEXT = 1 << 20  # of one compressed remark, unpacked
ENDS = 1 << 18  # of a picture of another kind, what is read at its beginning and end
GPS, MAKER, THUMBNAIL = 0x8825, 0x927C, 1
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ufffd]+")


def facts(data: bytes) -> str:
    """Everything that can be read in a picture's metadata, a line for each piece."""
    return "\n".join(filter(None, (line for blob in _blobs(data) for line in _words(blob))))


def has_place(data: bytes) -> bool:
    """Whether the picture tells where it was taken."""
    return any(blob.startswith(b"Exif\0\0") and _exif(blob).get_ifd(GPS) for blob in _blobs(data))


def without_facts(data: bytes) -> bytes:
    """A jpg or png with the same picture and none of its metadata; any other as it is."""
    if data.startswith(b"\xff\xd8\xff"):
        return b"".join(piece for marker, piece in _jpeg(data) if not _is_fact(marker))
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data[:8] + b"".join(chunk for name, chunk in _png(data) if name not in PNG_FACTS)
    return data


def _is_fact(marker: int) -> bool:
    return (0xE0 <= marker <= 0xEF or marker == 0xFE) and marker not in JPEG_KEPT


def _blobs(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\xff\xd8\xff"):
        yield from (piece[4:] for marker, piece in _jpeg(data) if _is_fact(marker) or marker == 0xEE)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        for name, chunk in _png(data):
            if name in PNG_FACTS:
                yield from _png_fact(name, chunk[8:-4])
    elif HEIC.match(data[:16]):
        told = pi_heif.open_heif(io.BytesIO(data)).info
        yield from (told[name] for name in ("exif", "xmp") if told.get(name))
        yield from (one["data"] for one in told.get("metadata", []) if one.get("data"))
    else:
        yield data[:ENDS]
        yield data[ENDS:][-ENDS:]


def _jpeg(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Segments with their markers; from the first scan on everything is one piece (marker 0), as is what is broken."""
    yield 0, data[:2]
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9, 0xFF, 0x00):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], data[at:end]
        at = end
    yield 0, data[at:]


def _png(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at : at + 12 + length]
        at += 12 + length


def _png_fact(name: bytes, body: bytes) -> Iterator[bytes]:
    if name == b"eXIf":
        yield b"Exif\0\0" + body
        return
    yield body
    key, _, rest = body.partition(b"\0")
    packed = (
        rest[1:] if name == b"zTXt" else rest[2:].split(b"\0", 2)[-1] if name == b"iTXt" and rest[:1] == b"\1" else b""
    )
    if packed:
        yield key + b": " + zlib.decompressobj().decompress(packed, MOST_TEXT)


def _words(blob: bytes) -> Iterator[str]:
    """The blob as text in the encodings that cameras and programs use, and the tags that are in UTF-16."""
    yield UNPRINTABLE.sub("\n", blob.replace(b"\0", b"").decode("utf-8", "replace"))
    yield UNPRINTABLE.sub("\n", blob.replace(b"\0", b"").decode("gb18030", "replace"))
    if blob.startswith(b"Exif\0\0"):
        exif = _exif(blob)
        for tags in (exif, exif.get_ifd(0x8769)):
            for tag, value in tags.items():
                if isinstance(value, bytes) and tag != MAKER:
                    wide = value[8:] if value.startswith(b"UNICODE\0") else value
                    yield from (wide.decode(f"utf-16-{end}", "replace").strip("\0") for end in ("le", "be"))


def _exif(blob: bytes) -> Image.Exif:
    """The tags of an EXIF segment; empty where they cannot be read (their bytes are read as text all the same)."""
    exif = Image.Exif()
    try:
        exif.load(blob)
        exif.get_ifd(0x8769), exif.get_ifd(GPS)
    except (SyntaxError, struct.error, ValueError, KeyError, TypeError, OSError, EOFError, IndexError):
        return Image.Exif()
    return exif
