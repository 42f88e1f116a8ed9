"""Loading: twice is once, changes touch what is unfinished, a trial or a failure leaves nothing, the past by choice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger import tally
from ledger.database import Database
from ledger.issuing import issue_due, raise_event
from ledger.loading import NOTHING, LoadReport, load_plan
from ledger.plans import plan_summary
from ledger.reminders import queue_due
from ledger.reviews import accept
from ledger.submissions import submit
from ledger.tables import metadata
from policy_models.errors import NotFound, ReasonMissing
from policy_models.plan_file import BUNDLED, load_pack
from policy_models.timing import CatchUp
from tests.factories import (
    BUREAU,
    CODE,
    COUNTIES,
    KINDS,
    Change,
    Files,
    drop_requirement,
    fresh_database,
    full_evidence,
    instant,
    item,
    load,
    office,
    opened,
    query,
    requirement_of,
    rewound,
    tiny_pack,
    village,
)

NOW = instant("2025-01-01")
MONTHS, QUARTERS, VACATIONS = 12 * 4, 4 * 2, 2 * 4  # items of 1.2, 2.1 and 2.2
ALL = 1 + MONTHS + QUARTERS + VACATIONS + 2


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def items(database: Database, requirement: str) -> dict[str, tuple[str, str, int]]:
    """State, deadline and revision of the items of a requirement, by unit and period."""
    with database.read() as session:
        rows = query(
            session,
            "SELECT w.unit_code, w.period, w.state, w.deadline, w.revision FROM work_item w "
            "JOIN requirement r ON r.id = w.requirement_id WHERE r.code = :code",
            code=requirement,
        )
    return {f"{unit} {period}": (state, str(deadline), revision) for unit, period, state, deadline, revision in rows}


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as session:
        return {table: query(session, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in metadata.tables}


def sound(database: Database) -> bool:
    with database.read() as session:
        return tally.recount(session, CODE) == []


def finish(database: Database, key: str, unit: str, reviewer: str, day: str) -> None:
    with database.write() as session:
        submit(session, key, by=office(unit), evidence=full_evidence(), now=instant(day))
        accept(session, key, by=office(reviewer), now=instant(day, 10))


def test_the_first_load_and_the_second(database: Database, tmp_path: Path) -> None:
    pack = tiny_pack(tmp_path)
    assert load(database, pack, NOW) == LoadReport(15, 7, 0, 0, ALL, 0, 0)
    before = content(database)
    again = load(database, pack, NOW + timedelta(days=3))
    assert again == NOTHING
    assert again.nothing
    assert content(database) == before
    assert sound(database)


def test_an_equal_pack_in_another_layout_is_nothing_new(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), NOW)
    path = tmp_path / "tasks" / "01.yaml"
    path.write_text("# 任务一\n" + path.read_text("utf-8"), "utf-8")
    assert load(database, load_pack(tmp_path), NOW) == NOTHING


def new_deadline(files: Files) -> None:
    requirement_of(files, "P1.1")["recurrence"] = {"deadline": "2025-04-30"}


def test_a_changed_deadline_moves_what_is_unfinished(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), NOW)
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 1, 2), now=instant("2025-01-02"))
    first, second = (f"{county}-mz" for county in COUNTIES)
    finish(database, item("P1.1", first, "once"), first, BUREAU, "2025-02-03")
    report = load(database, tiny_pack(tmp_path, new_deadline), instant("2025-02-04"))
    assert report == LoadReport(0, 0, 0, 0, 0, 1, 0)
    assert items(database, "P1.1") == {
        f"{first} once": ("accepted", "2025-03-31", 3),
        f"{second} once": ("open", "2025-04-30", 2),
    }
    assert sound(database)


def test_a_deadline_moved_by_hand_is_never_reset(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), NOW)
    first = item("P1.1", f"{COUNTIES[0]}-mz", "once")
    with database.write() as session:
        session.execute(
            text("UPDATE work_item SET deadline = '2025-05-15', extended = true WHERE key = :key"), {"key": first}
        )
    assert load(database, tiny_pack(tmp_path, new_deadline), NOW).items_moved == 1
    assert {deadline for _, deadline, _ in items(database, "P1.1").values()} == {"2025-05-15", "2025-04-30"}


def test_a_dropped_requirement_is_cancelled(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), NOW)
    report = load(database, tiny_pack(tmp_path, lambda files: drop_requirement(files, "2.1")), instant("2025-02-04"))
    assert report == LoadReport(0, 0, 0, 1, 0, 0, QUARTERS)
    assert {(state, revision) for state, _, revision in items(database, "2.1").values()} == {("cancelled", 1)}
    with database.read() as session:
        notes = query(session, "SELECT DISTINCT act, state, by_name, note FROM entry")
    assert notes == [("cancel", "cancelled", "系统", "方案或责任单位调整后不再要求")]
    assert sound(database)


def test_a_new_requirement_gets_its_items(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path, lambda files: drop_requirement(files, "2.1")), NOW)
    assert load(database, tiny_pack(tmp_path), NOW) == LoadReport(0, 1, 0, 0, QUARTERS, 0, 0)
    assert sound(database)


def test_a_trial_leaves_no_trace(database: Database, tmp_path: Path) -> None:
    empty = content(database)
    with database.trial() as session:
        assert load_plan(session, tiny_pack(tmp_path), now=NOW).items_added == ALL
    assert content(database) == empty


def test_a_failing_load_leaves_nothing(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = content(database)

    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("ledger.tally.add", broken)
    with pytest.raises(RuntimeError, match="the disk is full"):
        load(database, tiny_pack(tmp_path), NOW)
    assert content(database) == empty


# Catch-up: what a plan loaded late does with what is dated before go-live
LATE = instant("2025-05-20")
PAST_ITEMS = 4 * 4 + 1 * 2 + 1 * 4 + 2  # months to April, the first quarter, winter, P1.1


def states(database: Database) -> dict[tuple[str, str], int]:
    with database.read() as session:
        rows = query(session, "SELECT catch_up, state, count(*) FROM work_item GROUP BY catch_up, state")
    return {(catch_up, state): n for catch_up, state, n in rows}


def run(database: Database, days: int) -> None:
    """The daily flow for some days from go-live on."""
    for day in (date(2025, 5, 20) + timedelta(days=n) for n in range(days)):
        with database.write() as session:
            issue_due(session, CODE, as_of=day, now=instant(day, 6))
            queue_due(session, CODE, as_of=day, now=instant(day, 7))


def reminded_before_go_live(database: Database) -> int:
    with database.read() as session:
        ((n,),) = query(
            session,
            "SELECT count(*) FROM reminder m JOIN work_item w ON w.id = m.item_id WHERE w.deadline < '2025-05-20'",
        )
    return int(n)


def test_the_past_is_backfilled_by_default(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), LATE)
    assert states(database) == {("backfill", "scheduled"): PAST_ITEMS, ("", "scheduled"): ALL - PAST_ITEMS}
    run(database, 30)
    assert states(database)["backfill", "open"] == PAST_ITEMS
    assert reminded_before_go_live(database) == 0
    assert sound(database)


def test_the_past_is_waived_with_a_reason(database: Database, tmp_path: Path) -> None:
    pack = tiny_pack(tmp_path)
    for reason in (None, " "):
        with pytest.raises(ReasonMissing, match="豁免此前的事项须写明理由"):
            load(database, pack, LATE, catch_up=CatchUp.WAIVE, reason=reason)
    load(database, pack, LATE, catch_up=CatchUp.WAIVE, reason="系统上线前已线下完成")
    assert states(database) == {("waive", "waived"): PAST_ITEMS, ("", "scheduled"): ALL - PAST_ITEMS}
    with database.read() as session:
        entries = query(
            session, "SELECT act, state, by_unit, by_name, note, count(*) FROM entry GROUP BY 1, 2, 3, 4, 5"
        )
    assert entries == [("waive", "waived", "", "系统", "系统上线前已线下完成", PAST_ITEMS)]
    run(database, 30)
    assert (states(database)["waive", "waived"], reminded_before_go_live(database)) == (PAST_ITEMS, 0)
    assert sound(database)


def test_the_past_is_only_counted(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), LATE, catch_up=CatchUp.COUNT_ONLY)
    run(database, 30)
    assert states(database)["count_only", "scheduled"] == PAST_ITEMS
    assert ("count_only", "open") not in states(database)
    assert reminded_before_go_live(database) == 0


def test_go_live_and_catch_up_are_kept_from_the_first_load(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), LATE, go_live_on=date(2025, 4, 1), catch_up=CatchUp.COUNT_ONLY)
    load(database, tiny_pack(tmp_path, new_deadline), instant("2025-08-01"), catch_up=CatchUp.BACKFILL)
    with database.read() as session:
        summary = plan_summary(session, CODE)
        with pytest.raises(NotFound, match="台账中没有代码为 nowhere 的方案"):
            plan_summary(session, "nowhere")
    assert (summary.go_live_on, summary.catch_up) == (date(2025, 4, 1), CatchUp.COUNT_ONLY)


def test_a_plan_that_has_ended_is_all_past(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), instant("2026-11-23"))
    assert states(database) == {("backfill", "scheduled"): ALL}


def test_a_new_assignee_owes_and_the_old_one_no_more(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), NOW)

    def change(files: Files) -> None:
        requirement_of(files, "P1.1")["assignee"] = {"level": "county", "function": "教育"}

    report = load(database, tiny_pack(tmp_path, change), NOW)
    found = {unit.split()[0]: state for unit, (state, _, _) in items(database, "P1.1").items()}
    assert found == {"9001-mz": "cancelled", "9002-mz": "cancelled", "9001-jy": "scheduled", "9002-jy": "scheduled"}
    assert (report.items_added, report.items_cancelled) == (2, 2)


def test_a_county_with_a_calendar_of_its_own_moves_its_items(database: Database, tmp_path: Path) -> None:
    bundled = load_pack(BUNDLED)
    load(database, bundled, instant("2024-05-01"))
    folder = tmp_path / "calendars"
    (folder / "school").mkdir(parents=True)
    text = (BUNDLED / "calendars" / "school" / "2024-2025.yaml").read_text("utf-8")
    other = "overrides:\n  '150202':\n    vacations: {winter: {primary: {first: 2025-01-11, last: 2025-02-23}}}\n"
    (folder / "school" / "2024-2025.yaml").write_text(text.replace("overrides: {}\n", other), "utf-8")
    report = load(database, load_pack(BUNDLED, [folder]), instant("2024-05-02"))
    with database.read() as session:
        rows = query(
            session,
            "SELECT DISTINCT w.state, w.deadline, u.county = '150202' FROM work_item w JOIN unit u ON u.code = w.unit_code "
            "JOIN requirement r ON r.id = w.requirement_id WHERE r.code = '5.4' AND w.period = '2025-winter'",
        )
    found = {(state, str(deadline), bool(own)) for state, deadline, own in rows}
    assert found == {("scheduled", "2025-02-23", True), ("scheduled", "2025-03-02", False)}
    assert report.items_cancelled == 0


def test_statistics_from_before_the_rows_were_committed_do_no_harm(database: Database, tmp_path: Path) -> None:
    """PostgreSQL's own counting takes rows that are not yet committed for none; joins must not become loops in loops."""
    load(database, load_pack(BUNDLED), instant("2024-05-01"))
    with database.write() as session:
        if session.dialect.name == "postgresql":
            session.execute(text("SET LOCAL statement_timeout = '60s'"))
            stale = "UPDATE pg_class SET reltuples = 0, relpages = 1000 WHERE relname IN ('work_item', 'duty', 'unit')"
            assert session.execute(text(stale)).rowcount == 3
            session.execute(
                text("DELETE FROM pg_statistic WHERE starelid IN ('work_item'::regclass, 'duty'::regclass)")
            )
    folder = tmp_path / "calendars"
    (folder / "school").mkdir(parents=True)
    words = (BUNDLED / "calendars" / "school" / "2024-2025.yaml").read_text("utf-8")
    other = "overrides:\n  '150202':\n    vacations: {winter: {primary: {first: 2025-01-11, last: 2025-02-23}}}\n"
    (folder / "school" / "2024-2025.yaml").write_text(words.replace("overrides: {}\n", other), "utf-8")
    assert load(database, load_pack(BUNDLED, [folder]), instant("2024-05-02")).items_cancelled == 0


