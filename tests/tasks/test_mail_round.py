"""Fifty letters on a real SMTP and IMAP server, with the wire cut, the server killed, the reader killed and the mailbox
numbered anew: each letter once, none lost, each refusal answered, none answered twice, nothing changed in the mailbox.
"""

from __future__ import annotations

import os
import smtplib
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from documents.mail import identity
from ledger import addresses
from ledger.database import Database, connect
from notifications.channel_file import load_channels
from policy_models.errors import MailboxUnavailable
from tasks.delivery import deliver_batch, release_stale
from tasks.mail import take_letters
from tasks.transaction import reading
from tests.factories import instant, load, query, tiny_pack
from tests.letters import ADDRESSES, Sent, fifty, whole_identity
from tests.mail_servers import BUREAU, PASSWORD, MailServers, Proxy, running_mail
from tests.reporting import opened, with_reports
from tests.telling import confirm_all

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
NOW = "2025-06-25T14:00:00+08:00"
ARRIVED = '"24-Jun-2025 22:30:00 +0800"'


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return fifty()


@dataclass
class Bureau:
    """Servers, a wire to the mailbox that can be cut, and the ledger behind them."""

    servers: MailServers
    proxy: Proxy
    database: Database
    folder: Path

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with reading() as session:
            return query(session, statement)

    @property
    def letters(self) -> int:
        return int(str(self.rows("SELECT count(*) FROM mail_letter")[0][0]))


@pytest.fixture
def bureau(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bureau]:
    database = connect(database_url)
    load(database, tiny_pack(tmp_path / "pack", with_reports), instant("2025-01-01"))
    opened(database)
    with database.write() as session:
        addresses.save_addresses(session, ADDRESSES, now=instant("2025-06-01"))
    with running_mail() as servers:
        proxy = Proxy(servers.dovecot.imap)
        servers.post.arrived = ARRIVED
        settings = {"LUCHENG_DATA_DIR": str(tmp_path), "LUCHENG_DATABASE_URL": database_url, "LUCHENG_CLOCK": NOW}
        for name, value in servers.environment(imap=proxy.port, **settings).items():
            monkeypatch.setenv(name, value)
        confirm_all(database, load_channels(), instant("2025-06-01"))
        yield Bureau(servers, proxy, database, tmp_path)
        proxy.close()
    database.close()


def send(servers: MailServers, letters: list[Sent]) -> None:
    """As a unit's mail program does, with STARTTLS and a login."""
    with smtplib.SMTP("localhost", servers.smtp, timeout=60) as server:
        server.starttls(context=ssl.create_default_context(cafile=str(servers.ca_file)))
        server.login(BUREAU, PASSWORD)
        for one in letters:
            server.sendmail(one.sender, [BUREAU], one.raw)


def take(limit: int = 100) -> dict[str, int]:
    return take_letters.fn(limit)


def read_until_it_breaks() -> str:
    with pytest.raises(MailboxUnavailable) as error:
        take()
    return str(error.value)


