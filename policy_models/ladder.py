"""催办阶梯: which reminder of an item is due, as of a work day, and who hears of it. Steps are work days from the
deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from policy_models.calendars import WorkCalendar
from policy_models.plan import Every, Kind, Requirement

# By rhythm: what comes monthly must not nag from a month before.
LADDERS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "long": (-30, -7, -3, 0, 1, 3, 7),
        "middle": (-7, -3, 0, 1, 3, 7),
        "short": (-3, 0, 1, 3, 7),
    }
)
LONG = frozenset({Every.YEAR, Every.HALF_YEAR, Every.RANGE})
SHORT = frozenset({Every.MONTH, Every.FORTNIGHT_IN_TERM})
CAP = 12
FARTHEST = 120  # work days from the deadline


class Audience(StrEnum):
    """Who of a unit hears of a step: 联络员 or 负责人."""

    LIAISON = "liaison"
    PRINCIPAL = "principal"


class Office(StrEnum):
    """A unit as seen from an item: the one that owes it, the one that reviews that unit, the plan's coordinator."""

    OWN = "own"
    SUPERIOR = "superior"
    COORDINATOR = "coordinator"


@dataclass(frozen=True, slots=True)
class Listener:
    """Whoever hears of an item from a step on (None: of every step). A unit that is two of these hears once."""

    office: Office
    audience: Audience
    from_step: int | None = None


AUDIENCES: tuple[Listener, ...] = (
    Listener(Office.OWN, Audience.LIAISON),
    Listener(Office.OWN, Audience.PRINCIPAL, 3),
    Listener(Office.SUPERIOR, Audience.LIAISON, 7),
    Listener(Office.COORDINATOR, Audience.LIAISON, 7),
)


@dataclass(frozen=True, slots=True)
class LadderRule:
    """The setting: the steps of each ladder by its name, and how often at most one listener is told of one item.

    ValueError (one Chinese sentence) for a ladder that is missing or unknown, for steps that are none, double or too
    far away, and for a cap below 1.
    """

    ladders: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: LADDERS)
    cap: int = CAP

    def __post_init__(self) -> None:
        if set(self.ladders) != set(LADDERS):
            raise ValueError(f"催办阶梯须为 {'、'.join(LADDERS)} 三种")
        for name, steps in self.ladders.items():
            if not steps or len(set(steps)) < len(steps) or any(abs(step) > FARTHEST for step in steps):
                raise ValueError(f"催办阶梯 {name} 须写明互不相同的天数，每个不超过前后 {FARTHEST} 个工作日")
        if self.cap < 1:
            raise ValueError("每件的催办次数上限至少为 1")


RULE = LadderRule()


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


def rungs(steps: tuple[int, ...], as_of: date, work: WorkCalendar) -> list[Rung]:
    """A ladder as of a day, highest step first: an item's step is the first whose ``deadline_until`` it meets.

    Steps up to 0 count back from ``remind_by`` (the last work day on or before the deadline), later steps forward
    from the legal deadline; both come to the same line on the calendar, so one comparison of dates decides.
    """
    base = work.on_or_before(as_of)
    return [Rung(step, _last_deadline(base, step, work)) for step in sorted(steps, reverse=True)]


def _last_deadline(base: date, step: int, work: WorkCalendar) -> date:
    day = work.shift(base, -step) if step else base
    return work.on_or_after(day + timedelta(days=1)) - timedelta(days=1)
