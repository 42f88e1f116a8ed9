"""日历变动: what another calendar would change, day by day and duty by duty, before anybody decides. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policy_models.calendars import Calendars, Day, WorkCalendar
from policy_models.deadlines import Duty, timetable
from policy_models.plan import Plan


@dataclass(frozen=True, slots=True)
class DayChange:
    """A civil date that is a work day in one calendar and none in the other."""

    before: Day
    after: Day


@dataclass(frozen=True, slots=True)
class DutyChange:
    """A requirement in a period before and after; None where there is no such duty. ``area``: a county's code, "" for
    the units of the city, None for everybody."""

    requirement: str
    period: str
    area: str | None
    before: Duty | None
    after: Duty | None

    @property
    def moves(self) -> bool:
        """Whether the deadline is another."""
        return bool(self.before and self.after) and self.before.deadline != self.after.deadline  # type: ignore[union-attr]

    @property
    def aims_elsewhere(self) -> bool:
        """Whether only the day to hand in by is another, the deadline being the same."""
        one, two = self.before, self.after
        return one is not None and two is not None and not self.moves and one.remind_by != two.remind_by

    @property
    def one(self) -> Duty:
        """The duty as it will be, else as it was."""
        found = self.after or self.before
        assert found is not None
        return found


def day_changes(before: WorkCalendar, after: WorkCalendar, year: int) -> tuple[DayChange, ...]:
    """Of the days that a year's arrangement may say something about: from December before it to January after it."""
    first, last = date(year - 1, 12, 1), date(year + 1, 1, 31)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(
        DayChange(before.day(day), after.day(day)) for day in days if before.is_workday(day) != after.is_workday(day)
    )


def duty_changes(plan: Plan, counties: Sequence[str], before: Calendars, after: Calendars) -> tuple[DutyChange, ...]:
    """The duties whose dates, or whose being at all, differ; by deadline."""
    old, new = _by_period(timetable(plan, before, counties)), _by_period(timetable(plan, after, counties))
    found = [change for key in old.keys() | new.keys() for change in _changes(key, old[key], new[key])]
    return tuple(sorted(found, key=lambda one: (one.one.deadline, one.requirement, one.period, one.area or "")))


Areas = dict[str | None, Duty]


def _by_period(duties: Sequence[Duty]) -> defaultdict[tuple[str, str], Areas]:
    found: defaultdict[tuple[str, str], Areas] = defaultdict(dict)
    for one in duties:
        found[one.requirement, one.period][one.area] = one
    return found


def _changes(key: tuple[str, str], old: Areas, new: Areas) -> Iterator[DutyChange]:
    """One for each area where either side tells areas apart, else one for all."""
    told_apart = {area for area in (*old, *new) if area is not None}
    for area in told_apart or (None,):
        before, after = old.get(area, old.get(None)), new.get(area, new.get(None))
        if _dates(before) != _dates(after):
            yield DutyChange(*key, area, before, after)


def _dates(one: Duty | None) -> tuple[date, ...] | None:
    return (one.opens_on, one.deadline, one.remind_by) if one else None
