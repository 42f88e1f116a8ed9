"""The board's numbers: the tally equals the items, and any past day equals a naive replay of the entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ledger import tally
from ledger.acts import standing
from ledger.civil import civil_date, end_of_day
from ledger.database import Database, Session
from ledger.entries import history
from ledger.issuing import issue_due, raise_event
from ledger.loading import load_plan
from ledger.plans import calendars
from ledger.submissions import submit
from ledger.tables import work_item
from policy_models.errors import ActNotAllowed
from policy_models.lifecycle import Act, State
from policy_models.plan_file import Pack
from policy_models.timing import CatchUp, Thresholds, Timing, timing
from tests.factories import (
    CODE,
    KINDS,
    Files,
    fresh_database,
    instant,
    item,
    just_before,
    load,
    office,
    opened,
    query,
    rewound,
    tiny_pack,
    village,
)
from tests.ledger.test_acts import act_once

START = instant("2025-01-01")
UNIT = village(1, 1)
KEYS = [item("1.2", UNIT, f"2025-0{month}") for month in range(1, 5)] + [item("2.2", UNIT, "2025-winter")]
Counts = dict[tuple[Any, ...], tuple[int, int]]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return tiny_pack(tmp_path)


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Loaded on 1 March: what is dated before is to be backfilled."""
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), START, go_live_on=date(2025, 3, 1))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def counted(session: Session, as_of: date, today: date) -> Counts:
    found = tally.counts(session, CODE, as_of, now=instant(today))
    assert len({(c.requirement, c.phase, c.county, c.timing) for c in found}) == len(found)
    return {(c.requirement, c.task, c.phase, c.county, c.timing): (c.n, c.due) for c in found}


def replayed(session: Session, as_of: date) -> Counts:
    """The same from the items and their entries, one by one in Python."""
    at, until = Thresholds.at(as_of, calendars(session, CODE).work), end_of_day(as_of)
    facts = query(
        session,
        "SELECT w.id, r.code, r.task, u.county FROM work_item w JOIN requirement r ON r.id = w.requirement_id "
        "JOIN unit u ON u.code = w.unit_code",
    )
    about = {id: rest for id, *rest in facts}
    n: Counter[tuple[Any, ...]] = Counter()
    due: Counter[tuple[Any, ...]] = Counter()
    for row in session.execute(select(work_item)).all():
        entries = [entry for entry in history(session, row.id) if entry.at < until]
        if row.duty_id is None and row.created_at >= until:
            continue
        state = entries[-1].state if entries else State.SCHEDULED
        reports = [civil_date(entry.at) for entry in entries if entry.act is Act.SUBMIT]
        returns = sum(entry.act is Act.SEND_BACK for entry in entries)
        late = bool(reports) and reports[0] > row.deadline
        catch_up = CatchUp(row.catch_up) if row.catch_up else None
        code, task, county = about[row.id]
        stand = timing(state, row.opens_on, row.deadline, late, catch_up, returns, at)
        n[code, task, row.phase, county, stand] += 1
        due[code, task, row.phase, county, stand] += row.deadline <= as_of
    return {key: (n[key], due[key]) for key in n}


ACTS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(Act), st.integers(1, 400)), max_size=25)


def test_any_day_equals_a_replay_of_the_entries(database: Database) -> None:
    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(ACTS, st.lists(st.integers(-40, 420), min_size=1, max_size=3))
    def check(acts: list[tuple[str, Act, int]], days: list[int]) -> None:
        with database.trial() as session:
            hours = 0
            issue_due(session, CODE, as_of=date(2025, 2, 1), now=START)
            for key, act, later in acts:
                hours += later
                try:
                    act_once(session, key, act, hours)
                except ActNotAllowed:
                    continue
            today = civil_date(START + timedelta(hours=hours))
            raise_event(session, CODE, "1.3", UNIT, by=office(UNIT), now=instant(today, 23))
            for day in [today, *(date(2025, 1, 1) + timedelta(days=n) for n in days)]:
                if day <= today:
                    assert counted(session, day, today) == replayed(session, day)
            assert tally.recount(session, CODE) == []

    check()


