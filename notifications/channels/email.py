"""E-mail by SMTP, one connection for each letter: receipts for what came into the mailbox."""

from __future__ import annotations

import hashlib
import smtplib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

from notifications.channel_config import ChannelConfig
from notifications.letter import Letter
from notifications.servers import Security, SmtpSettings, tls_context
from policy_models.errors import DeliveryError
from policy_models.letters import RECEIPT_ID

LATER: Final[Mapping[str, Any]] = {"permanent": False}


def send(config: ChannelConfig, letter: Letter, _now: datetime) -> str:
    """Send it as the settings say. Raises DeliveryError: permanent when the server will never take it, uncertain when
    the connection broke after the letter was on its way and before the server said anything."""
    settings = config.smtp
    if settings is None or not settings.configured:
        raise DeliveryError("没有配置发信服务器（LUCHENG_SMTP_HOST）", **LATER)
    if not letter.address:
        raise DeliveryError("这条消息没有电子邮件地址", permanent=True)
    message = compose(letter, settings)
    with connected(settings) as server:
        _hand_over(server, settings.address, letter.address, message.as_bytes())
    return ""


def compose(letter: Letter, settings: SmtpSettings) -> EmailMessage:
    """The message: equal letters have equal identifiers, so that a reader can tell a double by its Message-ID."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = " ".join(letter.subject.split())
    message["From"] = Address(settings.sender_name, addr_spec=settings.address)
    message["To"] = letter.address
    message["Message-ID"] = f"<{message_id(letter)}@{settings.address.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    if letter.in_reply_to:
        message["In-Reply-To"] = message["References"] = f"<{letter.in_reply_to}>"
    message.set_content(letter.body, charset="utf-8", cte="base64")
    return message


def message_id(letter: Letter) -> str:
    """The part of the Message-ID before the @: of this outbox row and no other, in any ledger."""
    known = f"{letter.message}\n{letter.address}\n{letter.in_reply_to}"
    return f"{RECEIPT_ID}{letter.message}.{hashlib.sha256(known.encode()).hexdigest()[:16]}"


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


def _hand_over(server: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> None:
    try:
        server.ehlo_or_helo_if_needed()
        _require(server.mail(sender), "发件地址")
        _require(server.rcpt(recipient), "收件地址")
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(f"与发信服务器的连接中断：{_short(error)}", **LATER) from error
    try:
        answer = server.data(data)
    except smtplib.SMTPDataError as error:  # it did not want the letter before any of it was sent
        raise DeliveryError(f"发信服务器不接受内容（{error.smtp_code}）", permanent=error.smtp_code >= 500) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(
            f"发信途中连接中断，不能确定是否送达：{_short(error)}", permanent=False, uncertain=True
        ) from error
    _require(answer, "内容")


def _require(answer: tuple[int, bytes], what: str) -> None:
    """The server's words stay out of it: they may repeat a person's address."""
    if answer[0] >= 400:
        raise DeliveryError(f"发信服务器不接受{what}（{answer[0]}）", permanent=answer[0] >= 500)


def _short(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__)[:80]
