"""Reminders day by day: on work days, once, to whom, and one message after an outage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.database import Database
from ledger.issuing import issue_due
from ledger.plans import calendars
from ledger.reminders import Queued, queue_due
from ledger.submissions import submit
from policy_models.calendars import WorkCalendar
from policy_models.ladder import LADDERS
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    fresh_database,
    instant,
    item,
    load,
    office,
    opened,
    query,
    rewound,
    tiny_pack,
    village,
)

pytestmark = pytest.mark.thorough

DAY = timedelta(days=1)
UNIT, TOWN = village(1, 1), "900101"
OWN = item("1.1", BUREAU, "once")
KEY = item("1.2", UNIT, "2025-01")  # due Friday 31 January, in Spring Festival: the aim is Monday the 27th


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def sweep(database: Database, day: date, *, issue: bool = True) -> Queued:
    with database.write() as session:
        if issue:
            issue_due(session, CODE, as_of=day, now=instant(day, 6))
        return queue_due(session, CODE, as_of=day, now=instant(day, 7))


def sweeps(database: Database, first: str, days: int, *, issue: bool = True) -> None:
    for n in range(days):
        sweep(database, date.fromisoformat(first) + n * DAY, issue=issue)


def reminders(database: Database, key: str = KEY) -> list[tuple[int, str, str, str]]:
    """Step, recipient, audience and day of every reminder of an item."""
    with database.read() as session:
        rows = query(
            session,
            "SELECT m.step, m.recipient, m.audience, m.as_of FROM reminder m JOIN work_item w ON w.id = m.item_id "
            "WHERE w.key = :key ORDER BY m.as_of, m.recipient, m.audience",
            key=key,
        )
    return [(step, recipient, audience, str(as_of)) for step, recipient, audience, as_of in rows]


def test_one_item_through_its_whole_ladder(database: Database) -> None:
    sweeps(database, "2025-01-01", 60)
    assert reminders(database) == [
        (-3, UNIT, "liaison", "2025-01-23"),
        (0, UNIT, "liaison", "2025-01-27"),
        (1, UNIT, "liaison", "2025-02-05"),
        (3, UNIT, "liaison", "2025-02-07"),
        (3, UNIT, "principal", "2025-02-07"),
        (7, BUREAU, "liaison", "2025-02-12"),
        (7, TOWN, "liaison", "2025-02-12"),
        (7, UNIT, "liaison", "2025-02-12"),
        (7, UNIT, "principal", "2025-02-12"),
    ]


def test_a_year_of_reminders_against_a_reading_of_the_ladder(database: Database) -> None:
    """Every unit and item of the tiny plan, nothing reported, day by day for a year and a month."""
    sweeps(database, "2025-01-01", 400)
    with database.read() as session:
        rows = query(
            session,
            "SELECT w.key, w.opens_on, w.deadline, r.ladder, w.unit_code, u.superior FROM work_item w "
            "JOIN requirement r ON r.id = w.requirement_id JOIN unit u ON u.code = w.unit_code",
        )
        found = {
            (key, step, recipient, audience, str(as_of))
            for key, step, recipient, audience, as_of in query(
                session,
                "SELECT w.key, m.step, m.recipient, m.audience, m.as_of FROM reminder m "
                "JOIN work_item w ON w.id = m.item_id",
            )
        }
        work = calendars(session, CODE).work
    expected = set()
    for key, opens_on, deadline, ladder, unit, superior in rows:
        reached: int | None = None
        for n in range(400):
            day = date(2025, 1, 1) + n * DAY
            step = step_on(day, as_date(deadline), ladder, work)
            if work.is_workday(day) and day >= as_date(opens_on) and step is not None and step != reached:
                reached = step
                expected |= {
                    (key, step, recipient, audience, str(day)) for recipient, audience in hearers(step, unit, superior)
                }
    assert found == expected
    assert len(expected) > 400


def hearers(step: int, unit: str, superior: str) -> set[tuple[str, str]]:
    """Up to a day late the unit's liaison; from three on its principal too; from seven on those above it."""
    found = {(unit, "liaison")}
    if step >= 3:
        found.add((unit, "principal"))
    if step >= 7:
        found |= {(superior, "liaison"), (BUREAU, "liaison")}
    return found


