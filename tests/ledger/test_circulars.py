"""通报: its figures against an independent count and the board's, issued once, queued to those who chose it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from ledger import circulars, issuing, reminders, submissions, tally
from ledger.circulars import Issued, due_periods, issue, issue_due
from ledger.civil import civil_date, end_of_day
from ledger.database import Database, Session
from ledger.entries import history
from ledger.plans import calendars
from ledger.queries.circular import circular_facts
from ledger.queries.reading import open_plan
from ledger.tables import channel, circular, outbox, person, person_address, unit, work_item
from policy_models.circular_periods import CircularKind, period_of, period_with
from policy_models.circular_words import worded
from policy_models.circulars import Circular
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound
from policy_models.lifecycle import Act, State
from policy_models.rollup import roll_up
from policy_models.rounds import HANDED_IN
from policy_models.timing import DONE, LATE, NOT_EXPECTED, CatchUp, Thresholds, Timing, timing
from tests.api.site import finish, send_back
from tests.factories import (
    BUREAU,
    CODE,
    COUNTIES,
    KINDS,
    SCHOOLS,
    fresh_database,
    full_evidence,
    instant,
    item,
    just_before,
    load,
    office,
    opened,
    query,
    rewound,
    statements,
    tiny_pack,
    village,
)

pytestmark = pytest.mark.thorough

WEEK, MONTH = period_of("weekly", "2025-W14"), period_of("monthly", "2025-03")  # 31 March to 6 April
MONDAY = instant("2025-04-07", 8, 40)  # the first work day after: 4 to 6 April is 清明
DAYS = [date(2025, 1, 1) + timedelta(days=n) for n in range(100)]


@pytest.fixture(scope="module", params=KINDS)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Three months of work: handed in on time and late, accepted, sent back once and twice, waived by nobody; reminded
    every day, and some of it answered."""
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), go_live_on=date(2025, 2, 1))
        play(database)
        yield database


def play(database: Database) -> None:
    one, two, three = village(1, 1), village(1, 2), village(2, 1)
    town = "900101"
    for day in DAYS:
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=day, now=instant(day, 7))
            reminders.queue_due(session, CODE, as_of=day, now=instant(day, 8, 40))
            deliver(session, instant(day, 8, 50))
        if day == date(2025, 2, 27):
            finish(database, item("1.2", one, "2025-02"), "2025-02-27", by=one, reviewer=town)
            finish(database, item("1.2", one, "2025-01"), "2025-02-27", by=one, reviewer=town)  # 补录
        if day == date(2025, 3, 5):
            finish(database, item("1.2", two, "2025-02"), "2025-03-05", by=two, reviewer=town)  # late
        if day == date(2025, 3, 28):  # a Friday: in March's circular, and before the week's
            finish(database, item("1.2", one, "2025-03"), "2025-03-28", by=one, reviewer=town)
            send_back(database, item("1.2", two, "2025-03"), "2025-03-28", by=two, reviewer=town)
        if day == date(2025, 3, 31):
            send_back(database, item("1.2", two, "2025-03"), "2025-03-31", by=two, reviewer=town)
            finish(
                database,
                item("2.1", f"{COUNTIES[0]}-mz", "2025Q1"),
                "2025-03-31",
                by=f"{COUNTIES[0]}-mz",
                reviewer=BUREAU,
            )
        if day == date(2025, 4, 2):
            submit(database, item("1.2", three, "2025-03"), "2025-04-02", three)  # waits for review
            finish(database, item("1.2", two, "2025-04"), "2025-04-02", by=two, reviewer=town)  # before its time


def submit(database: Database, key: str, day: str, unit_code: str) -> None:
    with database.write() as session:
        submissions.submit(session, key, by=office(unit_code), evidence=full_evidence(), now=instant(day, 10))


def deliver(session: Session, now: datetime) -> None:
    """What waits went out."""
    session.execute(update(outbox).where(outbox.c.state == "pending").values(state="sent", sent_at=now))


