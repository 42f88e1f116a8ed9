"""What changed between two days: against a recount of its own, from the bare rows of entries and moves."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger import circulars, extensions, issuing, loading, reviews, submissions, tally
from ledger.civil import at_hour, civil_date
from ledger.database import Database, Session
from ledger.plans import calendars
from ledger.queries.changes import Change, change_counts, changed_items, last_circular
from ledger.queries.reading import Reading, open_plan
from policy_models.access import Scope
from policy_models.errors import ActNotAllowed
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.timing import DONE, LATE, NOT_EXPECTED, CatchUp, Thresholds, Timing, timing
from tests.factories import (
    BUREAU,
    CODE,
    COUNTIES,
    KINDS,
    Files,
    fresh_database,
    full_evidence,
    instant,
    load,
    office,
    query,
    requirement_of,
    rewound,
    statements,
    tiny_pack,
    village,
)

FIRST, LAST = date(2025, 1, 1), date(2025, 7, 31)
NOW = at_hour(LAST, 23, 30)


def revised(files: Files) -> None:
    """A later revision moves the bureau's date, and drops one duty of the villages."""
    files["plan.yaml"]["revision"] = 2
    requirement_of(files, "1.1")["recurrence"] = {"deadline": "2025-05-20"}
    requirement_of(files, "2.2")["assignee"] = {"level": "county", "function": "民政"}


def live(database: Database, folder: Path) -> None:
    """Seven months of random acts, an extension now and then, and a revision of the plan in April."""
    chance = random.Random(1502)
    load(database, tiny_pack(folder), instant("2024-12-20"), go_live_on=date(2025, 1, 20))
    day = FIRST
    while day <= LAST:
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=day, now=at_hour(day, 7, 35))
            if day == date(2025, 4, 10):
                loading.load_plan(session, tiny_pack(folder, revised), now=at_hour(day, 8))
        for hour in range(9, 9 + chance.randrange(5)):
            with database.write() as session:
                _act(chance, session, at_hour(day, hour, chance.randrange(60)))
        day += timedelta(days=1)


def _act(chance: random.Random, session: Session, now: datetime) -> None:
    owed = [row for row in query(session, "SELECT key, unit_code, state FROM work_item") if row[2] != "scheduled"]
    if not owed:
        return
    key, unit, state = chance.choice(sorted(owed))
    code = str(key).split(":")[1]
    if state in ("open", "returned") and chance.random() < 0.15:
        with suppress(ActNotAllowed):  # its deadline is too near, or there is one asked for already
            wanted = civil_date(now) + timedelta(days=chance.randrange(20, 40))
            asked = extensions.request(session, str(key), wanted=wanted, reason="工作需要", by=office(unit), now=now)
            extensions.grant(session, asked, by=_reviewer(session, str(key)), now=now)
        return
    if state in ("open", "returned"):
        given: list[Evidence] = full_evidence() if code == "1.1" else []
        submissions.submit(session, str(key), by=office(unit), evidence=given, now=now)
    elif state == "submitted":
        reviewer = _reviewer(session, str(key))
        if chance.random() < 0.3:
            reviews.send_back(session, str(key), by=reviewer, now=now, reason="缺签到表")
        else:
            reviews.accept(session, str(key), by=reviewer, now=now)


def _reviewer(session: Session, key: str) -> Any:
    [(superior,)] = query(
        session, "SELECT superior FROM unit u JOIN work_item w ON w.unit_code = u.code WHERE w.key = :key", key=key
    )
    return office(superior or BUREAU)


@pytest.fixture(scope="module", params=KINDS)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        live(database, tmp_path_factory.mktemp("pack"))
        yield database


@pytest.fixture
def database(lived: Database) -> Iterator[Database]:
    with rewound(lived) as database:
        yield database


@dataclass
class Then:
    """An item on an evening, found by walking its rows one by one."""

    state: State
    returns: int
    deadline: date
    timing: Timing


def _dates(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _instant(value: Any) -> datetime:
    """The tables hold UTC without saying so."""
    return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).replace(tzinfo=UTC)


