"""The step that issues circulars, called without Prefect's engine: once, at the hour of the clock, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.circulars import circulars_of
from ledger.outbox import inbox
from tasks.circulars import issue_circulars
from tasks.delivery import deliver_batch
from tests.factories import BUREAU, CODE, load, opened, query, tiny_pack

pytestmark = pytest.mark.thorough


def test_it_issues_what_is_due_once_and_queues_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUCHENG_DATABASE_URL", database_url)
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path))
        monkeypatch.setenv("LUCHENG_CLOCK", "2025-04-07T08:20:00+08:00")
        assert issue_circulars.fn(CODE) == {"circulars": 1, "messages": 1}  # March is over since Tuesday
        monkeypatch.setenv("LUCHENG_CLOCK", "2025-04-07T08:35:00+08:00")
        assert issue_circulars.fn(CODE) == {"circulars": 1, "messages": 1}
        assert issue_circulars.fn(CODE) == {"circulars": 0, "messages": 0}
        with database.read() as session:
            kept = query(session, "SELECT kind, period FROM circular ORDER BY id")
            told = query(session, "SELECT key, recipient, channel, circular_id FROM outbox ORDER BY id")
    assert kept == [("monthly", "2025-03"), ("weekly", "2025-W14")]
    assert told == [
        ("monthly:tiny-2025:9000-mz:2025-03", "9000-mz", "inbox", 1),
        ("weekly:tiny-2025:9000-mz:2025-W14", "9000-mz", "inbox", 2),
    ]


def test_the_message_says_what_the_circular_says_and_leads_to_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the facts to the coordinator's inbox, by the delivery as it is."""
    monkeypatch.setenv("LUCHENG_DATABASE_URL", database_url)
    monkeypatch.setenv("LUCHENG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LUCHENG_BASE_URL", "https://lucheng.example")
    monkeypatch.setenv("LUCHENG_CLOCK", "2025-04-08T09:00:00+08:00")
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path))
        assert issue_circulars.fn(CODE)["messages"] == 2
        assert deliver_batch.fn()["sent"] == 2
        with database.read() as session:
            found = {one.subject: one.body for one in inbox(session, BUREAU)}
            kept = {one.circular.title: one for one in circulars_of(session, 1, 2025)}
    assert set(found) == set(kept) == {"方案落实情况周通报（2025年第14周）", "方案落实情况月通报（2025年3月）"}
    for title, body in found.items():
        assert 5 <= len(kept[title].circular.sections) <= 8
        for one in kept[title].circular.sections:
            assert one.text in body
        assert f"https://lucheng.example/circulars/{kept[title].id}" in body
