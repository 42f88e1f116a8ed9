"""盲评: links, scores, when they are told, races, and what is picked and published."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from ledger import exemplars, panels, shortlisting
from ledger.database import Database, Session
from ledger.exemplar_rows import exemplar_row
from ledger.queries import exemplars as reads
from ledger.queries.scoring import PanelView, own_scores, panel_view
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    Faulty,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.exemplars import ExemplarState
from tests.exemplar_site import DAY, FIRST, LONG, ROUND, SECOND, hand_in, load_collecting, plan_id, publish
from tests.factories import BUREAU, CODE, KINDS, fresh_database, office, opened, query, rewound

BOSS = office(BUREAU)
RESIDENT = "身份证110101199003070134"


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load_collecting(database, tmp_path_factory.mktemp("pack"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def appoint(session: Session, name: str, unit: str | None = None) -> panels.Panelist:
    token = panels.appoint(session, CODE, ROUND, name, unit, by=BOSS, now=DAY)
    found = panels.look_up(session, token)
    assert found is not None
    return found


def give(session: Session, scorer: panels.Panelist, exemplar: int, points: int, comment: str = "") -> None:
    version = exemplar_row(session, exemplar).version
    panels.give(session, scorer, exemplar, points, comment, version=version, now=DAY)


def view(session: Session) -> PanelView:
    return panel_view(session, plan_id(session), ROUND, reads.listing(session, plan_id(session), ROUND))


def test_a_link_is_long_and_only_its_hash_is_kept(database: Database) -> None:
    with database.write() as session:
        token = panels.appoint(session, CODE, ROUND, " 王评审 ", None, by=BOSS, now=DAY)
        rows = query(session, "SELECT name, hash FROM panelist")
        found = panels.look_up(session, token)
    assert len(token) == 32
    assert rows[0][0] == "王评审"
    assert token not in str(rows)
    assert found is not None
    assert (found.name, found.round_code, found.unit, found.revoked_at) == ("王评审", ROUND, None, None)
    with database.read() as session:
        assert [panels.look_up(session, wrong) for wrong in (token[:-1], "", "\ud800")] == [None, None, None]


def test_a_removed_reviewer_has_a_dead_link_and_may_come_back(database: Database) -> None:
    with database.write() as session:
        one, _ = hand_in(session)
        token = panels.appoint(session, CODE, ROUND, "王", None, by=BOSS, now=DAY)
        scorer = panels.look_up(session, token)
        assert scorer is not None
        give(session, scorer, one, 90)
        panels.revoke(session, scorer.id, by=BOSS, now=DAY)
        assert panels.look_up(session, token) is None
        with pytest.raises(ChangedMeanwhile):
            panels.revoke(session, scorer.id, by=BOSS, now=DAY)
        with pytest.raises(ActNotAllowed, match=r"^这位评审人已停用"):
            panels.renew(session, scorer.id, by=BOSS)
        panels.close(session, CODE, ROUND, by=BOSS, now=DAY)
        ranking = view(session).ranking
        assert ranking is not None
        assert ranking[0].points == ()  # the scores of who was removed do not count


def test_coming_back_keeps_the_scores(database: Database) -> None:
    with database.write() as session:
        one, _ = hand_in(session)
        scorer = appoint(session, "王")
        give(session, scorer, one, 90)
        panels.revoke(session, scorer.id, by=BOSS, now=DAY)
        again = appoint(session, "王")
        assert again.id == scorer.id
        assert view(session).seats[0].scored == 1


def test_a_new_link_kills_the_old_one(database: Database) -> None:
    with database.write() as session:
        token = panels.appoint(session, CODE, ROUND, "王", None, by=BOSS, now=DAY)
        scorer = panels.look_up(session, token)
        assert scorer is not None
        new = panels.renew(session, scorer.id, by=BOSS)
        assert panels.look_up(session, token) is None
        assert panels.look_up(session, new) == scorer


def test_only_the_coordinator_names_and_closes(database: Database) -> None:
    with database.write() as session:
        scorer = appoint(session, "王")
        for act in (
            lambda: panels.appoint(session, CODE, ROUND, "李", None, by=office(FIRST), now=DAY),
            lambda: panels.revoke(session, scorer.id, by=office(FIRST), now=DAY),
            lambda: panels.renew(session, scorer.id, by=office(FIRST)),
            lambda: panels.close(session, CODE, ROUND, by=office(FIRST), now=DAY),
        ):
            with pytest.raises(NotResponsible, match=r"^只有统筹单位可以组织评审$"):
                act()
        with pytest.raises(ActNotAllowed, match=r"^本期已有评审人“王”"):
            panels.appoint(session, CODE, ROUND, "王", None, by=BOSS, now=DAY)


@pytest.mark.parametrize(("name", "unit"), [("", None), ("王" * 41, None), ("王", "no-such-unit")])
def test_a_reviewer_needs_a_name_and_a_known_unit(database: Database, name: str, unit: str | None) -> None:
    with pytest.raises(Faulty), database.write() as session:
        panels.appoint(session, CODE, ROUND, name, unit, by=BOSS, now=DAY)


@pytest.mark.parametrize("points", [-1, 101, 1000])
def test_points_outside_are_refused(database: Database, points: int) -> None:
    with database.write() as session:
        one, _ = hand_in(session)
        scorer = appoint(session, "王")
        with pytest.raises(Faulty, match="须为 0 至 100 之间的整数"):
            give(session, scorer, one, points)
        assert query(session, "SELECT count(*) FROM score") == [(0,)]


@pytest.mark.parametrize("points", [0, 100])
def test_points_at_the_edges_are_kept_and_may_be_changed(database: Database, points: int) -> None:
    with database.write() as session:
        one, _ = hand_in(session)
        scorer = appoint(session, "王")
        give(session, scorer, one, 50, "初看")
        give(session, scorer, one, points, "再看")
        assert query(session, "SELECT points, comment FROM score") == [(points, "再看")]


def test_words_of_reviewers_are_screened(database: Database) -> None:
    with database.write() as session:
        one, _ = hand_in(session)
        with pytest.raises(PrivacyBlocked):
            give(session, appoint(session, "王"), one, 50, RESIDENT)
        with pytest.raises(Faulty):
            give(session, appoint(session, "李"), one, 50, "长" * 1001)


def test_nobody_scores_the_own_unit_or_what_is_not_there(database: Database) -> None:
    with database.write() as session:
        own, _ = hand_in(session)
        other, _ = hand_in(session, unit=SECOND)
        draft = exemplars.create(session, plan_id(session), ROUND, "草稿", by=office(FIRST), now=DAY)
        scorer = appoint(session, "王", FIRST)
        give(session, scorer, other, 70)
        with pytest.raises(NotResponsible, match=r"^不评本单位的案例$"):
            give(session, scorer, own, 100)
        with pytest.raises(NotFound):
            give(session, scorer, draft, 100)
        assert [(seat.due, seat.scored) for seat in view(session).seats] == [(1, 1)]


def test_scores_are_told_when_all_have_scored(database: Database) -> None:
    with database.write() as session:
        one, _ = hand_in(session)
        two, _ = hand_in(session, unit=SECOND)
        wang, li = appoint(session, "王"), appoint(session, "李", SECOND)
        give(session, wang, one, 80)
        give(session, wang, two, 90, "扎实")
        assert (view(session).ranking, view(session).remarks) == (None, None)
        give(session, li, one, 91)
        told = view(session)
        assert told.ranking is not None
        assert told.remarks is not None
        assert [(row.exemplar, row.mean, row.place) for row in told.ranking] == [
            (two, Fraction(90), 1),
            (one, Fraction(171, 2), 2),
        ]
        assert [(r.by, r.points, r.comment) for r in told.remarks[two]] == [("王", 90, "扎实")]
        assert not told.settled  # and may still be changed


def test_closing_tells_and_ends_for_good(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(ActNotAllowed, match=r"^还没有添加评审人$"):
            panels.close(session, CODE, ROUND, by=BOSS, now=DAY)
        one, version = hand_in(session)
        wang, _ = appoint(session, "王"), appoint(session, "李")
        give(session, wang, one, 80)
        with pytest.raises(ActNotAllowed, match=r"^评审还在进行"):
            shortlisting.shortlist(session, one, version=version, by=BOSS, now=DAY)
        panels.close(session, CODE, ROUND, by=BOSS, now=DAY)
        told = view(session)
        assert told.ranking is not None
        assert (told.ranking[0].mean, told.settled, told.closed_by) == (Fraction(80), True, BOSS.name)
        for act in (
            lambda: give(session, wang, one, 99),
            lambda: appoint(session, "赵"),
            lambda: panels.revoke(session, wang.id, by=BOSS, now=DAY),
            lambda: panels.renew(session, wang.id, by=BOSS),
        ):
            with pytest.raises(ActNotAllowed, match=r"^评审已经结束"):
                act()
        with pytest.raises(ChangedMeanwhile):
            panels.close(session, CODE, ROUND, by=BOSS, now=DAY)
        shortlisting.shortlist(session, one, version=version, by=BOSS, now=DAY)


def test_a_text_handed_in_anew_is_scored_anew(database: Database) -> None:
    with database.write() as session:
        one, version = hand_in(session)
        scorer = appoint(session, "王")
        give(session, scorer, one, 80)
        exemplars.withdraw(session, one, version=version, by=office(FIRST), now=DAY)
        changed = exemplars.save(session, one, replace(LONG, effect="新"), version=version, by=office(FIRST), now=DAY)
        exemplars.submit(session, one, version=changed, by=office(FIRST), now=DAY)
        rows = reads.listing(session, plan_id(session), ROUND)
        assert own_scores(session, scorer.id, rows)[one].stale
        assert (view(session).seats[0].scored, view(session).ranking) == (0, None)
        with pytest.raises(ChangedMeanwhile, match=r"^报送单位修改了这篇案例"):
            panels.give(session, scorer, one, 85, "", version=version, now=DAY)
        give(session, scorer, one, 85)
        told = view(session).ranking
        assert told is not None
        assert told[0].points == (85,)


def test_published_after_consent_and_screening_are_looked_at_again(database: Database) -> None:
    from sqlalchemy import text

    with database.write() as session:
        one, version = hand_in(session)
        shortlisting.shortlist(session, one, version=version, by=BOSS, now=DAY)
        session.execute(text("UPDATE exemplar SET effect = :words WHERE id = :id"), {"words": RESIDENT, "id": one})
        with pytest.raises(PrivacyBlocked):  # as if the gate had learned a new kind since
            shortlisting.publish(session, one, version=version, by=BOSS, now=DAY)
        session.execute(text("UPDATE exemplar SET effect = '成效' WHERE id = :id"), {"id": one})
        shortlisting.publish(session, one, version=version, by=BOSS, now=DAY)
        found = exemplar_row(session, one)
        assert (found.state, found.published_by) == (ExemplarState.PUBLISHED, BOSS.name)
        shortlisting.unpublish(session, one, version=version, by=BOSS, now=DAY, note="更新数据")
        steps = reads.steps(session, one)
    assert [(step.state.value, step.note) for step in steps][1:] == [
        ("submitted", None),
        ("shortlisted", None),
        ("published", None),
        ("shortlisted", "更新数据"),
    ]


def test_a_shortlisted_one_cannot_lose_its_consent(database: Database) -> None:
    full = replace(LONG, tells_of_child=True, child_consents=True, guardian_consents=True, anonymised=True)
    with database.write() as session:
        one, version = hand_in(session, full)
        shortlisting.shortlist(session, one, version=version, by=BOSS, now=DAY)
        with pytest.raises(ActNotAllowed):
            exemplars.save(session, one, LONG, version=version, by=office(FIRST), now=DAY)
        with pytest.raises(ActNotAllowed, match=r"^“已入选”的案例不能撤回$"):
            exemplars.withdraw(session, one, version=version, by=office(FIRST), now=DAY)


def test_only_the_coordinator_picks(database: Database) -> None:
    with database.write() as session:
        one, version = hand_in(session)
        for act in (shortlisting.shortlist, shortlisting.drop, shortlisting.publish, shortlisting.unpublish):
            with pytest.raises(NotResponsible, match=r"^只有统筹单位可以评选和发布优秀案例$"):
                act(session, one, version=version, by=office(FIRST), now=DAY)
        with pytest.raises(NotResponsible):
            shortlisting.send_back(session, one, reason="x", version=version, by=office(FIRST), now=DAY)
        with pytest.raises(ReasonMissing):
            shortlisting.send_back(session, one, reason="", version=version, by=BOSS, now=DAY)
        with pytest.raises(ChangedMeanwhile):
            shortlisting.shortlist(session, one, version=version - 1, by=BOSS, now=DAY)
        publish(session, one, version)
        with pytest.raises(ActNotAllowed, match=r"^“已发布”的案例不能退回$"):
            shortlisting.send_back(session, one, reason="晚了", version=version, by=BOSS, now=DAY)


def test_published_lists(database: Database) -> None:
    with database.write() as session:
        one, version = hand_in(session)
        other, its = hand_in(session, replace(LONG, title="百分之100%", practice="特别的做法"), SECOND)
        hand_in(session, replace(LONG, title="没有发布"))
        publish(session, one, version)
        publish(session, other, its)

        def titles(**wanted: str) -> list[str]:
            found = reads.published(session, plan_id(session), **wanted)  # type: ignore[arg-type]
            return [row.content.title for row in found]

        assert titles() == ["百分之100%", "牵手成长"]
        assert titles(under="9001") == ["牵手成长"]
        assert titles(under="") == []
        assert titles(words="特别的") == ["百分之100%"]
        assert titles(words="%") == ["百分之100%"]
        assert titles(words="_") == []
        assert titles(round_code=ROUND, words="背景") == ["百分之100%", "牵手成长"]
        assert titles(round_code="2025-H2") == []


@pytest.mark.parametrize("same", [False, True], ids=["two reviewers", "one reviewer twice"])
def test_two_at_the_same_moment(database_url: str, tmp_path: Path, same: bool) -> None:
    """Two reviewers never hinder each other; one reviewer's form sent twice leaves one score."""
    with opened(database_url) as database:
        load_collecting(database, tmp_path / "pack")
        with database.write() as session:
            one, version = hand_in(session)
            wang, li = appoint(session, "王"), appoint(session, "李")
        scorers = [wang, wang if same else li]
        for turn in range(20):
            gate, told = threading.Barrier(2), [""] * 2

            def act(n: int, turn: int = turn, gate: threading.Barrier = gate, told: list[str] = told) -> None:
                try:
                    with database.write() as session:
                        gate.wait(5) if database.engine.dialect.name == "postgresql" else None
                        panels.give(session, scorers[n], one, 50 + turn + n, "", version=version, now=DAY)
                    told[n] = "kept"
                except ChangedMeanwhile as error:
                    told[n] = str(error)

            threads = [threading.Thread(target=act, args=(n,)) for n in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            with database.read() as session:
                points = [row[0] for row in query(session, "SELECT points FROM score ORDER BY panelist_id")]
            if same:
                assert "kept" in told
                assert points in ([50 + turn], [51 + turn])
            else:
                assert told == ["kept", "kept"]
                assert points == [50 + turn, 51 + turn]


@pytest.mark.postgres
def test_closing_and_scoring_at_the_same_moment(postgres_url: str, tmp_path: Path) -> None:
    """A score is in before the panel is closed, or refused: never after."""
    with opened(postgres_url) as database:
        load_collecting(database, tmp_path / "pack")
        with database.write() as session:
            one, version = hand_in(session)
            scorer = appoint(session, "王")
        closed = threading.Event()

        def close() -> None:
            with database.write() as session:
                panels.close(session, CODE, ROUND, by=BOSS, now=DAY)
            closed.set()

        with database.write() as session:
            panels.give(session, scorer, one, 60, "", version=version, now=DAY)
            thread = threading.Thread(target=close)
            thread.start()
            assert not closed.wait(0.5)  # waits for the score that is under way
        thread.join()
        with pytest.raises(ActNotAllowed), database.write() as session:
            panels.give(session, scorer, one, 61, "", version=version, now=DAY)
        with database.read() as session:
            assert query(session, "SELECT points FROM score") == [(60,)]
