"""One channel as it is configured: where it goes and by which secret, and the digest by which the ledger knows it."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from notifications.servers import SmtpSettings
from policy_models.channels import KINDS, ChannelKind, KindFacts


class ChannelConfig(BaseModel):
    """One channel as it is configured. ``url`` and ``secret`` never show in repr, errors or dumps. ``per_minute``: most
    messages a minute (None: no limit). ``allow_private``: the address may lie in a private network, and be http.
    ``keyword``: a word that the robot demands in every message. ``acts``: what a webhook is told of as it happens, with
    ``units`` only at these and below. ``smtp``: of the channel ``email`` only."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    code: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    kind: ChannelKind
    name: str = Field("", max_length=40)
    url: SecretStr = SecretStr("")
    secret: SecretStr = SecretStr("")
    per_minute: int | None = Field(None, ge=1, le=1000)
    allow_private: bool = False
    keyword: str = Field("", max_length=40)
    acts: tuple[str, ...] = Field((), max_length=20)
    units: tuple[str, ...] = Field((), max_length=200)
    smtp: SmtpSettings | None = None

    @property
    def facts(self) -> KindFacts:
        """What is known of its kind."""
        return KINDS[self.kind]

    @property
    def digest(self) -> str:
        """SHA-256 over all that decides where a message goes and how: other settings need a test message of their own.
        Not the name, the rate or the mail password, which may change without that."""
        facts: dict[str, object] = {"kind": self.kind.value}
        if self.smtp is not None:
            server = self.smtp
            facts |= {"host": server.smtp_host, "port": server.port, "security": server.smtp_security.value}
            facts |= {"user": server.smtp_user, "from": server.address, "sender": server.sender_name}
        else:
            facts |= {"url": self.url.get_secret_value(), "secret": self.secret.get_secret_value()}
            facts |= {"allow_private": self.allow_private, "keyword": self.keyword}
            if self.acts:  # where there are none, the digest is as it was before there were any
                facts |= {"acts": list(self.acts), "units": list(self.units)}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
