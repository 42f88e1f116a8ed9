"""People as the ledger keeps them: registered one by one or by a table, bounced, and which units nobody can reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from ledger import channels, issuing, people
from ledger.database import Database, Session
from ledger.people import Address, Contacts, Person
from ledger.people_import import Change, active_people, changes_of, save_people
from ledger.queries.reach import Unreachable, count_unreachable, unreachable, unreachable_page
from ledger.tables import person, person_address
from ledger.units import all_units, close_unit
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Faulty, NotFound, PrivacyBlocked
from policy_models.people import PersonFacts, PersonRole, Way, Why
from policy_models.people_file import PeopleFile, parse_people
from policy_models.plan import Level
from tests.api.site import finish
from tests.factories import (
    BUREAU,
    CODE,
    SCHOOLS,
    Files,
    drop_requirement,
    instant,
    item,
    just_before,
    load,
    opened,
    query,
    statements,
    tiny_pack,
    village,
)

NOW, LATER = instant("2025-06-02"), instant("2025-06-03")
LIAISON, PRINCIPAL = frozenset((PersonRole.LIAISON,)), frozenset((PersonRole.PRINCIPAL,))
MAIL = "li@edu.example"
LI = PersonFacts(SCHOOLS, "李明", LIAISON, "科员", "0472-5123456", ways=(Way("email", MAIL), Way("inbox")))
HEAD = "单位,姓名,职务,电话,角色,电子邮箱,渠道,通报,停用\n"
ID_NUMBER = "150203199003078895"


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    with opened(database_url) as found:
        load(found, tiny_pack(tmp_path / "pack", villages=1))
        yield found


def table(session: Session, *rows: str, head: str = HEAD) -> PeopleFile:
    return parse_people(head + "\n".join(rows) + "\n", "人员.csv", all_units(session))


def only(session: Session, unit: str = SCHOOLS) -> Person:
    [one] = people.people_of(session, unit)
    return one


def test_one_person_from_first_to_last(database: Database) -> None:
    versions = "SELECT code, version, changed_at FROM unit ORDER BY code"
    with database.write() as session:
        before = query(session, versions)
        id = people.add_person(session, LI, now=NOW)
    with database.write() as session:
        one = people.person_of(session, SCHOOLS, id)
        assert (one.facts, one.changed_at, one.addresses) == (LI, NOW, (Address("email", MAIL), Address("inbox", "")))
        moved = PersonFacts(SCHOOLS, "李明亮", PRINCIPAL, monthly=True, ways=(Way("inbox"), Way("email", MAIL)))
        people.change_person(session, id, moved, seen=NOW, now=LATER)
    with database.write() as session:
        assert only(session).facts == moved
        people.set_active(session, SCHOOLS, id, False, now=LATER)
        assert only(session).active is False
        with pytest.raises(ChangedMeanwhile, match="李明亮此前已停用"):
            people.set_active(session, SCHOOLS, id, False, now=LATER)
        people.set_active(session, SCHOOLS, id, True, now=LATER)
        assert only(session).facts == moved
        assert query(session, versions) == before


def test_what_is_refused(database: Database) -> None:
    with database.write() as session:
        id = people.add_person(session, LI, now=NOW)
        other = people.add_person(session, PersonFacts(SCHOOLS, "王芳", LIAISON), now=NOW)
        with pytest.raises(ActNotAllowed, match="本单位已登记李明"):
            people.add_person(session, LI, now=NOW)
        with pytest.raises(ActNotAllowed, match="本单位已登记李明"):
            people.change_person(session, other, LI, seen=NOW, now=LATER)
        with pytest.raises(NotFound, match="没有代码为“nobody”的单位"):
            people.add_person(session, PersonFacts("nobody", "李明", LIAISON), now=NOW)
        with pytest.raises(ChangedMeanwhile, match="刚被他人改动"):
            people.change_person(session, id, LI, seen=NOW - timedelta(seconds=1), now=LATER)
        for unit, person in ((BUREAU, id), (SCHOOLS, 10_000)):
            with pytest.raises(NotFound, match="本单位没有登记这位人员"):
                people.person_of(session, unit, person)
        with pytest.raises(ChangedMeanwhile):  # another unit's person
            people.change_person(session, id, PersonFacts(BUREAU, "李明", LIAISON), seen=NOW, now=LATER)
        assert [(one.name, one.facts == LI) for one in people.people_of(session, SCHOOLS)] == [
            ("李明", True),
            ("王芳", False),
        ]


@pytest.mark.parametrize(
    "facts",
    [
        PersonFacts(SCHOOLS, f"李明 {ID_NUMBER}", LIAISON),
        PersonFacts(SCHOOLS, "李明", LIAISON, post=f"监护人身份证号{ID_NUMBER}"),
        PersonFacts(SCHOOLS, "李明", LIAISON, ways=(Way("email", f"{ID_NUMBER}@b.cn"),)),
    ],
)
def test_no_personal_number_enters(database: Database, facts: PersonFacts) -> None:
    with database.write() as session:
        people.add_person(session, LI, now=NOW)
        file = PeopleFile("a.csv", (facts,), frozenset(), {})
        for act in (
            lambda: people.add_person(session, facts, now=NOW),
            lambda: people.change_person(session, only(session).id, facts, seen=NOW, now=LATER),
            lambda: save_people(session, file, now=NOW),
        ):
            with pytest.raises(PrivacyBlocked) as error:
                act()
            assert ID_NUMBER not in str(error.value)
        assert only(session).facts == LI


def test_letters_that_come_back(database: Database) -> None:
    with database.write() as session:
        id = people.add_person(session, LI, now=NOW)
        people.add_person(
            session, PersonFacts(BUREAU, "王芳", LIAISON, ways=(Way("email", MAIL), Way("hook", MAIL))), now=NOW
        )
        assert people.note_bounce(session, " Li＠Edu.example ", "收件服务器说没有这个邮箱", LATER) == 2
        assert people.note_bounce(session, "nobody@edu.example", "没有", LATER) == 0
        assert people.note_bounce(session, "", "没有", LATER) == 0
        bounced = Address("email", MAIL, "收件服务器说没有这个邮箱")
        assert only(session).addresses == (bounced, Address("inbox", ""))
        assert only(session, BUREAU).addresses == (bounced, Address("hook", MAIL))
        # what else is changed leaves the mark; another address has none
        people.change_person(session, id, replace(LI, post="科长"), seen=NOW, now=LATER)
        assert only(session).addresses[0] == bounced
        fresh = replace(LI, ways=(Way("email", "li2@edu.example"),))
        people.change_person(session, id, fresh, seen=LATER, now=LATER)
        assert only(session).addresses == (Address("email", "li2@edu.example"),)
        assert people.trust_again(session, SCHOOLS, only(session, BUREAU).id) == 0  # of another unit
        assert people.trust_again(session, BUREAU, only(session, BUREAU).id) == 1
        assert only(session, BUREAU).addresses[0] == Address("email", MAIL)


def test_a_table_adds_changes_deactivates_and_a_second_time_does_nothing(database: Database) -> None:
    first = [f"市教育局,李明,科员,0472-5123456,联络员,{MAIL},,周,", "市民政局,王芳,科长,,负责人,,inbox,,"]
    second = [f"市教育局,李明,科长,0472-5123456,联络员,{MAIL},inbox、email,周,", "市民政局,王芳,科长,,负责人,,inbox,,是",
              "市民政局,赵静,,,联络员,,,,"]  # fmt: skip
    with database.write() as session:
        done = save_people(session, table(session, *first), now=NOW)
        assert [one.change for one in done.rows] == [Change.ADDED, Change.ADDED]
        people.note_bounce(session, MAIL, "退回", NOW)
    with database.write() as session:
        done = save_people(session, table(session, *second), now=LATER)
        assert [(one.change, one.fields) for one in done.rows] == [
            (Change.CHANGED, ("职务", "渠道")),
            (Change.DEACTIVATED, ()),
            (Change.ADDED, ()),
        ]
        assert active_people(session) == 2
        known = {one.name: one for one in people.everyone(session)}
        assert known["李明"].addresses == (Address("inbox", ""), Address("email", MAIL, "退回"))
        assert (known["李明"].post, known["李明"].changed_at) == ("科长", LATER)
        assert (known["王芳"].active, known["王芳"].addresses) == (False, (Address("inbox", ""),))
        assert (known["赵静"].roles, known["赵静"].addresses) == (LIAISON, ())
    with database.write() as session:
        before = query(session, "SELECT * FROM person"), query(session, "SELECT * FROM person_address")
        again = save_people(session, table(session, *second), now=instant("2025-06-04"))
        assert again.count(Change.SAME) == 3
        assert (query(session, "SELECT * FROM person"), query(session, "SELECT * FROM person_address")) == before
        restored = save_people(session, table(session, "市民政局,王芳,科长,,负责人,,inbox,,"), now=LATER)
        assert restored.count(Change.RESTORED) == 1
        assert active_people(session) == 3


def test_all_or_nothing_and_only_what_was_seen(database: Database) -> None:
    with database.write() as session:
        people.add_person(session, LI, now=NOW)
        with pytest.raises(Faulty) as error:
            save_people(session, table(session, "市民政局,王芳,,,联络员,,,,", "市教育局,无名氏,,,,,,,是"), now=NOW)
        assert str(error.value) == "人员.csv:3 [停用] 没有登记过这位人员，不能停用"
        file = table(session, "市教育局,李明,局长,,联络员,,,,")
        seen = changes_of(session, file).digest
        with pytest.raises(ChangedMeanwhile, match="在预览之后有了变化"):
            save_people(session, file, now=NOW, seen="0" * 64)
        assert only(session).facts == LI
        people.note_bounce(session, MAIL, "退回", NOW)  # no change of the person
        assert save_people(session, file, now=LATER, seen=seen).count(Change.CHANGED) == 1
        with pytest.raises(ChangedMeanwhile):
            save_people(session, file, now=LATER, seen=seen)


@pytest.mark.postgres
def test_two_imports_at_once_register_nobody_twice(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url) as database:
        load(database, tiny_pack(tmp_path / "pack"))

        def other() -> None:
            with opened(postgres_url) as second, second.write() as session:
                people.add_person(session, LI, now=NOW)

        with (
            pytest.raises(ChangedMeanwhile, match="同一人员刚被他人登记"),
            just_before(database, "INSERT INTO person ", other),
            database.write() as session,
        ):
            save_people(session, table(session, "市教育局,李明,,,联络员,,,,"), now=NOW)
        with database.read() as session:
            assert only(session).facts == LI


def test_contacts_for_the_register(database: Database) -> None:
    rows = ("市教育局,李明,,0472-5123456,联络员、负责人,,,,", "市教育局,王芳,,,联络员,,,,", "市教育局,赵静,,,负责人,,,,是",
            "市民政局,孙磊,,,审核人,,,,")  # fmt: skip
    with database.write() as session:
        save_people(session, table(session, *(row.removesuffix("是") for row in rows)), now=NOW)
        save_people(session, table(session, *rows), now=NOW)
        found = people.contacts(session, {SCHOOLS, BUREAU, "9001-mz"})
        assert found == {SCHOOLS: Contacts("李明", "李明 0472-5123456、王芳")}


def confirm(session: Session, code: str, now: object = NOW) -> None:
    channels.note_test(session, code, "email", "d" * 64, number="123456", now=NOW)
    assert channels.confirm(session, code, "123456", by="管理员", now=NOW)


def why(session: Session, now: object = NOW) -> dict[str, Why]:
    found = unreachable(session, CODE, now)  # type: ignore[arg-type]
    assert count_unreachable(session, CODE, now) == len(found)  # type: ignore[arg-type]
    pages = [unreachable_page(session, CODE, now, skip=skip, limit=2) for skip in range(0, len(found), 2)]  # type: ignore[arg-type]
    assert tuple(row for page in pages for row in page.rows) == found
    for one in Why:
        mine = unreachable_page(session, CODE, now, skip=0, limit=99, why=one)  # type: ignore[arg-type]
        assert mine.rows == tuple(row for row in found if row.why is one)
        assert mine.counts[one] == len(mine.rows)
    return {one.unit_code: one.why for one in found}


def settle(session: Session, unit: str, *ways: Way, name: str = "李明", roles: frozenset[PersonRole] = LIAISON) -> int:
    return people.add_person(session, PersonFacts(unit, name, roles, ways=ways), now=NOW)


def issue(database: Database, until: str) -> None:
    with database.write() as session:
        issuing.issue_due(session, CODE, as_of=instant(until).date(), now=instant(until))


VILLAGES = {village(1, 1), village(2, 1)}
OFFICES = {BUREAU, "9001-mz", "9002-mz"}


def test_why_a_unit_cannot_be_reached(database: Database) -> None:
    issue(database, "2025-06-02")
    with database.write() as session:
        assert why(session) == dict.fromkeys(VILLAGES | OFFICES, Why.NOBODY)  # the schools' office owes nothing
        assert unreachable(session, CODE, NOW)[0] == Unreachable(BUREAU, "市民政局", Level.CITY, "", "小城", Why.NOBODY)
        settle(session, BUREAU, Way("email", "b@b.cn"))
        settle(session, "9001-mz")
        settle(session, "9002-mz", Way("inbox"))
        settle(session, village(1, 1), Way("inbox"), roles=PRINCIPAL)  # no liaison
        past = settle(session, village(2, 1), Way("inbox"))
        people.set_active(session, village(2, 1), past, False, now=NOW)
        assert why(session) == {
            BUREAU: Why.UNCONFIRMED,
            "9001-mz": Why.NO_WAY,
            village(1, 1): Why.NOBODY,
            village(2, 1): Why.NOBODY,
        }
        confirm(session, "email")
        assert BUREAU not in why(session)
        people.note_bounce(session, "b@b.cn", "没有这个邮箱", NOW)
        assert why(session)[BUREAU] is Why.BOUNCED
        settle(session, BUREAU, Way("hook", ""), name="王芳")
        assert why(session)[BUREAU] is Why.UNCONFIRMED
        settle(session, BUREAU, Way("email", "c@b.cn"), name="赵静")
        assert BUREAU not in why(session)
        channels.withdraw(session, ["email"])
        assert why(session)[BUREAU] is Why.UNCONFIRMED


def test_only_who_owes_something_now_or_soon(database: Database) -> None:
    with database.read() as session:
        assert why(session, instant("2024-11-01")) == {}  # nothing opens within 30 days
        assert set(why(session, instant("2024-12-10"))) >= VILLAGES  # their January does
        with pytest.raises(NotFound):
            unreachable(session, "none", NOW)
    issue(database, "2025-06-30")
    finish(database, item("1.1", BUREAU, "once"), "2025-06-20", by=BUREAU, reviewer=BUREAU)
    with database.write() as session:
        end = instant("2025-12-31")
        assert set(why(session, end)) == VILLAGES | OFFICES - {BUREAU}
        close_unit(session, village(1, 1), on=instant("2025-07-01").date(), now=instant("2025-06-30"))
        assert set(why(session, end)) == {village(2, 1)} | OFFICES - {BUREAU}


def test_what_lies_before_go_live_owes_nothing(database_url: str, tmp_path: Path) -> None:
    def dated(files: Files) -> None:
        for code in ("1.2", "1.3", "2.1", "2.2", "2.3"):
            drop_requirement(files, code)

    with opened(database_url) as database:
        load(database, tiny_pack(tmp_path / "pack", dated), instant("2025-07-01"))
        issue(database, "2025-07-01")
        with database.read() as session:
            assert query(session, "SELECT DISTINCT catch_up FROM work_item") == [("backfill",)]
            assert why(session, instant("2025-07-01")) == {}


def test_the_same_statements_for_few_and_for_many(database_url: str, tmp_path: Path) -> None:
    counts = []
    with opened(database_url) as database:
        for villages in (1, 150):
            load(
                database,
                tiny_pack(tmp_path / str(villages), villages=villages),
                NOW,
                go_live_on=instant("2024-12-01").date(),
            )
            issue(database, "2025-06-02")
            with database.write() as session:
                rows = [f"{code},李明,,,联络员,a@b.cn,inbox,," for code in all_units(session)]
                with statements(database) as sent:
                    found = save_people(session, table(session, *rows), now=NOW)
                assert len(found.rows) > 2 * villages
                with statements(database) as read:
                    people.everyone(session)
                    people.people_of(session, BUREAU)
                    people.contacts(session, list(all_units(session)))
                assert why(session) == {}
                session.execute(delete(person_address))
                with statements(database) as asked:
                    assert len(unreachable(session, CODE, NOW)) == 2 * villages + 3
                    count_unreachable(session, CODE, NOW)
                session.execute(delete(person))
            counts.append((len(sent), len(read), len(asked)))
    assert counts[0] == counts[1]
