"""Reviewing: who reviews what, reasons, and what each verdict records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from ledger import tally
from ledger.acts import act_on_each, standing, standings
from ledger.database import Database
from ledger.entries import history
from ledger.issuing import issue_due
from ledger.reviews import accept, accept_all, send_back, send_back_all, waive
from ledger.submissions import submit, withdraw
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.lifecycle import Act, State
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    SCHOOLS,
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

UNIT, TOWN = village(1, 1), "900101"
KEY = item("1.2", UNIT, "2025-01")
QUARTER = item("2.1", "9001-mz", "2025Q1")
DAY = instant("2025-01-20")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    def change(files: Files) -> None:
        requirement_of(files, "2.1")["review"] = "coordinator"

    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), change), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 2), now=instant("2025-01-02"))
            for key, unit in ((KEY, UNIT), (QUARTER, "9001-mz")):
                submit(session, key, by=office(unit), evidence=[], now=instant("2025-01-10"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def state(database: Database, key: str = KEY) -> State:
    with database.read() as session:
        return standing(session, key).state


def test_accepted(database: Database) -> None:
    with database.write() as session:
        assert accept(session, KEY, by=office(TOWN), now=DAY, note="属实") == 3
    with database.read() as session:
        rows = query(session, "SELECT state, reviewed_by FROM work_item WHERE key = :key", key=KEY)
        last = history(session, standing(session, KEY).id)[-1]
    assert rows == [("accepted", "900101经办人")]
    assert (last.act, last.note, last.at) == (Act.ACCEPT, "属实", datetime(2025, 1, 20, 1, tzinfo=UTC))


def test_sent_back_counts_and_keeps_the_reason(database: Database) -> None:
    with database.write() as session:
        assert send_back(session, KEY, by=office(TOWN), now=DAY, reason="照片不清") == 3
    with database.read() as session:
        assert (standing(session, KEY).state, standing(session, KEY).returns) == (State.RETURNED, 1)
        assert query(session, "SELECT reason FROM work_item WHERE key = :key", key=KEY) == [("照片不清",)]


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_no_verdict_without_its_reason(database: Database, reason: str) -> None:
    with pytest.raises(ReasonMissing, match=r"^退回须写明理由$"), database.write() as session:
        send_back(session, KEY, by=office(TOWN), now=DAY, reason=reason)
    with pytest.raises(ReasonMissing, match=r"^豁免须写明理由$"), database.write() as session:
        waive(session, KEY, by=office(BUREAU), now=DAY, reason=reason)
    assert state(database) is State.SUBMITTED


def test_who_reviews(database: Database) -> None:
    for stranger in (UNIT, "900201", SCHOOLS, ""):
        with pytest.raises(NotResponsible, match=r"^您的单位不是这一办理件的审核单位$"), database.write() as session:
            accept(session, KEY, by=office(stranger), now=DAY)
    with database.trial() as session:
        assert accept(session, KEY, by=office(BUREAU), now=DAY) == 3
    with database.read() as session:
        assert [standing(session, key).reviewer for key in (KEY, QUARTER)] == [TOWN, BUREAU]


def test_only_the_coordinator_waives(database: Database) -> None:
    with pytest.raises(NotResponsible, match=r"^只有统筹单位可以豁免$"), database.write() as session:
        waive(session, KEY, by=office(TOWN), now=DAY, reason="合并")
    with database.write() as session:
        waive(session, KEY, by=office(BUREAU), now=DAY, reason="村已合并")
    assert state(database) is State.WAIVED
    with pytest.raises(ActNotAllowed, match=r"^“已豁免”的办理件不能豁免$"), database.write() as session:
        waive(session, KEY, by=office(BUREAU), now=DAY, reason="村已合并")


def test_nothing_follows_acceptance(database: Database) -> None:
    with database.write() as session:
        accept(session, KEY, by=office(TOWN), now=DAY)
    with pytest.raises(ActNotAllowed, match=r"^“已通过”的办理件不能退回$"), database.write() as session:
        send_back(session, KEY, by=office(TOWN), now=DAY, reason="反悔")
    assert state(database) is State.ACCEPTED


def test_a_revision_that_the_reviewer_did_not_see(database: Database) -> None:
    with pytest.raises(ChangedMeanwhile, match="在您查看之后有了变化"), database.write() as session:
        accept(session, KEY, by=office(TOWN), now=DAY, seen=1)
    with database.write() as session:
        assert accept(session, KEY, by=office(TOWN), now=DAY, seen=2) == 3


@pytest.mark.parametrize("words", ["身份证150203201501011239", "１５０２０３２０１５０１０１１２３９"])
def test_no_personal_value_in_a_verdict(database: Database, words: str) -> None:
    with pytest.raises(PrivacyBlocked), database.write() as session:
        send_back(session, KEY, by=office(TOWN), now=DAY, reason=words)
    with pytest.raises(PrivacyBlocked), database.write() as session:
        accept_all(session, [KEY], by=office(TOWN), now=DAY, note=words)
    assert state(database) is State.SUBMITTED


MORE = [item("1.2", village(1, number), "2025-01") for number in (1, 2)]
OTHER_TOWN = item("1.2", village(2, 1), "2025-01")


@pytest.fixture
def many(database: Database) -> Database:
    with database.write() as session:
        submit(session, MORE[1], by=office(village(1, 2)), evidence=[], now=instant("2025-01-11"))
        submit(session, OTHER_TOWN, by=office(village(2, 1)), evidence=[], now=instant("2025-01-12"))
    return database


def test_many_accepted_at_once(many: Database) -> None:
    with many.write() as session, statements(many) as sent:
        bulk = accept_all(session, MORE, by=office(TOWN), now=DAY, note="一并通过", seen=dict.fromkeys(MORE, 2))
    assert (bulk.done, bulk.left) == (tuple(MORE), ())
    # read, held back by samples, update, kept evenings, entries, tally, what was done on the day (two), who listens
    assert len(sent) == 9, sent
    with many.read() as session:
        rows = query(session, "SELECT reviewed_by, revision FROM work_item WHERE state = 'accepted' ORDER BY key")
        notes = {history(session, standing(session, key).id)[-1].note for key in MORE}
        assert tally.recount(session, CODE) == []
    assert rows == [("900101经办人", 3)] * 2
    assert notes == {"一并通过"}


def test_the_statements_of_a_bulk_act_do_not_grow(many: Database) -> None:
    with many.trial() as session, statements(many) as one:
        accept_all(session, MORE[:1], by=office(TOWN), now=DAY)
    with many.trial() as session, statements(many) as two:
        accept_all(session, MORE, by=office(TOWN), now=DAY)
    assert len(one) == len(two)


def test_what_changed_meanwhile_is_left_alone_and_told(many: Database) -> None:
    with many.write() as session:
        withdraw(session, MORE[0], by=office(UNIT), now=DAY)
        submit(session, MORE[0], by=office(UNIT), evidence=[], now=DAY)
    with many.write() as session:
        bulk = accept_all(session, [*MORE, MORE[1]], by=office(TOWN), now=DAY, seen=dict.fromkeys(MORE, 2))
    assert bulk.done == (MORE[1],)
    assert [(one.key, one.state, one.revision) for one in bulk.left] == [(MORE[0], State.SUBMITTED, 4)]
    with many.write() as session:
        bulk = send_back_all(session, MORE, by=office(TOWN), now=DAY, reason="缺签到表")
    assert (bulk.done, [one.state for one in bulk.left]) == ((MORE[0],), [State.ACCEPTED])


def test_many_sent_back_for_one_reason(many: Database) -> None:
    for reason in ("", " \n"):
        with pytest.raises(ReasonMissing, match=r"^退回须写明理由$"), many.write() as session:
            send_back_all(session, MORE, by=office(TOWN), now=DAY, reason=reason)
    with many.write() as session:
        send_back_all(session, MORE, by=office(TOWN), now=DAY, reason="缺签到表")
    with many.read() as session:
        rows = query(session, "SELECT reason, returns FROM work_item WHERE state = 'returned'")
        assert tally.recount(session, CODE) == []
    assert rows == [("缺签到表", 1)] * 2


def test_all_or_nothing_where_one_is_another_reviewers(many: Database) -> None:
    wanted = [*MORE, OTHER_TOWN]
    with pytest.raises(NotResponsible, match=r"不是这些办理件的审核单位：.*9002"), many.write() as session:
        accept_all(session, wanted, by=office(TOWN), now=DAY)
    assert [state(many, key) for key in wanted] == [State.SUBMITTED] * 3
    with many.write() as session:
        assert accept_all(session, wanted, by=office(BUREAU), now=DAY).done == tuple(wanted)


def test_only_villages_are_reviewed_in_bulk(many: Database) -> None:
    with pytest.raises(ActNotAllowed, match="只有嘎查村社区的办理件可以成批审核"), many.write() as session:
        accept_all(session, [QUARTER], by=office(BUREAU), now=DAY)
    with pytest.raises(ActNotAllowed, match="请先勾选"), many.write() as session:
        accept_all(session, [], by=office(BUREAU), now=DAY)
    with pytest.raises(NotFound), many.write() as session:
        accept_all(session, ["tiny-2025:9.9:nobody:once"], by=office(BUREAU), now=DAY)


def test_half_year_reports_are_not_reviewed_in_bulk(many: Database) -> None:
    with many.trial() as session:
        session.execute(text("UPDATE requirement SET collects = 'report' WHERE code = '1.2'"))
        with pytest.raises(ActNotAllowed, match="须在专门的页面逐项审核"):
            accept_all(session, MORE, by=office(TOWN), now=DAY)


def test_what_is_reviewed_by_sample_is_not_accepted_unseen(many: Database) -> None:
    with many.trial() as session:
        session.execute(text("UPDATE requirement SET review = 'sampled' WHERE code = '1.2'"))
        with pytest.raises(ActNotAllowed, match="请先抽查"):
            accept_all(session, MORE, by=office(BUREAU), now=DAY)
        assert send_back_all(session, MORE, by=office(BUREAU), now=DAY, reason="缺表").done == tuple(MORE)


def test_somebody_acts_between_reading_and_writing(many: Database) -> None:
    """Of a bulk act that is overtaken nothing is done; the second try tells who was first."""
    with many.write() as session:
        seen = standings(session, MORE)
        withdraw(session, MORE[0], by=office(UNIT), now=DAY)
        with pytest.raises(ChangedMeanwhile), session.begin_nested():
            act_on_each(session, seen, Act.ACCEPT, by=office(TOWN), now=DAY)
    assert [state(many, key) for key in MORE] == [State.OPEN, State.SUBMITTED]
