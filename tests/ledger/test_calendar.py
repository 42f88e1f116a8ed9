"""What falls due and opens on the days of a month: each number equals its items, for the city, a part of it and a unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.database import Session
from ledger.queries.calendar import Whose, falling_due, opening
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import items
from ledger.queries.latest import exemplars_of, latest_accepted, latest_acts
from ledger.queries.reading import Reading, open_plan
from policy_models.access import WHOLE, Scope
from policy_models.lifecycle import Act
from policy_models.timing import NOT_EXPECTED, Timing
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish, send_back, tiny_site
from tests.factories import BUREAU, CODE, COUNTIES, instant, item, statements, village

DAY, FIRST, LAST = "2025-05-31", date(2025, 4, 28), date(2025, 6, 1)
MAY = item("1.2", VILLAGE, "2025-05")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with tiny_site(database_url, tmp_path / "pack") as found:
        finish(found.database, MAY, "2025-05-29", by=VILLAGE, reviewer="900101")
        send_back(found.database, MONTHLY, "2025-05-30", by=VILLAGE, reviewer="900101")
        yield found


def reading(session: Session, as_of: str | None = None, scope: Scope = WHOLE) -> Reading:
    day = date.fromisoformat(as_of) if as_of else None
    found = open_plan(session, CODE, as_of=day, now=instant(DAY), scope=scope)
    assert found is not None
    return found


@pytest.mark.parametrize("as_of", [None, "2025-05-15"])
@pytest.mark.parametrize("roots", [None, (COUNTIES[0],), ("900101",), (VILLAGE,)])
def test_each_number_is_that_of_the_items(site: Site, as_of: str | None, roots: tuple[str, ...] | None) -> None:
    scope = Scope(roots)
    with site.database.read() as session:
        now = reading(session, as_of, scope)
        rows = items(session, now, ItemFilter(timing=tuple(Timing)), limit=1000).rows
        due, opens = (
            falling_due(session, now, Whose(scope), FIRST, LAST),
            opening(session, now, Whose(scope), FIRST, LAST),
        )
    owed = [row for row in rows if row.timing not in NOT_EXPECTED]
    expected: dict[tuple[date, str, str], Counter[Timing]] = {}
    for row in owed:
        if FIRST <= row.deadline <= LAST:
            expected.setdefault((row.deadline, row.requirement, row.period), Counter())[row.timing] += 1
    assert {(one.day, one.requirement, one.period): Counter(one.cell.by_timing) for one in due} == expected
    starts = Counter((row.opens_on, row.requirement, row.period) for row in owed if FIRST <= row.opens_on <= LAST)
    assert {(one.day, one.requirement, one.period): one.n for one in opens} == dict(starts)
    assert expected
    assert starts
    assert [one.day for one in due] == sorted(one.day for one in due)


def test_one_unit_alone(site: Site) -> None:
    with site.database.read() as session:
        now = reading(session)
        alone = falling_due(session, now, Whose(WHOLE, VILLAGE), FIRST, LAST)
        town = falling_due(session, now, Whose(WHOLE, "900101"), FIRST, LAST)
    assert [(one.requirement, one.period, one.cell.done, one.cell.expected) for one in alone] == [
        ("1.2", "2025-04", 0, 1),
        ("1.2", "2025-05", 1, 1),
    ]
    assert town == ()


def test_the_day_to_aim_at_and_its_reason(site: Site) -> None:
    with site.database.read() as session:
        found = falling_due(session, reading(session), Whose(WHOLE), date(2025, 5, 31), date(2025, 5, 31))
    [may] = [one for one in found if one.requirement == "1.2"]
    assert (may.remind_by, may.cell.expected, may.cell.done, may.inferred) == (date(2025, 5, 30), 4, 1, False)
    assert "请于2025年5月30日前报送" in may.why


def test_acts_and_accepted_evidence_newest_first(site: Site) -> None:
    finish(site.database, BUREAU_ITEM, "2025-05-30", by=BUREAU, reviewer=BUREAU)
    with site.database.read() as session:
        acts = latest_acts(session, reading(session), "task-1", limit=3)
        accepted = latest_accepted(session, reading(session), "task-1", limit=5)
        before = latest_acts(session, reading(session, "2025-05-29"), "task-1", limit=2)
        earlier = latest_accepted(session, reading(session, "2025-05-29"), "task-1", limit=5)
        village_acts = latest_acts(session, reading(session, scope=Scope((village(1, 1),))), "task-1", limit=50)
        of_village = latest_accepted(session, reading(session, scope=Scope((village(1, 1),))), "task-1", limit=5)
        none = latest_acts(session, reading(session), "task-9", limit=3)
    done = [(BUREAU_ITEM, Act.ACCEPT, None), (MONTHLY, Act.SEND_BACK, "缺签到表")]
    assert sorted((one.key, one.act, one.note) for one in acts[:2]) == sorted(done)
    assert [one.key for one in accepted] == [BUREAU_ITEM, MAY]
    assert [piece.evidence.name for piece in accepted[0].given] == ["done", None, None]
    assert [(one.key, one.act) for one in before] == [(MAY, Act.ACCEPT), (MAY, Act.SUBMIT)]
    assert [one.key for one in earlier] == [MAY]
    assert {one.unit for one in village_acts} == {village(1, 1)}
    assert [one.key for one in of_village] == [MAY]
    assert none == ()


def test_exemplars_of_the_units_that_owe_something_of_a_section(site: Site) -> None:
    facts = (
        "INSERT INTO exemplar (plan_id, round_code, unit_code, title, state, created_at, changed_at, changed_by,"
        " published_at, published_by) SELECT id, '2025-H1', :unit, :title, :state, loaded_at, loaded_at, '经办人',"
        " :at, '统筹员' FROM plan"
    )
    rows = [
        (VILLAGE, "牵手成长", "published", "2025-05-20 02:00:00"),
        (BUREAU, "数据比对", "published", "2025-05-30 02:00:00"),
        (f"{COUNTIES[0]}-mz", "部门联动", "published", "2025-05-21 02:00:00"),  # owes nothing of task 1
        (village(1, 2), "还在修改", "shortlisted", "2025-05-21 02:00:00"),
    ]
    with site.database.write() as session:
        for unit, title, state, at in rows:
            session.execute(text(facts), {"unit": unit, "title": title, "state": state, "at": at})
    with site.database.read() as session:
        found = exemplars_of(session, reading(session), "task-1", limit=5)
        first = exemplars_of(session, reading(session), "task-1", limit=1)
        before = exemplars_of(session, reading(session, "2025-05-29"), "task-1", limit=5)
        other = exemplars_of(session, reading(session), "task-2", limit=5)
    assert [one.content.title for one in found] == ["数据比对", "牵手成长"]
    assert [one.content.title for one in first] == ["数据比对"]
    assert [one.content.title for one in before] == ["牵手成长"]
    assert {one.content.title for one in other} == {"牵手成长", "部门联动"}


def test_the_statements_are_counted(site: Site) -> None:
    with site.database.read() as session:
        now = reading(session)
        with statements(site.database) as sent:
            falling_due(session, now, Whose(WHOLE), FIRST, LAST)
            opening(session, now, Whose(WHOLE), FIRST, LAST)
            latest_acts(session, now, "task-1", limit=12)
            latest_accepted(session, now, "task-1", limit=8)
    assert len(sent) == 2 + 1 + 2 + 3
