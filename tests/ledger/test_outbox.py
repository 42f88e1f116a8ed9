"""The outbox: claimed by one, recorded once, tried again with growing pauses, never lost and never doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from ledger import chasing, extensions, reviews, submissions
from ledger.acts import Actor
from ledger.database import Database
from ledger.issuing import issue_due
from ledger.messages import Message
from ledger.outbox import (
    AFTER_OUTAGE,
    CLAIM_LASTS,
    Sent,
    claim,
    counts,
    inbox,
    limited_until,
    record_all,
    record_bounce,
    record_failed,
    record_sent,
    release_stale,
    resend,
)
from ledger.reminders import queue_due
from policy_models.delivery import ATTEMPTS, MAIL_ATTEMPTS, Way, pause_after
from policy_models.errors import ActNotAllowed, NotFound
from policy_models.notices import Addressee, CircularNotice, ReminderNotice, ReturnNotice
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    fresh_database,
    full_evidence,
    instant,
    item,
    load,
    office,
    query,
    rewound,
    statements,
    tiny_pack,
    village,
)
from tests.telling import GROUP, Plain, add_liaison, confirm_channel, ways

DAY = date(2025, 1, 26)  # a Sunday at work: three work days before 31 January, of which Spring Festival leaves none
NOW = instant(DAY)
MINUTE = timedelta(minutes=1)
BOTH = ways(GROUP)
VILLAGE = village(1, 1)
KEY = item("1.2", VILLAGE, "2025-01")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Four villages with a message each in the inbox; in two of them a liaison with one through the group's robot."""
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=DAY, now=NOW, sections=["task-1"])
            confirm_channel(session, GROUP, NOW)
            add_liaison(session, VILLAGE, GROUP, NOW)
            add_liaison(session, village(2, 1), GROUP, NOW, name="李四")
        with database.write() as session:
            assert queue_due(session, CODE, as_of=DAY, now=NOW).messages == 6
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def taken(
    database: Database, now: datetime = NOW, by: str = "a", limit: int = 100, by_ways: Mapping[str, Way] = BOTH
) -> tuple[Message, ...]:
    with database.write() as session:
        return claim(session, now=now, by=by, limit=limit, ways=by_ways)


def claimed(database: Database, now: datetime = NOW, by: str = "a", limit: int = 100) -> list[int]:
    return [message.id for message in taken(database, now, by, limit)]


def through(database: Database, now: datetime = NOW, by_ways: Mapping[str, Way] = BOTH) -> dict[str, int]:
    """How many messages could be claimed, by channel; nothing is kept of it."""
    found: dict[str, int] = {}
    with database.trial() as session:
        for message in claim(session, now=now, by="b", ways=by_ways):
            found[message.channel] = found.get(message.channel, 0) + 1
    return found


def states(database: Database, column: str = "state, attempts", where: str = "1 = 1") -> list[tuple[object, ...]]:
    with database.read() as session:
        return query(session, f"SELECT {column} FROM outbox WHERE {where} ORDER BY id")


def change(database: Database, statement: str, **values: object) -> None:
    with database.write() as session:
        session.execute(text(statement), values)


def test_no_more_are_claimed_than_asked_for(database: Database) -> None:
    assert len(claimed(database, limit=4)) == 4
    assert len(claimed(database, limit=4)) == 2


def test_two_senders_never_get_the_same_message(database: Database) -> None:
    change(database, "UPDATE outbox SET next_try_at = '2025-01-26 04:00:00' WHERE recipient LIKE '9002%'")
    one, two = claimed(database), claimed(database, NOW + timedelta(hours=4), by="b")
    assert (len(one), len(two), len({*one, *two})) == (3, 3, 6)
    assert claimed(database, NOW + timedelta(hours=4)) == []


