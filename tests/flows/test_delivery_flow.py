"""The delivery flow in Prefect's engine: it keeps the pace of a channel, and waits for it within one run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from flows.delivery import delivery
from ledger.marks import marks
from tests.factories import query
from tests.receiver import running_receiver
from tests.sending import CHANNEL, prepare

pytestmark = pytest.mark.slow


def test_one_run_sends_what_the_limit_spreads_over_time(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_receiver() as receiver, prefect_test_harness(server_startup_timeout=120):
        database = prepare(sqlite_url, tmp_path, receiver, monkeypatch, villages=5, per_minute=60)
        sent = asyncio.run(delivery())  # type: ignore[arg-type]
    assert sent == 20
    assert len(receiver.log) == len(set(receiver.keys)) == 10
    times = [one.at for one in receiver.log]
    assert times[-1] - times[0] > 2.0  # seven at once, then one each 1.1 seconds
    with database.read() as session:
        assert query(session, "SELECT DISTINCT state FROM outbox WHERE channel = :c", c=CHANNEL) == [("sent",)]
        assert "delivery" in marks(session)
    database.close()
