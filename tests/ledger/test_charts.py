"""What charts are made of equals a count of one item after the other: today and on any past day, for every scope."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger import daily, extensions, issuing, reviews, submissions, tally
from ledger.database import Database, Session
from ledger.queries.burden import burden
from ledger.queries.grounds import Ground, Layout, ground, places
from ledger.queries.heat import heat_counts
from ledger.queries.progress import Part, progress
from ledger.queries.reading import Reading, open_plan
from ledger.queries.timeliness import By, timeliness
from ledger.tables import accepted_day, unit
from policy_models.access import WHOLE, Scope
from policy_models.series import Step
from tests import charting
from tests.api.site import MONTHLY, VILLAGE, finish, send_back
from tests.charting import Item
from tests.factories import (
    BUREAU,
    CODE,
    COUNTIES,
    KINDS,
    SCHOOLS,
    fresh_database,
    instant,
    item,
    load,
    office,
    opened,
    query,
    statements,
    tiny_pack,
    village,
)
from tests.ledger import test_past_days

TODAY = date(2025, 5, 31)
SPAN = (date(2025, 1, 1), date(2025, 12, 31))


def play(database: Database) -> None:
    """Some of everything: on time, late, sent back, waiting, waived, extended, raised on an event."""
    with database.write() as session:
        issuing.issue_due(session, CODE, as_of=TODAY, now=instant(TODAY))
    finish(database, MONTHLY, "2025-01-20", by=VILLAGE, reviewer="900101")
    finish(database, item("1.2", village(1, 2), "2025-01"), "2025-02-03", by=village(1, 2), reviewer="900101")
    finish(database, item("1.2", village(2, 1), "2025-03"), "2025-03-31", by=village(2, 1), reviewer="900201")
    finish(database, item("2.1", "9001-mz", "2025Q1"), "2025-04-10", by="9001-mz", reviewer=BUREAU)
    send_back(database, item("1.1", BUREAU, "once"), "2025-05-20", by=BUREAU, reviewer=BUREAU)
    with database.write() as session:
        waiting = item("1.2", village(2, 2), "2025-04")
        submissions.submit(session, waiting, by=office(village(2, 2)), evidence=[], now=instant("2025-05-02"))
        reviews.waive(
            session,
            item("1.2", village(2, 2), "2025-03"),
            by=office(BUREAU),
            now=instant(TODAY),
            reason="本月无此情形",
        )
        issuing.raise_event(session, CODE, "1.3", VILLAGE, by=office(VILLAGE), now=instant("2025-05-26"))
        key = item("2.1", "9002-mz", "2025Q2")
        asked = extensions.request(
            session, key, wanted=date(2025, 8, 5), reason="材料未齐", by=office("9002-mz"), now=instant(TODAY)
        )
        extensions.grant(session, asked, by=office(BUREAU), now=instant(TODAY))


@pytest.fixture(scope="module", params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Loaded on 1 February: what is dated before is to be backfilled."""
    with fresh_database(request, tmp_path_factory) as database:
        load(database, tiny_pack(tmp_path_factory.mktemp("pack")), instant("2025-01-02"), go_live_on=date(2025, 2, 1))
        play(database)
        yield database


def reading_of(
    session: Session, as_of: date | None = None, scope: Scope = WHOLE, now: date = TODAY, hour: int = 18
) -> Reading:
    found = open_plan(session, CODE, as_of=as_of, now=instant(now, hour), scope=scope)
    assert found is not None
    return found


def in_county(code: str) -> charting.Wanted:
    return lambda one: one.county == code


def below(code: str) -> charting.Wanted:
    return lambda one: one.unit == code or one.parent == code


SCOPES: list[tuple[Scope, charting.Wanted]] = [
    (WHOLE, charting.every),
    (Scope((COUNTIES[0],)), in_county(COUNTIES[0])),
    (Scope(COUNTIES), lambda one: one.county != ""),
    (Scope(("900101",)), below("900101")),
    (Scope((SCHOOLS,)), lambda one: one.unit in (SCHOOLS, "9001-jy", "9002-jy")),
    (Scope((VILLAGE,)), lambda one: one.unit == VILLAGE),
]
PARTS: list[tuple[Part, charting.Wanted]] = [
    (Part(), charting.every),
    (Part(("task-1",)), lambda one: one.section == "task-1"),
    (Part(("task-1", "task-2")), lambda one: one.section in ("task-1", "task-2")),
    (Part(("phase-1",)), lambda one: one.section == "phase-1"),
    (Part(None, 1), lambda one: one.phase == 1),
    (Part(None, None, COUNTIES[1]), in_county(COUNTIES[1])),
    (Part(("task-1",), None, "city"), lambda one: one.section == "task-1" and one.county == ""),
]