def test_a_message_carries_its_facts(database: Database) -> None:
    messages = [one for one in taken(database) if isinstance(one.notice, ReminderNotice)]
    (first, second) = (one for one in messages if one.notice.to.unit_code == VILLAGE)  # type: ignore[union-attr]
    notice = first.notice
    assert isinstance(notice, ReminderNotice)
    assert (first.channel, first.kind, notice.plan_code, notice.plan_title) == ("inbox", "reminder", CODE, "小方案")
    assert (notice.to.unit_name, notice.to.person_name, notice.as_of, notice.escalated) == ("1县1村", None, DAY, False)
    assert (notice.chased_by, notice.words) == (None, None)
    (line,) = notice.lines
    assert (line.section, line.period, line.deadline, line.remind_by) == (
        "任务1",
        "2025年1月",
        date(2025, 1, 31),
        date(2025, 1, 27),
    )
    assert (line.step, line.workdays, line.key) == (-3, 1, KEY)
    assert isinstance(second.notice, ReminderNotice)
    assert (second.channel, second.notice.to.person_name, second.notice.lines) == ("mz-group", "张三", notice.lines)


def test_a_claim_costs_as_many_statements_for_one_as_for_six(database: Database) -> None:
    sent = []
    for limit in (1, 5):
        with statements(database) as found:
            assert len(claimed(database, limit=limit)) == limit
        sent.append(len([one for one in found if "SAVEPOINT" not in one]))
    assert sent[0] <= sent[1] <= sent[0] + 2  # the tokens of one channel more


# --- what may not go out


@pytest.mark.parametrize(
    ("by_ways", "why"),
    [
        (ways(), "not configured any more"),
        (ways(Plain(digest="d2")), "other settings than those that were tested"),
        (ways(Plain("other")), "another channel"),
    ],
)
def test_only_a_channel_as_it_was_confirmed_is_used(database: Database, by_ways: Mapping[str, Way], why: str) -> None:
    assert through(database, by_ways=by_ways) == {"inbox": 4}, why


@pytest.mark.parametrize(
    "change_to", ["confirmed_at = NULL", "paused_until = '2025-01-26 01:00:01'"], ids=["withdrawn", "resting"]
)
def test_a_channel_withdrawn_or_resting_waits(database: Database, change_to: str) -> None:
    change(database, f"UPDATE channel SET {change_to}")
    assert through(database) == {"inbox": 4}
    change(
        database,
        "UPDATE channel SET confirmed_at = tested_at, confirmed_by = 'x', paused_until = '2025-01-26 01:00:00'",
    )
    assert through(database) == {"inbox": 4, "mz-group": 2}


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        (instant("2025-01-26", 8, 29), 0),
        (instant("2025-01-26", 8, 30), 2),  # a Sunday that is worked
        (instant("2025-01-26", 17, 59), 2),
        (instant("2025-01-26", 18, 0), 0),
        (instant("2025-01-27", 10, 0), 2),
        (instant("2025-01-28", 10, 0), 0),  # Spring Festival, a Tuesday
        (instant("2025-02-05", 8, 31), 2),
        (instant("2025-02-15", 12, 0), 0),  # a Saturday
    ],
)
def test_what_leaves_the_machine_waits_for_an_open_hour(database: Database, moment: datetime, leaves: int) -> None:
    change(database, "UPDATE outbox SET next_try_at = '2025-01-20 00:00:00'")
    assert through(database, moment) == {"inbox": 4} | ({"mz-group": leaves} if leaves else {})


def test_a_bucket_is_emptied_and_fills_again(database: Database) -> None:
    slow = ways(Plain(per_minute=1))
    assert len(taken(database, by_ways=slow)) == 5  # the inbox, and the one token of the group
    assert taken(database, NOW + timedelta(seconds=59), by_ways=slow) == ()
    with database.read() as session:
        assert limited_until(session, slow, NOW + timedelta(seconds=30)) == NOW + MINUTE
        assert limited_until(session, slow, NOW + 2 * MINUTE) == NOW + 2 * MINUTE
    (last,) = taken(database, NOW + MINUTE, by_ways=slow)
    assert last.channel == "mz-group"
    with database.read() as session:
        assert limited_until(session, slow, NOW + timedelta(hours=1)) is None


