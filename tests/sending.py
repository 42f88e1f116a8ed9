"""A tiny ledger whose villages have a reminder each, in the inbox and through a webhook that leads to a receiver."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.database import Database, connect
from ledger.issuing import issue_due
from ledger.reminders import queue_due
from notifications.channel_file import load_channels
from tests.factories import CODE, instant, load, query, tiny_pack
from tests.receiver import Receiver
from tests.telling import add_liaison, confirm_channel

DAY = instant("2025-01-26").date()  # a Sunday at work
NOW = instant(DAY, 9)
CHANNEL = "mz-group"


def prepare(
    url: str, folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, villages: int, per_minute: int = 300
) -> Database:
    """A message for each village's inbox and one for its liaison, through a confirmed webhook."""
    monkeypatch.setenv("LUCHENG_DATABASE_URL", url)
    monkeypatch.setenv("LUCHENG_DATA_DIR", str(folder))
    monkeypatch.setenv("LUCHENG_CHANNELS_FILE", str(receiver.channels_file(folder, per_minute=per_minute)))
    monkeypatch.setenv("LUCHENG_CLOCK", NOW.isoformat())
    database = connect(url)
    load(database, tiny_pack(folder / "pack", villages=villages), instant("2025-01-01"))
    with database.write() as session:
        issue_due(session, CODE, as_of=DAY, now=NOW, sections=["task-1"])
        way = load_channels()[CHANNEL]
        confirm_channel(session, way, NOW)
        for (code,) in query(session, "SELECT code FROM unit WHERE level = 'village' ORDER BY code"):
            add_liaison(session, code, way, NOW)
    with database.write() as session:
        assert queue_due(session, CODE, as_of=DAY, now=NOW).messages == 4 * villages
    return database
