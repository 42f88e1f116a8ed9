"""信息: sent in, counted for good or returned, the count of any moment, the year's item with one act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ledger import bulletin
from ledger.acts import standing
from ledger.database import Database, Session
from policy_models.bulletin import BulletinState, hint
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Faulty,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.lifecycle import State
from tests.exemplar_site import DAY, FIRST, SECOND, YEARLY, given, load_collecting, plan_id, states
from tests.factories import BUREAU, CODE, KINDS, fresh_database, office, query, rewound, village

BOSS = office(BUREAU)
TEXT = "近日开展宣传活动。" * 60


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load_collecting(database, tmp_path_factory.mktemp("pack"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def send(session: Session, title: str = "宣传周", unit: str = FIRST, text: str = TEXT) -> int:
    return bulletin.send(session, CODE, 2025, title, text, by=office(unit), now=DAY)


def count_in(session: Session, item: int, hours: int = 0, version: int = 1) -> None:
    bulletin.count_in(session, item, version=version, by=BOSS, now=DAY + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (499, "正文 499 字，一般为 500 至 1000 字"),
        (500, None),
        (1000, None),
        (1001, "正文 1001 字，一般为 500 至 1000 字"),
    ],
)
def test_length_is_told_and_never_refused(database: Database, count: int, words: str | None) -> None:
    assert hint("字 " * count) == words
    with database.write() as session:
        assert send(session, text="字" * count)


def test_sent_twice_is_once(database: Database) -> None:
    with database.write() as session:
        one = send(session)
        assert send(session) == one
        assert send(session, unit=SECOND) != one
        with pytest.raises(ActNotAllowed, match=r"^本单位这一年已有同题信息"):
            send(session, text="另一篇")
        assert query(session, "SELECT count(*) FROM bulletin_item") == [(2,)]


@pytest.mark.parametrize(
    ("year", "title", "text", "words"),
    [
        (2025, " ", TEXT, "请填写标题"),
        (2025, "题", "\n", "请填写正文"),
        (2025, "题" * 61, TEXT, "不超过 60 字，现为 61 字"),
        (2025, "题", "字" * 10_001, "不超过 10000 字，现为 10001 字"),
        (2024, "题", TEXT, "须在2025年至2025年之间"),
        (2026, "题", TEXT, "须在2025年至2025年之间"),
    ],
)
def test_what_cannot_be_sent(database: Database, year: int, title: str, text: str, words: str) -> None:
    with pytest.raises(Faulty, match=words), database.write() as session:
        bulletin.send(session, CODE, year, title, text, by=office(FIRST), now=DAY)


@pytest.mark.parametrize(("title", "text"), [("110101199003070134", TEXT), ("题", "身份证110101199003070134")])
def test_personal_data_is_stopped(database: Database, title: str, text: str) -> None:
    with pytest.raises(PrivacyBlocked), database.write() as session:
        send(session, title, text=text)


def test_counted_for_good(database: Database) -> None:
    with database.write() as session:
        one = send(session)
        with pytest.raises(NotResponsible, match=r"^只有统筹单位可以审核信息$"):
            bulletin.count_in(session, one, version=1, by=office(FIRST), now=DAY)
        count_in(session, one)
        for act in (
            lambda: count_in(session, one),
            lambda: bulletin.send_back(session, one, reason="反悔", version=1, by=BOSS, now=DAY),
        ):
            with pytest.raises(ActNotAllowed, match=r"^这篇信息已经审核过$"):
                act()
        with pytest.raises(ActNotAllowed, match=r"^只有退回的信息可以修改"):
            bulletin.send_again(session, one, "新", TEXT, version=1, by=office(FIRST), now=DAY)
        assert bulletin.bulletin_row(session, one).state is BulletinState.COUNTED


def test_returned_changed_and_sent_again(database: Database) -> None:
    with database.write() as session:
        one = send(session)
        with pytest.raises(ReasonMissing):
            bulletin.send_back(session, one, reason=" ", version=1, by=BOSS, now=DAY)
        bulletin.send_back(session, one, reason="缺数据", version=1, by=BOSS, now=DAY)
        with pytest.raises(NotResponsible):
            bulletin.send_again(session, one, "新题", TEXT, version=1, by=office(SECOND), now=DAY)
        for _ in range(2):  # twice is once
            bulletin.send_again(session, one, "新题", TEXT, version=1, by=office(FIRST), now=DAY)
        found = bulletin.bulletin_row(session, one)
        assert (found.title, found.state, found.version, found.decided_at) == ("新题", BulletinState.SUBMITTED, 2, None)
        with pytest.raises(ChangedMeanwhile):  # a page from before
            count_in(session, one, version=1)
        count_in(session, one, version=2)


def test_the_count_of_any_moment(database: Database) -> None:
    with database.write() as session:
        first, second, third = send(session), send(session, "二"), send(session, "三", SECOND)
        send(session, "四")
        count_in(session, first, hours=1)
        count_in(session, second, hours=3)
        count_in(session, third, hours=2)
        hour = [DAY + timedelta(hours=n) for n in range(5)]
        told = [dict(bulletin.counted(session, plan_id(session), 2025, until=until)) for until in hour]
        assert told == [{}, {}, {FIRST: 1}, {FIRST: 1, SECOND: 1}, {FIRST: 2, SECOND: 1}]
        assert bulletin.counted(session, plan_id(session), 2024, until=hour[4]) == {}


def test_the_years_item_with_one_act(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(EvidenceMissing, match=r"^还没有已计入的信息"):
            bulletin.report_year(session, plan_id(session), 2025, by=office(FIRST), now=DAY)
        for title in ("一", "二"):
            count_in(session, send(session, title))
        send(session, "没有计入")
        assert bulletin.report_year(session, plan_id(session), 2025, by=office(FIRST), now=DAY) == 2
        assert given(session, YEARLY) == [
            ("measure", "items_sent", 2, None),
            ("document", None, None, "已计入的信息：《二》；《一》"),
        ]
        assert (states(session, YEARLY), standing(session, YEARLY).state) == (["issue", "submit"], State.SUBMITTED)
        with pytest.raises(ActNotAllowed, match=r"^“待审核”的办理件不能报送$"):
            bulletin.report_year(session, plan_id(session), 2025, by=office(FIRST), now=DAY)
        with pytest.raises(NotFound):
            bulletin.report_year(session, plan_id(session), 2025, by=office(village(1, 1)), now=DAY)