# --- what need not be said any more


def test_what_was_handed_in_meanwhile_is_left_out_and_the_message_dropped(database: Database) -> None:
    with database.write() as session:
        submissions.submit(session, KEY, by=office(VILLAGE), evidence=full_evidence(), now=NOW)
    assert sorted(one.notice.to.unit_code for one in taken(database)) == sorted(  # type: ignore[union-attr]
        [village(1, 2), village(2, 1), village(2, 1), village(2, 2)]
    )
    assert states(database, "state, channel", f"recipient = '{VILLAGE}'") == [
        ("dropped", "inbox"),
        ("dropped", "mz-group"),
    ]
    with database.read() as session:
        assert query(
            session, "SELECT omitted, count(*) FROM outbox_line GROUP BY omitted ORDER BY omitted NULLS LAST"
        ) == [
            ("settled", 2),
            (None, 4),
        ]


def test_what_was_moved_meanwhile_is_left_out(database: Database) -> None:
    change(database, "UPDATE work_item SET deadline = '2025-02-28' WHERE key = :key", key=KEY)
    assert len(taken(database)) == 4
    with database.read() as session:
        assert query(
            session, "SELECT omitted, count(*) FROM outbox_line GROUP BY omitted ORDER BY omitted NULLS LAST"
        ) == [
            ("moved", 2),
            (None, 4),
        ]


def test_a_line_that_was_left_out_is_told_when_it_is_owed_again(database: Database) -> None:
    """Handed in, and taken back before the message could go out."""
    change(database, "UPDATE outbox_line SET omitted = 'settled'")
    assert len(taken(database)) == 6
    with database.read() as session:
        assert query(session, "SELECT DISTINCT omitted FROM outbox_line") == [(None,)]


def returned(database: Database, key: str = KEY, reason: str = "缺签到表") -> None:
    with database.write() as session:
        submissions.submit(session, key, by=office(VILLAGE), evidence=full_evidence(), now=NOW)
    with database.write() as session:
        reviews.send_back(session, key, by=office("900101"), now=NOW, reason=reason)


def of_kind(kind: str, messages: tuple[Message, ...]) -> list[Message]:
    return [one for one in messages if one.kind == kind]


def reason_in(message: Message) -> str:
    assert isinstance(message.notice, ReturnNotice)
    return message.notice.lines[0].reason


def test_a_return_is_told_with_its_own_reason(database: Database) -> None:
    returned(database)
    inner, outer = of_kind("returned", taken(database))
    assert (inner.channel, outer.channel, inner.notice.lines) == ("inbox", "mz-group", outer.notice.lines)  # type: ignore[union-attr]
    assert outer.notice is not None
    assert (outer.notice.by, outer.notice.to.person_name) == ("1县镇900101经办人", "张三")  # type: ignore[union-attr]
    assert isinstance(outer.notice, ReturnNotice)
    (line,) = outer.notice.lines
    assert (line.reason, line.period, line.deadline, line.key) == ("缺签到表", "2025年1月", date(2025, 1, 31), KEY)


def test_a_return_that_was_answered_or_replaced_is_dropped(database: Database) -> None:
    returned(database)
    returned(database, reason="仍缺")
    told = of_kind("returned", taken(database))
    assert [reason_in(one) for one in told] == ["仍缺", "仍缺"]
    assert states(database, "state, count(*)", "kind = 'returned' GROUP BY state, id, kind")[:2] == [("dropped", 1)] * 2
    with database.write() as session:
        resend_all = "UPDATE outbox SET state = 'pending' WHERE kind = 'returned'"
        session.execute(text(resend_all))
        submissions.submit(session, KEY, by=office(VILLAGE), evidence=full_evidence(), now=NOW)
    assert of_kind("returned", taken(database)) == []
    assert set(states(database, "state", "kind = 'returned'")) == {("dropped",)}


