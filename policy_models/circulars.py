"""通报: the facts of one, as they are frozen when it is issued. Counts only; words: circular_words.py."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from policy_models.circular_periods import CircularKind, CircularPeriod, period_of
from policy_models.errors import NotFound
from policy_models.timing import Light

FOLLOWED_WITHIN = 3  # work days in which a submission counts as an answer to a reminder


@dataclass(frozen=True, slots=True)
class AreaLine:
    """A county with all its units, or a department of the city (``of_city``), as of the end of the period.

    expected: 应办 in the whole plan · due: their deadline has come · due_done: done of these · dated: due, without what
    lies before go-live · prompt: of ``dated``, first handed in by the deadline · in_…: with a deadline in the period ·
    closed: accepted in the period · …_before: at the end of the period before.
    """

    code: str = ""
    name: str = ""
    of_city: bool = False
    expected: int = 0
    due: int = 0
    due_done: int = 0
    done: int = 0
    dated: int = 0
    prompt: int = 0
    waiting: int = 0
    overdue: int = 0
    long_overdue: int = 0
    in_due: int = 0
    in_done: int = 0
    in_waiting: int = 0
    in_overdue: int = 0
    closed: int = 0
    done_before: int = 0
    overdue_before: int = 0
    expected_before: int = 0

    def __add__(self, other: Self) -> AreaLine:
        sums = {name: getattr(self, name) + getattr(other, name) for name in COUNTED}
        return AreaLine(self.code, self.name, self.of_city, **sums)


COUNTED = tuple(one.name for one in fields(AreaLine) if one.name not in ("code", "name", "of_city"))


@dataclass(frozen=True, slots=True)
class TaskLight:
    """A task of the plan with its light; ``continuous``: nothing in it is ever due."""

    number: int
    title: str
    light: Light
    expected: int
    done: int
    overdue: int
    continuous: bool = False


@dataclass(frozen=True, slots=True)
class ComingLine:
    """What falls due in the next period: by ``units`` units, of which ``waiting`` have still to report. ``period`` in
    words, "" for what comes once; ``inferred``: the date is 推定."""

    deadline: date
    remind_by: date
    requirement: str
    title: str
    section: str
    period: str
    units: int
    waiting: int
    inferred: bool


@dataclass(frozen=True, slots=True)
class Chased:
    """Reminders of the period: ``sent`` (item, recipient and day), ``by_hand`` of them, to ``units`` units, about
    ``items`` items; of these ``followed`` by a submission within 3 work days, ``running``: not, but the days are not
    over."""

    sent: int = 0
    by_hand: int = 0
    units: int = 0
    items: int = 0
    followed: int = 0
    running: int = 0


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A half-year round that is open: reports owed, handed in, accepted, sent back, and missing past the deadline."""

    code: str
    name: str
    deadline: date
    owing: int
    handed_in: int
    accepted: int
    returned: int
    missing: int


@dataclass(frozen=True, slots=True)
class Said:
    """A heading and what is said under it."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Circular:
    """A circular: its facts as of the end of ``day`` (the period's last, or an earlier one for a preview) and, once it
    is worded, its ``title`` and ``sections``. ``submitted`` and ``returned``: acts in the period; ``unreachable``: units
    that owe something and that nobody can reach when it is made; None for a day long past."""

    kind: CircularKind
    period: str
    day: date
    plan_code: str
    plan_title: str
    bureau: str
    demonstration: bool
    areas: tuple[AreaLine, ...]
    tasks: tuple[TaskLight, ...]
    coming: tuple[ComingLine, ...]
    submitted: int
    returned: int
    chased: Chased
    rounds: tuple[RoundLine, ...]
    unreachable: int | None = None
    issued_on: date | None = None
    title: str = ""
    sections: tuple[Said, ...] = ()

    @property
    def span(self) -> CircularPeriod:
        return period_of(self.kind, self.period)

    @property
    def counties(self) -> tuple[AreaLine, ...]:
        """Worst first: most overdue, then the larger share of what is due, then by code."""
        return worst_first(one for one in self.areas if not one.of_city)

    @property
    def departments(self) -> tuple[AreaLine, ...]:
        return worst_first(one for one in self.areas if one.of_city)

    @property
    def total(self) -> AreaLine:
        return sum_of(self.areas, "全市合计")


def issued(circular: Circular, day: date) -> Circular:
    """The circular as it is issued on a civil date."""
    return replace(circular, issued_on=day)


def sum_of(lines: Iterable[AreaLine], name: str) -> AreaLine:
    return sum(lines, AreaLine(name=name))


def worst_first(lines: Iterable[AreaLine]) -> tuple[AreaLine, ...]:
    return tuple(sorted(lines, key=lambda one: (-one.overdue, -one.overdue / max(one.due, 1), one.code)))


@cache
def _adapter() -> TypeAdapter[Circular]:
    return TypeAdapter(Circular)


def to_json(circular: Circular) -> str:
    """The circular as it is kept: every field, and ``paragraphs`` for messages. Equal circulars, equal text."""
    kept: dict[str, Any] = _adapter().dump_python(circular, mode="json")
    kept["paragraphs"] = [one.text for one in circular.sections]
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Circular:
    """A kept circular. Fields that came later have their defaults. Raises NotFound for what is none."""
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        raise NotFound("这份通报的内容已损坏，不能显示") from error
