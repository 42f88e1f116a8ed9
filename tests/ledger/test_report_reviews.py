"""Review section by section: marks, sending back with every reason, what the unit sees, accepting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from ledger import report_reviews, reports
from ledger.acts import standing
from ledger.database import Database
from ledger.entries import history
from ledger.report_reviews import Marked
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    Faulty,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.lifecycle import Act, State
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    SCHOOLS,
    fresh_database,
    instant,
    item,
    load,
    office,
    query,
    rewound,
    tiny_pack,
)
from tests.reporting import COUNTY, ROUND, hand_in, opened, returned, told, with_reports, write

KEY = item("1.9", COUNTY, ROUND)
DAY = instant("2025-06-25")
FINE = Marked("accepted")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack"), with_reports), instant("2025-01-01"))
        opened(database)
        write(database, COUNTY)
        hand_in(database, COUNTY)
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def revision(database: Database) -> int:
    found = told(database, COUNTY, "2025-07-30").revision
    assert found is not None
    return found


def mark(database: Database, marks: Mapping[str, Marked | None], *, by: str = BUREAU, seen: int | None = None) -> None:
    with database.write() as session:
        report_reviews.mark_sections(
            session,
            CODE,
            ROUND,
            COUNTY,
            marks,
            by=office(by),
            now=DAY,
            seen=revision(database) if seen is None else seen,
        )


def send_back(database: Database, seen: int | None = None) -> int:
    with database.write() as session:
        seen = revision(database) if seen is None else seen
        return report_reviews.send_back(session, CODE, ROUND, COUNTY, by=office(BUREAU), now=DAY, seen=seen)


def accept(database: Database, *, by: str = BUREAU) -> int:
    with database.write() as session:
        seen = revision(database)
        return report_reviews.accept(session, CODE, ROUND, COUNTY, by=office(by), now=DAY, seen=seen)


def test_sent_back_with_what_is_wrong_where(database: Database) -> None:
    mark(database, {"problems": returned("过于笼统。"), "task-2": returned("缺数据"), "overview": FINE})
    send_back(database)
    reason = "任务2 任务二：缺数据；存在问题：过于笼统"
    with database.read() as session:
        found = standing(session, KEY)
        assert (found.state, found.returns) == (State.RETURNED, 1)
        assert query(session, "SELECT reason FROM work_item WHERE key = :key", key=KEY) == [(reason,)]
        last = history(session, found.id)[-1]
        assert (last.act, last.note, last.by_unit) == (Act.SEND_BACK, reason, BUREAU)
    verdicts = told(database, COUNTY, "2025-07-30").verdicts
    assert {name: (one.verdict, one.reason) for name, one in verdicts.items()} == {
        "problems": ("returned", "过于笼统。"),
        "task-2": ("returned", "缺数据"),
        "overview": ("accepted", None),
    }
    assert told(database, COUNTY, "2025-06-24").verdicts == {}
    with database.read() as session:
        news = query(
            session,
            "SELECT m.kind, m.channel, m.recipient, l.revision FROM outbox m JOIN outbox_line l ON l.message_id = m.id "
            "WHERE l.item_id = :id",
            id=found.id,
        )
    assert news == [("returned", "inbox", COUNTY, found.revision)]


def test_handed_in_again_begins_a_new_review(database: Database) -> None:
    first = revision(database)
    mark(database, {"problems": returned("过于笼统")})
    send_back(database)
    write(database, COUNTY, {"problems": "一是人手不足，二是交通不便。"}, versions={"problems": 1})
    second = hand_in(database, COUNTY, "2025-06-26")
    now = told(database, COUNTY, "2025-07-30")
    assert (now.revision, now.verdicts) == (second, {})
    assert (now.text_of["problems"].text, now.text_of["overview"].text) == (
        "一是人手不足，二是交通不便。",
        "上半年总体平稳。",
    )
    with pytest.raises(ChangedMeanwhile, match="在您查看之后重新报送过"):
        mark(database, {"next": FINE}, seen=first)
    accept(database)
    assert told(database, COUNTY, "2025-07-30").state is State.ACCEPTED


def test_not_accepted_while_a_section_is_returned(database: Database) -> None:
    mark(database, {"problems": returned("过于笼统"), "next": returned("无措施")})
    with pytest.raises(ActNotAllowed, match="有 2 节标为退回，不能通过"):
        accept(database)
    mark(database, {"problems": None, "next": FINE})
    accept(database)
    with database.read() as session:
        assert standing(session, KEY).state is State.ACCEPTED


def test_a_mark_made_twice_is_one_and_can_be_changed(database: Database) -> None:
    mark(database, {"problems": returned("过于笼统")})
    mark(database, {"problems": returned("过于笼统")})
    mark(database, {"problems": returned("请写明数量"), "next": FINE})
    with database.read() as session:
        assert query(session, "SELECT section, verdict, reason FROM section_review ORDER BY section") == [
            ("next", "accepted", None),
            ("problems", "returned", "请写明数量"),
        ]


@pytest.mark.parametrize(
    ("marks", "by", "error", "words"),
    [
        ({"problems": returned(" ")}, BUREAU, ReasonMissing, "退回“存在问题”须写明理由"),
        ({"problems": returned("150202201001011236")}, BUREAU, PrivacyBlocked, "存在问题 退回意见"),
        ({"problems": returned("字" * 501)}, BUREAU, Faulty, "共 501 字，超过 500 字"),
        ({"problems": Marked("perfect")}, BUREAU, NotFound, "“perfect”不是审核结论"),
        ({"task-9": FINE}, BUREAU, NotFound, "这份报告中没有这一节"),
        ({"next": FINE}, SCHOOLS, NotResponsible, "您的单位不是这份报告的审核单位"),
        ({"next": FINE}, COUNTY, NotResponsible, "您的单位不是这份报告的审核单位"),
    ],
)
def test_marks_that_are_not_kept(
    database: Database, marks: dict[str, Marked], by: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        mark(database, marks, by=by)
    assert told(database, COUNTY, "2025-07-30").verdicts == {}


def test_nothing_is_sent_back_without_a_returned_section(database: Database) -> None:
    mark(database, {"next": FINE})
    with pytest.raises(ReasonMissing, match="请先标明退回哪几节，并写明理由"):
        send_back(database)


def test_only_what_waits_for_review(database: Database) -> None:
    seen = revision(database)
    accept(database)
    for act in (lambda: mark(database, {"next": FINE}), lambda: send_back(database, seen), lambda: accept(database)):
        with pytest.raises(ActNotAllowed, match="这份报告不在待审核状态"):
            act()


def test_not_taken_back_once_the_review_has_begun(database: Database) -> None:
    mark(database, {"next": FINE})
    with pytest.raises(ActNotAllowed, match="审核已经开始，不能撤回"), database.write() as session:
        reports.withdraw(session, CODE, ROUND, COUNTY, by=office(COUNTY), now=DAY)
    mark(database, {"next": None})
    with database.write() as session:
        reports.withdraw(session, CODE, ROUND, COUNTY, by=office(COUNTY), now=DAY)
    with pytest.raises(ActNotAllowed, match="这份报告不在待审核状态"):
        mark(database, {"next": FINE})
