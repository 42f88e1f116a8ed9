"""Whom a reminder goes to and by which way, what is withheld and why, and one message where delivery lay idle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from ledger import extensions, outbox
from ledger.database import Database
from ledger.issuing import issue_due
from ledger.reminders import Queued, queue_due
from ledger.reviews import send_back
from ledger.submissions import submit
from ledger.tables import outbox as outbox_table
from policy_models.ladder import LADDERS, LadderRule
from policy_models.notices import ReminderNotice
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

UNIT, TOWN = village(1, 1), "900101"
KEY = item("1.2", UNIT, "2025-01")  # due Friday 31 January, in 春节: the aim is Monday the 27th
NOW = instant("2025-01-01")
DAY = timedelta(days=1)


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), NOW)
        with database.write() as session:
            confirm_channel(session, "email", "email", NOW)
            confirm_channel(session, "ding", "dingtalk", NOW)
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def remind(database: Database, day: str | date, rule: LadderRule | None = None) -> Queued:
    day = date.fromisoformat(day) if isinstance(day, str) else day
    with database.write() as session:
        issue_due(session, CODE, as_of=day, now=instant(day, 6))
        return queue_due(session, CODE, as_of=day, now=instant(day, 7), **({"rule": rule} if rule else {}))


def delivered(database: Database) -> None:
    with database.write() as session:
        session.execute(update(outbox_table).values(state="sent", sent_at=NOW))


def messages(database: Database, recipient: str = UNIT) -> list[tuple[str, str | None, str, str]]:
    """Channel, person, address and day of every message to a unit that was not dropped."""
    with database.read() as session:
        rows = query(
            session,
            "SELECT m.channel, p.name, coalesce(m.address, ''), m.as_of FROM outbox m "
            "LEFT JOIN person p ON p.id = m.person_id WHERE m.recipient = :recipient AND m.state <> 'dropped' "
            "ORDER BY m.as_of, m.id",
            recipient=recipient,
        )
    return [(channel, name, address, str(day)) for channel, name, address, day in rows]


def withheld(database: Database, key: str = KEY) -> list[tuple[int, str, str, str | None]]:
    with database.read() as session:
        rows = query(
            session,
            "SELECT m.step, m.recipient, m.audience, m.withheld FROM reminder m JOIN work_item w ON w.id = m.item_id "
            "WHERE w.key = :key ORDER BY m.id",
            key=key,
        )
    return [tuple(row) for row in rows]


def staff(database: Database, name: str, *ways: str, unit: str = UNIT, **more: object) -> int:
    with database.write() as session:
        return add_staff(session, unit, name, NOW, ways=[(code, f"{code}@{name}") for code in ways], **more)  # type: ignore[arg-type]


def test_the_first_way_that_can_be_used(database: Database) -> None:
    staff(database, "甲", "ding", "email")
    staff(database, "乙", "email", "ding", bounced=["email"])
    staff(database, "丙", "wecom", "email")  # wecom is not confirmed
    staff(database, "丁", "inbox", "email")  # has chosen the inbox
    staff(database, "戊", "email", active=False)
    staff(database, "己", "email", liaison=False, principal=True)
    staff(database, "庚", "wecom")
    remind(database, "2025-01-23")
    day = "2025-01-23"
    assert sorted(messages(database), key=str) == sorted(
        [
            ("inbox", None, "", day),
            ("ding", "甲", "ding@甲", day),
            ("ding", "乙", "ding@乙", day),
            ("email", "丙", "email@丙", day),
        ],
        key=str,
    )
    assert withheld(database) == [(-3, UNIT, "liaison", None)]


def test_from_step_three_on_the_principal_too_and_whoever_is_both_once(database: Database) -> None:
    staff(database, "甲", "email", liaison=True, principal=True)
    staff(database, "乙", "email", liaison=False, principal=True)
    remind(database, "2025-02-07")
    day = "2025-02-07"
    assert messages(database) == [
        ("inbox", None, "", day),
        ("email", "甲", "email@甲", day),
        ("email", "乙", "email@乙", day),
    ]
    assert withheld(database) == [(3, UNIT, "liaison", None), (3, UNIT, "principal", None)]
    with database.read() as session:
        lines = query(
            session,
            "SELECT m.person_id IS NULL, p.name, r.audience FROM outbox_line l JOIN outbox m ON m.id = l.message_id "
            "JOIN work_item w ON w.id = l.item_id JOIN reminder r ON r.id = l.reminder_id "
            "LEFT JOIN person p ON p.id = m.person_id WHERE w.key = :key ORDER BY m.id",
            key=KEY,
        )
    assert [(bool(inbox), name, audience) for inbox, name, audience in lines] == [
        (True, None, "liaison"),
        (False, "甲", "liaison"),
        (False, "乙", "principal"),
    ]


def test_nobody_to_reach_is_said_and_the_inbox_is_told_all_the_same(database: Database) -> None:
    staff(database, "甲", "wecom")
    staff(database, "乙", "email", bounced=["email"])
    staff(database, "丙", "email", liaison=False, principal=True)
    remind(database, "2025-02-07")
    assert withheld(database) == [(3, UNIT, "liaison", "nobody"), (3, UNIT, "principal", None)]
    assert messages(database) == [("inbox", None, "", "2025-02-07"), ("email", "丙", "email@丙", "2025-02-07")]
    with database.read() as session:
        [(lines,)] = query(
            session,
            "SELECT count(*) FROM outbox_line l JOIN outbox m ON m.id = l.message_id "
            "WHERE m.recipient = :unit AND m.channel = 'inbox'",
            unit=UNIT,
        )
    assert lines == 1  # both reminders of the item are one line there


def test_whoever_has_chosen_the_inbox_is_reached(database: Database) -> None:
    staff(database, "甲", "inbox")
    remind(database, "2025-01-23")
    assert withheld(database) == [(-3, UNIT, "liaison", None)]
    assert messages(database) == [("inbox", None, "", "2025-01-23")]


def test_beyond_the_cap_no_message_speaks_of_an_item(database: Database) -> None:
    staff(database, "甲", "email")
    staff(database, "乙", "email", liaison=False, principal=True)
    rule = LadderRule(LADDERS, cap=2)
    for n in range(40):
        remind(database, date(2025, 1, 23) + n * DAY, rule)
        delivered(database)
    mine = [row for row in withheld(database) if row[1] == UNIT]
    assert mine == [
        (-3, UNIT, "liaison", None),
        (0, UNIT, "liaison", None),
        (1, UNIT, "liaison", "cap"),
        (3, UNIT, "liaison", "cap"),
        (3, UNIT, "principal", None),
        (7, UNIT, "liaison", "cap"),
        (7, UNIT, "principal", None),
    ]
    with database.read() as session:
        days = query(
            session,
            "SELECT DISTINCT p.name, m.as_of FROM outbox_line l JOIN outbox m ON m.id = l.message_id "
            "JOIN work_item w ON w.id = l.item_id JOIN person p ON p.id = m.person_id WHERE w.key = :key ORDER BY 2",
            key=KEY,
        )
    assert [(name, str(day)) for name, day in days] == [
        ("甲", "2025-01-23"),
        ("甲", "2025-01-27"),
        ("乙", "2025-02-07"),
        ("乙", "2025-02-12"),
    ]


def test_a_moved_deadline_begins_the_ladder_anew(database: Database) -> None:
    remind(database, "2025-01-23")
    with database.write() as session:
        wanted = {"wanted": date(2025, 3, 10), "reason": "大雪封路"}
        id = extensions.request(session, KEY, **wanted, by=office(UNIT), now=instant("2025-01-24"))  # type: ignore[arg-type]
        extensions.grant(session, id, by=office(TOWN), now=instant("2025-01-24"))
    for n in range(70):
        remind(database, date(2025, 1, 24) + n * DAY)
    with database.read() as session:
        rows = query(
            session,
            "SELECT m.step, m.deadline, m.as_of FROM reminder m JOIN work_item w ON w.id = m.item_id "
            "WHERE w.key = :key AND m.recipient = :unit AND m.audience = 'liaison' ORDER BY m.id",
            key=KEY,
            unit=UNIT,
        )
    assert [(step, str(deadline), str(day)) for step, deadline, day in rows] == [
        (-3, "2025-01-31", "2025-01-23"),
        (-3, "2025-03-10", "2025-03-05"),
        (0, "2025-03-10", "2025-03-10"),
        (1, "2025-03-10", "2025-03-11"),
        (3, "2025-03-10", "2025-03-13"),
        (7, "2025-03-10", "2025-03-19"),
    ]


def test_the_time_a_review_took_does_not_make_a_unit_late(database: Database) -> None:
    """Reported in time and returned eleven work days after the deadline: the clock begins with the return."""
    remind(database, "2025-01-23")
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-01-24"))
    remind(database, "2025-02-18")
    with database.write() as session:
        send_back(session, KEY, by=office(TOWN), now=instant("2025-02-18", 15), reason="数字有误")
    for n in range(1, 20):
        remind(database, date(2025, 2, 18) + n * DAY)
    with database.read() as session:
        rows = query(
            session,
            "SELECT m.step, m.as_of, count(*) FROM reminder m JOIN work_item w ON w.id = m.item_id "
            "WHERE w.key = :key GROUP BY 1, 2 ORDER BY 2",
            key=KEY,
        )
    assert [(step, str(day), listeners) for step, day, listeners in rows] == [
        (-3, "2025-01-23", 1),
        (1, "2025-02-19", 1),
        (3, "2025-02-21", 2),
        (7, "2025-02-27", 4),
    ]


def test_what_was_not_delivered_for_days_goes_into_one_message(database: Database) -> None:
    """The ladder went on while nothing was delivered: each addressee gets one message, with all that still matters."""
    staff(database, "甲", "email")
    for n in range(35):  # to 26 February
        remind(database, date(2025, 1, 23) + n * DAY)
    assert messages(database) == [("inbox", None, "", "2025-02-25"), ("email", "甲", "email@甲", "2025-02-25")]
    with database.write() as session:
        inbox = [one for one in outbox.claim(session, now=instant("2025-02-25", 9), by="x") if UNIT in one.key]
        why = query(
            session, "SELECT DISTINCT state, error FROM outbox WHERE as_of < '2025-02-10' AND recipient = :u", u=UNIT
        )
    assert sorted(why) == [
        ("dropped", f"并入{day}的消息") for day in ("2025-01-27", "2025-02-05", "2025-02-07", "2025-02-12")
    ]
    [message] = inbox
    assert isinstance(message.notice, ReminderNotice)
    said = {line.key: line.step for line in message.notice.lines}
    assert said == {KEY: 7, item("1.2", UNIT, "2025-02"): -3, item("2.2", UNIT, "2025-winter"): -3}


def test_people_add_no_statement(database: Database) -> None:
    counts = []
    for unit in (UNIT, village(2, 1)):
        with statements(database) as sent:
            remind(database, "2025-01-23" if unit == UNIT else "2025-02-07")
        counts.append(len([one for one in sent if "SAVEPOINT" not in one]))
        for n in range(30):
            staff(database, f"甲{n}", "email", "ding", unit=unit, principal=n % 2 == 0)
            staff(database, f"甲{n}", "ding", unit=BUREAU if unit == UNIT else TOWN)
    with statements(database) as sent:
        remind(database, "2025-02-12")
    assert len([one for one in sent if "SAVEPOINT" not in one]) <= max(counts)
    assert len(messages(database, BUREAU)) == 31
