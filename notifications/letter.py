"""What a channel is handed: words that are ready to be read, and for whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one unit, or to whoever wrote to us. ``message``: the outbox row's id, the same at every attempt.
    ``address`` and ``in_reply_to`` (a Message-ID without brackets): where it goes when it answers a letter."""

    message: int
    recipient: str
    recipient_name: str
    subject: str
    body: str
    address: str | None = None
    in_reply_to: str | None = None
