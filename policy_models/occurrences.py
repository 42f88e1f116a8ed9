"""On-event duties: the civil date by which something must be shown after an event."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta

from policy_models.calendars import WorkCalendar


def due_after(within: str, day: date, work: WorkCalendar) -> date:
    """The deadline of ``within`` (24h, 3d, 5wd) from an event on a civil date.

    Hours count as whole days from the event (24h: the next day), since deadlines are civil dates; ``wd`` are work days.
    """
    match = re.fullmatch(r"(\d+)(h|d|wd)", within)
    if match is None:
        raise ValueError(f"no span: {within}")
    number, measure = int(match.group(1)), match.group(2)
    if measure == "wd":
        return work.shift(day, number)
    return day + timedelta(days=math.ceil(number / 24) if measure == "h" else number)
