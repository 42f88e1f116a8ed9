"""催办记录 and the ladder of an item: each notice with its reason and what came of it, each silence with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ledger import outbox
from ledger.chasing import chase
from ledger.database import Database
from ledger.issuing import issue_due
from ledger.outbox import INBOX_ONLY
from ledger.queries.items import item as read_item
from ledger.queries.ladders import Came, LadderStep, day_of, item_ladder
from ledger.queries.messages import messages
from ledger.queries.outcomes import Outcome, Sending
from ledger.queries.reading import Reading, open_plan
from ledger.queries.reminders import NoticeFilter, NoticePage, NoticeRow, notice_page, notice_rows
from ledger.reminders import queue_due
from ledger.reviews import send_back
from ledger.submissions import submit, withdraw
from policy_models.errors import NotFound
from policy_models.ladder import LadderRule
from policy_models.quiet_hours import OpenHours
from tests.chasing import MAIL, add_person, confirm_mail
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
    statements,
    tiny_pack,
    village,
)

UNIT, OTHER, TOWN = village(1, 1), village(1, 2), "900101"
KEY, OTHER_KEY = item("1.2", UNIT, "2025-01"), item("1.2", OTHER, "2025-01")
SENDING = Sending({**INBOX_ONLY, MAIL.code: MAIL})
DAY = timedelta(days=1)


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 1), now=instant("2025-01-01", 6))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def ladder_runs(database: Database, *days: str) -> None:
    for day in days:
        with database.write() as session:
            issue_due(session, CODE, as_of=date.fromisoformat(day), now=instant(day, 6))
            queue_due(session, CODE, as_of=date.fromisoformat(day), now=instant(day, 7))


def send(database: Database, now: datetime, *, answer: str = "250 收到", sending: Sending = SENDING) -> int:
    """Everything that may go out at the instant goes out and is taken."""
    with database.write() as session:
        claimed = outbox.claim(session, now=now, by="test", ways=sending.ways)
        return sum(
            outbox.record_sent(
                session, one.id, subject="题", body="文", answer=answer * (one.channel == "email"), now=now
            )
            for one in claimed
        )


def reading_of(database: Database, now: datetime, as_of: date | None = None) -> Reading:
    with database.read() as session:
        reading = open_plan(session, CODE, as_of=as_of, now=now)
    assert reading is not None
    return reading


def page_of(database: Database, now: datetime, wanted: NoticeFilter = NoticeFilter(), **more: int) -> NoticePage:
    with database.read() as session:
        facts = {"skip": 0, "limit": 50, **more}
        return notice_page(session, reading_of(database, now), wanted, SENDING, **facts)


def told(database: Database, now: datetime, wanted: NoticeFilter = NoticeFilter(key=KEY)) -> list[tuple[object, ...]]:
    """Step, whom, person, channel and outcome of each notice, the newest first."""
    rows = page_of(database, now, wanted).rows
    return [(row.step, row.recipient, row.person_name, row.channel, row.outcome) for row in rows]


def person(database: Database, unit: str = UNIT, name: str = "王敏") -> None:
    with database.write() as session:
        add_person(session, unit, name, liaison=True, email="wang@example.cn")


def confirmed(database: Database) -> None:
    with database.write() as session:
        confirm_mail(session)


def test_a_reminder_from_queue_to_answer(database: Database) -> None:
    confirmed(database)
    person(database)
    ladder_runs(database, "2025-01-23")  # three work days before the 27th, the last one before the deadline
    early, open_at = instant("2025-01-23", 8), instant("2025-01-23", 9)
    assert told(database, early) == [
        (-3, UNIT, "王敏", "email", Outcome.CLOSED),
        (-3, UNIT, None, "inbox", Outcome.NEXT),
    ]
    assert told(database, open_at)[0][-1] is Outcome.NEXT
    assert send(database, open_at) == 5
    row = page_of(database, instant("2025-01-23", 20), NoticeFilter(key=KEY)).rows[0]
    assert row == NoticeRow(
        message=row.message,
        reminder=row.reminder,
        kind="reminder",
        key=KEY,
        title="事项1.2",
        section="task-1",
        period="2025-01",
        owes=UNIT,
        owes_name="1县1村",
        step=-3,
        audience="liaison",
        deadline=date(2025, 1, 31),
        by="",
        note=None,
        recipient=UNIT,
        recipient_name="1县1村",
        person_name="王敏",
        channel="email",
        day=date(2025, 1, 23),
        queued_at=instant("2025-01-23", 7),
        outcome=Outcome.SENT,
        sent_at=open_at,
        answer="250 收到",
        error=None,
    )


def test_open_hours_are_those_of_the_setting(database: Database) -> None:
    confirmed(database)
    person(database)
    ladder_runs(database, "2025-01-23")
    early, hours = (
        instant("2025-01-23", 8),
        OpenHours(datetime.min.time().replace(hour=7), datetime.min.time().replace(hour=20)),
    )
    with database.read() as session:
        rows = notice_page(
            session,
            reading_of(database, early),
            NoticeFilter(key=KEY),
            Sending(SENDING.ways, hours),
            skip=0,
            limit=9,
        ).rows
    assert [row.outcome for row in rows] == [Outcome.NEXT, Outcome.NEXT]


def test_nobody_to_reach_and_a_channel_that_was_not_confirmed(database: Database) -> None:
    ladder_runs(database, "2025-01-23")
    now = instant("2025-01-23", 9)
    send(database, now)
    assert told(database, now) == [(-3, UNIT, None, "inbox", Outcome.SENT), (-3, UNIT, None, None, Outcome.NOBODY)]
    person(database)
    confirmed(database)
    ladder_runs(database, "2025-01-27")
    with database.write() as session:
        session.exec_driver_sql("UPDATE channel SET digest = 'changed'")
    assert told(database, instant("2025-01-27", 9))[:2] == [
        (0, UNIT, "王敏", "email", Outcome.UNCONFIRMED),
        (0, UNIT, None, "inbox", Outcome.NEXT),
    ]
    with database.read() as session:
        reading = reading_of(database, instant("2025-01-27", 9))
        bare = notice_page(session, reading, NoticeFilter(key=KEY), Sending(INBOX_ONLY), skip=0, limit=9).rows
    assert bare[0].outcome is Outcome.NOT_CONFIGURED


def test_what_was_settled_or_moved_before_it_was_sent(database: Database) -> None:
    ladder_runs(database, "2025-01-23")
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-01-23", 8))
        session.exec_driver_sql(f"UPDATE work_item SET deadline = '2025-03-10' WHERE key = '{OTHER_KEY}'")
    now = instant("2025-01-23", 9)
    send(database, now)
    assert told(database, now)[0] == (-3, UNIT, None, "inbox", Outcome.SETTLED)
    assert told(database, now, NoticeFilter(key=OTHER_KEY))[0] == (-3, OTHER, None, "inbox", Outcome.MOVED)


@pytest.mark.parametrize(
    ("failures", "outcome"),
    [
        ({"permanent": True}, Outcome.DEAD),
        ({"permanent": False, "uncertain": True}, Outcome.UNCERTAIN),
        ({"permanent": False}, Outcome.AGAIN),
    ],
)
def test_what_could_not_be_handed_over(database: Database, failures: dict[str, bool], outcome: Outcome) -> None:
    confirmed(database)
    person(database)
    ladder_runs(database, "2025-01-23")
    now = instant("2025-01-23", 9)
    with database.write() as session:
        claimed = outbox.claim(session, now=now, by="test", ways=SENDING.ways)
        [mail] = [one for one in claimed if one.channel == "email"]
    assert told(database, now)[0][-1] is Outcome.SENDING
    with database.write() as session:
        outbox.record_failed(session, mail.id, error="对方拒收", now=now, **failures)
    row = page_of(database, now, NoticeFilter(key=KEY)).rows[0]
    assert (row.outcome, row.error) == (outcome, "对方拒收")


def test_a_channel_that_is_down(database: Database) -> None:
    confirmed(database)
    person(database)
    ladder_runs(database, "2025-01-23")
    with database.write() as session:
        session.exec_driver_sql("UPDATE channel SET failures = 3, paused_until = '2025-01-23 02:00:00'")
    assert told(database, instant("2025-01-23", 9, 59))[0][-1] is Outcome.DOWN
    assert told(database, instant("2025-01-23", 10, 1))[0][-1] is Outcome.NEXT


def test_the_cap_and_what_a_second_role_hears(database: Database) -> None:
    rule = LadderRule(cap=1)
    for day in ("2025-01-23", "2025-01-27"):
        with database.write() as session:
            issue_due(session, CODE, as_of=date.fromisoformat(day), now=instant(day, 6))
            add_person(session, UNIT, f"王{day}"[:1] + "敏强"[day.endswith("27")], liaison=True, principal=True)
            queue_due(session, CODE, as_of=date.fromisoformat(day), now=instant(day, 7), rule=rule)
    now = instant("2025-01-27", 9)
    assert told(database, now) == [(0, UNIT, None, None, Outcome.CAP), (-3, UNIT, None, "inbox", Outcome.NEXT)]


def test_a_return_and_a_chase_with_their_reasons(database: Database) -> None:
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-01-20", 9))
    with database.write() as session:
        send_back(session, KEY, by=office(TOWN), now=instant("2025-01-20", 10), reason="缺签到表")
    with database.write() as session:
        chase(session, [KEY], by=office(BUREAU), now=instant("2025-01-20", 11), words="请抓紧")
    rows = page_of(database, instant("2025-01-20", 12), NoticeFilter(key=KEY)).rows
    assert [(row.kind, row.by, row.note, row.channel, row.outcome) for row in rows] == [
        ("chase", f"市民政局 {BUREAU}经办人", "请抓紧", "inbox", Outcome.NEXT),
        ("chase", f"市民政局 {BUREAU}经办人", "请抓紧", None, Outcome.NOBODY),
        ("returned", f"{TOWN}经办人", "缺签到表", "inbox", Outcome.NEXT),
    ]


def test_filters_and_pages(database: Database) -> None:
    ladder_runs(database, "2025-01-23", "2025-01-27", "2025-02-05")
    now = instant("2025-02-05", 9)
    send(database, now)
    whole = page_of(database, now)
    assert whole.total == len(whole.rows) == sum(whole.counts.values())
    assert [row.queued_at for row in whole.rows] == sorted((row.queued_at for row in whole.rows), reverse=True)

    def count(**facts: object) -> int:
        return page_of(database, now, NoticeFilter(**facts)).total  # type: ignore[arg-type]

    by_unit = {row.recipient for row in whole.rows}
    assert sum(count(unit=unit) for unit in by_unit) == whole.total
    days = {row.day for row in whole.rows}
    assert days == {date(2025, 1, 23), date(2025, 1, 27), date(2025, 2, 5)}
    assert sum(count(day=day) for day in days) == whole.total
    assert {outcome: count(outcome=outcome) for outcome in Outcome if count(outcome=outcome)} == whole.counts
    assert page_of(database, now, NoticeFilter(outcome=Outcome.CAP)).counts == whole.counts
    assert (count(kind="reminder"), count(kind="chase"), count(unit="nobody"), count(key="nothing")) == (
        whole.total,
        0,
        0,
        0,
    )
    second = page_of(database, now, skip=3, limit=3)
    assert second.rows == whole.rows[3:6]
    with pytest.raises(NotFound, match="没有这一页"):
        page_of(database, now, skip=whole.total)
    with database.read() as session:
        assert tuple(notice_rows(session, reading_of(database, now), NoticeFilter(), SENDING)) == whole.rows
        past = notice_page(
            session, reading_of(database, now, date(2025, 1, 24)), NoticeFilter(), SENDING, skip=0, limit=99
        )
    assert {row.day for row in past.rows} == {date(2025, 1, 23)}


def ladder(database: Database, now: datetime, key: str = KEY, as_of: date | None = None) -> tuple[LadderStep, ...]:
    with database.read() as session:
        reading = reading_of(database, now, as_of)
        detail = read_item(session, reading, key)
        return item_ladder(session, reading, detail.row, detail.entries, SENDING)


def short(steps: tuple[LadderStep, ...]) -> list[tuple[int | None, str, Came, int]]:
    return [(one.step, str(one.day), one.came, len(one.notices)) for one in steps]


def test_the_whole_ladder_of_an_item(database: Database) -> None:
    ladder_runs(database, "2025-01-23", "2025-01-27")
    with database.write() as session:
        chase(session, [KEY], by=office(BUREAU), now=instant("2025-02-06", 10))
    ladder_runs(database, "2025-02-10")  # the 5th and the 7th went by: the step of +3 stands for +1 too
    steps = ladder(database, instant("2025-02-10", 9))
    assert short(steps) == [
        (-3, "2025-01-23", Came.TOLD, 2),
        (0, "2025-01-27", Came.TOLD, 2),
        (1, "2025-02-05", Came.PASSED, 0),
        (None, "2025-02-06", Came.TOLD, 2),
        (3, "2025-02-07", Came.TOLD, 3),
        (7, "2025-02-12", Came.AHEAD, 0),
    ]
    assert {one.day for one in steps[4].notices} == {date(2025, 2, 10)}
    assert short(ladder(database, instant("2025-02-12", 6)))[-1] == (7, "2025-02-12", Came.TODAY, 0)
    assert short(ladder(database, instant("2025-02-13", 6)))[-1] == (7, "2025-02-12", Came.NOT_RUN, 0)
    assert short(ladder(database, instant("2025-02-13"), as_of=date(2025, 1, 25))) == [
        (-3, "2025-01-23", Came.TOLD, 2),
        (0, "2025-01-27", Came.AHEAD, 0),
        (1, "2025-02-05", Came.AHEAD, 0),
        (3, "2025-02-07", Came.AHEAD, 0),
        (7, "2025-02-12", Came.AHEAD, 0),
    ]


def test_the_ladder_of_what_was_reported_and_withdrawn(database: Database) -> None:
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-01-22"))
    ladder_runs(database, "2025-01-23")
    assert [one[2] for one in short(ladder(database, instant("2025-01-24")))] == [Came.SETTLED] * 5
    with database.write() as session:
        withdraw(session, KEY, by=office(UNIT), now=instant("2025-01-24"))
    ladder_runs(database, "2025-01-27")
    assert short(ladder(database, instant("2025-02-05", 6))) == [
        (-3, "2025-01-23", Came.SETTLED, 0),
        (0, "2025-01-27", Came.TOLD, 2),
        (1, "2025-02-05", Came.TODAY, 0),
        (3, "2025-02-07", Came.AHEAD, 0),
        (7, "2025-02-12", Came.AHEAD, 0),
    ]


def test_after_a_return_the_steps_count_from_the_return(database: Database) -> None:
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-01-22"))
    with database.write() as session:
        send_back(session, KEY, by=office(TOWN), now=instant("2025-02-10"), reason="缺签到表")
    assert short(ladder(database, instant("2025-02-10", 12))) == [
        (-3, "2025-01-23", Came.SETTLED, 0),
        (0, "2025-01-27", Came.SETTLED, 0),
        (1, "2025-02-11", Came.AHEAD, 0),
        (3, "2025-02-13", Came.AHEAD, 0),
        (7, "2025-02-19", Came.AHEAD, 0),
    ]
    ladder_runs(database, "2025-02-11")
    found = ladder(database, instant("2025-02-11", 9))
    assert [(one.step, one.came) for one in found if one.notices] == [(1, Came.TOLD)]


def test_the_ladder_of_a_moved_deadline_begins_anew(database: Database) -> None:
    ladder_runs(database, "2025-01-23")
    with database.write() as session:
        session.exec_driver_sql(f"UPDATE work_item SET deadline = '2025-03-10' WHERE key = '{KEY}'")
    assert [(one.step, str(one.day), one.came, one.deadline) for one in ladder(database, instant("2025-01-24"))] == [
        (-3, "2025-01-23", Came.TOLD, date(2025, 1, 31)),
        (-3, "2025-03-05", Came.AHEAD, None),
        (0, "2025-03-10", Came.AHEAD, None),
        (1, "2025-03-11", Came.AHEAD, None),
        (3, "2025-03-13", Came.AHEAD, None),
        (7, "2025-03-19", Came.AHEAD, None),
    ]


def test_the_ladder_of_what_opens_later_and_of_the_time_before(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path), instant("2025-01-24"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 24), now=instant("2025-01-24", 6))
            session.exec_driver_sql(f"UPDATE work_item SET opens_on = '2025-01-28' WHERE key = '{OTHER_KEY}'")
        assert short(ladder(database, instant("2025-01-24")))[:2] == [
            (-3, "2025-01-23", Came.BEFORE, 0),
            (0, "2025-01-27", Came.AHEAD, 0),
        ]
        march = item("1.2", UNIT, "2025-03")
        assert [one[2] for one in short(ladder(database, instant("2025-01-24"), march))] == [Came.AHEAD] * 5
        assert short(ladder(database, instant("2025-03-28", 8), march))[0] == (-3, "2025-03-26", Came.UNOPENED, 0)


def test_nothing_is_said_of_what_is_dated_before(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path), instant("2025-04-10"))
        assert ladder(database, instant("2025-04-10")) == ()


def test_one_notice_and_hundreds_cost_the_same_statements(database_url: str, tmp_path: Path) -> None:
    def counted(database: Database, day: str) -> tuple[int, int, int]:
        now = instant(day)
        reading = reading_of(database, now)
        with database.read() as session, statements(database) as sent:
            query(session, "SELECT 1")  # SQLite begins with a statement
            sent.clear()
            found = notice_page(session, reading, NoticeFilter(), SENDING, skip=0, limit=300)
            paged = len(sent)
            detail = read_item(session, reading, KEY)
            before = len(sent)
            item_ladder(session, reading, detail.row, detail.entries, SENDING)
        return len(found.rows), paged, len(sent) - before

    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path, villages=300), instant("2025-01-01"))
        ladder_runs(database, "2025-01-20")
        with database.write() as session:
            chase(session, [KEY], by=office(BUREAU), now=instant("2025-01-20"))
        assert counted(database, "2025-01-20") == (2, 4, 4)
        ladder_runs(database, "2025-01-23")
        assert counted(database, "2025-01-23") == (300, 4, 4)
        with database.read() as session:
            assert query(session, "SELECT count(*) FROM reminder") == [(601,)]


@pytest.mark.parametrize(
    ("step", "deadline", "day"),
    [
        (-3, "2025-01-31", "2025-01-23"),
        (0, "2025-01-31", "2025-01-27"),
        (1, "2025-01-31", "2025-02-05"),
        (7, "2025-01-31", "2025-02-12"),
        (1, "2025-02-07", "2025-02-08"),  # a Saturday at work
    ],
)
def test_the_day_of_a_step(database: Database, step: int, deadline: str, day: str) -> None:
    work = reading_of(database, instant("2025-01-01")).calendars.work
    assert str(day_of(step, date.fromisoformat(deadline), work)) == day


@pytest.mark.parametrize("sending", [SENDING, Sending(INBOX_ONLY)])
@pytest.mark.parametrize(
    ("channel", "now"),
    [
        ("", instant("2025-01-23", 9)),
        ("", instant("2025-01-23", 8)),
        ("digest = 'other'", instant("2025-01-23", 9)),
        ("failures = 3, paused_until = '2025-01-23 02:00:00'", instant("2025-01-23", 9)),
        ("failures = 0, paused_until = '2025-01-23 02:00:00'", instant("2025-01-23", 9)),
        ("failures = 3, paused_until = '2025-01-23 02:00:00'", instant("2025-01-23", 19)),
        ("confirmed_at = NULL", instant("2025-01-23", 19)),
    ],
)
def test_why_messages_wait_is_said_as_the_outbox_says_it(
    database: Database, sending: Sending, channel: str, now: datetime
) -> None:
    """The same reasons by SQL for the record as one by one for the outbox."""
    confirmed(database)
    person(database)
    ladder_runs(database, "2025-01-23")
    with database.write() as session:
        session.exec_driver_sql(
            "UPDATE outbox SET next_try_at = '2025-01-23 05:00:00', attempts = 1 WHERE mod(id, 2) = 0"
        )
        if channel:
            session.exec_driver_sql(f"UPDATE channel SET {channel}")
    with database.read() as session:
        one_by_one = messages(session, now=now, ways=sending.ways, limit=99).rows
        reading = reading_of(database, now)
        found = notice_page(session, reading, NoticeFilter(), sending, skip=0, limit=99).rows
    assert {row.message: row.outcome.value for row in found if row.message} == {
        row.id: row.waiting.value for row in one_by_one if row.waiting
    }
    assert len(one_by_one) == 5
