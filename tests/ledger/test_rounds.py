"""Rounds: opened by hand or by themselves, once; who owes; closed and opened again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger import issuing, reports, reviews, rounds, submissions
from ledger.acts import Actor
from ledger.database import Database
from ledger.queries.reading import Reading, open_plan
from ledger.queries.rounds import RoundBoard, RoundRow, round_board, rounds_of
from ledger.units import close_unit
from policy_models.errors import ActNotAllowed, NotFound, NotResponsible, PrivacyBlocked
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.plan import EvidenceType
from policy_models.rounds import ReportStatus, RoundFigures
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    SCHOOLS,
    fresh_database,
    instant,
    item,
    load,
    office,
    query,
    rewound,
    statements,
    tiny_pack,
)
from tests.reporting import COUNTY, OTHER, ROUND, SUBMITTERS, hand_in, opened, with_reports, write

PAPER = [Evidence(EvidenceType.DOCUMENT, text="报告")]


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), with_reports), instant("2025-01-01"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def reading(database: Database, day: str, today: str | None = None) -> Reading:
    with database.read() as session:
        found = open_plan(session, CODE, as_of=date.fromisoformat(day), now=instant(today or day, 23))
    assert found is not None
    return found


def board(database: Database, day: str, today: str | None = None) -> RoundBoard:
    with database.read() as session:
        return round_board(session, reading(database, day, today), ROUND)


def row(database: Database, day: str, code: str = ROUND, today: str | None = None) -> RoundRow:
    with database.read() as session:
        return next(one for one in rounds_of(session, reading(database, day, today)) if one.code == code)


def statuses(found: RoundBoard) -> dict[str, str]:
    return {one.unit: one.status.value for one in found.reports}


def test_a_round_opens_by_itself_when_its_items_do_and_once(database: Database) -> None:
    with database.write() as session:
        issuing.issue_due(session, CODE, as_of=date(2025, 5, 30), now=instant("2025-05-30"))
        assert rounds.open_due(session, CODE, now=instant("2025-05-30")) == 0
        issuing.issue_due(session, CODE, as_of=date(2025, 5, 31), now=instant("2025-05-31"))
        assert rounds.open_due(session, CODE, now=instant("2025-05-31")) == 1
        assert rounds.open_due(session, CODE, now=instant("2025-06-01")) == 0
        assert query(session, "SELECT code, first, last, deadline, opened_by FROM round") == [
            (ROUND, *map(_day(database), ("2025-01-01", "2025-06-30", "2025-07-15")), "系统")
        ]
        assert query(session, "SELECT unit_code FROM report ORDER BY unit_code") == [(u,) for u in sorted(SUBMITTERS)]


def _day(database: Database):  # type: ignore[no-untyped-def]
    return str if database.engine.dialect.name == "sqlite" else date.fromisoformat


def test_the_coordinator_opens_it_earlier_and_its_items_with_it(database: Database) -> None:
    day = instant("2025-04-01")
    with database.write() as session:
        made = rounds.open_round(session, CODE, ROUND, by=office(BUREAU), now=day, guidance="请按时报送")
        assert made == rounds.Opened(ROUND, True, 4)
        assert rounds.open_round(session, CODE, ROUND, by=office(BUREAU), now=day) == rounds.Opened(ROUND, False, 0)
        assert query(session, f"SELECT DISTINCT state FROM work_item WHERE period = '{ROUND}'") == [("open",)]
        assert query(session, "SELECT guidance FROM round") == [("请按时报送",)]
        issuing.issue_due(session, CODE, as_of=date(2025, 6, 1), now=instant("2025-06-01"))
        assert rounds.open_due(session, CODE, now=instant("2025-06-01")) == 0


@pytest.mark.parametrize(
    ("code", "by", "day", "error", "words"),
    [
        (ROUND, COUNTY, "2025-04-01", NotResponsible, "半年报送由统筹单位启动和结束"),
        ("2025-H2", BUREAU, "2025-06-30", ActNotAllowed, "这一期从2025-07-01开始，尚未到期，不能启动"),
        ("2024-H2", BUREAU, "2025-06-30", NotFound, "方案自2025-01-01至2025-12-31，其间没有 2024-H2 这一期"),
        ("2025-H3", BUREAU, "2025-06-30", NotFound, "没有“2025-H3”这一期半年报送，期次写作 2025-H1 的样子"),
        ("２０２５", BUREAU, "2025-06-30", NotFound, "没有“２０２５”这一期半年报送，期次写作 2025-H1 的样子"),
    ],
)
def test_rounds_that_cannot_be_opened(
    database: Database, code: str, by: str, day: str, error: type[Exception], words: str
) -> None:
    with database.write() as session, pytest.raises(error) as told:
        rounds.open_round(session, CODE, code, by=office(by), now=instant(day))
    assert str(told.value) == words


def test_no_personal_value_in_the_guidance(database: Database) -> None:
    with database.write() as session, pytest.raises(PrivacyBlocked):
        rounds.open_round(
            session, CODE, ROUND, by=office(BUREAU), now=instant("2025-06-01"), guidance="联系 150202201001011236"
        )


def test_nothing_to_open_where_nobody_owes(database: Database) -> None:
    with database.write() as session:
        for unit in SUBMITTERS:
            key = item("1.9" if unit in (COUNTY, OTHER) else "1.8", unit, ROUND)
            reviews.waive(session, key, by=office(BUREAU), now=instant("2025-02-01"), reason="本期不报")
        with pytest.raises(ActNotAllowed, match="这一期没有单位需要报送"):
            rounds.open_round(session, CODE, ROUND, by=office(BUREAU), now=instant("2025-06-01"))
    assert row(database, "2025-06-02").phase == "skipped"


def test_what_is_only_counted_is_never_opened(database_url: str, tmp_path: Path) -> None:
    from policy_models.timing import CatchUp
    from tests.factories import opened as connected

    with connected(database_url) as database:
        pack = tiny_pack(tmp_path / "pack", with_reports)
        load(database, pack, instant("2025-09-01"), go_live_on=date(2025, 9, 1), catch_up=CatchUp.COUNT_ONLY)
        opened(database, "2025-12-01")
        with database.read() as session:
            assert query(session, "SELECT code FROM round") == [("2025-H2",)]
        assert row(database, "2025-12-01").phase == "skipped"
        assert row(database, "2025-12-01", "2025-H2").figures.owing == 4


def test_late_and_missing_are_different(database: Database) -> None:
    opened(database)
    for unit, day in ((SCHOOLS, "2025-07-15"), (COUNTY, "2025-07-16")):
        write(database, unit, day="2025-06-20")
        hand_in(database, unit, day)
    write(database, OTHER, {"overview": "写了一半"})
    before, after = board(database, "2025-07-15", "2025-07-20"), board(database, "2025-07-16", "2025-07-20")
    assert before.row.figures == RoundFigures(owing=4, handed_in=1, on_time=1, waiting=1)
    assert after.row.figures == RoundFigures(owing=4, handed_in=2, on_time=1, late=1, missing=2, waiting=2)
    assert (after.row.figures.completeness, after.row.figures.timeliness) == (0.5, 0.25)
    assert [one.unit for one in after.reports] == [BUREAU, SCHOOLS, COUNTY, OTHER]
    assert statuses(after) == {BUREAU: "missing", SCHOOLS: "submitted", COUNTY: "submitted", OTHER: "draft"}
    assert [one.standing.is_late for one in after.reports] == [False, False, True, False]
    assert board(database, "2025-05-30", "2025-07-20").reports == ()


def test_a_report_taken_back_is_not_handed_in(database: Database) -> None:
    opened(database)
    write(database, SCHOOLS)
    hand_in(database, SCHOOLS)
    with database.write() as session:
        reports.withdraw(session, CODE, ROUND, SCHOOLS, by=office(SCHOOLS), now=instant("2025-06-21"))
    assert board(database, "2025-06-22").row.figures.handed_in == 0
    assert board(database, "2025-06-20", "2025-06-22").row.figures.handed_in == 1


def test_who_owes_is_a_function_of_the_date(database: Database) -> None:
    opened(database)
    with database.write() as session:
        closed = close_unit(session, OTHER, on=date(2025, 7, 1), into=COUNTY, now=instant("2025-06-10"))
        reviews.waive(
            session, item("1.8", SCHOOLS, ROUND), by=office(BUREAU), now=instant("2025-06-12"), reason="机构改革"
        )
    assert closed.cancelled > 0
    assert [
        board(database, day, "2025-07-20").row.figures.owing for day in ("2025-06-09", "2025-06-10", "2025-06-12")
    ] == [4, 3, 2]
    assert statuses(board(database, "2025-07-20"))[OTHER] == "exempt"


def test_a_unit_closed_after_the_deadline_without_a_report_counts_no_more(database: Database) -> None:
    opened(database)
    write(database, OTHER)
    hand_in(database, OTHER)
    with database.write() as session:
        for unit in (COUNTY, OTHER):
            close_unit(session, unit, on=date(2025, 8, 1), now=instant("2025-07-20"))
    assert board(database, "2025-07-31", "2025-08-05").row.figures.owing == 4
    late = board(database, "2025-08-05").row.figures
    assert (late.owing, late.handed_in) == (3, 1)  # what was handed in stays counted


def test_a_unit_that_comes_later_gets_its_report(database: Database) -> None:
    from dataclasses import replace

    from ledger.timetables import reconcile
    from ledger.units import all_units, save_units

    opened(database)
    with database.write() as session:
        units = all_units(session)
        third = [
            replace(units["9001"], code="9003", name="3县"),
            replace(units[COUNTY], code="9003-mz", parent="9003", name="3县民政局"),
        ]
        save_units(session, third, now=instant("2025-06-10"), replace=False)
        reconcile(session, CODE, now=instant("2025-06-10"))
        issuing.issue_due(session, CODE, as_of=date(2025, 6, 10), now=instant("2025-06-10"))
        assert rounds.open_due(session, CODE, now=instant("2025-06-10")) == 0
    assert board(database, "2025-06-10").row.figures.owing == 5


def test_closing_waits_for_review_and_can_be_taken_back(database: Database) -> None:
    opened(database)
    write(database, SCHOOLS)
    hand_in(database, SCHOOLS)
    coordinator, day = office(BUREAU), instant("2025-07-20")
    with database.write() as session:
        with pytest.raises(ActNotAllowed, match="还有 1 份报告待审核，请审核完再结束本期报送"):
            rounds.close_round(session, CODE, ROUND, by=coordinator, now=day)
        reviews.accept(session, item("1.8", SCHOOLS, ROUND), by=coordinator, now=day)
        with pytest.raises(NotResponsible):
            rounds.close_round(session, CODE, ROUND, by=office(COUNTY), now=day)
        rounds.close_round(session, CODE, ROUND, by=coordinator, now=day)
        rounds.close_round(session, CODE, ROUND, by=Actor(BUREAU, "另一人"), now=instant("2025-07-21"))
        assert query(session, "SELECT closed_by FROM round") == [(coordinator.name,)]
    assert [row(database, d, today="2025-07-22").phase for d in ("2025-07-19", "2025-07-20")] == ["open", "closed"]
    with pytest.raises(ActNotAllowed, match="本期报送已结束"):
        write(database, COUNTY)
    with database.write() as session:
        rounds.reopen_round(session, CODE, ROUND, by=coordinator)
    write(database, COUNTY)
    assert row(database, "2025-07-22").phase == "open"


def test_rounds_to_come_are_told_with_their_dates(database: Database) -> None:
    opened(database)
    with database.read() as session:
        found = rounds_of(session, reading(database, "2025-06-01"))
    assert [(one.code, one.phase, one.deadline) for one in found] == [
        ("2025-H2", "coming", date(2025, 12, 31)),
        (ROUND, "open", date(2025, 7, 15)),
    ]
    with database.read() as session, pytest.raises(NotFound, match="方案没有 2031-H1 这一期半年报送"):
        round_board(session, reading(database, "2025-06-01"), "2031-H1")


def test_accepted_and_returned(database: Database) -> None:
    opened(database)
    for unit in (SCHOOLS, COUNTY):
        write(database, unit)
        hand_in(database, unit)
    with database.write() as session:
        reviews.accept(session, item("1.8", SCHOOLS, ROUND), by=office(BUREAU), now=instant("2025-06-25"))
        reviews.send_back(
            session, item("1.9", COUNTY, ROUND), by=office(BUREAU), now=instant("2025-06-25"), reason="简略"
        )
    found = board(database, "2025-06-26")
    assert found.row.figures == RoundFigures(owing=4, handed_in=2, on_time=2, accepted=1, returned=1)
    assert statuses(found)[COUNTY] == ReportStatus.RETURNED
    assert next(one for one in found.reports if one.unit == COUNTY).returns == 1
    assert {one.standing.state for one in found.reports} == {State.OPEN, State.ACCEPTED, State.RETURNED}


def test_the_number_of_statements_does_not_grow(database: Database) -> None:
    with database.write() as session:
        rounds.open_round(session, CODE, ROUND, by=office(BUREAU), now=instant("2025-03-01"))
    now = reading(database, "2025-06-01")
    with statements(database) as few, database.read() as session:
        round_board(session, now, ROUND)
    with database.write() as session:
        for unit, code in ((SCHOOLS, "1.8"), (COUNTY, "1.9"), (OTHER, "1.9")):
            submissions.submit(
                session, item(code, unit, ROUND), by=office(unit), evidence=PAPER, now=instant("2025-06-01")
            )
    with statements(database) as many, database.read() as session:
        round_board(session, now, ROUND)
    assert len(few) == len(many) == 8
