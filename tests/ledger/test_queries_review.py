"""待审核: whose queue, in which order, what stands beside each; as many statements with one row as with many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from ledger.acts import standing
from ledger.database import Database, Session
from ledger.issuing import issue_due
from ledger.queries.reading import Reading, open_plan
from ledger.queries.review import (
    Group,
    Handed,
    Measured,
    Queue,
    QueueFilter,
    keys_in_order,
    last_acts,
    period_before,
    review_queue,
    waiting_count,
)
from ledger.reviews import accept, send_back
from ledger.submissions import submit
from policy_models.errors import NotFound
from policy_models.evidence import Evidence
from policy_models.lifecycle import Act
from policy_models.plan import EvidenceType, Level, Review
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    Files,
    fresh_database,
    full_evidence,
    instant,
    item,
    load,
    office,
    requirement_of,
    rewound,
    statements,
    tiny_pack,
    village,
)

TOWN = "900101"
JANUARY = [item("1.2", village(1, number), "2025-01") for number in (1, 2, 3)]
FEBRUARY = [item("1.2", village(1, number), "2025-02") for number in (1, 2, 3)]
WINTER = item("2.2", village(1, 1), "2025-winter")
QUARTER = item("2.1", "9001-mz", "2025Q1")
BUREAU_ITEM = item("1.1", BUREAU, "once")
NOW = instant("2025-03-10")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    def change(files: Files) -> None:
        requirement_of(files, "2.1")["review"] = "coordinator"
        requirement_of(files, "2.2")["review"] = "sampled"
        requirement_of(files, "1.2")["nothing_new"] = True
        requirement_of(files, "1.2")["evidence"] = [
            {"type": "measure", "name": "met", "label": "已联系", "of": "all", "of_label": "应联系"}
        ]

    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), change, villages=3), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 3, 10), now=instant("2025-01-02"))
            hand_in(session)
        yield database


def hand_in(session: Session) -> None:
    """In another order than that of keys and deadlines."""
    for day, key, pieces in (
        ("2025-02-03", FEBRUARY[2], met(3, 4)),
        ("2025-02-05", JANUARY[1], met(1, 2)),
        ("2025-02-04", JANUARY[0], [Evidence(EvidenceType.NOTHING_NEW, text="本月无在册儿童")]),
        ("2025-02-06", QUARTER, []),
        ("2025-02-07", WINTER, []),
        ("2025-02-08", BUREAU_ITEM, full_evidence()),
        ("2025-02-20", FEBRUARY[0], met(2, 2)),
    ):
        submit(session, key, by=office(key.split(":")[2]), evidence=pieces, now=instant(day), note="已核对")


def met(value: int, of: int) -> list[Evidence]:
    return [Evidence(EvidenceType.MEASURE, "met", Decimal(value), Decimal(of))]


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def reading_of(session: Session) -> Reading:
    found = open_plan(session, CODE, as_of=None, now=NOW)
    assert found is not None
    return found


def queue(database: Database, unit: str = TOWN, wanted: QueueFilter = QueueFilter(), **more: int) -> Queue:
    with database.read() as session:
        return review_queue(session, reading_of(session), unit, wanted, **more)


def test_the_oldest_group_first_and_the_oldest_in_it(database: Database) -> None:
    found = queue(database)
    assert [row.key for row in found.rows] == [FEBRUARY[2], FEBRUARY[0], JANUARY[0], JANUARY[1]]
    assert found.groups == (
        Group("1.2", "事项1.2", "task-1", Review.PARENT, "", "2025-02", 2, 2, instant("2025-02-03")),
        Group("1.2", "事项1.2", "task-1", Review.PARENT, "", "2025-01", 2, 2, instant("2025-02-04")),
    )
    assert (found.total, found.more) == (4, False)
    with database.read() as session:
        assert keys_in_order(session, reading_of(session), TOWN, QueueFilter()) == tuple(r.key for r in found.rows)
        assert waiting_count(session, reading_of(session), TOWN) == 4


def test_what_stands_beside_each(database: Database) -> None:
    rows = {row.key: row for row in queue(database).rows}
    row = rows[JANUARY[1]]
    assert (row.unit_name, row.level, row.superior, row.superior_name) == ("1县2村", Level.VILLAGE, TOWN, "1县镇")
    assert (row.submitted_at, row.by, row.note) == (instant("2025-02-05"), f"{village(1, 2)}经办人", "已核对")
    assert row.handed == Handed((Measured("met", Decimal(1), Decimal(2)),))
    assert (row.late, row.in_bulk, row.revision, row.returns) == (True, True, 2, 0)
    assert rows[JANUARY[0]].handed == Handed((), "本月无在册儿童")
    assert not rows[FEBRUARY[0]].late


def test_only_the_last_submission_counts(database: Database) -> None:
    with database.write() as session:
        send_back(session, JANUARY[1], by=office(TOWN), now=instant("2025-02-10"), reason="数字不符")
        submit(session, JANUARY[1], by=office(village(1, 2)), evidence=met(2, 2), now=instant("2025-02-12"))
        (row,) = [r for r in review_queue(session, reading_of(session), TOWN, QueueFilter()).rows if r.returns]
        acts = last_acts(session, [standing(session, key).id for key in (JANUARY[1], QUARTER)])
    assert row.handed == Handed((Measured("met", Decimal(2), Decimal(2)),))
    assert (row.submitted_at, row.note, row.returns) == (instant("2025-02-12"), None, 1)
    assert {act for act, _, _ in acts.values()} == {Act.SUBMIT}
    assert sorted(at for _, _, at in acts.values()) == [instant("2025-02-06"), instant("2025-02-12")]


def test_whose_queue(database: Database) -> None:
    assert [row.key for row in queue(database, BUREAU).rows] == [QUARTER, WINTER, BUREAU_ITEM]
    whole = queue(database, BUREAU, QueueFilter(whole=True))
    assert (whole.total, {row.key for row in whole.rows} >= {QUARTER, JANUARY[0]}) == (7, True)
    assert queue(database, "900201").rows == ()
    assert queue(database, village(1, 1)).rows == ()
    assert queue(database, TOWN, QueueFilter(whole=True)).total == 4


@pytest.mark.parametrize(
    ("unit", "wanted", "keys"),
    [
        (TOWN, QueueFilter(period="2025-01"), [JANUARY[0], JANUARY[1]]),
        (TOWN, QueueFilter(late=True), [JANUARY[0], JANUARY[1]]),
        (TOWN, QueueFilter(requirement="2.2"), []),
        (BUREAU, QueueFilter(requirement="1.2", period="2025-02", whole=True), [FEBRUARY[2], FEBRUARY[0]]),
        (BUREAU, QueueFilter(under="9001"), [QUARTER, WINTER]),
        (BUREAU, QueueFilter(under=TOWN), [WINTER]),
        (BUREAU, QueueFilter(under="9002"), []),
    ],
)
def test_narrowed(database: Database, unit: str, wanted: QueueFilter, keys: list[str]) -> None:
    found = queue(database, unit, wanted)
    assert [row.key for row in found.rows] == keys
    assert found.total == len(keys)


def test_pages(database: Database) -> None:
    first, second = queue(database, skip=0, limit=3), queue(database, skip=3, limit=3)
    assert ([len(one.rows) for one in (first, second)], first.more, second.more) == ([3, 1], True, False)
    assert [row.key for row in (*first.rows, *second.rows)] == [row.key for row in queue(database).rows]
    with pytest.raises(NotFound, match="没有这一页"):
        queue(database, skip=4)


def test_as_many_statements_with_one_row_as_with_many(database: Database) -> None:
    def sent(wanted: QueueFilter) -> list[str]:
        with database.read() as session, statements(database) as found:
            review_queue(session, reading_of(session), BUREAU, wanted)
        return [statement[:40] for statement in found if not statement.startswith("BEGIN")]

    assert sent(QueueFilter(requirement="1.1")) == sent(QueueFilter(whole=True))


def test_the_period_before(database: Database) -> None:
    with database.write() as session:
        reading, unit = reading_of(session), village(1, 2)
        assert period_before(session, reading, "1.2", unit, date(2025, 1, 31)) is None
        found = period_before(session, reading, "1.2", unit, date(2025, 2, 28))
        assert found is not None
        assert (found.key, found.period, found.handed.measures[0].value) == (JANUARY[1], "2025-01", Decimal(1))
        accept(session, JANUARY[1], by=office(TOWN), now=NOW)
        assert period_before(session, reading, "1.2", unit, date(2025, 2, 28)) == found
        assert period_before(session, reading, "1.2", village(1, 3), date(2025, 2, 28)) is None
