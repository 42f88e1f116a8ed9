"""文件库: bytes under their SHA-256, each content once. A file is whole or not there; what no row names is no evidence."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from policy_models.errors import LedgerUnavailable, NotFound

DIGEST = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """A folder of contents. ``put`` twice is once; a process killed in between leaves at most a temporary file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Keep the bytes; their SHA-256. On disk when this returns. Raises LedgerUnavailable when the disk refuses."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if path.is_file() and path.stat().st_size == len(data):
            return digest
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as half:
                half.write(data)
                half.flush()
                os.fsync(half.fileno())
            os.replace(half.name, path)
        except OSError as error:
            raise LedgerUnavailable(f"文件库不可写（{error.strerror}）") from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes. Raises NotFound when they are not there, LedgerUnavailable when they are not what they were."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound("文件库中没有这个文件") from None
        except OSError as error:
            raise LedgerUnavailable(f"文件库不可读（{error.strerror}）") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise LedgerUnavailable("文件库中的文件已损坏，请从备份恢复")
        return data

    def has(self, digest: str) -> bool:
        return self._path(digest).is_file()

    def _path(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise NotFound("文件库中没有这个文件")
        return self.folder / digest[:2] / digest
