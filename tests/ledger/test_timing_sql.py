"""Timing in SQL and in Python agree on every combination of facts."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

from sqlalchemy import Boolean, Column, Date, Integer, MetaData, String, Table, insert, select

from ledger.timing_sql import timing_case
from policy_models import calendar_file
from policy_models.lifecycle import State
from policy_models.timing import RED_RETURNS, CatchUp, Thresholds, Timing, timing
from tests.factories import opened

WORK = calendar_file.load([calendar_file.BUNDLED]).work
AS_OF = date(2025, 10, 9)  # after National Day, before a make-up Saturday
facts = Table(
    "facts",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("state", String(12)),
    Column("opens_on", Date),
    Column("deadline", Date),
    Column("late", Boolean),
    Column("catch_up", String(12)),
    Column("often_returned", Boolean),
)


def test_every_combination(database_url: str) -> None:
    days = [AS_OF + timedelta(days=n) for n in range(-16, 17)]
    flags = itertools.product(State, [False, True], ["", *CatchUp], [0, RED_RETURNS])
    rows = [
        (state, opens_on, deadline, late, catch_up, returns)
        for state, late, catch_up, returns in flags
        for deadline in days
        for opens_on in (AS_OF - timedelta(days=20), AS_OF, AS_OF + timedelta(days=1))
        if opens_on <= deadline
    ]
    at = Thresholds.at(AS_OF, WORK)
    names = ("state", "opens_on", "deadline", "late", "catch_up", "often_returned")
    expected = [timing(s, o, d, late, CatchUp(c) if c else None, n, at) for s, o, d, late, c, n in rows]
    values = [dict(zip(names, (*row[:5], row[5] >= RED_RETURNS), strict=True)) for row in rows]
    with opened(database_url) as database, database.trial() as session:
        facts.create(session)
        session.execute(insert(facts), [{**row, "id": n} for n, row in enumerate(values)])
        stand = timing_case(facts.c, at, late=facts.c.late, often_returned=facts.c.often_returned)
        found = [Timing(row[0]) for row in session.execute(select(stand).order_by(facts.c.id))]
    assert found == expected
    assert set(expected) == set(Timing)
    assert len(rows) > 5000
