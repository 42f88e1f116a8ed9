"""Read models of items and units: what each row says, and that the number of statements does not grow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ledger import issuing
from ledger.database import Database, Session
from ledger.queries import units
from ledger.queries.board import due_between, overdue_by_unit, upcoming
from ledger.queries.feed import feed
from ledger.queries.item_filter import ItemFilter
from ledger.queries.items import item, items, plan_of_item, unit_items
from ledger.queries.matrix import matrix
from ledger.queries.reading import Reading, open_plan
from policy_models.errors import NotFound
from policy_models.feeds import Scope, Subject
from policy_models.lifecycle import State
from policy_models.timing import LATE, Light, Timing
from tests.api.site import BUREAU_ITEM, MONTHLY, VILLAGE, Site, finish, send_back, tiny_site
from tests.factories import BUREAU, CITY, CODE, COUNTIES, instant, opened, statements, village


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> object:
    with tiny_site(database_url, tmp_path / "pack") as found:
        yield found


def reading(session: Session, day: str, as_of: str | None = None) -> Reading:
    found = open_plan(session, CODE, as_of=date.fromisoformat(as_of) if as_of else None, now=instant(day))
    assert found is not None
    return found


def test_no_plan_is_no_reading(database_url: str) -> None:
    with opened(database_url) as database, database.read() as session:
        assert open_plan(session, None, as_of=None, now=instant("2025-05-31")) is None
        with pytest.raises(NotFound):
            open_plan(session, CODE, as_of=None, now=instant("2025-05-31"))


def test_a_row_says_everything_about_an_item(site: Site) -> None:
    send_back(site.database, BUREAU_ITEM, "2025-05-20", by=BUREAU, reviewer=BUREAU)
    with site.database.read() as session:
        [row] = items(session, reading(session, "2025-06-20"), ItemFilter(requirement="1.1")).rows
    assert (row.key, row.unit, row.unit_name, row.section, row.task) == (BUREAU_ITEM, BUREAU, "市民政局", "task-1", 1)
    assert (row.state, row.timing, row.light) == (State.RETURNED, Timing.DUE_SOON, Light.YELLOW)
    assert (row.deadline, row.remind_by, row.inferred) == (date(2025, 6, 30), date(2025, 6, 30), False)
    assert (row.returns, row.reason, row.first_submitted_on) == (1, "缺签到表", date(2025, 5, 20))


def test_a_weekend_deadline_aims_at_the_friday_before(site: Site) -> None:
    with site.database.read() as session:
        [row] = items(session, reading(session, "2025-05-31"), ItemFilter(unit=VILLAGE, period="2025-08")).rows
    assert (row.deadline, row.remind_by) == (date(2025, 8, 31), date(2025, 8, 29))
    assert "请于2025年8月29日前报送" in row.why


def test_pages_hold_every_item_once(site: Site) -> None:
    with site.database.read() as session:
        now = reading(session, "2025-05-31")
        whole = items(session, now, ItemFilter(), limit=1000)
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            page = items(session, now, ItemFilter(), cursor=cursor, limit=7)
            assert page.total == whole.total
            seen += [row.key for row in page.rows]
            cursor, pages = page.next_cursor, pages + 1
    assert seen == [row.key for row in whole.rows]
    assert len(seen) == len(set(seen)) == whole.total
    assert pages == -(-whole.total // 7)


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (ItemFilter(section="task-1"), lambda row: row.task == 1),
        (ItemFilter(section="phase-1"), lambda row: row.section == "phase-1" and row.task is None),
        (ItemFilter(under=COUNTIES[0]), lambda row: row.county == COUNTIES[0]),
        (ItemFilter(period="2025-03"), lambda row: row.period == "2025-03"),
        (ItemFilter(state=State.SCHEDULED), lambda row: row.state is State.SCHEDULED),
        (ItemFilter(timing=tuple(LATE)), lambda row: row.timing in LATE),
        (ItemFilter(phase=1), lambda row: row.phase == 1),
    ],
)
def test_filters_keep_exactly_what_fits(site: Site, wanted: ItemFilter, holds: Callable[[object], bool]) -> None:
    with site.database.read() as session:
        now = reading(session, "2025-05-31")
        every = items(session, now, ItemFilter(), limit=1000).rows
        kept = items(session, now, wanted, limit=1000)
    assert [row.key for row in kept.rows] == [row.key for row in every if holds(row)]
    assert kept.total == len(kept.rows) > 0


def test_the_past_is_replayed_from_the_entries(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-02-20", by=VILLAGE, reviewer="900101")
    with site.database.write() as session:
        issuing.issue_due(session, CODE, as_of=date(2025, 6, 1), now=instant("2025-06-01"))
    with site.database.read() as session:
        wanted = ItemFilter(unit=VILLAGE, period="2025-01")
        days = ("2025-02-19", "2025-02-20")
        then = [items(session, reading(session, "2025-06-01", day), wanted).rows[0] for day in days]
    assert [row.state for row in then] == [State.SCHEDULED, State.ACCEPTED]
    assert [row.timing for row in then] == [Timing.LONG_OVERDUE, Timing.DONE_LATE]
    assert [row.revision for row in then] == [0, 3]


def test_one_item_with_its_history(site: Site) -> None:
    send_back(site.database, BUREAU_ITEM, "2025-05-20", by=BUREAU, reviewer=BUREAU)
    with site.database.read() as session:
        assert plan_of_item(session, BUREAU_ITEM) == CODE
        found = item(session, reading(session, "2025-05-31"), BUREAU_ITEM)
        with pytest.raises(NotFound):
            item(session, reading(session, "2025-05-31"), "none")
    assert [entry.act.value for entry in found.entries] == ["issue", "submit", "send_back"]
    assert [str(piece.value or piece.text) for piece in found.evidence] == ["3.5", "照片1", "照片2"]
    assert found.unit_names == {BUREAU: "市民政局"}


def test_overdue_by_unit_agrees_with_the_items(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-05-31", by=VILLAGE, reviewer="900101")
    with site.database.read() as session:
        for day, as_of in (("2025-05-31", None), ("2025-06-20", None), ("2025-05-31", "2025-04-10")):
            now = reading(session, day, as_of)
            late = items(session, now, ItemFilter(timing=tuple(LATE)), limit=1000).rows
            found = overdue_by_unit(session, now)
            assert {one.code for one in found} == {row.unit for row in late}
            for one in found:
                mine = [row for row in late if row.unit == one.code]
                red = sum(row.timing is Timing.LONG_OVERDUE for row in mine)
                assert (one.overdue, one.long_overdue) == (len(mine), red)
                assert one.oldest == min(row.deadline for row in mine)
            ranks = [(-one.long_overdue, -one.overdue, one.oldest) for one in found]
            assert ranks == sorted(ranks)


def test_upcoming_and_this_month_agree_with_the_items(site: Site) -> None:
    with site.database.read() as session:
        now = reading(session, "2025-05-31")
        rows = items(session, now, ItemFilter(), limit=1000).rows
        soon = [row for row in rows if date(2025, 5, 31) <= row.deadline <= date(2025, 6, 30)]
        found = upcoming(session, now)
        june = due_between(session, now, date(2025, 6, 1), date(2025, 6, 30))
    assert sum(one.units for one in found) == sum(one.waiting for one in found) == len(soon) > 0
    assert {(one.deadline, one.requirement, one.period) for one in found} == {
        (row.deadline, row.requirement, row.period) for row in soon
    }
    assert (june.total, june.done) == (sum(row.deadline.month == 6 for row in soon), 0)


def test_the_matrix_adds_up_to_the_items(site: Site) -> None:
    with site.database.read() as session:
        now = reading(session, "2025-05-31")
        rows = items(session, now, ItemFilter(section="task-2"), limit=1000).rows
        found = matrix(session, now, "task-2")
        bureau = matrix(session, now, "task-1")
    assert sum(one.n for one in found) == len(rows) > 0
    for one in found:
        mine = [r for r in rows if (r.requirement, r.period, r.county) == (one.requirement, one.period, one.area)]
        assert one.n == sum(row.timing is one.timing for row in mine)
    assert {(one.area, one.of_city) for one in bureau if one.requirement == "1.1"} == {(BUREAU, True)}


def test_units_above_and_below(site: Site) -> None:
    finish(site.database, MONTHLY, "2025-05-31", by=VILLAGE, reviewer="900101")
    with site.database.read() as session:
        now = reading(session, "2025-05-31")
        assert [one.code for one in units.above(session, VILLAGE)] == [CITY, COUNTIES[0], f"{COUNTIES[0]}01"]
        assert units.above(session, CITY) == ()
        below = {one.unit.code: one.standing for one in units.below(session, now, COUNTIES[0])}
        own = [unit_items(session, now, code) for code in (VILLAGE, village(1, 2), f"{COUNTIES[0]}01")]
        rows = [row for found in own for row in found]
        town = below[f"{COUNTIES[0]}01"]
        assert (town.units, town.expected, town.done) == (3, len(rows), 1)
        assert town.overdue == sum(row.timing in LATE for row in rows)
        assert units.below(session, now, VILLAGE) == ()
        with pytest.raises(NotFound):
            units.unit_row(session, "none")


def test_searching_units_takes_words_as_they_are(site: Site) -> None:
    with site.database.read() as session:
        assert [one.code for one in units.search(session, "1县1村")] == [VILLAGE]
        assert [one.code for one in units.search(session, VILLAGE[:-1])] == [VILLAGE, village(1, 2)]
        assert units.search(session, "%") == units.search(session, "_") == units.search(session, "\\") == ()


READS: dict[str, Callable[[Session, Reading], object]] = {
    "items": lambda session, now: items(session, now, ItemFilter(), limit=500),
    "item": lambda session, now: item(session, now, MONTHLY),
    "unit": lambda session, now: unit_items(session, now, VILLAGE),
    "below": lambda session, now: units.below(session, now, CITY),
    "overdue": lambda session, now: overdue_by_unit(session, now),
    "upcoming": lambda session, now: upcoming(session, now),
    "matrix": lambda session, now: matrix(session, now, "task-1"),
    "feed": lambda session, now: feed(session, Subject(Scope.UNIT, VILLAGE), now=instant("2025-05-31")),
}


def counted(database: Database) -> dict[str, int]:
    found = {}
    with database.read() as session:
        now = reading(session, "2025-05-31")
        for name, read in READS.items():
            read(session, now)  # fills the caches of plan and calendars
            with statements(database) as sent:
                read(session, now)
            found[name] = len(sent)
    return found


def test_the_number_of_statements_does_not_grow_with_the_items(sqlite_template: Path, tmp_path: Path) -> None:
    numbers = []
    for villages in (1, 25):
        path = tmp_path / f"{villages}.db"
        path.write_bytes(sqlite_template.read_bytes())
        with tiny_site(f"sqlite:///{path}", tmp_path / f"pack{villages}", villages=villages) as found:
            numbers.append(counted(found.database))
    assert numbers[0] == numbers[1]
    assert (numbers[0]["unit"], numbers[0]["overdue"], numbers[0]["upcoming"]) == (1, 1, 2)
    assert numbers[0]["matrix"] == 2  # the counties and the units of the city
    assert max(numbers[0].values()) <= 8