def fetch_and_be_killed(bureau: Bureau, after: int) -> int:
    """``lucheng mail fetch`` in a process of its own, killed as soon as ``after`` letters are in the ledger; how many
    there are then."""
    program = subprocess.Popen(
        [sys.executable, "-m", "lucheng", "mail", "fetch"],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 90
    while bureau.letters < after and time.monotonic() < until and program.poll() is None:
        time.sleep(0.01)
    program.kill()
    _, err = program.communicate()
    assert bureau.letters >= after, err.decode()
    return bureau.letters


def test_fifty_letters(bureau: Bureau, sent: list[Sent], capsys: pytest.CaptureFixture[str]) -> None:
    servers, dovecot = bureau.servers, bureau.servers.dovecot
    send(servers, sent)
    before = dovecot.letters()
    assert len(before) == 50
    began = time.monotonic()

    # the wire breaks between two letters, and in the middle of one
    assert take(3) == {"read": 3, "filed": 3, "double": 0}
    bureau.proxy.cut_after(20_000)
    assert "连接中断" in read_until_it_breaks()
    assert (bureau.proxy.cuts, 3 <= bureau.letters < 50) == (1, True)
    # the server is killed while it is being read
    met = bureau.letters
    bureau.proxy.cut_after(400_000, at_cut=dovecot.kill)
    assert "连接中断" in read_until_it_breaks()
    assert met < bureau.letters < 50
    assert read_until_it_breaks().startswith(("不能连接收信服务器", "登录收信服务器时连接中断"))
    dovecot.start()
    # the reader is killed
    met = bureau.letters
    assert met < fetch_and_be_killed(bureau, met + 8) < 45
    # the mailbox is numbered anew, when some of it was read
    old, met = dovecot.uidvalidity(), bureau.letters
    dovecot.number_anew()
    assert dovecot.uidvalidity() != old
    assert sorted(dovecot.letters()) == list(range(1, 51))
    counted: Counter[str] = Counter()
    while (taken := take())["read"]:
        counted.update(taken)
    # every letter was looked at again, those that were known by their heads alone
    assert (counted["read"], counted["double"]) == (50, met + sum(one.double for one in sent))
    seconds = time.monotonic() - began

    expect_each_once(bureau, sent)
    answered = deliver(bureau, sent)
    expect_answers(answered, sent)
    expect_no_value(bureau)
    flags = set(dovecot.letters().values())
    assert (len(dovecot.letters()), flags) == (50, {()})
    assert take() == {"read": 0, "double": 0}
    states = Counter(dict(bureau.rows("SELECT state, count(*) FROM mail_letter GROUP BY state")))  # type: ignore[arg-type]
    with capsys.disabled():
        print(
            f"\n50 letters ({sum(len(one.raw) for one in sent) >> 20} MB) sent, {bureau.letters} in the ledger {dict(states)},"
            f" {met} of them before the mailbox was numbered anew, {len(answered)} answers,"
            f" {bureau.proxy.carried >> 20} MB fetched, {seconds:.1f} s"
        )


def expect_each_once(bureau: Bureau, sent: list[Sent]) -> None:
    """Every letter stands in the ledger once, as what it is to be."""
    expected = {name(one): one.state for one in sent}
    assert sum(not one.double for one in sent) == len(expected) == 45
    found = dict(bureau.rows("SELECT message_id, state FROM mail_letter"))
    assert found == expected
    assert bureau.letters == 45
    assert bureau.rows("SELECT DISTINCT received_at FROM mail_letter") == bureau.rows(
        "SELECT received_at FROM mail_letter LIMIT 1"
    )
    orphans = "SELECT count(*) FROM mail_attachment WHERE file_id IS NULL AND reason IS NULL"
    assert bureau.rows(orphans) == [(0,)]


def name(one: Sent) -> str:
    """By what the ledger tells the letter, as the mailbox has it."""
    raw = f"Return-Path: <{one.sender}>\r\n".encode() + one.raw
    return identity(raw[: raw.index(b"\r\n\r\n") + 4], len(raw))


def deliver(bureau: Bureau, sent: list[Sent]) -> list[EmailMessage]:
    """Send all answers, at the pace that the channel allows, with the connection lost once after the server had taken
    one."""
    bureau.servers.post.lose_connection = 1
    counted: Counter[str] = Counter()
    minutes = 0
    while any((batch := deliver_batch.fn()).values()):
        counted.update(batch)
        minutes += 1
        os.environ["LUCHENG_CLOCK"] = (datetime.fromisoformat(NOW) + timedelta(minutes=minutes)).isoformat()
    due = sum(one.answer is not None and not one.double for one in sent)
    assert counted == {"sent": due - 1, "uncertain": 1, "failed": 0, "dead": 0}
    assert release_stale.fn() == 0
    assert bureau.rows("SELECT state, count(*) FROM outbox WHERE kind = 'receipt' GROUP BY state ORDER BY state") == [
        ("sent", due - 1),
        ("uncertain", 1),
    ]
    return bureau.servers.post.sent


def expect_answers(answers: list[EmailMessage], sent: list[Sent]) -> None:
    """As they arrived: one for each letter that wants one, with what was refused and why; none for programs."""
    wanted = [one for one in sent if one.answer is not None and not one.double]
    to = Counter(str(one["To"]) for one in answers)
    assert to == Counter(one.sender for one in wanted)
    answered = [str(one["In-Reply-To"]) for one in answers if one["In-Reply-To"]]
    assert max(Counter(answered).values()) == 1
    assert len({str(one["Message-ID"]) for one in answers}) == len(answers)
    for answer in answers:  # a program that gets one never answers it
        assert answer["Auto-Submitted"] == "auto-replied"
    by_letter = {str(one["In-Reply-To"]): one for one in answers}
    for one in wanted:
        if name(one).startswith("sha256:"):
            continue  # a letter without Message-ID is answered without a reference to it
        body = by_letter[f"<{name(one)}>"].get_content()
        assert one.answer is not None
        assert one.answer in body, (name(one), one.answer, body)
        assert (one.state == "refused") <= ("请按上述说明处理后" in body)


def expect_no_value(bureau: Bureau) -> None:
    """The number that one letter brought is nowhere: not in the ledger, the files, the answers."""
    value = whole_identity()
    for table in ("mail_letter", "mail_attachment", "outbox", "screening", "file"):
        assert value not in str(bureau.rows(f"SELECT * FROM {table}"))
    assert bureau.rows("SELECT outcome FROM screening") == [("blocked",)]
    for path in (path for path in bureau.folder.rglob("*") if path.is_file()):
        assert value.encode() not in path.read_bytes(), path
    assert value not in "".join(str(one.get_content()) for one in bureau.servers.post.sent)
