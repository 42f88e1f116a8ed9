"""The database itself refuses to change the past, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.database import Database
from ledger.issuing import issue_due
from ledger.reminders import queue_due
from tests.factories import CODE, KINDS, fresh_database, instant, load, query, rewound, tiny_pack


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A ledger with entries, reminders and messages."""
    day = date(2025, 2, 3)
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=day, now=instant(day))
        with database.write() as session:
            queue_due(session, CODE, as_of=date(2025, 2, 5), now=instant("2025-02-05"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


@pytest.mark.parametrize("table", ["entry", "reminder"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET item_id = item_id", "DELETE FROM {}"])
def test_the_past_cannot_be_changed(database: Database, table: str, statement: str) -> None:
    with database.read() as session:
        before = query(session, f"SELECT * FROM {table} ORDER BY id")
    assert before
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), database.write() as session:
        session.execute(text(statement.format(table)))
    with database.read() as session:
        assert query(session, f"SELECT * FROM {table} ORDER BY id") == before


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE work_item SET state = 'accepted'", "accepted_is_reviewed"),
        ("UPDATE work_item SET state = 'accepted', reviewed_by = 'a'", "accepted_is_reviewed"),
        ("UPDATE work_item SET state = 'accepted', reviewed_at = '2025-01-01'", "accepted_is_reviewed"),
        ("UPDATE work_item SET state = 'returned'", "returned_has_reason"),
        ("UPDATE work_item SET state = 'waived'", "returned_has_reason"),
        ("UPDATE work_item SET state = 'forgotten'", "ck_work_item_state"),
        ("UPDATE work_item SET opens_on = '2026-01-01'", "opens_before_deadline"),
        ("UPDATE plan SET catch_up = 'waive'", "waive_has_reason"),
        ("UPDATE assignee SET unit_code = '9000-mz' WHERE level IS NOT NULL", "one_way"),
        ("UPDATE outbox SET state = 'sent'", "sent_has_time"),
        ("UPDATE outbox SET state = 'lost'", "ck_outbox_state"),
        (
            "INSERT INTO entry (item_id, revision, act, state, by_unit, by_name, at) "
            "SELECT item_id, revision + 1, 'forget', state, by_unit, by_name, at FROM entry",
            "ck_entry_act",
        ),
    ],
)
def test_nonsense_is_refused(database: Database, statement: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), database.write() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entry (item_id, revision, act, state, by_unit, by_name, at) "
        "SELECT item_id, revision, act, state, by_unit, by_name, at FROM entry",
        "INSERT INTO reminder (item_id, step, recipient, as_of, queued_at) "
        "SELECT item_id, step, recipient, '2025-02-06', queued_at FROM reminder",
        "UPDATE work_item SET key = 'one'",
        "UPDATE work_item SET unit_code = 'nobody'",
        "DELETE FROM unit",
    ],
)
def test_keys_and_references_hold(database: Database, statement: str) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(text(statement))