@pytest.fixture
def database(played: Database) -> Iterator[Database]:
    with rewound(played) as database:
        yield database


def facts(database: Database, kind: str, code: str, now: datetime = MONDAY) -> Circular:
    with database.read() as session:
        return circular_facts(session, CODE, period_of(kind, code), now=now)


# The same figures from the rows and entries, one by one in Python.
Line = dict[str, Any]


def lines(session: Session, day: date, first: date, last: date, until: datetime) -> dict[str, Line]:
    at = Thresholds.at(day, calendars(session, CODE).work)
    found: dict[str, Counter[str]] = {}
    owners = {row.code: row.county or row.code for row in session.execute(select(unit))}
    for row in session.execute(select(work_item)).all():
        entries = [entry for entry in history(session, row.id) if entry.at < until]
        state = entries[-1].state if entries else State.SCHEDULED
        reports = [civil_date(entry.at) for entry in entries if entry.act is Act.SUBMIT]
        late = bool(reports) and reports[0] > row.deadline
        returns = sum(entry.act is Act.SEND_BACK for entry in entries)
        catch_up = CatchUp(row.catch_up) if row.catch_up else None
        stand = timing(state, row.opens_on, row.deadline, late, catch_up, returns, at)
        if stand in NOT_EXPECTED:
            continue
        done, come, within = stand in DONE, row.deadline <= day, first <= row.deadline <= last
        prompt = bool(reports) and reports[0] <= row.deadline and state in HANDED_IN
        accepted = [entry.at for entry in entries if entry.act is Act.ACCEPT]
        wanted = {
            "expected": True,
            "due": come,
            "due_done": come and done,
            "done": done,
            "dated": come and not catch_up,
            "prompt": come and not catch_up and prompt,
            "waiting": stand is Timing.UNDER_REVIEW,
            "overdue": stand in LATE,
            "long_overdue": stand is Timing.LONG_OVERDUE,
            "in_due": within,
            "in_done": within and done,
            "in_waiting": within and stand is Timing.UNDER_REVIEW,
            "in_overdue": within and stand in LATE,
            "closed": done and any(end_of_day(first - timedelta(days=1)) <= one for one in accepted),
        }
        found.setdefault(owners[row.unit_code], Counter()).update({name: int(met) for name, met in wanted.items()})
    return {area: dict(counted) for area, counted in found.items()}


@pytest.mark.parametrize(("kind", "code"), [("weekly", "2025-W14"), ("monthly", "2025-03"), ("weekly", "2025-W09")])
def test_every_figure_equals_an_independent_count(database: Database, kind: str, code: str) -> None:
    period = period_of(kind, code)
    told = facts(database, kind, code)
    with database.read() as session:
        now = lines(session, period.last, period.first, period.last, end_of_day(period.last))
        gone = period.before
        before = lines(session, gone.last, gone.first, gone.last, end_of_day(gone.last))
    assert {one.code for one in told.areas} == {*COUNTIES, BUREAU}
    for area in told.areas:
        expected = {name: getattr(area, name) for name in now[area.code]}
        assert expected == now[area.code], area.name
        names = ("expected", "done", "overdue")
        assert [getattr(area, f"{name}_before") for name in names] == [before[area.code][name] for name in names]
    assert told.total.done - told.total.done_before == told.total.closed


def test_the_scenario_has_something_of_everything(database: Database) -> None:
    """Due by 6 April: three months of four villages, four winter vacations, two counties' phase and quarter. Overdue: two
    of February, the vacations, five of 31 March; red of them all but four that are late since then."""
    total = facts(database, "weekly", "2025-W14").total
    assert {name: getattr(total, name) for name in ("due", "due_done", "done", "dated", "prompt", "waiting")} == {
        "due": 20, "due_done": 5, "done": 6, "dated": 16, "prompt": 4, "waiting": 1,
    }  # fmt: skip
    assert (total.overdue, total.long_overdue, total.in_due, total.in_done, total.in_overdue) == (11, 7, 8, 2, 5)
    assert (total.closed, total.done_before, total.overdue_before) == (2, 4, 6)


