"""Units in the ledger: all or nothing, additions, changes, and what a change of tree means for the items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger import tally
from ledger.database import Database
from ledger.issuing import schedule_items
from ledger.units import UnitsReport, all_units, save_units
from policy_models.errors import UnitsInvalid
from policy_models.plan import Level
from policy_models.units import Unit, parse_units
from tests.factories import (
    CODE,
    COUNTIES,
    KINDS,
    fresh_database,
    instant,
    load,
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
