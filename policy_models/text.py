"""Text as it arrives from people: encodings and full-width digits."""

from __future__ import annotations

import re

from policy_models.errors import Fault, Faulty

_DIGITS = {ord("０") + n: ord("0") + n for n in range(10)}


def decode_text(data: bytes, file: str = "文件") -> str:
    """The text of a file in UTF-8 (with or without BOM) or GB18030; both are read strictly.

    Raises Faulty, naming ``file``, when the bytes are neither or contain NUL (a binary file, or UTF-16).
    """
    if b"\x00" not in data:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise Faulty([Fault(file, None, "", "不是 UTF-8 或 GB18030 编码的文本，无法读取")])


def normalize_digits(text: str) -> str:
    """Full-width digits ０–９ become ASCII digits; nothing else changes."""
    return text.translate(_DIGITS)


# control characters and lone surrogates, which databases refuse each in its own way, and marks that turn text around
_UNWRITTEN = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")


def written(text: str) -> str:
    """Words from a form: line ends are ``\\n``, what nobody writes on purpose is dropped, no blanks around."""
    return _UNWRITTEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