def as_date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def step_on(day: date, deadline: date, ladder: str, work: WorkCalendar) -> int | None:
    """The highest step that has arrived: back from the last work day by the deadline, or forward from the deadline."""
    aim = work.on_or_before(deadline)
    arrived = [step for step in LADDERS[ladder] if work.shift(deadline if step > 0 else aim, step) <= day]
    return max(arrived) if arrived else None


def test_nothing_on_rest_days(database: Database) -> None:
    sweeps(database, "2025-01-01", 45, issue=False)
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 2, 1), now=instant("2025-01-01"))
    for day in (date(2025, 2, 1), date(2025, 2, 2), date(2025, 2, 9)):
        assert sweep(database, day, issue=False) == Queued(0, 0)
    assert sweep(database, date(2025, 2, 8), issue=False).messages > 0  # a Saturday at work


def test_twice_is_once(database: Database) -> None:
    day = date(2025, 1, 23)
    first = sweep(database, day)
    assert first == Queued(4, 4)
    assert sweep(database, day) == Queued(0, 0)
    with database.write() as session:
        again = queue_due(session, CODE, as_of=day, now=instant(day, 8))
    assert again == Queued(0, 0)
    assert sweep(database, day + DAY) == Queued(0, 0)


def test_after_ten_days_of_outage_one_message_for_each_unit(database: Database) -> None:
    sweeps(database, "2025-01-01", 20)
    with database.read() as session:
        before = {row[0] for row in query(session, "SELECT id FROM outbox")}
    sweep(database, date(2025, 2, 11))  # the 21st to the 10th went by
    with database.read() as session:
        rows = query(session, "SELECT id, recipient, as_of FROM outbox ORDER BY recipient")
    fresh = [(recipient, str(as_of)) for id, recipient, as_of in rows if id not in before]
    assert len(fresh) == len({recipient for recipient, _ in fresh})
    assert {day for _, day in fresh} == {"2025-02-11"}
    assert reminders(database) == [(3, UNIT, "liaison", "2025-02-11"), (3, UNIT, "principal", "2025-02-11")]


def test_what_has_been_reported_is_not_asked_for(database: Database) -> None:
    sweep(database, date(2025, 1, 2))
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-01-10"))
    sweeps(database, "2025-01-03", 45)
    assert reminders(database) == []


def test_from_step_seven_on_those_above_hear_in_one_message(database: Database) -> None:
    sweeps(database, "2025-01-01", 43)  # to 12 February
    with database.read() as session:
        rows = query(
            session,
            "SELECT m.recipient, m.as_of, count(DISTINCT m.id), count(*) FROM outbox m "
            "JOIN outbox_line l ON l.message_id = m.id WHERE m.recipient IN ('900101', '900201', :bureau) GROUP BY 1, 2 "
            "ORDER BY 1",
            bureau=BUREAU,
        )
        escalated = query(session, "SELECT DISTINCT step FROM reminder WHERE recipient IN ('900101', '900201')")
    assert [(recipient, str(as_of), messages, items) for recipient, as_of, messages, items in rows] == [
        (BUREAU, "2025-02-12", 1, 4),
        ("900101", "2025-02-12", 1, 2),
        ("900201", "2025-02-12", 1, 2),
    ]
    assert escalated == [(7,)]


def test_the_coordinator_is_not_told_twice_of_its_own(database: Database) -> None:
    """Item 1.1 is the bureau's, which is the coordinator and its own superior."""
    sweeps(database, "2025-06-01", 45)
    heard = [(step, recipient, audience) for step, recipient, audience, _ in reminders(database, OWN)]
    early = [(step, BUREAU, "liaison") for step in (-7, -3, 0, 1)]  # the day of -30 was before June
    late = [(step, BUREAU, audience) for step in (3, 7) for audience in ("liaison", "principal")]
    assert heard == [(-30, BUREAU, "liaison"), *early, *late]


def test_nothing_for_what_is_dated_before_go_live(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path), instant("2025-04-10"))
        sweeps(database, "2025-04-10", 30)
        with database.read() as session:
            rows = query(
                session,
                "SELECT DISTINCT w.catch_up, w.deadline < '2025-04-10' FROM reminder m "
                "JOIN work_item w ON w.id = m.item_id",
            )
    assert [(catch_up, bool(past)) for catch_up, past in rows] == [("", False)]
