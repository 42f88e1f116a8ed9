"""Where the ledger lives and how the product is addressed: read from the environment (prefix LUCHENG_)."""

from __future__ import annotations

import re
import unicodedata
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ledger.database import sqlite_url
from ledger.logins import LoginRules
from policy_models.files import MEGABYTE, Limits
from policy_models.ladder import CAP, LADDERS, LadderRule
from policy_models.quiet_hours import OPEN_HOURS, OpenHours

# http only on this machine, for tests of a sign-on that runs beside it
_ISSUER = re.compile(r"https://[^?#\s]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/[^?#\s]*)?")


class Settings(BaseSettings):
    """``clock``: a virtual instant at which this process believes to have started (demonstrations only).
    ``idle_minutes``, ``session_hours``: a sign-in ends after so long without a page, and in any case.
    ``require_totp``: administrators who sign in by a password also need the number on their telephone. ``key_file``: what
    encrypts the secrets of telephones. ``trusted_proxies``: whose word is taken for the address of a browser.
    ``oidc_…``: the city's single sign-on; issuer, client and secret go together.
    ``token_per_minute``: most requests of a machine's token in a minute, in each web process.
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
    idle_minutes: int = Field(60, ge=5, le=24 * 60)
    token_per_minute: int = Field(600, ge=1, le=100_000)
    session_hours: int = Field(12, ge=1, le=24 * 7)
    require_totp: bool = False
    key_file: Path | None = None
    trusted_proxies: str = ""
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = Field("本市统一身份认证", max_length=20)

    @field_validator(
        "database_url",
        "clock",
        "files_dir",
        "key_file",
        "oidc_issuer",
        "oidc_client_id",
        "oidc_client_secret",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @model_validator(mode="after")
    def _sign_on_is_whole(self) -> Self:
        found = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if any(found) and not all(found):
            raise ValueError("LUCHENG_OIDC_ISSUER、LUCHENG_OIDC_CLIENT_ID、LUCHENG_OIDC_CLIENT_SECRET 须一起设置")
        if self.oidc_issuer and not _ISSUER.fullmatch(self.oidc_issuer):
            raise ValueError("LUCHENG_OIDC_ISSUER 须以 https:// 开头，不带 ? 和 #")
        return self

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
    def login_rules(self) -> LoginRules:
        """How long a sign-in lasts."""
        idle, longest = timedelta(minutes=self.idle_minutes), timedelta(hours=self.session_hours)
        return LoginRules(idle, longest, require_totp=self.require_totp)

    @property
    def secure(self) -> bool:
        """Whether browsers come over https: then cookies travel over nothing else."""
        return self.base_url.lower().startswith("https:")

    @property
    def account_key(self) -> Path:
        """The file with the key that encrypts the secrets of telephones: ``key_file`` (the same on all machines where
        there are several), else in the data folder."""
        return self.key_file or self.data_dir / "account.key"

    @property
    def limits(self) -> Limits:
        """What files may be sent in."""
        return Limits(file_bytes=self.max_file_mb * MEGABYTE, files=self.max_files, photo_side=self.photo_side)

    @classmethod
    def load(cls) -> Settings:
        return cls()


Steps = Annotated[tuple[int, ...], NoDecode]


class LadderSettings(BaseSettings):
    """The ladders of reminders, in the environment as work days from the deadline, separated by commas
    (LUCHENG_LADDER_SHORT=-3,0,1,3,7); ``reminder_cap``: how often at most one listener is told of one item;
    ``open_hours``: when something may be sent on work days (LUCHENG_OPEN_HOURS=08:30-18:00)."""

    model_config = SettingsConfigDict(env_prefix="LUCHENG_", frozen=True)

    ladder_long: Steps = LADDERS["long"]
    ladder_middle: Steps = LADDERS["middle"]
    ladder_short: Steps = LADDERS["short"]
    reminder_cap: int = Field(CAP, ge=1)
    open_hours: Annotated[OpenHours, NoDecode] = OPEN_HOURS

    @field_validator("ladder_long", "ladder_middle", "ladder_short", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        return tuple(_steps(value)) if isinstance(value, str) else value

    @field_validator("open_hours", mode="before")
    @classmethod
    def _from_to(cls, value: object) -> object:
        return _hours(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        LadderRule(self._ladders, self.reminder_cap)
        return self

    @property
    def _ladders(self) -> dict[str, tuple[int, ...]]:
        return {"long": self.ladder_long, "middle": self.ladder_middle, "short": self.ladder_short}

    @property
    def rule(self) -> LadderRule:
        """The setting as the ledger's verbs take it."""
        return LadderRule(self._ladders, self.reminder_cap)

    @classmethod
    def load(cls) -> LadderSettings:
        return cls()


def _plain(value: str) -> str:
    """As it was meant: full-width digits and signs, and the minus sign of a typesetter, are what people write."""
    return unicodedata.normalize("NFKC", value).replace("\u2212", "-").replace("、", ",").replace(" ", "")


def _steps(value: str) -> tuple[int, ...]:
    found = [step for step in _plain(value).split(",") if step]
    if wrong := [step for step in found if not re.fullmatch(r"[+-]?[0-9]{1,4}", step)]:
        raise ValueError(f"催办阶梯须为以逗号分开的工作日数，“{wrong[0][:12]}”不是")
    return tuple(sorted(map(int, found)))


def _hours(value: str) -> OpenHours:
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})[-~至]([0-9]{1,2}):([0-9]{2})", _plain(value))
    if not found:
        raise ValueError("开放时段须写作 08:30-18:00 的样子")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    return OpenHours(time(hour, minute), time(last_hour, last_minute))
