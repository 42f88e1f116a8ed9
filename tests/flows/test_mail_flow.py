"""The mail flow in Prefect's engine: letters are read, answers are sent, the ledger knows that it ran."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from flows.mail import mail
from ledger import addresses
from ledger.database import connect
from ledger.marks import marks
from notifications.channel_file import load_channels
from tests.factories import instant, load, query, tiny_pack
from tests.letters import ADDRESSES, ONE, docx, letter, named, word
from tests.mail_servers import running_mail
from tests.reporting import opened, with_reports
from tests.telling import confirm_all

pytestmark = pytest.mark.slow


def test_read_answered_and_marked(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = connect(sqlite_url)
    load(database, tiny_pack(tmp_path / "pack", with_reports), instant("2025-01-01"))
    opened(database)
    with database.write() as session:
        addresses.save_addresses(session, ADDRESSES, now=instant("2025-06-01"))
    with running_mail() as servers, prefect_test_harness(server_startup_timeout=120):
        settings = {"LUCHENG_DATA_DIR": str(tmp_path), "LUCHENG_DATABASE_URL": sqlite_url}
        settings["LUCHENG_CLOCK"] = "2025-06-25T14:00:00+08:00"
        for name, value in servers.environment(**settings).items():
            monkeypatch.setenv(name, value)
        confirm_all(database, load_channels(), instant("2025-06-01"))
        raw = letter(1, ONE, word("2025年上半年"), named("报告.docx", docx()))
        servers.dovecot.append(raw, '"24-Jun-2025 10:00:00 +0800"')
        servers.dovecot.append(raw, '"24-Jun-2025 10:00:00 +0800"')
        first = asyncio.run(mail())  # type: ignore[arg-type]
        second = asyncio.run(mail())  # type: ignore[arg-type]
        [answer] = servers.post.sent
    assert first == {"read": 2, "filed": 1, "double": 1, "answered": 1}
    assert second == {"answered": 0}
    assert (answer["To"], answer["Subject"]) == (ONE, "收到：2025年上半年")
    with database.read() as session:
        assert str(marks(session)["mail"].as_of) == "2025-06-25"
        assert query(session, "SELECT state, subject FROM outbox WHERE kind = 'receipt'") == [
            ("sent", "收到：2025年上半年")
        ]
    database.close()
