"""Words in the heads of letters as they really come: RFC 2047 and 2231, raw GB18030, and charsets that are not what
they are said to be."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from urllib.parse import unquote_to_bytes

WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?([^?]*)\?=")
PARAMETER = re.compile(r";\s*([^\s=;]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^;]*)", re.DOTALL)
# Charsets that take any byte: what they are said of is often something else.
UNDISCERNING = re.compile(r"(iso-?8859|windows-?125|us-?ascii|ascii|latin|cp125|unknown|x-unknown|8bit)", re.IGNORECASE)
GOOD_ENOUGH = 0.9


def decode(data: bytes, declared: str = "") -> str:
    """The text of some bytes, whatever charset they are said to be in; never raises. Strict UTF-8 that gives words
    comes first, since GB18030 reads nearly anything; then what was declared; then GB18030."""
    best, best_score = "", -1.0
    for charset in _candidates(declared):
        try:
            text = data.decode(charset)
        except (UnicodeError, LookupError):
            continue
        score = _plausible(text)
        if score >= GOOD_ENOUGH:
            return text
        if score > best_score:
            best, best_score = text, score
    return best if best_score >= 0 else data.decode("gb18030", "replace")


def _candidates(declared: str) -> list[str]:
    name = declared.strip().strip("\"'").lower()
    if name.startswith("gb") or name in {"x-gbk", "cp936", "ms936", "hz-gb-2312"}:
        name = (
            name if name.startswith("hz") else "gb18030"
        )  # a superset of them all: gb2312 often holds rare characters
    first = [] if not name or UNDISCERNING.match(name) else [name]
    stateful = name.startswith(("hz", "iso-2022", "utf-16", "utf-7"))
    ordered = [*first, "utf-8", "gb18030"] if stateful else ["utf-8", *first, "gb18030"]
    return [*ordered, *([name] if name else []), "big5"]


def _plausible(text: str) -> float:
    """The share of characters that are to be expected in a Chinese office's letter."""
    if not text:
        return 1.0
    return sum(map(_expected, text)) / len(text)


def _expected(c: str) -> bool:
    if c < "\x7f":
        return c >= " " or c in "\t\r\n"
    return (
        "\u4e00" <= c <= "\u9fff"
        or "\u3000" <= c <= "\u303f"
        or "\uff00" <= c <= "\uffef"
        or c in "·—–…“”‘’〔〕【】《》①②③④⑤"
    )


def raw_bytes(text: str) -> bytes:
    """The bytes of a header as the parser hands it over (ASCII, bytes above it as surrogates)."""
    return text.encode("utf-8", "surrogateescape")


def header(text: str) -> str:
    """A header's value in words, on one line: encoded words decoded, neighbours of one charset joined before they are
    (a character may be cut in two between them), raw bytes read as what they are."""
    unfolded = re.sub(r"\r?\n[ \t]*", " ", text)
    unfolded = re.sub(r"(\?=)\s+(=\?)", r"\1\2", unfolded)
    out: list[str] = []
    pending, charset, end = b"", "", 0
    for found in WORD.finditer(unfolded):
        between = unfolded[end : found.start()]
        named = found[1].partition("*")[0].lower()  # RFC 2231 adds a language: =?utf-8*zh?…
        if pending and (between or named != charset):
            out.append(decode(pending, charset))
            pending = b""
        out.append(decode(raw_bytes(between)) if between else "")
        pending, charset, end = pending + _word(found[2], found[3]), named, found.end()
    out += [decode(pending, charset) if pending else "", decode(raw_bytes(unfolded[end:])) if unfolded[end:] else ""]
    return printable("".join(out))


def _word(encoding: str, text: str) -> bytes:
    data = raw_bytes(text)
    if encoding in "bB":
        return base64_bytes(data)
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), data.replace(b"_", b" "))


def base64_bytes(data: bytes) -> bytes:
    """As much as can be read, with or without the padding."""
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return b""


def printable(text: str) -> str:
    """Without control characters and without what turns the direction of writing around (``cod.exe`` as ``exe.doc``)."""
    return "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs"}).strip()


def parameter(value: str, name: str) -> str | None:
    """A parameter of a header such as Content-Disposition: RFC 2231 (charset, percent signs, pieces), RFC 2047 in
    quotes, or raw bytes; None where there is none."""
    pieces: dict[int, tuple[bool, str]] = {}
    plain: str | None = None
    for found in PARAMETER.finditer(";" + value.partition(";")[2]):
        key, text = found[1].lower(), _unquoted(found[2])
        if key == name:
            plain = text
        elif match := re.fullmatch(rf"{re.escape(name)}(?:\*(\d{{1,3}}))?(\*)?", key):
            pieces[int(match[1] or 0)] = (bool(match[2]), text)
    if pieces:
        return _joined(pieces)
    return header(plain) if plain is not None else None


def _unquoted(text: str) -> str:
    text = text.strip()
    if not text.startswith('"'):
        return text
    inner = text[1:-1] if text.endswith('"') and len(text) > 1 else text[1:]
    # a backslash before a quote escapes; elsewhere it is part of a Windows path or of a GB18030 character
    return re.sub(r"\\([\"\\])", r"\1", inner)


def _joined(pieces: dict[int, tuple[bool, str]]) -> str:
    data, charset = b"", ""
    for place, number in enumerate(sorted(pieces)):
        encoded, text = pieces[number]
        if place == 0 and encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw = raw_bytes(text)
        data += unquote_to_bytes(raw) if encoded else raw
    return printable(decode(data, charset)) if b"=?" not in data else header(data.decode("utf-8", "surrogateescape"))
