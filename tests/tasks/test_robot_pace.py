"""Reminders through a group robot that locks after twenty messages a minute: all of them arrive, none too fast, and a
lock that somebody else brought about is sat out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ledger.channels import standings
from ledger.database import Database, connect
from ledger.issuing import issue_due
from ledger.outbox import counts
from ledger.reminders import queue_due
from notifications.channel_file import load_channels
from tasks import clock
from tasks.delivery import deliver_batch
from tests import robot_servers
from tests.factories import CODE, instant, load, query, tiny_pack
from tests.robot_servers import DING_SECRET, TOKEN, Receiver, receiving
from tests.telling import add_liaison, confirm_channel

pytestmark = pytest.mark.slow
DAY = date(2025, 1, 26)
NOW = instant(DAY, 9)
VILLAGES = 15  # in each of four townships, with a liaison each
STEP = timedelta(seconds=5)
FILE = """
- code: ding
  kind: dingtalk
  url: "http://127.0.0.1:{port}/robot/send?access_token={token}"
  secret: {secret}
  keyword: 鹿程
  allow_private: true
"""


@pytest.fixture
def robot() -> Iterator[Receiver]:
    with receiving(robot_servers.dingtalk, at=NOW.timestamp()) as robot:
        yield robot


@pytest.fixture
def ledger(robot: Receiver, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    (tmp_path / "channels.yaml").write_text(FILE.format(port=robot.port, token=TOKEN, secret=DING_SECRET), "utf-8")
    for name, value in {"DATABASE_URL": sqlite_url, "DATA_DIR": str(tmp_path), "CLOCK": NOW.isoformat()}.items():
        monkeypatch.setenv(f"LUCHENG_{name}", value)
    database = connect(sqlite_url)
    load(database, tiny_pack(tmp_path / "pack", villages=VILLAGES), instant("2025-01-01"))
    with database.write() as session:
        issue_due(session, CODE, as_of=DAY, now=NOW, sections=["task-1"])
        way = load_channels()["ding"]
        confirm_channel(session, way, NOW)
        for number, (code,) in enumerate(query(session, "SELECT code FROM unit WHERE level = 'village' ORDER BY code")):
            add_liaison(session, str(code), way, NOW, address=f"138{number:08}")
    with database.write() as session:
        queue_due(session, CODE, as_of=DAY, now=NOW)
    yield database
    database.close()


def go(robot: Receiver, monkeypatch: pytest.MonkeyPatch, at: datetime) -> dict[str, int]:
    """What the delivery flow does at this moment, by everybody's clock: a virtual one goes on from when the program
    began, which this undoes."""
    robot.at = at.timestamp()
    monkeypatch.setattr(clock, "_STARTED", time.monotonic())
    monkeypatch.setenv("LUCHENG_CLOCK", at.isoformat())
    return deliver_batch.fn()


def waiting(ledger: Database) -> int:
    with ledger.read() as session:
        return counts(session).get("pending", 0)


def test_nobody_is_too_fast(ledger: Database, robot: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with ledger.read() as session:
        [(total,)] = query(session, "SELECT count(*) FROM outbox WHERE channel = 'ding'")
    times: list[datetime] = []
    for step in range(12 * 6):
        at = NOW + step * STEP
        before = len(robot.taken)
        outcome = go(robot, monkeypatch, at)
        assert outcome["failed"] == outcome["dead"] == 0
        times += [at] * (len(robot.taken) - before)
        if not waiting(ledger):
            break
    assert len(robot.taken) == len(robot.seen) == total == len(times)
    called = [one["at"]["atMobiles"][0] for one in robot.taken]
    assert sorted(called) == [f"138{number:08}" for number in range(int(str(total)))]
    busiest = max(sum(timedelta(0) <= other - one < timedelta(minutes=1) for other in times) for one in times)
    assert 12 <= busiest <= 20
    assert times[-1] - NOW < timedelta(minutes=int(str(total)) / 17 + 1)


def test_a_lock_is_sat_out(ledger: Database, robot: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program posts to the same robot, and it locks for ten minutes: one message meets it, no more."""
    robot.locked_until = (NOW + timedelta(minutes=10)).timestamp()
    assert go(robot, monkeypatch, NOW)["failed"] == 1
    for minute in (1, 5, 9):
        assert go(robot, monkeypatch, NOW + timedelta(minutes=minute))["failed"] == 0
    assert (len(robot.seen), robot.taken) == (1, [])
    with ledger.read() as session:
        standing = standings(session)["ding"]
        assert standing.paused_until is not None
        assert timedelta(0) <= standing.paused_until - NOW - timedelta(minutes=10) < timedelta(seconds=20)
        assert "130101" in str(standing.error)
    after = NOW + timedelta(minutes=11)
    for step in range(12 * 6):
        go(robot, monkeypatch, after + step * STEP)
        if not waiting(ledger):
            break
    with ledger.read() as session:
        states = query(session, "SELECT state, count(*) FROM outbox WHERE channel = 'ding' GROUP BY state")
    assert states == [("sent", len(robot.taken))]
    assert len(robot.seen) == len(robot.taken) + 1
