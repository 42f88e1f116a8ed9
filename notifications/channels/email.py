"""E-mail by SMTP: notices to people, receipts for what came into the mailbox."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any, Final

from notifications.channel_config import ChannelConfig
from notifications.letter import Letter
from notifications.servers import Security, SmtpSettings, tls_context
from policy_models.errors import DeliveryError
from policy_models.letters import canonical_address
from policy_models.message_names import message_name

LATER: Final[Mapping[str, Any]] = {"permanent": False}
IDENTIFIER = re.compile(r"[!-;=?-~]{1,900}")  # of a letter, without its brackets
BUSY = timedelta(minutes=10)  # for a server that says it takes no more for now


class _Verbatim(EmailPolicy):
    """As SMTP wants it, except that an identifier of another letter stays as it is: a long one would be taken for words
    and encoded, and mail programs would no longer find the letter that is answered."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in ("in-reply-to", "references"):
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


POLICY = _Verbatim(linesep="\r\n")


class Connections:
    """SMTP connections that serve several letters, one after the other; closed at the end of the ``with`` block."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[smtplib.SMTP, ExitStack]] = {}

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_: object) -> None:
        for code in list(self._open):
            self.drop(code)

    def server(self, code: str, settings: SmtpSettings) -> smtplib.SMTP:
        """A connection that is logged in and still answers. Raises DeliveryError."""
        if code in self._open and _answers(self._open[code][0]):
            return self._open[code][0]
        self.drop(code)
        stack = ExitStack()
        server = stack.enter_context(connected(settings))
        self._open[code] = server, stack
        return server

    def drop(self, code: str) -> None:
        """Close a channel's connection, if there is one."""
        _, stack = self._open.pop(code, (None, ExitStack()))
        stack.close()


def send(config: ChannelConfig, letter: Letter, now: datetime, connections: Connections | None = None) -> str:
    """Send it as the settings say; what the server answered. ``connections``: to be kept open for the next letter.

    Raises DeliveryError: permanent when the server will never take it, uncertain when the connection broke after the
    letter was on its way and before the server said anything.
    """
    settings = config.smtp
    if settings is None or not settings.configured:
        raise DeliveryError("没有配置发信服务器（LUCHENG_SMTP_HOST）", **LATER)
    if not canonical_address(letter.address or ""):
        raise DeliveryError("这条消息没有完整的电子邮件地址", permanent=True)
    try:
        data = compose(letter, settings, now).as_bytes()
    except (ValueError, MessageError):  # its words repeat the address
        raise DeliveryError("电子邮件地址的写法不能使用", permanent=True) from None
    if connections is None:
        with Connections() as own:
            return send(config, letter, now, own)
    server = connections.server(config.code, settings)
    try:
        return _hand_over(server, settings.address, str(letter.address), data)
    except DeliveryError:
        connections.drop(config.code)
        raise


def compose(letter: Letter, settings: SmtpSettings, now: datetime) -> EmailMessage:
    """The message: equal letters have equal identifiers, so that a reader can tell a double by its Message-ID."""
    message = EmailMessage(policy=POLICY)
    message["Subject"] = _on_one_line(letter.subject)
    message["From"] = _with_name(settings.sender_name, settings.address)
    message["To"] = _with_name(letter.person_name or "", str(letter.address))
    message["Date"] = format_datetime(now)
    name = message_name(letter.kind, letter.message, letter.key, str(letter.address))
    message["Message-ID"] = f"<{name}@{settings.address.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-replied" if letter.kind == "receipt" else "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if letter.in_reply_to and IDENTIFIER.fullmatch(letter.in_reply_to):
        message["In-Reply-To"] = message["References"] = f"<{letter.in_reply_to}>"
    body = letter.body.encode("utf-8", "replace").decode()  # half a character, which nothing can encode, becomes "?"
    message.set_content(body, charset="utf-8", cte="base64")
    return message


def _with_name(name: str, address: str) -> Address:
    """An address with its display name on one line, in which nothing is taken for an encoded word; only the name is
    ever encoded."""
    return Address(_on_one_line(name).replace("=?", "= ?"), addr_spec=address)


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _answers(server: smtplib.SMTP) -> bool:
    """Whether a kept connection is still there: a server closes one that was idle."""
    try:
        return bool(server.noop()[0] == 250)
    except (OSError, smtplib.SMTPException):
        return False


@contextmanager
def connected(settings: SmtpSettings) -> Iterator[smtplib.SMTP]:
    """A connection that is logged in. Raises DeliveryError."""
    try:
        server = _open(settings)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(f"发信服务器拒绝登录（{error.smtp_code}），请核对用户名和授权码", **LATER) from error
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryError("发信服务器不支持所设的登录或加密方式（LUCHENG_SMTP_SECURITY）", **LATER) from error
    except UnicodeError as error:
        raise DeliveryError("发信用户名或授权码含有不能使用的字符", **LATER) from error
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(f"发信服务器不接受连接（{error.smtp_code}）", **LATER) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(
            f"不能连接发信服务器 {settings.smtp_host}:{settings.port}：{_short(error)}", **LATER
        ) from error
    try:
        yield server
    finally:
        with suppress(OSError, smtplib.SMTPException):  # what was to be sent is sent or not by now
            server.quit()


def _open(settings: SmtpSettings) -> smtplib.SMTP:
    host, timeout = str(settings.smtp_host), settings.smtp_timeout
    if settings.smtp_security is Security.SSL:
        return smtplib.SMTP_SSL(host, settings.port, timeout=timeout, context=tls_context(settings.mail_ca_file))
    server = smtplib.SMTP(host, settings.port, timeout=timeout)
    if settings.smtp_security is Security.STARTTLS:
        server.starttls(context=tls_context(settings.mail_ca_file))
    return server


def _hand_over(server: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> str:
    try:
        server.ehlo_or_helo_if_needed()
        _require_sender(server.mail(sender))
        _require(server.rcpt(recipient), "收件地址")
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(f"与发信服务器的连接中断：{_short(error)}", **LATER) from error
    try:
        answer = server.data(data)
    except smtplib.SMTPDataError as error:  # it did not want the letter before any of it was sent
        raise _refused((error.smtp_code, b""), "内容") from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(
            f"发信途中连接中断，不能确定是否送达：{_short(error)}", permanent=False, uncertain=True
        ) from error
    _require(answer, "内容")
    return _said(answer)


def _require(answer: tuple[int, bytes], what: str) -> None:
    if answer[0] >= 400:
        raise _refused(answer, what)


def _require_sender(answer: tuple[int, bytes]) -> None:
    """Whatever is wrong with the sender is wrong with the settings and not with this letter."""
    if answer[0] >= 500:
        hint = "请核对 LUCHENG_SMTP_FROM；163、QQ 邮箱要求它与登录名一致"
        raise DeliveryError(f"发信服务器不接受发件地址（{answer[0]}），{hint}", **LATER)
    _require(answer, "发件地址")


def _refused(answer: tuple[int, bytes], what: str) -> DeliveryError:
    """The server's words stay out of it: they may repeat a person's address. 421: it wants to be left alone."""
    pause = BUSY if answer[0] == 421 else None
    return DeliveryError(f"发信服务器不接受{what}（{answer[0]}）", permanent=answer[0] >= 500, pause=pause)


def _said(answer: tuple[int, bytes]) -> str:
    """The server's answer, by which its log can be searched; without addresses."""
    words = " ".join(answer[1].decode("ascii", "replace").split())
    return f"{answer[0]} {re.sub(r'<?[^ <>]+@[^ <>]+>?', '***', words)}"[:200]


def _short(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__)[:80]