@pytest.mark.parametrize(("scope", "seen"), SCOPES)
@pytest.mark.parametrize(("part", "mine"), PARTS)
def test_each_point_of_the_curves_is_a_count(
    database: Database, scope: Scope, seen: charting.Wanted, part: Part, mine: charting.Wanted
) -> None:
    with database.read() as session:
        reading = reading_of(session, scope=scope)
        items = charting.present_items(session, reading)
        series = progress(session, reading, part, Step.DAY)
        assert len(series.points) == 365
        for point in series.points:
            due, done, total = charting.curve(items, point.day, lambda one: seen(one) and mine(one))
            assert (point.due, series.total) == (due, total), point.day
            assert point.accepted == (done if point.day <= TODAY else None), point.day


def test_the_curves_end_where_the_board_stands(database: Database) -> None:
    with database.read() as session:
        reading = reading_of(session)
        counts = tally.counts(session, CODE, TODAY, now=reading.now)
        standing = progress(session, reading, Part(), Step.WEEK).standing
    expected = [one for one in counts if one.timing not in ("exempt", "counted")]
    assert standing is not None
    assert standing.due == sum(one.due for one in expected)
    assert standing.accepted == sum(
        one.n for one in expected if one.timing in ("done_on_time", "done_late", "backfilled")
    )
    assert standing.accepted == 4


KEYS: dict[By, Any] = {
    By.COUNTY: lambda one: one.county,
    By.SECTION: lambda one: one.section,
    By.DEPARTMENT: lambda one: one.unit,
}


@pytest.mark.parametrize(("scope", "seen"), SCOPES)
@pytest.mark.parametrize("by", list(By))
def test_punctuality_is_a_count(database: Database, scope: Scope, seen: charting.Wanted, by: By) -> None:
    def wanted(one: Item) -> bool:
        return seen(one) and (by is not By.DEPARTMENT or one.county == "")

    with database.read() as session:
        reading = reading_of(session, scope=scope)
        items = charting.present_items(session, reading)
        found = timeliness(session, reading, by)
    assert [half.code for half in found.halves] == ["2025-H1"]
    shown = {
        (key, half.code): (one.on_time, one.late, one.waiting, one.missing, one.before)
        for key, row in found.rows.items()
        for half, one in zip(found.halves, row, strict=True)
        if one.total or one.before
    }
    assert shown == charting.punctual(items, TODAY, KEYS[by], wanted)
    whole = charting.punctual(items, TODAY, lambda _: "", wanted)
    assert sum(one.total + one.before for one in found.whole) == sum(sum(numbers) for numbers in whole.values())


def test_nothing_is_due_before_the_plan_begins(database: Database) -> None:
    with database.read() as session:
        reading = reading_of(session, date(2024, 12, 20))
        found = timeliness(session, reading, By.COUNTY)
        series = progress(session, reading)
    assert (found.halves, found.rows, found.whole) == ((), {}, ())
    assert series.standing is None


GROUNDS: list[tuple[Scope, str | None, Ground, Any, charting.Wanted]] = [
    (WHOLE, None, Ground(Layout.COUNTIES), lambda one: one.county, charting.every),
    (WHOLE, COUNTIES[0], Ground(Layout.TOWNSHIPS, COUNTIES[0]), charting.township, in_county(COUNTIES[0])),
    (WHOLE, "city", Ground(Layout.UNITS, "city"), lambda one: one.unit, in_county("")),
    (
        Scope((COUNTIES[1],)),
        None,
        Ground(Layout.TOWNSHIPS, COUNTIES[1]),
        charting.township,
        in_county(COUNTIES[1]),
    ),
    (Scope(("900101",)), None, Ground(Layout.UNITS), lambda one: one.unit, below("900101")),
    (Scope((SCHOOLS,)), None, Ground(Layout.UNITS), lambda one: one.unit, SCOPES[4][1]),
]


@pytest.mark.parametrize(("scope", "under", "here", "place", "seen"), GROUNDS)
def test_the_burden_of_each_place_and_week_is_a_count(
    database: Database, scope: Scope, under: str | None, here: Ground, place: Any, seen: charting.Wanted
) -> None:
    with database.read() as session:
        reading = reading_of(session, scope=scope)
        items = charting.present_items(session, reading)
        assert ground(session, reading, under) == here
        for span in (SPAN, (date(2025, 3, 1), date(2025, 6, 30)), (date(2031, 1, 1), date(2031, 2, 1))):
            found = burden(session, reading, here, *span)
            assert found == charting.loads(items, *span, place, seen)
        assert {key for key, _ in burden(session, reading, here, *SPAN)} <= {
            one.code for one in places(session, reading, here)
        }


@pytest.mark.parametrize(("scope", "under", "here", "place", "seen"), GROUNDS)
def test_the_heat_of_each_place_and_task_is_a_count(
    database: Database, scope: Scope, under: str | None, here: Ground, place: Any, seen: charting.Wanted
) -> None:
    with database.read() as session:
        reading = reading_of(session, scope=scope)
        items = charting.present_items(session, reading)
        found = {(c.county, c.task, c.timing): (c.n, c.due) for c in heat_counts(session, reading, here)}
    naive: dict[Any, tuple[int, int]] = {}
    for one in items:
        if seen(one):
            task = int(one.section.removeprefix("task-")) if one.section.startswith("task-") else None
            key = (place(one), task, one.timing)
            n, due = naive.get(key, (0, 0))
            naive[key] = (n + 1, due + (one.deadline <= TODAY))
    assert found == naive