def recount(session: Session, day: date) -> dict[str, Then]:
    """Every item as it stood on the evening of a day, by its key: nothing of this is shared with the product's SQL."""
    end = at_hour(day + timedelta(days=1), 0)
    at = Thresholds.at(day, calendars(session, CODE).work)
    items = query(
        session, "SELECT id, key, opens_on, deadline, catch_up, created_at, duty_id FROM work_item ORDER BY id"
    )
    first = min(_instant(row[5]) for row in items)
    acts: dict[int, list[Any]] = {}
    for row in query(session, "SELECT item_id, act, state, at FROM entry ORDER BY item_id, revision"):
        acts.setdefault(row[0], []).append(row)
    moves: dict[int, list[Any]] = {}
    for row in query(session, "SELECT item_id, moved_at, opens_on, deadline, catch_up FROM item_move ORDER BY id"):
        moves.setdefault(row[0], []).append(row)
    found = {}
    for id, key, opens_on, deadline, catch_up, created_at, duty_id in items:
        if _instant(created_at) >= end and not (duty_id and _instant(created_at) == first):
            continue
        dates = (_dates(opens_on), _dates(deadline), catch_up)
        if later := next((row for row in moves.get(id, []) if _instant(row[1]) >= end), None):
            dates = (_dates(later[2]), _dates(later[3]), later[4])
        state, returns, submitted = State.SCHEDULED, 0, None
        for _, act, led_to, when in acts.get(id, []):
            if _instant(when) >= end:
                break
            state = State(led_to)
            returns += act == "send_back"
            submitted = submitted or (civil_date(_instant(when)) if act == "submit" else None)
        late = submitted is not None and submitted > dates[1]
        stands = timing(state, dates[0], dates[1], late, CatchUp(dates[2]) if dates[2] else None, returns, at)
        found[key] = Then(state, returns, dates[1], stands)
    return found


def expected(before: dict[str, Then], after: dict[str, Then]) -> dict[Change, set[str]]:
    found: dict[Change, set[str]] = {change: set() for change in Change}
    closed = (State.SCHEDULED, State.WAIVED, State.CANCELLED)
    for key, now in after.items():
        was = before.get(key)
        met = {
            Change.DONE: now.timing in DONE and not (was and was.timing in DONE),
            Change.LATE: now.timing in LATE and not (was and was.timing in LATE),
            Change.RELIEVED: was is not None and was.timing in LATE and now.timing not in LATE,
            Change.OPENED: (was is None or was.state is State.SCHEDULED) and now.state not in closed,
            Change.RETURNED: now.returns > (was.returns if was else 0),
            Change.MOVED: was is not None and was.deadline != now.deadline,
            Change.EXEMPT: now.timing is Timing.EXEMPT and not (was and was.timing is Timing.EXEMPT),
            Change.ADDED: was is None,
        }
        for change, so in met.items():
            if so:
                found[change].add(key)
    return found


def opened_at(session: Session, day: date, **more: Any) -> Reading:
    found = open_plan(session, CODE, as_of=day, now=NOW, **more)
    assert found is not None
    return found


PAIRS = [
    (date(2025, 7, 24), LAST),
    (date(2025, 7, 30), LAST),
    (date(2025, 3, 31), date(2025, 4, 30)),  # the revision lies between
    (date(2025, 4, 9), date(2025, 4, 10)),
    (date(2025, 2, 2), date(2025, 2, 9)),
    (date(2024, 12, 1), date(2025, 1, 31)),  # before the plan was loaded
    (date(2025, 5, 20), date(2025, 6, 20)),
    (date(2025, 1, 1), LAST),
]


@pytest.mark.parametrize(("since", "until"), PAIRS)
def test_what_changed_is_what_a_recount_finds(database: Database, since: date, until: date) -> None:
    with database.read() as session:
        reading = opened_at(session, until)
        found = change_counts(session, reading, since)
        wanted = expected(recount(session, since), recount(session, until))
        counties = dict(query(session, "SELECT w.key, u.county FROM work_item w JOIN unit u ON u.code = w.unit_code"))
        for change in Change:
            sums = Counter((key.split(":")[1], counties[key]) for key in wanted[change])
            assert {(o.requirement, o.county): o.counts[change] for o in found if o.counts[change]} == dict(sums), (
                change
            )
            listed = changed_items(session, reading, since, change, limit=1000)
            assert {row.key for row in listed.rows} == wanted[change]
            assert listed.total == len(wanted[change])


def test_every_change_was_met(database: Database) -> None:
    met: Counter[Change] = Counter()
    with database.read() as session:
        for since, until in PAIRS:
            for one in change_counts(session, opened_at(session, until), since):
                met.update(one.counts)
    assert {change for change in Change if met[change]} == set(Change)


