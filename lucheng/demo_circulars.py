"""The last circulars of the demonstration, each issued on its own morning. Their figures are those of the invented work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from ledger import circulars
from ledger.civil import at_hour
from ledger.database import Database
from policy_models.circular_periods import CircularKind, CircularPeriod, last_ended
from policy_models.plan_file import Pack

LAST = {CircularKind.WEEKLY: 2, CircularKind.MONTHLY: 1}  # each costs a second of a demonstration that must be quick


def issue_last(database: Database, pack: Pack, day: date, tell: Callable[[datetime], None]) -> None:
    """Issue the last circulars before ``day`` in order of their mornings; ``tell`` delivers what waits at an instant."""
    work = pack.calendars.work
    for period in sorted(_last(pack, day), key=lambda one: (one.issued_on(work), one.code)):
        now = at_hour(period.issued_on(work), 8, 40)
        with database.write() as session:
            circulars.issue(session, pack.plan.code, period.kind, period.code, now=now)
        tell(now)


def _last(pack: Pack, day: date) -> list[CircularPeriod]:
    plan, work = pack.plan, pack.calendars.work
    found = []
    for kind, wanted in LAST.items():
        period = last_ended(kind, day, work)
        for _ in range(wanted):
            if period.concerns(plan.starts_on, plan.ends_on) and period.issued_on(work) <= day:
                found.append(period)
            period = last_ended(kind, period.first, work)
    return found
