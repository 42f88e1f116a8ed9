"""Civil dates of Asia/Shanghai and UTC instants: the one place where the two meet."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def civil_date(now: datetime) -> date:
    """The civil date in Asia/Shanghai at an instant."""
    return now.astimezone(SHANGHAI).date()


def end_of_day(day: date) -> datetime:
    """The first instant (UTC) after a civil date: ``at < end_of_day(as_of)`` is "by that day"."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)


def at_hour(day: date, hour: int, minute: int = 0) -> datetime:
    """The instant (UTC) of a time of day on a civil date."""
    return datetime.combine(day, time(hour, minute), SHANGHAI).astimezone(UTC)
