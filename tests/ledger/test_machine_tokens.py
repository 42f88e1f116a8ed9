"""Tokens of other systems: made once, alive until they end, are stopped or their account is; never kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ledger import accounts, machine_tokens
from ledger.database import Database
from ledger.logins import digest_of, touch, visitor_of_token
from policy_models.access import Grant, Right, Role
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Faulty, NotFound, PrivacyBlocked
from tests.factories import instant, opened, query, statements

NOW = instant("2025-06-02")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


@pytest.fixture
def token(database: Database) -> str:
    with database.write() as session:
        machine_tokens.create_machine(session, "Platform", "数据平台", [Grant(Role.REVIEWER, "")], NOW)
        return machine_tokens.create(session, "platform", "每日取数", NOW, only_reads=False)


def test_it_acts_with_the_grants_of_its_account(database: Database, token: str) -> None:
    with database.read() as session:
        found = visitor_of_token(session, token, NOW)
        assert found is not None
        assert (found.visitor.account, found.visitor.rights) == ("platform", frozenset({Right.READ, Right.REVIEW}))
        assert query(session, "SELECT digest, password_hash FROM machine_token, account") == [(digest_of(token), None)]
    assert token.startswith("lct_")
    assert len(token) == 47


def test_one_that_only_reads_has_no_other_right(database: Database, token: str) -> None:
    with database.write() as session:
        reads = machine_tokens.create(session, "platform", "看板", NOW)
        found = visitor_of_token(session, reads, NOW)
    assert found is not None
    assert found.visitor.rights == {Right.READ}


def test_it_ends(database: Database, token: str) -> None:
    with database.write() as session:
        short = machine_tokens.create(session, "platform", "一天", NOW, expires_at=NOW + timedelta(days=1))
    with database.read() as session:
        assert visitor_of_token(session, short, NOW + timedelta(hours=23))
        assert visitor_of_token(session, short, NOW + timedelta(days=1)) is None
        assert visitor_of_token(session, token, NOW + timedelta(days=4000))


def test_it_is_stopped_once_and_at_once(database: Database, token: str) -> None:
    with database.write() as session:
        [machine] = machine_tokens.listing(session)
        machine_tokens.revoke(session, machine.tokens[0].id, NOW)
        assert visitor_of_token(session, token, NOW) is None
        with pytest.raises(ChangedMeanwhile, match="此前已停用"):
            machine_tokens.revoke(session, machine.tokens[0].id, NOW)
        with pytest.raises(NotFound):
            machine_tokens.revoke(session, 10**6, NOW)


def test_with_its_account_all_of_its_tokens_stop(database: Database, token: str) -> None:
    with database.write() as session:
        [machine] = machine_tokens.listing(session)
        machine_tokens.set_machine_active(session, machine.id, False, NOW)
        assert visitor_of_token(session, token, NOW) is None
        with pytest.raises(ActNotAllowed, match="已停用"):
            machine_tokens.create(session, "platform", "再来一个", NOW)
        machine_tokens.set_machine_active(session, machine.id, True, NOW)
        assert visitor_of_token(session, token, NOW)


def test_a_person_has_no_token_and_cannot_be_switched_off_here(database: Database) -> None:
    with database.write() as session:
        person = accounts.create_account(session, "wang", "王芳", NOW)
        with pytest.raises(ActNotAllowed, match="自己的密码"):
            machine_tokens.create(session, "wang", "脚本", NOW)
        with pytest.raises(NotFound):
            machine_tokens.set_machine_active(session, person, False, NOW)
        assert machine_tokens.listing(session) == ()


@pytest.mark.parametrize(
    ("name", "days", "error"),
    [
        ("", 1, Faulty),
        (" ", 1, Faulty),
        ("长" * 81, 1, Faulty),
        ("两\n行", 1, Faulty),
        ("取数", 0, Faulty),
        ("取数", -1, Faulty),
        ("联系 13904721234", 1, PrivacyBlocked),
    ],
)
def test_what_a_token_may_not_be(database: Database, token: str, name: str, days: int, error: type[Exception]) -> None:
    with database.write() as session, pytest.raises(error):
        machine_tokens.create(session, "platform", name, NOW, expires_at=NOW + timedelta(days=days))


def test_an_account_has_no_more_than_it_needs(database: Database, token: str) -> None:
    with database.write() as session:
        for number in range(machine_tokens.MOST_RUNNING - 1):
            machine_tokens.create(session, "platform", f"第{number}个", NOW)
        with pytest.raises(ActNotAllowed, match="最多 20 个"):
            machine_tokens.create(session, "platform", "多一个", NOW)


def test_what_an_account_may_not_be(database: Database, token: str) -> None:
    with database.write() as session:
        with pytest.raises(Faulty, match="已有人使用"):
            machine_tokens.create_machine(session, "ＰＬＡＴＦＯＲＭ", "", [Grant(Role.AUDITOR, "")], NOW)
        with pytest.raises(Faulty, match="角色"):
            machine_tokens.create_machine(session, "other", "", [], NOW)
        with pytest.raises(NotFound, match="9999"):
            machine_tokens.create_machine(session, "other", "", [Grant(Role.AUDITOR, "9999")], NOW)


def test_an_unknown_token_costs_what_a_stopped_one_does(database: Database, token: str) -> None:
    with database.write() as session:
        [machine] = machine_tokens.listing(session)
        machine_tokens.revoke(session, machine.tokens[0].id, NOW)
    sent = []
    for key in (token, "lct_" + "x" * 43, "", "令牌"):
        with database.read() as session, statements(database) as one:
            assert visitor_of_token(session, key, NOW) is None
        sent.append(len(one))
    assert sent == [sent[0]] * 4


def test_the_last_use_is_shown(database: Database, token: str) -> None:
    later = NOW + timedelta(hours=1)
    with database.write() as session:
        found = visitor_of_token(session, token, later)
        assert found is not None
        assert found.touch
        touch(session, found, later, "curl/8.5" + "x" * 200)
        again = visitor_of_token(session, token, later + timedelta(seconds=30))
        assert again is not None
        assert not again.touch
        [one] = machine_tokens.listing(session)[0].tokens
    assert (one.last_used_at, one.client) == (later, ("curl/8.5" + "x" * 200)[:120])
