"""Names of files as they may be stored and shown: no folders, nothing invisible, never too long."""

from __future__ import annotations

import re
import unicodedata

from policy_models.files import FileKind

LONGEST = 200  # characters, with the extension
UNNAMED = "未命名"
FORBIDDEN = re.compile(r"[<>:\"|?*]")
EXTENSION = re.compile(r"\.(?=\d{0,3}[A-Za-z])[A-Za-z0-9]{1,8}$")


def clean_name(name: str, kind: FileKind) -> str:
    """The last part of a name, without what cannot be seen, with the extension of what the file is."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(" " if char in "\t\r\n" else char for char in last if char in "\t\r\n" or _is_seen(char))
    stem = EXTENSION.sub("", FORBIDDEN.sub("_", seen)).strip(" .\u3000")
    stem = re.sub(r"\s{2,}", " ", stem)
    ending = f".{kind.value}"
    stem = stem.removesuffix(ending).rstrip(" .") if stem.endswith(ending) else stem
    return f"{stem[: LONGEST - len(ending)].rstrip() or UNNAMED}{ending}"


def _is_seen(char: str) -> bool:
    """Neither a control, nor an override of direction, nor half a character."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