@pytest.mark.parametrize(("kind", "code"), [("weekly", "2025-W14"), ("monthly", "2025-03")])
def test_the_board_of_that_day_says_the_same(database: Database, kind: str, code: str) -> None:
    """The tally of the day, as the board sums it, in the total, by county, by task with its light."""
    told = facts(database, kind, code)
    with database.read() as session:
        counts = tally.counts(session, CODE, told.day, now=MONDAY)
    board = roll_up(counts, lambda _: "")[""]
    assert (told.total.expected, told.total.due, told.total.done, told.total.overdue) == (
        board.expected,
        board.due,
        board.done,
        board.late,
    )
    assert (told.total.waiting, told.total.long_overdue) == (
        board.count(Timing.UNDER_REVIEW),
        board.count(Timing.LONG_OVERDUE),
    )
    by_county = roll_up(counts, lambda c: c.county)
    assert {one.code: (one.expected, one.done, one.overdue) for one in told.counties} == {
        code: (cell.expected, cell.done, cell.late) for code, cell in by_county.items() if code
    }
    by_task = roll_up(counts, lambda c: c.task)
    assert [(one.number, one.light, one.done, one.overdue) for one in told.tasks] == [
        (number, by_task[number].light, by_task[number].done, by_task[number].late) for number in (1, 2)
    ]


def test_a_preview_of_today_says_what_the_board_of_now_says(database: Database) -> None:
    """Replayed and read from the tables as they are: the same."""
    now = instant("2025-04-10", 18)
    with database.read() as session:
        running = circular_facts(session, CODE, period_with(CircularKind.WEEKLY, date(2025, 4, 10)), now=now)
        board = roll_up(tally.counts(session, CODE, date(2025, 4, 10), now=now), lambda _: "")[""]
    assert (running.issued_on, running.day) == (None, date(2025, 4, 10))
    assert (running.total.expected, running.total.done, running.total.overdue, running.total.due) == (
        board.expected, board.done, board.late, board.due,
    )  # fmt: skip


def test_acts_of_the_period_are_counted_by_the_civil_day(database: Database) -> None:
    week, month = facts(database, "weekly", "2025-W14"), facts(database, "monthly", "2025-03")
    assert (week.submitted, week.returned) == (4, 1)
    assert (month.submitted, month.returned) == (5, 2)


def test_what_comes_next_is_that_of_the_next_period_alone(database: Database) -> None:
    march = facts(database, "monthly", "2025-03", instant("2025-04-01"))
    assert [(str(one.deadline), one.requirement, one.units, one.waiting) for one in march.coming] == [
        ("2025-04-30", "1.2", 4, 4)
    ]
    assert march.coming[0].period == "2025年4月"
    assert facts(database, "weekly", "2025-W14").coming == ()


def test_reminders_of_the_period_and_what_came_of_them(database: Database) -> None:
    """Against a count in Python: what was sent from Monday on, and which items were handed in within 3 work days."""
    told = facts(database, "weekly", "2025-W14").chased
    with database.read() as session:
        work = calendars(session, CODE).work
        sent = query(
            session,
            "SELECT DISTINCT r.item_id, r.recipient, r.as_of FROM reminder r JOIN outbox_line l ON l.reminder_id = r.id"
            " WHERE r.as_of BETWEEN '2025-03-31' AND '2025-04-06'",
        )
        followed, running = set(), set()
        for item_id, _, day in sent:
            day = date.fromisoformat(str(day))
            reports = [e.at for e in history(session, item_id) if e.act is Act.SUBMIT]
            limit = min(end_of_day(work.shift(day, 3)), end_of_day(WEEK.last))
            if any(instant(day, 8, 40) <= at < limit for at in reports):
                followed.add(item_id)
            if work.shift(day, 3) > WEEK.last:
                running.add(item_id)
    assert (told.sent, told.items, told.units) == (len(sent), len({s[0] for s in sent}), len({s[1] for s in sent}))
    assert (told.followed, told.running, told.by_hand) == (len(followed), len(running - followed), 0)
    assert told.sent >= 10
    assert told.followed >= 3


