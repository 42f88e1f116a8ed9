"""Old Word documents (.doc) read through LibreOffice, where it is installed: a program of its own, with a profile that
goes when it ends, and a time limit."""

from __future__ import annotations

import tempfile
from pathlib import Path

from documents.pdf import convert, program
from policy_models.errors import FileRefused

SAVE_ANEW = "请在 Word 或 WPS 中另存为 .docx 后再发送"
NOT_INSTALLED = f"本机未安装 LibreOffice，不能读取旧版 Word 文档（.doc），{SAVE_ANEW}"
FAILED = f"旧版 Word 文档（.doc）无法读取，{SAVE_ANEW}"
TOO_LONG = f"读取旧版 Word 文档（.doc）超时，{SAVE_ANEW}"
SECONDS = 120.0


def as_docx(data: bytes, *, seconds: float = SECONDS) -> bytes:
    """The same document as .docx. Takes seconds: never in a transaction. Raises FileRefused."""
    found = program()
    if found is None:
        raise FileRefused(NOT_INSTALLED)
    with tempfile.TemporaryDirectory(prefix="lucheng-doc-") as name:
        source = Path(name) / "letter.doc"
        source.write_bytes(data)
        convert(found, source, "docx", seconds, failed=FAILED, too_long=TOO_LONG)
        made = source.with_suffix(".docx")
        if not made.is_file():
            raise FileRefused(FAILED)
        return made.read_bytes()
