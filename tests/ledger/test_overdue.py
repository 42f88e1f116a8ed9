"""What was overdue on a past day, told without a replay of the plan, equals what the replay tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import and_, select

from ledger.database import Database, Session
from ledger.queries.items import timing_of
from ledger.queries.overdue import late_items
from ledger.queries.reading import Reading, open_plan
from policy_models.access import WHOLE, Scope
from policy_models.timing import LATE, Timing
from tests.factories import CODE, COUNTIES, KINDS, fresh_database
from tests.ledger.test_evenings import LAST, LATER, all_days, play

Found = Counter[tuple[Any, ...]]


@pytest.fixture(scope="module", params=KINDS)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        play(database, tmp_path_factory.mktemp("pack"), seed=8, acts=2)
        yield database


def reading_of(session: Session, day: date, scope: Scope) -> Reading:
    reading = open_plan(session, CODE, as_of=day, now=LATER, scope=scope)
    assert reading is not None
    return reading


def told(session: Session, reading: Reading) -> Found:
    late = late_items(reading).c
    return Counter(
        (row[0], row[1], bool(row[2])) for row in session.execute(select(late.unit_code, late.deadline, late.red))
    )


def replayed(session: Session, reading: Reading) -> Found:
    source = reading.items()
    timing = timing_of(source.c, reading)
    late = and_(reading.seen(source.c), timing.in_([one.value for one in LATE]))
    rows = session.execute(select(source.c.unit_code, source.c.deadline, timing).where(late))
    return Counter((unit, deadline, found == Timing.LONG_OVERDUE) for unit, deadline, found in rows)


@pytest.mark.parametrize("scope", [WHOLE, Scope(frozenset({COUNTIES[0]}))], ids=["all", "a county"])
def test_any_day_equals_a_replay(lived: Database, scope: Scope) -> None:
    met: Found = Counter()
    with lived.read() as session:
        for day in all_days(last=LAST + timedelta(days=1)):
            reading = reading_of(session, day, scope)
            found = told(session, reading)
            assert found == replayed(session, reading), day
            met += found
    assert {red for _, _, red in met} == {True, False}
