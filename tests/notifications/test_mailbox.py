"""The mailbox on a real Dovecot, and what other servers answer."""

from __future__ import annotations

import base64
import random
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from notifications.imap_answers import PartPlace, groups, part_places, text_of
from notifications.mailbox import CHUNK, open_mailbox
from notifications.servers import ImapSettings, Security
from policy_models.errors import MailboxUnavailable
from tests.mail_servers import BUREAU, PASSWORD, MailServers, Proxy, running_mail

pytestmark = pytest.mark.slow
LETTER = b"From: a@b.example\r\nSubject: x\r\nMessage-ID: <%d@b>\r\n\r\nhello %d\r\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    with running_mail() as servers:
        yield servers


def settings(servers: MailServers, **more: object) -> ImapSettings:
    facts = {
        "imap_host": "localhost",
        "imap_port": servers.dovecot.imaps,
        "imap_user": BUREAU,
        "imap_password": PASSWORD,
        "imap_timeout": 10,
        "mail_ca_file": servers.ca_file,
        **more,
    }
    return ImapSettings(**facts)  # type: ignore[arg-type]


def refused(wanted: ImapSettings) -> str:
    with pytest.raises(MailboxUnavailable) as error, open_mailbox(wanted):
        pass
    assert PASSWORD not in str(error.value)
    return str(error.value)


def test_read_and_never_changed(servers: MailServers) -> None:
    for number in (1, 2, 3):
        servers.dovecot.append(LETTER % (number, number), '"03-Jul-2025 10:21:00 +0800"')
    before = servers.dovecot.letters()
    with open_mailbox(settings(servers)) as box:
        assert box.uids_after(0) == [1, 2, 3]
        assert box.uids_after(2) == [3]
        assert box.uids_after(3) == []  # "4:*" has the last letter all the same
        assert box.uids_after(0, date(2025, 7, 3)) == [1, 2, 3]
        assert box.uids_after(0, date(2025, 12, 4)) == []
        found = list(box.glimpses([1, 2, 99]))
        assert [one.uid for one in found] == [1, 2]
        assert found[0].arrived_at == datetime(2025, 7, 3, 2, 21, tzinfo=UTC)
        assert found[0].head == (LETTER % (1, 1)).partition(b"hello")[0]
        assert (box.letter(2), found[1].size) == (LETTER % (2, 2), len(LETTER % (2, 2)))
        assert box.letter(99) is None
        assert box.uidvalidity == servers.dovecot.uidvalidity()
    assert servers.dovecot.letters() == before == {1: (), 2: (), 3: ()}
    log = servers.dovecot.log()
    assert "ID sent: name=lucheng" in log
    assert "EXPUNGE" not in log.upper().replace("EXPUNGED=0", "")


def test_a_large_letter_part_by_part(servers: MailServers) -> None:
    raw = (
        b'From: a@b\r\nMessage-ID: <9@b>\r\nContent-Type: multipart/mixed; boundary="("\r\n\r\n--(\r\n\r\ntext\r\n'
        b'--(\r\nContent-Type: application/pdf; name="a \\"quoted\\" (1).pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        b"\r\nYWJj\r\n--(\r\nContent-Type: multipart/alternative; boundary=d\r\n\r\n--d\r\n\r\none\r\n--d\r\n"
        b"Content-Type: text/html\r\n\r\n<p>two\r\n--d--\r\n--(--\r\n"
    )
    servers.dovecot.append(raw)
    with open_mailbox(settings(servers)) as box:
        uid = box.uids_after(0)[-1]
        assert box.parts(uid) == (
            PartPlace("1", "text/plain", "7bit", 4),
            PartPlace("2", "application/pdf", "base64", 4),
            PartPlace("3.1", "text/plain", "7bit", 3),
            PartPlace("3.2", "text/html", "7bit", 6),
        )
        assert b"application/pdf" in box.part_head(uid, "2")
        assert (box.part(uid, "2"), box.decoded(uid, "2"), box.part(uid, "3.2")) == (b"YWJj", b"abc", b"<p>two")
        assert (box.parts(99), box.part(99, "1"), box.decoded(99, "1")) == ((), b"", b"")