def test_by_hand(database: Database) -> None:
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 4, 1), now=instant("2025-03-01"))
        submit(session, item("1.2", UNIT, "2025-03"), by=office(UNIT), evidence=[], now=instant("2025-04-02"))
    with database.read() as session:
        marches: dict[str, dict[Timing, int]] = {}
        for day in ("2025-03-20", "2025-03-24", "2025-04-01", "2025-04-02", "2025-04-30"):
            found = tally.counts(session, CODE, date.fromisoformat(day), now=instant("2025-04-30"))
            marches[day] = {c.timing: c.n for c in found if c.requirement == "1.2" and c.county == "9001" and c.due}
    before = {Timing.BACKFILL: 4}
    assert marches == {
        "2025-03-20": before,
        "2025-03-24": before,
        "2025-04-01": before | {Timing.OVERDUE: 2},
        "2025-04-02": before | {Timing.OVERDUE: 1, Timing.UNDER_REVIEW: 1},
        "2025-04-30": before | {Timing.LONG_OVERDUE: 1, Timing.UNDER_REVIEW: 1, Timing.DUE_SOON: 2},
    }


def test_compacting_changes_no_number_and_leaves_one_row_for_each_set_of_facts(database: Database) -> None:
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 12, 31), now=START)
        for key in KEYS[:3]:
            submit(session, key, by=office(UNIT), evidence=[], now=instant("2025-04-02"))
    with database.read() as session:
        before = counted(session, date(2025, 4, 2), date(2025, 4, 2))
    with database.write() as session:
        left = tally.compact(session, CODE)
    with database.write() as session:
        assert tally.compact(session, CODE) == left
        facts = ", ".join(tally.FACTS)
        assert query(
            session, f"SELECT max(n), min(m) FROM (SELECT count(*) AS n, min(n) AS m FROM tally GROUP BY {facts}) AS t"
        ) == [(1, 1)]
        assert counted(session, date(2025, 4, 2), date(2025, 4, 2)) == before
        assert tally.recount(session, CODE) == []


def test_an_empty_tally_compacts_to_nothing(database_url: str, pack: Pack) -> None:
    def nothing_dated(files: Files) -> None:
        for section in (files["plan.yaml"]["phases"][0], files["tasks/01.yaml"], files["tasks/02.yaml"]):
            section["requirements"] = [r for r in section["requirements"] if r["code"] == "2.3"]

    with opened(database_url) as database, database.write() as session:
        load_plan(session, tiny_pack(pack.folder, nothing_dated), now=START)
        assert (tally.compact(session, CODE), tally.counts(session, CODE, date(2025, 5, 5), now=START)) == (0, [])


def test_recount_finds_what_was_tampered_with(database: Database) -> None:
    with database.trial() as session:
        session.exec_driver_sql("UPDATE work_item SET phase = 2 WHERE period = 'once'")
        found = tally.recount(session, CODE)
    assert sorted(row[-1] for row in found) == [-1] * 6 + [1] * 6  # by county and by place


@pytest.mark.postgres
def test_an_act_in_the_middle_of_compacting_is_kept(postgres_url: str, pack: Pack) -> None:
    """An act takes its number in the tally first, and commits after the compaction has summed."""
    with opened(postgres_url) as database, opened(postgres_url) as early, opened(postgres_url) as late:
        load(database, pack, START)
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 2), now=START)
        with ExitStack() as slow:
            submit(slow.enter_context(early.write()), KEYS[0], by=office(UNIT), evidence=[], now=START)
            with late.write() as session:
                other = village(2, 1)
                submit(session, item("1.2", other, "2025-01"), by=office(other), evidence=[], now=START)
            with just_before(database, "DELETE FROM tally", slow.close), database.write() as session:
                tally.compact(session, CODE)
        with database.read() as session:
            assert tally.recount(session, CODE) == []


def test_items_of_a_past_day_carry_their_change_of_that_day(database: Database) -> None:
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 1, 2), now=instant("2025-01-02"))
        submit(session, KEYS[0], by=office(UNIT), evidence=[], now=instant("2025-04-02"))
        then = tally.facts_of_items(standing(session, KEYS[0]).plan_id, instant("2025-02-02", 0))
        row = session.execute(select(then).where(then.c.key == KEYS[0])).one()
    assert (row.state, row.changed_at) == ("open", instant("2025-01-02"))
