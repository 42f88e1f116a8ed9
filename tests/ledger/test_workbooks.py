"""What a unit may fill in on sheets, what is known beforehand, and rows taken over all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger import workbooks
from ledger.acts import standing
from ledger.database import Database, Session
from ledger.issuing import issue_due
from ledger.queries.reading import Reading, open_plan
from ledger.queries.workbooks import expected, offered, waiting
from ledger.reviews import accept, send_back
from ledger.submissions import submit
from ledger.tally import recount
from policy_models.errors import Faulty, NotFound
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.plan import EvidenceType
from policy_models.workbook_check import Filled
from tests.factories import (
    CODE,
    Files,
    instant,
    item,
    load,
    office,
    opened,
    query,
    requirement_of,
    rewound,
    statements,
    tiny_pack,
    village,
)
from tests.workbooks import CONTACTS, TOWNSHIP, VISITS, sheets_plan

NOW = instant("2025-02-15")
FIRST, SECOND = village(1, 1), village(1, 2)
JANUARY, WINTER = item("1.2", FIRST, "2025-01"), item("2.2", FIRST, "2025-winter")


def plan_with_report(files: Files) -> None:
    sheets_plan(files)
    report = requirement_of(files, "2.1")
    report["recurrence"], report["collects"] = {"every": "half_year"}, "report"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with opened(database_url) as found:
        load(found, tiny_pack(tmp_path, plan_with_report))
        with found.write() as session:
            issue_due(session, CODE, as_of=NOW.date(), now=NOW)
        yield found


def reading(session: Session) -> Reading:
    found = open_plan(session, CODE, as_of=None, now=NOW)
    assert found is not None
    return found


def contacts(value: int = 28, of: int = 30) -> list[Evidence]:
    return [
        Evidence(EvidenceType.MEASURE, "contacted", Decimal(value), Decimal(of)),
        Evidence(EvidenceType.MEASURE, "talks", Decimal(5)),
        Evidence(EvidenceType.TEXT, text="逐户联系"),
    ]


def visits(value: int = 8, of: int = 9) -> list[Evidence]:
    return [Evidence(EvidenceType.MEASURE, "visited", Decimal(value), Decimal(of))]


def filled(session: Session, key: str, evidence: Sequence[Evidence], note: str | None = None) -> Filled:
    wanted = reading(session).requirement(key.split(":")[1])
    assert wanted is not None
    return Filled(key, wanted, tuple(evidence), note, "表", 4, 3)


def take(database: Database, *rows: tuple[str, Sequence[Evidence], str | None], by: str = TOWNSHIP) -> workbooks.Taken:
    with database.write() as session:
        return workbooks.take(session, [filled(session, *row) for row in rows], by=office(by), now=NOW)


def state(database: Database, key: str) -> State:
    with database.read() as session:
        return standing(session, key).state


def test_a_township_fills_in_for_its_villages_and_a_village_for_itself(database: Database) -> None:
    with database.read() as session:
        book = offered(session, reading(session), TOWNSHIP)
        own = offered(session, reading(session), FIRST)
        other = offered(session, reading(session), "900201")
        county = offered(session, reading(session), "9001")
    assert [(sheet.name, len(sheet.rows)) for sheet in book.sheets] == [(CONTACTS, 4), (VISITS, 2)]
    assert [(row.values["unit"], row.values["period"]) for row in book.sheets[0].rows] == [
        ("1县1村", "2025年1月"),
        ("1县2村", "2025年1月"),
        ("1县1村", "2025年2月"),
        ("1县2村", "2025年2月"),
    ]
    assert [row.values["key"] for sheet in own.sheets for row in sheet.rows] == [
        JANUARY,
        item("1.2", FIRST, "2025-02"),
        WINTER,
    ]
    assert {row.values["unit"] for sheet in other.sheets for row in sheet.rows} == {"2县1村", "2县2村"}
    assert county.sheets == ()  # the department is the townships' superior, not the county itself


def test_files_are_named_and_what_has_a_page_of_its_own_stays_outside(database: Database) -> None:
    with database.read() as session:
        book = offered(session, reading(session), TOWNSHIP)
        department = offered(session, reading(session), "9001-mz")
    assert [sheet.files for sheet in book.sheets] == [(), ("走访照片 1 份",)]
    assert [sheet.requirement for sheet in department.sheets] == ["P1.1"]
    assert department.elsewhere == ("2.1 事项2.1",)


def test_one_requirement_and_one_period(database: Database) -> None:
    with database.read() as session:
        book = offered(session, reading(session), TOWNSHIP, code="1.2", period="2025-01")
    assert [(sheet.requirement, len(sheet.rows)) for sheet in book.sheets] == [("1.2", 2)]


def test_a_figure_that_is_known_is_not_asked_again(database: Database) -> None:
    with database.write() as session:
        submit(session, JANUARY, by=office(FIRST), evidence=contacts(of=31), now=NOW)
        before = offered(session, reading(session), TOWNSHIP, code="1.2", period="2025-02")
    first, second = before.sheets[0].rows
    assert (first.values.get("of:should:应联系数"), first.values.get("value:contacted")) == (Decimal(31), None)
    assert second.values.get("of:should:应联系数") is None
    assert first.values["digest"] != second.values["digest"]


def test_what_was_sent_back_is_filled_in_again_with_the_reason(database: Database) -> None:
    with database.write() as session:
        submit(session, JANUARY, by=office(FIRST), evidence=contacts(), now=NOW)
        send_back(session, JANUARY, by=office(TOWNSHIP), now=NOW, reason="与上期不一致")
        row = offered(session, reading(session), FIRST, code="1.2", period="2025-01").sheets[0].rows[0]
    assert row.values["standing"] == "已退回：与上期不一致"
    assert [row.values[name] for name in ("value:contacted", "of:should:应联系数", "value:talks", "text:0")] == [
        Decimal(28),
        Decimal(30),
        Decimal(5),
        "逐户联系",
    ]


def test_keys_that_come_back(database: Database) -> None:
    foreign, report = item("1.2", village(2, 1), "2025-01"), item("2.1", "9001-mz", "2025-H1")
    coming = item("1.2", FIRST, "2025-12")
    with database.write() as session:
        submit(session, JANUARY, by=office(FIRST), evidence=contacts(), now=NOW)
        found, why_not = expected(session, reading(session), TOWNSHIP, [JANUARY, WINTER, foreign, coming, "x:y:z:1"])
        _, of_department = expected(session, reading(session), "9001-mz", [report])
    assert {key: one.refused for key, one in found.items()} == {
        JANUARY: "已经报送，正待审核；要改请先在办理件页面撤回",
        WINTER: "",
        coming: "尚未启动，启动后再报送",
    }
    assert found[WINTER].unit_name == "1县1村"
    assert why_not == {foreign: "这一办理件由其他单位报送，您的单位不能代办"}
    assert of_department == {report: "“事项2.1”不在表格中填写，请在系统页面办理"}


def test_rows_are_handed_in_and_what_lacks_files_is_kept(database: Database) -> None:
    taken = take(database, (JANUARY, contacts(), "补报"), (WINTER, visits(), "照片后补"))
    assert taken == workbooks.Taken(submitted=1, kept=1, notes_lost=1)
    assert (state(database, JANUARY), state(database, WINTER)) == (State.SUBMITTED, State.OPEN)
    with database.read() as session:
        [left] = waiting(session, reading(session), TOWNSHIP)
        assert (left.key, left.unit_name, left.lacks) == (WINTER, "1县1村", "走访照片1份")
        row = offered(session, reading(session), FIRST, code="2.2").sheets[0].rows[0]
        assert (row.values["value:visited"], row.values["of:should_visit:应走访数"]) == (Decimal(8), Decimal(9))
        assert recount(session, CODE) == []
        handed = query(session, 'SELECT name, value, "of", text FROM evidence ORDER BY id')
    assert [(name, value and int(value), of and int(of), text) for name, value, of, text in handed] == [
        ("contacted", 28, 30, None),
        ("talks", 5, None, None),
        (None, None, None, "逐户联系"),
    ]


def with_photo(database: Database, key: str) -> None:
    with database.write() as session:
        query_one = (
            "INSERT INTO file (sha256, kept, kind, size, by_unit, kept_at) VALUES ('a', 'a', 'jpg', 1, 'x', :at)"
        )
        session.execute(text(query_one), {"at": "2025-02-01 00:00:00"})
        session.execute(
            text(
                "INSERT INTO draft_evidence (item_id, type, file_id, file_name, added_at, added_by)"
                " SELECT i.id, 'photo', f.id, '走访.jpg', :at, 'x' FROM work_item i, file f WHERE i.key = :key"
            ),
            {"key": key, "at": "2025-02-01 00:00:00"},
        )


def test_a_draft_that_has_its_files_already_is_handed_in_with_them(database: Database) -> None:
    with_photo(database, WINTER)
    assert take(database, (WINTER, visits(), None)).submitted == 1
    with database.read() as session:
        assert query(session, "SELECT type, file_name FROM evidence ORDER BY id") == [
            ("measure", None),
            ("photo", "走访.jpg"),
        ]
        assert query(session, "SELECT count(*) FROM draft_evidence") == [(0,)]


def test_a_second_upload_replaces_the_figures_and_leaves_the_files(database: Database) -> None:
    take(database, (WINTER, visits(7), None))
    take(database, (WINTER, visits(8), None))
    with database.read() as session:
        assert [int(value) for (value,) in query(session, "SELECT value FROM draft_evidence")] == [8]


def test_nothing_new(database: Database) -> None:
    answer = [Evidence(EvidenceType.NOTHING_NEW, text="本月全部外出")]
    assert take(database, (JANUARY, answer, None)) == workbooks.Taken(1, 0, 0)


@pytest.mark.parametrize("by", [village(1, 2), "900201", "9001-mz"])
def test_another_unit_takes_nothing(database: Database, by: str) -> None:
    with pytest.raises(Faulty):
        take(database, (JANUARY, contacts(), None), by=by)
    with pytest.raises(Faulty, match="您的单位不能代办"):
        take(database, (WINTER, visits(), None), by=by)
    assert state(database, JANUARY) is State.OPEN


def test_one_that_is_wrong_and_none_is_taken(database: Database) -> None:
    february = item("1.2", FIRST, "2025-02")
    with database.write() as session:
        submit(session, february, by=office(FIRST), evidence=contacts(), now=NOW)
    with pytest.raises(Faulty) as faulty:
        take(database, (JANUARY, contacts(), None), (february, contacts(), None), (WINTER, visits(), None))
    assert [fault.file for fault in faulty.value.faults] == [february]
    assert state(database, JANUARY) is State.OPEN
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM draft_evidence") == [(0,)]


def test_a_draft_is_not_kept_for_what_was_accepted_meanwhile(database: Database) -> None:
    with_photo(database, WINTER)
    take(database, (WINTER, visits(), None))
    with database.write() as session:
        accept(session, WINTER, by=office(TOWNSHIP), now=NOW)
    with pytest.raises(Faulty, match="“已通过”的办理件不能报送"):
        take(database, (WINTER, visits(), None))


def test_personal_words_are_stopped_here_too(database: Database) -> None:
    with pytest.raises(Faulty, match="“备注”中有"):
        take(database, (WINTER, visits(), "联系人证号11010519491231002X"))
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM draft_evidence") == [(0,)]


def test_an_unknown_key(database: Database) -> None:
    with database.write() as session:
        row = replace(filled(session, JANUARY, contacts()), key="tiny-2025:1.2:nobody:2025-01")
        with pytest.raises(NotFound):
            workbooks.take(session, [row], by=office(TOWNSHIP), now=NOW)


def test_the_same_number_of_statements_for_many_villages(database_url: str, tmp_path: Path) -> None:
    taking = []
    reads = []
    with opened(database_url) as found:
        load(found, tiny_pack(tmp_path, sheets_plan, villages=60))
        with found.write() as session:
            issue_due(session, CODE, as_of=NOW.date(), now=NOW)
        for size in (1, 60):
            keys = [item("1.2", village(1, n), "2025-01") for n in range(1, size + 1)]
            keys += [item("2.2", village(1, n), "2025-winter") for n in range(1, size + 1)]
            with rewound(found) as database, statements(found) as sent, database.write() as session:
                now = reading(session)
                rows = [filled(session, key, contacts() if ":1.2:" in key else visits(), None) for key in keys]
                sent.clear()
                offered(session, now, TOWNSHIP)
                expected(session, now, TOWNSHIP, keys)
                waiting(session, now, TOWNSHIP)
                reads.append(len(sent))
                sent.clear()
                workbooks.take(session, rows, by=office(TOWNSHIP), now=NOW)
                taking.append(len(sent))
    assert reads[0] == reads[1] == 6
    assert taking[0] == taking[1]


def test_date_of_the_book(database: Database) -> None:
    with database.read() as session:
        assert offered(session, reading(session), TOWNSHIP).as_of == date(2025, 2, 15)
