"""Items are created and opened in sets: by their day, by section, once, with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger import tally
from ledger.database import Database
from ledger.issuing import issue_due, raise_event, schedule_items
from ledger.reminders import queue_due
from policy_models.errors import ActNotAllowed, NotFound, NotResponsible
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    fresh_database,
    instant,
    item,
    load,
    office,
    opened,
    query,
    rewound,
    statements,
    tiny_pack,
    village,
)

NOW = instant("2025-01-01")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), NOW)
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def issue(database: Database, day: str, sections: list[str] | None = None) -> int:
    with database.write() as session:
        return issue_due(session, CODE, as_of=date.fromisoformat(day), now=instant(day), sections=sections)


def issued(database: Database) -> set[tuple[str, str]]:
    with database.read() as session:
        rows = query(
            session,
            "SELECT r.code, w.period FROM work_item w JOIN requirement r ON r.id = w.requirement_id WHERE state = 'open'",
        )
    return {(code, period) for code, period in rows}


def test_what_was_missed_is_made_good_and_a_second_time_is_nothing(database: Database) -> None:
    assert issue(database, "2025-01-01") == 4 + 2 + 1 + 2
    assert issued(database) == {("1.2", "2025-01"), ("2.1", "2025Q1"), ("1.1", "once"), ("P1.1", "once")}
    assert issue(database, "2025-01-01") == 0
    assert issue(database, "2025-04-01") == 3 * 4 + 2 + 4
    assert issue(database, "2026-06-01") == 67 - 9 - 18
    assert issue(database, "2030-01-01") == 0
    with database.read() as session:
        assert tally.recount(session, CODE) == []


def test_only_what_opens_by_the_day(database: Database) -> None:
    issue(database, "2025-01-31")
    assert ("1.2", "2025-02") not in issued(database)
    issue(database, "2025-02-01")
    assert ("1.2", "2025-02") in issued(database)


def test_sections(database: Database) -> None:
    assert issue(database, "2025-01-01", ["task-2"]) == 2
    assert issue(database, "2025-01-01", ["phase-1"]) == 2
    assert issue(database, "2025-01-01", []) == 0
    assert issue(database, "2025-01-01", ["task-1", "task-9"]) == 5


def test_each_issue_is_an_entry_of_the_system(database: Database) -> None:
    issue(database, "2025-01-01", ["task-2"])
    with database.read() as session:
        entries = query(session, "SELECT revision, act, state, by_unit, by_name, note FROM entry")
    assert entries == [(1, "issue", "open", "", "系统", None)] * 2


def test_an_unknown_plan(database: Database) -> None:
    with pytest.raises(NotFound), database.write() as session:
        issue_due(session, "nowhere", as_of=date(2025, 1, 1), now=NOW)


def raised(database: Database, requirement: str, unit: str, by: str, day: str = "2025-03-07") -> str:
    with database.write() as session:
        return raise_event(session, CODE, requirement, unit, by=office(by), now=instant(day))


def test_an_event_opens_an_item_whose_deadline_runs(database: Database) -> None:
    unit = village(1, 1)
    keys = [raised(database, "1.3", unit, unit), raised(database, "1.3", unit, BUREAU)]
    assert keys == [item("1.3", unit, "event-001"), item("1.3", unit, "event-002")]
    with database.read() as session:
        rows = query(
            session, "SELECT state, opens_on, deadline, revision, catch_up FROM work_item WHERE key = :key", key=keys[0]
        )
        assert [tuple(map(str, row)) for row in rows] == [("open", "2025-03-07", "2025-03-10", "1", "")]
        assert tally.recount(session, CODE) == []


@pytest.mark.parametrize(
    ("requirement", "unit", "by", "error", "message"),
    [
        ("1.2", village(1, 1), village(1, 1), ActNotAllowed, "事项 1.2 不是按情形触发的，不能另行立项"),
        ("1.3", village(1, 1), village(1, 2), NotResponsible, "只有本单位或统筹单位可以立项"),
        ("1.3", "9001-mz", BUREAU, NotResponsible, "1县民政局不是事项 1.3 的责任单位"),
        ("9.9", village(1, 1), BUREAU, NotFound, "方案中没有事项 9.9"),
        ("1.3", "nobody", BUREAU, NotFound, "没有代码为 nobody 的单位"),
    ],
)
def test_events_that_cannot_be_raised(
    database: Database, requirement: str, unit: str, by: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"^{message}$"):
        raised(database, requirement, unit, by)


def counted(database: Database, folder: Path, villages: int) -> dict[str, int]:
    """How many statements each daily step sends on a ledger of so many villages (times 14 items)."""
    day = date(2025, 6, 26)
    load(database, tiny_pack(folder, villages=villages // 2), NOW)
    sent = {}
    with statements(database) as log, database.write() as session:
        issue_due(session, CODE, as_of=day, now=instant(day))
    sent["issue_due"] = len(log)
    with statements(database) as log, database.write() as session:
        found = queue_due(session, CODE, as_of=day, now=instant(day))
    sent["queue_due"] = len(log)
    assert found.reminders >= villages
    with statements(database) as log, database.read() as session:
        tally.counts(session, CODE, day, now=instant(day))
    sent["counts today"] = len(log)
    with statements(database) as log, database.read() as session:
        tally.counts(session, CODE, date(2025, 3, 1), now=instant(day))
    sent["counts then"] = len(log)
    with statements(database) as log, database.write() as session:
        tally.compact(session, CODE)
    sent["compact"] = len(log)
    with statements(database) as log, database.write() as session:
        session.exec_driver_sql("UPDATE duty SET scheduled_for = ''")
        schedule_items(session, CODE, now=NOW)
    sent["schedule_items"] = len(log)
    return sent


def test_the_number_of_statements_does_not_grow_with_the_items(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        few = counted(database, tmp_path / "few", 4)
        many = counted(database, tmp_path / "many", 400)
        with database.read() as session:
            ((items,),) = query(session, "SELECT count(*) FROM work_item")
    assert items > 5000
    assert few == many
    assert max(few.values()) <= 16
