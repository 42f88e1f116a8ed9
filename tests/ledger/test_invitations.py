"""One-time links: once, in time, the newest alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from ledger import accounts, invitations, logins, passwords
from ledger.database import Database
from ledger.invitations import Invited
from ledger.logins import LoginRules
from policy_models.errors import NotFound, PrivacyBlocked
from tests.accounts import DAY, PASSWORD, somebody
from tests.factories import instant, opened

NOW = instant(DAY)
SECOND = timedelta(seconds=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def link(database: Database, account_id: int) -> str:
    with database.write() as session:
        return invitations.invite(session, account_id, NOW)


def look(database: Database, token: str, at: object = NOW) -> Invited | None:
    with database.read() as session:
        return invitations.look_up(session, token, at)  # type: ignore[arg-type]


def test_it_holds_for_three_days_to_the_second(database: Database) -> None:
    token = link(database, somebody(database, password=None))
    assert look(database, token, NOW + timedelta(hours=72) - SECOND) is not None
    assert look(database, token, NOW + timedelta(hours=72)) is None


def test_it_is_used_once(database: Database) -> None:
    token = link(database, somebody(database, password=None))
    invited, hashed = look(database, token), passwords.hash_password(PASSWORD)
    assert invited is not None
    with database.write() as session:
        invitations.accept(session, invited, "李四", hashed, NOW)
    assert look(database, token) is None
    with pytest.raises(NotFound, match="这个链接已失效"), database.write() as session:  # of two who opened it
        invitations.accept(session, invited, "王五", hashed, NOW)
    with database.read() as session:
        assert session.execute(text("SELECT display_name FROM account")).scalar() == "李四"


def test_a_newer_one_stops_it_and_so_does_switching_off(database: Database) -> None:
    somebody(database, "admin")
    made = somebody(database, password=None)
    first, second = link(database, made), link(database, made)
    assert look(database, first) is None
    assert look(database, second) is not None
    with database.write() as session:
        accounts.set_active(session, made, False, NOW)
    assert look(database, second) is None
    with pytest.raises(NotFound, match="已停用"):
        link(database, made)
    with database.write() as session:
        accounts.set_active(session, made, True, NOW)
    assert look(database, second) is None


def test_a_reset_ends_the_sessions_and_the_lock(database: Database) -> None:
    made = somebody(database)
    with database.write() as session:
        key = logins.open_login(session, made, NOW)
        session.execute(text("UPDATE account SET failures = 5, locked_until = '2099-01-01'"))
    invited = look(database, link(database, made))
    assert invited is not None
    assert invited.anew
    with database.write() as session:
        invitations.accept(session, invited, "张建国", passwords.hash_password("另一个更长的密码"), NOW)
    with database.read() as session:
        assert logins.visitor_of_login(session, key, NOW, LoginRules()) is None
        assert session.execute(text("SELECT failures, locked_until FROM account")).one() == (0, None)


def test_only_its_digest_is_kept(database: Database) -> None:
    token = link(database, somebody(database, password=None))
    with database.read() as session:
        [row] = session.execute(text("SELECT * FROM invitation")).mappings()
    assert row["digest"] == logins.digest_of(token)
    assert token not in repr(dict(row))


def test_a_program_gets_none(database: Database) -> None:
    with database.write() as session:
        made = accounts.create_account(session, "robot", "程序", NOW, machine=True)
    with pytest.raises(NotFound, match="供程序使用"):
        link(database, made)


@pytest.mark.parametrize("token", ["", "x", "'", "a" * 5000, "杏花", "%00"])
def test_no_other_word_opens_anything(database: Database, token: str) -> None:
    link(database, somebody(database, password=None))
    assert look(database, token) is None


def test_a_childs_number_does_not_come_in_as_a_name(database: Database) -> None:
    invited = look(database, link(database, somebody(database, password=None)))
    assert invited is not None
    with pytest.raises(PrivacyBlocked), database.write() as session:
        invitations.accept(session, invited, "150203199003078895", passwords.hash_password(PASSWORD), NOW)
    with database.read() as session:
        assert session.execute(text("SELECT password_hash FROM account")).scalar() is None
