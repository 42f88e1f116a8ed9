"""优秀案例: drafts, handing in, the work item that follows, consent and privacy gates, the past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger import exemplar_items, exemplars, reviews, shortlisting
from ledger.acts import standing
from ledger.database import Database
from ledger.exemplar_rows import exemplar_row
from ledger.queries.exemplars import exemplars_at
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Faulty,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.exemplars import Content, ExemplarState
from policy_models.lifecycle import State
from tests.exemplar_site import (
    ASKED,
    CITY_ASKED,
    DAY,
    FIRST,
    LONG,
    ROUND,
    SECOND,
    draft,
    given,
    hand_in,
    load_collecting,
    plan_id,
    publish,
    states,
)
from tests.factories import BUREAU, KINDS, fresh_database, instant, office, query, rewound, village

RESIDENT = "身份证110101199003070134"
TITLES = ("text", None, None, "优秀案例：《牵手成长》（全文见“案例”栏目）")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load_collecting(database, tmp_path_factory.mktemp("pack"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def test_a_draft_is_begun_once(database: Database) -> None:
    with database.write() as session:
        new = exemplars.create(session, plan_id(session), ROUND, " 牵手 ", by=office(FIRST), now=DAY)
        assert exemplars.create(session, plan_id(session), ROUND, "牵手", by=office(FIRST), now=DAY) == new
        other = exemplars.create(session, plan_id(session), ROUND, "牵手", by=office(SECOND), now=DAY)
        one = exemplar_row(session, new)
        exemplars.save(session, new, LONG, version=1, by=office(FIRST), now=DAY)
        exemplars.save(session, new, replace(LONG, title="牵手"), version=2, by=office(FIRST), now=DAY)
        with pytest.raises(ActNotAllowed, match=r"^本单位这一期已有同题案例"):
            exemplars.create(session, plan_id(session), ROUND, "牵手", by=office(FIRST), now=DAY)
    assert other != new
    assert (one.content, one.state, one.version, one.unit_name) == (
        Content("牵手"),
        ExemplarState.DRAFT,
        1,
        "1县民政局",
    )


def test_only_units_that_are_asked_write(database: Database) -> None:
    with pytest.raises(NotResponsible, match=r"^方案没有要求您的单位在这一期报送优秀案例"), database.write() as session:
        exemplars.create(session, plan_id(session), ROUND, "题目", by=office(village(1, 1)), now=DAY)
    with pytest.raises(NotResponsible), database.write() as session:
        exemplars.create(session, plan_id(session), "2031-H1", "题目", by=office(FIRST), now=DAY)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Content(" "), "请填写题目"),
        (Content("题" * 61), "题目不超过 60 字，现为 61 字"),
        (Content("题", practice="字" * 20_001), "不超过 20000 字"),
    ],
)
def test_what_is_too_long_is_not_kept(database: Database, content: Content, words: str) -> None:
    with database.write() as session:
        new, version = draft(session)
    with pytest.raises(Faulty, match=words), database.write() as session:
        exemplars.save(session, new, content, version=version, by=office(FIRST), now=DAY)
    with database.read() as session:
        assert exemplar_row(session, new).content == LONG


def test_two_writers_of_one_draft(database: Database) -> None:
    with database.write() as session:
        new, version = draft(session)
        assert (
            exemplars.save(session, new, replace(LONG, insight="甲"), version=version, by=office(FIRST), now=DAY) == 3
        )
        assert (
            exemplars.save(session, new, replace(LONG, insight="甲"), version=version, by=office(FIRST), now=DAY) == 3
        )
    with pytest.raises(ChangedMeanwhile), database.write() as session:
        exemplars.save(session, new, replace(LONG, insight="乙"), version=version, by=office(FIRST), now=DAY)
    with pytest.raises(NotResponsible, match=r"^这篇案例由其他单位撰写"), database.write() as session:
        exemplars.save(session, new, LONG, version=3, by=office(SECOND), now=DAY)
    with database.read() as session:
        assert exemplar_row(session, new).content.insight == "甲"


def test_a_title_cannot_be_taken_twice(database: Database) -> None:
    with database.write() as session:
        draft(session, replace(LONG, title="甲"))
        new, version = draft(session, replace(LONG, title="乙"))
        with pytest.raises(ActNotAllowed, match=r"^本单位这一期已有同题案例"):
            exemplars.save(session, new, replace(LONG, title="甲"), version=version, by=office(FIRST), now=DAY)
        assert exemplar_row(session, new).content.title == "乙"  # and the transaction can go on


def test_the_first_exemplar_hands_in_the_work_item(database: Database) -> None:
    with database.write() as session:
        hand_in(session)
        assert states(session) == ["issue", "submit"]
        assert given(session) == [("measure", "exemplars_sent", 1, None), TITLES]
        assert standing(session, ASKED).first_submitted_on == instant("2025-06-20").date()
        assert (states(session, CITY_ASKED), standing(session, CITY_ASKED).state) == (["issue"], State.OPEN)


def test_a_second_exemplar_hands_it_in_anew(database: Database) -> None:
    later = instant("2025-07-20")  # after the deadline: on time is still judged by the first
    with database.write() as session:
        hand_in(session)
        hand_in(session, replace(LONG, title="结对帮扶"), now=later)
        assert states(session) == ["issue", "submit", "withdraw", "submit"]
        assert given(session)[0] == ("measure", "exemplars_sent", 2, None)
        assert given(session)[1][3] == "优秀案例：《牵手成长》；《结对帮扶》（全文见“案例”栏目）"
        assert standing(session, ASKED).first_submitted_on == instant("2025-06-20").date()


def test_once_accepted_the_work_item_stays(database: Database) -> None:
    with database.write() as session:
        hand_in(session)
        reviews.accept(session, ASKED, by=office(BUREAU), now=DAY)
        new, version = hand_in(session, replace(LONG, title="结对帮扶"))
        assert states(session) == ["issue", "submit", "accept"]
        exemplars.withdraw(session, new, version=version, by=office(FIRST), now=DAY)
        assert standing(session, ASKED).state is State.ACCEPTED


def test_the_last_withdrawn_takes_the_work_item_back(database: Database) -> None:
    with database.write() as session:
        one, version = hand_in(session)
        two, other = hand_in(session, replace(LONG, title="结对帮扶"))
        exemplars.withdraw(session, one, version=version, by=office(FIRST), now=DAY)
        assert given(session)[0] == ("measure", "exemplars_sent", 1, None)
        exemplars.withdraw(session, two, version=other, by=office(FIRST), now=DAY)
        assert standing(session, ASKED).state is State.OPEN
        exemplars.submit(session, one, version=version, by=office(FIRST), now=DAY)
        assert standing(session, ASKED).state is State.SUBMITTED


def test_sent_back_with_a_reason_and_handed_in_again(database: Database) -> None:
    with database.write() as session:
        one, version = hand_in(session)
        with pytest.raises(ReasonMissing, match=r"^退回须写明理由$"):
            shortlisting.send_back(session, one, reason=" ", version=version, by=office(BUREAU), now=DAY)
        shortlisting.send_back(session, one, reason="缺成效数据", version=version, by=office(BUREAU), now=DAY)
        found = exemplar_row(session, one)
        assert (found.state, found.reason, standing(session, ASKED).state) == (
            ExemplarState.RETURNED,
            "缺成效数据",
            State.RETURNED,
        )
        version = exemplars.save(session, one, replace(LONG, effect="成效"), version=version, by=office(FIRST), now=DAY)
        exemplars.submit(session, one, version=version, by=office(FIRST), now=DAY)
        assert (exemplar_row(session, one).state, standing(session, ASKED).state) == (
            ExemplarState.SUBMITTED,
            State.SUBMITTED,
        )


def test_handing_in_twice_is_once(database: Database) -> None:
    with database.write() as session:
        new, version = draft(session)
        for _ in range(2):
            exemplars.submit(session, new, version=version, by=office(FIRST), now=DAY)
        entries = query(session, "SELECT state FROM exemplar_entry WHERE exemplar_id = :id ORDER BY id", id=new)
        assert entries == [("draft",), ("submitted",)]
        assert states(session) == ["issue", "submit"]
    with pytest.raises(ActNotAllowed, match=r"^“已报送”的案例不能修改，可先撤回$"), database.write() as session:
        exemplars.save(session, new, replace(LONG, insight="改"), version=version + 1, by=office(FIRST), now=DAY)


def test_an_old_form_hands_in_nothing(database: Database) -> None:
    with database.write() as session:
        new, version = draft(session)
        exemplars.save(session, new, replace(LONG, insight="改"), version=version, by=office(FIRST), now=DAY)
    with pytest.raises(ChangedMeanwhile), database.write() as session:
        exemplars.submit(session, new, version=version, by=office(FIRST), now=DAY)


def test_every_part_must_be_there(database: Database) -> None:
    with database.write() as session:
        new, version = draft(session, replace(LONG, effect=" ", insight=""))
    with pytest.raises(EvidenceMissing, match=r"^还没有写：工作成效、经验启示$"), database.write() as session:
        exemplars.submit(session, new, version=version, by=office(FIRST), now=DAY)
    with database.read() as session:
        assert states(session) == ["issue"]


def test_consent_is_refused_until_all_three_are_declared(database: Database) -> None:
    told = replace(LONG, tells_of_child=True, child_consents=True)
    with database.write() as session:
        new, version = draft(session, told)
    with pytest.raises(EvidenceMissing, match=r"还缺：监护人同意、已作匿名处理$"), database.write() as session:
        exemplars.submit(session, new, version=version, by=office(FIRST), now=DAY)
    with pytest.raises(IntegrityError), database.write() as session:  # and the table itself refuses
        session.execute(text("UPDATE exemplar SET state = 'submitted' WHERE id = :id"), {"id": new})
    full = replace(told, guardian_consents=True, anonymised=True)
    with database.write() as session:
        version = exemplars.save(session, new, full, version=version, by=office(FIRST), now=DAY)
        exemplars.submit(session, new, version=version, by=office(FIRST), now=DAY)
        assert exemplar_row(session, new).state is ExemplarState.SUBMITTED


@pytest.mark.parametrize("part", ["title", "background", "practice", "effect", "insight"])
def test_personal_data_is_stopped_in_every_part(database: Database, part: str) -> None:
    with database.write() as session:
        new, version = draft(session)
    with pytest.raises(PrivacyBlocked) as refused, database.write() as session:
        exemplars.save(session, new, replace(LONG, **{part: RESIDENT}), version=version, by=office(FIRST), now=DAY)
    assert RESIDENT[3:] not in str(refused.value)
    with database.read() as session:
        assert exemplar_row(session, new).content == LONG


def test_not_begun_yet(database: Database) -> None:
    with database.write() as session:
        new = exemplars.create(session, plan_id(session), "2025-H2", "下半年", by=office(FIRST), now=DAY)
        version = exemplars.save(session, new, replace(LONG, title="下半年"), version=1, by=office(FIRST), now=DAY)
    with pytest.raises(ActNotAllowed, match=r"^本期优秀案例自2025年11月16日起报送"), database.write() as session:
        exemplars.submit(session, new, version=version, by=office(FIRST), now=DAY)


def test_nothing_this_time(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(ReasonMissing):
            exemplar_items.answer_nothing(
                session, plan_id(session), FIRST, ROUND, reason="\n", by=office(FIRST), now=DAY
            )
        exemplar_items.answer_nothing(
            session, plan_id(session), FIRST, ROUND, reason="试点中", by=office(FIRST), now=DAY
        )
        assert given(session) == [("nothing_new", None, None, "试点中")]
        with pytest.raises(ActNotAllowed, match=r"^本期已经答复过"):
            exemplar_items.answer_nothing(
                session, plan_id(session), FIRST, ROUND, reason="再答", by=office(FIRST), now=DAY
            )
        hand_in(session)  # and yet there is one
        assert states(session) == ["issue", "submit", "withdraw", "submit"]
        assert given(session)[0] == ("measure", "exemplars_sent", 1, None)
        with pytest.raises(ActNotAllowed, match=r"^本期已报送案例 1 篇"):
            exemplar_items.answer_nothing(
                session, plan_id(session), FIRST, ROUND, reason="没有", by=office(FIRST), now=DAY
            )


def test_the_past_is_told_as_it_was(database: Database) -> None:
    hours = [DAY + timedelta(hours=n) for n in range(6)]
    with database.write() as session:
        one, version = hand_in(session, now=hours[0])
        other, _ = hand_in(session, replace(LONG, title="结对"), SECOND, now=hours[1])
        exemplars.withdraw(session, one, version=version, by=office(FIRST), now=hours[2])
        changed = replace(LONG, effect="新成效")
        version = exemplars.save(session, one, changed, version=version, by=office(FIRST), now=hours[3])
        exemplars.submit(session, one, version=version, by=office(FIRST), now=hours[4])
        publish(session, one, version + 1, now=hours[5])

        def told(until: int, **more: frozenset[ExemplarState]) -> list[tuple[int, str, str]]:
            found = exemplars_at(session, plan_id(session), ROUND, until=DAY + timedelta(hours=until), **more)
            return [(row.id, row.state.value, row.content.effect[:3]) for row in found]

        assert told(0) == []
        assert told(1) == [(one, "submitted", "成效成")]
        assert told(2) == [(one, "submitted", "成效成"), (other, "submitted", "成效成")]
        assert told(4) == [(other, "submitted", "成效成")]
        assert told(4, states=frozenset({ExemplarState.WITHDRAWN})) == [(one, "withdrawn", "成效成")]
        assert told(5) == [(one, "submitted", "新成效"), (other, "submitted", "成效成")]
        assert told(6) == [(one, "published", "新成效"), (other, "submitted", "成效成")]
        assert exemplars_at(session, plan_id(session), "2025-H2", until=hours[5]) == ()


def test_entries_cannot_be_changed(database: Database) -> None:
    with database.write() as session:
        hand_in(session)
    for change in ("UPDATE exemplar_entry SET note = 'x'", "DELETE FROM exemplar_entry"):
        with pytest.raises(Exception, match=r"append-only|refuse"), database.write() as session:
            session.execute(text(change))


def test_an_unknown_exemplar(database: Database) -> None:
    with pytest.raises(NotFound, match=r"^没有这篇案例"), database.write() as session:
        exemplars.submit(session, 999_999, version=1, by=office(FIRST), now=DAY)
