"""退信: which letter of ours a bounce speaks of, and why it came back. By RFC 3464 where the server keeps to it, else by
what servers write that do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.feedparser import BytesFeedParser
from email.message import Message

from documents.mail_words import header
from policy_models.message_names import Returned, row_named

MOST_PARTS = 100
QUOTES = {"message/rfc822", "message/rfc822-headers", "message/global", "message/global-headers"}
MOST_BYTES = 64 * 1024  # of quoted heads
STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
REPLY = re.compile(r"(?<!\d)([45]\d\d)(?!\d)")
IDENTIFIER = re.compile(r"<([^<>@\s]{1,200})@[^<>\s]*>")
NOT_YET = re.compile(r"delay|warning|still being|延迟|推迟|延误|暂未", re.IGNORECASE)
# By the enhanced status codes of RFC 3463: subject and detail
REASONS = {
    (1, 1): "收件地址不存在",
    (1, 2): "收件地址的域名不存在",
    (1, 3): "收件地址的写法有误",
    (1, 6): "收件邮箱已经迁走",
    (1, 10): "收件地址的域名不收邮件",
    (2, 1): "收件邮箱已停用",
    (2, 2): "收件邮箱已满",
    (2, 3): "邮件超过对方的大小限制",
    (3, 4): "邮件超过对方的大小限制",
    (4, 1): "对方邮件服务器长时间没有应答",
    (4, 4): "找不到对方邮件服务器",
    (4, 7): "多次发送没有成功，已超过期限",
}
SUBJECTS = {1: "收件地址有误", 2: "收件邮箱不能收信", 4: "与对方邮件服务器的网络不通", 7: "对方邮件服务器拒收"}
OTHERWISE = "对方邮件服务器退回"


def returned_letter(message: Message, subject: str) -> Returned | None:
    """What a bounce is about: None where it names no letter of ours, or only says that it is late."""
    parts = list(_parts(message))
    reports = [one for one in parts if one.get_content_type() == "message/delivery-status"]
    status = _failure(reports)
    if status is None and (reports or NOT_YET.search(subject)):
        return None
    name = next((one for one in _named(message, parts) if row_named(one) is not None), None)
    return Returned(name, _reason(status or "")) if name else None


def _parts(message: Message) -> Iterator[Message]:
    """The letter's own parts, not those of letters in it."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part, seen = waiting.pop(0), seen + 1
        yield part
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += [one for one in payload if isinstance(one, Message)]


def _failure(reports: list[Message]) -> str | None:
    """The status of the first recipient whose delivery failed for good; None where there is none."""
    for report in reports:
        blocks = report.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if isinstance(block, Message) and header(str(block.get("action", ""))).lower().startswith("failed"):
                return f"{header(str(block.get('status', '')))} {header(str(block.get('diagnostic-code', '')))}"
    return None


def _named(message: Message, parts: list[Message]) -> Iterator[str]:
    """The identifiers of the letters that a bounce speaks of: of the letter or the head that it quotes, else of what it
    answers."""
    for part in parts:
        kind, payload = part.get_content_type(), part.get_payload()
        if kind in QUOTES and isinstance(payload, list) and payload and isinstance(payload[0], Message):
            yield from _identifiers(payload[0], "message-id")
        elif kind == "text/rfc822-headers":
            yield from _identifiers(_head(part), "message-id")
    for name in ("x-original-message-id", "original-message-id", "in-reply-to", "references"):
        yield from _identifiers(message, name)


def _head(part: Message) -> Message:
    data = part.get_payload(decode=True)
    parser = BytesFeedParser()
    parser.feed(data[:MOST_BYTES] if isinstance(data, bytes) else b"")
    return parser.close()


def _identifiers(message: Message, name: str) -> list[str]:
    return [found for value in message.get_all(name, []) for found in IDENTIFIER.findall(str(value))]


def _reason(status: str) -> str:
    """In words and by the code; never the server's own words, which may repeat an address or quote the letter."""
    codes = [(found[0], int(found[2]), int(found[3])) for found in STATUS.finditer(status)]
    telling = [one for one in codes if one[1:] != (0, 0)] or codes  # "5.0.0" says nothing; the diagnosis may say more
    if telling:
        code, subject, detail = telling[0]
        return f"{REASONS.get((subject, detail)) or SUBJECTS.get(subject, OTHERWISE)}（{code}）"
    reply = REPLY.search(status)
    return f"{OTHERWISE}（{reply[1]}）" if reply else OTHERWISE
