"""Old Word documents (.doc) read through LibreOffice, where it is installed: a program of its own, with a profile that
goes when it ends, and a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

from documents.pdf import program
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
        folder = Path(name)
        source = folder / "letter.doc"
        source.write_bytes(data)
        _run(found, source, folder, seconds)
        made = source.with_suffix(".docx")
        if not made.is_file():
            raise FileRefused(FAILED)
        return made.read_bytes()


def _run(found: str, source: Path, folder: Path, seconds: float) -> None:
    command = [found, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore"]
    command += ["--convert-to", "docx", "--outdir", str(folder), str(source)]
    with subprocess.Popen(
        command,
        env={**os.environ, "HOME": str(folder)},
        start_new_session=True,  # soffice is a script, and what it starts must end with it
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            code = running.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise FileRefused(TOO_LONG) from None
        except BaseException:  # whoever waits is stopped: what was started for it stops too
            os.killpg(running.pid, signal.SIGKILL)
            raise
    if code != 0:
        raise FileRefused(FAILED)
