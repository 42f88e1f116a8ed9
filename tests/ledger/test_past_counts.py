"""Counts of units and newest acts on a past day, told without a replay of the plan, equal what the replay tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from ledger.civil import end_of_day
from ledger.database import Database, Session
from ledger.queries.items import item, timing_of, unit_items
from ledger.queries.latest import latest_acts
from ledger.queries.past_counts import NAMES, past_counts
from ledger.queries.reading import Reading, open_plan
from ledger.tables import entry, requirement, unit, work_item
from policy_models.access import WHOLE, Scope
from policy_models.lifecycle import Act
from policy_models.timing import DONE, LATE, NOT_EXPECTED, Timing
from tests.factories import CODE, COUNTIES, KINDS, fresh_database, village
from tests.ledger.test_evenings import LATER, all_days, play

DAYS = all_days()[::4]
MEANING = {"all": {*Timing}, "exempt": NOT_EXPECTED, "done": DONE, "overdue": LATE, "red": {Timing.LONG_OVERDUE}}
UNIT = village(1, 1)


@pytest.fixture(scope="module", params=KINDS)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        play(database, tmp_path_factory.mktemp("pack"), seed=9, acts=5)
        yield database


def reading_of(session: Session, day: date, scope: Scope = WHOLE) -> Reading:
    reading = open_plan(session, CODE, as_of=day, now=LATER, scope=scope)
    assert reading is not None
    return reading


def replayed(session: Session, reading: Reading) -> dict[str, tuple[int, ...]]:
    source = reading.items()
    chosen = select(source.c.unit_code, timing_of(source.c, reading)).where(reading.seen(source.c))
    found = Counter((code, timing) for code, timing in session.execute(chosen))
    return {
        code: tuple(
            sum(n for (of, timing), n in found.items() if of == code and timing in MEANING[name]) for name in NAMES
        )
        for code in {code for code, _ in found}
    }


@pytest.mark.parametrize("scope", [WHOLE, Scope(frozenset({COUNTIES[0]}))], ids=["all", "a county"])
def test_the_counts_of_units(lived: Database, scope: Scope) -> None:
    with lived.read() as session:
        for day in DAYS:
            reading = reading_of(session, day, scope)
            counts = session.execute(select(past_counts(reading, select(unit.c.code))))
            told = {row.unit_code: tuple(int(row._mapping[name]) for name in NAMES) for row in counts}
            assert told == replayed(session, reading), day


@pytest.mark.parametrize("section", ["task-1", "task-2"])
def test_the_newest_acts(lived: Database, section: str) -> None:
    with lived.read() as session:
        for day in DAYS:
            reading = reading_of(session, day)
            told = [(act.key, act.act, act.at) for act in latest_acts(session, reading, section, limit=5)]
            assert told == newest(session, reading, section)[:5], day


def newest(session: Session, reading: Reading, section: str) -> list[tuple[Any, ...]]:
    """All acts up to the day but 交办, newest first; without the items that a revision has moved since, or that nothing
    but one act has ever happened to."""
    rows = session.execute(
        select(work_item, entry.c.act, entry.c.at, entry.c.revision.label("number"))
        .join(entry, entry.c.item_id == work_item.c.id)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(requirement.c.section == section)
        .order_by(entry.c.at.desc(), entry.c.id.desc())
    ).all()
    until, last = end_of_day(reading.as_of), {row.id: row.number for row in rows[::-1]}
    return [
        (row.key, Act(row.act), row.at)
        for row in rows
        if row.at < until and row.act != Act.ISSUE.value and row.revision > 1
        if row.changed_at >= until or last[row.id] == row.revision
    ]


def test_one_unit_and_one_item_are_read_alone(lived: Database) -> None:
    with lived.read() as session:
        for day in DAYS[::3]:
            reading = reading_of(session, day)
            source = reading.items()
            mine = session.execute(select(source).where(source.c.unit_code == UNIT)).all()
            rows = unit_items(session, reading, UNIT)
            assert sorted((row.key, row.state, row.deadline) for row in rows) == sorted(
                (row.key, row.state, row.deadline) for row in mine
            )
            assert [item(session, reading, row.key).row for row in rows] == list(rows)
