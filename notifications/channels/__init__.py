"""渠道: the ways a notice can reach people. To add one: a module with ``send``, a line in CHANNELS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from notifications.channels import console, email, inbox
from notifications.letter import Letter

__all__ = ["CHANNELS", "Channel", "Letter"]


@dataclass(frozen=True, slots=True)
class Channel:
    """``send`` raises DeliveryError. ``idempotent``: sending one letter twice shows nobody anything twice. ``to_units``:
    it reaches a unit by its code, so that reminders can go by it."""

    send: Callable[[Letter], None]
    idempotent: bool
    to_units: bool = True


CHANNELS: dict[str, Channel] = {
    "inbox": Channel(inbox.send, idempotent=True),
    "console": Channel(console.send, idempotent=False),
    "email": Channel(email.send, idempotent=False, to_units=False),
}
