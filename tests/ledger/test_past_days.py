"""Any past day shows what was seen on that day: a year of random acts, watched day by day, asked for again afterwards.

Acts, extensions and plan revisions are drawn from a seed; each evening's board and lists are kept as they were.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger import evenings, extensions, issuing, loading, reviews, sampling, submissions, tally
from ledger.civil import at_hour
from ledger.database import Database, Session
from ledger.extensions import Answer
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import ItemRow, items
from ledger.queries.reading import open_plan
from policy_models.errors import ActNotAllowed
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.rollup import Count
from policy_models.timing import Timing
from tests.factories import (
    BUREAU,
    CODE,
    Files,
    full_evidence,
    instant,
    load,
    office,
    opened,
    query,
    requirement_of,
    tiny_pack,
)

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


@dataclass
class Year:
    """A ledger lived through: what its board and its lists showed on the evening of each day."""

    database: Database
    folder: Path
    chance: random.Random
    counts: dict[date, list[Count]] = field(default_factory=dict)
    rows: dict[date, list[Any]] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)


def villages_monthly(files: Files) -> None:
    requirement_of(files, "1.2")["review"] = "sampled"


def revised(number: int) -> Any:
    """Each revision moves deadlines: into another phase, or before go-live; one drops a requirement, one adds one."""

    def change(files: Files) -> None:
        villages_monthly(files)
        files["plan.yaml"]["revision"] = number
        files["plan.yaml"]["phases"] = phases(files["plan.yaml"]["phases"][0], split=date(2025, 4 + number, 15))
        requirement_of(files, "1.1")["recurrence"] = {"deadline": f"2025-{8 + number:02}-15"}
        requirement_of(files, "P1.1")["recurrence"] = {"deadline": f"2025-0{3 + number}-20"}
        requirement_of(files, "2.1")["recurrence"] = {"every": "quarter", "due": {"at": "end", "days": 2 * number}}
        if number == 3:
            requirement_of(files, "2.2")["assignee"] = {"level": "county", "function": "民政"}

    return change


def phases(first: Files, split: date) -> list[Files]:
    second = {**first, "number": 2, "title": "后段", "starts_on": (split + timedelta(days=1)).isoformat()}
    return [{**first, "ends_on": split.isoformat()}, {**second, "requirements": []}]


def live(year: Year) -> None:
    load(year.database, tiny_pack(year.folder, villages_monthly), instant("2024-12-20"), go_live_on=date(2025, 1, 20))
    revisions = dict(zip(sorted(year.chance.sample(range(40, 330), 3)), (2, 3, 4), strict=True))
    day = FIRST
    while day <= LAST:
        with year.database.write() as session:
            issuing.issue_due(session, CODE, as_of=day, now=at_hour(day, 7, 35))
            if number := revisions.get((day - FIRST).days):
                pack = tiny_pack(year.folder, revised(number))
                moved = loading.load_plan(session, pack, now=at_hour(day, 8)).items_moved
                year.met["moved by revision"] += moved
        for hour in range(9, 9 + year.chance.randrange(6)):
            with year.database.write() as session:
                act(year, session, at_hour(day, hour, year.chance.randrange(60)))
        see(year, day)
        day += timedelta(days=1)


def see(year: Year, day: date) -> None:
    now = at_hour(day, 23, 59)
    with year.database.read() as session:
        year.counts[day] = board(session, day, now)
        year.rows[day] = listed(session, day, now)


def board(session: Session, day: date, now: datetime) -> list[Count]:
    return sorted(tally.counts(session, CODE, day, now=now), key=repr)


def listed(session: Session, day: date, now: datetime) -> list[Any]:
    reading = open_plan(session, CODE, as_of=day, now=now)
    assert reading is not None
    wanted = ItemFilter(timing=tuple(Timing))
    return sorted((shown(row) for row in items(session, reading, wanted, limit=1000).rows), key=repr)


def shown(row: ItemRow) -> tuple[Any, ...]:
    """What a list shows of an item, as far as that day knew it. Why a date is so is told by the plan of today."""
    reason = row.reason if row.state in (State.RETURNED, State.WAIVED) else None
    return (
        *(row.key, row.phase, row.opens_on, row.deadline, row.planned, row.state, row.timing, row.catch_up),
        *(row.returns, row.first_submitted_on, reason),
    )


def act(year: Year, session: Session, now: datetime) -> None:
    """One act that might happen, on an item that allows it; what the rules refuse is passed over and counted."""
    chance = year.chance
    kind = chance.choice(
        [*(["submit"] * 5), *(["review"] * 4), "withdraw", "waive", "extend", "extend", "decide", "sample"]
    )
    states = {
        "submit": ("open", "returned"),
        "review": ("submitted",),
        "withdraw": ("submitted",),
        "waive": ("open", "returned", "submitted", "scheduled"),
        "extend": ("open", "returned", "scheduled"),
    }
    if kind == "decide":
        return decide(year, session, now)
    if kind == "sample":
        return draw_and_check(year, session, now)
    names = ", ".join(repr(state) for state in states[kind])
    found = query(
        session, f"SELECT key, unit_code FROM work_item WHERE state IN ({names}) ORDER BY deadline, id LIMIT 12"
    )
    if found:
        key, unit = chance.choice(found)
        one(year, session, kind, str(key), str(unit), now)


def one(year: Year, session: Session, kind: str, key: str, unit: str, now: datetime) -> None:
    chance, done = year.chance, kind
    if kind == "submit":
        pieces: list[Evidence] = full_evidence() if ":1.1:" in key else []
        submissions.submit(session, key, by=office(unit), evidence=pieces, now=now)
    elif kind == "withdraw":
        submissions.withdraw(session, key, by=office(unit), now=now)
    elif kind == "waive":
        if chance.random() < 0.7:
            return
        reviews.waive(session, key, by=office(BUREAU), now=now, reason=f"豁免{chance.randrange(9)}")
    elif kind == "extend":
        wanted = date(2025, 6, 1) + timedelta(days=chance.randrange(200))
        with suppress(ActNotAllowed):  # past its deadline, another waits, or the date is not later
            extensions.request(session, key, wanted=wanted, reason="材料未齐", by=office(unit), now=now)
            year.met["requested"] += 1
        return
    elif chance.random() < 0.5:
        reviews.send_back(session, key, by=office(BUREAU), now=now, reason=f"退回{chance.randrange(9)}")
        done = "sent back"
    else:
        reviews.accept(session, key, by=office(BUREAU), now=now)
    year.met[done] += 1


def decide(year: Year, session: Session, now: datetime) -> None:
    plan_id = query(session, "SELECT id FROM plan")[0][0]
    for one in extensions.to_decide(session, plan_id, BUREAU)[:1]:
        if one.item_state in (State.OPEN, State.RETURNED, State.SCHEDULED) and one.wanted > one.deadline:
            extensions.grant(session, one.id, by=office(BUREAU), now=now)
            year.met["extended"] += 1
        else:
            extensions.refuse(session, one.id, by=office(BUREAU), now=now, reason="无需延期")


def draw_and_check(year: Year, session: Session, now: datetime) -> None:
    waiting = "SELECT min(period) FROM work_item WHERE state = 'submitted' AND key LIKE :monthly"
    found = query(session, waiting, monthly="%:1.2:%")
    with suppress(ActNotAllowed):  # nothing to draw from
        seed = str(year.chance.random())
        id = sampling.draw(session, CODE, "1.2", str(found[0][0]), by=office(BUREAU), now=now, seed=seed, size=1)
        piece = sampling.read(session, id).drawn[0]
        sampling.check(session, id, piece.key, passed=True, note=None, by=office(BUREAU), now=now)
        year.met["sampled"] += 1
        if sampling.read(session, id).rest:
            year.met["accepted by sample"] += sampling.accept_rest(session, id, by=office(BUREAU), now=now)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_any_past_day_is_as_it_was(database_url: str, tmp_path: Path, seed: int) -> None:
    later = instant("2026-02-01")
    with opened(database_url) as database:
        year = Year(database, tmp_path / "pack", random.Random(seed))
        live(year)
        compare(year, later)


def compare(year: Year, later: datetime) -> None:
    with year.database.read() as session:
        assert tally.recount(session, CODE) == []
        for day in year.counts:
            assert board(session, day, later) == year.counts[day], day
            assert listed(session, day, later) == year.rows[day], day
    compare_kept(year, later)
    wanted = {"submit", "sent back", "review", "withdraw", "waive", "extended", "moved by revision", "sampled"}
    assert wanted <= set(year.met), year.met
    print(f"\n{dict(year.met)}, {len(year.counts)} days, {len(year.rows[LAST])} items")


def compare_kept(year: Year, later: datetime) -> None:
    """Once its evening is kept, a day is what it was."""
    with year.database.write() as session:
        while evenings.keep(session, CODE, now=later):
            pass
    with year.database.read() as session:
        for day in year.counts:
            assert board(session, day, later) == year.counts[day], day
        for day in [*year.rows][::20]:
            assert listed(session, day, later) == year.rows[day], day


def test_answers_have_names() -> None:
    assert set(extensions.ANSWER_NAMES) == set(Answer)
