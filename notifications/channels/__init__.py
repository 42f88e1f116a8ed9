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

__all__ = ["Connections", "Letter", "deliver", "messages", "test_letter"]

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


def test_letter(config: ChannelConfig, number: str, *, address: str | None = None) -> Letter:  # noqa: PT028
    """The message by which an administrator confirms a channel; ``number``: what is to be typed in. ``address``: of
    whoever looks whether it arrives; a channel of kind email needs one."""
    body = (
        f"这是鹿程的测试消息，用于确认渠道“{config.name}”（{config.code}）可以使用。\n"
        f"确认码：{number}\n"
        f"请管理员运行 lucheng channel confirm {config.code} {number}，或在渠道页面填写确认码。\n"
        "如果您没有配置过这个渠道，请不要理会本消息。\n"
    )
    return Letter(0, f"test:{config.code}:{number}", "test", "", "", f"渠道测试：{number}", body, address=address)


test_letter.__test__ = False  # type: ignore[attr-defined]  # pytest is to leave it alone
