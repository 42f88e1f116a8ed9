"""催办阶梯: which reminder of an item is due, as of a work day. Steps are work days from the deadline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from policy_models.calendars import WorkCalendar
from policy_models.plan import Every, Kind, Requirement

# A setting by rhythm: what comes monthly must not nag from a month before.
LADDERS: dict[str, tuple[int, ...]] = {
    "long": (-30, -7, -3, 0, 1, 3, 7),
    "middle": (-7, -3, 0, 1, 3, 7),
    "short": (-3, 0, 1, 3, 7),
}
LONG = frozenset({Every.YEAR, Every.HALF_YEAR, Every.RANGE})
SHORT = frozenset({Every.MONTH, Every.FORTNIGHT_IN_TERM})
ESCALATES_FROM = 3  # from this step on the superior unit hears of it too


@dataclass(frozen=True, slots=True)
class Rung:
    """``step`` has arrived for every deadline up to ``deadline_until`` (and for none later)."""

    step: int
    deadline_until: date


def ladder_of(requirement: Requirement) -> str:
    """The name of a requirement's ladder in LADDERS."""
    every = requirement.recurrence.every if requirement.recurrence else None
    if requirement.kind is Kind.ON_EVENT or every in SHORT:
        return "short"
    return "long" if requirement.kind is Kind.DATED or every in LONG else "middle"


def rungs(ladder: str, as_of: date, work: WorkCalendar) -> list[Rung]:
    """The ladder as of a day, highest step first: an item's step is the first whose ``deadline_until`` it meets.

    Steps up to 0 count back from ``remind_by`` (the last work day on or before the deadline), later steps forward
    from the legal deadline; both come to the same line on the calendar, so one comparison of dates decides.
    """
    base = work.on_or_before(as_of)
    return [Rung(step, _last_deadline(base, step, work)) for step in sorted(LADDERS[ladder], reverse=True)]


def _last_deadline(base: date, step: int, work: WorkCalendar) -> date:
    day = work.shift(base, -step) if step else base
    return work.on_or_after(day + timedelta(days=1)) - timedelta(days=1)
