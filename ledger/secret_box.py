"""The key of the data folder: secrets that must be read again (of the numbers on a telephone) lie encrypted in the ledger.
A copy of the database alone opens none of them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from policy_models.errors import LedgerUnavailable

LOST = "动态码的密钥文件与台账不符，动态码暂时不能使用；请系统管理员恢复密钥文件，或重置该账号并关闭动态码"


class SecretBox:
    """Encrypts with the key in a file, which the first use makes, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lock(self, secret: str) -> str:
        """Raises LedgerUnavailable where the key can't be made or read."""
        return self._key().encrypt(secret.encode()).decode()

    def unlock(self, locked: str) -> str:
        """Raises LedgerUnavailable for what another key has locked."""
        try:
            return self._key().decrypt(locked).decode()
        except InvalidToken as error:
            raise LedgerUnavailable(LOST) from error

    def _key(self) -> Fernet:
        try:
            with suppress(FileExistsError):
                self._make()
            return Fernet(self._path.read_bytes().strip())
        except (OSError, ValueError) as error:
            raise LedgerUnavailable(f"动态码的密钥文件不能读写：{self._path}") from error

    def _make(self) -> None:
        """Written whole under another name and then linked: of two processes the first wins, and nobody reads half a
        key."""
        if self._path.exists():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}-{os.urandom(4).hex()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
            os.link(draft, self._path)
        finally:
            draft.unlink()
