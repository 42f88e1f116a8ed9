"""The same plan at another time: for the next plan, for another city, or to try a plan that is in force today."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

from policy_models.plan import Opens, Phase, Plan, Requirement, Section

AnySection = TypeVar("AnySection", bound=Section)
Move = Callable[[date], date]


def copy_plan(plan: Plan, starts_on: date, code: str) -> Plan:
    """The plan with every date moved so that it starts on ``starts_on``, under a new code, revision 1.

    Whole months are kept (the end of a month stays the end of a month); every moved date is listed in ``inferred``.
    Cadences, observances and school terms stay: their periods follow from the new dates.
    """
    move = _mover(plan.starts_on, starts_on)
    moved = {
        "code": code,
        "revision": 1,
        "starts_on": starts_on,
        "ends_on": move(plan.ends_on),
        "inferred": _with(plan.inferred, "starts_on", "ends_on"),
        "phases": tuple(_phase(phase, move) for phase in plan.phases),
        "tasks": tuple(_section(task, move) for task in plan.tasks),
        "safeguards": tuple(_section(guard, move) for guard in plan.safeguards),
        "notes": (f"由方案 {plan.code} 移期而来，全部日期均为推定。", *plan.notes),
    }
    return plan.model_copy(update=moved)


def _mover(old: date, new: date) -> Move:
    months = (new.year - old.year) * 12 + new.month - old.month
    days = timedelta(days=new.day - old.day)

    def move(day: date) -> date:
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        length = calendar.monthrange(year, month + 1)[1]
        last = day.day == calendar.monthrange(day.year, day.month)[1]
        return date(year, month + 1, length if last else min(day.day, length)) + days

    return move


def _with(inferred: tuple[str, ...], *names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*inferred, *names)))


def _phase(phase: Phase, move: Move) -> Phase:
    dates = {"starts_on": move(phase.starts_on), "ends_on": move(phase.ends_on)}
    return _section(phase, move).model_copy(update={**dates, "inferred": _with(phase.inferred, *dates)})


def _section(section: AnySection, move: Move) -> AnySection:
    return section.model_copy(update={"requirements": tuple(_requirement(r, move) for r in section.requirements)})


def _requirement(requirement: Requirement, move: Move) -> Requirement:
    changes: dict[str, object] = {
        name: move(day) for name in ("starts_on", "ends_on") if (day := getattr(requirement, name)) is not None
    }
    moved = list(changes)
    if requirement.recurrence and requirement.recurrence.deadline:
        deadline = move(requirement.recurrence.deadline)
        changes["recurrence"] = requirement.recurrence.model_copy(update={"deadline": deadline})
        moved.append("deadline")
    if requirement.opens and requirement.opens.on:
        changes["opens"] = Opens(on=move(requirement.opens.on))
        moved.append("opens")
    return requirement.model_copy(update={**changes, "inferred": _with(requirement.inferred, *moved)})


def code_for(code: str, starts_on: date) -> str:
    """``baotou-2024`` started in 2026 → ``baotou-2026``; a code without a year gets one."""
    stem = "-".join(part for part in code.split("-") if not (len(part) == 4 and part.isdigit()))
    return f"{stem}-{starts_on.year}"
