"""退回的副本: the workbook a unit uploaded last, with what is wrong marked. One for each unit, until the next one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from policy_models.errors import LedgerUnavailable, NotFound
from policy_models.units import CODE

GONE = "这份副本已被后来上传的一份替代，请重新上传后下载"


class ReturnedCopies:
    """A folder beside the file store, apart from evidence: nothing here counts as handed in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, unit: str, data: bytes) -> str:
        """Keep the copy instead of the unit's last; the SHA-256 that names it. Raises LedgerUnavailable."""
        path = self._path(unit)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as half:
                half.write(data)
            os.replace(half.name, path)
        except OSError as error:
            raise LedgerUnavailable(f"文件库不可写（{error.strerror}）") from error
        return hashlib.sha256(data).hexdigest()

    def get(self, unit: str, digest: str) -> bytes:
        """The copy of this name. Raises NotFound where the unit has another one by now."""
        try:
            data = self._path(unit).read_bytes()
        except FileNotFoundError:
            raise NotFound(GONE) from None
        except OSError as error:
            raise LedgerUnavailable(f"文件库不可读（{error.strerror}）") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise NotFound(GONE)
        return data

    def _path(self, unit: str) -> Path:
        if not CODE.fullmatch(unit):
            raise NotFound(GONE)
        return self.folder / f"{unit}.xlsx"
