"""Whether the mail servers work, in sentences. Logs in to both; reads no letter and sends none."""

from __future__ import annotations

from notifications.channels.email import connected
from notifications.mailbox import open_mailbox
from notifications.servers import ImapSettings, Security, SmtpSettings
from policy_models.errors import DeliveryError, MailboxUnavailable

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_imap(settings: ImapSettings) -> tuple[bool, str]:
    """Whether the mailbox can be read, and the sentence."""
    if not settings.configured:
        return True, "收信：没有配置收信邮箱（LUCHENG_IMAP_HOST），不收取来信"
    try:
        with open_mailbox(settings) as box:
            count = len(box.uids_after(0))
    except (MailboxUnavailable, OSError) as error:
        return False, f"收信：{error}"
    where = f"{settings.imap_user} 的“{settings.imap_folder}”"
    return (
        True,
        f"收信：已登录 {settings.imap_host}:{settings.port}，{where}中有 {count} 封邮件，只读取不改动{_open(settings.imap_security, settings.imap_host)}",
    )


def check_smtp(settings: SmtpSettings) -> tuple[bool, str]:
    """Whether receipts can be sent, and the sentence."""
    if not settings.configured:
        return True, "发信：没有配置发信服务器（LUCHENG_SMTP_HOST），不发回执"
    try:
        with connected(settings):
            pass
    except (DeliveryError, OSError) as error:
        return False, f"发信：{error}"
    where = f"{settings.smtp_host}:{settings.port}"
    return (
        True,
        f"发信：已登录 {where}，回执从 {settings.address} 发出{_open(settings.smtp_security, settings.smtp_host)}",
    )


def _open(security: Security, host: str | None) -> str:
    if security is Security.NONE and host not in LOOPBACK:
        return "；注意：连接没有加密，密码和内容可能被他人看到，请改用 ssl 或 starttls"
    return ""
