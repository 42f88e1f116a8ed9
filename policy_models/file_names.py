"""文件名 as people and programs send them: one line of printable text without a path, never longer than it is useful."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 120  # characters, the ending included
LONGEST_ENDING = 12
NAMELESS = "未命名文件"
# marks that reorder what is shown ("gpj.exe" as "exe.jpg"), and characters without a shape
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def plain_name(raw: str) -> str:
    """The last part of a path, without control characters, marks of direction and characters that systems forbid."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", raw).rstrip("/\\"))[-1]
    seen = "".join(" " if c in "\t\r\n" else c for c in last if unicodedata.category(c) not in UNSEEN or c in "\t\r\n")
    clean = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", seen)).strip(" .")
    if len(clean) <= LONGEST:
        return clean or NAMELESS
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > LONGEST_ENDING:
        return clean[:LONGEST].strip()
    return f"{stem[: LONGEST - len(ending) - 1].strip()}.{ending}"
