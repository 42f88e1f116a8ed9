"""Letters as programs really write them: encodings, names, nesting, programs that answer by themselves."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime

import pytest

from documents.mail import MOST_ATTACHMENTS, OUTLOOK, Part, assemble, identity, parse
from documents.mail_words import decode, header, parameter
from policy_models.letters import Attachment, IncomingLetter

WORDS = "石拐区民政局2025年上半年工作报告"
NAME = "石拐区民政局半年报告.docx"
HEAD = (
    b"From: =?utf-8?B?55+z5ouQ?= <Office@Mz.Example>\r\nMessage-ID: <1@mz>\r\nDate: Thu, 3 Jul 2025 10:21:00 +0800\r\n"
)


def b64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def attached(disposition: bytes, kind: bytes = b"application/octet-stream", data: bytes = b"abc") -> bytes:
    return (
        b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: " + disposition + b"\r\n\r\n" + b64(data)
    )


def letter(*parts: bytes, subject: bytes = b"x", more: bytes = b"", text: bytes = b"hello") -> IncomingLetter:
    body = [b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text + b"\r\n", *parts]
    raw = HEAD + b"Subject: " + subject + b"\r\n" + more + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    return parse(raw + b"".join(b"--b\r\n" + part for part in body) + b"--b--\r\n")


def words(charset: str, text: str = WORDS, declared: str = "", kind: str = "B") -> bytes:
    data = text.encode(charset)
    inner = base64.b64encode(data) if kind == "B" else "".join(f"={byte:02X}" for byte in data).encode()
    return f"=?{declared or charset}?{kind}?".encode() + inner + b"?="


CUT_IN_TWO = WORDS.encode("gb18030")


@pytest.mark.parametrize(
    "subject",
    [
        WORDS.encode("utf-8"),
        WORDS.encode("gb18030"),
        words("utf-8"),
        words("gb18030"),
        words("gb18030", declared="gb2312"),
        words("gb18030", declared="GBK"),
        words("gb18030", declared="utf-8"),
        words("gb18030", declared="iso-8859-1"),
        words("gb18030", declared="us-ascii"),
        words("gb18030", declared="no-such-charset"),
        words("utf-8", declared="gb2312"),
        words("utf-8", declared="x-unknown"),
        words("utf-8", kind="Q"),
        words("gb18030", kind="q"),
        words("utf-8").rstrip(b"?=").rstrip(b"=") + b"?=",
        words("utf-8", WORDS[:5]) + b"\r\n " + words("utf-8", WORDS[5:]),
        words("utf-8", WORDS[:5]) + b"\r\n\t " + words("gb18030", WORDS[5:], declared="gb2312"),
        words("utf-8", WORDS[:5]) + words("utf-8", WORDS[5:]),
        b"=?gb2312?B?"
        + base64.b64encode(CUT_IN_TWO[:5])
        + b"?=\r\n =?gb2312?B?"
        + base64.b64encode(CUT_IN_TWO[5:])
        + b"?=",
        b"=?utf-8*zh?B?" + base64.b64encode(WORDS.encode()) + b"?=",
    ],
)
def test_a_subject_in_any_encoding(subject: bytes) -> None:
    assert letter(subject=subject).subject == WORDS


def test_subjects_that_are_short_or_mixed() -> None:
    assert letter(subject="联通".encode("gb18030")).subject == "联通"
    assert letter(subject=b"Re: " + words("utf-8", "报告") + b" (2)").subject == "Re: 报告 (2)"
    assert letter(subject=b"").subject == ""
    assert letter(subject=b"=?utf-8?B?!!!?=").subject == ""
    assert letter(subject=b"plain\x00\x07 text").subject == "plain text"
    assert letter(subject=words("big5", "報告情況")).subject == "報告情況"


RAW = NAME.encode("gb18030")


@pytest.mark.parametrize(
    "disposition",
    [
        b'attachment; filename="' + NAME.encode() + b'"',
        b'attachment; filename="' + RAW + b'"',
        b"attachment; filename=" + RAW,
        b'attachment; filename="' + words("utf-8", NAME) + b'"',
        b'attachment; filename="' + words("gb18030", NAME, "gb2312") + b'"',
        b"attachment;\r\n filename=" + words("gb18030", NAME),
        b"attachment; filename*=UTF-8''" + b"".join(b"%%%02X" % byte for byte in NAME.encode()),
        b"attachment; filename*=gb2312'zh-cn'" + b"".join(b"%%%02X" % byte for byte in RAW),
        b"attachment; filename*=iso-8859-1''" + b"".join(b"%%%02X" % byte for byte in RAW),
        b"attachment;\r\n filename*0*=GB18030''"
        + b"".join(b"%%%02X" % byte for byte in RAW[:7])
        + b";\r\n filename*1*="
        + b"".join(b"%%%02X" % byte for byte in RAW[7:]),
        b'attachment; filename*1="'
        + RAW[7:]
        + b"\";\r\n filename*0*=gbk''"
        + b"".join(b"%%%02X" % byte for byte in RAW[:7]),
        b"attachment; filename=\"wrong.docx\"; filename*=UTF-8''"
        + b"".join(b"%%%02X" % byte for byte in NAME.encode()),
        b'ATTACHMENT; FILENAME="C:\\Users\\wang\\' + NAME.encode() + b'"',
        b'attachment; filename="' + "\u202e".encode() + NAME.encode() + b'"',
        b'inline; filename="' + NAME.encode() + b'"',
    ],
)
def test_a_name_in_any_encoding(disposition: bytes) -> None:
    assert letter(attached(disposition)).attachments == (Attachment(NAME, 3, b"abc"),)


def test_names_that_are_elsewhere_or_nowhere() -> None:
    named = b'application/pdf; name="' + words("utf-8", "报告.pdf") + b'"'
    assert [one.name for one in letter(attached(b"attachment", named)).attachments] == ["报告.pdf"]
    assert [one.name for one in letter(attached(b"attachment", b"application/pdf")).attachments] == ["附件1.pdf"]
    bare = b"Content-Type: application/msword\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64(b"abc")
    assert letter(bare, attached(b"attachment")).attachments == (
        Attachment("附件1.doc", 3, b"abc"),
        Attachment("附件2", 3, b"abc"),
    )
    long = letter(attached(b'attachment; filename="' + b"a" * 500 + b'.docx"')).attachments[0].name
    assert (len(long), long[-5:]) == (120, ".docx")


def test_the_facts_of_a_letter() -> None:
    found = letter(
        more=b"In-Reply-To: <9@b>\r\nReferences: <7@b> <9@b>\r\n", text="\r\n各位：\r\n> 引文\r\n见附件。".encode()
    )
    assert (found.message_id, found.sender, found.sent_at) == (
        "1@mz",
        "office@mz.example",
        datetime(2025, 7, 3, 2, 21, tzinfo=UTC),
    )
    assert (found.opening, found.in_reply_to) == ("各位：\n见附件。", ("9@b", "7@b", "9@b"))
    assert (found.automatic, found.bounce, found.clouded, found.readable) == (False, False, False, True)


def test_what_is_no_attachment() -> None:
    logo = b"Content-Type: image/png; name=logo.png\r\nContent-ID: <l>\r\nContent-Disposition: inline\r\n\r\nx\r\n"
    signature = b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nx\r\n"
    invitation = b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n"
    html = b"Content-Type: text/html; charset=gbk\r\n\r\n<p>\xc4\xe3\xba\xc3</p>\r\n"
    assert letter(logo, signature, invitation, html).attachments == ()
    photo = attached(b"attachment; filename=a.jpg", b"image/jpeg")
    assert [one.name for one in letter(logo, photo).attachments] == ["a.jpg"]  # the gate says what it thinks of photos


def test_attachments_at_any_depth() -> None:
    inner = attached(b"attachment; filename=a.docx")
    forwarded = (
        b"Content-Type: message/rfc822\r\n\r\nSubject: y\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
        + inner
        + b"--c--\r\n"
    )
    nested = (
        b"Content-Type: multipart/related; boundary=d\r\n\r\n--d\r\n"
        + attached(b"attachment; filename=b.xlsx")
        + b"--d--\r\n"
    )
    assert [one.name for one in letter(forwarded, nested).attachments] == ["a.docx", "b.xlsx"]


def test_a_thousand_levels_break_nothing() -> None:
    raw, end = HEAD, b""
    for level in range(1500):
        mark = f"b{level}".encode()
        raw += b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n--" + mark + b"\r\n"
        end = b"\r\n--" + mark + b"--" + end
    try:
        found = parse(raw + b"\r\ntext" + end)
    except RecursionError:
        return  # told to whoever asked, who sets the letter aside
    assert found.attachments == ()


def test_refused_without_being_looked_into() -> None:
    found = letter(
        attached(b'attachment; filename="winmail.dat"', b"application/ms-tnef"),
        attached(b'attachment; filename="WINMAIL.DAT"'),
        attached(b'attachment; filename="smime.p7m"', b"application/pkcs7-mime"),
    ).attachments
    assert [(one.name, one.data, one.reason) for one in found] == [
        ("winmail.dat", None, OUTLOOK),
        ("WINMAIL.DAT", None, OUTLOOK),
        ("smime.p7m", None, "邮件经过加密，不能读取，请不加密重新发送"),
    ]
    many = letter(*[attached(b"attachment; filename=a.pdf")] * (MOST_ATTACHMENTS + 2)).attachments
    assert [one.data for one in many] == [b"abc"] * MOST_ATTACHMENTS + [None] * 2
    assert many[-1].reason == "一封来信最多收取 50 个附件，请分几封发送"


@pytest.mark.parametrize(
    ("text", "kind", "clouded"),
    [
        ("从QQ邮箱发来的超大附件 报告.docx", b"text/plain; charset=utf-8", True),
        ('<a href="https://mail.qq.com/cgi-bin/ftnExs_download?k=1">下载</a>', b"text/html; charset=utf-8", True),
        ("见附件", b"text/plain; charset=utf-8", False),
    ],
)
def test_files_that_lie_on_a_server_elsewhere(text: str, kind: bytes, clouded: bool) -> None:
    raw = HEAD + b"Content-Type: " + kind + b"\r\n\r\n" + text.encode()
    assert parse(raw).clouded is clouded


def test_the_opening_of_a_page() -> None:
    html = "<html><head><title>t</title><style>p{}</style><body><p>关于<b>2025年上半年</b></p><div>第二行</div></html>"
    raw = HEAD + b"Content-Type: text/html; charset=gb2312\r\n\r\n" + html.encode("gb18030")
    assert parse(raw).opening == "关于2025年上半年\n第二行"


@pytest.mark.parametrize(
    ("more", "automatic", "bounce"),
    [
        (b"", False, False),
        (b"Auto-Submitted: no\r\n", False, False),
        (b"Auto-Submitted: auto-replied (vacation)\r\n", True, False),
        (b"Precedence: bulk\r\n", True, False),
        (b"List-Id: <l.x>\r\n", True, False),
        (b"X-Auto-Response-Suppress: OOF, AutoReply\r\n", True, False),
        (b"Return-Path: <>\r\n", True, False),
        (b"Return-Path: <a@b>\r\n", False, False),
    ],
)
def test_letters_of_programs(more: bytes, automatic: bool, bounce: bool) -> None:
    found = letter(more=more)
    assert (found.automatic, found.bounce) == (automatic, bounce)


@pytest.mark.parametrize(
    "subject", ["自动回复：收到", "Auto: away", "Automatic reply: x", "[自动回复] 好", "Out of Office"]
)
def test_out_of_office_answers_by_their_subject(subject: str) -> None:
    assert letter(subject=subject.encode()).automatic is (subject != "Auto: away")
    assert letter(subject=f"回复：{subject}".encode()).automatic is False


def test_bounces() -> None:
    raw = HEAD.replace(b"Office@", b"postmaster@") + b"Subject: =?gbk?B?z7XNs83L0MU=?=\r\n\r\nno such user"
    assert (parse(raw).bounce, parse(raw).automatic, parse(raw).subject) == (True, True, "系统退信")
    report = HEAD + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    found = parse(report + attached(b"attachment; filename=our.docx") + b"--b--\r\n")
    assert (found.bounce, found.attachments) == (True, ())  # what we sent is not handed in
    read = HEAD + b'Content-Type: multipart/report; report-type="disposition-notification"; boundary=b\r\n\r\n--b--\r\n'
    assert (parse(read).bounce, parse(read).automatic) == (False, True)


@pytest.mark.parametrize(
    ("line", "sender"),
    [
        (b"From: a@x.example", "a@x.example"),
        (b"From: =?gb18030?B?" + base64.b64encode("王, 某".encode("gb18030")) + b"?= <A@X.example>", "a@x.example"),
        ("From: 王某 <a@x.example>".encode("gb18030"), "a@x.example"),
        (b"From: =?utf-8?B?" + base64.b64encode(b"<a@x.example>") + b"?=", "a@x.example"),
        (b'From: "a@y.example" <a@x.example>', "a@x.example"),
        ("From: <a＠x.example>".encode(), "a@x.example"),
        (b"From: nobody\r\nSender: s@x.example", "s@x.example"),
        (b"From: \x00\x00", ""),
        (b"X: y", ""),
    ],
)
def test_who_sent_it(line: bytes, sender: str) -> None:
    assert parse(line + b"\r\n\r\nx").sender == sender


def test_what_tells_letters_apart() -> None:
    assert identity(b"Message-ID: <a@b>\r\n\r\n", 9) == identity(b"message-id:\r\n\t<a@b>\r\n\r\n", 7) == "a@b"
    one, other = identity(b"From: a\r\n\r\n", 9), identity(b"From: a\r\n\r\n", 8)
    assert one == identity(b"From: a\r\n\r\n", 9) != other
    assert one.startswith("sha256:")
    long = identity(b"Message-ID: <" + b"a" * 900 + b"@b>\r\n\r\n", 1)
    assert (len(long), long) == (71, identity(b"Message-ID: <" + b"a" * 900 + b"@b>\r\n\r\n", 2))
    assert identity(b"Message-ID: <>\r\n\r\n", 1).startswith("sha256:")


def test_part_by_part_is_the_same_letter() -> None:
    head = HEAD + b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    mime = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
    mime += b'Content-Disposition: attachment; filename="' + RAW + b'"\r\n\r\n'
    text = Part(b"Content-Type: text/plain\r\n\r\n", b"hello\r\n")
    whole = letter(attached(b'attachment; filename="' + RAW + b'"'))
    assert assemble(head, "1@mz", [text, Part(mime, b64(b"abc"))]) == whole
    assert assemble(head, "1@mz", [text, Part(mime, data=b"abc")]) == whole
    large = assemble(head, "1@mz", [text, Part(mime, size=31_000_000, reason="过大"), Part(mime, data=b"abc")])
    assert large.attachments == (Attachment(NAME, 31_000_000, None, "过大"), Attachment(NAME, 3, b"abc"))


def test_whatever_comes_something_is_made_of_it() -> None:
    """2,000 letters with bytes changed, cut, doubled and swapped at random: none raises."""
    pieces = [
        HEAD + b"Subject: " + words("gb18030") + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
        b"--b\r\nContent-Type: text/html; charset=gbk\r\n\r\n<p>x<\r\n",
        b"--b\r\n" + attached(b"attachment; filename*0*=GB18030''%CA; filename*1*=%AF.docx"),
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + HEAD,
        b"--b--\r\n",
    ]
    chance = random.Random(7)
    for _ in range(2000):
        raw = bytearray(b"".join(chance.sample(pieces, len(pieces))))
        for _ in range(chance.randint(1, 12)):
            place = chance.randrange(len(raw))
            raw[place : place + chance.randint(0, 9)] = bytes(
                chance.randrange(256) for _ in range(chance.randint(0, 6))
            )
        found = parse(bytes(raw))
        assert isinstance(found, IncomingLetter)
        f"{found.subject}{found.sender}{found.message_id}{found.opening}".encode()  # nothing that no database takes
        assert "\x00" not in found.subject + found.sender + found.message_id + "".join(
            a.name for a in found.attachments
        )


def test_words_of_headers() -> None:
    assert decode("你好".encode("gb18030"), "hz") == "你好"
    assert decode(b"\xff\xfe\xfd") != ""
    assert header("a\r\n b") == "a b"
    assert parameter('text/plain; charset="utf-8"; name=x', "charset") == "utf-8"
    assert parameter("text/plain", "charset") is None
    assert parameter("attachment; filename=a b.docx", "filename") == "a b.docx"
