"""What a reviewer decided is told with the act: once, to those who report, grouped, and never when nothing happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from ledger import extensions, outbox, reviews
from ledger.database import Database
from ledger.issuing import issue_due
from ledger.submissions import submit
from policy_models.errors import ActNotAllowed, ReasonMissing
from policy_models.notices import ExtensionNotice, ReturnNotice
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    fresh_database,
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
from tests.staff import add_staff, confirm_channel

UNIT, OTHER, TOWN = village(1, 1), village(1, 2), "900101"
KEY = item("1.2", UNIT, "2025-01")
SATURDAY = instant("2025-01-11", 20)  # outside every open hour
NOW = instant("2025-01-02")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), villages=40), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=date(2025, 1, 2), now=NOW)
            confirm_channel(session, "email", "email", NOW)
            add_staff(session, UNIT, "甲", NOW, ways=[("email", "jia@example.cn")])
            add_staff(session, UNIT, "乙", NOW, ways=[("email", "yi@example.cn")], liaison=False, principal=True)
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def report(database: Database, *keys: str) -> None:
    with database.write() as session:
        for key in keys:
            submit(session, key, by=office(key.split(":")[2]), evidence=[], now=instant("2025-01-10"))


def queued(database: Database) -> list[tuple[str, str, str | None, int]]:
    """Kind, recipient, address and number of lines of every message."""
    with database.read() as session:
        rows = query(
            session,
            "SELECT m.kind, m.recipient, m.address, count(*) FROM outbox m JOIN outbox_line l ON l.message_id = m.id "
            "GROUP BY m.id, m.kind, m.recipient, m.address ORDER BY m.id",
        )
    return [tuple(row) for row in rows]


def test_a_return_reaches_the_sender_at_once_with_the_reason(database: Database) -> None:
    report(database, KEY)
    with database.write() as session:
        reviews.send_back(session, KEY, by=office(TOWN), now=SATURDAY, reason="应到户数与台账不符")
        assert queued(database) == [("returned", UNIT, None, 1), ("returned", UNIT, "jia@example.cn", 1)]
        [message] = outbox.claim(session, now=SATURDAY, by="x")  # the inbox, at once
    assert (message.kind, message.channel) == ("returned", "inbox")
    notice = message.notice
    assert isinstance(notice, ReturnNotice)
    assert (notice.to.unit_code, [(line.key, line.reason) for line in notice.lines]) == (
        UNIT,
        [(KEY, "应到户数与台账不符")],
    )
    assert "900101经办人" in notice.by


def test_a_second_return_is_told_again(database: Database) -> None:
    for reason in ("数字有误", "仍有误"):
        report(database, KEY)
        with database.write() as session:
            reviews.send_back(session, KEY, by=office(TOWN), now=SATURDAY, reason=reason)
    assert [kind for kind, *_ in queued(database)] == ["returned"] * 4
    with database.read() as session:
        revisions = query(session, "SELECT DISTINCT revision FROM outbox_line ORDER BY 1")
    assert revisions == [(3,), (5,)]


def test_many_sent_back_at_once_are_one_message_for_each_recipient_and_act(database: Database) -> None:
    months = [item("1.2", village(1, n), "2025-01") for n in range(1, 41)]
    with database.write() as session:
        issue_due(session, CODE, as_of=date(2025, 2, 1), now=NOW)
    again = item("1.2", UNIT, "2025-02")
    report(database, *months, again)
    counts = []
    for keys in ([*months[1:20]], [*months[20:], KEY, again]):
        with database.write() as session, statements(database) as sent:
            reviews.send_back_all(session, keys, by=office(TOWN), now=SATURDAY, reason="统一补充签字页")
        counts.append(len(sent))
    assert counts[0] == counts[1]
    found = queued(database)
    assert len(found) == 40 + 1
    assert [row for row in found if row[1] == UNIT] == [
        ("returned", UNIT, None, 2),
        ("returned", UNIT, "jia@example.cn", 2),
    ]
    assert {row[3] for row in found if row[1] != UNIT} == {1}


def test_more_than_one_statement_holds(database: Database) -> None:
    """Six hundred items: the act goes in pieces of 500, the news of it does not."""
    with database.write() as session:
        for month in range(2, 9):
            issue_due(session, CODE, as_of=date(2025, month, 2), now=NOW)
    keys = [item("1.2", village(1, n), f"2025-{m:02}") for n in range(1, 41) for m in range(1, 9)]
    keys += [item("1.2", village(2, n), f"2025-{m:02}") for n in range(1, 41) for m in range(1, 9)]
    report(database, *keys)
    with database.write() as session:
        reviews.send_back_all(session, keys, by=office(BUREAU), now=SATURDAY, reason="统一补充签字页")
    found = queued(database)
    assert (len(keys), len(found), {row[3] for row in found}) == (640, 81, {8})


def test_nothing_is_told_of_what_did_not_happen(database: Database) -> None:
    with pytest.raises(ActNotAllowed), database.write() as session:
        reviews.send_back(session, KEY, by=office(TOWN), now=SATURDAY, reason="数字有误")
    report(database, KEY)
    with pytest.raises(ReasonMissing), database.write() as session:
        reviews.send_back(session, KEY, by=office(TOWN), now=SATURDAY, reason=" ")
    with database.write() as session:
        reviews.accept(session, KEY, by=office(TOWN), now=SATURDAY)
    assert queued(database) == []


def test_handed_in_again_before_it_left_it_is_not_told_any_more(database: Database) -> None:
    report(database, KEY)
    with database.write() as session:
        reviews.send_back(session, KEY, by=office(TOWN), now=SATURDAY, reason="数字有误")
    report(database, KEY)
    with database.write() as session:
        assert outbox.claim(session, now=SATURDAY, by="x") == ()
        states = query(
            session, "SELECT m.channel, m.state, l.omitted FROM outbox m JOIN outbox_line l ON l.message_id = m.id"
        )
    assert sorted(states, key=str) == [("email", "pending", None), ("inbox", "dropped", "settled")]


def ask(database: Database) -> int:
    with database.write() as session:
        return extensions.request(
            session, KEY, wanted=date(2025, 3, 10), reason="大雪封路", by=office(UNIT), now=instant("2025-01-20")
        )


@pytest.mark.parametrize("granted", [True, False])
def test_a_decision_on_an_extension_is_told(database: Database, granted: bool) -> None:
    id = ask(database)
    assert queued(database) == []
    with database.write() as session:
        if granted:
            extensions.grant(session, id, by=office(TOWN), now=SATURDAY, until=date(2025, 2, 20), note="尽早完成")
        else:
            extensions.refuse(session, id, by=office(TOWN), now=SATURDAY, reason="时间充裕")
        assert queued(database) == [("extension", UNIT, None, 1), ("extension", UNIT, "jia@example.cn", 1)]
        assert query(session, "SELECT DISTINCT extension_id FROM outbox_line") == [(id,)]
        [message] = outbox.claim(session, now=SATURDAY, by="x")
    notice = message.notice
    assert isinstance(notice, ExtensionNotice)
    deadline = date(2025, 2, 20) if granted else date(2025, 1, 31)
    assert (notice.granted, notice.wanted, notice.line.deadline) == (granted, date(2025, 3, 10), deadline)
    assert notice.line.reason == ("尽早完成" if granted else "时间充裕")


def test_a_request_taken_back_is_told_to_nobody(database: Database) -> None:
    id = ask(database)
    with database.write() as session:
        extensions.withdraw(session, id, by=office(UNIT), now=SATURDAY)
    assert queued(database) == []