def test_a_reminder_that_reached_nobody_is_not_counted(database: Database) -> None:
    before = facts(database, "weekly", "2025-W14").chased
    with database.write() as session:
        session.execute(
            update(outbox).where(outbox.c.as_of >= WEEK.first, outbox.c.as_of <= WEEK.last).values(state="dead")
        )
    assert before.sent > 0
    assert facts(database, "weekly", "2025-W14").chased.sent == 0


def test_a_circular_says_later_what_it_would_have_said_on_its_day(database: Database) -> None:
    then = facts(database, "weekly", "2025-W14")
    finish(database, item("2.1", f"{COUNTIES[1]}-mz", "2025Q1"), "2025-04-08", by=f"{COUNTIES[1]}-mz", reviewer=BUREAU)
    later = facts(database, "weekly", "2025-W14", instant("2025-06-01"))
    assert later.unreachable is None  # nobody knows today whom one could not reach then
    assert worded(replace(later, unreachable=then.unreachable)) == then


def test_units_that_nobody_can_reach_are_counted(database: Database) -> None:
    """Of the units that owe something: two counties' offices, four villages and the bureau; the schools owe nothing."""
    assert facts(database, "weekly", "2025-W14").unreachable == 7
    with database.write() as session:
        person_at(session, f"{COUNTIES[0]}-mz", "张甲", ("inbox", ""), liaison=True)
    told = facts(database, "weekly", "2025-W14")
    assert told.unreachable == 6
    assert told.sections[-1].text == "目前有6个承担任务的单位没有可以联系到的联络员，请有关单位及时补充。"


def test_as_many_statements_with_many_villages_as_with_few(database_url: str, tmp_path: Path) -> None:
    sent = []
    with opened(database_url) as database:
        for villages in (1, 40):
            load(database, tiny_pack(tmp_path, villages=villages))
            with statements(database) as seen, database.read() as session:
                circular_facts(session, CODE, WEEK, now=MONDAY)
            sent.append(len(seen))
    assert sent[0] == sent[1] <= 25


def test_a_period_that_has_not_begun_cannot_be_looked_at(database: Database) -> None:
    with pytest.raises(ActNotAllowed, match="2025年第15周尚未开始"):
        facts(database, "weekly", "2025-W15", instant("2025-04-06", 23, 59))
    with database.read() as session, pytest.raises(NotFound):
        circular_facts(session, "no-such", WEEK, now=MONDAY)


# Issuing


def due(database: Database, day: str, hour: int = 8, minute: int = 30) -> list[str]:
    with database.read() as session:
        return [one.code for one in due_periods(session, CODE, now=instant(day, hour, minute))]


def test_what_is_due_on_which_morning(database: Database) -> None:
    assert due(database, "2025-04-01") == ["2025-W13", "2025-03"]
    assert due(database, "2025-03-31", 8, 29) == ["2025-02"]  # of W12 nobody asks any more, W13 waits for 08:30
    assert due(database, "2025-03-31") == ["2025-W13", "2025-02"]
    assert due(database, "2025-04-06", 23) == ["2025-W13", "2025-03"]
    assert due(database, "2025-04-07") == ["2025-W14", "2025-03"]
    assert due(database, "2025-04-13", 23) == ["2025-W14", "2025-03"]


def test_a_plan_not_begun_or_long_ended_has_none(database: Database) -> None:
    assert due(database, "2024-12-30") == []
    assert due(database, "2025-01-06") == ["2025-W01"]  # ends on 5 January, after the plan's beginning
    assert due(database, "2026-01-12", 9) == ["2026-W02", "2025-12"]  # ended on 31 December
    assert due(database, "2026-03-02", 9) == []


