"""Acts on items: every chain of them against the table, with a sound tally after each; and races, for real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from ledger import tally
from ledger.acts import SYSTEM, act_on, act_on_all, standing
from ledger.database import Database, Session
from ledger.entries import history
from ledger.issuing import issue_due, raise_event
from ledger.reviews import accept, send_back, waive
from ledger.submissions import submit, withdraw
from ledger.tables import work_item
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, LuchengError, ReasonMissing
from policy_models.lifecycle import Act, State
from policy_models.plan_file import Pack
from tests.factories import (
    BUREAU,
    CODE,
    instant,
    item,
    just_before,
    load,
    office,
    opened,
    query,
    tiny_pack,
    village,
)
from tests.policy_models.test_lifecycle import TABLE

pytestmark = pytest.mark.thorough

UNIT, TOWN = village(1, 1), "900101"
KEYS = [item("1.2", UNIT, f"2025-0{month}") for month in (1, 2, 3)]
START = instant("2025-01-01")


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return tiny_pack(tmp_path)


@pytest.fixture
def database(database_url: str, pack: Pack) -> Iterator[Database]:
    with opened(database_url) as database:
        load(database, pack, START)
        yield database


def act_once(session: Session, key: str, act: Act, now: float) -> None:
    """Any act through the verb that does it."""
    when = START + timedelta(hours=now)
    own = work_item.c.key == key
    match act:
        case Act.ISSUE | Act.CANCEL:
            if act_on_all(session, own, act, by=SYSTEM, now=when) == 0:
                raise ActNotAllowed("nothing met")
        case Act.SUBMIT:
            submit(session, key, by=office(UNIT), evidence=[], now=when)
        case Act.WITHDRAW:
            withdraw(session, key, by=office(UNIT), now=when)
        case Act.ACCEPT:
            accept(session, key, by=office(TOWN), now=when)
        case Act.SEND_BACK:
            send_back(session, key, by=office(TOWN), now=when, reason="请补正")
        case Act.WAIVE:
            waive(session, key, by=office(BUREAU), now=when, reason="已合并")
        case Act.EXTEND:
            act_on(session, standing(session, key), act, by=office(TOWN), now=when, note="同意延期")


def chains(database: Database) -> type[RuleBasedStateMachine]:
    class Chains(RuleBasedStateMachine):
        """Each run is one transaction that is rolled back."""

        def __init__(self) -> None:
            super().__init__()
            self.trial = database.trial()
            self.session = self.trial.__enter__()
            self.expected = dict.fromkeys(KEYS, State.SCHEDULED)
            self.acts: dict[str, list[Act]] = {key: [] for key in KEYS}
            self.hours = 0.0

        @rule(key=st.sampled_from(KEYS), act=st.sampled_from(Act), hours=st.integers(1, 900))
        def any_act(self, key: str, act: Act, hours: int) -> None:
            self.hours += hours
            wanted = TABLE.get((self.expected[key], act))
            if wanted is None:
                with pytest.raises(ActNotAllowed):
                    act_once(self.session, key, act, self.hours)
            else:
                act_once(self.session, key, act, self.hours)
                self.expected[key] = wanted
                self.acts[key].append(act)

        @rule(act=st.sampled_from([Act.ISSUE, Act.CANCEL]))
        def all_at_once(self, act: Act) -> None:
            met = [key for key in KEYS if (self.expected[key], act) in TABLE]
            when = START + timedelta(hours=self.hours)
            assert act_on_all(self.session, work_item.c.key.in_(KEYS), act, by=SYSTEM, now=when) == len(met)
            for key in met:
                self.expected[key] = TABLE[self.expected[key], act]
                self.acts[key].append(act)

        @rule()
        def compacted(self) -> None:
            tally.compact(self.session, CODE)

        @invariant()
        def the_ledger_is_what_the_acts_made_it(self) -> None:
            assert tally.recount(self.session, CODE) == []
            for key in KEYS:
                found = standing(self.session, key)
                entries = history(self.session, found.id)
                assert (found.state, found.revision) == (self.expected[key], len(self.acts[key]))
                assert [entry.act for entry in entries] == self.acts[key]
                assert [entry.revision for entry in entries] == list(range(1, found.revision + 1))
                assert found.returns == self.acts[key].count(Act.SEND_BACK)

        def teardown(self) -> None:
            self.trial.__exit__(None, None, None)

    return Chains


def test_every_chain_of_acts_follows_the_table(database: Database) -> None:
    limits = settings(
        max_examples=15,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(chains(database), settings=limits)


def test_acts_in_bulk_need_their_reason_too(database: Database) -> None:
    with pytest.raises(ReasonMissing, match=r"^豁免须写明理由$"), database.write() as session:
        act_on_all(session, work_item.c.key == KEYS[0], Act.WAIVE, by=SYSTEM, now=START)


def test_an_item_read_before_somebody_else_acted(database: Database) -> None:
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 1, 2), now=START)
        act_once(session, KEYS[0], Act.SUBMIT, 1)
    with database.write() as session:
        seen = standing(session, KEYS[0])
        accept(session, KEYS[0], by=office(TOWN), now=START)
        with pytest.raises(ChangedMeanwhile, match=r"^这一办理件刚刚被他人处理，请刷新后再看$"):
            act_on(session, seen, Act.WITHDRAW, by=office(UNIT), now=START, note=None)


def raced(database: Database, *acts: Callable[[Session], object]) -> list[type[Exception] | None]:
    """Do acts at the same moment, each in a thread and a transaction of its own; how each ended."""
    gate = threading.Barrier(len(acts))
    ended: list[type[Exception] | None] = [None] * len(acts)

    def run(n: int) -> None:
        gate.wait()
        try:
            with database.write() as session:
                acts[n](session)
        except (LuchengError, DBAPIError) as error:
            ended[n] = type(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return ended


ROUNDS = 30


def test_two_at_one_item_and_exactly_one_wins(database: Database) -> None:
    """Reviewer and unit decide about the same submission at the same moment."""
    with database.write() as session:
        keys = [raise_event(session, CODE, "1.3", UNIT, by=office(UNIT), now=START) for _ in range(ROUNDS)]
        for key in keys:
            submit(session, key, by=office(UNIT), evidence=[], now=START)
    for key in keys:
        accepted = partial(accept, key=key, by=office(TOWN), now=START)
        ended = raced(database, accepted, partial(withdraw, key=key, by=office(UNIT), now=START))
        assert ended.count(None) == 1
        assert {error for error in ended if error} <= {ChangedMeanwhile, ActNotAllowed}
        with database.read() as session:
            won = standing(session, key)
            assert won.state is (State.ACCEPTED if ended[0] is None else State.OPEN)
            assert [entry.revision for entry in history(session, won.id)] == [1, 2, 3]
    with database.read() as session:
        assert tally.recount(session, CODE) == []


def test_two_report_the_same_item(database: Database) -> None:
    with database.write() as session:
        keys = [raise_event(session, CODE, "1.3", UNIT, by=office(UNIT), now=START) for _ in range(ROUNDS)]
    for key in keys:
        reports = [partial(submit, key=key, by=office(by), evidence=[], now=START) for by in (UNIT, TOWN)]
        ended = raced(database, *reports)
        assert ended.count(None) == 1
        assert {error for error in ended if error} <= {ChangedMeanwhile, ActNotAllowed}
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM entry WHERE act = 'submit'") == [(ROUNDS,)]
        assert tally.recount(session, CODE) == []


def test_two_sweeps_at_the_same_moment(database: Database) -> None:
    def issue(session: Session) -> int:
        return issue_due(session, CODE, as_of=date(2025, 12, 31), now=START)

    ended = raced(database, issue, issue)
    assert None in ended
    assert {error for error in ended if error} <= {ChangedMeanwhile}
    with database.read() as session:
        assert query(session, "SELECT count(*), min(revision), max(revision) FROM entry") == [(67, 1, 1)]
        assert tally.recount(session, CODE) == []


@pytest.mark.postgres
@pytest.mark.parametrize("moment", ["INSERT INTO tally", "UPDATE work_item", "INSERT INTO entry"])
def test_a_report_in_the_middle_of_an_act_in_sets(postgres_url: str, pack: Pack, moment: str) -> None:
    """Whatever the moment, the report waits for the act in sets and then hears that it came too late."""
    with opened(postgres_url) as database, opened(postgres_url) as other:
        load(database, pack, START)
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 2), now=START)
        outcome: list[type[Exception]] = []

        def report() -> None:
            try:
                with other.write() as session:
                    submit(session, KEYS[0], by=office(UNIT), evidence=[], now=START)
            except LuchengError as error:
                outcome.append(type(error))

        thread = threading.Thread(target=report)

        def meanwhile() -> None:
            if not thread.ident:
                thread.start()
                thread.join(timeout=0.5)

        with just_before(database, moment, meanwhile), database.write() as session:
            act_on_all(session, work_item.c.period == "2025-01", Act.CANCEL, by=SYSTEM, now=START)
        thread.join(timeout=30)
        assert outcome == [ChangedMeanwhile]
        with database.read() as session:
            assert tally.recount(session, CODE) == []
            assert standing(session, KEYS[0]).state is State.CANCELLED


@pytest.mark.postgres
def test_a_report_that_meets_an_act_in_sets(postgres_url: str, pack: Pack) -> None:
    with opened(postgres_url) as database, opened(postgres_url) as other:
        load(database, pack, START)
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 2), now=START)
        errors: list[type[Exception]] = []

        def attempt(act: Callable[[], object]) -> None:
            try:
                act()
            except (LuchengError, DBAPIError) as error:
                errors.append(type(error))

        def report() -> None:
            with other.write() as session:
                submit(session, KEYS[0], by=office(UNIT), evidence=[], now=START)

        thread = threading.Thread(target=attempt, args=(report,))

        def meanwhile() -> None:
            thread.start()
            thread.join(timeout=0.5)

        def cancel() -> None:
            with just_before(database, "UPDATE work_item", meanwhile), database.write() as session:
                act_on_all(session, work_item.c.period == "2025-01", Act.CANCEL, by=SYSTEM, now=START)

        attempt(cancel)
        thread.join(timeout=30)
        assert set(errors) <= {ChangedMeanwhile}
        with database.read() as session:
            assert tally.recount(session, CODE) == []
