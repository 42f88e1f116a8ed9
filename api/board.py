"""总览 put together: the roll-up of counts for every grouping the board shows. Pure but for its queries."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from api.heat import Heat, heat_of
from ledger import tally
from ledger.database import Session
from ledger.queries.board import (
    DueCount,
    OverdueUnit,
    Upcoming,
    due_between,
    upcoming,
    worst_units,
)
from ledger.queries.grounds import Ground, Layout, ground, places
from ledger.queries.heat import heat_counts
from ledger.queries.reading import Reading
from ledger.queries.units import counties
from policy_models.plan import Kind, PlanTask, Section
from policy_models.rollup import Cell, Count, roll_up

EMPTY = Cell()

OVERDUE_SHOWN = 8  # units on the board: the worst


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
    heat: Heat
    overdue: tuple[OverdueUnit, ...]
    overdue_units: int
    county_names: Mapping[str, str]
    upcoming: tuple[Upcoming, ...]

    @property
    def sections(self) -> tuple[SectionLine, ...]:
        tasks = tuple(line for action in self.actions for line in action.lines)
        return (*tasks, *self.phases, *self.safeguards)


def board(session: Session, reading: Reading) -> Board:
    """Everything on the board, as of the reading's day: a fixed number of statements, however many items there are."""
    counts = _counts(session, reading)
    areas = counties(session, reading.scope)
    lines = section_lines(reading, counts)
    actions = action_blocks(reading, counts, lines)
    phase_cells = roll_up(counts, lambda c: c.phase)
    return Board(
        roll_up(counts, lambda c: 0).get(0, EMPTY),
        due_between(session, reading, *month_of(reading.as_of)),
        actions,
        tuple(lines[f"phase-{phase.number}"] for phase in reading.plan.phases),
        tuple(lines[f"safeguard-{guard.number}"] for guard in reading.plan.safeguards),
        tuple(phase_cells.get(phase.number, EMPTY) for phase in reading.plan.phases),
        _milestones(reading, counts),
        _heat(session, reading, counts, ground(session, reading)),
        *worst_units(session, reading, OVERDUE_SHOWN),
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


def heat(session: Session, reading: Reading, under: str | None = None) -> Heat:
    """Places × tasks, of all that may be seen or of one county (``city``: the city's own units): three statements."""
    here = ground(session, reading, under)
    counts = _counts(session, reading) if here.layout is Layout.COUNTIES else []
    return _heat(session, reading, counts, here)


def _counts(session: Session, reading: Reading) -> list[Count]:
    return tally.counts(session, reading.summary.code, reading.as_of, now=reading.now, scope=reading.scope)


def _heat(session: Session, reading: Reading, counts: list[Count], here: Ground) -> Heat:
    """A whole city by its counties is in the counts already; anything finer is counted for itself."""
    if here.layout is not Layout.COUNTIES:
        counts = heat_counts(session, reading, here)
    return heat_of(reading, counts, places(session, reading, here), here)


def _milestones(reading: Reading, counts: list[Count]) -> tuple[Milestone, ...]:
    due: dict[date, list[str]] = {}
    on: dict[str, date] = {}
    for _, requirement in reading.plan.requirements():
        if requirement.milestone and requirement.deadline:
            due.setdefault(requirement.deadline, []).append(requirement.title)
            on[requirement.code] = requirement.deadline
    cells = roll_up((c for c in counts if c.requirement in on), lambda c: on[c.requirement])
    return tuple(Milestone(day, tuple(titles), cells.get(day, EMPTY)) for day, titles in sorted(due.items()))
