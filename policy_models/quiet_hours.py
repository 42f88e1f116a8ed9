"""开放时段: when something may be sent to a person, on work days within office hours (Asia/Shanghai), and never else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from policy_models.calendars import WorkCalendar

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Times of day in Asia/Shanghai: from ``opens`` on, up to but not with ``closes``. ValueError if not in order."""

    opens: time = time(8, 30)
    closes: time = time(18, 0)

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise ValueError(f"开放时段须从早到晚，现为 {self.opens:%H:%M} 至 {self.closes:%H:%M}")


OPEN_HOURS = OpenHours()


def is_open(now: datetime, work: WorkCalendar, hours: OpenHours = OPEN_HOURS) -> bool:
    """Whether an instant lies in the open hours of a work day; make-up days (调休) are work days, holidays are not."""
    local = now.astimezone(ZONE)
    return work.is_workday(local.date()) and hours.opens <= local.time() < hours.closes


def next_opening(now: datetime, work: WorkCalendar, hours: OpenHours = OPEN_HOURS) -> datetime:
    """The first open instant that is not before ``now``, in UTC: ``now`` itself while it is open."""
    if is_open(now, work, hours):
        return now.astimezone(UTC)
    local = now.astimezone(ZONE)
    later = local.date() if local.time() < hours.opens else local.date() + timedelta(days=1)
    return _at(work.on_or_after(later), hours.opens)


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, ZONE).astimezone(UTC)
