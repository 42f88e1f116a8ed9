"""What is wrong with a channel's settings beyond their types. Sentences never repeat an address or a secret."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from notifications.channel_config import ChannelConfig
from policy_models.act_events import ActEvent
from policy_models.channels import ChannelKind

MOST_A_MINUTE = {ChannelKind.DINGTALK: 20, ChannelKind.WECOM: 20, ChannelKind.FEISHU: 100}  # the vendors' own limits
TOKEN = {ChannelKind.DINGTALK: "access_token", ChannelKind.WECOM: "key"}  # what the address of a robot must carry
SECRET_PREFIX = "whsec_"  # of a Standard Webhooks secret
SECRET_BYTES = (24, 64)


def wrong(config: ChannelConfig) -> Iterator[tuple[str, str]]:
    """Each fault: the field ("" for none), and one Chinese sentence."""
    kind = config.kind
    if kind in (ChannelKind.INBOX, ChannelKind.EMAIL):
        why = "电子邮件由环境变量 LUCHENG_SMTP_… 设置" if kind is ChannelKind.EMAIL else "站内消息始终可用"
        yield "kind", f"{why}，不在此文件中设置"
        return
    if config.smtp is not None:
        yield "", "发信服务器由环境变量 LUCHENG_SMTP_… 设置，不在此文件中设置"
    yield from _acts(config)
    if kind is ChannelKind.CONSOLE:
        return
    yield from _address(config)
    if config.per_minute and config.per_minute > MOST_A_MINUTE.get(kind, config.per_minute):
        yield "per_minute", f"{config.facts.name}每分钟不得超过 {MOST_A_MINUTE[kind]} 条"
    if config.keyword and kind not in (ChannelKind.DINGTALK, ChannelKind.FEISHU):
        yield "keyword", "只有钉钉、飞书机器人有关键词"
    yield from _secret(config)


def _acts(config: ChannelConfig) -> Iterator[tuple[str, str]]:
    """What a channel wants to be told of as it happens."""
    if (config.acts or config.units) and config.kind is not ChannelKind.WEBHOOK:
        yield "acts" if config.acts else "units", "只有 webhook 可以订阅办理动态"
        return
    if len(set(config.acts) & set(ActEvent)) != len(config.acts):
        yield "acts", f"只能是 {'、'.join(ActEvent)}，各写一次"
    if config.units and not config.acts:
        yield "units", "写明 acts 才能限定单位"
    if not all(
        one.isascii() and one.isprintable() and one and "," not in one and len(one) <= 24 for one in config.units
    ):
        yield "units", "须为单位代码的列表"


def webhook_key(config: ChannelConfig) -> bytes:
    """The bytes of a webhook's secret. Raises ValueError with one sentence."""
    text = config.secret.get_secret_value()
    low, high = SECRET_BYTES
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(SECRET_PREFIX) or not low <= len(key) <= high:
        raise ValueError(f"Webhook 须有密钥：{SECRET_PREFIX} 加 {low} 至 {high} 字节随机数的 Base64")
    return key


def _secret(config: ChannelConfig) -> Iterator[tuple[str, str]]:
    text = config.secret.get_secret_value()
    if config.kind is ChannelKind.WEBHOOK:
        try:
            webhook_key(config)
        except ValueError as error:
            yield "secret", str(error)
    elif config.kind is ChannelKind.WECOM and text:
        yield "secret", "企业微信机器人没有签名密钥，密钥就在网址的 key 中"
    elif not text.isascii() or not text.isprintable() or " " in text:
        yield "secret", "密钥含有不能使用的字符"


def _address(config: ChannelConfig) -> Iterator[tuple[str, str]]:
    text = config.url.get_secret_value()
    url = _split(text)
    if url is None:
        yield "url", "缺少此项" if not text else "不是完整的网址，应以 https:// 开头"
        return
    if url.scheme == "http" and not config.allow_private:
        yield "url", "须为 https 网址；内网地址可另写 allow_private: true 后用 http"
    if url.username is not None or url.password is not None:
        yield "url", "网址中不能带用户名和密码"
    if url.fragment:
        yield "url", "网址中不能有 #"
    token = TOKEN.get(config.kind)
    if token and not parse_qs(url.query).get(token, [""])[0]:
        yield "url", f"{config.facts.name}的网址须带 {token}，请从机器人设置页完整复制"


def _split(text: str) -> SplitResult | None:
    """The address taken apart; None for what is no http address. Full-width characters, blanks and controls are not
    tolerated: each program reads them in another way."""
    if not text.isascii() or not text.isprintable() or any(c in text for c in ' \\"<>^`{|}'):
        return None
    try:
        url = urlsplit(text)
        fits = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return None
    return url if fits else None
