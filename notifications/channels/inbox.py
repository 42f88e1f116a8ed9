"""站内消息: the sent outbox row is itself the inbox, so there is nothing to carry anywhere."""

from __future__ import annotations

from notifications.letter import Letter


def send(letter: Letter) -> None:
    """Do nothing: once recorded as sent, the letter is in the unit's inbox."""
