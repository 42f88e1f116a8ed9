"""Timing and lights: against a reading of the rule, day by day, over holidays and make-up days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from policy_models import calendar_file
from policy_models.lifecycle import State
from policy_models.timing import (
    CATCH_UP_NAMES,
    DONE,
    LATE,
    LIGHT_NAMES,
    LIGHTS,
    NOT_EXPECTED,
    TIMING_NAMES,
    CatchUp,
    Light,
    Thresholds,
    Timing,
    timing,
)

WORK = calendar_file.load([calendar_file.BUNDLED]).work
FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
NEAR = [timedelta(days=n) for n in range(-25, 26)]


def workdays_after(first: date, last: date) -> int:
    """Work days after ``first`` up to and with ``last``, one by one."""
    return sum(WORK.is_workday(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))


def open_item(deadline: date, as_of: date) -> Timing:
    return timing(State.OPEN, FIRST, deadline, False, None, 0, Thresholds.at(as_of, WORK))


def test_overdue_is_orange_for_five_work_days_and_red_after() -> None:
    for as_of in DAYS[60:-60:2]:
        at = Thresholds.at(as_of, WORK)
        for deadline in (as_of - timedelta(days=n) for n in range(1, 22)):
            wanted = Timing.LONG_OVERDUE if workdays_after(deadline, as_of) > 5 else Timing.OVERDUE
            assert timing(State.OPEN, FIRST, deadline, False, None, 0, at) is wanted, (as_of, deadline)


def test_what_is_due_today_is_not_overdue() -> None:
    assert open_item(date(2024, 6, 30), date(2024, 6, 30)) is Timing.DUE_SOON
    assert open_item(date(2024, 6, 30), date(2024, 7, 1)) is Timing.OVERDUE


def test_overdue_from_the_legal_date() -> None:
    """Sunday 30 June: five work days are over on Friday 5 July; the light is red from Monday on."""
    lights = [LIGHTS[open_item(date(2024, 6, 30), date(2024, 7, n))] for n in range(1, 9)]
    assert lights == [Light.ORANGE] * 7 + [Light.RED]


def test_due_soon_is_at_most_seven_work_days_away() -> None:
    for as_of in DAYS[60:-60:2]:
        at = Thresholds.at(as_of, WORK)
        for deadline in (as_of + timedelta(days=n) for n in range(22)):
            wanted = Timing.DUE_SOON if workdays_after(as_of, deadline) <= 7 else Timing.ON_TRACK
            assert timing(State.OPEN, FIRST, deadline, False, None, 0, at) is wanted, (as_of, deadline)


AT = Thresholds.at(date(2025, 6, 16), WORK)
PAST, FUTURE = date(2025, 3, 31), date(2025, 12, 31)


@pytest.mark.parametrize(
    ("state", "deadline", "late", "catch_up", "returns", "wanted"),
    [
        (State.SCHEDULED, FUTURE, False, None, 0, Timing.NOT_STARTED),
        (State.OPEN, FUTURE, False, None, 0, Timing.ON_TRACK),
        (State.RETURNED, FUTURE, False, None, 1, Timing.ON_TRACK),
        (State.RETURNED, FUTURE, False, None, 2, Timing.LONG_OVERDUE),
        (State.OPEN, FUTURE, False, None, 2, Timing.LONG_OVERDUE),
        (State.SUBMITTED, PAST, True, None, 3, Timing.UNDER_REVIEW),
        (State.ACCEPTED, PAST, False, None, 3, Timing.DONE_ON_TIME),
        (State.ACCEPTED, PAST, True, None, 0, Timing.DONE_LATE),
        (State.WAIVED, PAST, False, None, 0, Timing.EXEMPT),
        (State.CANCELLED, PAST, False, CatchUp.BACKFILL, 0, Timing.EXEMPT),
        (State.SCHEDULED, PAST, False, CatchUp.BACKFILL, 0, Timing.BACKFILL),
        (State.RETURNED, PAST, True, CatchUp.BACKFILL, 2, Timing.BACKFILL),
        (State.SUBMITTED, PAST, True, CatchUp.BACKFILL, 0, Timing.UNDER_REVIEW),
        (State.ACCEPTED, PAST, True, CatchUp.BACKFILL, 0, Timing.BACKFILLED),
        (State.SCHEDULED, PAST, False, CatchUp.COUNT_ONLY, 0, Timing.COUNTED),
        (State.ACCEPTED, PAST, True, CatchUp.COUNT_ONLY, 0, Timing.COUNTED),
        (State.WAIVED, PAST, False, CatchUp.WAIVE, 0, Timing.EXEMPT),
        (State.SCHEDULED, PAST, False, None, 0, Timing.LONG_OVERDUE),
    ],
)
def test_each_rule(
    state: State, deadline: date, late: bool, catch_up: CatchUp | None, returns: int, wanted: Timing
) -> None:
    opens_on = min(deadline, date(2025, 9, 1))
    assert timing(state, opens_on, deadline, late, catch_up, returns, AT) is wanted


def test_an_item_whose_day_has_come_has_started() -> None:
    today = date(2025, 6, 16)
    assert timing(State.SCHEDULED, today, FUTURE, False, None, 0, AT) is Timing.ON_TRACK
    assert timing(State.SCHEDULED, today + timedelta(days=1), FUTURE, False, None, 0, AT) is Timing.NOT_STARTED


def test_every_timing_has_a_name_and_a_light() -> None:
    assert (set(TIMING_NAMES), set(LIGHTS), set(LIGHT_NAMES)) == (set(Timing), set(Timing), set(Light))
    assert set(CATCH_UP_NAMES) == set(CatchUp)
    assert DONE.isdisjoint(LATE | NOT_EXPECTED)
    assert {LIGHTS[t] for t in DONE} == {Light.BLUE}
    assert {LIGHTS[t] for t in LATE} == {Light.ORANGE, Light.RED}
    assert {LIGHTS[t] for t in NOT_EXPECTED} == {Light.GREY}
