"""Accounts: made, given roles, switched off; an administrator always remains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import text

from ledger import accounts
from ledger.database import Database
from ledger.queries.accounts import Chosen, Standing, account_row, accounts_page
from policy_models.access import WHOLE, Grant, Role, Scope
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Faulty, LuchengError, NotFound, PrivacyBlocked
from tests.accounts import DAY, EVERYWHERE, somebody
from tests.factories import BUREAU, CITY, COUNTIES, instant, load, opened, statements, tiny_pack, village

NOW = instant(DAY)
ADMIN, LIAISON, REVIEWER = Role.ADMINISTRATOR, Role.LIAISON, Role.REVIEWER


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with opened(database_url) as found:
        load(found, tiny_pack(tmp_path))
        yield found


def grants_of(database: Database, account_id: int) -> list[tuple[Role, str]]:
    with database.read() as session:
        return [(one.role, one.unit) for one in account_row(session, account_id, WHOLE, NOW).grants]


def test_a_name_is_taken_once_however_it_is_typed(database: Database) -> None:
    somebody(database, "Zhang.San")
    for again in ("zhang.san", "ＺＨＡＮＧ．ＳＡＮ", " ZHANG.SAN "):
        with pytest.raises(Faulty) as refused, database.write() as session:
            accounts.create_account(session, again, "张三", NOW)
        assert refused.value.faults[0].message == "账号名“zhang.san”已有人使用，请换一个"


@pytest.mark.parametrize("words", ["150203199003078895", "王小明（身份证150203199003078895）"])
def test_nothing_personal_becomes_a_name(database: Database, words: str) -> None:
    with pytest.raises(PrivacyBlocked), database.write() as session:
        accounts.create_account(session, "wang", words, NOW)
    made = somebody(database)
    with pytest.raises(PrivacyBlocked), database.write() as session:
        accounts.rename(session, made, words, NOW)


def test_roles_are_given_and_taken_one_by_one(database: Database) -> None:
    made = somebody(database, grants=[Grant(LIAISON, BUREAU)])
    somebody(database, "admin")
    with database.write() as session:
        accounts.add_grant(session, made, Grant(REVIEWER, COUNTIES[0]), NOW)
    with pytest.raises(ActNotAllowed, match="已有这个角色"), database.write() as session:
        accounts.add_grant(session, made, Grant(REVIEWER, COUNTIES[0]), NOW)
    assert grants_of(database, made) == [(LIAISON, BUREAU), (REVIEWER, COUNTIES[0])]
    with database.write() as session:
        accounts.remove_grant(session, made, Grant(LIAISON, BUREAU), NOW)
    with pytest.raises(ChangedMeanwhile), database.write() as session:
        accounts.remove_grant(session, made, Grant(LIAISON, BUREAU), NOW)
    with pytest.raises(ActNotAllowed, match="唯一的角色"), database.write() as session:
        accounts.remove_grant(session, made, Grant(REVIEWER, COUNTIES[0]), NOW)
    assert grants_of(database, made) == [(REVIEWER, COUNTIES[0])]


def test_a_role_everywhere_is_given_once(database: Database) -> None:
    made = somebody(database)
    with pytest.raises(ActNotAllowed, match="已有这个角色"), database.write() as session:
        accounts.add_grant(session, made, Grant(ADMIN, ""), NOW)
    assert grants_of(database, made) == [(ADMIN, "")]


@pytest.mark.parametrize("unit", ["", CITY, BUREAU])
def test_the_last_administrator_of_all_stays(database: Database, unit: str) -> None:
    """Everywhere, at the root of the tree, at the coordinator: each is the whole city."""
    last = somebody(database, grants=[Grant(ADMIN, unit), Grant(LIAISON, BUREAU)])
    somebody(database, "county", [Grant(ADMIN, COUNTIES[0])])  # does not make up for it
    with database.write() as session:
        accounts.create_account(session, "robot", "程序", NOW, machine=True)
    for act in (
        lambda session: accounts.set_active(session, last, False, NOW),
        lambda session: accounts.remove_grant(session, last, Grant(ADMIN, unit), NOW),
    ):
        with pytest.raises(ActNotAllowed, match="最后一位管理员"), database.write() as session:
            act(session)
    assert grants_of(database, last) == [(ADMIN, unit), (LIAISON, BUREAU)]
    somebody(database, "second")
    with database.write() as session:
        accounts.set_active(session, last, False, NOW)


@pytest.mark.postgres
def test_two_administrators_do_not_switch_each_other_off(postgres_url: str) -> None:
    with opened(postgres_url) as database:
        pair = [somebody(database, "one"), somebody(database, "two")]
        gate, refused = Barrier(2), list[LuchengError]()

        def turn_off(one: int) -> None:
            try:
                with database.write() as session:
                    session.execute(text("SELECT 1"))
                    gate.wait()
                    accounts.set_active(session, one, False, NOW)
            except LuchengError as error:
                refused.append(error)

        both = [Thread(target=turn_off, args=(one,)) for one in pair]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        with database.read() as session:
            left = session.execute(text("SELECT count(*) FROM account WHERE active")).scalar()
    assert (left, len(refused)) == (1, 1)


def test_switching_off_twice_is_told(database: Database) -> None:
    somebody(database, "admin")
    made = somebody(database)
    with database.write() as session:
        accounts.set_active(session, made, False, NOW)
    with pytest.raises(ChangedMeanwhile), database.write() as session:
        accounts.set_active(session, made, False, NOW)


def names(database: Database, scope: Scope, chosen: Chosen | None = None, page: int = 1) -> tuple[list[str], int]:
    with database.read() as session:
        found, total = accounts_page(session, scope, NOW, chosen=chosen or Chosen(), page=page)
    return [one.name for one in found], total


def test_an_administrator_of_a_county_sees_what_lies_wholly_in_it(database: Database) -> None:
    first, second = COUNTIES
    somebody(database, "admin")
    somebody(database, "bureau", [Grant(LIAISON, BUREAU)])
    somebody(database, "county", [Grant(ADMIN, first)])
    somebody(database, "office", [Grant(REVIEWER, f"{first}-mz")])
    somebody(database, "village", [Grant(LIAISON, village(1, 1))])
    somebody(database, "both", [Grant(LIAISON, first), Grant(LIAISON, second)])
    somebody(database, "upward", [Grant(LIAISON, first), Grant(ADMIN, "")])
    somebody(database, "none", [])
    assert names(database, WHOLE)[1] == 8
    assert names(database, Scope((first,))) == (["county", "office", "village"], 3)
    assert names(database, Scope((second,))) == ([], 0)
    assert names(database, Scope(())) == ([], 0)
    with database.read() as session:
        outside = accounts.account_id_of(session, "upward")
        with pytest.raises(NotFound):
            account_row(session, outside, Scope((first,)), NOW)


def test_the_list_is_narrowed_by_words_role_and_state(database: Database) -> None:
    somebody(database, "li.county", [Grant(LIAISON, COUNTIES[0])])
    new = somebody(database, "new", [Grant(REVIEWER, COUNTIES[1])], password=None)
    past = somebody(database, "past", [Grant(LIAISON, BUREAU)])
    with database.write() as session:
        accounts.set_active(session, past, False, NOW)
    for chosen, wanted in (
        (Chosen("COUNTY"), ["li.county"]),
        (Chosen("民政局"), ["past"]),
        (Chosen("张建国"), ["li.county", "new", "past"]),
        (Chosen("%"), []),
        (Chosen("_"), []),
        (Chosen("'; DROP TABLE account; --"), []),
        (Chosen(role=REVIEWER), ["new"]),
        (Chosen(standing=Standing.NEW), ["new"]),
        (Chosen(standing=Standing.PAST), ["past"]),
        (Chosen(standing=Standing.ACTIVE), ["li.county"]),
        (Chosen(standing=Standing.LOCKED), []),
    ):
        assert names(database, WHOLE, chosen)[0] == wanted, chosen
    assert new


def test_a_page_has_fifty_and_the_same_statements_for_one_and_for_three_hundred(database: Database) -> None:
    somebody(database, "a", EVERYWHERE, password=None)
    with database.read() as session, statements(database) as for_one:
        accounts_page(session, WHOLE, NOW)
    with database.write() as session:
        for number in range(299):
            made = accounts.create_account(session, f"n{number:03}", "张三", NOW)
            accounts.set_grants(session, made, [Grant(LIAISON, BUREAU)], NOW)
    with database.read() as session, statements(database) as for_many:
        found, total = accounts_page(session, WHOLE, NOW, page=6)
    assert (len(found), total) == (50, 300)
    told = [[one for one in sent if one != "BEGIN"] for sent in (for_one, for_many)]
    assert [len(sent) for sent in told] == [3, 3]
