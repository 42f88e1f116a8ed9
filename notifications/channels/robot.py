"""What the three group robots have in common: a message in parts, each sent as JSON, each answer read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from notifications.channel_config import ChannelConfig
from notifications.channels.wording import packed
from notifications.outgoing import Answer, post
from policy_models.errors import DeliveryError

JSON = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "lucheng"}


def send_all(
    config: ChannelConfig,
    parts: Sequence[Mapping[str, Any]],
    sign: Callable[[Mapping[str, Any]], tuple[str, bytes]],
    read: Callable[[Answer], str],
) -> str:
    """Send the parts in order; the answer to the last. ``sign``: the address and the body of one part; ``read``: the
    words of an answer, or DeliveryError.

    Raises DeliveryError; uncertain when some parts were taken and another was not, so that nobody reads them twice.
    """
    said = ""
    for place, part in enumerate(parts):
        try:
            url, body = sign(part)
            said = read(post(url, body, JSON, allow_private=config.allow_private))
        except DeliveryError as error:
            if place == 0:
                raise
            why = f"消息分 {len(parts)} 段发送，前 {place} 段已送达，第 {place + 1} 段没有确认送达：{error}"
            raise DeliveryError(why, permanent=False, uncertain=True, pause=error.pause) from error
    return said if len(parts) == 1 else f"{said}（共 {len(parts)} 段）"


def room(most: int, empty: Mapping[str, Any]) -> int:
    """How many bytes of words fit into a payload of at most ``most`` bytes."""
    return most - len(packed(empty))
