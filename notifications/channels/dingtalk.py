"""钉钉自定义机器人: markdown, signed in the query; whether it was taken stands in errcode, the HTTP status is always 200."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from notifications.channel_config import ChannelConfig
from notifications.channels.answers import Refusal, decided, without_secrets
from notifications.channels.robot import room, send_all
from notifications.channels.splitting import split
from notifications.channels.wording import lines_of, markdown, mobile, numbered, packed, title_of
from notifications.letter import Letter
from notifications.outgoing import Answer

LIMIT = 20_000  # bytes of a request; the robot takes 20 KB
BREAK = "  \n"  # a single line end does not break a line
LOCKED = timedelta(minutes=10)  # how long it refuses after more than 20 messages in a minute
REFUSALS = {
    -1: Refusal("系统繁忙", permanent=False),
    130101: Refusal("发送过快，对方 10 分钟内不再接受", permanent=False, pause=LOCKED),
    410100: Refusal("发送过快，对方 10 分钟内不再接受", permanent=False, pause=LOCKED),
    310000: Refusal("安全设置不符，请核对加签密钥、关键词、IP 地址段和本机时钟"),
    300005: Refusal("网址中的 access_token 无效"),
    400101: Refusal("网址中的 access_token 无效"),
    400013: Refusal("群已解散"),
    400102: Refusal("机器人已停用"),
    400106: Refusal("机器人已不存在"),
    400105: Refusal("消息类型不受支持"),
    430101: Refusal("内容含有不安全的链接"),
    430102: Refusal("内容含有不合适的文字"),
    430103: Refusal("内容含有不合适的图片"),
    430104: Refusal("内容不合适"),
}


def send(config: ChannelConfig, letter: Letter, now: datetime) -> str:
    """Post the letter to the robot's group. Raises DeliveryError."""
    return send_all(config, parts(config, letter), lambda part: (_signed(config, now), packed(part)), _reader(config))


def parts(config: ChannelConfig, letter: Letter) -> list[dict[str, Any]]:
    """The requests that one letter takes; whoever it calls is called in the first."""
    title, call = title_of(letter, config.keyword), _call(letter)
    longest = numbered(title, 98, 99)
    most = room(LIMIT, _payload(longest, f"#### {markdown(longest)}\n\n\n@{letter.address or ''}", call))
    found = split(
        [markdown(line) for line in lines_of(letter)], most, lambda line: len(packed({"": line})) - 7 + len(BREAK) + 1
    )
    payloads = []
    for place, lines in enumerate(found or [[]]):
        head = numbered(title, place, len(found))
        called = call if place == 0 else {}
        text = f"#### {markdown(head)}\n\n{BREAK.join(lines)}"
        names = [*called.get("atMobiles", ()), *called.get("atUserIds", ())]
        payloads.append(_payload(head, "\n\n".join([text, *(f"@{name}" for name in names)]), called))
    return payloads


def _payload(title: str, text: str, call: Mapping[str, Any]) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": {**call, "isAtAll": False}}


def _call(letter: Letter) -> dict[str, list[str]]:
    number = mobile(letter.address)
    if number:
        return {"atMobiles": [number]}
    name = (letter.address or "").strip()
    return {"atUserIds": [name]} if name and name.lower() not in ("all", "@all") else {}


def _signed(config: ChannelConfig, now: datetime) -> str:
    """The address with timestamp (milliseconds) and signature, where the robot has a secret."""
    url, secret = config.url.get_secret_value(), config.secret.get_secret_value()
    if not secret:
        return url
    stamp = int(now.timestamp() * 1000)
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return f"{url}&timestamp={stamp}&sign={quote(base64.b64encode(digest), safe='')}"


def _reader(config: ChannelConfig) -> Any:
    def read(answer: Answer) -> str:
        found = decided(config, answer, ("errcode", "errmsg"), REFUSALS)
        return f"errcode 0 {without_secrets(config, str(found.get('errmsg', '')))}".strip()

    return read
