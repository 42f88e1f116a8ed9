"""A letter's bytes become an IncomingLetter: whatever programs write, something readable comes of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.feedparser import BytesFeedParser
from email.message import Message
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser

from documents.mail_words import decode, header, parameter
from documents.returned_mail import returned_letter
from policy_models.file_names import plain_name
from policy_models.letters import ADDRESS, FIRST_LINES, Attachment, IncomingLetter, canonical_address
from policy_models.text import written

MOST_ATTACHMENTS = 50
MOST_PARTS = 500
OPENING_LIMIT = 600  # characters
FED = 1 << 16  # bytes at a time: the parser would otherwise hold the whole letter once more, four bytes a character
EXTENSIONS = {
    "application/msword": ".doc",
    "application/pdf": ".pdf",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
# Not what somebody wanted to hand in: signatures, invitations, and parts that only programs read.
PASSED_OVER = {
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "text/calendar",
    "text/rfc822-headers",
}
OUTLOOK = "附件是 Outlook 专用格式（winmail.dat），不能读取，请把邮件格式改为“HTML”或“纯文本”后重新发送"
ENCRYPTED = "邮件经过加密，不能读取，请不加密重新发送"
CLOUD = re.compile(
    r"超大附件|文件中转站|网盘|云附件|/ftn/|mail\.(?:qq|163|126)\.com/\S*(?:download|filehub)", re.IGNORECASE
)
AUTOMATIC_SUBJECT = re.compile(
    r"[\[【]?\s*(自动回复|自动答复|自动应答|auto(matic)?[- ]?(reply|response)|out of office)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a letter that was fetched piece by piece: its own head, and either its bytes as they travel (``body``),
    or its content (``data``), or none of both where it was too large to be fetched: then ``reason`` says so and ``size``
    about how many bytes it has."""

    head: bytes
    body: bytes | None = None
    data: bytes | None = None
    size: int = 0
    reason: str | None = None


def identity(head: bytes, size: int) -> str:
    """What tells a letter from all others: its Message-ID, else a digest of its head and its size in bytes. A very
    long Message-ID stands as a digest."""
    value = header(_first(_message([head]), "message-id"))
    found = re.search(r"<([^<>]+)>", value)
    name = re.sub(r"\s", "", found[1] if found else value.strip("<> "))
    if name and len(name) <= 200:
        return name
    data = name.encode() if name else head + f"\n{size}".encode()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def parse(raw: bytes, message_id: str = "") -> IncomingLetter:
    """A whole letter. ``message_id``: as ``identity`` told it; else it is told here."""
    message = _message(raw[start : start + FED] for start in range(0, len(raw), FED))
    name = message_id or identity(raw[: _head_length(raw)], len(raw))
    return _letter(message, name, ((leaf, None) for leaf in _leaves(message)))


def assemble(head: bytes, message_id: str, parts: Sequence[Part]) -> IncomingLetter:
    """A letter that was too large to be fetched whole, from its head and those parts that were fetched."""
    return _letter(_message([head]), message_id, _pieces(parts))


def _pieces(parts: Iterable[Part]) -> Iterator[tuple[Message, Part | None]]:
    for part in parts:
        if part.body is None:
            yield _message([part.head]), part
        else:
            for leaf in _leaves(_message([part.head, part.body])):
                yield leaf, None


def _head_length(raw: bytes) -> int:
    ends = [place + len(end) for end in (b"\r\n\r\n", b"\n\n") if (place := raw.find(end)) >= 0]
    return min(ends, default=len(raw))


def _message(pieces: Iterable[bytes]) -> Message:
    parser = BytesFeedParser()
    for piece in pieces:
        parser.feed(piece)
    return parser.close()


