"""延期: who may ask and decide, what moves with it, and what a past day shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from ledger import extensions, issuing, loading, tally
from ledger.acts import standing
from ledger.database import Database
from ledger.entries import history
from ledger.extensions import Answer, grant, refuse, request, withdraw
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import ItemRow, items
from ledger.queries.reading import open_plan
from ledger.reviews import accept, send_back
from ledger.submissions import submit
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    NotFound,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.lifecycle import Act, State
from policy_models.timing import Timing
from tests.factories import (
    BUREAU,
    CODE,
    KINDS,
    Files,
    fresh_database,
    instant,
    item,
    load,
    office,
    query,
    requirement_of,
    rewound,
    tiny_pack,
    village,
)

UNIT, TOWN = village(1, 1), "900101"
KEY = item("1.2", UNIT, "2025-01")
OLD, NEW = date(2025, 1, 31), date(2025, 3, 10)
DAY = instant("2025-01-20")


@pytest.fixture(scope="module", params=KINDS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-01"))
        with database.write() as session:
            issuing.issue_due(session, CODE, as_of=date(2025, 1, 2), now=instant("2025-01-02"))
        yield database


@pytest.fixture
def database(loaded: Database) -> Iterator[Database]:
    with rewound(loaded) as database:
        yield database


def ask(database: Database, key: str = KEY, wanted: date | None = NEW, day: str = "2025-01-20", **more: Any) -> int:
    facts = {"reason": "大雪封路", "by": office(key.split(":")[2]), **more}
    with database.write() as session:
        return request(session, key, wanted=wanted, now=instant(day), **facts)


def test_asked_for(database: Database) -> None:
    id = ask(database, reason=" 大雪封路 ")
    with database.read() as session:
        found = extensions.read(session, id)
        assert (found.key, found.planned, found.wanted, found.reason) == (KEY, OLD, NEW, "大雪封路")
        assert (found.state, found.reviewer, found.by_name) == (Answer.REQUESTED, TOWN, f"{UNIT}经办人")
        plan_id = standing(session, KEY).plan_id
        assert [one.id for one in extensions.to_decide(session, plan_id, TOWN)] == [id]
        assert [one.id for one in extensions.to_decide(session, plan_id, BUREAU)] == [id]
        assert extensions.to_decide(session, plan_id, "900201") == ()
        assert [one.id for one in extensions.requested_by(session, plan_id, UNIT)] == [id]
        assert standing(session, KEY).deadline == OLD


@pytest.mark.parametrize(
    ("error", "sentence", "more"),
    [
        (NotResponsible, "须由该单位申请延期", {"by": office(TOWN)}),
        (NotResponsible, "须由该单位申请延期", {"by": office(BUREAU)}),
        (ReasonMissing, "须写明理由和新的时限", {"reason": " \n"}),
        (ReasonMissing, "须写明理由和新的时限", {"wanted": None}),
        (ActNotAllowed, r"新的时限须晚于现在的时限（2025年1月31日）", {"wanted": OLD}),
        (ActNotAllowed, "新的时限须晚于现在的时限", {"wanted": date(2024, 12, 1)}),
        (ActNotAllowed, r"不能晚于方案结束之日（2025年12月31日）", {"wanted": date(2026, 1, 1)}),
        (ActNotAllowed, "时限已过，不能再申请延期", {"day": "2025-02-01"}),
        (PrivacyBlocked, "“延期理由”中有", {"reason": "监护人证号150203201501011239"}),
        (NotFound, "没有编号为", {"key": "tiny-2025:1.2:nobody:2025-01"}),
    ],
)
def test_refused(database: Database, error: type[Exception], sentence: str, more: dict[str, Any]) -> None:
    with pytest.raises(error, match=sentence):
        ask(database, **more)
    with database.read() as session:
        assert query(session, "SELECT count(*) FROM extension") == [(0,)]


def test_asked_for_on_the_last_day_and_before_it_opens(database: Database) -> None:
    ask(database, day="2025-01-31")
    coming = item("1.2", UNIT, "2025-09")
    with database.read() as session:
        assert standing(session, coming).state is State.SCHEDULED
    ask(database, coming, date(2025, 10, 20))


def test_one_waits_at_a_time(database: Database) -> None:
    id = ask(database)
    with pytest.raises(ActNotAllowed, match="已有一份延期申请等待审批"):
        ask(database)
    with database.write() as session:
        withdraw(session, id, by=office(UNIT), now=DAY)
    again = ask(database)
    with database.write() as session:
        refuse(session, again, by=office(TOWN), now=DAY, reason="能按期完成")
    ask(database)


@pytest.mark.parametrize("state", ["submitted", "accepted", "waived", "cancelled"])
def test_nothing_to_extend(database: Database, state: str) -> None:
    with database.write() as session:
        extra = ", reviewed_by = 'x', reviewed_at = created_at, reason = 'x'"
        session.exec_driver_sql(f"UPDATE work_item SET state = '{state}'{extra} WHERE key = '{KEY}'")
    with pytest.raises(ActNotAllowed, match="的办理件不能延期"):
        ask(database)


def test_granted(database: Database) -> None:
    id = ask(database)
    with database.write() as session:
        grant(session, id, by=office(TOWN), now=DAY, note="同意")
        found, now = extensions.read(session, id), standing(session, KEY)
        assert (found.state, found.granted, found.planned, found.deadline) == (Answer.GRANTED, NEW, OLD, NEW)
        assert (found.decided_by, found.note) == (f"{TOWN}经办人", "同意")
        assert (now.deadline, now.state, now.revision) == (NEW, State.OPEN, 2)
        last = history(session, now.id)[-1]
        assert (last.act, last.state, last.revision) == (Act.EXTEND, State.OPEN, 2)
        assert last.note == "原定2025年1月31日，延至2025年3月10日；理由：大雪封路"
        assert query(session, "SELECT extended FROM work_item WHERE key = :key", key=KEY) in ([(1,)], [(True,)])
        assert tally.recount(session, CODE) == []
        assert extensions.to_decide(session, now.plan_id, TOWN) == ()
        assert [one.id for one in extensions.decided_by_unit(session, now.plan_id, TOWN)] == [id]


def test_granted_for_less(database: Database) -> None:
    id = ask(database)
    until = date(2025, 2, 14)
    with database.write() as session:
        for wrong in (date(2025, 3, 11), OLD, date(2025, 1, 1)):
            with pytest.raises(ActNotAllowed, match="时限"), session.begin_nested():
                grant(session, id, by=office(TOWN), now=DAY, until=wrong)
        grant(session, id, by=office(BUREAU), now=DAY, until=until)
        assert (extensions.read(session, id).granted, standing(session, KEY).deadline) == (until, until)
        assert query(session, "SELECT count(*) FROM item_move") == [(1,)]


def test_who_decides(database: Database) -> None:
    id = ask(database)
    for stranger in (UNIT, "900201", ""):
        with pytest.raises(NotResponsible, match="您的单位不能审批"), database.write() as session:
            grant(session, id, by=office(stranger), now=DAY)
        with pytest.raises(NotResponsible), database.write() as session:
            refuse(session, id, by=office(stranger), now=DAY, reason="否")
    with pytest.raises(NotResponsible, match="须由该单位撤回"), database.write() as session:
        withdraw(session, id, by=office(TOWN), now=DAY)
    with pytest.raises(ReasonMissing, match="不同意延期须写明理由"), database.write() as session:
        refuse(session, id, by=office(TOWN), now=DAY, reason="\t")
    with pytest.raises(NotFound), database.write() as session:
        grant(session, id + 1, by=office(TOWN), now=DAY)


def test_decided_once(database: Database) -> None:
    id = ask(database)
    with database.write() as session:
        refuse(session, id, by=office(TOWN), now=DAY, reason="能按期完成")
    with pytest.raises(ChangedMeanwhile, match="已被撤回或审批"), database.write() as session:
        grant(session, id, by=office(BUREAU), now=DAY)
    with pytest.raises(ChangedMeanwhile), database.write() as session:
        withdraw(session, id, by=office(UNIT), now=DAY)
    with database.read() as session:
        assert (standing(session, KEY).deadline, standing(session, KEY).revision) == (OLD, 1)
        assert query(session, "SELECT count(*) FROM item_move") == [(0,)]


def test_handed_in_before_the_answer(database: Database) -> None:
    id = ask(database)
    with database.write() as session:
        submit(session, KEY, by=office(UNIT), evidence=[], now=DAY)
    with pytest.raises(ActNotAllowed, match="“待审核”的办理件不能延期"), database.write() as session:
        grant(session, id, by=office(TOWN), now=DAY)
    with database.write() as session:
        refuse(session, id, by=office(TOWN), now=DAY, reason="已报送，无需延期")


def test_granted_after_the_deadline_it_is_on_time_again(database: Database) -> None:
    id = ask(database, day="2025-01-31")
    assert row_on(database, "2025-02-05").timing is Timing.OVERDUE
    with database.write() as session:
        grant(session, id, by=office(TOWN), now=instant("2025-02-06"))
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-02-20"))
        accept(session, KEY, by=office(TOWN), now=instant("2025-02-21"))
        assert tally.recount(session, CODE) == []
    assert row_on(database, "2025-03-01").timing is Timing.DONE_ON_TIME
    assert row_on(database, "2025-02-05").timing is Timing.OVERDUE
    assert row_on(database, "2025-02-06").timing is Timing.ON_TRACK


def row_on(database: Database, day: str, now: str = "2025-06-01") -> ItemRow:
    as_of = date.fromisoformat(day)
    with database.read() as session:
        reading = open_plan(session, CODE, as_of=as_of, now=instant(now))
        assert reading is not None
        wanted = ItemFilter(unit=UNIT, requirement="1.2", period="2025-01", timing=tuple(Timing))
        (row,) = items(session, reading, wanted).rows
    return row


def test_a_past_day_shows_the_date_of_then(database: Database) -> None:
    """Extended twice, the second time after it was sent back: both dates, and those of each day before."""
    first = ask(database)
    with database.write() as session:
        grant(session, first, by=office(TOWN), now=instant("2025-01-21"))
        submit(session, KEY, by=office(UNIT), evidence=[], now=instant("2025-02-10"))
        send_back(session, KEY, by=office(TOWN), now=instant("2025-02-11"), reason="缺签到表")
    second = ask(database, wanted=date(2025, 4, 1), day="2025-02-12")
    with database.write() as session:
        grant(session, second, by=office(TOWN), now=instant("2025-02-13"))
        assert tally.recount(session, CODE) == []
    shown = {
        day: (row.deadline, row.planned, row.state, row.reason)
        for day in ("2025-01-20", "2025-01-21", "2025-02-12", "2025-02-13", "2025-06-01")
        for row in [row_on(database, day)]
    }
    assert shown == {
        "2025-01-20": (OLD, None, State.OPEN, None),
        "2025-01-21": (NEW, OLD, State.OPEN, None),
        "2025-02-12": (NEW, OLD, State.RETURNED, "缺签到表"),
        "2025-02-13": (date(2025, 4, 1), OLD, State.RETURNED, "缺签到表"),
        "2025-06-01": (date(2025, 4, 1), OLD, State.RETURNED, "缺签到表"),
    }
    row = row_on(database, "2025-06-01")
    assert (row.why, row.remind_by, row.inferred) == ("经审批延期，原定2025年1月31日", date(2025, 4, 1), False)


def test_requests_as_of_a_past_day(database: Database) -> None:
    id = ask(database)
    with database.write() as session:
        grant(session, id, by=office(TOWN), now=instant("2025-01-25"), note="同意")
        before = extensions.of_item(session, KEY, before=instant("2025-01-24"))
        after = extensions.of_item(session, KEY, before=instant("2025-01-26"))
        assert extensions.of_item(session, KEY, before=instant("2025-01-19")) == ()
    assert [(one.state, one.granted, one.note) for one in before] == [(Answer.REQUESTED, None, None)]
    assert [(one.state, one.granted, one.note) for one in after] == [(Answer.GRANTED, NEW, "同意")]


def test_a_plan_revision_never_resets_it(database: Database, tmp_path: Any) -> None:
    def later(files: Files) -> None:
        files["plan.yaml"]["revision"] = 2
        requirement_of(files, "1.2")["recurrence"] = {"every": "month", "due": {"at": "end", "days": 5}}

    id = ask(database)
    with database.write() as session:
        grant(session, id, by=office(TOWN), now=DAY)
        report = loading.load_plan(session, tiny_pack(tmp_path, later), now=instant("2025-01-22"))
        assert report.items_moved > 0
        assert standing(session, KEY).deadline == NEW
        assert standing(session, item("1.2", village(1, 2), "2025-01")).deadline == date(2025, 2, 5)
        assert tally.recount(session, CODE) == []
    assert row_on(database, "2025-01-23").planned == OLD


def test_a_revision_between_asking_and_granting(database: Database, tmp_path: Any) -> None:
    """Granted against the deadline of now; what is not later any more is refused with a sentence."""

    def later(files: Files) -> None:
        files["plan.yaml"]["revision"] = 2
        requirement_of(files, "1.2")["recurrence"] = {"every": "month", "due": {"at": "end", "days": 5}}

    id = ask(database, wanted=date(2025, 2, 5))
    with database.write() as session:
        loading.load_plan(session, tiny_pack(tmp_path, later), now=instant("2025-01-22"))
        with pytest.raises(ActNotAllowed, match=r"须晚于现在的时限（2025年2月5日）"):
            grant(session, id, by=office(TOWN), now=instant("2025-01-23"))
