"""Measures summed by area: exact, only what was accepted, at any past instant, and the counties sum up to the city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from ledger import plans, reviews, submissions
from ledger.database import Database
from ledger.queries.figures import figures
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType
from policy_models.reports import AreaFigure
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    fresh_database,
    full_evidence,
    instant,
    item,
    load,
    office,
    rewound,
    statements,
    tiny_pack,
    village,
)
from tests.reporting import opened, visit, with_reports

HALF = {"first": date(2025, 1, 1), "last": date(2025, 6, 30)}
V11, V12, V21 = village(1, 1), village(1, 2), village(2, 1)


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), with_reports), instant("2025-01-01"))
        opened(database, "2025-07-05")
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def found(database: Database, day: str, hour: int = 23, **span: date) -> dict[tuple[str, str], AreaFigure]:
    """By measure and area."""
    with database.read() as session:
        plan_id = plans.plan_summary(session, CODE).id
        given = figures(session, plan_id, until=instant(day, hour), **(span or HALF))
    areas = {(one.name, one.county or one.unit): one for one in given}
    assert len(areas) == len(given)
    return areas


def test_what_was_accepted_by_area(database: Database) -> None:
    visit(database, V11, "2025-01", "2025-07-05", "3", "0.1")
    visit(database, V12, "2025-01", "2025-07-05", "4", "0.2")
    visit(database, V21, "2025-06", "2025-07-05", "5", "99.9999")
    visit(database, V21, "2025-05", "2025-07-05", "1000", "1", accepted=False)
    told = found(database, "2025-07-05")
    assert told["visits", "9001"] == AreaFigure("1.2", "visits", "9001", "", Decimal(7), None, 2, 12)
    assert told["visits", "9002"] == AreaFigure("1.2", "visits", "9002", "", Decimal(5), None, 1, 12)
    assert told["reached", "9001"] == AreaFigure("1.2", "reached", "9001", "", Decimal("0.3"), Decimal(200), 2, 12)
    assert told["reached", "9002"].value == Decimal("99.9999")
    assert told["done", BUREAU] == AreaFigure("1.1", "done", "", BUREAU, Decimal(0), Decimal(0), 0, 1)


def test_a_city_unit_is_an_area_of_its_own(database: Database) -> None:
    key = item("1.1", BUREAU, "once")
    with database.write() as session:
        submissions.submit(session, key, by=office(BUREAU), evidence=full_evidence(), now=instant("2025-07-05", 9))
        reviews.accept(session, key, by=office(BUREAU), now=instant("2025-07-05", 10))
    told = found(database, "2025-07-05")["done", BUREAU]
    assert (told.county, told.unit, told.value, told.of) == ("", BUREAU, Decimal("3.5"), Decimal(4))


def test_any_past_instant(database: Database) -> None:
    visit(database, V11, "2025-01", "2025-07-05", "3", "1")  # handed in at 9, accepted at 10
    key = item("1.2", V12, "2025-01")
    pieces = [
        Evidence(EvidenceType.MEASURE, "visits", Decimal(8)),
        Evidence(EvidenceType.MEASURE, "reached", Decimal(1), Decimal(1)),
    ]
    with database.write() as session:
        submissions.submit(session, key, by=office(V12), evidence=pieces, now=instant("2025-07-06", 9))
        reviews.send_back(session, key, by=office("900101"), now=instant("2025-07-06", 10), reason="请核对")
    visit(database, V12, "2025-01", "2025-07-07", "6", "1")
    at = {
        ("2025-07-05", 10): 0,
        ("2025-07-05", 11): 3,
        ("2025-07-06", 23): 3,
        ("2025-07-07", 10): 3,
        ("2025-07-07", 11): 9,
    }
    assert {moment: found(database, *moment)["visits", "9001"].value for moment in at} == at


def test_only_deadlines_in_the_span_and_nothing_waived(database: Database) -> None:
    visit(database, V11, "2025-01", "2025-07-05", "3", "1")
    with database.write() as session:
        reviews.waive(session, item("1.2", V12, "2025-02"), by=office(BUREAU), now=instant("2025-07-05"), reason="搬迁")
    assert found(database, "2025-07-05")["visits", "9001"].due == 11
    january = found(database, "2025-07-05", first=date(2025, 1, 1), last=date(2025, 1, 31))
    assert (january["visits", "9001"].value, january["visits", "9001"].due) == (Decimal(3), 2)
    assert found(database, "2025-07-05", first=date(2025, 2, 1), last=date(2025, 2, 28))["visits", "9001"].value == 0


def test_large_and_small_numbers_add_up_exactly(database: Database) -> None:
    given = ["99999999999.9999", "0.0001", "0.1", "0.2", "12345678901.2345"]
    for month, value in enumerate(given, 1):
        visit(database, V11, f"2025-0{month}", "2025-07-05", value, "1")
    assert found(database, "2025-07-05")["visits", "9001"].value == sum(map(Decimal, given))


def test_the_number_of_statements_does_not_grow(database: Database) -> None:
    with statements(database) as few:
        found(database, "2025-07-05")
    for unit in (V11, V12, V21):
        visit(database, unit, "2025-01", "2025-07-05", "3", "1")
    with statements(database) as many:
        found(database, "2025-07-05")
    assert [one for one in few if not one.startswith("BEGIN")] == many
    assert len(many) == 4
