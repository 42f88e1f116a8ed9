"""投递: what may become of a message, why one waits, how long after a failure it is tried again, and how fast a channel
may go. All of it pure: jitter comes from the row and the attempt, so equal facts give equal pauses."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from policy_models.channels import EMAIL_CODE, KINDS, ChannelKind, KindFacts


class MessageState(StrEnum):
    """``uncertain``: it may have arrived, and only a person can tell. ``dropped``: nothing of it was left to say."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    DEAD = "dead"
    DROPPED = "dropped"


MESSAGE_STATE_NAMES = {
    MessageState.PENDING: "待发送",
    MessageState.CLAIMED: "发送中",
    MessageState.SENT: "已发送",
    MessageState.UNCERTAIN: "不能确定是否送达",
    MessageState.DEAD: "未能送达",
    MessageState.DROPPED: "不再需要发送",
}


class Waiting(StrEnum):
    """Why a pending message has not gone out yet: follows from facts and the clock, and is stored nowhere."""

    NOT_CONFIGURED = "not_configured"
    UNCONFIRMED = "unconfirmed"
    DOWN = "down"
    CLOSED = "closed"
    AGAIN = "again"
    LIMITED = "limited"
    NEXT = "next"


WAITING_NAMES = {
    Waiting.NOT_CONFIGURED: "渠道未配置",
    Waiting.UNCONFIRMED: "渠道未确认",
    Waiting.DOWN: "渠道不可用",
    Waiting.CLOSED: "非工作时段",
    Waiting.AGAIN: "等待再次发送",
    Waiting.LIMITED: "限速",
    Waiting.NEXT: "等待投递",
}


class ChannelState(StrEnum):
    """How a channel stands. ``CHANGED``: it was confirmed or tested with other settings than it has now."""

    ALWAYS = "always"
    NOT_CONFIGURED = "not_configured"
    UNTESTED = "untested"
    CHANGED = "changed"
    AWAITS = "awaits"
    CONFIRMED = "confirmed"
    LIMITED = "limited"
    DOWN = "down"


CHANNEL_STATE_NAMES = {
    ChannelState.ALWAYS: "始终可用",
    ChannelState.NOT_CONFIGURED: "未配置",
    ChannelState.UNTESTED: "未测试",
    ChannelState.CHANGED: "设置有变，未测试",
    ChannelState.AWAITS: "待确认",
    ChannelState.CONFIRMED: "已确认",
    ChannelState.LIMITED: "暂停（对方限速）",
    ChannelState.DOWN: "暂停（渠道不可用）",
}


class Way(Protocol):
    """What the ledger has to know of a channel's settings: no address, no secret. ``digest``: of all of them;
    ``per_minute``: None for the kind's own."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> ChannelKind: ...
    @property
    def digest(self) -> str: ...
    @property
    def per_minute(self) -> int | None: ...


def facts_of(way: Way) -> KindFacts:
    """What is known of the channel's kind."""
    return KINDS[way.kind]


def limit_of(way: Way) -> int | None:
    """Most messages in any minute; None for as many as there are."""
    return way.per_minute or KINDS[way.kind].per_minute


# Of a message
ATTEMPTS = 5  # then a message is dead until somebody sends it again by hand
MAIL_ATTEMPTS = 19  # of e-mail: some three days, since one mail server may be down over a weekend
BACK_OFF = timedelta(minutes=5)  # doubled with each attempt
LONGEST_PAUSE = timedelta(hours=6)
JITTER = 0.2  # a pause is longer by up to this share, so that what failed together does not come back together
# Of a channel
DOWN_AFTER = 3  # failures in a row, of more than one message
OUTAGE_PAUSE = timedelta(minutes=5)  # doubled with each failure after
LONGEST_OUTAGE_PAUSE = timedelta(hours=1)


def most_attempts(channel: str) -> int:
    """How often a message is tried by itself before it is dead."""
    return MAIL_ATTEMPTS if channel == EMAIL_CODE else ATTEMPTS


def pause_after(message: int, attempt: int) -> timedelta:
    """How long to wait after this attempt (from 1) of a message has failed."""
    return _longer(min(BACK_OFF * 2 ** min(attempt - 1, 20), LONGEST_PAUSE), f"{message}:{attempt}")


def outage_pause(code: str, failures: int) -> timedelta:
    """How long a channel rests after so many failures in a row (at least DOWN_AFTER)."""
    longer = OUTAGE_PAUSE * 2 ** min(max(failures - DOWN_AFTER, 0), 20)
    return _longer(min(longer, LONGEST_OUTAGE_PAUSE), f"{code}:{failures}")


def _longer(pause: timedelta, seed: str) -> timedelta:
    share = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
    return pause + timedelta(seconds=round(pause.total_seconds() * JITTER * share))


def burst(per_minute: int) -> int:
    """How many messages may go out at once where the last minute was quiet."""
    return 1 + per_minute // 10


def refilled(tokens: float, since: datetime | None, now: datetime, per_minute: int) -> float:
    """The tokens of a bucket at ``now`` that had ``tokens`` at ``since`` (None: it was never used, and is full).

    Burst and refill together are no more than ``per_minute`` in any minute, wherever it begins: a robot that takes 20
    in a minute locks out for ten when a second burst follows the first.
    """
    most = burst(per_minute)
    if since is None:
        return float(most)
    passed = max((now - since).total_seconds(), 0.0)
    return min(tokens + passed * (per_minute - most + 1) / 60, float(most))


def until_next(tokens: float, per_minute: int) -> timedelta:
    """How long until a bucket with these tokens has one to give; zero when it has."""
    lacking = max(1.0 - tokens, 0.0)
    return timedelta(seconds=lacking * 60 / (per_minute - burst(per_minute) + 1))
