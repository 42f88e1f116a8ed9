"""走势: running sums, half-years, punctuality and bands."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policy_models.series import (
    BANDS,
    BurnUp,
    Half,
    Point,
    Punctuality,
    Step,
    band,
    burn_up,
    halves,
    monday,
    mondays,
    punctuality,
)
from policy_models.timing import Timing

FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)
DAYS = st.dates(date(2024, 12, 1), date(2025, 5, 30))
COUNTS = st.dictionaries(DAYS, st.integers(0, 50), max_size=20)


@given(COUNTS, COUNTS, DAYS, st.sampled_from(Step))
def test_each_point_is_the_sum_up_to_its_day(
    due: dict[date, int], accepted: dict[date, int], as_of: date, step: Step
) -> None:
    accepted = {day: n for day, n in accepted.items() if day <= as_of}
    found = burn_up((FIRST, LAST), as_of, due, accepted, step)
    days = [point.day for point in found.points]
    assert days == sorted(set(days))
    assert days[0] == FIRST
    assert days[-1] == max([LAST, *accepted])
    assert found.total == sum(due.values())
    for point in found.points:
        assert point.due == sum(n for day, n in due.items() if day <= point.day)
        wanted = sum(n for day, n in accepted.items() if day <= point.day) if point.day <= as_of else None
        assert point.accepted == wanted
    if FIRST <= as_of <= found.last:
        assert found.standing is not None
        assert found.standing.day == as_of


def test_weeks_end_on_sundays_and_the_day_itself_has_a_point() -> None:
    found = burn_up((FIRST, LAST), date(2025, 1, 15), {date(2025, 1, 10): 3}, {date(2025, 1, 14): 1}, Step.WEEK)
    assert [point.day for point in found.points[:5]] == [
        date(2025, 1, 1),
        date(2025, 1, 5),
        date(2025, 1, 12),
        date(2025, 1, 15),
        date(2025, 1, 19),
    ]
    assert found.standing == Point(date(2025, 1, 15), 3, 1)
    assert [point.accepted for point in found.points[:5]] == [0, 0, 0, 1, None]


def test_before_it_begins_nothing_stands() -> None:
    found = burn_up((FIRST, LAST), date(2024, 12, 31), {LAST: 2}, {}, Step.DAY)
    assert found.standing is None
    assert isinstance(found, BurnUp)
    assert found.points[-1] == Point(LAST, 2, None)


def test_half_years_of_a_span() -> None:
    assert halves(date(2024, 5, 1), date(2025, 7, 1)) == (
        Half("2024-H1", date(2024, 1, 1), date(2024, 6, 30)),
        Half("2024-H2", date(2024, 7, 1), date(2024, 12, 31)),
        Half("2025-H1", date(2025, 1, 1), date(2025, 6, 30)),
        Half("2025-H2", date(2025, 7, 1), date(2025, 12, 31)),
    )
    assert halves(date(2025, 2, 1), date(2025, 1, 31)) in ((), (Half("2025-H1", date(2025, 1, 1), date(2025, 6, 30)),))
    assert halves(date(2025, 2, 1), date(2024, 1, 31)) == ()
    assert [half.name for half in halves(date(2025, 1, 1), date(2025, 12, 31))] == ["2025年上半年", "2025年下半年"]


def test_every_timing_has_its_place() -> None:
    found = punctuality((timing, 10**place) for place, timing in enumerate(Timing))
    place = {timing: 10**number for number, timing in enumerate(Timing)}
    missing = (Timing.NOT_STARTED, Timing.ON_TRACK, Timing.DUE_SOON, Timing.OVERDUE, Timing.LONG_OVERDUE)
    assert found == Punctuality(
        on_time=place[Timing.DONE_ON_TIME],
        late=place[Timing.DONE_LATE],
        waiting=place[Timing.UNDER_REVIEW],
        missing=sum(place[timing] for timing in missing),
        before=place[Timing.BACKFILL] + place[Timing.BACKFILLED],
    )
    assert Punctuality(3, 1, 0, 0, 9).share == 0.75
    assert Punctuality(before=9).share == 0.0


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(1, 60))
def test_weeks_begin_on_mondays(day: date, number: int) -> None:
    weeks = mondays(day, number)
    assert len(weeks) == number
    assert all(week.isoweekday() == 1 for week in weeks)
    assert weeks[0] <= day < weeks[0] + timedelta(days=7)
    assert monday(day) == weeks[0]


@given(st.integers(-3, 1000), st.integers(0, 1000))
def test_bands_grow_with_the_number_up_to_the_largest(n: int, most: int) -> None:
    n = min(n, most)
    found = band(n, most)
    assert (found == 0) == (n <= 0)
    assert found <= BANDS
    assert n <= 0 or (found - 1) * most < n * BANDS <= found * most
