"""总览 put together: the roll-up of counts for every grouping the board shows. Pure but for its queries."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from ledger import tally
from ledger.database import Session
from ledger.queries.board import DueCount, OverdueUnit, Upcoming, due_between, overdue_by_unit, upcoming
from ledger.queries.reading import Reading
from ledger.queries.units import UnitRow, counties
from policy_models.plan import Kind, PlanTask, Section
from policy_models.rollup import Cell, Count, roll_up

EMPTY = Cell()


@dataclass(frozen=True)
class SectionLine:
    """A task, phase or safeguard with its cell, and one cell for each phase (None where nothing falls into it)."""

    name: str
    section: Section
    owners: tuple[str, ...]
    cell: Cell
    by_phase: tuple[Cell | None, ...]

    @property
    def continuous(self) -> bool:
        """Whether nothing in it is ever due: it is carried on all the time (持续开展)."""
        return all(one.kind is Kind.CONTINUOUS for one in self.section.requirements)


@dataclass(frozen=True)
class ActionBlock:
    number: int
    title: str
    cell: Cell
    lines: tuple[SectionLine, ...]


@dataclass(frozen=True)
class HeatLine:
    """One county (or, with code "", the city's own units): a cell for each task, None where it owes nothing."""

    code: str
    name: str
    cell: Cell
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Milestone:
    """What a phase wants by a day: the matters, and how they stand together."""

    on: date
    titles: tuple[str, ...]
    cell: Cell


@dataclass(frozen=True)
class Board:
    total: Cell
    month: DueCount
    actions: tuple[ActionBlock, ...]
    phases: tuple[SectionLine, ...]
    safeguards: tuple[SectionLine, ...]
    phase_cells: tuple[Cell, ...]
    milestones: tuple[Milestone, ...]
    heat_tasks: tuple[int, ...]
    heat: tuple[HeatLine, ...]
    overdue: tuple[OverdueUnit, ...]
    county_names: Mapping[str, str]
    upcoming: tuple[Upcoming, ...]

    @property
    def sections(self) -> tuple[SectionLine, ...]:
        tasks = tuple(line for action in self.actions for line in action.lines)
        return (*tasks, *self.phases, *self.safeguards)


def board(session: Session, reading: Reading) -> Board:
    """Everything on the board, as of the reading's day: five statements, however many items there are."""
    counts = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now)
    areas = counties(session)
    lines = section_lines(reading, counts)
    actions = action_blocks(reading, counts, lines)
    heat_tasks, heat = _heat(reading, counts, areas)
    phase_cells = roll_up(counts, lambda c: c.phase)
    return Board(
        roll_up(counts, lambda c: 0).get(0, EMPTY),
        due_between(session, reading, *month_of(reading.as_of)),
        actions,
        tuple(lines[f"phase-{phase.number}"] for phase in reading.plan.phases),
        tuple(lines[f"safeguard-{guard.number}"] for guard in reading.plan.safeguards),
        tuple(phase_cells.get(phase.number, EMPTY) for phase in reading.plan.phases),
        _milestones(reading, counts),
        heat_tasks,
        heat,
        overdue_by_unit(session, reading),
        {county.code: county.name for county in areas},
        upcoming(session, reading),
    )


def month_of(day: date) -> tuple[date, date]:
    """First and last civil date of the month a day lies in."""
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def section_lines(reading: Reading, counts: Iterable[Count]) -> dict[str, SectionLine]:
    """Every section of the plan by its name, with its cells."""
    section_of = {requirement.code: name for name, requirement in reading.plan.requirements()}
    known = [count for count in counts if count.requirement in section_of]
    cells = roll_up(known, lambda c: section_of[c.requirement])
    phased = roll_up(known, lambda c: (section_of[c.requirement], c.phase))
    numbers = [phase.number for phase in reading.plan.phases]
    return {
        name: SectionLine(
            name,
            section,
            section.owners if isinstance(section, PlanTask) else (),
            cells.get(name, EMPTY),
            tuple(phased.get((name, number)) for number in numbers),
        )
        for name, section in reading.plan.sections()
    }


def action_blocks(
    reading: Reading, counts: Iterable[Count], lines: Mapping[str, SectionLine]
) -> tuple[ActionBlock, ...]:
    """The actions with their tasks' lines."""
    action_of = {task.number: task.action for task in reading.plan.tasks}
    cells = roll_up((c for c in counts if c.task in action_of), lambda c: action_of[c.task or 0])
    return tuple(
        ActionBlock(
            action.number,
            action.title,
            cells.get(action.number, EMPTY),
            tuple(lines[f"task-{number}"] for number in action.tasks if f"task-{number}" in lines),
        )
        for action in reading.plan.actions
    )


def _heat(
    reading: Reading, counts: list[Count], areas: tuple[UnitRow, ...]
) -> tuple[tuple[int, ...], tuple[HeatLine, ...]]:
    of_tasks = [count for count in counts if count.task is not None]
    cells = roll_up(of_tasks, lambda c: (c.county, c.task))
    whole = roll_up(of_tasks, lambda c: c.county)
    numbers = tuple(task.number for task in reading.plan.tasks if any(key[1] == task.number for key in cells))
    places = [("", "市级"), *((area.code, area.name) for area in areas)]
    lines = (
        HeatLine(code, name, whole[code], tuple(cells.get((code, number)) for number in numbers))
        for code, name in places
        if code in whole
    )
    return numbers, tuple(lines)


def _milestones(reading: Reading, counts: list[Count]) -> tuple[Milestone, ...]:
    due: dict[date, list[str]] = {}
    on: dict[str, date] = {}
    for _, requirement in reading.plan.requirements():
        if requirement.milestone and requirement.deadline:
            due.setdefault(requirement.deadline, []).append(requirement.title)
            on[requirement.code] = requirement.deadline
    cells = roll_up((c for c in counts if c.requirement in on), lambda c: on[c.requirement])
    return tuple(Milestone(day, tuple(titles), cells.get(day, EMPTY)) for day, titles in sorted(due.items()))
