"""代填: the sheets of a township, what a row knows already, and handing in what is whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from ledger import tally
from ledger.acts import standing
from ledger.database import Database, Session
from ledger.issuing import issue_due
from ledger.queries.evidence import Former
from ledger.queries.reading import Reading, open_plan
from ledger.queries.sheets import SheetLine, SheetRow, sheet_rows, sheets
from ledger.reviews import accept, send_back, waive
from ledger.sheets import Filled, fill
from ledger.submissions import submit
from policy_models.errors import ChangedMeanwhile, Faulty, NotFound
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.plan import EvidenceType
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

TOWN, VILLAGES = "900101", 4
UNITS = [village(1, number) for number in range(1, VILLAGES + 1)]
JANUARY = [item("1.2", unit, "2025-01") for unit in UNITS]
FEBRUARY = [item("1.2", unit, "2025-02") for unit in UNITS]
WINTER = [item("2.2", unit, "2025-winter") for unit in UNITS]
NOW = instant("2025-02-20")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    def change(files: Files) -> None:
        requirement_of(files, "1.2")["nothing_new"] = True
        requirement_of(files, "1.2")["evidence"] = [
            {"type": "measure", "name": "met", "label": "已联系", "of": "all", "of_label": "应联系"}
        ]
        requirement_of(files, "2.2")["evidence"] = [
            {"type": "measure", "name": "seen", "label": "已走访"},
            {"type": "photo", "label": "走访照片", "min": 1},
        ]

    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), change, villages=VILLAGES), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 2, 20), now=instant("2025-01-02"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def met(value: int, of: int, name: str = "met") -> list[Evidence]:
    return [Evidence(EvidenceType.MEASURE, name, Decimal(value), Decimal(of))]


def seen(value: int) -> list[Evidence]:
    return [Evidence(EvidenceType.MEASURE, "seen", Decimal(value))]


def reading_of(session: Session) -> Reading:
    found = open_plan(session, CODE, as_of=None, now=NOW)
    assert found is not None
    return found


def rows(session: Session, requirement: str = "1.2", period: str = "2025-02", unit: str = TOWN) -> list[SheetRow]:
    return list(sheet_rows(session, reading_of(session), unit, requirement, period))


def test_the_list_of_sheets(database: Database) -> None:
    with database.write() as session:
        submit(session, JANUARY[0], by=office(UNITS[0]), evidence=met(1, 2), now=NOW)
        send_back(session, JANUARY[0], by=office(TOWN), now=NOW, reason="缺表")
        submit(session, JANUARY[1], by=office(UNITS[1]), evidence=met(1, 2), now=NOW)
        waive(session, JANUARY[2], by=office(BUREAU), now=NOW, reason="整村搬迁")
        found = sheets(session, reading_of(session), TOWN)
        assert sheets(session, reading_of(session), "900201")[0].villages == VILLAGES
        assert sheets(session, reading_of(session), UNITS[0]) == ()
    assert found[0] == SheetLine("1.2", "事项1.2", "task-1", "2025-01", date(2025, 1, 31), 3, 1, 1)
    assert [(line.requirement, line.period, line.left) for line in found[1:]] == [
        ("1.2", "2025-02", 4),
        ("2.2", "2025-winter", 4),
    ]


def test_a_row_knows_what_the_ledger_knows(database: Database) -> None:
    with database.write() as session:
        for key, of in ((JANUARY[0], 7), (JANUARY[1], 9)):
            submit(session, key, by=office(TOWN), evidence=met(5, of), now=NOW)
        accept(session, JANUARY[0], by=office(TOWN), now=NOW)
        submit(session, FEBRUARY[3], by=office(UNITS[3]), evidence=met(2, 3), now=NOW)
        waive(session, FEBRUARY[2], by=office(BUREAU), now=NOW, reason="整村搬迁")
        found = rows(session)
    assert [row.unit for row in found] == [UNITS[0], UNITS[1], UNITS[3]]
    assert found[0].former == {"met": Former(Decimal(7), "2025-01")}
    assert found[1].former == {}  # handed in, not accepted yet
    assert [(row.open, row.filled, row.state) for row in found[1:]] == [
        (True, False, State.OPEN),
        (False, True, State.SUBMITTED),
    ]
    assert found[2].handed.measures[0].of == Decimal(3)


def test_handed_in_together(database: Database) -> None:
    given = [(key, met(number, 5), "统一核对") for number, key in enumerate(FEBRUARY)]
    with database.write() as session:
        assert fill(session, given, by=office(TOWN), now=NOW) == Filled(VILLAGES, ())
        told = query(session, "SELECT by_unit, note, count(*) FROM entry WHERE act = 'submit' GROUP BY by_unit, note")
        assert told == [(TOWN, "统一核对", VILLAGES)]
        assert [row.handed.measures[0].value for row in rows(session)] == [0, 1, 2, 3]
        assert tally.recount(session, CODE) == []


def test_what_lacks_photos_is_kept_as_a_draft(database: Database) -> None:
    with database.write() as session:
        photo(session, WINTER[0])
        given = [(key, seen(number), None) for number, key in enumerate(WINTER[:3])]
        assert fill(session, given, by=office(TOWN), now=NOW) == Filled(1, ("1县2村", "1县3村"))
        found = rows(session, "2.2", "2025-winter")
        assert [(row.state, len(row.draft), row.files) for row in found] == [
            (State.SUBMITTED, 0, {}),
            (State.OPEN, 1, {}),
            (State.OPEN, 1, {}),
            (State.OPEN, 0, {}),
        ]
        assert query(session, "SELECT count(*) FROM evidence WHERE file_id IS NOT NULL") == [(1,)]
        fill(session, [(WINTER[1], seen(9), None)], by=office(TOWN), now=NOW)  # twice is once, the newer stays
        assert [piece.value for piece in rows(session, "2.2", "2025-winter")[1].draft] == [Decimal(9)]
        photo(session, WINTER[1])
        assert fill(session, [(WINTER[1], seen(9), None)], by=office(TOWN), now=NOW) == Filled(1, ())
        assert query(session, "SELECT count(*) FROM draft_evidence") == [(1,)]


def photo(session: Session, key: str) -> None:
    """A photo in the draft, as an upload leaves it."""
    digest = f"{standing(session, key).id:064d}"
    session.exec_driver_sql(
        "INSERT INTO file (sha256, kept, kind, size, by_unit, kept_at)"
        f" VALUES ('{digest}', '{digest}', 'jpg', 1, '{TOWN}', '2025-02-19 00:00:00+00:00')"
    )
    session.exec_driver_sql(
        "INSERT INTO draft_evidence (item_id, type, file_id, file_name, added_at, added_by)"
        f" SELECT work_item.id, 'photo', file.id, '走访.jpg', '2025-02-19 00:00:00+00:00', '镇' FROM work_item, file"
        f" WHERE key = '{key}' AND file.sha256 = '{digest}'"
    )


def test_nothing_new_needs_no_photo(database: Database) -> None:
    with database.write() as session:
        answer = [Evidence(EvidenceType.NOTHING_NEW, text="本月无在册儿童")]
        assert fill(session, [(FEBRUARY[0], answer, None)], by=office(TOWN), now=NOW) == Filled(1, ())
        assert rows(session)[0].handed.nothing_new == "本月无在册儿童"


def test_one_wrong_row_and_nothing_is_taken(database: Database) -> None:
    with database.write() as session:
        submit(session, FEBRUARY[3], by=office(UNITS[3]), evidence=met(2, 3), now=NOW)
    given = [
        (FEBRUARY[0], met(1, 2), None),
        (FEBRUARY[1], met(3, 2), None),
        (FEBRUARY[2], [*met(1, 2), Evidence(EvidenceType.TEXT, text="电话13847212345")], None),
        (FEBRUARY[3], met(1, 2), None),
        (item("1.2", village(2, 1), "2025-02"), met(1, 2), None),
    ]
    with pytest.raises(Faulty) as caught, database.write() as session:
        fill(session, given, by=office(TOWN), now=NOW)
    told = {fault.file: fault.message for fault in caught.value.faults}
    assert told[FEBRUARY[1]] == "还缺：已联系（须在 0 与应联系之间）"
    assert told[FEBRUARY[3]] == "现为“待审核”，不能填报"
    assert told[item("1.2", village(2, 1), "2025-02")] == "这一办理件由其他单位报送，您的单位不能代办"
    assert FEBRUARY[0] not in told
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM draft_evidence") == [(0,)]
        assert [standing(session, key).state for key in FEBRUARY[:3]] == [State.OPEN] * 3


def test_a_row_that_somebody_else_filled_in_meanwhile(database: Database) -> None:
    with database.write() as session:
        submit(session, FEBRUARY[0], by=office(UNITS[0]), evidence=met(2, 3), now=NOW)
        send_back(session, FEBRUARY[0], by=office(TOWN), now=NOW, reason="缺表")
    given = [(key, met(1, 2), None) for key in FEBRUARY[:2]]
    with pytest.raises(ChangedMeanwhile, match=r"^1县1村的办理件刚刚有了变化"), database.write() as session:
        fill(session, given, by=office(TOWN), now=NOW, seen=dict.fromkeys(FEBRUARY, 1))
    with pytest.raises(NotFound), database.write() as session:
        fill(session, [("tiny-2025:1.2:nobody:2025-02", met(1, 2), None)], by=office(TOWN), now=NOW)


def test_statements_do_not_grow_with_the_villages(database: Database) -> None:
    def sent(keys: list[str]) -> int:
        with database.trial() as session, statements(database) as found:
            fill(session, [(key, met(1, 2), None) for key in keys], by=office(TOWN), now=NOW)
            rows(session)
        return len(found)

    assert sent(FEBRUARY[:1]) == sent(FEBRUARY)
