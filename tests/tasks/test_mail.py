"""Reading the mailbox, on a real server: what must not stop it, and what it passes by."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.database import Database, connect
from ledger.letters import mark_of
from notifications.mailbox import OpenMailbox
from tasks import mail
from tasks.mail import take_letters
from tests.factories import instant, load, query, tiny_pack
from tests.letters import LARGE, ONE, docx, letter, named, word
from tests.mail_servers import MailServers, running_mail
from tests.reporting import opened, with_reports

pytestmark = pytest.mark.slow
HALF = word("2025年上半年工作报告")
DAY = '"24-Jun-2025 10:00:00 +0800"'


@pytest.fixture(scope="module")
def running() -> Iterator[MailServers]:
    with running_mail() as servers:
        yield servers


@pytest.fixture
def servers(running: MailServers, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> MailServers:
    """A mailbox of its own for each test: a folder beside the others."""
    folder = f"box{abs(hash(tmp_path))}"
    client = running.dovecot.client()
    client.create(folder)
    client.logout()
    running.dovecot.box = folder
    settings = {"LUCHENG_IMAP_FOLDER": folder, "LUCHENG_DATA_DIR": str(tmp_path), "LUCHENG_DATABASE_URL": sqlite_url}
    settings["LUCHENG_CLOCK"] = "2025-06-25T14:00:00+08:00"
    for name, value in running.environment(**settings).items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
def ledger(sqlite_url: str, tmp_path: Path) -> Iterator[Database]:
    database = connect(sqlite_url)
    load(database, tiny_pack(tmp_path / "pack", with_reports), instant("2025-01-01"))
    opened(database)
    yield database
    database.close()


def found(ledger: Database) -> list[tuple[object, ...]]:
    with ledger.read() as session:
        return query(session, "SELECT message_id, state, reason FROM mail_letter ORDER BY id")


def report(number: int, **more: object) -> bytes:
    return letter(number, ONE, HALF, named("报告.docx", docx(str(number))), **more)  # type: ignore[arg-type]


def test_a_letter_that_breaks_the_reader_does_not_stop_those_after_it(
    ledger: Database, servers: MailServers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        servers.dovecot.append(report(number), DAY)
    read = mail.parse

    def parse(raw: bytes, name: str = "") -> object:
        if name == "2@unit.example":
            raise ValueError("words of the letter")
        return read(raw, name)

    monkeypatch.setattr(mail, "parse", parse)
    with caplog.at_level(logging.ERROR):
        assert take_letters.fn() == {"read": 3, "set_aside": 3, "double": 0}
    assert [(name, reason) for name, _, reason in found(ledger)] == [
        ("1@unit.example", "发件地址没有登记，不能确定是哪个单位"),
        ("2@unit.example", "来信的格式无法识别，请在邮箱中查看"),
        ("3@unit.example", "发件地址没有登记，不能确定是哪个单位"),
    ]
    assert "来信 2@unit.example 无法解析：ValueError" in caplog.text
    assert "words of the letter" not in caplog.text


def test_a_gate_that_breaks_keeps_the_file_out(
    ledger: Database, servers: MailServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def receive(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(mail, "receive", receive)
    servers.dovecot.append(report(1), DAY)
    assert take_letters.fn()["refused"] == 1
    assert found(ledger)[0][2] == "附件无法检查，没有收取，请另存为 docx 或 pdf 后重新发送"


def test_levels_without_end(ledger: Database, servers: MailServers) -> None:
    raw = b"From: <x@y.example>\r\nMessage-ID: <deep@x>\r\n"
    for level in range(3000):
        raw += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    servers.dovecot.append(raw + b"\r\ntext\r\n", DAY)
    servers.dovecot.append(report(1), DAY)
    assert take_letters.fn()["read"] == 2
    assert [name for name, _, _ in found(ledger)] == ["deep@x", "1@unit.example"]


def test_a_large_letter_without_parts_and_many_large_parts(ledger: Database, servers: MailServers) -> None:
    head = b"From: <x@y.example>\r\nMessage-ID: <%s@x>\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    servers.dovecot.append(head % b"flat" + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + b"x" * 78 * 400_000, DAY)
    five = bytes(15 << 20)
    servers.dovecot.append(letter(9, ONE, HALF, *[named(f"{n}.docx", five) for n in range(6)]), DAY)
    assert take_letters.fn()["read"] == 2
    with ledger.read() as session:
        reasons = query(session, "SELECT size, reason FROM mail_attachment ORDER BY id")
    assert reasons[0] == (78 * 400_000, "约 29 MB，超过单个附件 20 MB 的上限，请压缩或拆分后重新发送")
    assert [reason for _, reason in reasons[-2:]] == ["一封来信的附件合计超过 100 MB，请分几封发送"] * 2
    assert len(reasons) == 7
    assert LARGE > 20 << 20


def test_a_mailbox_of_years_is_not_answered(
    ledger: Database, servers: MailServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, day in enumerate(('"03-Jan-2023 10:00:00 +0800"', '"01-Jun-2025 10:00:00 +0800"', DAY), 1):
        servers.dovecot.append(report(number), day)
    assert take_letters.fn()["read"] == 1
    assert [name for name, _, _ in found(ledger)] == ["3@unit.example"]
    monkeypatch.setenv("LUCHENG_IMAP_SINCE", "2025-05-01")
    assert take_letters.fn() == {"read": 2, "set_aside": 1, "double": 1}
    assert [name for name, _, _ in found(ledger)] == ["3@unit.example", "2@unit.example"]
    monkeypatch.delenv("LUCHENG_IMAP_SINCE")
    assert take_letters.fn()["read"] == 0


def test_a_letter_deleted_while_it_is_read(
    ledger: Database, servers: MailServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.dovecot.append(report(1), DAY)
    servers.dovecot.append(report(2), DAY)
    fetch = OpenMailbox.letter
    monkeypatch.setattr(OpenMailbox, "letter", lambda box, uid: None if uid == 1 else fetch(box, uid))
    assert take_letters.fn() == {"read": 2, "gone": 1, "set_aside": 1, "double": 0}
    with ledger.read() as session:
        mark = mark_of(session, f"bureau@mz.example/{servers.dovecot.box}")
    assert mark is not None
    assert mark.uid == 2


def test_letters_that_came_yesterday_count_on_that_day(ledger: Database, servers: MailServers) -> None:
    servers.dovecot.append(report(1), DAY)
    take_letters.fn()
    with ledger.read() as session:
        [(arrived,)] = query(session, "SELECT received_at FROM mail_letter")
    assert datetime.fromisoformat(str(arrived)).replace(tzinfo=UTC) == datetime(2025, 6, 24, 2, tzinfo=UTC)


def test_without_a_mailbox_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUCHENG_IMAP_HOST", raising=False)
    assert take_letters.fn() == {"read": 0}
