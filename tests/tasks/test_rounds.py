"""The steps of the rounds, called without Prefect's engine, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger import issuing
from ledger.database import Database
from ledger.units import close_unit
from tasks.rounds import hand_over, open_rounds
from tests.factories import CODE, instant, load, opened, query, tiny_pack
from tests.reporting import COUNTY, OTHER, ROUND, with_reports


@pytest.fixture
def ledger(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("LUCHENG_DATABASE_URL", database_url)
    monkeypatch.setenv("LUCHENG_CLOCK", "2025-07-02T08:00:00+08:00")
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack", with_reports), instant("2025-01-01"))
        yield database


def test_a_round_missed_for_a_month_is_opened_once(ledger: Database) -> None:
    assert open_rounds.fn(CODE) == 0
    with ledger.write() as session:
        issuing.issue_due(session, CODE, as_of=date(2025, 7, 2), now=instant("2025-07-02"))
    assert (open_rounds.fn(CODE), open_rounds.fn(CODE)) == (1, 0)
    with ledger.read() as session:
        assert query(session, "SELECT code, (SELECT count(*) FROM report) FROM round") == [(ROUND, 4)]


def test_the_heir_reviews_from_the_day_on(ledger: Database) -> None:
    with ledger.write() as session:
        close_unit(session, OTHER, on=date(2025, 7, 2), into=COUNTY, now=instant("2025-06-01"))
        assert query(session, "SELECT superior FROM unit WHERE code = '900201'") == [(OTHER,)]
    assert (hand_over.fn(), hand_over.fn()) == (1, 0)
    with ledger.read() as session:
        assert query(session, "SELECT superior FROM unit WHERE code = '900201'") == [(COUNTY,)]
