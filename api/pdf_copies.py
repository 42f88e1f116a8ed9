"""PDF copies of compiled reports: made once each by LibreOffice, outside every transaction, and kept beside the files.

A copy is no record: it can be made again from the .docx at any time. What is being made is known to this process
alone; another one that is asked for the same makes it a second time, with the same result.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from pathlib import Path

from documents.pdf import to_pdf
from policy_models.errors import FileRefused, LuchengError

DIGEST = re.compile(r"[0-9a-f]{64}")


class PdfCopies:
    """Copies in a folder, each named by the digest of its .docx; and what is under way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()  # guards the two below
        self._one_at_a_time = threading.Lock()  # LibreOffice takes a processor and much memory
        self._started: dict[str, float] = {}
        self._failed: dict[str, str] = {}

    def get(self, digest: str) -> bytes | None:
        """The copy; None where there is none yet."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def has(self, digest: str) -> bool:
        return self._path(digest).is_file()

    def seconds(self, digest: str) -> int | None:
        """For how long it has been under way; None where it is not."""
        with self._lock:
            started = self._started.get(digest)
        return None if started is None else int(time.monotonic() - started)

    def failure(self, digest: str) -> str | None:
        """Why the last try failed, one sentence; None where it did not."""
        with self._lock:
            return self._failed.get(digest)

    def begin(self, digest: str) -> bool:
        """Whether the caller is to make it: it is neither there nor under way. ``make`` must follow."""
        with self._lock:
            if digest in self._started or self.has(digest):
                return False
            self._started[digest] = time.monotonic()
            self._failed.pop(digest, None)
            return True

    def make(self, digest: str, docx: bytes) -> None:
        """Make the copy that ``begin`` has promised. A failure is kept as a sentence, and may be tried again."""
        try:
            with self._one_at_a_time:
                self._keep(digest, to_pdf(docx))
        except LuchengError as error:
            with self._lock:
                self._failed[digest] = str(error)
        finally:
            with self._lock:
                self._started.pop(digest, None)

    def _keep(self, digest: str, data: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as half:
                half.write(data)
            os.replace(half.name, self._path(digest))
        except OSError as error:
            raise FileRefused(f"PDF 已生成但无法保存（{error.strerror}），请管理员检查文件库") from error

    def _path(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise ValueError("not a digest")
        return self.folder / f"{digest}.pdf"
