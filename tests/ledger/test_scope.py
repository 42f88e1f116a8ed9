"""范围 in the ledger: what lies below a unit, and that every query for pages gives the rows of the scope and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from ledger import issuing, reviews, submissions, tally
from ledger.database import Database, Session
from ledger.queries import units
from ledger.queries.board import due_between, overdue_by_unit, upcoming
from ledger.queries.items import ItemFilter, items, unit_items
from ledger.queries.matrix import matrix
from ledger.queries.outcomes import Sending
from ledger.queries.reach import count_unreachable, unreachable
from ledger.queries.reading import Reading, open_plan
from ledger.queries.register import register_page, register_rows
from ledger.queries.reminders import NoticeFilter, notice_page
from ledger.queries.rounds import rounds_of
from ledger.reminders import queue_due
from ledger.scope import codes_within, line_of, within
from ledger.tables import work_item
from policy_models.access import WHOLE, Scope
from policy_models.timing import Timing
from tests.factories import (
    BUREAU,
    CITY,
    CODE,
    KINDS,
    SCHOOLS,
    fresh_database,
    instant,
    item,
    load,
    office,
    statements,
    tiny_pack,
    village,
)

DAY = "2025-05-31"
TOWNSHIP_1 = frozenset({"900101", village(1, 1), village(1, 2)})
COUNTY_1 = frozenset({"9001", "9001-mz", "9001-jy"}) | TOWNSHIP_1
SCOPES = {
    "a village": (Scope((village(1, 1),)), frozenset({village(1, 1)})),
    "a township": (Scope(("900101",)), TOWNSHIP_1),
    "a county": (Scope(("9001",)), COUNTY_1),
    "a county's department": (Scope(("9001-jy",)), frozenset({"9001-jy"})),
    "the department that leads the townships": (Scope(("9001-mz",)), TOWNSHIP_1 | {"9001-mz"}),
    "a line of work": (Scope((SCHOOLS,)), frozenset({SCHOOLS, "9001-jy", "9002-jy"})),
    "two counties": (Scope(("9001", "9002")), COUNTY_1 | frozenset(code.replace("9001", "9002") for code in COUNTY_1)),
    "a county and a village elsewhere": (Scope(("9001", village(2, 1))), COUNTY_1 | {village(2, 1)}),
    "nobody": (Scope(()), frozenset()),
}
EACH = pytest.mark.parametrize("name", SCOPES)
Opened = Callable[..., Reading]


@pytest.fixture(scope="module", params=KINDS)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The tiny plan with 2.1 also asked of the counties' education offices; some of it handed in, some accepted."""
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), _also_schools))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=instant(DAY).date(), now=instant("2025-01-02"))
        for county in (1, 2):
            key = item("1.2", village(county, 1), "2025-01")
            with database.write() as session:
                submissions.submit(session, key, by=office(village(county, 1)), evidence=[], now=instant("2025-02-03"))
            with database.write() as session:
                reviews.accept(session, key, by=office(f"900{county}01"), now=instant("2025-02-04"))
        yield database


def _also_schools(files: dict[str, Any]) -> None:
    files["tasks/02.yaml"]["requirements"][0]["assignee"] = {"level": "county", "function": "教育"}


@pytest.fixture
def session(played: Database) -> Iterator[Session]:
    with played.read() as session:
        yield session


def opened(session: Session, scope: Scope = WHOLE, day: str = DAY, today: str = DAY) -> Reading:
    reading = open_plan(session, CODE, as_of=instant(day).date(), now=instant(today), scope=scope)
    assert reading is not None
    return reading


@EACH
def test_what_lies_below(session: Session, name: str) -> None:
    scope, expected = SCOPES[name]
    assert frozenset(session.execute(codes_within(scope.roots or ())).scalars()) == expected


def test_the_line_above_has_the_tree_and_the_line_of_work(session: Session) -> None:
    assert line_of(session, village(1, 1)) == {village(1, 1), "900101", "9001-mz", BUREAU, "9001", CITY}
    assert line_of(session, "9001-jy") == {"9001-jy", "9001", SCHOOLS, BUREAU, CITY}
    assert line_of(session, "9999") == frozenset()


