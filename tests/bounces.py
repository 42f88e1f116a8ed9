"""Bounces as mail servers write them: by RFC 3464, and as those do that do not keep to it."""

from __future__ import annotations

from email.message import Message

QUOTED = b"""Received: from lucheng (localhost [127.0.0.1]) by mx.example; Tue, 1 Dec 2026 09:30:00 +0800
Subject: =?utf-8?b?5o+Q6YaS?=
From: =?utf-8?b?5bGA?= <bureau@mz.example>
To: u@x.example
Message-ID: <%s>
Auto-Submitted: auto-generated
"""


def returned(
    message_id: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    diagnostic: str = "smtp; 550 5.1.1 <u@x.example>: Recipient address rejected: User unknown",
    quote: str = "message/rfc822",
    sender: str = "MAILER-DAEMON@mx.example (Mail Delivery System)",
    subject: str = "Undelivered Mail Returned to Sender",
    number: int = 1,
) -> bytes:
    """A delivery status notification as Postfix writes it."""
    body = b"\n\nbody of the notice\n" if quote == "message/rfc822" else b""
    return (
        (
            f"Return-Path: <>\nFrom: {sender}\nSubject: {subject}\nTo: bureau@mz.example\n"
            f"Message-ID: <dsn{number}@mx.example>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="B/mx"\n\n'
            "--B/mx\nContent-Description: Notification\nContent-Type: text/plain; charset=us-ascii\n\n"
            "I'm sorry to have to inform you that your message could not be delivered.\n\n"
            "--B/mx\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\n"
            "Reporting-MTA: dns; mx.example\nArrival-Date: Tue, 1 Dec 2026 09:30:00 +0800\n\n"
            f"Final-Recipient: rfc822; u@x.example\nAction: {action}\nStatus: {status}\n"
            f"Diagnostic-Code: {diagnostic}\n\n"
            f"--B/mx\nContent-Description: Undelivered Message\nContent-Type: {quote}\n\n"
        ).encode()
        + QUOTED % message_id.encode()
        + body
        + b"\n--B/mx--\n"
    )


def identifier(message: Message) -> str:
    return str(message["Message-ID"]).strip("<>")