@pytest.mark.parametrize("length", [0, 1, 2, 3, 57, CHUNK // 4 * 3 - 1, CHUNK, CHUNK * 3 + 1])
def test_what_travels_as_base64_is_decoded_as_it_comes(servers: MailServers, length: int) -> None:
    data = random.Random(length).randbytes(length)
    lines = base64.encodebytes(data).replace(b"\n", b"\r\n")
    forwarded = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    servers.dovecot.append(raw + forwarded + b"\r\n--b--\r\n")
    servers.dovecot.append(forwarded)
    with open_mailbox(settings(servers)) as box:
        within, alone = box.uids_after(0)[-2:]
        [one] = box.parts(within)
        assert (one.place, one.media_type, one.encoding) == ("1.1", "application/pdf", "base64")
        assert box.decoded(within, one.place) == data
        [single] = box.parts(alone)
        assert single.place == "1"
        assert box.decoded(alone, "1") == data
        assert b"application/pdf" in box.part_head(alone, "1")


def test_thirty_megabytes_are_held_once(servers: MailServers, capsys: pytest.CaptureFixture[str]) -> None:
    data = random.Random(1).randbytes(30 << 20)
    head = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    servers.dovecot.append(head + base64.encodebytes(data).replace(b"\n", b"\r\n"))
    with open_mailbox(settings(servers)) as box:
        uid = box.uids_after(0)[-1]
        tracemalloc.start()
        found = box.decoded(uid, "1")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert found == data
    with capsys.disabled():
        print(f"\n30 MB attachment read with {peak / len(data):.2f} times its size in memory")
    assert peak < len(data) * 1.5


@pytest.mark.parametrize(("security", "secure"), [("ssl", True), ("starttls", False), ("none", False)])
def test_every_kind_of_connection(servers: MailServers, security: str, secure: bool) -> None:
    port = servers.dovecot.imaps if secure else servers.dovecot.imap
    with open_mailbox(settings(servers, imap_security=security, imap_port=port)) as box:
        assert box.uidvalidity > 0


def test_what_is_wrong_is_said(servers: MailServers, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert refused(settings(servers, imap_password="wrong")) == (
        "收信服务器拒绝登录，请核对用户名和授权码，并确认邮箱已开通 IMAP"
    )
    assert refused(settings(servers, imap_password="密码")) == "收信用户名或授权码含有不能使用的字符"
    assert refused(settings(servers, imap_port=1)).startswith("不能连接收信服务器 localhost:1：")
    assert "certificate verify failed" in refused(settings(servers, mail_ca_file=None))
    assert refused(settings(servers, imap_folder="没有这个")).startswith("不能打开邮箱文件夹“没有这个”：")


def test_a_wire_that_breaks(servers: MailServers) -> None:
    proxy = Proxy(servers.dovecot.imap)
    wanted = settings(servers, imap_port=proxy.port, imap_security="none")
    with open_mailbox(wanted) as box:
        proxy.cut_after(30)
        with pytest.raises(MailboxUnavailable, match=r"^读取来信时与收信服务器的连接中断："):
            box.letter(1)
    assert proxy.cuts == 1
    proxy.close()


def test_settings_are_whole_and_keep_their_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ImapSettings().configured is False
    with pytest.raises(ValueError, match="写了 LUCHENG_IMAP_HOST，还须写 LUCHENG_IMAP_USER"):
        ImapSettings(imap_host="imap.163.com")
    monkeypatch.setenv("LUCHENG_IMAP_HOST", "")
    monkeypatch.setenv("LUCHENG_IMAP_PASSWORD", PASSWORD)
    found = ImapSettings()
    assert (found.configured, found.port, found.imap_security) == (False, 993, Security.SSL)
    assert PASSWORD not in f"{found!r}{found}{found.model_dump_json()}"


def test_answers_of_other_servers() -> None:
    """Items behind the literal, flags that nobody asked for, short strings in quotes, names as literals."""
    answer: list[object] = [
        (b"1 (BODY[HEADER]<0> {3}", b"A:\r"),
        b" UID 5 RFC822.SIZE 9)",
        b"7 (FLAGS (\\Seen))",
        b'2 (UID 6 BODY[1] "say \\"hi\\"")',
    ]
    found = [text_of(pieces) for pieces in groups(answer)]
    assert found == [
        ("1 (BODY[HEADER]<0> {3}  UID 5 RFC822.SIZE 9)", [b"A:\r"]),
        ("7 (FLAGS (\\Seen))", []),
        ('2 (UID 6 BODY[1] "say \\"hi\\"")', [b'say "hi"']),
    ]
    structure: list[object] = [
        (b'3 (UID 7 BODYSTRUCTURE (("TEXT" "PLAIN" NIL NIL NIL "8BIT" 4 1)("APPLICATION" "PDF" ("NAME" {4}', b"a(b)"),
        b') NIL NIL "BASE64" 900)("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 77 (NIL) (NIL) 3)'
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 99 (NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1) 3)'
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 99 (NIL) (("A" "B" NIL NIL NIL "7BIT" 6) "MIXED") 3) "MIXED"))',
    ]
    [pieces] = groups(structure)
    assert part_places(pieces) == (
        PartPlace("1", "text/plain", "8bit", 4),
        PartPlace("2", "application/pdf", "base64", 900),
        PartPlace("3", "message/rfc822", "7bit", 77),
        PartPlace("4.1", "text/plain", "7bit", 5),
        PartPlace("5.1", "a/b", "7bit", 6),
    )
    for broken in (b"3 (UID 7 BODYSTRUCTURE NIL)", b"3 (UID 7", b"(" * 5000, b"3 (BODYSTRUCTURE (" + b"(" * 99):
        assert part_places([(broken, b"")]) == ()
