"""Units in the ledger: all or nothing, additions, changes, and what a change of tree means for the items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ledger import tally
from ledger.database import Database
from ledger.issuing import issue_due, schedule_items
from ledger.reviews import accept
from ledger.submissions import submit
from ledger.timetables import reconcile
from ledger.units import Closed, UnitsReport, all_units, close_unit, hand_over, save_units
from policy_models.errors import ActNotAllowed, NotFound, UnitsInvalid
from policy_models.plan import Level
from policy_models.units import Unit, parse_units
from tests.factories import (
    BUREAU,
    CODE,
    COUNTIES,
    KINDS,
    fresh_database,
    instant,
    item,
    load,
    office,
    query,
    rewound,
    tiny_pack,
    tiny_units,
    village,
)

NOW = instant("2025-01-01")
UNITS = parse_units(tiny_units())


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def save(database: Database, units: list[Unit], *, replace: bool = False) -> UnitsReport:
    with database.write() as session:
        return save_units(session, units, now=NOW, replace=replace)


def test_saved_and_read_back(database: Database) -> None:
    upside_down = list(UNITS.values())[::-1]
    assert save(database, upside_down) == UnitsReport(15, 0, 15)
    with database.read() as session:
        assert dict(all_units(session)) == dict(UNITS)
        rows = query(
            session, "SELECT code, county, superior FROM unit WHERE level IN ('village', 'city') ORDER BY code"
        )
    assert rows == [
        ("9000", "", "9000-mz"),
        ("9000-jy", "", "9000-mz"),
        ("9000-mz", "", "9000-mz"),
        *((village(n, v), COUNTIES[n - 1], f"{COUNTIES[n - 1]}01") for n in (1, 2) for v in (1, 2)),
    ]


def test_a_second_time_changes_nothing(database: Database) -> None:
    save(database, list(UNITS.values()))
    assert save(database, list(UNITS.values()), replace=True) == UnitsReport(0, 0, 15)


def test_known_units_change_only_when_asked(database: Database) -> None:
    save(database, list(UNITS.values()))
    renamed = replace(UNITS[village(1, 1)], name="新村")
    assert save(database, [renamed]) == UnitsReport(0, 0, 15)
    assert save(database, [renamed], replace=True) == UnitsReport(0, 1, 15)
    with database.read() as session:
        assert all_units(session)[village(1, 1)].name == "新村"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Unit("9003", "三县", Level.COUNTY, None, "9009"), "上级单位不存在：9009"),
        (Unit("9001", "1县", Level.COUNTY, None, village(1, 1)), "上下级关系成环"),
    ],
)
def test_all_or_nothing(database: Database, wrong: Unit, message: str) -> None:
    save(database, list(UNITS.values()))
    good = Unit("9001019", "好村", Level.VILLAGE, None, "900101")
    with pytest.raises(UnitsInvalid, match=message):
        save(database, [good, wrong], replace=True)
    with database.read() as session:
        assert dict(all_units(session)) == dict(UNITS)


def test_a_new_village_gets_its_items(database: Database, tmp_path: Path) -> None:
    pack = tiny_pack(tmp_path)
    load(database, pack, NOW)
    save(database, [Unit("9001019", "新村", Level.VILLAGE, None, "900101")])
    with database.write() as session:
        assert schedule_items(session, CODE, now=NOW) == 14
        assert schedule_items(session, CODE, now=NOW) == 0
        assert tally.recount(session, CODE) == []


def test_a_unit_that_moves_keeps_the_tally_sound(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), NOW)
    save(database, [replace(UNITS[village(1, 1)], parent="900201")], replace=True)
    with database.read() as session:
        assert tally.recount(session, CODE) == []


def closing(database: Database, code: str, on: str, into: str | None = None, day: str = "2025-06-10") -> Closed:
    with database.write() as session:
        return close_unit(session, code, on=date.fromisoformat(on), into=into, now=instant(day))


def states(database: Database, unit: str) -> dict[str, str]:
    """The state of each of a unit's items, by requirement and period."""
    with database.read() as session:
        rows = query(
            session,
            "SELECT r.code, w.period, w.state FROM work_item w JOIN requirement r ON r.id = w.requirement_id "
            "WHERE w.unit_code = :unit",
            unit=unit,
        )
    return {f"{code}:{period}": state for code, period, state in rows}


@pytest.fixture
def issued(database: Database, tmp_path: Path) -> Database:
    load(database, tiny_pack(tmp_path), instant("2025-01-01"))
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 6, 10), now=instant("2025-06-10"))
    return database


