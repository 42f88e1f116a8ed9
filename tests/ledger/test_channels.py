"""Channels in the ledger: confirmed by the number of their test message, one bucket for all, resting when they are down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from ledger import channels
from ledger.database import Database, connect
from policy_models.channels import ChannelKind
from policy_models.delivery import (
    CHANNEL_STATE_NAMES,
    DOWN_AFTER,
    ChannelState,
    Waiting,
    Way,
    burst,
    outage_pause,
)
from policy_models.errors import ActNotAllowed, NotFound
from tests.factories import instant, query
from tests.telling import GROUP, NUMBER, Plain, confirm_channel

NOW = instant("2025-03-03", 10)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CODE = GROUP.code


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = connect(database_url)
    yield database
    database.close()


@pytest.fixture
def confirmed(database: Database) -> Database:
    with database.write() as session:
        confirm_channel(session, GROUP, NOW)
    return database


def standing(database: Database) -> channels.ChannelStanding:
    with database.read() as session:
        return channels.standings(session)[CODE]


def state(database: Database, way: Way | None = GROUP, now: datetime = NOW) -> ChannelState:
    with database.read() as session:
        return channels.state_of(way, channels.standings(session).get(CODE), now)


# --- confirmed by its number


def test_a_channel_goes_from_untested_to_confirmed_and_back(database: Database) -> None:
    assert state(database) is ChannelState.UNTESTED
    with database.write() as session:
        channels.note_test(session, CODE, "webhook", GROUP.digest, number=NUMBER, now=NOW)
        assert channels.confirmed(session) == frozenset()
    assert state(database) is ChannelState.AWAITS
    with database.write() as session:
        assert channels.confirm(session, CODE, NUMBER, by="市民政局经办人", now=NOW + MINUTE)
    assert state(database) is ChannelState.CONFIRMED
    found = standing(database)
    assert (found.confirmed_by, found.confirmed_at, found.tested_at) == ("市民政局经办人", NOW + MINUTE, NOW)
    with database.write() as session:
        assert channels.confirmed(session) == {CODE}
        channels.withdraw(session, [CODE])
        assert channels.confirmed(session) == frozenset()
    assert state(database) is ChannelState.UNTESTED
    with database.write() as session, pytest.raises(ActNotAllowed, match="请重新发送测试消息"):
        channels.confirm(session, CODE, NUMBER, by="x", now=NOW)  # the old number opens nothing again


@pytest.mark.parametrize("typed", [" 271828 ", "２７１８２８", "271 828", "271\u3000828\n"])
def test_a_number_as_people_copy_it(database: Database, typed: str) -> None:
    with database.write() as session:
        channels.note_test(session, CODE, "webhook", "d1", number=NUMBER, now=NOW)
        assert channels.confirm(session, CODE, typed, by="x", now=NOW)


def test_five_wrong_numbers_and_the_test_is_void(database: Database) -> None:
    with database.write() as session:
        channels.note_test(session, CODE, "webhook", "d1", number=NUMBER, now=NOW)
        for wrong in ("000000", "", "27182", "2718281", "<script>"):
            assert not channels.confirm(session, CODE, wrong, by="x", now=NOW)
        with pytest.raises(ActNotAllowed, match="确认码已作废"):
            channels.confirm(session, CODE, NUMBER, by="x", now=NOW)
        channels.note_test(session, CODE, "webhook", "d1", number="314159", now=NOW)
        assert channels.confirm(session, CODE, "314159", by="x", now=NOW)


def test_a_test_of_other_settings_confirms_nothing(database: Database) -> None:
    with database.write() as session:
        channels.note_test(session, CODE, "webhook", "d1", number=NUMBER, now=NOW)
        with pytest.raises(ActNotAllowed, match="设置在测试之后有变"):
            channels.confirm(session, CODE, NUMBER, by="x", now=NOW, digest="d2")
        with pytest.raises(NotFound, match="还没有发送过测试消息"):
            channels.confirm(session, "other", NUMBER, by="x", now=NOW)


def test_a_new_test_takes_the_confirmation_back(confirmed: Database) -> None:
    with confirmed.write() as session:
        channels.note_test(session, CODE, "webhook", "d1", number="111111", now=NOW + MINUTE)
    assert state(confirmed) is ChannelState.AWAITS
    with confirmed.read() as session:
        assert channels.usable(session, {CODE: GROUP}, NOW) == frozenset()


def test_the_number_is_kept_as_a_hash(database: Database) -> None:
    with database.write() as session:
        channels.note_test(session, CODE, "webhook", "d1", number=NUMBER, now=NOW)
        assert NUMBER not in str(query(session, "SELECT * FROM channel"))


@pytest.mark.parametrize(
    ("way", "expected", "held"),
    [
        (GROUP, ChannelState.CONFIRMED, None),
        (Plain(digest="d2"), ChannelState.CHANGED, Waiting.UNCONFIRMED),
        (None, ChannelState.NOT_CONFIGURED, Waiting.NOT_CONFIGURED),
        (Plain(kind=ChannelKind.CONSOLE), ChannelState.ALWAYS, None),
    ],
)
def test_settings_decide_with_the_ledger(
    confirmed: Database, way: Way | None, expected: ChannelState, held: Waiting | None
) -> None:
    assert state(confirmed, way) is expected
    assert channels.holds_back(way, standing(confirmed), NOW) is held
    assert set(CHANNEL_STATE_NAMES) == set(ChannelState)


# --- one bucket for all workers


def take(database: Database, wanted: int, now: datetime, per_minute: int | None = 18) -> int:
    with database.claim() as session:
        return channels.take_tokens(session, CODE, per_minute, wanted, now)


def test_tokens_are_shared_and_refilled(confirmed: Database) -> None:
    assert take(confirmed, 5, NOW) == burst(18) == 2
    assert take(confirmed, 1, NOW) == 0
    second = 60 / (18 - burst(18) + 1)  # a token each
    assert take(confirmed, 5, NOW + timedelta(seconds=second - 0.01)) == 0
    assert take(confirmed, 5, NOW + timedelta(seconds=second + 0.01)) == 1
    assert take(confirmed, 5, NOW + timedelta(hours=1)) == 2
    assert take(confirmed, 500, NOW, per_minute=None) == 500
    with confirmed.claim() as session:
        assert channels.take_tokens(session, "inbox", None, 500, NOW) == 500


def test_a_message_in_parts_is_charged_for_each(confirmed: Database) -> None:
    """What a long letter took beyond its one token has to come back before the next may go."""
    assert take(confirmed, 9, NOW) == burst(18)
    with confirmed.claim() as session:
        channels.charge(session, CODE, 5)
    second = 60 / (18 - burst(18) + 1)  # a token each
    assert take(confirmed, 1, NOW + timedelta(seconds=5 * second)) == 0
    assert take(confirmed, 1, NOW + timedelta(seconds=6 * second + 0.1)) == 1


def test_a_worker_whose_clock_is_behind_takes_none_that_were_taken(confirmed: Database) -> None:
    assert take(confirmed, 5, NOW) == 2
    assert take(confirmed, 5, NOW - timedelta(hours=1)) == 0
    assert take(confirmed, 5, NOW + SECOND) == 0


def test_workers_at_one_instant_take_no_more_than_there_are(confirmed: Database) -> None:
    start = Barrier(6)

    def work(_n: int) -> int:
        start.wait()
        return sum(take(confirmed, 1, NOW, per_minute=60) for _ in range(5))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == burst(60) == 7


# --- resting


def fail(database: Database, message: int, now: datetime = NOW, error: str = "超时") -> bool:
    with database.claim() as session:
        return channels.note_failed(session, CODE, message, error=error, now=now)


def test_one_message_that_always_fails_shows_nothing_about_the_channel(confirmed: Database) -> None:
    assert [fail(confirmed, 1) for _ in range(10)] == [False] * 10
    assert (standing(confirmed).failures, state(confirmed)) == (1, ChannelState.CONFIRMED)
    assert fail(confirmed, 2) is False


def test_several_messages_in_a_row_and_the_channel_rests_longer_each_time(confirmed: Database) -> None:
    assert [fail(confirmed, n, error=f"第{n}次") for n in (1, 2, 3)] == [False, False, True]
    found = standing(confirmed)
    assert (found.failures, found.error, found.is_down) == (DOWN_AFTER, "第3次", True)
    assert found.paused_until == NOW + outage_pause(CODE, DOWN_AFTER)
    assert state(confirmed) is ChannelState.DOWN
    assert channels.holds_back(GROUP, found, NOW) is Waiting.DOWN
    assert take(confirmed, 5, NOW + MINUTE) == 0
    # after the rest one message tries it, and the others wait for what becomes of it
    later = NOW + timedelta(hours=1)
    assert take(confirmed, 5, later) == 1
    assert take(confirmed, 5, later + SECOND) == 0
    assert fail(confirmed, 4, later + SECOND) is True
    assert standing(confirmed).paused_until == later + SECOND + outage_pause(CODE, DOWN_AFTER + 1)
    latest = later + timedelta(hours=2)
    assert take(confirmed, 5, latest) == 1
    with confirmed.claim() as session:
        channels.note_sent(session, CODE, latest + SECOND)
    found = standing(confirmed)
    assert (found.failures, found.paused_until, found.sent_at) == (0, None, latest + SECOND)
    assert state(confirmed, now=latest + SECOND) is ChannelState.CONFIRMED


def test_a_probe_whose_worker_was_killed_is_followed_by_another(confirmed: Database) -> None:
    for n in (1, 2, 3):
        fail(confirmed, n)
    later = NOW + timedelta(hours=1)
    assert take(confirmed, 5, later) == 1
    assert take(confirmed, 5, later + channels.PROBE_LASTS + SECOND) == 1


def test_a_success_between_begins_the_count_anew(confirmed: Database) -> None:
    fail(confirmed, 1)
    fail(confirmed, 2)
    with confirmed.claim() as session:
        channels.note_sent(session, CODE, NOW)
    assert [fail(confirmed, n) for n in (3, 4)] == [False, False]


def test_a_channel_cools_down_as_it_asked(confirmed: Database) -> None:
    until = NOW + timedelta(minutes=10)
    with confirmed.claim() as session:
        channels.cool_down(session, CODE, until, error="发送过快（130101）", now=NOW)
        channels.cool_down(session, CODE, NOW + MINUTE, now=NOW)  # a longer rest stands
        channels.note_sent(session, CODE, NOW)  # one that was under way
    found = standing(confirmed)
    assert (found.paused_until, found.error, found.failures) == (until, "发送过快（130101）", 0)
    assert state(confirmed) is ChannelState.LIMITED
    assert channels.holds_back(GROUP, found, until - SECOND) is Waiting.LIMITED
    assert take(confirmed, 1, until - SECOND) == 0
    assert take(confirmed, 1, until) == 1


def test_what_was_under_way_when_it_broke_does_not_lengthen_the_rest(
    confirmed: Database, claimed_at: Callable[[int, datetime], None]
) -> None:
    for n in (1, 2, 3):
        fail(confirmed, n)
    rest = standing(confirmed).paused_until
    claimed_at(4, NOW - SECOND)
    assert fail(confirmed, 4, NOW + 5 * SECOND) is True
    assert (standing(confirmed).failures, standing(confirmed).paused_until) == (DOWN_AFTER, rest)
    claimed_at(5, NOW + SECOND)
    assert fail(confirmed, 5, NOW + 5 * SECOND) is True
    assert standing(confirmed).failures == DOWN_AFTER + 1


@pytest.fixture
def claimed_at(confirmed: Database) -> Callable[[int, datetime], None]:
    """Makes an outbox row that was claimed at an instant."""
    with confirmed.write() as session:
        session.execute(
            text("INSERT INTO unit (code, name, level, changed_at) VALUES ('9', '市', 'city', '2025-01-01 00:00:00')")
        )
        session.execute(
            text(
                "INSERT INTO plan (id, code, revision, title, starts_on, ends_on, coordinator, document, calendars,"
                " digest, go_live_on, catch_up, loaded_at, calendars_changed_at) VALUES (1, 'p', 1, 'p', '2025-01-01',"
                " '2025-12-31', '9', '{}', '{}', 'd', '2025-01-01', 'skip', '2025-01-01 00:00:00', '2025-01-01 00:00:00')"
            )
        )

    def make(message: int, at: datetime) -> None:
        with confirmed.write() as session:
            session.execute(
                text(
                    "INSERT INTO outbox (id, key, channel, kind, plan_id, recipient, as_of, state, queued_at,"
                    " next_try_at, claimed_at) VALUES (:id, :key, :code, 'reminder', 1, '9', '2025-03-03', 'claimed',"
                    " :at, :at, :at)"
                ),
                {"id": message, "key": f"k{message}", "code": CODE, "at": at.astimezone(UTC).replace(tzinfo=None)},
            )

    return make