def test_a_unit_is_in_scope_exactly_where_its_line_meets_the_roots(session: Session) -> None:
    """Two roads to one answer: the pages narrow downwards, the guard asks upwards."""
    everybody = frozenset(session.execute(codes_within([CITY])).scalars())
    assert len(everybody) == 15
    for scope, expected in SCOPES.values():
        assert {code for code in everybody if line_of(session, code) & set(scope.roots or ())} == expected


def test_the_whole_adds_nothing(session: Session) -> None:
    reading = opened(session)
    chosen = select(work_item.c.id).where(reading.seen(work_item.c), within(WHOLE, work_item.c.unit_code))
    assert str(chosen) == str(select(work_item.c.id).where(work_item.c.plan_id == reading.plan_id))


@EACH
@pytest.mark.parametrize("day", [DAY, "2025-02-15"])
def test_lists_hold_the_rows_of_the_scope(session: Session, name: str, day: str) -> None:
    scope, codes = SCOPES[name]
    whole = items(session, opened(session, day=day), ItemFilter(), limit=500)
    expected = tuple(row for row in whole.rows if row.unit in codes)
    mine = items(session, opened(session, scope, day), ItemFilter(), limit=500)
    assert mine.rows == expected
    assert mine.total == len(expected)
    rows = register_page(session, opened(session, scope, day), ItemFilter(), skip=0, limit=500)
    assert {row.item.key for row in rows.rows} == {row.key for row in expected}
    assert rows.total == len(expected)
    streamed = register_rows(session, opened(session, scope, day), ItemFilter())
    assert [row.item.key for row in streamed] == [row.item.key for row in rows.rows]


@EACH
@pytest.mark.parametrize("day", [DAY, "2025-02-15"])
def test_counts_are_those_of_the_rows(session: Session, name: str, day: str) -> None:
    """The tally where the scope is of counties, the items where it is not: the same answer as counting the rows."""
    scope, _ = SCOPES[name]
    reading = opened(session, scope, day)
    counted: dict[tuple[str, str, Timing], int] = {}
    for row in items(session, reading, ItemFilter(), limit=500).rows:
        group = (row.requirement, row.county, row.timing)
        counted[group] = counted.get(group, 0) + 1
    found: dict[tuple[str, str, Timing], int] = {}
    for one in tally.counts(session, CODE, reading.as_of, now=reading.now, scope=scope):
        group = (one.requirement, one.county, one.timing)
        found[group] = found.get(group, 0) + one.n
    assert found == counted


@EACH
def test_the_board_is_that_of_the_scope(session: Session, name: str) -> None:
    scope, codes = SCOPES[name]
    whole, mine = opened(session), opened(session, scope)
    late = overdue_by_unit(session, whole)
    assert overdue_by_unit(session, mine) == tuple(one for one in late if one.code in codes)
    rows = items(session, mine, ItemFilter(), limit=500).rows
    coming = {(one.deadline, one.requirement, one.period): one.units for one in upcoming(session, mine, days=60)}
    due = [row for row in rows if 0 <= (row.deadline - mine.as_of).days <= 60]
    assert sum(coming.values()) == len(due)
    first, last = mine.as_of.replace(day=1), mine.as_of
    assert due_between(session, mine, first, last).total == sum(first <= row.deadline <= last for row in rows)


@EACH
def test_the_matrix_is_that_of_the_scope(session: Session, name: str) -> None:
    scope, _ = SCOPES[name]
    mine = opened(session, scope)
    for section in ("task-1", "task-2", "phase-1"):
        rows = items(session, mine, ItemFilter(section=section), limit=500).rows
        found = matrix(session, mine, section)
        assert sum(one.n for one in found) == len(rows)
        assert {one.area for one in found} == {row.county or row.unit for row in rows}


