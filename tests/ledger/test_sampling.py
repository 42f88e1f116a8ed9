"""抽查: what is drawn, what its results do to the rest, and that anybody can draw again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date

import pytest

from ledger import samples, tally
from ledger.acts import standing
from ledger.database import Database, Session
from ledger.entries import history
from ledger.issuing import issue_due
from ledger.reviews import accept, accept_all, send_back, waive
from ledger.samples import of_reviewer, read
from ledger.sampling import accept_rest, check, draw
from ledger.submissions import submit, submit_all, withdraw
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.lifecycle import State
from policy_models.sampling import Outcome
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    Files,
    fresh_database,
    instant,
    item,
    load,
    office,
    query,
    requirement_of,
    rewound,
    statements,
    tiny_pack,
    village,
)

TOWN, VILLAGES, PERIOD = "900101", 10, "2025-01"
UNITS = [village(1, number) for number in range(1, VILLAGES + 1)]
KEYS = [item("1.2", unit, PERIOD) for unit in UNITS]
VACATION = [item("2.2", unit, "2025-winter") for unit in UNITS]
DAY, LATER = instant("2025-01-20"), instant("2025-01-21")
SEED = "00ff"


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    def change(files: Files) -> None:
        requirement_of(files, "2.2")["review"] = "sampled"

    with fresh_database(request, tmp_path_factory) as database:
        pack = tiny_pack(tmp_path_factory.mktemp("pack"), change, villages=VILLAGES)
        load(database, pack, instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 2, 1), now=instant("2025-02-01"))
            for keys in (KEYS, VACATION):
                submit_all(session, [(key, (), None) for key in keys], by=office(TOWN), now=instant("2025-01-10"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def drawn(database: Database, *, size: int | None = 3, by: str = TOWN, requirement: str = "1.2", **more: int) -> int:
    period = PERIOD if requirement == "1.2" else "2025-winter"
    with database.write() as session:
        return draw(session, CODE, requirement, period, by=office(by), now=DAY, seed=SEED, size=size, **more)


def keys_of(database: Database, id: int) -> list[str]:
    with database.read() as session:
        return [piece.key for piece in read(session, id).drawn]


def pass_all(session: Session, id: int, by: str = TOWN) -> Outcome:
    for piece in read(session, id).drawn:
        last = check(session, id, piece.key, passed=True, note=None, by=office(by), now=LATER)
    return last


def test_drawn_by_the_recorded_seed(database: Database) -> None:
    id = drawn(database)
    by_hand = sorted(KEYS, key=lambda key: hashlib.sha256(f"{SEED}:{key}".encode()).hexdigest())[:3]
    assert keys_of(database, id) == by_hand
    with database.read() as session:
        found = read(session, id)
    assert (found.seed, found.population, found.size, found.share, found.number) == (SEED, 10, 3, None, 1)
    assert (found.drawn_by, found.reviewer, found.plan, found.requirement) == (f"{TOWN}经办人", TOWN, CODE, "1.2")
    assert [piece.key for piece in found.pieces] == KEYS
    assert (found.verified, found.outcome, len(found.rest)) == (True, Outcome.OPEN, 7)


def test_a_share_is_recorded_as_one(database: Database) -> None:
    id = drawn(database, size=None, share=45)
    with database.read() as session:
        found = read(session, id)
    assert (found.size, found.share) == (5, 45)


@pytest.mark.parametrize("size", [0, -1, 11])
def test_a_senseless_size(database: Database, size: int) -> None:
    with pytest.raises(ActNotAllowed, match=r"^抽查件数须在 1 与 10 之间$"):
        drawn(database, size=size)


def test_the_population_is_what_waits_for_this_reviewer(database: Database) -> None:
    with database.write() as session:
        accept(session, KEYS[0], by=office(TOWN), now=DAY)
        send_back(session, KEYS[1], by=office(TOWN), now=DAY, reason="缺表")
        withdraw(session, KEYS[2], by=office(UNITS[2]), now=DAY)
    id = drawn(database)
    with database.read() as session:
        assert [piece.key for piece in read(session, id).pieces] == KEYS[3:]
    for stranger in ("900201", UNITS[0], BUREAU):
        with pytest.raises(ActNotAllowed, match=r"^没有可以抽查的办理件"):
            drawn(database, by=stranger)


def test_the_rest_is_accepted_when_all_pass(database: Database) -> None:
    id = drawn(database)
    with database.write() as session:
        with pytest.raises(ActNotAllowed, match="全部合格之后"):
            accept_rest(session, id, by=office(TOWN), now=LATER)
        assert pass_all(session, id) is Outcome.PASSED
        assert accept_rest(session, id, by=office(TOWN), now=LATER) == 7
    with database.read() as session:
        found = read(session, id)
        notes = {piece.note for piece in found.pieces if not piece.drawn}
        states = {standing(session, key).state for key in KEYS}
        assert tally.recount(session, CODE) == []
    assert states == {State.ACCEPTED}
    assert notes == {f"第1次抽查合格（10件中抽3件，种子{SEED}），其余一并通过"}
    assert {piece.note for piece in found.drawn} == {"第1次抽查合格"}
    with pytest.raises(ActNotAllowed, match="没有待审核的办理件"), database.write() as session:
        accept_rest(session, id, by=office(TOWN), now=LATER)


def test_one_that_fails_leaves_the_rest_to_be_looked_at(database: Database) -> None:
    id = drawn(database)
    first, second, _ = keys_of(database, id)
    rest = [key for key in KEYS if key not in keys_of(database, id)]
    with database.write() as session:
        check(session, id, first, passed=True, note="已电话核实", by=office(TOWN), now=LATER)
        outcome = check(session, id, second, passed=False, note="照片不符", by=office(TOWN), now=LATER)
        assert outcome is Outcome.FAILED
        with pytest.raises(ActNotAllowed, match="全部合格之后"):
            accept_rest(session, id, by=office(TOWN), now=LATER)
        with pytest.raises(ActNotAllowed, match=r"^抽查尚未完成或不合格，须逐件审核：1县"):
            accept_all(session, rest, by=office(TOWN), now=LATER)
        accept(session, rest[0], by=office(TOWN), now=LATER)
        returned = standing(session, second)
        assert (returned.state, returned.returns) == (State.RETURNED, 1)
        assert history(session, returned.id)[-1].note == "第1次抽查不合格：照片不符"
        assert query(session, "SELECT reason FROM work_item WHERE key = :key", key=second) == [
            ("第1次抽查不合格：照片不符",)
        ]
        assert tally.recount(session, CODE) == []


def test_what_is_drawn_and_not_looked_at_is_not_accepted_in_bulk(database: Database) -> None:
    id = drawn(database)
    with pytest.raises(ActNotAllowed, match="抽查尚未完成"), database.write() as session:
        accept_all(session, KEYS, by=office(TOWN), now=LATER)
    with database.write() as session:
        pass_all(session, id)
        assert len(accept_all(session, KEYS, by=office(TOWN), now=LATER).done) == 7


def test_what_was_resubmitted_is_out_of_the_sample(database: Database) -> None:
    id = drawn(database)
    other = next(key for key in KEYS if key not in keys_of(database, id))
    unit = office(other.split(":")[2])
    with database.write() as session:
        withdraw(session, other, by=unit, now=LATER)
        submit(session, other, by=unit, evidence=[], now=LATER)
        assert accept_all(session, [other], by=office(TOWN), now=LATER).done == (other,)
        pass_all(session, id)
        assert len(read(session, id).rest) == 6


def test_taken_back_after_the_draw_counts_as_failed(database: Database) -> None:
    id = drawn(database, size=1)
    (key,) = keys_of(database, id)
    with database.write() as session:
        withdraw(session, key, by=office(key.split(":")[2]), now=LATER)
        submit(session, key, by=office(key.split(":")[2]), evidence=[], now=LATER)
        assert read(session, id).outcome is Outcome.FAILED
        with pytest.raises(ChangedMeanwhile, match="在抽查之后已有变化"):
            check(session, id, key, passed=True, note=None, by=office(TOWN), now=LATER)


def test_waived_after_the_draw_is_left_out(database: Database) -> None:
    id = drawn(database, size=1)
    (key,) = keys_of(database, id)
    with database.write() as session:
        waive(session, key, by=office(BUREAU), now=LATER, reason="整村搬迁")
        assert read(session, id).outcome is Outcome.VOID
        again = draw(session, CODE, "1.2", PERIOD, by=office(TOWN), now=LATER, seed="2", size=1)
        assert (read(session, again).number, read(session, again).population) == (2, 9)


def test_a_verdict_on_the_review_page_counts(database: Database) -> None:
    id = drawn(database, size=2)
    first, second = keys_of(database, id)
    with database.write() as session:
        accept(session, first, by=office(BUREAU), now=LATER, note="属实")
        send_back(session, second, by=office(TOWN), now=LATER, reason="缺表")
        found = read(session, id)
    assert [(piece.result, piece.note) for piece in found.drawn] == [("passed", "属实"), ("failed", "缺表")]


def test_what_lies_in_a_sample_is_not_drawn_again(database: Database) -> None:
    drawn(database)
    with pytest.raises(ActNotAllowed, match=r"^没有可以抽查的办理件"):
        drawn(database)


def test_who_checks_and_how(database: Database) -> None:
    id = drawn(database)
    first = keys_of(database, id)[0]
    outside = next(key for key in KEYS if key not in keys_of(database, id))
    wrong = [
        (NotResponsible, BUREAU, first, True, None),
        (NotFound, TOWN, outside, True, None),
        (NotFound, TOWN, "tiny-2025:1.2:nobody:2025-01", True, None),
        (ReasonMissing, TOWN, first, False, "  "),
        (ReasonMissing, TOWN, first, False, None),
        (PrivacyBlocked, TOWN, first, False, "150203201501011239"),
    ]
    for error, by, key, passed, note in wrong:
        with pytest.raises(error), database.write() as session:
            check(session, id, key, passed=passed, note=note, by=office(by), now=LATER)
    with pytest.raises(NotFound), database.read() as session:
        read(session, id + 1)
    with database.read() as session:
        assert read(session, id).outcome is Outcome.OPEN


def test_the_coordinator_samples_what_is_its_to_review(database: Database) -> None:
    id = drawn(database, by=BUREAU, requirement="2.2")
    with pytest.raises(ActNotAllowed, match="请先抽查"), database.write() as session:
        accept_all(session, VACATION, by=office(BUREAU), now=LATER)
    with database.write() as session:
        pass_all(session, id, BUREAU)
        assert accept_rest(session, id, by=office(BUREAU), now=LATER) == 7
        listed = of_reviewer(session, query(session, "SELECT id FROM plan")[0][0], BUREAU)
    assert [(one.id, one.outcome, one.population, one.size) for one in listed] == [(id, Outcome.PASSED, 10, 3)]


def test_sql_and_python_agree_on_outcomes(database: Database) -> None:
    ids = [drawn(database, size=2), drawn(database, size=1, by=BUREAU, requirement="2.2")]
    with database.write() as session:
        pass_all(session, ids[1], BUREAU)
        rows = session.execute(samples.outcomes().select())
        assert {row.sample_id: Outcome(row.outcome) for row in rows} == {id: read(session, id).outcome for id in ids}


def test_a_draw_that_was_tampered_with_is_told(database: Database) -> None:
    """The tables refuse it; whoever goes around them is found out by drawing again."""
    id = drawn(database)
    found: samples.Sample
    with database.read() as session:
        found = read(session, id)
    other = {piece.key: piece for piece in found.pieces}
    swapped = [
        samples.Piece(**{n: getattr(p, n) for n in p.__dataclass_fields__} | {"drawn": p.key in KEYS[:3]})
        for p in other.values()
    ]
    fields = {name: getattr(found, name) for name in found.__dataclass_fields__}
    assert not samples.Sample(**{**fields, "pieces": tuple(swapped)}).verified
    assert not samples.Sample(**{**fields, "pieces": found.pieces[1:]}).verified


def test_statements_do_not_grow_with_the_population(database: Database) -> None:
    with database.trial() as session, statements(database) as ten:
        id = draw(session, CODE, "1.2", PERIOD, by=office(TOWN), now=DAY, seed=SEED, size=3)
        read(session, id)
    with database.trial() as session:
        for key in KEYS[2:]:
            accept(session, key, by=office(TOWN), now=DAY)
        with statements(database) as two:
            read(session, draw(session, CODE, "1.2", PERIOD, by=office(TOWN), now=DAY, seed=SEED, size=1))
    assert len(ten) == len(two)
