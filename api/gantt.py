"""时间轴: the plan's phases, actions, tasks, milestones and safeguards as bars, in per cent of the days shown. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from api.board import ActionBlock, SectionLine
from ledger.queries.reading import Reading
from ledger.queries.section_spans import SectionSpan
from policy_models.errors import NotFound
from policy_models.periods import period_name, section_name
from policy_models.plan import Requirement
from policy_models.rollup import Cell, Count, roll_up

WHOLE = "whole"
BY_QUARTER_OVER = 400  # days: a longer span has a mark for each quarter, a shorter one for each month
LATE_TEXT = 88.0  # per cent: what stands further right is written to the left of its mark


@dataclass(frozen=True)
class Zoom:
    """A span of days and its name, as the address writes it."""

    code: str
    name: str
    first: date
    last: date


@dataclass(frozen=True)
class Tick:
    left: float
    word: str


@dataclass(frozen=True)
class Bar:
    """A bar from ``left`` on, ``width`` wide; ``done`` of the shown width is filled, ``mark``: where 序时进度 stands.
    ``begins`` and ``ends``: whether the ends of the whole bar are in sight."""

    left: float
    width: float
    done: float
    mark: float | None
    begins: bool
    ends: bool


@dataclass(frozen=True)
class Dot:
    """A milestone."""

    left: float
    on: date
    requirement: Requirement
    cell: Cell


@dataclass(frozen=True)
class Line:
    """A row. ``kind``: phase, action, task, safeguard, milestones; ``bar`` None outside of the days shown;
    ``continuous``: carried on all the time."""

    kind: str
    name: str
    title: str
    opens_on: date
    deadline: date
    cell: Cell
    bar: Bar | None
    owners: tuple[str, ...] = ()
    dots: tuple[Dot, ...] = ()
    continuous: bool = False


@dataclass(frozen=True)
class Gantt:
    zoom: Zoom
    zooms: tuple[Zoom, ...]
    ticks: tuple[Tick, ...]
    today: float | None
    lines: tuple[Line, ...]


def zooms(reading: Reading) -> tuple[Zoom, ...]:
    """Everything that can be looked at: the whole plan, each phase, each half-year."""
    plan = reading.plan
    found = [Zoom(WHOLE, "全程", plan.starts_on, plan.ends_on)]
    found += [
        Zoom(f"phase-{one.number}", section_name(f"phase-{one.number}"), one.starts_on, one.ends_on)
        for one in plan.phases
    ]
    for year in range(plan.starts_on.year, plan.ends_on.year + 1):
        for half, first, last in ((1, date(year, 1, 1), date(year, 6, 30)), (2, date(year, 7, 1), date(year, 12, 31))):
            if first <= plan.ends_on and last >= plan.starts_on:
                code = f"{year}-H{half}"
                found.append(Zoom(code, period_name(code, reading.calendars), first, last))
    return tuple(found)


def chosen_zoom(reading: Reading, code: str | None) -> Zoom:
    """The zoom of this code, the whole plan where none is given. Raises NotFound."""
    found = next((one for one in zooms(reading) if one.code == (code or WHOLE)), None)
    if found is None:
        raise NotFound(f"时间轴没有“{re.sub(r'[^0-9A-Za-z-]', '', code or '')[:20]}”这一段，请从列出的范围中选择")
    return found


def gantt(
    reading: Reading,
    zoom: Zoom,
    counts: Iterable[Count],
    lines: Mapping[str, SectionLine],
    actions: Iterable[ActionBlock],
    spans: Mapping[str, SectionSpan],
) -> Gantt:
    """The chart of a zoom."""
    scale = _Scale(zoom)
    rows = [*_phases(reading, counts, scale)]
    for action in actions:
        tasks = [_section(reading, line, spans, scale, "task") for line in action.lines]
        if tasks:
            first, last = min(one.opens_on for one in tasks), max(one.deadline for one in tasks)
            bar = scale.bar(first, last, action.cell)
            rows.append(Line("action", "", action.title, first, last, action.cell, bar))
            rows += tasks
    guards = (line for name, line in lines.items() if name.startswith("safeguard"))
    rows += [_section(reading, line, spans, scale, "safeguard") for line in guards]
    today = scale.at(reading.as_of) if zoom.first <= reading.as_of <= zoom.last else None
    return Gantt(zoom, zooms(reading), tuple(_ticks(zoom, scale)), today, tuple(rows))


@dataclass(frozen=True)
class _Scale:
    zoom: Zoom

    @property
    def days(self) -> int:
        return (self.zoom.last - self.zoom.first).days + 1

    def edge(self, day: date) -> float:
        """Where a day begins."""
        return (day - self.zoom.first).days / self.days * 100

    def at(self, day: date) -> float:
        """The middle of a day."""
        return round(self.edge(day) + 50 / self.days, 2)

    def bar(self, first: date, last: date, cell: Cell) -> Bar | None:
        """The bar of these days, both included, as far as it is in sight; done as its cell says."""
        whole_left, whole_right = self.edge(first), self.edge(last) + 100 / self.days
        left, right = max(0.0, whole_left), min(100.0, whole_right)
        if left >= right:
            return None
        length = whole_right - whole_left
        done = min(right, whole_left + length * cell.share_done) - left
        mark = whole_left + length * cell.share_due
        shown = cell.expected and cell.share_due < 1 and left < mark < right
        return Bar(
            round(left, 2),
            round(right - left, 2),
            round(max(0.0, done), 2),
            round(mark, 2) if shown else None,
            whole_left >= 0,
            whole_right <= 100,
        )


def _phases(reading: Reading, counts: Iterable[Count], scale: _Scale) -> Iterable[Line]:
    counts = list(counts)
    cells = roll_up(counts, lambda one: one.phase)
    for phase in reading.plan.phases:
        cell = cells.get(phase.number, Cell())
        bar = scale.bar(phase.starts_on, phase.ends_on, cell)
        yield Line("phase", f"phase-{phase.number}", phase.title, phase.starts_on, phase.ends_on, cell, bar)
    dots = tuple(_milestones(reading, counts, scale))
    if dots:
        plan = reading.plan
        yield Line("milestones", "", "里程碑", plan.starts_on, plan.ends_on, Cell(), None, dots=dots)


def _milestones(reading: Reading, counts: Iterable[Count], scale: _Scale) -> Iterable[Dot]:
    cells = roll_up(counts, lambda one: one.requirement)
    for _, one in sorted(reading.plan.requirements(), key=lambda pair: (pair[1].deadline or date.max, pair[1].code)):
        if one.milestone and one.deadline and scale.zoom.first <= one.deadline <= scale.zoom.last:
            yield Dot(scale.at(one.deadline), one.deadline, one, cells.get(one.code, Cell()))


def _section(reading: Reading, line: SectionLine, spans: Mapping[str, SectionSpan], scale: _Scale, kind: str) -> Line:
    span = spans.get(line.name) or SectionSpan(reading.plan.starts_on, reading.plan.ends_on)
    return Line(
        kind,
        line.name,
        line.section.title,
        span.opens_on,
        span.deadline,
        line.cell,
        scale.bar(span.opens_on, span.deadline, line.cell),
        line.owners,
        continuous=line.name not in spans,
    )


def _ticks(zoom: Zoom, scale: _Scale) -> Iterable[Tick]:
    """The first days of quarters or months, the year named with the first of each."""
    step = 3 if scale.days > BY_QUARTER_OVER else 1
    year, month, named = zoom.first.year, zoom.first.month, 0
    while (day := date(year, month, 1)) <= zoom.last:
        last = date(year, month, calendar.monthrange(year, month)[1])
        if last >= zoom.first and ((month - 1) % step == 0 or day <= zoom.first):
            word = f"{year}年{month}月" if year != named else f"{month}月"
            named = year
            yield Tick(round(max(0.0, scale.edge(day)), 2), word)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
