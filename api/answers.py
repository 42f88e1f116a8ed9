"""What /api/v1 answers: the shapes that the description at /api/v1/openapi.json shows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from policy_models.calendars import Confidence
from policy_models.lifecycle import State
from policy_models.plan import Level
from policy_models.timing import Light, Timing


class PlanOut(BaseModel):
    code: str
    title: str
    revision: int
    starts_on: date
    ends_on: date
    go_live_on: date
    catch_up: str
    demonstration: bool


class CellOut(BaseModel):
    """Items of a cell: ``expected`` leaves out the exempt and merely counted; shares are 0 to 1."""

    expected: int
    done: int
    overdue: int
    due: int
    share_done: float
    share_due: float
    light: Light
    by_timing: dict[Timing, int]


class SectionOut(BaseModel):
    section: str
    title: str
    owners: list[str]
    cell: CellOut
    phases: list[CellOut | None]


class OverdueOut(BaseModel):
    unit: str
    name: str
    county: str
    overdue: int
    long_overdue: int
    oldest: date


class UpcomingOut(BaseModel):
    """``remind_by``: the last work day on or before the deadline; ``workdays``: work days left until then."""

    deadline: date
    remind_by: date
    workdays: int
    requirement: str
    title: str
    section: str
    period: str
    units: int
    waiting: int
    reviewing: int
    confidence: Confidence
    inferred: bool
    why: str


class BoardOut(BaseModel):
    plan: str
    as_of: date
    ended: bool
    total: CellOut
    due_this_month: int
    done_this_month: int
    sections: list[SectionOut]
    overdue: list[OverdueOut]
    upcoming: list[UpcomingOut]


class MatrixOut(BaseModel):
    requirement: str
    period: str
    area: str
    timing: Timing
    n: int


class TaskOut(BaseModel):
    number: int
    title: str
    owners: list[str]
    notes: list[str]
    requirements: list[dict[str, Any]]
    matrix: list[MatrixOut]


class UnitOut(BaseModel):
    code: str
    name: str
    level: Level
    function: str
    parent: str | None
    county: str


class ItemOut(BaseModel):
    """``planned``: the deadline before an extension moved it; null where none was granted."""

    key: str
    requirement: str
    title: str
    section: str
    task: int | None
    unit: str
    unit_name: str
    period: str
    opens_on: date
    deadline: date
    planned: date | None
    remind_by: date
    confidence: Confidence
    inferred: bool
    why: str
    state: State
    timing: Timing
    light: Light
    revision: int
    changed_at: datetime


class ItemsOut(BaseModel):
    """``next_cursor`` is to be sent as ``cursor`` for the next page; null on the last."""

    items: list[ItemOut]
    total: int
    next_cursor: str | None


class UnitItemsOut(UnitOut):
    items: list[ItemOut]


class UnitsOut(BaseModel):
    """``next_after`` is to be sent as ``after`` for the next page; null on the last."""

    units: list[UnitOut]
    next_after: str | None


class WaitingOut(BaseModel):
    """A submission that waits for a verdict. ``seen`` is sent back with it; ``superior``: the unit above its unit."""

    key: str
    requirement: str
    title: str
    period: str
    unit: str
    unit_name: str
    superior: str | None
    deadline: date
    seen: int
    returns: int
    late: bool
    submitted_at: datetime
    by: str
    note: str | None


class ReviewOut(BaseModel):
    """The first 100 of a reviewer's queue, the oldest first; ``total`` counts all."""

    waiting: list[WaitingOut]
    total: int
