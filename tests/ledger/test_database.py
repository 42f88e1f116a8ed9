"""Transactions: committed whole, rolled back whole, one consistent reading; outages in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from ledger import marks
from ledger.database import Database, connect, sqlite_url
from ledger.migrations import check, is_current, migrate
from policy_models.errors import LedgerUnavailable
from tests.factories import instant, opened, query
from tests.postgres import free_port

DAY = date(2025, 3, 3)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def note(database: Database, flow: str) -> None:
    with database.write() as session:
        marks.mark(session, flow, as_of=DAY, now=instant(DAY))


def flows(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(marks.marks(session))


def two_notes(database: Database, second: datetime) -> None:
    with database.write() as session:
        marks.mark(session, "two", as_of=DAY, now=instant(DAY))
        marks.mark(session, "three", as_of=DAY, now=second)


def test_a_write_is_committed_whole_or_not_at_all(database: Database) -> None:
    note(database, "one")
    with pytest.raises(StatementError, match="an instant needs its zone"):
        two_notes(database, datetime(2025, 3, 3))
    assert flows(database) == ["one"]
    two_notes(database, instant(DAY))
    assert flows(database) == ["one", "three", "two"]


def test_a_trial_and_a_reading_leave_nothing(database: Database) -> None:
    with database.trial() as session:
        marks.mark(session, "one", as_of=DAY, now=instant(DAY))
        assert list(marks.marks(session)) == ["one"]
    assert flows(database) == []


def test_instants_come_back_in_utc(database: Database) -> None:
    note(database, "one")
    with database.read() as session:
        assert marks.marks(session) == {"one": marks.Mark(DAY, datetime(2025, 3, 3, 1, tzinfo=UTC))}
    with pytest.raises(StatementError, match="an instant needs its zone"), database.write() as session:
        marks.mark(session, "two", as_of=DAY, now=datetime(2025, 3, 3))


def test_a_reading_is_consistent(database: Database) -> None:
    note(database, "one")
    with database.read() as session:
        before = sorted(marks.marks(session))
        note(database, "two")
        assert sorted(marks.marks(session)) == before == ["one"]
    assert flows(database) == ["one", "two"]


def test_the_migrated_database_is_what_the_tables_say(database_url: str, database: Database) -> None:
    assert is_current(database)
    check(database_url)


def test_migrating_from_nothing_and_twice(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with opened(url) as database:
        assert not is_current(database)
    migrate(url)
    migrate(url)
    with opened(url) as database:
        assert is_current(database)


def test_foreign_keys_and_write_ahead_log_are_on(sqlite_url: str) -> None:
    with opened(sqlite_url) as database, database.read() as session:
        assert query(session, "PRAGMA foreign_keys") == [(1,)]
        assert query(session, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize("url", ["", "sqlite", "nosuch://a/b", "Datenbank"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(LedgerUnavailable, match=r"^台账数据库地址写法有误"):
        connect(url)


def test_a_database_that_is_down_is_one_sentence_without_secrets() -> None:
    url = f"postgresql://lucheng:geheim@127.0.0.1:{free_port()}/lucheng"
    with (
        opened(url) as database,
        pytest.raises(LedgerUnavailable, match=r"^台账数据库暂时无法使用（PostgreSQL 127\.0\.0\.1）：") as caught,
        database.read(),
    ):
        pass
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with (
        opened(sqlite_url(tmp_path / "nowhere")) as database,
        pytest.raises(LedgerUnavailable, match="unable to open database file"),
        database.read(),
    ):
        pass


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but long enough to be read as a header" * 40)
    with opened(sqlite_url(tmp_path)) as database, pytest.raises(LedgerUnavailable), database.read():
        pass
