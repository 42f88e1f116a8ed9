"""催办 by hand: who may chase whom, what is sent and what is left out, once a day whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from ledger import outbox
from ledger.acts import Actor
from ledger.chase_scope import MOST
from ledger.chasing import Chased, LeftOut, chase, preview
from ledger.database import Database
from ledger.issuing import issue_due
from ledger.queries.chases import chase_sent, overdue
from ledger.queries.reading import open_plan
from ledger.submissions import submit
from policy_models.delivery import Way
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound, NotResponsible, PrivacyBlocked
from policy_models.notices import Addressee
from tests.chasing import MAIL, add_person, confirm_mail
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    SCHOOLS,
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

UNIT, OTHER, TOWN, COUNTY = village(1, 1), village(1, 2), "900101", "9001-mz"
DAY = "2025-02-07"  # the January items (due on the 31st) are overdue by three work days
NOW = instant(DAY, 10)
KEY, OTHER_KEY = item("1.2", UNIT, "2025-01"), item("1.2", OTHER, "2025-01")
FEBRUARY = item("1.2", UNIT, "2025-02")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=NOW.date(), now=instant(DAY, 6))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def do(database: Database, *keys: str, by: str = BUREAU, now: datetime = NOW, words: str = "", **more: bool) -> Chased:
    with database.write() as session:
        return chase(session, keys, by=office(by), now=now, words=words, **more)


def queued(database: Database) -> list[tuple[str, str, int | None, int]]:
    """Recipient, channel, person and number of lines of each chasing message."""
    with database.read() as session:
        return query(
            session,
            "SELECT o.recipient, o.channel, o.person_id, count(*) FROM outbox o JOIN outbox_line l ON l.message_id = o.id "
            "WHERE o.kind = 'chase' GROUP BY o.id, o.recipient, o.channel, o.person_id ORDER BY o.id",
        )


def noted(database: Database) -> list[tuple[str, str, str, str | None, str | None]]:
    with database.read() as session:
        rows = query(
            session,
            "SELECT w.key, m.recipient, m.audience, m.withheld, m.note FROM reminder m JOIN work_item w ON w.id = m.item_id "
            "WHERE m.step IS NULL ORDER BY m.id",
        )
    return [tuple(row) for row in rows]


def test_the_preview_is_what_the_message_says(database: Database) -> None:
    with database.write() as session:
        confirm_mail(session)
        person = add_person(session, UNIT, "王敏", liaison=True, email="wang@example.cn")
        found = preview(session, [FEBRUARY, KEY], by=office(BUREAU), now=NOW, words="请抓紧")
    [one] = found.units
    assert (one.code, one.people, one.told_at) == (UNIT, ("王敏",), None)
    assert (found.keys, found.passed, found.goes_out_at, found.unreachable) == ((KEY, FEBRUARY), (), NOW, ())
    assert one.notice.to == Addressee(UNIT, "1县1村", "王敏")
    assert [(line.title, line.period, line.workdays) for line in one.notice.lines] == [
        ("事项1.2", "2025年1月", -3),
        ("事项1.2", "2025年2月", 16),
    ]
    assert do(database, FEBRUARY, KEY, words=" 请抓紧 \n").messages == 2
    ways: dict[str, Way] = {**outbox.INBOX_ONLY, MAIL.code: MAIL}
    with database.write() as session:
        messages = outbox.claim(session, now=NOW, by="test", ways=ways)
    assert [(m.channel, m.kind, m.address) for m in messages] == [
        ("inbox", "chase", None),
        ("email", "chase", "wang@example.cn"),
    ]
    assert messages[1].notice == one.notice
    assert queued(database) == [(UNIT, "inbox", None, 2), (UNIT, "email", person, 2)]


def test_twice_is_once_and_is_told(database: Database) -> None:
    first = do(database, KEY, OTHER_KEY, words="请抓紧")
    assert (first.items, first.messages, first.passed) == (2, 2, ())
    again = do(database, KEY, OTHER_KEY, words="请抓紧", now=instant(DAY, 11))
    assert (again.batch, again.items, again.messages) == (first.batch, 0, 0)
    assert [(one.key, one.reason, one.why) for one in again.passed] == [
        (KEY, LeftOut.CHASED, "今天已催办过"),
        (OTHER_KEY, LeftOut.CHASED, "今天已催办过"),
    ]
    assert len(noted(database)) == 2
    part = do(database, KEY, FEBRUARY)  # about another item, on the same day: a message of its own
    assert (part.items, part.messages, [one.key for one in part.passed]) == (1, 1, [KEY])
    assert queued(database) == [(UNIT, "inbox", None, 1), (OTHER, "inbox", None, 1), (UNIT, "inbox", None, 1)]
    later = do(database, KEY, now=instant("2025-02-08", 9))
    assert (later.items, later.passed) == (1, ())


def test_somebody_elses_chase_of_today_is_no_sending_of_mine(database: Database) -> None:
    do(database, KEY)
    again = do(database, KEY, by=TOWN)
    assert (again.batch, again.items, [one.reason for one in again.passed]) == (None, 0, [LeftOut.CHASED])


def test_what_is_left_out_is_named(database: Database) -> None:
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=NOW)
        session.exec_driver_sql(f"UPDATE unit SET closed_on = '2025-02-07' WHERE code = '{OTHER}'")
    summer = item("2.2", UNIT, "2025-summer")
    with database.read() as session:
        found = preview(session, [KEY, OTHER_KEY, FEBRUARY, summer], by=office(BUREAU), now=NOW)
    assert found.keys == (FEBRUARY,)
    assert [(one.key, one.reason, one.why) for one in found.passed] == [
        (KEY, LeftOut.SETTLED, "现为“待审核”"),
        (OTHER_KEY, LeftOut.CLOSED, "单位已停用"),
        (summer, LeftOut.UNOPENED, "尚未启动"),
    ]
    assert do(database, KEY, OTHER_KEY, FEBRUARY, summer).passed == found.passed
    assert [one[0] for one in noted(database)] == [FEBRUARY]


def test_what_is_dated_before_go_live_or_not_open_is_not_chased(database_url: str, tmp_path: Path) -> None:
    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path), instant("2025-02-05"))
        with database.write() as session:
            issue_due(session, CODE, as_of=NOW.date(), now=NOW)
            session.exec_driver_sql(f"UPDATE work_item SET state = 'scheduled' WHERE key = '{FEBRUARY}'")
            found = preview(session, [KEY, FEBRUARY], by=office(BUREAU), now=NOW)
    assert [(one.key, one.reason, one.why) for one in found.passed] == [
        (KEY, LeftOut.EXEMPT, "系统启用前的事项，不催办"),
        (FEBRUARY, LeftOut.UNOPENED, "尚未启动"),
    ]
    assert found.units == ()


@pytest.mark.parametrize(
    ("by", "allowed"),
    [(BUREAU, True), (TOWN, True), (COUNTY, True), ("9001", True), (UNIT, False), (OTHER, False), (SCHOOLS, False)],
)
def test_who_may_chase_whom(database: Database, by: str, allowed: bool) -> None:
    if allowed:
        assert do(database, KEY, by=by).items == 1
        return
    with pytest.raises(NotResponsible, match=r"只能催办下级单位的事项，办理件 .*:9001.* 不是下级单位的"):
        do(database, KEY, by=by)
    assert noted(database) == []


def test_a_county_chases_not_its_neighbours(database: Database) -> None:
    stranger = item("1.2", village(2, 1), "2025-01")
    for by in ("9001", COUNTY, TOWN):
        with pytest.raises(NotResponsible, match=r"9002.* 不是下级单位的"):
            do(database, KEY, stranger, by=by)
    assert noted(database) == []


def test_what_cannot_be_chased_is_refused_whole(database: Database) -> None:
    for keys, error, words in (
        ((), NotFound, "请先勾选"),
        ((KEY, "nothing"), NotFound, "没有编号为 nothing 的办理件"),
        (tuple(f"k{n}" for n in range(MOST + 1)), ActNotAllowed, "一次最多催办2000项，现选择了2001项"),
    ):
        with pytest.raises(error, match=words):
            do(database, *keys)
    with pytest.raises(ActNotAllowed, match="催办说明不能超过200字，现为201字"):
        do(database, KEY, words="请" * 201)
    with pytest.raises(PrivacyBlocked, match="催办说明"):
        do(database, KEY, words="请补报 150203201501011239 的材料")
    assert (noted(database), queued(database)) == ([], [])


def test_principals_are_told_where_that_is_asked_for(database: Database) -> None:
    with database.write() as session:
        confirm_mail(session)
        liaison = add_person(session, UNIT, "王敏", liaison=True, email="wang@example.cn")
        head = add_person(session, UNIT, "李强", principal=True, email="li@example.cn")
        both = add_person(session, OTHER, "赵六", liaison=True, principal=True, email="zhao@example.cn")
    done = do(database, KEY, OTHER_KEY, principals=True)
    assert done.messages == 5
    assert sorted(queued(database), key=str) == sorted(
        [
            (UNIT, "inbox", None, 1),
            (OTHER, "inbox", None, 1),
            (UNIT, "email", liaison, 1),
            (UNIT, "email", head, 1),
            (OTHER, "email", both, 1),
        ],
        key=str,
    )
    assert [(who, audience, withheld) for _, who, audience, withheld, _ in noted(database)] == [
        (UNIT, "liaison", None),
        (OTHER, "liaison", None),
        (UNIT, "principal", None),
        (OTHER, "principal", None),
    ]


def test_where_nobody_can_be_reached_the_inbox_alone_is_told(database: Database) -> None:
    with database.write() as session:
        add_person(session, UNIT, "王敏", liaison=True, email="wang@example.cn")  # the channel was never confirmed
        add_person(session, OTHER, "赵六", liaison=True)
        found = preview(session, [KEY, OTHER_KEY], by=office(BUREAU), now=NOW)
    assert [(one.code, one.people) for one in found.units] == [(UNIT, ()), (OTHER, ("赵六",))]
    assert [one.code for one in found.unreachable] == [UNIT]
    do(database, KEY, OTHER_KEY)
    assert [(who, withheld) for _, who, _, withheld, _ in noted(database)] == [(UNIT, "nobody"), (OTHER, None)]
    assert queued(database) == [(UNIT, "inbox", None, 1), (OTHER, "inbox", None, 1)]


def test_whoever_was_told_today_is_named(database: Database) -> None:
    do(database, KEY)
    with database.read() as session:
        found = preview(session, [FEBRUARY, OTHER_KEY], by=office(BUREAU), now=instant(DAY, 11))
    assert [(one.code, one.told_at) for one in found.units] == [(OTHER, None), (UNIT, NOW)]
    assert [one.code for one in found.told_today] == [UNIT]
    with database.read() as session:
        tomorrow = preview(session, [FEBRUARY], by=office(BUREAU), now=instant("2025-02-08", 9))
    assert tomorrow.told_today == ()


@pytest.mark.parametrize(
    ("now", "goes_out"),
    [
        (instant("2025-02-07", 20), instant("2025-02-08", 8, 30)),  # Friday evening; Saturday is a make-up day
        (instant("2025-02-08", 18), instant("2025-02-10", 8, 30)),
        (instant("2025-01-28", 10), instant("2025-02-05", 8, 30)),  # 春节
    ],
)
def test_when_it_may_leave_the_machine(database: Database, now: datetime, goes_out: datetime) -> None:
    with database.read() as session:
        assert preview(session, [FEBRUARY], by=office(BUREAU), now=now).goes_out_at == goes_out


def test_what_one_sending_did(database: Database) -> None:
    with database.write() as session:
        confirm_mail(session)
        add_person(session, UNIT, "王敏", liaison=True, email="wang@example.cn")
    batch = do(database, KEY, FEBRUARY, OTHER_KEY, words="请抓紧").batch
    assert batch is not None
    do(database, item("2.1", COUNTY, "2025Q1"), now=instant(DAY, 12))
    with database.read() as session:
        plan_id = query(session, "SELECT id FROM plan")[0][0]
        sent = chase_sent(session, plan_id, BUREAU, batch)
        with pytest.raises(NotFound, match="没有这次催办"):
            chase_sent(session, plan_id, TOWN, batch)
        with pytest.raises(NotFound, match="没有这次催办"):
            chase_sent(session, plan_id, BUREAU, batch + 1000)
    assert (sent.by_name, sent.at, sent.note) == (f"{BUREAU}经办人", NOW, "请抓紧")
    assert (sent.units, sent.items, sent.people) == (2, 3, 1)
    assert [(m.unit_name, m.person_name, m.channel, m.state, m.items) for m in sent.messages] == [
        ("1县1村", None, "inbox", "pending", 2),
        ("1县1村", "王敏", "email", "pending", 2),
        ("1县2村", None, "inbox", "pending", 1),
    ]


def test_what_is_overdue_below(database: Database) -> None:
    def found(by: str, unit: str | None = None) -> tuple[list[str], int]:
        with database.read() as session:
            reading = open_plan(session, CODE, as_of=None, now=NOW)
            assert reading is not None
            late = overdue(session, reading, by, unit_code=unit)
        return sorted(key for key in late.keys if ":1.2:" in key), late.total

    january = [item("1.2", village(c, v), "2025-01") for c in (1, 2) for v in (1, 2)]
    assert found(BUREAU)[0] == january
    assert found(TOWN) == ([KEY, OTHER_KEY], 2)
    assert found(COUNTY)[0] == found("9001")[0] == [KEY, OTHER_KEY]
    assert found(UNIT) == ([], 0)
    assert found(BUREAU, UNIT) == ([KEY], 1)
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=NOW)
    assert found(TOWN) == ([OTHER_KEY], 1)


def test_one_item_and_many_cost_the_same_statements(database_url: str, tmp_path: Path) -> None:
    def counted(database: Database, keys: list[str], day: str) -> tuple[int, int]:
        with database.write() as session, statements(database) as sent:
            preview(session, keys, by=office(TOWN), now=instant(day))
            looking = len(sent)
            chase(session, keys, by=office(TOWN), now=instant(day))
        return looking, len(sent)

    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path, villages=300), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=NOW.date(), now=NOW)
        many = [item("1.2", village(1, n), "2025-01") for n in range(1, 301)]
        first = counted(database, many[:1], DAY)
        assert counted(database, many, "2025-02-08") == first
        assert first == (9, 30)
        with database.read() as session:
            assert query(session, "SELECT count(*) FROM outbox WHERE kind = 'chase'") == [(301,)]


def test_two_hands_at_once_tell_it_once(postgres_url: str, tmp_path: Path) -> None:
    """On PostgreSQL two sendings run side by side: one tells, the other is asked to look again."""
    outcomes: list[object] = []
    start = threading.Barrier(4)

    def send(by: str) -> None:
        start.wait()
        try:
            with opened(postgres_url) as own, own.write() as session:
                outcomes.append(chase(session, [KEY, OTHER_KEY], by=Actor(by, "某人"), now=NOW).items)
        except ChangedMeanwhile as error:
            outcomes.append(type(error))

    with opened(postgres_url) as database:
        load(database, tiny_pack(tmp_path), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=NOW.date(), now=NOW)
        threads = [threading.Thread(target=send, args=(by,)) for by in (BUREAU, TOWN, BUREAU, COUNTY)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [one for one in outcomes if one == 2] == [2]
        assert set(outcomes) <= {0, 2, ChangedMeanwhile}
        assert len(outcomes) == 4
        assert queued(database) == [(UNIT, "inbox", None, 1), (OTHER, "inbox", None, 1)]
        assert len(noted(database)) == 2
