"""Where the channels file lies: read from the environment (prefix LUCHENG_). Mail servers: see servers.py."""

from __future__ import annotations

from pathlib import Path

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CHANNELS_FILE = "channels.yaml"


class NoticeSettings(BaseSettings):
    """``channels_file``: the file that names the channels; None: ``channels.yaml`` in the data folder, where it may be
    absent."""

    model_config = SettingsConfigDict(env_prefix="LUCHENG_", frozen=True)

    data_dir: Path = Path("data")
    channels_file: Path | None = None

    @field_validator("channels_file", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None