def _leaves(message: Message) -> Iterator[Message]:
    """Every part that holds something, in order; without recursion, since somebody may nest a thousand levels."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part, seen = waiting.pop(), seen + 1
        payload = part.get_payload()
        if isinstance(payload, list):
            waiting.extend(reversed([one for one in payload if isinstance(one, Message)]))
        else:
            yield part


def _letter(message: Message, message_id: str, leaves: Iterable[tuple[Message, Part | None]]) -> IncomingLetter:
    sender, subject = _sender(message), header(_first(message, "subject"))
    bounce = _is_bounce(message, sender)
    texts: list[str] = []
    attachments: list[Attachment] = []
    for leaf, apart in leaves:
        if _is_attachment(leaf):
            if not bounce:
                attachments.append(_attachment(leaf, apart, len(attachments)))
        elif apart is None and leaf.get_content_maintype() == "text" and len(texts) < 2:
            texts.append(_text(leaf))
    answers = f"{_first(message, 'in-reply-to')} {_first(message, 'references')}"
    return IncomingLetter(
        message_id=message_id,
        sender=sender,
        subject=subject,
        sent_at=_sent_at(_first(message, "date")),
        opening=_opening(texts[0] if texts else ""),
        attachments=tuple(attachments),
        automatic=bounce or _is_automatic(message, subject),
        bounce=bounce,
        returned=returned_letter(message, subject) if bounce else None,
        in_reply_to=tuple(re.findall(r"<([^<>\s]+)>", answers)),
        clouded=any(CLOUD.search(text) for text in texts),
    )


def _all(message: Message, name: str) -> list[str]:
    """The values of a header as they came: ``get`` would replace raw bytes."""
    return [str(value) for key, value in message.raw_items() if key.lower() == name]


def _first(message: Message, name: str) -> str:
    return next(iter(_all(message, name)), "")


def _sender(message: Message) -> str:
    for name in ("from", "sender", "return-path"):
        raw = _first(message, name)
        for text in (raw, header(raw)):
            bracketed = re.search(r"<\s*([^<>\s]+@[^<>\s]+)\s*>", text)
            found = bracketed[1] if bracketed else next(iter(ADDRESS.findall(text.replace("\uff20", "@"))), "")
            if address := canonical_address(found):
                return address
    return ""


def _sent_at(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(header(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _is_bounce(message: Message, sender: str) -> bool:
    report = (parameter(_first(message, "content-type"), "report-type") or "").lower()
    return report == "delivery-status" or sender.partition("@")[0] in {"mailer-daemon", "postmaster"}


def _is_automatic(message: Message, subject: str) -> bool:
    def said(name: str) -> str:
        return _first(message, name).strip().lower()

    return (
        said("auto-submitted").partition(";")[0].strip() not in {"", "no"}
        or said("precedence") in {"bulk", "list", "junk", "auto_reply"}
        or any(said(name) for name in ("list-id", "list-unsubscribe", "x-autoreply", "x-autorespond"))
        or any(word in said("x-auto-response-suppress") for word in ("all", "autoreply"))
        or said("return-path") == "<>"
        or message.get_content_type() == "multipart/report"
        or AUTOMATIC_SUBJECT.match(subject) is not None
    )


def _is_attachment(leaf: Message) -> bool:
    kind = leaf.get_content_type()
    if kind in PASSED_OVER or (leaf.get_content_maintype() == "message" and kind != "message/rfc822"):
        return False
    disposition = _first(leaf, "content-disposition").strip().lower()
    named = _name(leaf) is not None
    if leaf.get_content_maintype() == "image" and not disposition.startswith("attachment"):
        return False  # a logo in a signature, a picture in the text
    if leaf.get_content_maintype() == "text" and not disposition.startswith("attachment"):
        return named and kind not in {"text/plain", "text/html"}
    return named or disposition.startswith("attachment") or leaf.get_content_maintype() != "text"


def _name(leaf: Message) -> str | None:
    for field, key in (("content-disposition", "filename"), ("content-type", "name")):
        if found := parameter(_first(leaf, field), key):
            return found
    return header(_first(leaf, "content-description")) or None


def _attachment(leaf: Message, apart: Part | None, before: int) -> Attachment:
    kind = leaf.get_content_type()
    written_name = _name(leaf)
    name = plain_name(written_name) if written_name else f"附件{before + 1}{EXTENSIONS.get(kind, '')}"
    if apart is not None and apart.data is None:
        return Attachment(name, apart.size, None, apart.reason)
    data = apart.data if apart is not None else leaf.get_payload(decode=True)
    leaf.set_payload("")  # the encoded text is no longer needed
    body = data if isinstance(data, bytes) else b""
    if before >= MOST_ATTACHMENTS:
        return Attachment(name, len(body), None, f"一封来信最多收取 {MOST_ATTACHMENTS} 个附件，请分几封发送")
    if kind == "application/ms-tnef" or name.lower() == "winmail.dat":
        return Attachment(name, len(body), None, OUTLOOK)
    if kind in {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"}:
        return Attachment(name, len(body), None, ENCRYPTED)
    return Attachment(name, len(body), body)


def _text(leaf: Message) -> str:
    data = leaf.get_payload(decode=True)
    body = decode(data if isinstance(data, bytes) else b"", parameter(_first(leaf, "content-type"), "charset") or "")
    return _Words.of(body) if leaf.get_content_type() == "text/html" else body


def _opening(text: str) -> str:
    lines = (line.strip() for line in written(text).splitlines())
    return "\n".join([line for line in lines if line and not line.startswith(">")][:FIRST_LINES])[:OPENING_LIMIT]


class _Words(HTMLParser):
    """What a person reads of HTML, and the addresses that links lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = 0

    @classmethod
    def of(cls, html: str) -> str:
        reader = cls()
        reader.feed(html)
        return "".join(reader.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden = 0 if tag == "body" else self.hidden + (tag in {"style", "script", "head"})
        if tag in {"br", "p", "div", "tr", "li"}:
            self.words.append("\n")
        if tag == "a":
            self.words += [f" {value} " for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"style", "script", "head"} and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)
