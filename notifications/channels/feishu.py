"""飞书自定义机器人: a post (rich text, in which nothing is markup), signed in the body; taken only when code is 0."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from notifications.channel_config import ChannelConfig
from notifications.channels.answers import SHORT_PAUSE, Refusal, decided, without_secrets
from notifications.channels.robot import room, send_all
from notifications.channels.splitting import split
from notifications.channels.wording import lines_of, numbered, packed, pieces, title_of
from notifications.letter import Letter
from notifications.outgoing import Answer

LIMIT = 20_000  # bytes of a request; the robot takes 20 KB
SIGNED = 80  # bytes that timestamp and signature add
KNOWN = re.compile(r"(?:ou|on)_[0-9A-Za-z]{8,64}")  # how the robot knows a person
REFUSALS = {
    9499: Refusal("请求格式不符或发送过快", permanent=False, pause=SHORT_PAUSE),
    11232: Refusal("发送过快，超过对方限制", permanent=False, pause=SHORT_PAUSE),
    19001: Refusal("网址无效，机器人可能已被移除"),
    19021: Refusal("签名不符，请核对密钥和本机时钟"),
    19022: Refusal("本机的 IP 地址不在机器人的白名单中"),
    19024: Refusal("内容不含机器人要求的关键词"),
}


def send(config: ChannelConfig, letter: Letter, now: datetime) -> str:
    """Post the letter to the robot's group. Raises DeliveryError."""
    url, signature = config.url.get_secret_value(), _signature(config, now)

    def read(answer: Answer) -> str:
        found = decided(config, answer, ("code", "msg"), REFUSALS)
        return f"code 0 {without_secrets(config, str(found.get('msg', '')))}".strip()

    return send_all(config, parts(config, letter), lambda part: (url, packed({**signature, **part})), read)


def parts(config: ChannelConfig, letter: Letter) -> list[dict[str, Any]]:
    """The requests that one letter takes; whoever it calls is called in the first."""
    title, call = title_of(letter, config.keyword), _call(letter)
    most = room(LIMIT - SIGNED, _payload(numbered(title, 98, 99), [call] if call else []))
    found = split(lines_of(letter), most, lambda line: len(packed({"": _paragraph(line)}))) or [[]]
    payloads = []
    for place, lines in enumerate(found):
        paragraphs = [_paragraph(line) for line in lines] + ([call] if call and place == 0 else [])
        payloads.append(_payload(numbered(title, place, len(found)), paragraphs))
    return payloads


def _payload(title: str, paragraphs: list[list[dict[str, str]]]) -> dict[str, Any]:
    return {"msg_type": "post", "content": {"post": {"zh_cn": {"title": title, "content": paragraphs}}}}


def _paragraph(line: str) -> list[dict[str, str]]:
    """An empty line is a blank: an element without words is none."""
    return [
        {"tag": "a", "text": words, "href": words} if is_link else {"tag": "text", "text": words or " "}
        for words, is_link in pieces(line)
    ]


def _call(letter: Letter) -> list[dict[str, str]]:
    name = (letter.address or "").strip()
    return [{"tag": "at", "user_id": name}] if KNOWN.fullmatch(name) else []


def _signature(config: ChannelConfig, now: datetime) -> Mapping[str, str]:
    """Timestamp (seconds) and signature, where the robot has a secret: the key signs nothing."""
    secret = config.secret.get_secret_value()
    if not secret:
        return {}
    stamp = str(int(now.timestamp()))
    digest = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}
