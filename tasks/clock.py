"""The batch side's only clock: the instant and the civil date a step works at."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

from ledger.civil import civil_date
from ledger.settings import Settings

_STARTED = time.monotonic()


def now() -> datetime:
    """The UTC instant; with a virtual clock in the settings that instant and what has passed since this start."""
    virtual = Settings.load().clock
    if virtual is None:
        return datetime.now(UTC)
    return virtual.astimezone(UTC) + timedelta(seconds=time.monotonic() - _STARTED)


def today() -> date:
    """The civil date in Asia/Shanghai."""
    return civil_date(now())


def run_date(as_of: str | None, scheduled_start: datetime | None) -> date:
    """The civil date a run decides for: what a person asked for, else the day the run was meant to start on, so that
    a late run decides as an on-time run would. A virtual clock comes before the scheduled start, which is real."""
    if as_of is not None:
        return date.fromisoformat(as_of)
    if scheduled_start is None or Settings.load().clock is not None:
        return today()
    return civil_date(scheduled_start)
