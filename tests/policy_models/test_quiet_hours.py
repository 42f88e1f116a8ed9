"""When something may be sent: office hours of work days, over make-up Saturdays and 春节; against chinese_calendar."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta, timezone

import chinese_calendar
import pytest

from policy_models.calendars import WorkCalendar
from policy_models.quiet_hours import OpenHours, is_open, next_opening

WORK = WorkCalendar()
BEIJING = timezone(timedelta(hours=8))  # China has had no other time since 1991


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2025-01-24 08:29:59.999999", False),
        ("2025-01-24 08:30", True),
        ("2025-01-24 17:59:59.999999", True),
        ("2025-01-24 18:00", False),
        ("2025-01-25 10:00", False),  # a Saturday
        ("2025-01-26 10:00", True),  # a Sunday at work before 春节
        ("2025-01-28 10:00", False),  # 除夕
        ("2025-02-04 17:00", False),
        ("2025-02-05 08:30", True),
        ("2025-02-08 10:00", True),  # a Saturday at work
        ("2026-01-04 10:00", True),  # a Sunday at work
        ("2026-01-02 10:00", False),
    ],
)
def test_open_or_not(moment: str, expected: bool) -> None:
    assert is_open(at(moment), WORK) is expected
    assert is_open(at(moment).astimezone(UTC), WORK) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2025-01-24 12:00", "2025-01-24 12:00"),
        ("2025-01-24 06:00", "2025-01-24 08:30"),
        ("2025-01-24 18:00", "2025-01-26 08:30"),
        ("2025-01-24 23:59:59", "2025-01-26 08:30"),
        ("2025-01-27 18:00:01", "2025-02-05 08:30"),
        ("2025-02-01 00:00", "2025-02-05 08:30"),
        ("2025-12-31 20:00", "2026-01-04 08:30"),
        ("2026-02-14 19:00", "2026-02-24 08:30"),
    ],
)
def test_next_opening(moment: str, expected: str) -> None:
    opening = next_opening(at(moment), WORK)
    assert opening == at(expected)
    assert opening.tzinfo is UTC


def test_every_day_of_three_years_as_the_package_has_it() -> None:
    rng = random.Random(20240501)
    day, opened = date(2024, 5, 1), 0
    while day < date(2027, 1, 1):
        moment = datetime.combine(day, time(rng.randrange(24), rng.randrange(60)), BEIJING)
        expected = chinese_calendar.is_workday(day) and time(8, 30) <= moment.time() < time(18)
        assert is_open(moment, WORK) is expected, moment
        assert is_open(next_opening(moment, WORK), WORK)
        opened += expected
        day += timedelta(days=1)
    assert opened > 200


def test_hours_of_ones_own() -> None:
    hours = OpenHours(time(9), time(12))
    assert not is_open(at("2025-01-24 08:45"), WORK, hours)
    assert next_opening(at("2025-01-24 12:00"), WORK, hours) == at("2025-01-26 09:00")


@pytest.mark.parametrize(("opens", "closes"), [(time(9), time(9)), (time(18), time(8, 30))])
def test_hours_out_of_order_are_refused(opens: time, closes: time) -> None:
    with pytest.raises(ValueError, match="从早到晚"):
        OpenHours(opens, closes)