@pytest.mark.parametrize("granted", [True, False])
def test_a_decision_on_an_extension_is_told(database: Database, granted: bool) -> None:
    wanted = date(2025, 2, 14)
    with database.write() as session:
        asked = extensions.request(session, KEY, wanted=wanted, reason="大雪封路", by=office(VILLAGE), now=NOW)
        if granted:
            extensions.grant(session, asked, by=office("900101"), now=NOW, until=date(2025, 2, 10))
        else:
            extensions.refuse(session, asked, by=office("900101"), now=NOW, reason="路已通")
    inner, outer = of_kind("extension", taken(database))
    assert (inner.channel, outer.channel) == ("inbox", "mz-group")
    assert (outer.notice.granted, outer.notice.wanted) == (granted, wanted)  # type: ignore[union-attr]
    line = outer.notice.line  # type: ignore[union-attr]
    expected = (date(2025, 2, 10), "") if granted else (date(2025, 1, 31), "路已通")
    assert (line.deadline, line.reason, line.key) == (*expected, KEY)


def test_a_chase_by_hand_names_the_office_and_its_words(database: Database) -> None:
    with database.write() as session:
        chasing.chase(session, [KEY], by=Actor(BUREAU, "王处"), now=NOW, words="请今日内报送")
    inner, outer = of_kind("chase", taken(database))
    assert (inner.channel, outer.channel) == ("inbox", "mz-group")
    notice = outer.notice
    assert isinstance(notice, ReminderNotice)
    assert (notice.chased_by, notice.words, notice.as_of) == ("市民政局", "请今日内报送", DAY)
    assert ([line.key for line in notice.lines], notice.lines[0].step) == ([KEY], 0)


def test_what_is_sent_of_a_chase_is_what_was_previewed(database: Database) -> None:
    by = Actor(BUREAU, "王处")
    with database.write() as session:
        shown = chasing.preview(session, [KEY], by=by, now=NOW, words="请今日内报送").units[0].notice
        chasing.chase(session, [KEY], by=by, now=NOW, words="请今日内报送")
    _inner, outer = of_kind("chase", taken(database))
    assert outer.notice == shown


def test_a_circular_carries_what_was_frozen(database: Database) -> None:
    facts = json.dumps({"title": "第4周通报", "paragraphs": ["一、总体情况。", "二、逾期情况。"]}, ensure_ascii=False)
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO circular (id, plan_id, kind, period, as_of, facts, issued_at) VALUES (7, 1, 'weekly',"
                " '2025-W04', '2025-01-26', :facts, '2025-01-26')"
            ),
            {"facts": facts},
        )
        session.execute(
            text(
                "INSERT INTO outbox (key, channel, kind, plan_id, recipient, circular_id, as_of, queued_at, next_try_at)"
                " VALUES ('w', 'inbox', 'weekly', 1, :unit, 7, '2025-01-26', '2025-01-26', '2025-01-26')"
            ),
            {"unit": VILLAGE},
        )
    (found,) = of_kind("weekly", taken(database))
    to = Addressee(VILLAGE, "1县1村", None)
    assert found.notice == CircularNotice(CODE, "小方案", to, 7, "第4周通报", ("一、总体情况。", "二、逾期情况。"))


