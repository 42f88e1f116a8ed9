"""办理件: requirement × unit × period under a stable key; listed here without touching a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from policy_models.calendars import Calendars, Confidence
from policy_models.deadlines import CITY_AREA, Duty, timetable
from policy_models.plan import Plan
from policy_models.units import Unit, Units


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One thing that one unit owes once. ``key`` never changes, whatever is renamed or moved."""

    key: str
    requirement: str
    task: int | None
    unit: str
    period: str
    opens_on: date
    deadline: date
    remind_by: date
    confidence: Confidence
    why: str


def item_key(plan: str, requirement: str, unit: str, period: str) -> str:
    """``plan:requirement:unit:period``: the ledger's unique key and the feed's UID."""
    return f"{plan}:{requirement}:{unit}:{period}"


def task_number(section: str) -> int | None:
    """5 of ``task-5``; None for phases and safeguards."""
    return int(section.removeprefix("task-")) if section.startswith("task-") else None


def work_items(plan: Plan, units: Units, calendars: Calendars) -> Iterator[WorkItem]:
    """Every dated work item of the plan, in order of requirement, deadline and unit."""
    owing = {r.code: units.assigned(r.assignee, plan.organs) for _, r in plan.requirements()}
    for duty in timetable(plan, calendars, [county.code for county in units.counties]):
        for unit in owing[duty.requirement]:
            if _concerns(duty, unit, units):
                yield WorkItem(
                    item_key(plan.code, duty.requirement, unit.code, duty.period),
                    duty.requirement,
                    task_number(duty.section),
                    unit.code,
                    duty.period,
                    duty.opens_on,
                    duty.deadline,
                    duty.remind_by,
                    duty.confidence,
                    duty.why,
                )


def _concerns(duty: Duty, unit: Unit, units: Units) -> bool:
    return duty.area is None or duty.area == (units.county_of(unit.code) or CITY_AREA)
