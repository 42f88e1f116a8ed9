"""A password opens an account, or shuts it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import text

from ledger import accounts, passwords, signing_in
from ledger.database import Database
from ledger.signing_in import Outcome
from tests.accounts import DAY, PASSWORD, somebody
from tests.factories import instant, opened

NOW = instant(DAY)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def attempt(database: Database, password: str, at: datetime = NOW, name: str = "zhang") -> Outcome:
    with database.read() as session:
        lock = signing_in.lock_of(session, name)
    checked = passwords.check(password, lock.hashed)
    with database.write() as session:
        return signing_in.settle(session, lock, checked, at)


def column(database: Database, name: str) -> object:
    with database.read() as session:
        return session.execute(text(f"SELECT {name} FROM account WHERE name = 'zhang'")).scalar()


def test_five_wrong_ones_shut_it_for_a_quarter_of_an_hour_also_for_the_right_one(database: Database) -> None:
    made = somebody(database)
    assert [attempt(database, "不对的密码").locked for _ in range(5)] == [False, False, False, False, True]
    last = NOW + timedelta(minutes=15) - timedelta(seconds=1)
    assert attempt(database, PASSWORD, last) == Outcome(None)
    assert attempt(database, "不对的密码", last) == Outcome(None)
    assert column(database, "failures") == 5  # a shut account counts nothing
    assert attempt(database, PASSWORD, NOW + timedelta(minutes=15)) == Outcome(made)
    assert (column(database, "failures"), column(database, "locked_until")) == (0, None)


def test_it_stays_shut_twice_as_long_each_time(database: Database) -> None:
    somebody(database)
    at, spans = NOW, []
    for _ in range(3):
        while not attempt(database, "不对的密码", at).locked:
            pass
        until = column(database, "locked_until")
        spans.append(datetime.fromisoformat(f"{until}+00:00") - at)
        at += spans[-1]
    assert spans == [timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=60)]


def test_a_right_one_begins_the_count_anew(database: Database) -> None:
    made = somebody(database)
    for _ in range(3):
        assert [attempt(database, "不对的密码").locked for _ in range(4)] == [False] * 4
        assert attempt(database, PASSWORD) == Outcome(made)


def test_an_administrator_unlocks(database: Database) -> None:
    made = somebody(database)
    for _ in range(5):
        attempt(database, "不对的密码")
    with database.write() as session:
        accounts.unlock(session, made, NOW)
    assert attempt(database, PASSWORD) == Outcome(made)


@pytest.mark.parametrize("password", ["", "x" * 201, PASSWORD + "\x00", "\ud800", PASSWORD.replace("边", "邊")])
def test_what_is_nearly_a_password_opens_nothing(database: Database, password: str) -> None:
    somebody(database)
    assert attempt(database, password) == Outcome(None)


def test_full_width_digits_are_the_same_digits(database: Database) -> None:
    made = somebody(database, password="杏花 2026 昆都仑")
    assert attempt(database, "杏花 ２０２６ 昆都仑") == Outcome(made)


def test_a_password_set_meanwhile_is_not_passed_by(database: Database) -> None:
    """Between comparing and writing down somebody changes it: the old one opens nothing any more."""
    made = somebody(database)
    with database.read() as session:
        lock = signing_in.lock_of(session, "zhang")
    checked = passwords.check(PASSWORD, lock.hashed)
    assert checked.right
    with database.write() as session:
        signing_in.set_password(session, made, passwords.hash_password("另一个更长的密码"), NOW)
    with database.write() as session:
        assert signing_in.settle(session, lock, checked, NOW) == Outcome(None)


def test_many_at_once_do_not_get_past_the_lock(database: Database) -> None:
    """All have read the account while it was open; the right password among them comes after the fifth wrong one."""
    somebody(database)
    with database.read() as session:
        lock = signing_in.lock_of(session, "zhang")
    wrong, right = passwords.check("不对的密码", lock.hashed), passwords.check(PASSWORD, lock.hashed)
    for _ in range(5):
        with database.write() as session:
            signing_in.settle(session, lock, wrong, NOW)
    with database.write() as session:
        assert signing_in.settle(session, lock, right, NOW) == Outcome(None)


def test_an_old_hash_is_made_anew_by_the_next_sign_in(database: Database) -> None:
    made = somebody(database)
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),)).hash(PASSWORD)
    with database.write() as session:
        session.execute(text("UPDATE account SET password_hash = :h"), {"h": weak})
    assert attempt(database, PASSWORD) == Outcome(made)
    fresh = str(column(database, "password_hash"))
    assert fresh.startswith(f"$argon2id$v=19$m={19 * 1024},t=2,p=1$")
    assert attempt(database, PASSWORD) == Outcome(made)
    assert column(database, "password_hash") == fresh


@pytest.mark.thorough
def test_an_unknown_name_takes_as_long_as_a_wrong_password(sqlite_url: str) -> None:
    with opened(sqlite_url) as database:
        somebody(database)
        somebody(database, "invited", password=None)
        attempt(database, "不对的密码", name="nobody")  # the first one also makes what it compares with
        taken: dict[str, list[float]] = {"zhang": [], "nobody": [], "invited": []}
        for _ in range(15):
            for name, found in taken.items():
                began = time.process_time()
                attempt(database, "不对的密码", name=name)
                found.append(time.process_time() - began)
    medians = {name: statistics.median(found) for name, found in taken.items()}
    assert max(medians.values()) < 1.5 * min(medians.values()), medians
