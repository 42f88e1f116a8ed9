"""The step that issues circulars, called without Prefect's engine: once, at the hour of the clock, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.circulars import issue_circulars
from tests.factories import CODE, load, opened, query, tiny_pack

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
