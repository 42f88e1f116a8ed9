"""Visits to the single sign-on: taken once, in time; which account a subject opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from ledger import accounts, sign_on
from ledger.database import Database
from ledger.sign_on import Opened, Visit
from tests.accounts import DAY, somebody
from tests.factories import instant, opened, query

NOW = instant(DAY)
VISIT = Visit("nonce", "verifier", "/register?unit=9001")
SECOND = timedelta(seconds=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def remember(database: Database, state: str = "state") -> None:
    with database.write() as session:
        sign_on.remember(session, state, VISIT, NOW)


def take(database: Database, state: str = "state", at: object = NOW) -> Visit | None:
    with database.write() as session:
        return sign_on.take(session, state, at)  # type: ignore[arg-type]


def comes(database: Database, subject: str = "iss 1", *names: str) -> Opened | None:
    with database.write() as session:
        return sign_on.account_of(session, subject, names, NOW)


def test_a_visit_is_taken_once(database: Database) -> None:
    remember(database)
    assert take(database, "another") is None
    assert take(database) == VISIT
    assert take(database) is None


def test_a_visit_waits_ten_minutes_and_is_then_forgotten(database: Database) -> None:
    remember(database)
    remember(database, "second")
    assert take(database, "second", NOW + timedelta(minutes=10) - SECOND) == VISIT
    assert take(database, "state", NOW + timedelta(minutes=10)) is None
    with database.write() as session:
        sign_on.remember(session, "third", VISIT, NOW + timedelta(minutes=10))
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM sign_on") == [(1,)]


def test_neither_state_nor_verifier_shows_in_what_is_printed(database: Database) -> None:
    remember(database)
    with database.read() as session:
        assert query(session, "SELECT digest FROM sign_on WHERE digest LIKE '%state%'") == []
    assert "verifier" not in repr(VISIT)


def test_the_first_visit_links_and_later_ones_are_known_by_their_subject(database: Database) -> None:
    made = somebody(database, "zhang", password=None)
    assert comes(database, "iss 1", "ＺＨＡＮＧ") == Opened(made, "zhang", linked=True)
    assert comes(database, "iss 1") == Opened(made, "zhang")
    assert comes(database, "iss 2", "zhang") is None  # another subject of the same name


@pytest.mark.parametrize("names", [(), ("",), ("nobody",), ("%",), ("zhang' OR '1'='1",), ("zhang", "li")])
def test_no_other_name_opens_anything(database: Database, names: tuple[str, ...]) -> None:
    somebody(database, "zhang", password=None)
    somebody(database, "li", password=None)
    assert comes(database, "iss 1", *names) is None
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM account WHERE oidc_subject IS NOT NULL") == [(0,)]


def test_accounts_with_a_password_of_programs_and_switched_off_are_not_linked(database: Database) -> None:
    somebody(database, "admin")
    somebody(database, "own")
    off = somebody(database, "off", password=None)
    with database.write() as session:
        accounts.create_account(session, "robot", "程序", NOW, machine=True)
        accounts.set_active(session, off, False, NOW)
    for name in ("own", "off", "robot"):
        assert comes(database, "iss 1", name) is None, name


def test_an_unlinked_account_is_linked_anew(database: Database) -> None:
    made = somebody(database, "zhang", password=None)
    comes(database, "iss 1", "zhang")
    with database.write() as session:
        sign_on.unlink(session, made, NOW)
    assert comes(database, "iss 1") is None
    assert comes(database, "iss 2", "zhang") == Opened(made, "zhang", linked=True)
    with database.write() as session:
        session.execute(text("UPDATE account SET active = false"))
    assert comes(database, "iss 2", "zhang") is None