@pytest.mark.parametrize(("since", "until"), PAIRS)
def test_both_days_and_what_lies_between_add_up(database: Database, since: date, until: date) -> None:
    with database.read() as session:
        changes = change_counts(session, opened_at(session, until), since)
        totals = []
        for day in (since, until):
            counts = tally.counts(session, CODE, day, now=NOW)
            totals.append({name: sum(c.n for c in counts if c.timing in group) for name, group in GROUPS.items()})
    gained = {change: sum(one.counts[change] for one in changes) for change in Change}
    for name in GROUPS:
        assert totals[1][name] - totals[0][name] == sum(getattr(one, name) for one in changes)
    assert totals[1]["done"] - totals[0]["done"] == gained[Change.DONE]
    assert totals[1]["late"] - totals[0]["late"] == gained[Change.LATE] - gained[Change.RELIEVED]


GROUPS = {"done": DONE, "late": LATE, "expected": frozenset(Timing) - NOT_EXPECTED}


def test_a_part_of_the_city_sees_its_own_changes(database: Database) -> None:
    since = date(2025, 6, 15)
    with database.read() as session:
        whole = change_counts(session, opened_at(session, LAST), since)
        county = change_counts(session, opened_at(session, LAST, scope=Scope((COUNTIES[0],))), since)
        alone = changed_items(
            session, opened_at(session, LAST, scope=Scope((village(1, 1),))), since, Change.OPENED, limit=1000
        )
        listed = changed_items(session, opened_at(session, LAST), since, Change.OPENED, under=COUNTIES[1], limit=1000)
        of_task = changed_items(session, opened_at(session, LAST), since, Change.OPENED, section="task-1", limit=1000)
    assert [one for one in whole if one.county == COUNTIES[0]] == list(county)
    assert county
    assert {row.unit for row in alone.rows} == {village(1, 1)}
    assert {row.county for row in listed.rows} == {COUNTIES[1]}
    assert {row.section for row in of_task.rows} == {"task-1"}


def test_pages_follow_each_other(database: Database) -> None:
    with database.read() as session:
        reading = opened_at(session, LAST)
        whole = changed_items(session, reading, FIRST, Change.OPENED, limit=1000)
        pages = [changed_items(session, reading, FIRST, Change.OPENED, skip=n, limit=7) for n in range(0, 21, 7)]
    assert [row.key for page in pages for row in page.rows] == [row.key for row in whole.rows[:21]]
    assert {page.total for page in pages} == {whole.total}


def test_the_statements_are_counted(database: Database) -> None:
    with database.read() as session:
        reading = opened_at(session, LAST)
        for since in (date(2025, 7, 30), date(2025, 1, 1)):
            with statements(database) as sent:
                change_counts(session, reading, since)
            assert len(sent) <= 4


def test_an_extension_moves_and_relieves(database: Database) -> None:
    """Asked for in time, late by yesterday, granted today: moved, and late no more."""
    yesterday = date(2025, 8, 1)
    with database.write() as session:
        owed = "SELECT key, unit_code FROM work_item WHERE state = 'open' AND deadline = '2025-07-31' ORDER BY key"
        key, unit = query(session, owed)[0]
        asked = extensions.request(
            session, key, wanted=date(2025, 8, 20), reason="防汛", by=office(unit), now=at_hour(LAST, 9)
        )
        extensions.grant(session, asked, by=_reviewer(session, key), now=at_hour(date(2025, 8, 2), 10))
        reading = open_plan(session, CODE, as_of=None, now=at_hour(date(2025, 8, 2), 11))
        assert reading is not None
        for change in (Change.MOVED, Change.RELIEVED):
            assert [row.key for row in changed_items(session, reading, yesterday, change).rows] == [key]


def test_the_last_circular_is_the_one_that_ended_last(database: Database) -> None:
    with database.write() as session:
        assert last_circular(session, opened_at(session, LAST)) is None
        circulars.issue(session, CODE, "weekly", "2025-W29", now=NOW)
        circulars.issue(session, CODE, "monthly", "2025-06", now=NOW)
        found = last_circular(session, opened_at(session, LAST))
    assert found is not None
    assert (found.kind, found.period, found.day) == ("weekly", "2025-W29", date(2025, 7, 20))
