"""渠道: the ways a notice can reach people. To add one: a kind in policy_models/channels.py, a module with ``send``, a
line in SENDERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from notifications.channel_config import ChannelConfig
from notifications.channel_file import load_channels
from notifications.channels import console, email, inbox
from notifications.letter import Letter
from policy_models.channels import KINDS, ChannelKind
from policy_models.errors import DeliveryError

__all__ = ["Letter", "deliver"]

Sender = Callable[[ChannelConfig, Letter, datetime], str]
SENDERS: Final[Mapping[ChannelKind, Sender]] = {
    ChannelKind.INBOX: inbox.send,
    ChannelKind.CONSOLE: console.send,
    ChannelKind.EMAIL: email.send,
}


def deliver(config: ChannelConfig, letter: Letter, *, now: datetime) -> str:
    """Send one letter by one channel; what the other side answered, at most 300 characters without secrets. ``now``
    (UTC): signatures hold it, and receivers refuse one that is off.

    Raises DeliveryError: ``permanent`` when trying again cannot help; ``uncertain`` when the letter may have arrived
    all the same; ``pause`` where the other side asked for quiet; otherwise it was not taken and may be tried again.
    """
    sender = SENDERS.get(config.kind)
    if sender is None:
        raise DeliveryError(f"没有办法用{config.facts.name}发送", permanent=True)
    return sender(config, letter, now)[:300]


class _Former:
    """Until the delivery step uses ``deliver``: a channel by its old interface."""

    def __init__(self, code: str, idempotent: bool) -> None:
        self.code, self.idempotent = code, idempotent

    def send(self, letter: Letter) -> None:
        config = load_channels().get(self.code, ChannelConfig(code=self.code, kind=ChannelKind(self.code)))
        deliver(config, letter, now=datetime.now(UTC))  # noqa: TID251


CHANNELS = {kind.value: _Former(kind.value, KINDS[kind].idempotent) for kind in SENDERS}