# --- facts that cannot be had


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        ("UPDATE outbox SET kind = 'weekly' WHERE id = :id", "TypeError"),
        ("UPDATE outbox SET kind = 'unheard-of' WHERE id = :id", "ValueError"),
        ("UPDATE outbox SET kind = 'returned' WHERE id = :id", "IndexError"),
    ],
)
def test_a_poisoned_message_comes_without_facts_and_stops_no_other(
    database: Database, spoilt: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    ((first,), *_) = states(database, "id")
    change(database, spoilt, id=first)
    change(database, "UPDATE work_item SET state = 'returned', reason = 'x' WHERE key = :key", key=KEY)
    found = taken(database)
    assert len(found) == 6
    (poisoned,) = (one for one in found if one.notice is None)
    assert (poisoned.id, poisoned.fault) == (first, f"消息的内容无法从台账读出（{says}）")
    assert sum("内容无法读出" in record.message for record in caplog.records) == 1


# --- what became of it


def test_sent_is_recorded_with_its_words_and_shown_in_the_inbox(database: Database) -> None:
    claimed(database)
    ((first,), *_) = states(database, "id", f"recipient = '{VILLAGE}'")
    with database.write() as session:
        assert record_sent(session, first, subject="提醒", body="请报送", now=NOW + MINUTE, answer="ok\0" + "长" * 400)  # type: ignore[arg-type]
        assert not record_sent(session, first, subject="再次", body="", now=NOW + 2 * MINUTE)  # type: ignore[arg-type]
    with database.read() as session:
        ((message,), other) = inbox(session, VILLAGE), inbox(session, village(1, 2))
    assert (message.subject, message.body, message.sent_at, other) == ("提醒", "请报送", NOW + MINUTE, ())
    assert states(database, "answer", f"id = {first}") == [("ok" + "长" * 298,)]


def test_a_batch_is_recorded_in_one_statement(database: Database) -> None:
    ids = claimed(database, limit=4)
    with database.write() as session:
        record_failed(session, ids[0], error="断", permanent=True, now=NOW)
        with statements(database) as sent:
            done = record_all(session, [Sent(id, f"第{id}条", "请报送") for id in ids], now=NOW)
    assert (done, len(sent)) == (3, 1)
    assert states(database, "state, subject", f"id <= {max(ids)} AND channel = 'inbox'") == [
        ("dead", None),
        *(("sent", f"第{id}条") for id in ids[1:]),
    ]


def test_tried_again_with_doubled_pauses_and_then_dead(database: Database) -> None:
    now = NOW
    for attempt in range(1, ATTEMPTS + 1):
        first = claimed(database, now)[0]
        with database.write() as session:
            record_failed(session, first, error="超时", permanent=False, now=now)
        if attempt < ATTEMPTS:
            assert states(database)[0] == ("pending", attempt)
            pause = pause_after(first, attempt)
            assert through(database, now + pause - timedelta(seconds=1)) == {}
            now += pause
    assert states(database)[0] == ("dead", ATTEMPTS)
    assert first not in claimed(database, now + timedelta(days=30))


def test_a_failure_of_the_channel_is_not_counted_against_the_message(database: Database) -> None:
    first = claimed(database)[0]
    with database.write() as session:
        record_failed(session, first, error="503", permanent=True, blamed=False, now=NOW)
    assert states(database, "state, attempts, error")[0] == ("pending", 0, "503")
    assert claimed(database, NOW + AFTER_OUTAGE) == [first]


def test_e_mail_is_tried_for_days(database: Database) -> None:
    """A mail server may be down over a weekend; the pauses grow up to six hours."""
    first = claimed(database)[0]
    change(database, "UPDATE outbox SET channel = 'email' WHERE id = :id", id=first)
    now = NOW
    for attempt in range(1, MAIL_ATTEMPTS + 1):
        change(database, "UPDATE outbox SET state = 'claimed', attempts = :n WHERE id = :id", n=attempt, id=first)
        with database.write() as session:
            record_failed(session, first, error="超时", permanent=False, now=now)
            ((state, next_try),) = query(session, "SELECT state, next_try_at FROM outbox WHERE id = :id", id=first)
        if state == "pending":
            now = datetime.fromisoformat(str(next_try)).replace(tzinfo=UTC)
    assert state == "dead"
    assert now - NOW == sum((pause_after(first, n) for n in range(1, MAIL_ATTEMPTS)), timedelta())


def test_what_cannot_be_helped_is_dead_at_once(database: Database) -> None:
    first = claimed(database)[0]
    with database.write() as session:
        record_failed(session, first, error="地址不存在", permanent=True, now=NOW)
        record_failed(session, first, error="又一次", permanent=False, now=NOW)
    assert states(database, "state, error", f"id = {first}") == [("dead", "地址不存在")]


@pytest.mark.parametrize(("harmless", "state"), [({"inbox", "mz-group"}, "pending"), (set(), "uncertain")])
def test_the_claims_of_a_dead_sender(database: Database, harmless: set[str], state: str) -> None:
    claimed(database)
    with database.write() as session:
        assert release_stale(session, now=NOW + CLAIM_LASTS, idempotent_channels=harmless) == 0
        assert release_stale(session, now=NOW + CLAIM_LASTS + MINUTE, idempotent_channels=harmless) == 6
    assert states(database) == [(state, 1)] * 6


def test_a_slow_sender_whose_claim_was_called_uncertain_makes_it_certain(database: Database) -> None:
    first, *_ = claimed(database)
    with database.write() as session:
        release_stale(session, now=NOW + CLAIM_LASTS + MINUTE, idempotent_channels=())
        assert record_sent(session, first, subject="提醒", body="请报送", now=NOW + CLAIM_LASTS + 2 * MINUTE)
        assert counts(session) == {"sent": 1, "uncertain": 5}


def test_dead_and_uncertain_messages_are_sent_again_by_hand(database: Database) -> None:
    dead, unsure, sent, *_ = claimed(database)
    with database.write() as session:
        record_failed(session, dead, error="地址不存在", permanent=True, now=NOW)
        record_failed(session, unsure, error="断", permanent=False, uncertain=True, now=NOW)
        record_sent(session, sent, subject="s", body="b", now=NOW)
    with database.write() as session:
        resend(session, dead, by="市民政局经办人", now=NOW + MINUTE)
        resend(session, unsure, by="市民政局经办人", now=NOW + MINUTE)
        for wrong in (dead, sent):
            with pytest.raises(ActNotAllowed, match="只有未能送达或不能确定是否送达的消息可以重新发送"):
                resend(session, wrong, by="x", now=NOW)
        with pytest.raises(NotFound, match="没有编号为 1000000000 的消息"):
            resend(session, 10**9, by="x", now=NOW)
    where = f"id IN ({dead}, {unsure})"
    assert states(database, "state, attempts, resent_by", where) == [("pending", 0, "市民政局经办人")] * 2
    assert sorted(claimed(database, NOW + MINUTE)) == sorted([dead, unsure])


def test_a_message_is_sent_again_to_the_address_that_was_set_right(database: Database) -> None:
    (row,) = (one.id for one in taken(database) if one.channel == GROUP.code and ":9001" in one.key)
    change(database, "UPDATE outbox SET state = 'dead', address = 'wrong' WHERE id = :id", id=row)
    change(database, "UPDATE person_address SET address = 'right'")
    with database.write() as session:
        resend(session, row, by="x", now=NOW)
    (again,) = taken(database)
    assert (again.id, again.address) == (row, "right")


def test_a_letter_that_came_back_is_dead(database: Database) -> None:
    first, second, *_ = claimed(database)
    with database.write() as session:
        record_sent(session, first, subject="s", body="b", now=NOW)
        assert record_bounce(session, first, "邮箱不存在（550）", now=NOW + MINUTE)
        assert not record_bounce(session, second, "邮箱不存在（550）", now=NOW + MINUTE)  # still on its way
        assert not record_bounce(session, 10**9, "邮箱不存在（550）", now=NOW + MINUTE)
    assert states(database, "state, error", f"id = {first}") == [("dead", "退信：邮箱不存在（550）")]