def test_it_is_issued_once_and_frozen(database: Database) -> None:
    with database.write() as session:
        first = issue_due(session, CODE, now=MONDAY)
        assert [(one.kind.value, one.period, one.fresh) for one in first] == [
            ("weekly", "2025-W14", True),
            ("monthly", "2025-03", True),
        ]
        assert issue_due(session, CODE, now=MONDAY) == ()
        again = issue(session, CODE, "weekly", "2025-W14", now=instant("2025-04-09"))
    assert again == Issued(first[0].id, CircularKind.WEEKLY, "2025-W14", False, 0)
    finish(database, item("1.2", village(2, 2), "2025-03"), "2025-04-07", by=village(2, 2), reviewer="900201")
    with database.read() as session:
        kept = circulars.circular_by_id(session, first[0].id)
        assert circulars.circular_of(session, open_id(session), WEEK) == kept
        listed = circulars.circulars_of(session, open_id(session), 2025)
        [frozen] = session.execute(select(circular.c.facts).where(circular.c.id == first[0].id)).scalars()
        assert circulars.years_with_circulars(session, open_id(session)) == (2025,)
    assert [one.circular.period for one in listed] == ["2025-W14", "2025-03"]
    assert (kept.as_of, kept.issued_at) == (datetime(2025, 4, 6, 16, tzinfo=UTC), MONDAY)
    assert kept.circular.issued_on == date(2025, 4, 7)
    assert json.loads(frozen)["paragraphs"][0].startswith("截至4月6日，方案全程应办")
    assert 1 <= len(json.loads(frozen)["paragraphs"]) <= 8


def open_id(session: Session) -> int:
    reading = open_plan(session, CODE, as_of=None, now=MONDAY)
    assert reading is not None
    return reading.plan_id


@pytest.mark.parametrize("statement", ["UPDATE circular SET facts = '{}'", "DELETE FROM circular"])
def test_the_database_refuses_to_change_one(database: Database, statement: str) -> None:
    with database.write() as session:
        issue(session, CODE, "weekly", "2025-W14", now=MONDAY)
    with pytest.raises(DBAPIError, match="circular is append-only"), database.write() as session:
        session.execute(text(statement))


