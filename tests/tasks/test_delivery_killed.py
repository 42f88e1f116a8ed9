"""``kill -9`` between claim and record: against a receiver that is sometimes slow, no message goes out twice, and what
was under way is known as uncertain."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from ledger import outbox
from ledger.database import Database
from ledger.outbox import CLAIM_LASTS
from tasks.delivery import deliver_batch, release_stale
from tests.factories import query
from tests.receiver import Receiver, running_receiver
from tests.sending import CHANNEL, NOW, prepare

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def send_and_kill(workers: int, kills: int) -> int:
    """How many workers were killed."""
    command = [sys.executable, "-m", "tests.tasks.killed_senders", str(workers), str(kills), CHANNEL]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=85)
    assert done.returncode == 0, done.stderr[-9000:]
    killed, died = map(int, done.stdout.split())
    assert died == 0, done.stderr[-9000:]
    return killed


def standing(database: Database, channel: str) -> dict[str, list[str]]:
    """The keys of a channel's messages by state."""
    found: dict[str, list[str]] = {}
    with database.read() as session:
        for key, state in query(session, "SELECT key, state FROM outbox WHERE channel = :c ORDER BY id", c=channel):
            found.setdefault(str(state), []).append(str(key))
    return found


@pytest.mark.parametrize(
    ("kind", "villages", "workers", "kills"),
    [("sqlite", 15, 4, 10), pytest.param("postgres", 70, 8, 40, marks=pytest.mark.postgres)],
)
def test_nothing_is_sent_twice_and_what_was_under_way_is_uncertain(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    villages: int,
    workers: int,
    kills: int,
) -> None:
    began, all_of_them = time.monotonic(), 2 * villages
    with running_receiver() as receiver:
        receiver.slow = (0.05, 0.35)
        database = prepare(
            request.getfixturevalue(f"{kind}_url"), tmp_path, receiver, monkeypatch, villages, per_minute=1000
        )
        killed = send_and_kill(workers, kills)
        assert killed == kills
        # the claims of the dead are old enough to be seen as such
        monkeypatch.setenv("LUCHENG_CLOCK", (NOW + 2 * CLAIM_LASTS).isoformat())
        stale = release_stale.fn()
        while any(deliver_batch.fn().values()):  # the inbox again: twice is harmless there
            pass
        arrived, found = Counter(receiver.keys), standing(database, CHANNEL)
        sent, uncertain = set(found.pop("sent")), set(found.pop("uncertain"))
        assert found == {}
        assert max(arrived.values()) == 1  # not one key twice
        assert sent <= set(arrived)  # everything that is called sent was
        assert set(arrived) - sent <= uncertain  # what arrived unrecorded is not called anything else
        assert len(sent) + len(uncertain) == all_of_them
        assert killed // 5 <= len(uncertain) <= killed  # whoever is killed leaves no more than one
        assert standing(database, "inbox").keys() == {"sent"}
        lost = uncertain - set(arrived)
        with capsys.disabled():
            print(
                f"\n{kind}: {all_of_them} messages, {workers} workers, {killed} killed, {len(sent)} sent once, "
                f"{len(uncertain)} uncertain ({len(uncertain) - len(lost)} had arrived, {len(lost)} not), "
                f"{stale} stale claims, {time.monotonic() - began:.1f} s"
            )
        send_again(database, receiver, sorted(uncertain))
    database.close()


def send_again(database: Database, receiver: Receiver, uncertain: list[str]) -> None:
    """A person has the uncertain ones sent again: under the same id, by which the receiver knows a double."""
    with database.write() as session:
        for (row,) in query(session, "SELECT id FROM outbox WHERE state = 'uncertain'"):
            outbox.resend(session, int(row), by="市民政局经办人", now=NOW + 2 * CLAIM_LASTS)
    before = {one.key: one.id for one in receiver.log}
    seen = len(receiver.log)
    while any(deliver_batch.fn().values()):
        pass
    again = receiver.log[seen:]
    assert sorted(one.key for one in again) == uncertain
    assert all(before.get(one.key, one.id) == one.id for one in again)
    assert standing(database, CHANNEL).keys() == {"sent"}
