"""The outbox: claimed by one, recorded once, tried again with growing pauses, never lost and never doubled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from ledger.database import Database
from ledger.issuing import issue_due
from ledger.outbox import (
    ATTEMPTS,
    BACK_OFF,
    CLAIM_LASTS,
    LONGEST_PAUSE,
    MAIL_ATTEMPTS,
    claim,
    inbox,
    record_failed,
    record_sent,
    release_stale,
)
from ledger.reminders import queue_due
from tests.factories import CODE, KINDS, fresh_database, instant, load, query, rewound, tiny_pack, village

DAY = date(2025, 1, 26)  # a Sunday at work: three work days before 31 January, of which Spring Festival leaves none
NOW = instant(DAY)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Four villages with a message each."""
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=DAY, now=NOW, sections=["task-1"])
        with database.write() as session:
            assert queue_due(session, CODE, as_of=DAY, now=NOW).messages == 4
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def claimed(database: Database, now: datetime = NOW, by: str = "a", limit: int = 100) -> list[int]:
    with database.write() as session:
        return [message.id for message in claim(session, now=now, by=by, limit=limit)]


def states(database: Database) -> list[tuple[str, int]]:
    with database.read() as session:
        return [
            (state, attempts) for state, attempts in query(session, "SELECT state, attempts FROM outbox ORDER BY id")
        ]


def test_no_more_are_claimed_than_asked_for(database: Database) -> None:
    assert len(claimed(database, limit=3)) == 3
    assert len(claimed(database, limit=3)) == 1


def test_two_senders_never_get_the_same_message(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE outbox SET next_try_at = '2025-01-27' WHERE recipient LIKE '9002%'"))
    one, two = claimed(database), claimed(database, NOW + timedelta(days=2), by="b")
    assert (len(one), len(two), len({*one, *two})) == (2, 2, 4)
    assert claimed(database, NOW + timedelta(days=2)) == []


def test_a_message_carries_its_facts(database: Database) -> None:
    with database.write() as session:
        messages = claim(session, now=NOW, by="a")
    (first,) = (message for message in messages if message.notice.unit_code == village(1, 1))
    notice = first.notice
    assert (first.channel, first.kind, notice.plan_code, notice.plan_title) == ("inbox", "reminder", CODE, "小方案")
    assert (notice.unit_code, notice.unit_name, notice.as_of, notice.escalated) == (village(1, 1), "1县1村", DAY, False)
    (line,) = notice.lines
    assert (line.section, line.period, line.deadline, line.remind_by) == (
        "任务1",
        "2025年1月",
        date(2025, 1, 31),
        date(2025, 1, 27),
    )
    assert (line.step, line.workdays, line.key) == (-3, 1, f"{CODE}:1.2:{village(1, 1)}:2025-01")


def test_sent_is_recorded_with_its_words_and_shown_in_the_inbox(database: Database) -> None:
    claimed(database)
    with database.write() as session:
        ((first,),) = query(session, "SELECT id FROM outbox WHERE recipient = :unit", unit=village(1, 1))
        assert record_sent(session, first, subject="提醒", body="请报送", now=NOW + MINUTE)
        assert not record_sent(session, first, subject="再次", body="", now=NOW + 2 * MINUTE)
    with database.read() as session:
        ((message,), other) = inbox(session, village(1, 1)), inbox(session, village(1, 2))
    assert (message.subject, message.body, message.sent_at, other) == ("提醒", "请报送", NOW + MINUTE, ())


def test_tried_again_with_doubled_pauses_and_then_dead(database: Database) -> None:
    now = NOW
    for attempt in range(1, ATTEMPTS + 1):
        first = claimed(database, now)[0]
        with database.write() as session:
            record_failed(session, first, error="超时", permanent=False, now=now)
        if attempt < ATTEMPTS:
            assert states(database)[0] == ("pending", attempt)
            pause = BACK_OFF * 2 ** (attempt - 1)
            assert first not in claimed_then_given_back(database, now + pause - MINUTE)
            now += pause
    assert states(database)[0] == ("dead", ATTEMPTS)
    assert first not in claimed(database, now + timedelta(days=30))


def test_e_mail_is_tried_for_days(database: Database) -> None:
    """A mail server may be down over a weekend; the pauses grow up to six hours."""
    with database.write() as session:
        session.execute(text("UPDATE outbox SET channel = 'email'"))
    now, pauses = NOW, []
    for _ in range(MAIL_ATTEMPTS):
        first = claimed(database, now)[0]
        with database.write() as session:
            record_failed(session, first, error="超时", permanent=False, now=now)
            ((state, next_try),) = query(session, "SELECT state, next_try_at FROM outbox WHERE id = :id", id=first)
        again = datetime.fromisoformat(str(next_try)).replace(tzinfo=UTC)
        pauses.append(again - now)
        now = again
    assert state == "dead"
    assert pauses[:8] == [BACK_OFF * 2**n for n in range(7)] + [LONGEST_PAUSE]
    assert sum(pauses, timedelta()) > timedelta(days=3)


def claimed_then_given_back(database: Database, now: datetime) -> list[int]:
    with database.trial() as session:
        return [message.id for message in claim(session, now=now, by="b")]


def test_what_cannot_be_helped_is_dead_at_once(database: Database) -> None:
    first = claimed(database)[0]
    with database.write() as session:
        record_failed(session, first, error="地址不存在", permanent=True, now=NOW)
        record_failed(session, first, error="又一次", permanent=False, now=NOW)
    with database.read() as session:
        assert query(session, "SELECT state, error FROM outbox WHERE id = :id", id=first) == [("dead", "地址不存在")]


@pytest.mark.parametrize(("harmless", "state"), [({"inbox"}, "pending"), (set(), "uncertain")])
def test_the_claims_of_a_dead_sender(database: Database, harmless: set[str], state: str) -> None:
    claimed(database)
    with database.write() as session:
        assert release_stale(session, now=NOW + CLAIM_LASTS, idempotent_channels=harmless) == 0
        assert release_stale(session, now=NOW + CLAIM_LASTS + MINUTE, idempotent_channels=harmless) == 4
    assert states(database) == [(state, 1)] * 4
