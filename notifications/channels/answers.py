"""What receivers answer, read for what it means: a robot says in the body whether it took a message, whatever the HTTP
status says. Nothing that is told of an answer holds the channel's address, its secret, or a telephone number."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from notifications.channel_config import ChannelConfig
from notifications.outgoing import Answer
from policy_models.errors import DeliveryError

WORDS = 120  # characters of what the other side says that are kept
LONGEST_PAUSE = timedelta(hours=1)
SHORT_PAUSE = timedelta(minutes=1)  # where it asks for quiet and does not say how long
LONG_NUMBER = re.compile(r"\d{7,}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code means: ``why`` in Chinese; ``pause``: how long the robot wants to be left alone."""

    why: str
    permanent: bool = True
    pause: timedelta | None = None


def decided(
    config: ChannelConfig, answer: Answer, names: tuple[str, str], refusals: Mapping[int, Refusal]
) -> Mapping[str, Any]:
    """The body of an answer that says the message was taken. ``names``: of the code and of the words in it.

    Raises DeliveryError by the code; by the status where there is none; uncertain for an answer that cannot be read.
    """
    found = _object(answer)
    code = found.get(names[0])
    if isinstance(code, bool) or not isinstance(code, int):
        refused_by_status(config, answer)
        raise DeliveryError("对方的答复无法识别，不能确定是否送达", permanent=False, uncertain=True)
    if code == 0:
        return found
    said = without_secrets(config, str(found.get(names[1]) or ""))
    known = refusals.get(code)
    if known is not None:
        raise DeliveryError(
            f"{config.facts.name}没有接受（{code}）：{known.why}", permanent=known.permanent, pause=known.pause
        )
    pause = _asked_for(answer) if answer.status == 429 else None
    raise DeliveryError(
        f"{config.facts.name}没有接受（{code}）：{said or '没有说明原因'}", permanent=False, pause=pause
    )


def refused_by_status(config: ChannelConfig, answer: Answer) -> None:
    """Raises DeliveryError unless the status is 2xx."""
    status, name = answer.status, config.facts.name
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise DeliveryError(f"{name}的网址要求转到其他地址（{status}），不予跟随，请核对网址", permanent=True)
    if status == 429 or (status == 503 and answer.retry_after):
        raise DeliveryError(f"{name}要求稍后再发（{status}）", permanent=False, pause=_asked_for(answer))
    if status in (502, 504):  # somebody between us and them does not know either
        raise DeliveryError(f"{name}的网关没有得到答复（{status}），不能确定是否送达", permanent=False, uncertain=True)
    if status == 408 or status >= 500 or status < 200:
        raise DeliveryError(f"{name}暂时不能接受（{status}）", permanent=False)
    raise DeliveryError(f"{name}没有接受（{status}），请核对网址和设置", permanent=True)


def without_secrets(config: ChannelConfig, text: str) -> str:
    """Words of the other side, fit to be shown and stored: on one line, short, without anything secret in them."""
    for secret in sorted(_secrets(config), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return LONG_NUMBER.sub("***", text)[:WORDS]


def _secrets(config: ChannelConfig) -> set[str]:
    """The secret, and every part of the address that could be one."""
    url = urlsplit(config.url.get_secret_value())
    values = [value for pair in url.query.split("&") for value in pair.split("=", 1)[1:]]
    pieces = {config.secret.get_secret_value(), url.geturl(), *values, *url.path.split("/")}
    pieces |= {unquote(one) for one in pieces} | {quote(one, safe="") for one in pieces}
    return {one for one in pieces if len(one) >= 6}


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _asked_for(answer: Answer) -> timedelta:
    """How long the other side wants to be left alone, as Retry-After has it in seconds."""
    text = answer.retry_after.strip()
    asked = timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else SHORT_PAUSE
    return min(max(asked, timedelta(seconds=1)), LONGEST_PAUSE)
