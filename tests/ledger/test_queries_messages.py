"""Messages as people look at them: why each that waits has not gone out, in pages of a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from ledger.database import Database
from ledger.issuing import issue_due
from ledger.outbox import claim, record_failed, record_sent
from ledger.queries.messages import messages, unsettled_by_channel
from ledger.reminders import queue_due
from policy_models.delivery import WAITING_NAMES, MessageState, Waiting, Way, pause_after
from tests.factories import CODE, KINDS, fresh_database, instant, load, rewound, statements, tiny_pack, village
from tests.telling import GROUP, Plain, add_liaison, confirm_channel, ways

DAY = instant("2025-01-26").date()
NOW = instant(DAY)
BOTH = ways(GROUP)
VILLAGE = village(1, 1)


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=DAY, now=NOW, sections=["task-1"])
            confirm_channel(session, GROUP, NOW)
            add_liaison(session, VILLAGE, GROUP, NOW, address="13800000000")
        with database.write() as session:
            assert queue_due(session, CODE, as_of=DAY, now=NOW).messages == 5
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def why(
    database: Database, now: datetime = NOW, by_ways: Mapping[str, Way] = BOTH
) -> tuple[Waiting | None, datetime | None]:
    with database.read() as session:
        [row] = messages(session, now=now, ways=by_ways, channel=GROUP.code).rows
    return row.waiting, row.not_before


def change(database: Database, statement: str) -> None:
    with database.write() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("now", "by_ways", "spoilt", "expected"),
    [
        (NOW, BOTH, None, (Waiting.NEXT, None)),
        (NOW, ways(), None, (Waiting.NOT_CONFIGURED, None)),
        (NOW, ways(Plain(digest="d2")), None, (Waiting.UNCONFIRMED, None)),
        (NOW, BOTH, "confirmed_at = NULL", (Waiting.UNCONFIRMED, None)),
        (instant("2025-01-26", 18), BOTH, None, (Waiting.CLOSED, instant("2025-01-27", 8, 30))),
        (instant("2025-01-27", 19), BOTH, None, (Waiting.CLOSED, instant("2025-02-05", 8, 30))),
        (
            NOW,
            BOTH,
            "failures = 3, paused_until = '2025-01-26 01:05:00'",
            (Waiting.DOWN, NOW + timedelta(minutes=5)),
        ),
        (NOW, BOTH, "paused_until = '2025-01-26 01:10:00'", (Waiting.LIMITED, NOW + timedelta(minutes=10))),
        (
            NOW,
            ways(Plain(per_minute=1)),
            "tokens = 0, refilled_at = '2025-01-26 01:00:00'",
            (Waiting.LIMITED, NOW + timedelta(minutes=1)),
        ),
    ],
    ids=["next", "gone", "changed", "withdrawn", "evening", "festival", "down", "asked", "bucket"],
)
def test_why_a_message_waits(
    database: Database,
    now: datetime,
    by_ways: Mapping[str, Way],
    spoilt: str | None,
    expected: tuple[Waiting, datetime | None],
) -> None:
    if spoilt:
        change(database, f"UPDATE channel SET {spoilt}")
    assert why(database, now, by_ways) == expected
    assert set(WAITING_NAMES) == set(Waiting)


def test_what_is_said_and_what_happens_agree(database: Database) -> None:
    """Whatever is called next goes out with the next claim, and nothing else does."""
    for hour in range(0, 24):
        now = instant("2025-01-27") + timedelta(hours=hour)
        with database.trial() as session:
            taken = {one.id for one in claim(session, now=now, by="a", ways=BOTH)}
        with database.read() as session:
            rows = messages(session, now=now, ways=BOTH).rows
        assert {row.id for row in rows if row.waiting is Waiting.NEXT} == taken


def test_a_message_that_failed_says_when_it_is_tried_again(database: Database) -> None:
    with database.write() as session:
        (row,) = (one.id for one in claim(session, now=NOW, by="a", ways=BOTH) if one.channel == GROUP.code)
        record_failed(session, row, error="超时", permanent=False, now=NOW)
    assert why(database) == (Waiting.AGAIN, NOW + pause_after(row, 1))
    with database.read() as session:
        (found,) = (one for one in messages(session, now=NOW, ways=BOTH).rows if one.id == row)
    assert (found.state, found.attempts, found.error, found.person_name) == (MessageState.PENDING, 1, "超时", "张三")
    assert (found.recipient, found.recipient_name, found.kind) == (VILLAGE, "1县1村", "reminder")
    assert "13800000000" not in str(found)


def test_settled_messages_wait_for_nothing(database: Database) -> None:
    with database.write() as session:
        first, second, third, *_ = (one.id for one in claim(session, now=NOW, by="a", ways=BOTH))
        record_sent(session, first, subject="提醒", body="b", now=NOW, answer="ok")
        record_failed(session, second, error="断", permanent=False, uncertain=True, now=NOW)
        record_failed(session, third, error="无此人", permanent=True, now=NOW)
    with database.read() as session:
        rows = {row.id: row for row in messages(session, now=NOW, ways=BOTH).rows}
        assert {row.waiting for row in rows.values()} == {None}
        assert (rows[first].answer, rows[first].subject, rows[first].sent_at) == ("ok", "提醒", NOW)
        assert unsettled_by_channel(session) == {"inbox": {MessageState.UNCERTAIN: 1, MessageState.DEAD: 1}}
        dead = messages(session, now=NOW, ways=BOTH, states=[MessageState.DEAD]).rows
        assert [row.id for row in dead] == [third]


def test_filters_and_pages(database: Database) -> None:
    with database.read() as session:
        first = messages(session, now=NOW, ways=BOTH, limit=2)
        second = messages(session, now=NOW, ways=BOTH, limit=2, cursor=first.cursor)
        third = messages(session, now=NOW, ways=BOTH, limit=2, cursor=second.cursor)
        ids = [row.id for page in (first, second, third) for row in page.rows]
        assert (len(ids), ids, third.cursor) == (5, sorted(set(ids), reverse=True), None)
        assert len(messages(session, now=NOW, ways=BOTH, unit_code=VILLAGE).rows) == 2
        assert messages(session, now=NOW, ways=BOTH, kinds=["chase"]).rows == ()
        assert len(messages(session, now=NOW, ways=BOTH, kinds=["reminder"], channel=GROUP.code).rows) == 1


def test_as_many_statements_for_one_as_for_all(database: Database) -> None:
    counted = []
    for limit in (1, 200):
        with database.read() as session, statements(database) as sent:
            messages(session, now=NOW, ways=BOTH, limit=limit)
        counted.append(sum(one.startswith("SELECT") for one in sent))
    assert counted == [3, 3]