def test_a_dropped_event_duty_is_cancelled(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), NOW)
    unit = village(1, 1)
    with database.write() as session:
        raise_event(session, CODE, "1.3", unit, by=office(unit), now=NOW)
    load(database, tiny_pack(tmp_path, lambda files: drop_requirement(files, "1.3")), NOW)
    assert [state for state, _, _ in items(database, "1.3").values()] == ["cancelled"]


def test_an_item_moved_out_of_the_past_is_an_ordinary_one(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), instant("2025-04-10"))
    load(database, tiny_pack(tmp_path, new_deadline), instant("2025-04-10"))
    with database.read() as session:
        assert query(
            session, "SELECT DISTINCT catch_up FROM work_item WHERE deadline = '2025-04-30' AND period = 'once'"
        ) == [("",)]


@pytest.mark.postgres
def test_moving_very_many_items(postgres_url: str, tmp_path: Path) -> None:
    def opens_late(days: int) -> Change:
        def change(files: Files) -> None:
            for code in ("1.2", "2.2"):
                requirement_of(files, code)["opens"] = {"days_before": days}

        return change

    with opened(postgres_url) as database:
        load(database, tiny_pack(tmp_path, opens_late(10), villages=2400), NOW)
        report = load(database, tiny_pack(tmp_path, opens_late(9), villages=2400), NOW)
        assert report.items_moved == 2 * 2400 * 14
        assert sound(database)
