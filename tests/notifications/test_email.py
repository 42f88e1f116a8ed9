"""E-mail on a real SMTP server: AUTH, TLS from the start and by command, names in Chinese, what is refused, what nobody
can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from notifications.channel_config import ChannelConfig
from notifications.channels import Connections, Letter, deliver
from notifications.channels.email import compose
from notifications.servers import SmtpSettings
from policy_models.channels import ChannelKind
from policy_models.errors import DeliveryError
from policy_models.message_names import is_name_of, row_named
from tests.mail_servers import BUREAU, PASSWORD, MailServers, running_mail
from tests.postgres import free_port

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")]
NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
LETTER = Letter(
    7,
    "receipt:3",
    "receipt",
    "",
    "石拐区民政局",
    "收到：报告",
    "正文\n第二行\n",
    address="u@x.example",
    in_reply_to="1@mz",
)
NOTICE = replace(LETTER, kind="reminder", key="reminder:9", in_reply_to=None, person_name="乌云其木格")


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    with running_mail() as servers:
        yield servers


@pytest.fixture
def configured(servers: MailServers, monkeypatch: pytest.MonkeyPatch) -> MailServers:
    for name, value in servers.environment().items():
        monkeypatch.setenv(name, value)
    servers.post.sent.clear()
    servers.post.envelopes.clear()
    return servers


def send(letter: Letter = LETTER, connections: Connections | None = None) -> str:
    config = ChannelConfig(code="email", kind=ChannelKind.EMAIL, smtp=SmtpSettings())
    return deliver(config, letter, now=NOW, connections=connections)


def failed(letter: Letter = LETTER) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        send(letter)
    assert PASSWORD not in str(error.value)
    return error.value


def as_read(message: EmailMessage, name: str) -> tuple[str, str]:
    """Name and address as mail programs read them. Not by EmailMessage, which reads a blank between two encoded words
    of a name where there is none (RFC 2047, 6.2)."""
    found, address = parseaddr("".join(str(dict(message.raw_items())[name]).splitlines()))
    return str(make_header(decode_header(found))), address


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_receipt_as_it_arrives(configured: MailServers, monkeypatch: pytest.MonkeyPatch, security: str) -> None:
    monkeypatch.setenv("LUCHENG_SMTP_SECURITY", security)
    monkeypatch.setenv("LUCHENG_SMTP_PORT", str(configured.smtps if security == "ssl" else configured.smtp))
    assert send() == "250 OK"
    send()
    one, two = configured.post.sent
    assert (one["Subject"], one["From"], one["To"]) == ("收到：报告", f"小城民政局 <{BUREAU}>", "u@x.example")
    assert one["Auto-Submitted"] == "auto-replied"
    assert one["In-Reply-To"] == one["References"] == "<1@mz>"
    assert one.get_content().replace("\r\n", "\n") == "正文\n第二行\n"
    assert one["Message-ID"] == two["Message-ID"]  # the same row: a reader can tell the double
    assert configured.post.envelopes[-1] == (BUREAU, ["u@x.example"])


def test_a_notice_as_it_arrives(configured: MailServers) -> None:
    send(NOTICE)
    [one] = configured.post.sent
    assert (one["To"], one["From"]) == ("乌云其木格 <u@x.example>", f"小城民政局 <{BUREAU}>")
    assert (one["Auto-Submitted"], one["In-Reply-To"], one.get_content_type()) == ("auto-generated", None, "text/plain")
    assert one["Date"].datetime == NOW
    name, _, host = str(one["Message-ID"]).strip("<>").partition("@")
    assert (row_named(name), host) == (7, "mz.example")
    assert is_name_of(name, "reminder", 7, "reminder:9", "u@x.example")
    assert not is_name_of(name, "reminder", 8, "reminder:9", "u@x.example")
    assert not is_name_of(name, "reminder", 7, "reminder:9", "v@x.example")


@pytest.mark.parametrize(
    "name",
    [
        "李",
        "乌云其木格",
        "额尔德尼·巴特尔（代）",
        '王"小"明, 主任',
        "包头市达尔罕茂明安联合旗民政局儿童福利和社会救助股负责同志巴音孟克",
        "㛃圐圙𠮷",
        "Zhang San",
        "张三\r\nBcc: everyone@x.example",
        "<a@b.cn>",
        "=?utf-8?B?5byg5LiJ?=",
    ],
)
def test_names_of_people_arrive_as_they_are(
    configured: MailServers, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    clean = " ".join(name.split()).replace("=?", "= ?")
    monkeypatch.setenv("LUCHENG_SMTP_FROM", f'"{clean.replace(chr(34), "")}" <{BUREAU}>')
    send(replace(NOTICE, person_name=name))
    [one] = configured.post.sent
    assert (as_read(one, "To"), as_read(one, "From")) == (
        (clean, "u@x.example"),
        (clean.replace('"', ""), BUREAU),
    )
    assert one["Bcc"] is None
    raw = compose(replace(NOTICE, person_name=name), SmtpSettings(), NOW).as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"<u@x.example>" in raw  # only names are encoded, never addresses


def test_letters_one_after_the_other_take_one_login(configured: MailServers) -> None:
    with Connections() as connections:
        for n in range(3):
            send(replace(NOTICE, message=n), connections)
        ports = {one.port for one in configured.post.peers[-3:]}
        assert len(ports) == 1
        configured.post.refuse.append("550 no such user")
        with pytest.raises(DeliveryError):
            send(replace(NOTICE, message=3), connections)
        send(replace(NOTICE, message=4), connections)  # by a new connection
        configured.post.lose_connection = 1
        with pytest.raises(DeliveryError) as error:
            send(replace(NOTICE, message=5), connections)
        assert error.value.uncertain is True
        send(replace(NOTICE, message=6), connections)
    assert [row_named(str(one["Message-ID"]).strip("<>").partition("@")[0]) for one in configured.post.sent] == [
        0,
        1,
        2,
        4,
        5,
        6,
    ]


def test_a_connection_that_the_server_closed_meanwhile(configured: MailServers) -> None:
    with Connections() as connections:
        send(NOTICE, connections)
        configured.post.hang_up()
        send(replace(NOTICE, message=8), connections)
    assert len(configured.post.sent) == 2


def test_identifiers_are_those_of_the_row() -> None:
    settings = SmtpSettings(smtp_host="x", smtp_user=BUREAU)
    other = (replace(LETTER, message=8), replace(LETTER, address="v@x.example"), replace(LETTER, key="receipt:4"))
    found = {compose(letter, settings, NOW)["Message-ID"] for letter in (LETTER, *other)}
    assert len(found) == 4
    assert all(re.fullmatch(r"<lucheng\.receipt\.[78]\.[0-9a-f]{16}@mz\.example>", str(one)) for one in found)
    assert str(compose(NOTICE, settings, NOW)["Message-ID"]).startswith("<lucheng.notice.7.")
    later = compose(replace(LETTER, body="other words"), settings, NOW + timedelta(days=1))
    assert later["Message-ID"] in found  # the same at every attempt
    bare = compose(replace(NOTICE, subject="two\r\nlines", person_name=None), settings, NOW)
    assert (bare["Subject"], bare["In-Reply-To"], bare["From"], bare["To"]) == (
        "two lines",
        None,
        BUREAU,
        "u@x.example",
    )
    long = compose(replace(NOTICE, subject="催办：" + "每季度随访留守儿童家庭" * 15), settings, NOW).as_bytes()
    back = message_from_bytes(long, policy=policy.default)
    assert back["Subject"] == "催办：" + "每季度随访留守儿童家庭" * 15


def test_identifiers_of_others_stay_as_they_are() -> None:
    """Those of Outlook are longer than a line; what cannot be one is left out."""
    settings = SmtpSettings(smtp_host="x", smtp_user=BUREAU)
    long = "TYZPR06MB" + "0123456789ABCDEF" * 8 + "@TYZPR06MB6789.apcprd06.prod.outlook.com"
    raw = compose(replace(LETTER, in_reply_to=long), settings, NOW).as_bytes()
    assert f"\r\nIn-Reply-To: <{long}>\r\n".encode() in raw
    assert f"\r\nReferences: <{long}>\r\n".encode() in raw
    for odd in ("张@x", "a b@x", "a>@x", "x\ud800@y", "", "a@b\r\nBcc: c@d.cn"):
        bare = compose(replace(LETTER, in_reply_to=odd), settings, NOW).as_bytes()
        assert b"In-Reply-To" not in bare
        assert b"Bcc" not in bare


def test_words_that_nothing_can_encode() -> None:
    settings = SmtpSettings(smtp_host="x", smtp_user=BUREAU)
    raw = compose(replace(NOTICE, subject="a\ud800\x00b\u2028c", body="坏\ud800"), settings, NOW).as_bytes()
    found = message_from_bytes(raw, policy=policy.default)
    assert (found["Subject"], found.get_content().rstrip()) == ("a b c", "坏?")


@pytest.mark.parametrize(
    ("answer", "sentence", "permanent", "pause"),
    [
        ("550 5.1.1 <13800000000@x.example> no such user", "发信服务器不接受收件地址（550）", True, None),
        ("451 try later", "发信服务器不接受收件地址（451）", False, None),
        ("421 too many", "发信服务器不接受收件地址（421）", False, timedelta(minutes=10)),
    ],
)
def test_what_the_server_does_not_take(
    configured: MailServers, answer: str, sentence: str, permanent: bool, pause: timedelta | None
) -> None:
    configured.post.refuse.append(answer)
    error = failed()
    assert (str(error), error.permanent, error.uncertain, error.pause) == (sentence, permanent, False, pause)
    assert configured.post.sent == []


def test_a_sender_that_is_not_the_login(configured: MailServers, monkeypatch: pytest.MonkeyPatch) -> None:
    """As 163 and QQ have it: a setting is wrong, so that the letter waits and is not given up."""
    configured.post.own_sender = BUREAU
    monkeypatch.setenv("LUCHENG_SMTP_FROM", "other@mz.example")
    try:
        error = failed()
    finally:
        configured.post.own_sender = None
    hint = "请核对 LUCHENG_SMTP_FROM；163、QQ 邮箱要求它与登录名一致"
    assert str(error) == f"发信服务器不接受发件地址（553），{hint}"
    assert (error.permanent, error.uncertain) == (False, False)


def test_a_connection_that_breaks_after_the_letter_is_uncertain(configured: MailServers) -> None:
    configured.post.lose_connection = 1
    error = failed()
    assert str(error).startswith("发信途中连接中断，不能确定是否送达：")
    assert (error.permanent, error.uncertain) == (False, True)
    assert len(configured.post.sent) == 1  # it had arrived


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LUCHENG_SMTP_PASSWORD", "wrong", "发信服务器拒绝登录（535），请核对用户名和授权码"),
        ("LUCHENG_SMTP_PASSWORD", "密码", "发信用户名或授权码含有不能使用的字符"),
        ("LUCHENG_SMTP_SECURITY", "none", "发信服务器不支持所设的登录或加密方式（LUCHENG_SMTP_SECURITY）"),
        ("LUCHENG_SMTP_HOST", "", "没有配置发信服务器（LUCHENG_SMTP_HOST）"),
        ("LUCHENG_MAIL_CA_FILE", "", "不能连接发信服务器"),
    ],
)
def test_what_is_wrong_is_said_and_tried_again(
    configured: MailServers, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    error = failed()
    assert str(error).startswith(sentence)
    assert (error.permanent, error.uncertain) == (False, False)


def test_nobody_listens_and_no_address(configured: MailServers, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (None, "", "nobody", "a@b.cn, c@d.cn", "a@b.cn\r\nBcc: c@d.cn", "张三@x.cn", "a.@x.cn", "a@x.cn."):
        assert failed(replace(NOTICE, address=address)).permanent is True
    monkeypatch.setenv("LUCHENG_SMTP_PORT", str(free_port()))
    error = failed()
    assert (error.permanent, str(error).startswith("不能连接发信服务器 localhost:")) == (False, True)


def test_the_sender_is_the_login_where_nothing_else_is_said() -> None:
    assert SmtpSettings(smtp_host="x", smtp_user="A@163.com").address == "a@163.com"
    assert SmtpSettings(smtp_host="x", smtp_user="a", smtp_from="局 <b@163.com>").sender_name == "局"
    with pytest.raises(ValueError, match="写了 LUCHENG_SMTP_HOST，还须写 LUCHENG_SMTP_FROM（发件地址）"):
        SmtpSettings(smtp_host="x", smtp_user="a")
    assert [SmtpSettings(smtp_security=one).port for one in ("ssl", "starttls", "none")] == [465, 587, 25]  # type: ignore[arg-type]
