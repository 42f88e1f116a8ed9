"""Which channels notices go out by: read from the environment (prefix LUCHENG_). Mail servers: see servers.py."""

from __future__ import annotations

from typing import Annotated

from pydantic import field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from notifications.channels import CHANNELS


class NoticeSettings(BaseSettings):
    """``channels``: names from CHANNELS, in the environment separated by commas (LUCHENG_CHANNELS=inbox,console).
    Without a word from the administrator nothing leaves the product: the inbox only."""

    model_config = SettingsConfigDict(env_prefix="LUCHENG_", frozen=True)

    channels: Annotated[tuple[str, ...], NoDecode] = ("inbox",)

    @field_validator("channels", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("channels")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        usable = [name for name, channel in CHANNELS.items() if channel.to_units]
        if unknown := [name for name in value if name not in usable]:
            raise ValueError(f"没有名为 {'、'.join(unknown)} 的渠道，可用：{'、'.join(usable)}")
        return value
