"""What a list of items is narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from policy_models.lifecycle import State
from policy_models.plan import Level
from policy_models.timing import Timing

CITY = "city"  # as ``under``: the units of the city itself


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What a list is narrowed to; an empty field narrows nothing. ``under``: a county's code, or ``city`` for the
    city's own units; ``within``: a unit and all below it; ``due_from`` and ``due_to``: deadlines, both included; ``opens_from`` and ``opens_to``: the day they
    open, both included."""

    unit: str | None = None
    section: str | None = None
    requirement: str | None = None
    period: str | None = None
    under: str | None = None
    state: State | None = None
    timing: tuple[Timing, ...] = ()
    phase: int | None = None
    within: str | None = None
    due_from: date | None = None
    due_to: date | None = None
    level: Level | None = None
    opens_from: date | None = None
    opens_to: date | None = None
