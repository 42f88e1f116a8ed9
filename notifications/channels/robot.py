"""What the three group robots have in common: a message in parts, each sent as JSON, each answer read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from notifications.channel_config import ChannelConfig
from notifications.channels.wording import packed
from notifications.outgoing import Answer, post
from policy_models.errors import DeliveryError

JSON = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "lucheng"}
LONGEST_WAIT = timedelta(minutes=1)  # between two parts of one letter


def send_all(
    config: ChannelConfig,
    parts: Sequence[Mapping[str, Any]],
    sign: Callable[[Mapping[str, Any]], tuple[str, bytes]],
    read: Callable[[Answer], str],
) -> str:
    """Send the parts in order; the answer to the last. ``sign``: the address and the body of one part; ``read``: the
    words of an answer, or DeliveryError. Where the robot asks for quiet between two parts, it is waited once for up to
    LONGEST_WAIT: a letter that is half there helps nobody.

    Raises DeliveryError; uncertain when some parts were taken and another was not, so that nobody reads them twice.
    """
    said, place, patient = "", 0, True
    while place < len(parts):
        url, body = sign(parts[place])
        try:
            said = read(post(url, body, JSON, allow_private=config.allow_private))
            place += 1
        except DeliveryError as error:
            if place == 0:
                raise
            if not (patient and error.pause and error.pause <= LONGEST_WAIT) or error.permanent or error.uncertain:
                raise _half(error, place, len(parts)) from error
            patient = False
            time.sleep(error.pause.total_seconds())
    return said if len(parts) == 1 else f"{said}（共 {len(parts)} 段）"


def _half(error: DeliveryError, place: int, count: int) -> DeliveryError:
    why = f"消息分 {count} 段发送，前 {place} 段已送达，第 {place + 1} 段没有确认送达：{error}"
    return DeliveryError(why, permanent=False, uncertain=True, pause=error.pause)


def room(most: int, empty: Mapping[str, Any]) -> int:
    """How many bytes of words fit into a payload of at most ``most`` bytes."""
    return most - len(packed(empty))
