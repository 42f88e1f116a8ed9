"""站内消息: the sent outbox row is itself the inbox, so there is nothing to carry anywhere."""

from __future__ import annotations

from datetime import datetime

from notifications.channel_config import ChannelConfig
from notifications.letter import Letter


def send(_config: ChannelConfig, _letter: Letter, _now: datetime) -> str:
    """Do nothing: once recorded as sent, the letter is in the unit's inbox."""
    return ""
