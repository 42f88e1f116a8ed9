"""The mail servers, as the environment names them (prefix LUCHENG_).

Nothing is read or sent until an administrator has named a host. Passwords are secrets: no repr, log or error has one.
"""

from __future__ import annotations

import ssl
from datetime import date
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from policy_models.letters import canonical_address


class Security(StrEnum):
    """How a connection is protected: TLS from the start, TLS by command, or not at all."""

    SSL = "ssl"
    STARTTLS = "starttls"
    NONE = "none"


IMAP_PORTS = {Security.SSL: 993, Security.STARTTLS: 143, Security.NONE: 143}
SMTP_PORTS = {Security.SSL: 465, Security.STARTTLS: 587, Security.NONE: 25}


def _unset(value: Any) -> Any:
    return None if value == "" else value


class ImapSettings(BaseSettings):
    """The mailbox that units send to. ``imap_host``: None means that no mail is read. ``imap_folder``: its name as
    people see it. ``imap_since``: letters that arrived before this civil date are passed by. ``mail_ca_file``: certificates of a private authority, PEM."""

    model_config = SettingsConfigDict(env_prefix="LUCHENG_", frozen=True)

    imap_host: str | None = None
    imap_port: int | None = Field(None, ge=1, le=65535)
    imap_security: Security = Security.SSL
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = "INBOX"
    imap_since: date | None = None
    imap_timeout: float = Field(60, ge=1, le=600)
    mail_ca_file: Path | None = None

    @field_validator("imap_host", "imap_port", "imap_since", "mail_ca_file", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return _unset(value)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.imap_host and not self.imap_user:
            raise ValueError("写了 LUCHENG_IMAP_HOST，还须写 LUCHENG_IMAP_USER")
        return self

    @property
    def configured(self) -> bool:
        return self.imap_host is not None

    @property
    def port(self) -> int:
        return self.imap_port or IMAP_PORTS[self.imap_security]

    @property
    def mailbox(self) -> str:
        """By what the ledger knows it: who logs in, and the folder. Not the host, which may get another name. At most
        120 characters."""
        return f"{self.imap_user}/{self.imap_folder}"[:120]


class SmtpSettings(BaseSettings):
    """Where receipts go out. ``smtp_host``: None means that no letter is answered. ``smtp_from``: an address, or
    ``包头市民政局 <name@host>``; else the login, which 163 and QQ want it to be."""

    model_config = SettingsConfigDict(env_prefix="LUCHENG_", frozen=True)

    smtp_host: str | None = None
    smtp_port: int | None = Field(None, ge=1, le=65535)
    smtp_security: Security = Security.SSL
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""
    smtp_timeout: float = Field(60, ge=1, le=600)
    mail_ca_file: Path | None = None

    @field_validator("smtp_host", "smtp_port", "mail_ca_file", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return _unset(value)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.smtp_host and not self.address:
            raise ValueError("写了 LUCHENG_SMTP_HOST，还须写 LUCHENG_SMTP_FROM（发件地址）")
        return self

    @property
    def configured(self) -> bool:
        return self.smtp_host is not None

    @property
    def port(self) -> int:
        return self.smtp_port or SMTP_PORTS[self.smtp_security]

    @property
    def sender_name(self) -> str:
        return parseaddr(self.smtp_from)[0]

    @property
    def address(self) -> str:
        """The bare address that receipts come from."""
        return canonical_address(parseaddr(self.smtp_from)[1] or self.smtp_user)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """What a server's certificate is checked against: the system's authorities, and a private one where it is named."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
