"""The mailbox, read and never changed: opened for reading only, letters taken with BODY.PEEK, no flag set, nothing
deleted. IMAP with the ID command, without which 163 and QQ refuse to open a folder."""

from __future__ import annotations

import binascii
import imaplib
import io
import re
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial

from imap_tools import BaseMailBox, ImapToolsError, MailBox, MailBoxStartTls, MailBoxUnencrypted

from notifications.imap_answers import PartPlace, groups, part_places, text_of
from notifications.servers import ImapSettings, Security, tls_context
from policy_models.errors import MailboxUnavailable

PEEKED = 50  # heads fetched with one command
CHUNK = 1 << 20  # bytes of a large part that are fetched at a time
HEAD_LIMIT = 256 * 1024  # bytes of a head; a longer one is cut
OURSELVES = '("name" "lucheng" "version" "1" "vendor" "lucheng")'
_NOT_BASE64 = bytes(set(range(256)) - set(string.ascii_letters.encode() + string.digits.encode() + b"+/"))
_BROKEN = (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError)
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_ARRIVED = re.compile(r'INTERNALDATE "\s*(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"')


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A letter before it is fetched: its UID, its size in bytes, when it came into the mailbox (UTC), its head."""

    uid: int
    size: int
    arrived_at: datetime | None
    head: bytes


class OpenMailbox:
    """A folder, open for reading. Every method raises MailboxUnavailable when the connection is lost."""

    def __init__(self, box: BaseMailBox, uidvalidity: int) -> None:
        self._box, self.uidvalidity = box, uidvalidity

    def uids_after(self, uid: int, since: date | None = None) -> list[int]:
        """The UIDs above this one, upwards, of letters that arrived on ``since`` or later by the server's calendar."""
        month = "" if since is None else _MONTHS[since.month * 3 - 3 : since.month * 3]
        asked = f" SINCE {since.day}-{month}-{since.year}" if since else ""
        with _told("列出来信"):
            answer = self._command("SEARCH", f"UID {uid + 1}:*{asked}")
        found = {int(word) for line in answer if isinstance(line, bytes) for word in line.split() if word.isdigit()}
        return sorted(one for one in found if one > uid)  # "n:*" always has the last letter, even below n

    def glimpses(self, uids: Sequence[int]) -> Iterator[Glimpse]:
        """Their heads, upwards; a letter that somebody deletes meanwhile is left out."""
        for start in range(0, len(uids), PEEKED):
            chunk = uids[start : start + PEEKED]
            what = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER]<0.{HEAD_LIMIT}>)"
            with _told("读取信头"):
                found = [_glimpse(text, literals) for text, literals in self._fetch(chunk, what)]
            known = {one.uid: one for one in found if one}
            yield from (known[uid] for uid in chunk if uid in known)

    def letter(self, uid: int) -> bytes | None:
        """The whole letter; None when it is no longer there."""
        with _told("读取来信"):
            return self._literal(uid, "BODY.PEEK[]")

    def parts(self, uid: int) -> tuple[PartPlace, ...]:
        """Where the parts of a letter are and how large, without fetching any."""
        with _told("读取来信结构"):
            for pieces in self._raw(uid, "(UID BODYSTRUCTURE)"):
                return part_places(pieces)
            return ()

    def part_head(self, uid: int, place: str) -> bytes:
        """The head of one part."""
        with _told("读取附件"):
            return self._literal(uid, f"BODY.PEEK[{place}.MIME]") or b"\r\n"

    def part(self, uid: int, place: str) -> bytes:
        """The bytes of one part as they travel."""
        with _told("读取附件"):
            return self._literal(uid, f"BODY.PEEK[{place}]") or b""

    def decoded(self, uid: int, place: str) -> bytes:
        """The content of one part that travels as base64, decoded as it comes: it is never held twice."""
        content, rest, start = io.BytesIO(), b"", 0
        with _told("读取附件"):
            while chunk := self._literal(uid, f"BODY.PEEK[{place}]<{start}.{CHUNK}>"):
                start += len(chunk)
                rest += chunk.translate(None, _NOT_BASE64)
                whole = len(rest) // 4 * 4
                content.write(binascii.a2b_base64(rest[:whole]))
                rest = rest[whole:]
                if len(chunk) < CHUNK:
                    break
        if len(rest) > 1:
            content.write(binascii.a2b_base64(rest + b"=" * (4 - len(rest))))
        return content.getvalue()

    def _literal(self, uid: int, what: str) -> bytes | None:
        for _text, literals in self._fetch([uid], f"(UID {what})"):
            return literals[0] if literals else b""
        return None

    def _fetch(self, uids: Sequence[int], what: str) -> list[tuple[str, list[bytes]]]:
        """The answers that speak of these UIDs: each one's text, and what it carries."""
        answer = self._command("FETCH", ",".join(map(str, uids)), what)
        found = [text_of(pieces) for pieces in groups(answer)]
        wanted = set(uids)
        return [(text, literals) for text, literals in found if _uid(text) in wanted]

    def _raw(self, uid: int, what: str) -> list[list[tuple[bytes, bytes]]]:
        return [p for p in groups(self._command("FETCH", str(uid), what)) if _uid(text_of(p)[0]) == uid]

    def _command(self, name: str, *words: str) -> Sequence[object]:
        status, answer = self._box.client.uid(name, *words)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{name}: {status}")
        return answer or ()


