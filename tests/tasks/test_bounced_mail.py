"""Letters that come back, on real servers: sent by SMTP, returned into the mailbox, read by IMAP, noted in the ledger."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger.database import Database, connect
from ledger.issuing import issue_due
from ledger.outbox import claim, record_sent
from ledger.reminders import queue_due
from notifications.channel_file import load_channels
from notifications.channels import Letter, deliver
from tasks.mail import take_letters
from tests.bounces import identifier, returned
from tests.factories import CODE, instant, load, query, tiny_pack, village
from tests.mail_servers import BUREAU, PASSWORD, MailServers, running_mail
from tests.telling import add_liaison, confirm_channel

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")]
DAY = date(2025, 1, 26)
NOW = instant(DAY, 9)
ADDRESS = "u@x.example"


@pytest.fixture
def servers(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServers]:
    with running_mail() as servers:
        more = {"LUCHENG_DATA_DIR": str(tmp_path), "LUCHENG_DATABASE_URL": sqlite_url, "LUCHENG_CLOCK": NOW.isoformat()}
        for name, value in servers.environment(**more).items():
            monkeypatch.setenv(name, value)
        servers.post.arrived = '"26-Jan-2025 09:30:00 +0800"'
        yield servers


@pytest.fixture
def ledger(servers: MailServers, sqlite_url: str, tmp_path: Path) -> Iterator[Database]:
    """A liaison whose reminder went out by SMTP."""
    database = connect(sqlite_url)
    load(database, tiny_pack(tmp_path / "pack"), instant("2025-01-01"))
    email = load_channels()["email"]
    with database.write() as session:
        issue_due(session, CODE, as_of=DAY, now=NOW, sections=["task-1"])
        confirm_channel(session, email, NOW)
        add_liaison(session, village(1, 1), email, NOW, name="张三", address=ADDRESS)
    with database.write() as session:
        queue_due(session, CODE, as_of=DAY, now=NOW)
    with database.claim() as session:
        [one] = claim(session, now=NOW, by="t", ways={"email": email})
    letter = Letter(one.id, one.key, one.kind, "u", "村", "提醒", "请办理。", person_name="张三", address=one.address)
    answer = deliver(email, letter, now=NOW)
    with database.write() as session:
        assert record_sent(session, one.id, subject="提醒", body="请办理。", now=NOW, answer=answer)
    yield database
    database.close()


def come_back(servers: MailServers, raw: bytes) -> None:
    """As another server's mail daemon hands it in."""
    with smtplib.SMTP("localhost", servers.smtp) as wire:
        wire.starttls(context=ssl.create_default_context(cafile=str(servers.ca_file)))
        wire.login(BUREAU, PASSWORD)
        wire.sendmail("", [BUREAU], raw.replace(b"\n", b"\r\n"))


def standing(database: Database) -> tuple[list[tuple[object, ...]], ...]:
    with database.read() as session:
        return (
            query(session, "SELECT state, error FROM outbox WHERE channel = 'email'"),
            query(session, "SELECT address, bounce FROM person_address"),
            query(session, "SELECT message_id, state, reason FROM mail_letter ORDER BY id"),
        )


def test_a_letter_that_comes_back(ledger: Database, servers: MailServers) -> None:
    [sent] = servers.post.sent
    assert sent["To"] == f"张三 <{ADDRESS}>"
    come_back(servers, returned(identifier(sent), action="delayed", status="4.4.1", number=1))
    come_back(servers, returned(identifier(sent), number=2))
    come_back(servers, returned(identifier(sent), number=3))
    assert take_letters.fn() == {"read": 3, "set_aside": 1, "dismissed": 2, "double": 0}
    reason = "收件地址不存在（5.1.1）"
    noted = f"退信：{reason}，已记入发送记录"
    assert standing(ledger) == (
        [("dead", f"退信：{reason}")],
        [(ADDRESS, reason)],
        [
            ("dsn1@mx.example", "set_aside", "这是一封退信：本系统发出的回执可能没有送达"),
            ("dsn2@mx.example", "dismissed", noted),
            ("dsn3@mx.example", "dismissed", noted),
        ],
    )
    assert len(servers.post.sent) == 1  # no bounce is answered


def test_a_bounce_that_somebody_made_up(ledger: Database, servers: MailServers) -> None:
    name, _, host = identifier(servers.post.sent[0]).partition("@")
    made_up = f"{name[:-4]}0000@{host}"
    come_back(servers, returned(made_up))
    assert take_letters.fn() == {"read": 1, "set_aside": 1, "double": 0}
    sent, addresses, letters = standing(ledger)
    assert (sent, addresses) == ([("sent", None)], [(ADDRESS, None)])
    assert letters == [("dsn1@mx.example", "set_aside", "这是一封退信：本系统发出的回执可能没有送达")]
