"""What a channel is handed: words that are ready to be read, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from policy_models.notices import ActNotice


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one unit or person, or to whoever wrote to us. ``message``: the outbox row's id, the same at every
    attempt; ``key`` its key. ``link``: the page it leads to. ``address``: an e-mail address, or whom a robot is to call
    (@): a mobile number, else the name by which the robot's platform knows the person. ``in_reply_to`` (a Message-ID
    without brackets): the letter it answers. ``act``: what another system is told of, whose facts are sent instead of words."""

    message: int
    key: str
    kind: str
    recipient: str
    recipient_name: str
    subject: str
    body: str
    link: str = ""
    person_name: str | None = None
    address: str | None = None
    in_reply_to: str | None = None
    act: ActNotice | None = None
