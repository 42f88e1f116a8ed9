"""A letter that came back: noted at its message and its address, for real ones only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from ledger import bounces
from ledger.database import Database
from ledger.issuing import issue_due
from ledger.outbox import claim, record_sent
from ledger.reminders import queue_due
from policy_models.message_names import Returned, message_name
from tests.factories import CODE, KINDS, fresh_database, instant, load, query, rewound, tiny_pack, village
from tests.telling import MAIL, add_liaison, confirm_channel, ways

DAY = date(2025, 1, 26)
NOW = instant(DAY)
LATER = NOW + timedelta(hours=5)
ADDRESS = "zhang@x.example"
WHY = "收件地址不存在（5.1.1）"


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two liaisons with an e-mail address each, to whom a message went out."""
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issue_due(session, CODE, as_of=DAY, now=NOW, sections=["task-1"])
            confirm_channel(session, MAIL, NOW)
            add_liaison(session, village(1, 1), MAIL, NOW, address=ADDRESS)
            add_liaison(session, village(2, 1), MAIL, NOW, name="李四", address="li@x.example")
        with database.write() as session:
            queue_due(session, CODE, as_of=DAY, now=NOW)
        with database.claim() as session:
            taken = claim(session, now=NOW, by="t", ways={MAIL.code: MAIL})
        assert len(taken) == 2
        with database.write() as session:
            for one in taken:
                assert record_sent(session, one.id, subject="s", body="b", now=NOW)
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def message(database: Database, address: str = ADDRESS) -> tuple[int, str, str]:
    """Row, kind and key of the message to an address."""
    with database.read() as session:
        [(row, kind, key)] = query(session, "SELECT id, kind, key FROM outbox WHERE address = :a", a=address)
    return int(str(row)), str(kind), str(key)


def standing(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        sent = query(session, "SELECT address, state, error FROM outbox WHERE channel = 'email' ORDER BY address")
        known = query(session, "SELECT address, bounce FROM person_address ORDER BY address")
    return [*sent, *known]


def record(database: Database, name: str) -> bool:
    with database.write() as session:
        return bounces.record(session, Returned(name, WHY), now=LATER)


QUIET = [
    ("li@x.example", "sent", None),
    (ADDRESS, "sent", None),
    ("li@x.example", None),
    (ADDRESS, None),
]


def test_a_bounce_is_noted_and_twice_is_once(database: Database) -> None:
    assert ways(MAIL)["email"] is MAIL
    row, kind, key = message(database)
    assert standing(database) == QUIET
    for _ in range(2):
        assert record(database, message_name(kind, row, key, ADDRESS)) is True
        assert standing(database) == [
            ("li@x.example", "sent", None),
            (ADDRESS, "dead", f"退信：{WHY}"),
            ("li@x.example", None),
            (ADDRESS, WHY),
        ]


def test_nobody_can_make_up_a_bounce(database: Database) -> None:
    row, kind, key = message(database)
    other, _, _ = message(database, "li@x.example")
    right = message_name(kind, row, key, ADDRESS)
    digest = right.rpartition(".")[2]
    for name in (
        f"lucheng.notice.{row}.0123456789abcdef",
        f"lucheng.notice.{other}.{digest}",
        f"lucheng.notice.{10**17}.{digest}",
        f"lucheng.receipt.{row}.{digest}",
        message_name(kind, row, key, "li@x.example"),
        message_name(kind, row, "reminder:", ADDRESS),
        message_name("receipt", row, key, ADDRESS),
        "anything",
        "",
    ):
        assert record(database, name) is False
    assert standing(database) == QUIET


def test_what_was_never_sent_cannot_come_back(database: Database) -> None:
    row, kind, key = message(database)
    with database.write() as session:
        session.execute(
            text("UPDATE outbox SET state = 'pending', sent_at = NULL, attempts = 0 WHERE id = :id"), {"id": row}
        )
    assert record(database, message_name(kind, row, key, ADDRESS)) is False


def test_only_mail_comes_back(database: Database) -> None:
    with database.read() as session:
        [(row, kind, key)] = query(
            session, "SELECT id, kind, key FROM outbox WHERE channel = 'inbox' ORDER BY id LIMIT 1"
        )
    assert record(database, message_name(str(kind), int(str(row)), str(key), "")) is False
