"""Pages of long lists through the tally's windows are the same as all rows sorted and cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger import issuing, submissions
from ledger.database import Database, Session
from ledger.queries.item_filter import CITY, ItemFilter
from ledger.queries.items import items
from ledger.queries.reading import Reading, open_plan
from ledger.queries.register import register_page, register_rows
from policy_models.access import WHOLE, Scope
from policy_models.errors import NotFound
from policy_models.lifecycle import State
from policy_models.timing import Timing
from tests.factories import CODE, COUNTIES, full_evidence, instant, load, office, opened, tiny_pack, village

NOW = instant("2025-05-31")
FILTERS = (
    ItemFilter(),
    ItemFilter(section="task-1"),
    ItemFilter(requirement="1.2"),
    ItemFilter(period="2025-03"),
    ItemFilter(under=COUNTIES[0]),
    ItemFilter(under=CITY),
    ItemFilter(state=State.OPEN),
    ItemFilter(state=State.ACCEPTED, requirement="1.2"),
    ItemFilter(timing=(Timing.OVERDUE, Timing.LONG_OVERDUE)),
    ItemFilter(timing=(Timing.DONE_ON_TIME, Timing.DONE_LATE, Timing.EXEMPT)),
    ItemFilter(timing=tuple(Timing)),
    ItemFilter(due_from=date(2025, 2, 1), due_to=date(2025, 4, 30)),
    ItemFilter(due_from=date(2030, 1, 1)),
    ItemFilter(phase=1, section="task-1"),
    ItemFilter(unit=village(1, 1)),
    ItemFilter(within=COUNTIES[0]),
)
SCOPES = (WHOLE, Scope((COUNTIES[0],)), Scope((village(1, 1),)))


@pytest.fixture
def played(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """The tiny plan half a year in, with acts drawn from a seed."""
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack", villages=4))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=NOW.date(), now=NOW - timedelta(days=60))
        _act(database)
        yield database


def _act(database: Database) -> None:
    chance = random.Random(7)
    with database.read() as session:
        reading = _reading(session, None, WHOLE)
        rows = items(session, reading, ItemFilter(state=State.OPEN), limit=500).rows
    for row in rows:
        day = str(NOW.date() - timedelta(days=chance.choice((2, 20, 40))))
        if chance.random() < 0.5:
            with database.write() as session:
                submissions.submit(
                    session, row.key, by=office(row.unit), evidence=full_evidence(), now=instant(day, 10)
                )


def _reading(session: Session, as_of: date | None, scope: Scope) -> Reading:
    found = open_plan(session, CODE, as_of=as_of, now=NOW, scope=scope)
    assert found is not None
    return found


@pytest.mark.parametrize("scope", SCOPES, ids=["whole", "county", "village"])
def test_pages_are_the_whole_cut(played: Database, scope: Scope) -> None:
    for as_of in (None, date(2025, 5, 1), date(2025, 3, 20), date(2025, 8, 1)):
        with played.read() as session:
            _same_pages(session, _reading(session, as_of, scope), scope)


def _same_pages(session: Session, reading: Reading, scope: Scope) -> None:
    everything = items(session, reading, ItemFilter(within=scope.roots[0] if scope.roots else None), limit=5000).rows
    for wanted in FILTERS:
        expected = [row.key for row in everything if _meets(row, wanted)]
        found, skip = [], 0
        while True:
            page = items(session, reading, wanted, skip=skip, limit=7)
            assert page.total == len(expected), wanted
            found += [row.key for row in page.rows]
            skip += 7
            if skip >= page.total:
                break
        assert found == expected, wanted
        if expected:
            with pytest.raises(NotFound):
                items(session, reading, wanted, skip=len(expected), limit=7)


def _meets(row: object, wanted: ItemFilter) -> bool:
    """The filter over a row, read as its words say."""
    mine = row.__getattribute__
    county_of = "" if wanted.under == CITY else wanted.under
    tests = (
        wanted.unit is None or mine("unit") == wanted.unit,
        wanted.section is None or mine("section") == wanted.section,
        wanted.requirement is None or mine("requirement") == wanted.requirement,
        wanted.period is None or mine("period") == wanted.period,
        wanted.under is None or mine("county") == county_of,
        wanted.state is None or mine("state") is wanted.state,
        not wanted.timing or mine("timing") in wanted.timing,
        wanted.phase is None or mine("phase") == wanted.phase,
        wanted.within is None or mine("county") == wanted.within,
        wanted.due_from is None or mine("deadline") >= wanted.due_from,
        wanted.due_to is None or mine("deadline") <= wanted.due_to,
    )
    return all(tests)


@pytest.mark.parametrize("as_of", [None, date(2025, 5, 1)])
def test_the_register_goes_by_matter(played: Database, as_of: date | None) -> None:
    with played.read() as session:
        reading = _reading(session, as_of, WHOLE)
        for wanted in FILTERS:
            expected = [row.item.key for row in register_rows(session, reading, wanted)]
            found, skip = [], 0
            while True:
                page = register_page(session, reading, wanted, skip=skip, limit=5)
                assert page.total == len(expected), wanted
                found += [row.item.key for row in page.rows]
                skip += 5
                if skip >= page.total:
                    break
            assert found == expected, wanted


def test_a_cursor_goes_on_where_a_page_ended(played: Database) -> None:
    with played.read() as session:
        reading = _reading(session, None, WHOLE)
        wanted = replace(ItemFilter(), section="task-1")
        expected = [row.key for row in items(session, reading, wanted, limit=5000).rows]
        found, cursor = [], None
        while True:
            page = items(session, reading, wanted, cursor=cursor, limit=6)
            assert page.total == len(expected)
            found += [row.key for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == expected  # every page once
