"""渠道: the kinds of ways out, with what is known of each (docs of the vendors; figures are theirs, ours a little below)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChannelKind(StrEnum):
    """A kind of channel. ``inbox`` and ``console`` stay on the machine; the others leave it."""

    INBOX = "inbox"
    CONSOLE = "console"
    EMAIL = "email"
    DINGTALK = "dingtalk"
    WECOM = "wecom"
    FEISHU = "feishu"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """``name``: as people say it. ``leaves``: something leaves the machine, so an administrator has to confirm the
    channel first. ``idempotent``: sending one message twice shows nobody anything twice. ``per_minute``: most messages
    that may go out (None: no limit). ``addressed``: a person's address is needed (else a robot posts to its group)."""

    name: str
    leaves: bool
    idempotent: bool
    per_minute: int | None
    addressed: bool


KINDS: dict[ChannelKind, KindFacts] = {
    ChannelKind.INBOX: KindFacts("站内消息", False, True, None, False),
    ChannelKind.CONSOLE: KindFacts("控制台", False, False, None, False),
    ChannelKind.EMAIL: KindFacts("电子邮件", True, False, 60, True),
    ChannelKind.DINGTALK: KindFacts("钉钉机器人", True, False, 18, False),
    ChannelKind.WECOM: KindFacts("企业微信机器人", True, False, 18, False),
    ChannelKind.FEISHU: KindFacts("飞书机器人", True, False, 90, False),
    ChannelKind.WEBHOOK: KindFacts("Webhook", True, False, 300, False),
}
EMAIL_CODE = "email"  # the channel that the SMTP settings make
INBOX_CODE = "inbox"