def test_the_counts_by_day_follow_every_act(database: Database) -> None:
    with database.trial() as session:
        plan_id = reading_of(session).plan_id
        assert daily.recount(session, plan_id) == []
        before = query(session, "SELECT sum(n) FROM accepted_day")
        daily.compact(session, plan_id)
        assert daily.recount(session, plan_id) == []
        assert query(session, "SELECT sum(n) FROM accepted_day") == before
        daily.rebuild(session, plan_id)
        assert daily.recount(session, plan_id) == []
        assert tally.recount(session, CODE) == []


def test_a_wrong_count_by_day_is_found(database: Database) -> None:
    with database.trial() as session:
        session.execute(accepted_day.update().where(accepted_day.c.county == COUNTIES[1]).values(n=7))
        wrong = daily.recount(session, reading_of(session).plan_id)
        assert [row[-1] for row in wrong] == [-6]
        assert wrong == tally.recount(session, CODE)


def test_a_township_that_changes_hands_takes_its_work_along(database: Database) -> None:
    """A village moved to the other township of its county: the county stays, the place does not."""
    with database.trial() as session:
        session.execute(unit.update().where(unit.c.code == village(1, 2)).values(parent=COUNTIES[0]))
        assert tally.recount(session, CODE) != []
        tally.rebuild(session, reading_of(session).plan_id)
        here = Ground(Layout.TOWNSHIPS, COUNTIES[0])
        reading = reading_of(session)
        found = burden(session, reading, here, *SPAN)
        assert sum(n for (place, _), n in found.items() if place == "900101") == sum(
            one.expected and one.unit in (VILLAGE, "900101") for one in charting.present_items(session, reading)
        )


def test_a_chart_takes_one_or_two_statements(database: Database) -> None:
    def sent(act: Any) -> int:
        with database.read() as session:
            reading = reading_of(session)
            with statements(database) as found:
                act(session, reading)
        return len(found)

    assert sent(lambda session, reading: progress(session, reading)) == 2
    assert sent(lambda session, reading: timeliness(session, reading, By.COUNTY)) == 1
    assert sent(lambda session, reading: burden(session, reading, Ground(Layout.COUNTIES), *SPAN)) == 1


def test_the_play_has_met_every_kind_of_item(database: Database) -> None:
    """Or the tests above would show nothing."""
    with database.read() as session:
        items = charting.present_items(session, reading_of(session))
    assert {one.timing for one in items} >= {
        "done_on_time",
        "done_late",
        "under_review",
        "backfill",
        "backfilled",
        "overdue",
        "long_overdue",
        "exempt",
        "on_track",
        "not_started",
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3])
def test_any_past_day_of_a_year_is_as_it_was(
    database_url: str, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year of random acts and plan revisions: each evening the charts equal a count of the items as they stand then;
    at the end, looking back at each evening, they show the same."""
    seen: dict[date, Any] = {}

    def look(year: test_past_days.Year, day: date) -> None:
        if day.toordinal() % 9:
            return
        with year.database.read() as session:
            reading = reading_of(session, now=day, hour=23)
            items = charting.present_items(session, reading)
            seen[day] = shown(session, reading)
            _equal_to_counts(seen[day], items, day)

    monkeypatch.setattr(test_past_days, "see", look)
    with opened(database_url) as database:
        year = test_past_days.Year(database, tmp_path / "pack", random.Random(seed))
        test_past_days.live(year)
        assert len(seen) > 30
        with database.read() as session:
            assert tally.recount(session, CODE) == []
            for day, then in seen.items():
                assert shown(session, reading_of(session, day, now=date(2026, 2, 1))) == then, day


def shown(session: Session, reading: Reading) -> Any:
    series = progress(session, reading, Part(), Step.DAY)
    curves = {point.day: (point.due, point.accepted) for point in series.points if point.day <= reading.as_of}
    late = timeliness(session, reading, By.COUNTY)
    weeks = burden(session, reading, Ground(Layout.TOWNSHIPS, COUNTIES[0]), *SPAN)
    return curves, series.total, late.rows, weeks


def _equal_to_counts(then: Any, items: list[Item], day: date) -> None:
    curves, total, rows, weeks = then
    for other in (day, day - timedelta(days=20)):
        if other in curves:
            assert (*curves[other], total) == charting.curve(items, other), (day, other)
    halves = {
        (key, half): (one.on_time, one.late, one.waiting, one.missing, one.before)
        for key, row in rows.items()
        for half, one in zip(("2025-H1", "2025-H2"), row, strict=False)
        if one.total or one.before
    }
    naive = charting.punctual(items, day, lambda one: one.county)
    assert {key: numbers for key, numbers in naive.items() if key[1] <= "2025-H2"} == halves, day
    assert weeks == charting.loads(items, *SPAN, charting.township, in_county(COUNTIES[0])), day
