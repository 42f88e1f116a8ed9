"""Where the ledger lives and how the product is addressed: read from the environment (prefix LUCHENG_)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.database import sqlite_url


class Settings(BaseSettings):
    """``clock``: a virtual instant at which this process believes to have started (demonstrations only)."""

    model_config = SettingsConfigDict(env_prefix="LUCHENG_", frozen=True)

    data_dir: Path = Path("data")
    database_url: str | None = None
    base_url: str = "http://127.0.0.1:8000"
    clock: AwareDatetime | None = None

    @field_validator("database_url", "clock", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: str | datetime | None) -> str | datetime | None:
        return value or None

    @property
    def url(self) -> str:
        """The ledger's database: ``database_url``, else the SQLite file in the data folder."""
        return self.database_url or sqlite_url(self.data_dir)

    @property
    def calendar_dir(self) -> Path:
        """The administrator's own calendar files; they override a pack's."""
        return self.data_dir / "calendars"

    @classmethod
    def load(cls) -> Settings:
        return cls()