def test_a_closed_unit_owes_nothing_from_the_day_on(issued: Database) -> None:
    before = states(issued, "9001-mz")
    closed = closing(issued, "9001-mz", "2025-06-30")
    assert (closed.name, closed.into, closed.cancelled, closed.reviewed) == ("1县民政局", None, 3, 1)
    after = states(issued, "9001-mz")
    assert {key for key in after if after[key] == "cancelled"} == {"2.1:2025Q2", "2.1:2025Q3", "2.1:2025Q4"}
    assert after["2.1:2025Q1"] == before["2.1:2025Q1"] == "open"
    with issued.write() as session:
        assert query(session, "SELECT DISTINCT note FROM entry WHERE act = 'cancel'") == [
            ("1县民政局自2025-06-30起停用",)
        ]
        assert tally.recount(session, CODE) == []


def test_past_days_still_show_it(issued: Database) -> None:
    closing(issued, "9001-mz", "2025-06-15")
    with issued.read() as session:
        yesterday = {c.requirement: 0 for c in tally.counts(session, CODE, date(2025, 6, 9), now=instant("2025-06-20"))}
        assert "2.1" in yesterday
        rows = [
            c
            for c in tally.counts(session, CODE, date(2025, 6, 9), now=instant("2025-06-20"))
            if c.requirement == "2.1" and c.county == "9001"
        ]
        assert sum(c.n for c in rows if c.timing != "exempt") == 4
        rows = [
            c
            for c in tally.counts(session, CODE, date(2025, 6, 20), now=instant("2025-06-20"))
            if c.requirement == "2.1" and c.county == "9001"
        ]
        assert sum(c.n for c in rows if c.timing != "exempt") == 1


def test_closing_twice_is_once_and_nothing_comes_back(issued: Database) -> None:
    assert closing(issued, "9001-mz", "2025-06-30", "9002-mz").cancelled == 3
    assert closing(issued, "9001-mz", "2025-06-30", "9002-mz").cancelled == 0
    with pytest.raises(ActNotAllowed, match="1县民政局已定于2025-06-30停用，不能再改"):
        closing(issued, "9001-mz", "2025-07-30", "9002-mz")
    with issued.write() as session:
        found = reconcile(session, CODE, now=instant("2025-06-12"))
        assert (found.added, found.cancelled) == (0, 0)


def test_no_items_are_made_for_a_closed_unit(database: Database, tmp_path: Path) -> None:
    save(database, list(UNITS.values()))
    closing(database, "9001-mz", "2025-07-01", day="2025-01-01")
    load(database, tiny_pack(tmp_path), instant("2025-01-01"))
    assert sorted(states(database, "9001-mz")) == ["2.1:2025Q1", "2.1:2025Q2", "P1.1:once"]


def test_what_was_handed_in_before_is_still_reviewed(issued: Database) -> None:
    key = item("2.1", "9001-mz", "2025Q2")
    with issued.write() as session:
        submit(session, key, by=office("9001-mz"), evidence=[], now=instant("2025-06-11"))
    closing(issued, "9001-mz", "2025-06-15", day="2025-06-12")
    with issued.write() as session:
        reconcile(session, CODE, now=instant("2025-06-16"))
        accept(session, key, by=office(BUREAU), now=instant("2025-06-16"))
    assert states(issued, "9001-mz")["2.1:2025Q2"] == "accepted"


def test_another_reviews_in_its_place_from_the_day_on(issued: Database) -> None:
    closing(issued, "9001-mz", "2025-06-30", "9002-mz", day="2025-06-10")
    closing(issued, "9002-mz", "2025-07-10", day="2025-06-10")

    def superior() -> list[tuple[object, ...]]:
        with issued.read() as session:
            return query(session, "SELECT code, superior FROM unit WHERE code IN ('900101', '900201') ORDER BY code")

    assert superior() == [("900101", "9001-mz"), ("900201", "9002-mz")]
    with issued.write() as session:
        assert hand_over(session, now=instant("2025-06-30")) == 1
        assert hand_over(session, now=instant("2025-06-30")) == 0
    assert superior() == [("900101", "9002-mz"), ("900201", "9002-mz")]
    with issued.write() as session:
        assert hand_over(session, now=instant("2025-07-10")) == 2
    assert superior() == [("900101", BUREAU), ("900201", BUREAU)]


@pytest.mark.parametrize(
    ("code", "into", "error", "words"),
    [
        (BUREAU, None, ActNotAllowed, "市民政局是方案的统筹单位，不能停用"),
        ("9001-mz", "9001-mz", ActNotAllowed, "1县民政局不能并入1县民政局：须并入另一个届时仍在的单位"),
        ("9001-mz", "9002-jy", ActNotAllowed, "1县民政局不能并入2县教育局：须并入另一个届时仍在的单位"),
        ("8888", None, NotFound, "没有代码为 8888 的单位"),
        ("9001-mz", "８８８８", NotFound, "没有代码为 ８８８８ 的单位"),
    ],
)
def test_units_that_cannot_be_closed(
    issued: Database, code: str, into: str | None, error: type[Exception], words: str
) -> None:
    closing(issued, "9002-jy", "2025-06-11")
    with pytest.raises(error) as told:
        closing(issued, code, "2025-06-30", into)
    assert str(told.value) == words
