"""时限: the timetable of a plan — one Duty for each requirement and period, before units come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policy_models.calendars import Calendars, Confidence, worst
from policy_models.plan import Every, Plan, Requirement
from policy_models.recurrence import Period, bounds, chinese, periods

BY_SCHOOL = frozenset({Every.FORTNIGHT_IN_TERM, Every.VACATION, Every.BEFORE_VACATION})
CITY_AREA = ""  # the area of units that lie in no county


@dataclass(frozen=True, slots=True)
class Duty:
    """One requirement in one period: when it opens, its legal deadline and ``remind_by``, the last work day on or
    before it. ``area`` is None (all units), a county code, or CITY_AREA, where school calendars differ by county."""

    requirement: str
    section: str
    phase: int
    period: str
    area: str | None
    opens_on: date
    deadline: date
    remind_by: date
    confidence: Confidence
    why: str


def timetable(plan: Plan, calendars: Calendars, counties: Sequence[str] = ()) -> list[Duty]:
    """Every duty of the plan. ``counties``: codes whose school calendars may differ from the city's."""
    duties: list[Duty] = []
    for section, requirement in plan.requirements():
        for area, found in _by_area(requirement, plan, section, calendars, counties):
            duties += [_duty(requirement, plan, section, calendars, area, period) for period in found]
    return duties


def _by_area(
    requirement: Requirement, plan: Plan, section: str, calendars: Calendars, counties: Sequence[str]
) -> list[tuple[str | None, list[Period]]]:
    """One list for everybody, or one for each county as soon as one county's school calendar differs."""
    common = periods(requirement, plan, section, calendars)
    if requirement.recurrence is None or requirement.recurrence.every not in BY_SCHOOL:
        return [(None, common)]
    local = [(county, periods(requirement, plan, section, calendars, county)) for county in counties]
    if all([p.deadline for p in found] == [p.deadline for p in common] for _, found in local):
        return [(None, common)]
    return [(CITY_AREA, common), *local]


def _duty(
    requirement: Requirement, plan: Plan, section: str, calendars: Calendars, area: str | None, period: Period
) -> Duty:
    work = calendars.work
    remind_by = work.on_or_before(period.deadline)
    why, confidence = period.why.rstrip("。"), period.confidence
    if remind_by != period.deadline:
        rest = work.day(period.deadline)
        confidence = worst(confidence, rest.confidence)
        sure = "" if rest.confidence is Confidence.ANNOUNCED else "推定"
        why = f"{why}；当日{sure}休息（{rest.holiday or '周末'}），请于{chinese(remind_by)}前报送"
    elif work.day(period.deadline).confidence is not Confidence.ANNOUNCED:
        confidence = worst(confidence, work.day(period.deadline).confidence)
        why = f"{why}；{work.day(period.deadline).why.rstrip('。')}"
    phase = int(section.split("-")[1]) if section.startswith("phase-") else plan.phase_on(period.deadline).number
    # open on the day to aim at, though that may lie before the requirement's own start; never before the plan
    opens_on = max(min(_opens(requirement, plan, section, period), remind_by), plan.starts_on)
    return Duty(
        requirement.code, section, phase, period.code, area, opens_on, period.deadline, remind_by, confidence, why
    )


def _opens(requirement: Requirement, plan: Plan, section: str, period: Period) -> date:
    start, _ = bounds(requirement, plan, section)
    if requirement.opens is None:
        return period.first
    if requirement.opens.on:
        return max(requirement.opens.on, start)
    return max(period.deadline - timedelta(days=requirement.opens.days_before or 0), start)
