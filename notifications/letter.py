"""What a channel is handed: words that are ready to be read, and for whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one unit. ``message``: the outbox row's id, the same at every attempt."""

    message: int
    recipient: str
    recipient_name: str
    subject: str
    body: str