@contextmanager
def open_mailbox(settings: ImapSettings) -> Iterator[OpenMailbox]:
    """The folder that the settings name. Raises MailboxUnavailable with a sentence that says what to look at."""
    box = _connect(settings)
    try:
        _log_in(box, settings)
        yield OpenMailbox(box, _select(box, settings))
    finally:
        with suppress(*_BROKEN):  # a connection that is gone needs no farewell
            box.client.logout()


def _connect(settings: ImapSettings) -> BaseMailBox:
    host, port, timeout = str(settings.imap_host), settings.port, settings.imap_timeout
    try:
        if settings.imap_security is Security.NONE:
            return MailBoxUnencrypted(host, port, timeout)
        kind = MailBox if settings.imap_security is Security.SSL else MailBoxStartTls
        return partial(kind, host, port, timeout)(ssl_context=tls_context(settings.mail_ca_file))
    except _BROKEN as error:
        raise MailboxUnavailable(f"不能连接收信服务器 {host}:{port}：{_short(error)}") from error


def _log_in(box: BaseMailBox, settings: ImapSettings) -> None:
    try:
        box.login(settings.imap_user, settings.imap_password.get_secret_value(), initial_folder=None)
        box.client.capability()
        if "ID" in _capabilities(box):
            box.client.xatom("ID", OURSELVES)
    except UnicodeError as error:
        raise MailboxUnavailable("收信用户名或授权码含有不能使用的字符") from error
    except (imaplib.IMAP4.abort, OSError, EOFError) as error:
        raise MailboxUnavailable(f"登录收信服务器时连接中断：{_short(error)}") from error
    except (imaplib.IMAP4.error, ImapToolsError) as error:
        raise MailboxUnavailable("收信服务器拒绝登录，请核对用户名和授权码，并确认邮箱已开通 IMAP") from error


def _capabilities(box: BaseMailBox) -> set[str]:
    """What the server can do, told anew after the login."""
    _status, told = box.client.response("CAPABILITY")
    words = b" ".join(one for one in told or [] if isinstance(one, bytes)).decode("ascii", "replace").upper()
    return set(words.split()) | set(box.client.capabilities)


def _select(box: BaseMailBox, settings: ImapSettings) -> int:
    try:
        box.folder.set(settings.imap_folder, readonly=True)
        _status, told = box.client.response("UIDVALIDITY")
        return int(next(one for one in told or [] if one))
    except (StopIteration, ValueError) as error:
        raise MailboxUnavailable("收信服务器没有说明邮件编号的版本（UIDVALIDITY），不能收信") from error
    except _BROKEN as error:
        raise MailboxUnavailable(f"不能打开邮箱文件夹“{settings.imap_folder}”：{_short(error)}") from error


def _glimpse(text: str, literals: list[bytes]) -> Glimpse | None:
    size = re.search(r"RFC822\.SIZE (\d+)", text)
    if size is None:
        return None
    return Glimpse(_uid(text), int(size[1]), _arrived_at(text), literals[0] if literals else b"")


def _uid(text: str) -> int:
    found = re.search(r"\bUID (\d+)", text)
    return int(found[1]) if found else 0


def _arrived_at(text: str) -> datetime | None:
    found = _ARRIVED.search(text)
    if found is None or _MONTHS.find(found[2].title()) % 3:
        return None
    month = _MONTHS.find(found[2].title()) // 3 + 1
    day, year, hour, minute, second = (int(found[n]) for n in (1, 3, 4, 5, 6))
    offset = timedelta(hours=int(found[8]), minutes=int(found[9])) * (-1 if found[7] == "-" else 1)
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise MailboxUnavailable(f"{what}时与收信服务器的连接中断：{_short(error)}") from error


def _short(error: BaseException) -> str:
    """What went wrong, in the server's or the system's words; a login's password never stands in them."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(words).split())[:160]
