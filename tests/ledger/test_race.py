"""Two reviewers at the same item at the same instant, on real connections: one act wins, the other is told."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from ledger import extensions, reviews, sampling, submissions, tally
from ledger.acts import standing
from ledger.database import Database, Session
from ledger.entries import history
from ledger.issuing import issue_due
from policy_models.errors import ActNotAllowed, ChangedMeanwhile
from policy_models.lifecycle import Act, State
from tests.factories import BUREAU, CODE, instant, item, load, office, opened, query, tiny_pack, village

ROUNDS = 200
BULK_ROUNDS = 40
VILLAGES = 10
NOW = instant("2025-12-20")
Try = Callable[[Session], object]
KEYS = [
    item("1.2", village(county, number), f"2025-{month:02}")
    for month in range(1, 13)
    for county in (1, 2)
    for number in range(1, VILLAGES + 1)
]


@dataclass
class Rivals:
    """Two databases over one ledger: each has its own connections."""

    left: Database
    right: Database
    pool: ThreadPoolExecutor

    def race(self, first: Try, second: Try) -> tuple[str, str]:
        """Both at the same instant, in transactions of their own: what became of each."""
        start = threading.Barrier(2)
        attempts = [
            self.pool.submit(attempt, database, start, act)
            for database, act in ((self.left, first), (self.right, second))
        ]
        one, other = (running.result(timeout=60) for running in attempts)
        return one, other


def attempt(database: Database, start: threading.Barrier, act: Try) -> str:
    start.wait(timeout=30)
    try:
        with database.write() as session:
            act(session)
    except (ChangedMeanwhile, ActNotAllowed) as error:
        return type(error).__name__
    return "won"


@pytest.fixture
def rivals(database_url: str, tmp_path: Path) -> Iterator[Rivals]:
    with opened(database_url) as left, opened(database_url) as right, ThreadPoolExecutor(2) as pool:
        load(left, tiny_pack(tmp_path / "pack", villages=VILLAGES), instant("2025-01-01"))
        with left.write() as session:
            issue_due(session, CODE, as_of=NOW.date(), now=NOW)
            submitted(session, KEYS)
        yield Rivals(left, right, pool)


def submitted(session: Session, keys: list[str]) -> None:
    for town in ("900101", "900201"):
        own = [(key, (), None) for key in keys if f":{town}" in key]
        submissions.submit_all(session, own, by=office(town), now=NOW)


@pytest.mark.slow
def test_one_of_two_reviewers_wins_every_time(rivals: Rivals) -> None:
    met: Counter[str] = Counter()
    for key in KEYS[:ROUNDS]:
        results = rivals.race(accepting(key), sending_back(key))
        assert results.count("won") == 1, (key, results)
        with rivals.left.read() as session:
            stands = standing(session, key)
            acts = [one.act for one in history(session, stands.id)]
        accepted = results[0] == "won"
        assert stands.state is (State.ACCEPTED if accepted else State.RETURNED)
        assert acts == [Act.ISSUE, Act.SUBMIT, Act.ACCEPT if accepted else Act.SEND_BACK]
        assert (stands.revision, stands.returns) == (3, 0 if accepted else 1)
        met["accepted" if accepted else "sent back"] += 1
        met[next(one for one in results if one != "won")] += 1
    sound(rivals)
    assert met["accepted"] + met["sent back"] == met["ChangedMeanwhile"] + met["ActNotAllowed"] == ROUNDS
    print(f"\n{ROUNDS} races on {rivals.left.engine.dialect.name}: {dict(met)}")


def accepting(key: str) -> Try:
    return lambda session: reviews.accept(session, key, by=office(BUREAU), now=NOW, seen=2)


def sending_back(key: str) -> Try:
    town = key.split(":")[2][:6]
    return lambda session: reviews.send_back(session, key, by=office(town), now=NOW, reason="缺签到表", seen=2)


@pytest.mark.slow
def test_two_bulk_acts_that_share_items_never_both_take_one(rivals: Rivals) -> None:
    """Whoever comes second at the same instant is turned away whole, and finds at the next try what is left."""
    chance, met = random.Random(7), Counter[str]()
    own = [key for key in KEYS if ":9001" in key]
    for number in range(BULK_ROUNDS):
        keys = own[number * 3 : number * 3 + 3]
        left, right = chance.sample(keys, 2), chance.sample(keys, 2)
        results = rivals.race(
            lambda session, keys=left: accept_some(session, keys),  # type: ignore[misc]
            lambda session, keys=right: send_back_some(session, keys),  # type: ignore[misc]
        )
        assert "won" in results, results
        with rivals.left.write() as session:
            again = reviews.accept_all(session, left, by=office("900101"), now=NOW, seen=dict.fromkeys(left, 2))
            assert set(again.done) | {one.key for one in again.left} == set(left)
        with rivals.left.read() as session:
            states = [standing(session, key) for key in {*left, *right}]
            assert all(one.state in (State.ACCEPTED, State.RETURNED) or one.key not in left for one in states)
            assert all(one.revision == (3 if one.state is not State.SUBMITTED else 2) for one in states)
        met[" and ".join(sorted(results))] += 1
    sound(rivals)
    print(f"\n{BULK_ROUNDS} bulk races on {rivals.left.engine.dialect.name}: {dict(met)}")


def accept_some(session: Session, keys: list[str]) -> None:
    reviews.accept_all(session, keys, by=office(BUREAU), now=NOW, seen=dict.fromkeys(keys, 2))


def send_back_some(session: Session, keys: list[str]) -> None:
    reviews.send_back_all(session, keys, by=office("900101"), now=NOW, reason="缺签到表", seen=dict.fromkeys(keys, 2))


@pytest.mark.slow
def test_the_same_population_is_drawn_once(rivals: Rivals) -> None:
    for month in range(1, 11):
        period = f"2025-{month:02}"

        def draw(session: Session, period: str = period) -> None:
            sampling.draw(session, CODE, "1.2", period, by=office("900101"), now=NOW, seed="一", size=2)

        assert sorted(rivals.race(draw, draw))[1:] == ["won"]
        with rivals.left.read() as session:
            rows = query(session, "SELECT number, population FROM sample WHERE period = :period", period=period)
        assert rows == [(1, VILLAGES)]


@pytest.mark.slow
def test_an_extension_is_decided_once(rivals: Rivals) -> None:
    met: Counter[str] = Counter()
    for number in range(1, VILLAGES + 1):
        unit = office(village(1, number))
        key, day = item("1.2", unit.unit, "2025-11"), instant("2025-11-28")
        with rivals.left.write() as session:
            submissions.withdraw(session, key, by=unit, now=day)
            wanted = date(2025, 12, 15)
            id = extensions.request(session, key, wanted=wanted, reason="道路维修", by=unit, now=day)
        results = rivals.race(granting(id), refusing(id))
        assert results.count("won") == 1, results
        with rivals.left.read() as session:
            found, stands = extensions.read(session, id), standing(session, key)
            moved = query(session, "SELECT deadline FROM item_move WHERE item_id = :id", id=stands.id)
        granted = results[0] == "won"
        assert found.state is (extensions.Answer.GRANTED if granted else extensions.Answer.REFUSED)
        assert stands.deadline == (wanted if granted else date(2025, 11, 30))
        assert len(moved) == (1 if granted else 0)
        met["granted" if granted else "refused"] += 1
    sound(rivals)
    print(f"\n{VILLAGES} decisions on {rivals.left.engine.dialect.name}: {dict(met)}")


def granting(id: int) -> Try:
    return lambda session: extensions.grant(session, id, by=office(BUREAU), now=NOW)


def refusing(id: int) -> Try:
    return lambda session: extensions.refuse(session, id, by=office("900101"), now=NOW, reason="能按期完成")


def sound(rivals: Rivals) -> None:
    """The tally equals the items, and every item has an unbroken row of entries."""
    with rivals.left.read() as session:
        assert tally.recount(session, CODE) == []
        broken = query(
            session,
            "SELECT count(*) FROM work_item WHERE revision <> (SELECT count(*) FROM entry WHERE item_id = work_item.id)",
        )
    assert broken == [(0,)]
