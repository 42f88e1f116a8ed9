"""运行日: the civil dates on which a task's or a phase's flow runs, and what it finds to do on each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from policy_models.plan import Phase, Plan
from policy_models.working_days import WorkCalendar

RUN_HOUR = 8  # Asia/Shanghai, before people come in


class Dated(Protocol):
    """A duty: one requirement in one period."""

    @property
    def requirement(self) -> str: ...
    @property
    def phase(self) -> int: ...
    @property
    def opens_on(self) -> date: ...
    @property
    def remind_by(self) -> date: ...
    @property
    def deadline(self) -> date: ...


class Cause(StrEnum):
    """Why there is a run on a day: a phase begins, ends, is over; a duty opens, has its last work day, is due, is over."""

    PHASE_BEGINS = "phase_begins"
    PHASE_ENDS = "phase_ends"
    PHASE_OVER = "phase_over"
    OPENS = "opens"
    LAST_WORKDAY = "last_workday"
    DUE = "due"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Run:
    """A civil date, and the codes of what is done on it by cause: requirements, for causes of a phase ``P1``."""

    day: date
    causes: tuple[tuple[Cause, tuple[str, ...]], ...]


def runs(plan: Plan, section: str, duties: Sequence[Dated], work: WorkCalendar) -> list[Run]:
    """Every run of the flow of ``task-5`` or ``phase-2``, in order of date; none for a safeguard, which has no flow.
    ``duties``: those of the section."""
    kind, _, number = section.partition("-")
    if kind == "safeguard":
        return []
    days: dict[date, dict[Cause, list[str]]] = {}
    for day, cause, code in [*_bounds(plan, kind, int(number), duties, work), *_duty_days(duties, work)]:
        codes = days.setdefault(day, {}).setdefault(cause, [])
        if code not in codes:
            codes.append(code)
    order = list(Cause)
    return [
        Run(day, tuple((cause, tuple(sorted(found[cause]))) for cause in sorted(found, key=order.index)))
        for day, found in sorted(days.items())
    ]


def phases_of(plan: Plan, duties: Iterable[Dated]) -> list[Phase]:
    """The phases that duties fall in; all of them where there is no duty (what is carried on all the time)."""
    numbers = {duty.phase for duty in duties}
    return [phase for phase in plan.phases if phase.number in numbers] or list(plan.phases)


def _bounds(
    plan: Plan, kind: str, number: int, duties: Sequence[Dated], work: WorkCalendar
) -> Iterable[tuple[date, Cause, str]]:
    own = [one for one in plan.phases if one.number == number] if kind == "phase" else phases_of(plan, duties)
    for phase in own:
        code = f"P{phase.number}"
        yield phase.starts_on, Cause.PHASE_BEGINS, code
        yield phase.ends_on, Cause.PHASE_ENDS, code
        if kind == "phase":  # its gate is checked once it is over
            yield work.shift(phase.ends_on, 1), Cause.PHASE_OVER, code


def _duty_days(duties: Iterable[Dated], work: WorkCalendar) -> Iterable[tuple[date, Cause, str]]:
    for duty in duties:
        yield duty.opens_on, Cause.OPENS, duty.requirement
        yield duty.remind_by, Cause.LAST_WORKDAY, duty.requirement
        yield duty.deadline, Cause.DUE, duty.requirement
        yield work.shift(duty.deadline, 1), Cause.OVER, duty.requirement