def test_what_cannot_be_issued(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(ActNotAllowed, match="2025年第14周还没有结束"):
            issue(session, CODE, "weekly", "2025-W14", now=instant("2025-04-06", 23, 59))
        with pytest.raises(ActNotAllowed, match="不在方案实施期间"):
            issue(session, CODE, "monthly", "2024-11", now=MONDAY)
        for plan, kind, code in (
            (CODE, "weekly", "2025-W99"),
            (CODE, "daily", "2025-W14"),
            ("none", "weekly", "2025-W14"),
        ):
            with pytest.raises(NotFound):
                issue(session, plan, kind, code, now=MONDAY)
        assert query(session, "SELECT count(*) FROM circular") == [(0,)]
        assert query(session, "SELECT count(*) FROM outbox WHERE kind IN ('weekly', 'monthly')") == [(0,)]


def test_two_at_the_same_moment_make_one(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url) as database, opened(postgres_url) as other:
        load(database, tiny_pack(tmp_path))

        def first() -> None:
            with other.write() as session:
                issue(session, CODE, "weekly", "2025-W14", now=MONDAY)

        with just_before(database, "INSERT INTO circular", first), pytest.raises(ChangedMeanwhile):  # noqa: SIM117
            with database.write() as session:
                issue(session, CODE, "weekly", "2025-W14", now=MONDAY)
        with database.read() as session:
            assert query(session, "SELECT count(*) FROM circular") == [(1,)]
            assert query(session, "SELECT count(*) FROM outbox WHERE kind = 'weekly'") == [(1,)]


# Whom it reaches


def person_at(
    session: Session, unit_code: str, name: str, *ways: tuple[str, str], bounced: str = "", **chosen: bool
) -> int:
    values = {"unit_code": unit_code, "name": name, "added_at": MONDAY, "changed_at": MONDAY, **chosen}
    id = int(session.execute(insert(person).values(**values).returning(person.c.id)).scalar_one())
    for position, (code, address) in enumerate(ways):
        at = MONDAY if code == bounced else None
        session.execute(
            insert(person_address).values(person_id=id, channel=code, address=address, position=position, bounced_at=at)
        )
    return id


def confirm(session: Session, code: str) -> None:
    told = {"kind": "email", "digest": "d", "confirmed_at": MONDAY, "confirmed_by": "测试"}
    session.execute(insert(channel).values(code=code, **told))


def queued(session: Session, kind: str) -> set[tuple[Any, ...]]:
    columns = "recipient, channel, person_id, address"
    return set(query(session, f"SELECT {columns} FROM outbox WHERE kind = '{kind}'"))


def test_only_those_who_chose_it_and_the_coordinators_inbox(database: Database) -> None:
    one, mz = f"{COUNTIES[0]}-jy", f"{COUNTIES[0]}-mz"
    mail = ("email", "zhang@example.org")
    with database.write() as session:
        confirm(session, "email")
        wanting = person_at(session, one, "张甲", ("robot", ""), mail, weekly=True)  # the robot was never confirmed
        person_at(session, one, "李乙", mail, monthly=True)
        person_at(session, one, "王丙", mail, weekly=True, active=False)
        person_at(session, SCHOOLS, "赵丁", mail, bounced="email", weekly=True)  # no way left: the unit's inbox
        person_at(session, mz, "孙戊", ("inbox", ""), mail, weekly=True)  # prefers the inbox
        person_at(session, mz, "周己", weekly=True)  # no way at all: the same inbox, once
        chief = person_at(session, BUREAU, "吴庚", mail, weekly=True, monthly=True)
        person_at(session, village(1, 1), "郑辛", mail)
        done = issue(session, CODE, "weekly", "2025-W14", now=MONDAY)
        assert queued(session, "weekly") == {
            (BUREAU, "inbox", None, None),
            (BUREAU, "email", chief, mail[1]),
            (one, "email", wanting, mail[1]),
            (SCHOOLS, "inbox", None, None),
            (mz, "inbox", None, None),
        }
        assert done.messages == 5
        rows = query(session, f"SELECT DISTINCT circular_id, state FROM outbox WHERE circular_id = {done.id}")
        assert rows == [(done.id, "pending")]


def test_a_closed_unit_is_told_nothing(database: Database) -> None:
    with database.write() as session:
        confirm(session, "email")
        person_at(session, f"{COUNTIES[1]}-jy", "张甲", ("email", "a@example.org"), weekly=True)
        closing = update(unit).where(unit.c.code == f"{COUNTIES[1]}-jy")
        session.execute(closing.values(closed_on=date(2025, 4, 7)))
        issue(session, CODE, "weekly", "2025-W14", now=MONDAY)
        assert queued(session, "weekly") == {(BUREAU, "inbox", None, None)}


def test_day_by_day_each_week_and_month_is_issued_once_on_a_work_day(database: Database) -> None:
    """Every morning of the year; a fortnight of silence in June loses what it spans but the last one of each kind."""
    silent = {date(2025, 6, 9) + timedelta(days=n) for n in range(14)}
    made: dict[str, date] = {}
    with database.write() as session:
        work = calendars(session, CODE).work
        for n in range(375):
            day = date(2025, 1, 1) + timedelta(days=n)
            if day not in silent:
                made |= {one.period: day for one in issue_due(session, CODE, now=instant(day, 8, 35)) if one.fresh}
    weeks = [period_with(CircularKind.WEEKLY, date(2025, 1, 1) + timedelta(weeks=n)) for n in range(54)]
    months = [period_of("monthly", f"2025-{n:02}") for n in range(1, 13)]
    expected = {one.code: one.issued_on(work) for one in [*weeks, *months] if one.issued_on(work) <= date(2026, 1, 10)}
    del expected["2025-W23"], expected["2025-W24"]  # due on 9 and 16 June
    assert expected["2025-W05"] == date(2025, 2, 5)  # 春节 to 4 February
    assert made == expected
    assert all(work.is_workday(day) for day in made.values())
