"""Sessions: how long they last, to the second; what ends them at once; what each key opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger import accounts, logins
from ledger.database import Database
from ledger.logins import LoginRules
from policy_models.access import Grant, Role
from policy_models.errors import NotFound
from tests.accounts import somebody
from tests.factories import instant, load, opened, tiny_pack

RULES = LoginRules(idle=timedelta(minutes=60), longest=timedelta(hours=12))
NOON = instant("2025-03-10", 12)
SECOND = timedelta(seconds=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def opens(database: Database, key: str, at: object, rules: LoginRules = RULES) -> bool:
    with database.read() as session:
        return logins.visitor_of_login(session, key, at, rules) is not None  # type: ignore[arg-type]


def open_one(database: Database, account_id: int, **more: object) -> str:
    with database.write() as session:
        return logins.open_login(session, account_id, NOON, **more)  # type: ignore[arg-type]


def test_an_idle_session_ends_to_the_second(database: Database) -> None:
    key = open_one(database, somebody(database))
    assert opens(database, key, NOON + timedelta(minutes=60) - SECOND)
    assert not opens(database, key, NOON + timedelta(minutes=60))


def test_each_page_keeps_it_awake_until_its_last_hour_to_the_second(database: Database) -> None:
    key, at = open_one(database, somebody(database)), NOON
    while at + timedelta(minutes=50) < NOON + RULES.longest:
        at += timedelta(minutes=50)
        with database.write() as session:
            found = logins.visitor_of_login(session, key, at, RULES)
            assert found is not None
            assert found.touch
            logins.touch(session, found, at)
    assert opens(database, key, NOON + RULES.longest - SECOND)
    assert not opens(database, key, NOON + RULES.longest)


def test_one_that_waits_for_a_number_waits_ten_minutes(database: Database) -> None:
    key = open_one(database, somebody(database), awaits_totp=True)
    assert opens(database, key, NOON + timedelta(minutes=10) - SECOND)
    assert not opens(database, key, NOON + timedelta(minutes=10))


def test_only_the_digest_is_kept(database: Database) -> None:
    key = open_one(database, somebody(database))
    with database.read() as session:
        [row] = session.execute(text("SELECT * FROM login")).mappings()
    assert logins.digest_of(key) == row["digest"]
    assert key not in repr(dict(row))


def test_switching_off_and_other_roles_act_at_once(database: Database) -> None:
    other = somebody(database, "other")
    made = somebody(database)
    key = open_one(database, made)
    with database.write() as session:
        accounts.set_grants(session, made, [Grant(Role.AUDITOR, "")], NOON)
    with database.read() as session:
        found = logins.visitor_of_login(session, key, NOON, RULES)
    assert found is not None
    assert [grant.role for grant in found.visitor.grants] == [Role.AUDITOR]
    with database.write() as session:
        accounts.set_active(session, made, False, NOON)
    assert not opens(database, key, NOON)
    with database.write() as session:
        accounts.set_active(session, made, True, NOON)
    assert not opens(database, key, NOON)  # its sessions ended for good
    assert opens(database, open_one(database, other), NOON)


def test_a_rotated_key_replaces_the_old_one(database: Database) -> None:
    made = somebody(database)
    key = open_one(database, made, awaits_totp=True)
    with database.write() as session:
        found = logins.visitor_of_login(session, key, NOON, RULES)
        assert found is not None
        assert found.visitor.login_id is not None
        fresh = logins.rotate(session, found.visitor.login_id, NOON)
    assert not opens(database, key, NOON)
    with database.read() as session:
        found = logins.visitor_of_login(session, fresh, NOON, RULES)
    assert found is not None
    assert not found.awaits_totp


def test_nobody_ends_anothers_session(database: Database) -> None:
    mine, other = somebody(database), somebody(database, "other")
    key = open_one(database, mine)
    with database.read() as session:
        found = logins.visitor_of_login(session, key, NOON, RULES)
    assert found is not None
    assert found.visitor.login_id is not None
    with pytest.raises(NotFound, match="没有这个登录，可能已经退出"), database.write() as session:
        logins.end_login(session, found.visitor.login_id, NOON, account_id=other)
    assert opens(database, key, NOON)


def test_an_administrator_must_set_a_number_where_it_is_required(database: Database) -> None:
    strict = LoginRules(require_totp=True)
    admin, liaison = somebody(database), somebody(database, "liaison", [Grant(Role.LIAISON, "")])
    for made, way, rules, wanted in (
        (admin, "password", strict, True),
        (admin, "invitation", strict, True),
        (admin, "oidc", strict, False),
        (admin, "password", RULES, False),
        (liaison, "password", strict, False),
    ):
        key = open_one(database, made, way=way)
        with database.read() as session:
            found = logins.visitor_of_login(session, key, NOON, rules)
        assert found is not None
        assert found.visitor.must_set_totp is wanted, (made, way, rules)


def test_a_demonstrations_session_opens_nothing_on_a_real_ledger(database: Database, tmp_path: Path) -> None:
    load(database, tiny_pack(tmp_path), demonstration=True)
    key = open_one(database, somebody(database, "演示-统筹员", password=None), way="demo")
    assert opens(database, key, NOON)
    with database.write() as session:
        session.execute(text("UPDATE plan SET demonstration = false"))
    assert not opens(database, key, NOON)
