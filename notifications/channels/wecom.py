"""企业微信群机器人: text where it fits into one message or somebody is to be called, else markdown, which may be longer
but knows nobody by a mobile number. The key stands in the address; there is no signature."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from notifications.channel_config import ChannelConfig
from notifications.channels.answers import SHORT_PAUSE, Refusal, decided, without_secrets
from notifications.channels.robot import send_all
from notifications.channels.splitting import split
from notifications.channels.wording import lines_of, markdown, mobile, numbered, packed, title_of
from notifications.letter import Letter
from notifications.outgoing import Answer

TEXT_LIMIT, MARKDOWN_LIMIT = 2048, 4096  # bytes of the content in UTF-8
REFUSALS = {
    -1: Refusal("系统繁忙", permanent=False),
    45009: Refusal("发送过快，超过对方限制", permanent=False, pause=SHORT_PAUSE),
    45033: Refusal("同时发送过多", permanent=False, pause=SHORT_PAUSE),
    93000: Refusal("网址中的 key 无效，机器人可能已被移除"),
    40008: Refusal("消息类型不受支持"),
    40058: Refusal("内容不符合要求或过长"),
    44004: Refusal("内容为空"),
    45002: Refusal("内容过长"),
}


def send(config: ChannelConfig, letter: Letter, _now: datetime) -> str:
    """Post the letter to the robot's group. Raises DeliveryError."""
    url = config.url.get_secret_value()

    def read(answer: Answer) -> str:
        found = decided(config, answer, ("errcode", "errmsg"), REFUSALS)
        return f"errcode 0 {without_secrets(config, str(found.get('errmsg', '')))}".strip()

    return send_all(config, parts(config, letter), lambda part: (url, packed(part)), read)


def parts(_config: ChannelConfig, letter: Letter) -> list[dict[str, Any]]:
    """The requests that one letter takes; whoever it calls is called in the first."""
    title, lines, call = title_of(letter), lines_of(letter), _call(letter)
    whole = "\n".join([title, *lines])
    if call or _bytes(whole) <= TEXT_LIMIT:
        kind, most, written, mark = "text", TEXT_LIMIT, lines, ""
    else:
        kind, most, written, mark = "markdown", MARKDOWN_LIMIT, [markdown(line) for line in lines], "#### "
        title = markdown(title)
    found = split(written, most - _bytes(f"{mark}{numbered(title, 98, 99)}\n"), lambda line: _bytes(line) + 1) or [[]]
    payloads: list[dict[str, Any]] = []
    for place, some in enumerate(found):
        content = "\n".join([mark + numbered(title, place, len(found)), *some])
        payloads.append({"msgtype": kind, kind: {"content": content, **(call if place == 0 else {})}})
    return payloads


def _call(letter: Letter) -> dict[str, list[str]]:
    number = mobile(letter.address)
    if number:
        return {"mentioned_mobile_list": [number]}
    name = (letter.address or "").strip()
    return {"mentioned_list": [name]} if name and name.lower() not in ("all", "@all") else {}


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
