"""渠道: the ways a notice can reach people. To add one: a kind in policy_models/channels.py, what its settings may be in
notifications/channel_checks.py, a module here with ``send``, a line in SENDERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from notifications.channel_config import ChannelConfig
from notifications.channels import console, dingtalk, email, feishu, inbox, webhook, wecom
from notifications.channels.email import Connections
from notifications.letter import Letter
from policy_models.channels import ChannelKind

__all__ = ["Connections", "Letter", "deliver", "messages"]

Sender = Callable[[ChannelConfig, Letter, datetime], str]
SENDERS: Final[Mapping[ChannelKind, Sender]] = {
    ChannelKind.INBOX: inbox.send,
    ChannelKind.CONSOLE: console.send,
    ChannelKind.EMAIL: email.send,
    ChannelKind.DINGTALK: dingtalk.send,
    ChannelKind.WECOM: wecom.send,
    ChannelKind.FEISHU: feishu.send,
    ChannelKind.WEBHOOK: webhook.send,
}
PARTS: Final[Mapping[ChannelKind, Callable[[ChannelConfig, Letter], list[dict[str, Any]]]]] = {
    ChannelKind.DINGTALK: dingtalk.parts,
    ChannelKind.WECOM: wecom.parts,
    ChannelKind.FEISHU: feishu.parts,
}
ANSWER_LIMIT = 300  # characters


def deliver(config: ChannelConfig, letter: Letter, *, now: datetime, connections: Connections | None = None) -> str:
    """Send one letter by one channel; what the other side answered, at most 300 characters, without secrets.

    ``now`` (UTC): signatures hold it, and receivers refuse one that is off. ``connections``: where several letters are
    sent one after the other, so that each needs no login of its own. Raises DeliveryError: ``permanent`` when trying
    again cannot help; ``uncertain`` when the letter may have arrived all the same; ``pause`` where the other side asked
    for quiet; otherwise it was not taken and may be tried again.
    """
    if config.kind is ChannelKind.EMAIL:
        return email.send(config, letter, now, connections)[:ANSWER_LIMIT]
    return SENDERS[config.kind](config, letter, now)[:ANSWER_LIMIT]


def messages(config: ChannelConfig, letter: Letter) -> int:
    """How many messages a letter makes for the limit of its channel: a robot takes a long one in parts."""
    parts = PARTS.get(config.kind)
    return len(parts(config, letter)) if parts else 1
