"""A generic webhook by Standard Webhooks: whoever receives it can check who sent it and when, and knows a double by its
``webhook-id``."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from notifications.channel_checks import webhook_key
from notifications.channel_config import ChannelConfig
from notifications.channels.answers import refused_by_status
from notifications.channels.wording import packed
from notifications.letter import Letter
from notifications.outgoing import post
from policy_models.errors import DeliveryError
from policy_models.notices import ActNotice


def send(config: ChannelConfig, letter: Letter, now: datetime) -> str:
    """Post the letter; any 2xx says that it was taken. Raises DeliveryError."""
    body = packed(content(letter, now))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "lucheng",
        **signature(config, name_of(letter), body, now),
    }
    answer = post(config.url.get_secret_value(), body, headers, allow_private=config.allow_private)
    refused_by_status(config, answer)
    return f"HTTP {answer.status}"


def content(letter: Letter, now: datetime) -> dict[str, Any]:
    """The facts of a letter, without anybody's address; of an act the facts alone."""
    if letter.act is not None:
        return act_content(letter.key, letter.act)
    to = {"code": letter.recipient, "name": letter.recipient_name, "person": letter.person_name}
    words = {"subject": letter.subject, "body": letter.body, "link": letter.link}
    return {
        "type": f"notice.{letter.kind}",
        "timestamp": now.isoformat(timespec="milliseconds"),
        "data": {"key": letter.key, "kind": letter.kind, "recipient": to, **words},
    }


def act_content(key: str, act: ActNotice) -> dict[str, Any]:
    """What happened to which items. ``timestamp``: when it was done."""
    items = [
        {
            "key": one.key,
            "unit": one.unit_code,
            "requirement": one.requirement,
            "period": one.period,
            "state": one.state,
            "revision": one.revision,
            "deadline": one.deadline.isoformat(),
        }
        for one in act.lines
    ]
    return {
        "type": f"act.{act.act}",
        "timestamp": act.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "data": {"key": key, "plan": act.plan_code, "round": act.round_code, "items": items},
    }


def name_of(letter: Letter) -> str:
    """The id of a message, the same at every attempt."""
    return f"msg_{letter.message}_{hashlib.sha256(letter.key.encode()).hexdigest()[:16]}"


def signature(config: ChannelConfig, name: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers. Raises DeliveryError for a secret that is none."""
    try:
        key = webhook_key(config)
    except ValueError as error:
        raise DeliveryError(str(error), permanent=True) from None
    stamp = str(int(now.timestamp()))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
