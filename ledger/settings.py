"""Where the ledger lives and how the product is addressed: read from the environment (prefix LUCHENG_)."""

from __future__ import annotations

from pathlib import Path

from pydantic import AwareDatetime, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.database import sqlite_url
from policy_models.files import MEGABYTE, Limits


class Settings(BaseSettings):
    """``clock``: a virtual instant at which this process believes to have started (demonstrations only).
    ``max_file_mb``: size of one file; ``max_files``: files in one submission; ``photo_side``: longest side, pixels."""

    model_config = SettingsConfigDict(env_prefix="LUCHENG_", frozen=True)

    data_dir: Path = Path("data")
    database_url: str | None = None
    base_url: str = "http://127.0.0.1:8000"
    clock: AwareDatetime | None = None
    files_dir: Path | None = None
    max_file_mb: int = Field(20, ge=1, le=200)
    max_files: int = Field(300, ge=1, le=1000)
    photo_side: int = Field(2000, ge=400, le=8000)

    @field_validator("database_url", "clock", "files_dir", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @property
    def url(self) -> str:
        """The ledger's database: ``database_url``, else the SQLite file in the data folder."""
        return self.database_url or sqlite_url(self.data_dir)

    @property
    def calendar_dir(self) -> Path:
        """The administrator's own calendar files; they override a pack's."""
        return self.data_dir / "calendars"

    @property
    def file_dir(self) -> Path:
        """Where the bytes of files lie: ``files_dir`` (shared by all machines where there are several), else in the
        data folder."""
        return self.files_dir or self.data_dir / "files"

    @property
    def limits(self) -> Limits:
        """What files may be sent in."""
        return Limits(file_bytes=self.max_file_mb * MEGABYTE, files=self.max_files, photo_side=self.photo_side)

    @classmethod
    def load(cls) -> Settings:
        return cls()
