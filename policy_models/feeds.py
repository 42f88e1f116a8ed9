"""日历订阅: what a feed may be of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from policy_models.plan import Level


class Scope(StrEnum):
    """What a feed shows; its target is a unit's code, a function, a person's id, a task's or a phase's number."""

    UNIT = "unit"
    BELOW = "below"  # a unit and all below it
    FUNCTION = "function"  # a department across the city: every unit of that line of work
    PERSON = "person"  # of the units where that person is liaison or principal
    TASK = "task"
    PHASE = "phase"


OF_PLAN = frozenset({Scope.TASK, Scope.PHASE})


class Component(StrEnum):
    """How an item is written: as a VEVENT or as a VTODO."""

    EVENT = "event"
    TODO = "todo"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one feed is of: tokens with the same subject show the same. ``within``: for a task or a phase the unit to
    which, with all below it, the feed is limited; "" for everywhere. ``plan_id`` None: of all plans."""

    scope: Scope
    target: str
    plan_id: int | None = None
    within: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a subscriber left out or added; all of it stands in the address. Empty ``tasks`` and ``levels``: all.

    ``open_only``: only what is owed; ``holidays``: days off and make-up work days as well.
    """

    component: Component = Component.EVENT
    open_only: bool = False
    tasks: tuple[int, ...] = ()
    levels: tuple[Level, ...] = ()
    holidays: bool = False
