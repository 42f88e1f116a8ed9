"""Reviewing: who reviews what, reasons, and what each verdict records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from ledger.acts import standing
from ledger.database import Database
from ledger.entries import history
from ledger.issuing import issue_due
from ledger.reviews import accept, send_back, waive
from ledger.submissions import submit
from policy_models.errors import ActNotAllowed, NotResponsible, ReasonMissing
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
