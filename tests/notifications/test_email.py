"""E-mail on a real SMTP server: AUTH, STARTTLS, what is refused, what nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notifications.channels import CHANNELS, Letter
from notifications.channels.email import compose
from notifications.servers import SmtpSettings
from policy_models.errors import DeliveryError
from tests.mail_servers import BUREAU, PASSWORD, MailServers, running_mail
from tests.postgres import free_port

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")]
LETTER = Letter(7, "", "石拐区民政局", "收到：报告", "正文\n第二行\n", address="u@x.example", in_reply_to="1@mz")


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    with running_mail() as servers:
        yield servers


@pytest.fixture
def configured(servers: MailServers, monkeypatch: pytest.MonkeyPatch) -> MailServers:
    for name, value in servers.environment().items():
        monkeypatch.setenv(name, value)
    servers.post.sent.clear()
    return servers


def failed(letter: Letter = LETTER) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        CHANNELS["email"].send(letter)
    assert PASSWORD not in str(error.value)
    return error.value


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_receipt_as_it_arrives(configured: MailServers, monkeypatch: pytest.MonkeyPatch, security: str) -> None:
    monkeypatch.setenv("LUCHENG_SMTP_SECURITY", security)
    monkeypatch.setenv("LUCHENG_SMTP_PORT", str(configured.smtps if security == "ssl" else configured.smtp))
    CHANNELS["email"].send(LETTER)
    CHANNELS["email"].send(LETTER)
    one, two = configured.post.sent
    assert (one["Subject"], one["From"], one["To"]) == ("收到：报告", f"小城民政局 <{BUREAU}>", "u@x.example")
    assert one["Auto-Submitted"] == "auto-replied"
    assert one["In-Reply-To"] == one["References"] == "<1@mz>"
    assert one.get_content().replace("\r\n", "\n") == "正文\n第二行\n"
    assert one["Message-ID"] == two["Message-ID"]  # the same row: a reader can tell the double
    assert configured.post.envelopes[-1] == (BUREAU, ["u@x.example"])


def test_identifiers_are_those_of_the_row() -> None:
    settings = SmtpSettings(smtp_host="x", smtp_user=BUREAU)
    found = {
        compose(letter, settings)["Message-ID"]
        for letter in (
            LETTER,
            Letter(8, "", "", "a", "b", "u@x.example", "1@mz"),
            Letter(7, "", "", "a", "b", "v@x.example"),
        )
    }
    assert len(found) == 3
    assert all(str(one).startswith("<lucheng.receipt.") and str(one).endswith("@mz.example>") for one in found)
    bare = compose(Letter(7, "", "", "two\r\nlines", "b", "v@x.example"), settings)
    assert (bare["Subject"], bare["In-Reply-To"], bare["From"]) == ("two lines", None, BUREAU)


@pytest.mark.parametrize(
    ("answer", "sentence", "permanent"),
    [
        ("550 5.1.1 <13800000000@x.example> no such user", "发信服务器不接受收件地址（550）", True),
        ("451 try later", "发信服务器不接受收件地址（451）", False),
    ],
)
def test_what_the_server_does_not_take(configured: MailServers, answer: str, sentence: str, permanent: bool) -> None:
    configured.post.refuse.append(answer)
    error = failed()
    assert (str(error), error.permanent, error.uncertain) == (sentence, permanent, False)
    assert configured.post.sent == []


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
    assert failed(Letter(1, "", "", "a", "b")).permanent is True
    monkeypatch.setenv("LUCHENG_SMTP_PORT", str(free_port()))
    error = failed()
    assert (error.permanent, str(error).startswith("不能连接发信服务器 localhost:")) == (False, True)


def test_the_sender_is_the_login_where_nothing_else_is_said() -> None:
    assert SmtpSettings(smtp_host="x", smtp_user="A@163.com").address == "a@163.com"
    assert SmtpSettings(smtp_host="x", smtp_user="a", smtp_from="局 <b@163.com>").sender_name == "局"
    with pytest.raises(ValueError, match="写了 LUCHENG_SMTP_HOST，还须写 LUCHENG_SMTP_FROM（发件地址）"):
        SmtpSettings(smtp_host="x", smtp_user="a")
    assert [SmtpSettings(smtp_security=one).port for one in ("ssl", "starttls", "none")] == [465, 587, 25]  # type: ignore[arg-type]