@pytest.mark.parametrize(
    "wanted",
    [
        ItemFilter(unit=village(2, 1)),
        ItemFilter(unit="9002-mz"),
        ItemFilter(under="9002"),
        ItemFilter(under="city"),
        ItemFilter(within="9002"),
        ItemFilter(within="900201"),
    ],
)
def test_a_filter_does_not_widen_the_scope(session: Session, wanted: ItemFilter) -> None:
    assert items(session, opened(session), wanted, limit=500).total > 0
    mine = opened(session, Scope(("9001",)))
    assert items(session, mine, wanted, limit=500).total == 0
    assert register_page(session, mine, wanted, skip=0, limit=500).total == 0


def test_a_filter_from_above_gives_what_lies_in_the_scope(session: Session) -> None:
    mine = opened(session, Scope(("900101",)))
    assert {row.unit for row in items(session, mine, ItemFilter(within=CITY), limit=500).rows} == TOWNSHIP_1 - {
        "900101"
    }
    assert {row.unit for row in items(session, mine, ItemFilter(under="9001"), limit=500).rows} == {
        village(1, 1),
        village(1, 2),
    }


def test_one_units_list_outside_is_empty(session: Session) -> None:
    assert unit_items(session, opened(session), village(2, 1)) != ()
    assert unit_items(session, opened(session, Scope(("9001",))), village(2, 1)) == ()


@EACH
def test_units_are_those_of_the_scope(session: Session, name: str) -> None:
    scope, codes = SCOPES[name]
    assert {one.code for one in units.all_units(session, scope=scope)} == codes
    assert {one.code for one in units.search(session, "县", scope=scope)} == {code for code in codes if code != SCHOOLS}
    assert {one.code for one in units.upper_units(session, scope)} == {code for code in codes if len(code) < 9}
    assert set(units.unit_names(session, frozenset({"9001", "9002", CITY}), scope)) == codes & {"9001", "9002", CITY}
    counties = {"9001"} if codes & COUNTY_1 else set()
    counties |= {"9002"} if any(code.startswith("9002") for code in codes) else set()
    assert {one.code for one in units.counties(session, scope)} == counties


@EACH
def test_who_cannot_be_reached_in_the_scope(session: Session, name: str) -> None:
    scope, codes = SCOPES[name]
    whole = unreachable(session, CODE, instant(DAY))
    mine = unreachable(session, CODE, instant(DAY), scope=scope)
    assert whole
    assert mine == tuple(one for one in whole if one.unit_code in codes)
    assert count_unreachable(session, CODE, instant(DAY), scope=scope) == len(mine)


@EACH
def test_notices_are_of_the_units_that_owe(played: Database, name: str) -> None:
    """What a superior was told of a unit is the unit's affair; what it was told of others is not."""
    scope, codes = SCOPES[name]
    sending = Sending({})
    with played.trial() as session:
        queue_due(session, CODE, as_of=instant("2025-06-04").date(), now=instant("2025-06-04"))
        whole = notice_page(
            session, opened(session, day="2025-06-04", today="2025-06-04"), NoticeFilter(), sending, skip=0, limit=500
        )
        mine = notice_page(
            session, opened(session, scope, "2025-06-04", "2025-06-04"), NoticeFilter(), sending, skip=0, limit=500
        )
    assert {one.recipient for one in whole.rows} - codes
    assert mine.rows == tuple(one for one in whole.rows if (one.owes or one.recipient) in codes)
    assert mine.total == len(mine.rows)


def test_the_number_of_statements_is_that_of_the_whole(played: Database, session: Session) -> None:
    """Narrowing is a condition and no query of its own, but for what is asked of a tally: whether it knows the scope."""
    sent: dict[str, int] = {}
    for name, scope in {"whole": WHOLE, "county": Scope(("9001",)), "township": Scope(("900101",))}.items():
        reading = opened(session, scope)
        with statements(played) as found:
            overdue_by_unit(session, reading)
            upcoming(session, reading)
            unit_items(session, reading, village(1, 1))
            rounds_of(session, reading)
            tally.counts(session, CODE, reading.as_of, now=reading.now, scope=scope)
        sent[name] = len(found)
    assert sent["county"] == sent["whole"] + 2  # two queries sum a tally
    assert sent["township"] == sent["county"] + 2  # and are told that it is made of places
