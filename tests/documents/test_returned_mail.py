"""Bounces: which letter of ours came back and why, by the standard and without it."""

from __future__ import annotations

import pytest

from documents.mail import parse
from policy_models.message_names import Returned, message_name
from tests.bounces import QUOTED, returned

NAME = message_name("reminder", 7, "reminder:7", "u@x.example")
OURS = f"{NAME}@mz.example"


@pytest.mark.parametrize("quote", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"])
def test_a_bounce_by_the_standard(quote: str) -> None:
    raw = returned(OURS, quote=quote)
    for one in (raw, raw.replace(b"\n", b"\r\n")):
        found = parse(one)
        assert found.returned == Returned(NAME, "收件地址不存在（5.1.1）")
        assert (found.bounce, found.automatic, found.attachments) == (True, True, ())


@pytest.mark.parametrize(
    ("status", "diagnostic", "reason"),
    [
        ("5.2.2", "smtp; 552 5.2.2 mailbox full", "收件邮箱已满（5.2.2）"),
        ("5.2.1", "", "收件邮箱已停用（5.2.1）"),
        ("5.1.2", "", "收件地址的域名不存在（5.1.2）"),
        ("5.0.0", "smtp; 550 5.1.1 <u@x.example> unknown", "收件地址不存在（5.1.1）"),
        ("5.0.0", "smtp; 550 Mailbox unavailable or access denied", "对方邮件服务器退回（5.0.0）"),
        ("5.7.26", "smtp; 550-5.7.26 unauthenticated", "对方邮件服务器拒收（5.7.26）"),
        ("5.2.9", "", "收件邮箱不能收信（5.2.9）"),
        ("4.4.7", "", "多次发送没有成功，已超过期限（4.4.7）"),
        ("5.9.99", "", "对方邮件服务器退回（5.9.99）"),
        ("", "smtp; 554 rejected by 10.5.1.1", "对方邮件服务器退回（554）"),
        ("", "", "对方邮件服务器退回"),
        ("五", "\u0000", "对方邮件服务器退回"),
    ],
)
def test_the_reason_in_words(status: str, diagnostic: str, reason: str) -> None:
    found = parse(returned(OURS, status=status, diagnostic=diagnostic)).returned
    assert found == Returned(NAME, reason)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_what_is_not_lost_did_not_come_back(action: str) -> None:
    assert parse(returned(OURS, action=action, status="4.4.1")).returned is None


def test_one_of_several_recipients_that_failed() -> None:
    raw = returned(OURS).replace(
        b"\n\nFinal-Recipient", b"\n\nFinal-Recipient: rfc822; a@x.example\nAction: relayed\n\nFinal-Recipient"
    )
    assert parse(raw).returned == Returned(NAME, "收件地址不存在（5.1.1）")


@pytest.mark.parametrize(
    "message_id",
    [
        "somebody-else@x.example",
        "lucheng.notice.7@mz.example",
        "lucheng.notice.x.0123456789abcdef@mz.example",
        "lucheng.notice.7.0123456789ABCDEF@mz.example",
        f"x{NAME}@mz.example",
        f"lucheng.notice.{'9' * 30}.0123456789abcdef@mz.example",
        "",
    ],
)
def test_letters_of_others_are_no_letters_of_ours(message_id: str) -> None:
    found = parse(returned(message_id))
    assert (found.bounce, found.returned) == (True, None)


def test_our_letter_in_a_letter_of_a_person_says_nothing() -> None:
    """Somebody forwards a notice: that is no bounce, whatever stands in it."""
    raw = returned(OURS, sender="张三 <u@x.example>").replace(
        b"multipart/report; report-type=delivery-status", b"multipart/mixed"
    )
    assert (parse(raw).bounce, parse(raw).returned) == (False, None)


PLAIN = b"""From: PostMaster <PostMaster@qq.com>
Subject: =?gb18030?B?z7XNs83L0MU=?=
Message-ID: <q1@qq.com>
%sContent-Type: %s

"""


def test_bounces_that_keep_to_no_standard() -> None:
    mixed = PLAIN % (b"", b'multipart/mixed; boundary="b"')
    mixed += b"--b\nContent-Type: text/plain\n\nbounced\n--b\nContent-Type: message/rfc822\n\n"
    assert parse(mixed + QUOTED % OURS.encode() + b"\nx\n--b--\n").returned == Returned(NAME, "对方邮件服务器退回")
    answers = PLAIN % (b"In-Reply-To: <%s>\n" % OURS.encode(), b"text/html")
    assert parse(answers + b"<p>bounced</p>").returned == Returned(NAME, "对方邮件服务器退回")
    named = PLAIN % (b"X-Original-Message-ID: <%s>\n" % OURS.encode(), b"text/plain")
    assert parse(named + b"bounced").returned == Returned(NAME, "对方邮件服务器退回")
    late = answers.replace(b"=?gb18030?B?z7XNs83L0MU=?=", b"Warning: message 1x delayed 24 hours")
    assert parse(late + b"wait").returned is None


@pytest.mark.parametrize("cut", range(0, 1500, 97))
def test_half_a_bounce_is_read_without_fault(cut: int) -> None:
    found = parse(returned(OURS)[:cut])
    assert found.returned in (None, Returned(NAME, "收件地址不存在（5.1.1）"))


def test_a_bounce_in_many_levels() -> None:
    raw = b"From: MAILER-DAEMON@x.example\nMessage-ID: <deep@x>\n"
    for level in range(200):
        raw += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    assert parse(raw + b"\ntext\n").returned is None
