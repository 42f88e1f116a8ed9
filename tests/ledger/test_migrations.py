"""A ledger of an earlier version is brought up to date with everything in it, and still refuses what it refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.database import Database, connect
from ledger.migrations import _config, check, is_current, migrate
from tests.factories import query

FIRST = (
    "INSERT INTO unit (code, name, level, changed_at) VALUES ('9000', '小城', 'city', '2025-01-01')",
    "INSERT INTO plan (code, revision, title, starts_on, ends_on, coordinator, document, calendars, digest, go_live_on,"
    " catch_up, loaded_at, calendars_changed_at) VALUES ('p', 1, '方案', '2025-01-01', '2025-12-31', '9000', '{}', '{}',"
    " 'd', '2025-01-01', 'backfill', '2025-01-01', '2025-01-01')",
    "INSERT INTO requirement (plan_id, code, section, task, kind, cadence, ladder, review, title)"
    " VALUES (1, '1.1', 'task-1', 1, 'dated', 'once', 'long', 'parent', '事项')",
    "INSERT INTO work_item (key, plan_id, requirement_id, unit_code, period, phase, opens_on, deadline, state, revision,"
    " created_at, changed_at) VALUES ('p:1.1:9000:once', 1, 1, '9000', 'once', 1, '2025-01-01', '2025-06-30',"
    " 'submitted', 2, '2025-01-01', '2025-02-01')",
    "INSERT INTO entry (item_id, revision, act, state, by_unit, by_name, at)"
    " VALUES (1, 2, 'submit', 'submitted', '9000', '甲', '2025-02-01')",
    "INSERT INTO evidence (item_id, revision, type, name, value) VALUES (1, 2, 'measure', 'done', 3.5)",
    "INSERT INTO outbox (key, channel, kind, plan_id, recipient, as_of, queued_at, next_try_at)"
    " VALUES ('k', 'inbox', 'reminder', 1, '9000', '2025-02-01', '2025-02-01', '2025-02-01')",
    "INSERT INTO reminder (item_id, step, recipient, as_of, queued_at)"
    " VALUES (1, -7, '9000', '2025-02-01', '2025-02-01')",
    "INSERT INTO feed_token (hash, name, unit_code, created_at) VALUES ('h', '手机', '9000', '2025-01-02')",
)
TABLES = ("unit", "plan", "requirement", "work_item", "entry", "evidence", "outbox", "reminder", "feed_token")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger of the first version with a row in each of its tables that changes."""
    name = request.param
    url = f"sqlite:///{tmp_path / 'old.db'}" if name == "sqlite" else request.getfixturevalue("empty_postgres_url")
    database = connect(url)
    command.upgrade(_config(database), "0001")
    with database.write() as session:
        for statement in FIRST:
            session.execute(text(statement))
    database.close()
    return str(url)


def told(database: Database) -> dict[str, list[tuple[object, ...]]]:
    columns = {
        "unit": "code, name, active",
        "plan": "code, digest",
        "requirement": "code, title",
        "work_item": "key, state, revision, deadline",
        "entry": "item_id, revision, act, by_name, at",
        "evidence": "item_id, name, value",
        "outbox": "key, recipient, plan_id, state",
        "reminder": "item_id, step, recipient",
        "feed_token": "hash, name, unit_code",
    }
    with database.read() as session:
        return {table: query(session, f"SELECT {columns[table]} FROM {table}") for table in TABLES}


def test_nothing_is_lost(earlier: str) -> None:
    database = connect(earlier)
    try:
        before = told(database)
        assert not is_current(database)
        assert all(len(rows) == 1 for rows in before.values())
        migrate(earlier)
        assert is_current(database)
        assert told(database) == before
        with database.read() as session:
            assert query(session, "SELECT closed_on, merged_into FROM unit") == [(None, None)]
            assert query(session, "SELECT collects FROM requirement") == [("",)]
            assert query(session, "SELECT plan_id, until FROM past_tally_span") == [(1, None)]
            assert query(session, "SELECT file_id, file_name, effective_on FROM evidence") == [(None, None, None)]
            reminded = query(session, "SELECT CAST(deadline AS VARCHAR(10)), audience, withheld FROM reminder")
            assert reminded == [("2025-06-30", "liaison", None)]
            assert query(session, "SELECT message_id, item_id, reminder_id FROM outbox_line") == [(1, 1, 1)]
            assert query(session, "SELECT scope, target, plan_id FROM feed_token") == [("unit", "9000", None)]
    finally:
        database.close()
    check(earlier)


def test_entries_still_refuse_changes_and_know_the_new_act(earlier: str) -> None:
    migrate(earlier)
    database = connect(earlier)
    try:
        for table, change in (("entry", "by_name = '乙'"), ("reminder", "step = 0")):
            for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}"):
                with pytest.raises(DBAPIError, match=f"{table} is append-only"), database.write() as session:
                    session.execute(text(statement))
        row = "INSERT INTO entry (item_id, revision, act, state, by_unit, by_name, at) VALUES (1, {}, '{}', 'submitted', '', '', '2025-03-01')"
        with database.write() as session:
            session.execute(text(row.format(3, "extend")))
        with pytest.raises(DBAPIError, match="ck_entry_act"), database.write() as session:
            session.execute(text(row.format(4, "forget")))
        with pytest.raises(DBAPIError, match="goes_somewhere"), database.write() as session:
            session.execute(text("UPDATE outbox SET recipient = NULL"))
    finally:
        database.close()


def test_histories_of_the_second_version_refuse_changes(earlier: str) -> None:
    migrate(earlier)
    database = connect(earlier)
    try:
        with database.write() as session:
            session.execute(
                text(
                    "INSERT INTO item_move (item_id, moved_at, opens_on, deadline, phase, catch_up, cause)"
                    " VALUES (1, '2025-03-01', '2025-01-01', '2025-06-30', 1, '', 'extension')"
                )
            )
        for statement in ("UPDATE item_move SET cause = 'revision'", "DELETE FROM item_move"):
            with pytest.raises(DBAPIError, match="item_move is append-only"), database.write() as session:
                session.execute(text(statement))
    finally:
        database.close()
