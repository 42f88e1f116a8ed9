"""Kept evenings: the tally of any past evening equals a replay, whenever it was kept and whatever has happened since."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ledger import evenings, history, issuing, loading, tally
from ledger.acts import SYSTEM, Actor
from ledger.checkup import numbers_stand
from ledger.civil import at_hour
from ledger.database import Database, Session
from ledger.item_facts import FACTS
from ledger.plans import plan_summary
from ledger.submissions import submit
from ledger.tables import past_tally
from ledger.units import all_units, save_units
from policy_models.access import WHOLE, Scope
from policy_models.errors import ChangedMeanwhile
from policy_models.lifecycle import Act
from policy_models.plan_file import Pack
from tests.factories import (
    BUREAU,
    CODE,
    COUNTIES,
    KINDS,
    fresh_database,
    instant,
    item,
    just_before,
    load,
    office,
    opened,
    query,
    rewound,
    statements,
    tiny_pack,
    village,
)
from tests.ledger.test_past_days import Year, act, revised, villages_monthly
from tests.ledger.test_scope import SCOPES

FIRST, LAST = date(2025, 1, 1), date(2025, 6, 20)
LATER = instant("2025-06-21", 7, 35)
REVISED = (date(2025, 2, 25), date(2025, 5, 1))
UNIT = village(1, 1)


def play(database: Database, folder: Path, seed: int, *, acts: int = 7) -> Year:
    """Half a year of acts (so many a day at most), extensions and two revisions of the plan; the daily sweep comes on some days only."""
    year = Year(database, folder, random.Random(seed))
    load(database, tiny_pack(folder, villages_monthly), instant("2024-12-20"), go_live_on=date(2025, 1, 20))
    for day in (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)):
        if year.chance.random() < 0.4:
            keep(database, at_hour(day, 7, 35))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=day, now=at_hour(day, 7, 35))
            if day in REVISED:
                pack = tiny_pack(folder, revised(2 + REVISED.index(day)))
                year.met["moved"] += loading.load_plan(session, pack, now=at_hour(day, 8)).items_moved
            if day == date(2025, 3, 3):
                issuing.raise_event(session, CODE, "1.3", UNIT, by=office(UNIT), now=at_hour(day, 8))
            for hour in range(9, 9 + year.chance.randrange(acts + 1)):
                act(year, session, at_hour(day, hour, year.chance.randrange(60)))
    return year


def keep(database: Database, now: datetime) -> int:
    days = 0
    while True:
        with database.write() as session:
            new = evenings.keep(session, CODE, now=now)
        if not new:
            return days
        days += new


def plan_id(session: Session) -> int:
    return plan_summary(session, CODE).id


def counted(session: Session, day: date, now: datetime, scope: Scope = WHOLE) -> dict[tuple[Any, ...], int]:
    told = tally.facts(session, plan_id(session), day, now=now, scope=scope)
    facts = [told.c[name] for name in FACTS[1:]]
    summed = select(*facts, func.sum(told.c.n)).group_by(*facts).having(func.sum(told.c.n) != 0)
    return {(*row[:7], bool(row[7]), row[8], bool(row[9])): row[10] for row in map(tuple, session.execute(summed))}


def is_kept(session: Session, day: date) -> bool:
    return evenings.kept(session, plan_id(session), day, past_tally) is not None


def all_days(first: date = FIRST - timedelta(days=45), last: date = LAST) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def assert_true(database: Database, now: datetime, days: list[date] | None = None, scope: Scope = WHOLE) -> None:
    """Every one of the days is kept, and as a replay has it."""
    days = days or all_days()
    with database.read() as session:
        assert all(is_kept(session, day) for day in days)
        told = {day: counted(session, day, now, scope) for day in days}
        assert evenings.recount(session, plan_id(session)) == []
    with database.trial() as session:
        evenings.forget(session, plan_id(session))
        for day in days:
            assert counted(session, day, now, scope) == told[day], day


@pytest.fixture(scope="module", params=KINDS)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        met = play(database, tmp_path_factory.mktemp("pack"), seed=5).met
        assert {"submit", "sent back", "review", "withdraw", "waive", "extended", "moved"} <= {*met}, met
        keep(database, LATER)
        yield database


@pytest.fixture
def database(lived: Database) -> Iterator[Database]:
    with rewound(lived) as database:
        yield database


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return tiny_pack(tmp_path)


def test_every_evening_is_as_a_replay_has_it(lived: Database) -> None:
    assert_true(lived, LATER)


def test_so_it_is_for_a_county(lived: Database) -> None:
    assert_true(lived, LATER, all_days()[::7], Scope(frozenset({COUNTIES[1]})))


def test_kept_at_once_or_bit_by_bit_is_the_same(database: Database) -> None:
    rows = "SELECT count(*), sum(n), sum(n * n), max(day) FROM past_tally"
    with database.write() as session:
        before = query(session, rows)
        evenings.forget(session, plan_id(session))
    assert keep(database, LATER) == (LAST - FIRST.replace(month=1)).days + 1
    with database.read() as session:
        assert query(session, rows) == before
    assert keep(database, LATER) == 0


def test_one_evening_is_read_without_an_item(database: Database) -> None:
    with statements(database) as sent, database.read() as session:
        counted(session, date(2025, 4, 10), LATER)
    assert not [one for one in sent if "work_item" in one or "entry" in one]


def test_today_and_what_is_hardly_over_is_not_kept(database: Database) -> None:
    today = date(2025, 6, 21)
    with database.write() as session:
        assert (is_kept(session, LAST), is_kept(session, today)) == (True, False)
        assert evenings.keep(session, CODE, now=instant("2025-06-22", 0, 59)) == 0
        assert evenings.keep(session, CODE, now=instant("2025-06-22", 1, 0)) == 1
        assert is_kept(session, today)
        now = counted(session, today, instant(today, 23))
        issuing.issue_due(session, CODE, as_of=date(2025, 12, 1), now=instant("2025-06-22"))
        assert counted(session, today, instant("2025-06-22", 10)) == now
        assert counted(session, date(2025, 6, 22), instant("2025-06-22", 10)) != now


def test_days_on_which_nothing_happens_are_kept_too(database: Database) -> None:
    assert keep(database, instant("2025-08-15")) == 55
    assert_true(database, instant("2025-08-15"), all_days(LAST, date(2025, 8, 14)))


def test_an_act_of_the_past_makes_no_kept_evening_untrue(database: Database) -> None:
    """A demonstration begins its day again: its clock is set back."""
    back = instant("2025-05-20")
    with database.write() as session:
        assert is_kept(session, date(2025, 5, 20))
        issuing.issue_due(session, CODE, as_of=date(2025, 12, 1), now=back)
        assert not is_kept(session, date(2025, 5, 19))
    keep(database, LATER)
    assert_true(database, LATER, all_days()[::3])


def test_a_revision_of_the_plan(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        moved = loading.load_plan(session, tiny_pack(tmp_path, revised(4)), now=LATER)
        assert moved.items_moved
        assert not is_kept(session, LAST)
    keep(database, instant("2025-06-25"))
    assert_true(database, instant("2025-06-25"), all_days(last=date(2025, 6, 24))[::3])


def test_a_history_brought_in(database: Database) -> None:
    with database.write() as session:
        found = query(session, "SELECT min(key) FROM work_item WHERE state = 'scheduled' AND opens_on > '2025-08-01'")
        past = history.PastAct(str(found[0][0]), Act.ISSUE, SYSTEM, instant("2024-10-12"))
        given = history.PastAct(past.key, Act.SUBMIT, Actor(UNIT, "甲"), instant("2025-02-12"))
        history.record_history(session, CODE, [past, given])
        assert not is_kept(session, LAST)
    keep(database, LATER)
    assert_true(database, LATER, all_days(date(2024, 10, 1))[::3])


def test_a_unit_that_changes_county(database: Database) -> None:
    with database.write() as session:
        known = all_units(session)
        elsewhere = replace(known[UNIT], parent=f"{COUNTIES[1]}01")
        save_units(session, [elsewhere], now=LATER, replace=True)
        assert not is_kept(session, LAST)
    keep(database, LATER)
    assert_true(database, LATER, all_days()[::3], Scope(frozenset({COUNTIES[1]})))


def test_a_plan_loaded_late_looks_back(database_url: str, pack: Pack) -> None:
    with opened(database_url) as database:
        load(database, pack, instant("2025-03-10"), go_live_on=date(2025, 3, 10))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=date(2025, 3, 10), now=instant("2025-03-10"))
            submit(session, item("1.2", UNIT, "2025-01"), by=office(UNIT), evidence=[], now=instant("2025-03-11"))
        assert keep(database, instant("2025-03-12")) == 11
        assert_true(database, instant("2025-03-12"), all_days(date(2025, 1, 1), date(2025, 3, 11)))


def test_a_plan_in_which_nothing_has_happened(database_url: str, pack: Pack) -> None:
    now = instant("2025-03-10")
    with opened(database_url) as database:
        load(database, pack, now)
        assert keep(database, now) == 9
        assert_true(database, now, all_days(date(2025, 1, 1), date(2025, 3, 9)))


def test_recount_finds_what_was_tampered_with(database: Database) -> None:
    for change in (
        "UPDATE past_tally SET n = n + 1 WHERE month = '2025-03-01' AND day = '2025-02-28'",
        "DELETE FROM past_tally WHERE day = '2025-06-01'",
        "UPDATE past_tally SET phase = 7 WHERE month = '2025-01-01'",
    ):
        with database.trial() as session:
            session.exec_driver_sql(change)
            found = tally.recount(session, CODE)
            assert found
            assert "处不一致" in next(numbers_stand(session)).sentence
            evenings.forget(session, plan_id(session))
            assert tally.recount(session, CODE) == []


@pytest.mark.postgres
def test_a_revision_in_the_middle_of_keeping(postgres_url: str, pack: Pack) -> None:
    """What was kept without having seen the revision is not kept at all."""
    with opened(postgres_url) as database, opened(postgres_url) as other, ExitStack() as revision:
        load(database, pack, instant("2025-01-01"))
        session = revision.enter_context(other.write())
        tally.rebuild(session, plan_id(session))
        with (
            pytest.raises(ChangedMeanwhile),
            just_before(database, "UPDATE past_tally_span", revision.close),
            database.write() as session,
        ):
            evenings.keep(session, CODE, now=instant("2025-02-01"))
        with database.read() as session:
            assert not is_kept(session, date(2025, 1, 2))


def test_the_bureau_reads_what_everybody_reads(lived: Database) -> None:
    day = date(2025, 4, 10)
    with lived.read() as session:
        mine = counted(session, day, LATER, Scope(frozenset({BUREAU})))
        assert mine
        assert set(mine.items()) <= set(counted(session, day, LATER).items())


@pytest.mark.parametrize("name", SCOPES)
def test_so_it_is_for_every_scope(lived: Database, name: str) -> None:
    """A township and a line of work by place, a village by its items."""
    assert_true(lived, LATER, all_days()[::13], SCOPES[name][0])
