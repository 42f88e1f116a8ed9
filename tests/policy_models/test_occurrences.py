"""After an event: hours as whole days, days, and work days across weekends, holidays and make-up days."""

from __future__ import annotations

from datetime import date

import pytest

from policy_models.calendars import WorkCalendar
from policy_models.occurrences import due_after

WORK = WorkCalendar()


@pytest.mark.parametrize(
    ("within", "day", "due"),
    [
        ("24h", "2025-03-05", "2025-03-06"),
        ("25h", "2025-03-05", "2025-03-07"),
        ("1h", "2025-03-07", "2025-03-08"),
        ("3d", "2025-02-27", "2025-03-02"),
        ("5wd", "2025-03-05", "2025-03-12"),
        ("1wd", "2025-01-24", "2025-01-26"),  # a Sunday on which offices work
        ("2wd", "2025-01-26", "2025-02-05"),  # over Spring Festival
        ("5wd", "2025-09-27", "2025-10-10"),  # from a Saturday, over National Day
    ],
)
def test_due_after(within: str, day: str, due: str) -> None:
    assert due_after(within, date.fromisoformat(day), WORK) == date.fromisoformat(due)


@pytest.mark.parametrize("within", ["", "3", "3w", "-3d", "d"])
def test_no_span(within: str) -> None:
    with pytest.raises(ValueError, match=r"^no span: "):
        due_after(within, date(2025, 3, 5), WORK)
