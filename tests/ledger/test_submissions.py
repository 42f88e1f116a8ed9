"""Reporting: who may, with what evidence, first and again, and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from ledger.acts import Actor, standing
from ledger.database import Database
from ledger.entries import history
from ledger.issuing import issue_due
from ledger.queries import items as item_queries
from ledger.queries.reading import open_plan
from ledger.reviews import send_back
from ledger.submissions import submit, submit_all, withdraw
from ledger.tally import recount
from policy_models.errors import (
    ActNotAllowed,
    EvidenceMissing,
    Faulty,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
)
from policy_models.evidence import Evidence
from policy_models.lifecycle import Act, State
from policy_models.plan import EvidenceType
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    SCHOOLS,
    fresh_database,
    full_evidence,
    instant,
    item,
    load,
    office,
    query,
    rewound,
    statements,
    tiny_pack,
    village,
)

KEY = item("1.1", BUREAU, "once")
UNIT = village(1, 1)
VILLAGE_KEY = item("1.2", UNIT, "2025-01")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 31), now=instant("2025-01-02"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def report(database: Database, key: str = KEY, by: str = BUREAU, day: str = "2025-06-20", hour: int = 9) -> int:
    with database.write() as session:
        return submit(session, key, by=office(by), evidence=full_evidence(), now=instant(day, hour), note="已完成")


def test_a_report_with_its_evidence(database: Database) -> None:
    assert report(database) == 2
    with database.read() as session:
        found = standing(session, KEY)
        assert (found.state, found.revision, found.first_submitted_on) == (State.SUBMITTED, 2, date(2025, 6, 20))
        last = history(session, found.id)[-1]
        assert (last.act, last.by_unit, last.by_name, last.note) == (Act.SUBMIT, BUREAU, "9000-mz经办人", "已完成")
        assert last.at == instant("2025-06-20")
        rows = query(session, "SELECT revision, type, name, text FROM evidence ORDER BY id")
        assert rows == [
            (2, "measure", "done", None),
            (2, "photo", None, "照片1"),
            (2, "photo", None, "照片2"),
        ]


def test_figures_come_back_as_they_were_given(database: Database) -> None:
    report(database)
    with database.read() as session:
        reading = open_plan(session, CODE, as_of=None, now=instant("2025-06-20"))
        assert reading is not None
        handed_in = item_queries.item(session, reading, KEY).evidence
    assert handed_in == tuple(full_evidence())
    assert (handed_in[0].value, handed_in[0].of) == (Decimal("3.5"), Decimal(4))


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ([], "还缺：已办、照片2份"),
        (full_evidence()[:2], "还缺：照片1份"),
        ([Evidence(EvidenceType.MEASURE, "done", Decimal(5), Decimal(4)), *full_evidence()[1:]], "还缺：已办（须在"),
    ],
)
def test_missing_evidence_leaves_nothing(database: Database, evidence: list[Evidence], message: str) -> None:
    with pytest.raises(EvidenceMissing, match=rf"^{message}"), database.write() as session:
        submit(session, KEY, by=office(BUREAU), evidence=evidence, now=instant("2025-06-20"))
    with database.read() as session:
        assert (standing(session, KEY).state, query(session, "SELECT * FROM evidence")) == (State.OPEN, [])


def test_the_unit_itself_or_its_superior(database: Database) -> None:
    for stranger in (SCHOOLS, BUREAU, village(1, 2), ""):
        with pytest.raises(NotResponsible, match=r"^这一办理件由其他单位报送，您的单位不能代办$"):
            report(database, VILLAGE_KEY, stranger)
    assert report(database, VILLAGE_KEY, "900101", "2025-01-20") == 2
    with pytest.raises(ActNotAllowed, match=r"^“待审核”的办理件不能报送$"):
        report(database, VILLAGE_KEY, UNIT, "2025-01-21")


def test_an_unknown_item_and_one_not_yet_open(database: Database) -> None:
    with pytest.raises(NotFound, match=r"^没有编号为 nothing 的办理件$"):
        report(database, "nothing")
    with pytest.raises(ActNotAllowed, match=r"^“未启动”的办理件不能报送$"):
        report(database, item("1.2", UNIT, "2025-02"), UNIT)


def test_withdrawn_and_handed_in_again_on_time_is_judged_by_the_first(database: Database) -> None:
    report(database, VILLAGE_KEY, UNIT, "2025-01-31", 23)
    with database.write() as session:
        assert withdraw(session, VILLAGE_KEY, by=office(UNIT), now=instant("2025-02-01")) == 3
    with pytest.raises(ActNotAllowed, match=r"^“待报送”的办理件不能撤回$"), database.write() as session:
        withdraw(session, VILLAGE_KEY, by=office(UNIT), now=instant("2025-02-01"))
    report(database, VILLAGE_KEY, UNIT, "2025-02-03")
    with database.read() as session:
        assert standing(session, VILLAGE_KEY).first_submitted_on == date(2025, 1, 31)


def test_returned_and_handed_in_again(database: Database) -> None:
    report(database, VILLAGE_KEY, UNIT, "2025-01-20")
    with database.write() as session:
        send_back(session, VILLAGE_KEY, by=office("900101"), now=instant("2025-01-21"), reason="缺数字")
    assert report(database, VILLAGE_KEY, UNIT, "2025-01-22") == 4
    with database.read() as session:
        assert (standing(session, VILLAGE_KEY).returns, standing(session, VILLAGE_KEY).state) == (1, State.SUBMITTED)


def test_the_civil_date_is_that_of_shanghai(database: Database) -> None:
    """00:30 on 1 February in Shanghai is still January in UTC."""
    report(database, VILLAGE_KEY, UNIT, "2025-02-01", 0)
    with database.read() as session:
        assert standing(session, VILLAGE_KEY).first_submitted_on == date(2025, 2, 1)


def monthly(number: int, county: int = 1) -> str:
    return item("1.2", village(county, number), "2025-01")


def hand_in(
    database: Database, entries: list[tuple[str, list[Evidence], str | None]], by: str, day: str = "2025-01-20"
) -> int:
    with database.write() as session:
        return submit_all(session, entries, by=office(by), now=instant(day))


def test_a_letter_counts_by_the_day_it_came(database: Database) -> None:
    with database.write() as session:
        came = date(2025, 6, 28)
        submit(session, KEY, by=office(BUREAU), evidence=full_evidence(), now=instant("2025-07-02"), received_on=came)
        found = standing(session, KEY)
        assert found.first_submitted_on == came
        assert history(session, found.id)[-1].at == instant("2025-07-02")


def test_no_letter_comes_from_the_future(database: Database) -> None:
    with pytest.raises(ActNotAllowed, match="晚于今日"), database.write() as session:
        submit(
            session,
            KEY,
            by=office(BUREAU),
            evidence=full_evidence(),
            now=instant("2025-06-20"),
            received_on=date(2025, 6, 21),
        )


def test_what_is_taken_or_sent_back_lies_in_the_draft(database: Database) -> None:
    report(database)
    held = "SELECT type, name, value, text FROM draft_evidence ORDER BY id"
    former = [("measure", "done", 3.5, None), ("photo", None, None, "照片1"), ("photo", None, None, "照片2")]
    with database.write() as session:
        assert query(session, held) == []
        withdraw(session, KEY, by=office(BUREAU), now=instant("2025-06-21"))
        assert [(a, b, c and float(c), d) for a, b, c, d in query(session, held)] == former
    report(database, day="2025-06-22")
    with database.write() as session:
        send_back(session, KEY, by=office(BUREAU), now=instant("2025-06-23"), reason="缺签到表")
        assert [(a, b, c and float(c), d) for a, b, c, d in query(session, held)] == former


def test_many_at_once_each_with_its_evidence_and_note(database: Database) -> None:
    said = [Evidence(EvidenceType.TEXT, text="已走访")]
    township = "900101"
    assert hand_in(database, [(monthly(1), said, "一"), (monthly(2), [], None)], by=township) == 2
    with database.read() as session:
        first, second = standing(session, monthly(1)), standing(session, monthly(2))
        for one in (first, second):
            assert (one.state, one.revision, one.first_submitted_on) == (State.SUBMITTED, 2, date(2025, 1, 20))
        last = history(session, first.id)[-1]
        assert (last.by_unit, last.note) == (township, "一")
        assert history(session, second.id)[-1].note is None
        assert query(session, "SELECT item_id, revision, text FROM evidence") == [(first.id, 2, "已走访")]
        assert recount(session, CODE) == []


def test_many_at_once_cost_as_many_statements_as_two(loaded: Database, database: Database) -> None:
    def sent(entries: list[tuple[str, list[Evidence], str | None]], day: str) -> list[str]:
        with statements(loaded) as told:
            hand_in(database, entries, by="900101", day=day)
        return [one for one in told if one.startswith(("SELECT", "INSERT", "UPDATE"))]

    one = sent([(monthly(1), [Evidence(EvidenceType.TEXT, text="已走访")], "一")], "2025-01-20")
    with database.write() as session:
        withdraw(session, monthly(1), by=office("900101"), now=instant("2025-01-21"))
    many = [(monthly(n), [Evidence(EvidenceType.TEXT, text="已走访")], str(n)) for n in (1, 2)]
    assert len(sent(many, "2025-01-22")) == len(one) > 4


def test_all_or_nothing_and_every_fault_is_named(database: Database) -> None:
    hand_in(database, [(monthly(2), [], None)], by=village(1, 2))
    entries = [
        (monthly(1), [Evidence(EvidenceType.TEXT, text="身份证 150203201001011232")], None),
        (monthly(2), [], None),
        (monthly(1, county=2), [], None),
        (KEY, [], None),
    ]
    with pytest.raises(Faulty) as refused:
        hand_in(database, entries, by="900101")
    told = {fault.file: fault.message for fault in refused.value.faults}
    assert "公民身份号码" in told[monthly(1)]
    assert "150203201001011232" not in str(refused.value)
    assert told[monthly(2)] == "“待审核”的办理件不能报送"
    assert "不能代办" in told[monthly(1, county=2)]
    assert "不能代办" in told[KEY]
    with database.read() as session:
        assert standing(session, monthly(1)).state is State.OPEN


def test_missing_evidence_and_doubles_are_faults(database: Database) -> None:
    with pytest.raises(Faulty, match="还缺：已办、"):
        hand_in(database, [(KEY, [], None)], by=BUREAU)
    with pytest.raises(Faulty, match="多次"):
        hand_in(database, [(monthly(1), [], None), (monthly(1), [], None)], by="900101")
    with pytest.raises(NotFound, match="nowhere"):
        hand_in(database, [("nowhere", [], None)], by="900101")
    assert hand_in(database, [], by="900101") == 0


@pytest.mark.parametrize("field", ["text", "file_name", "note", "name"])
def test_nothing_personal_is_handed_in(database: Database, field: str) -> None:
    hidden = "监护人证件150203201001011232"
    piece = Evidence(EvidenceType.TEXT, **({field: hidden} if field in ("text", "file_name") else {"text": "好"}))
    by = Actor(UNIT, hidden) if field == "name" else office(UNIT)
    note = hidden if field == "note" else None
    with pytest.raises(PrivacyBlocked) as refused, database.write() as session:
        submit(session, VILLAGE_KEY, by=by, evidence=[piece], now=instant("2025-01-20"), note=note)
    assert "150203201001011232" not in str(refused.value)
