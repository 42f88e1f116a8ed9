"""The timeline of a plan as positions in per cent of its width: phases, milestones, today. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.board import Board, Milestone
from ledger.queries.reading import Reading
from policy_models.plan import Phase
from policy_models.rollup import Cell


@dataclass(frozen=True)
class PhaseBar:
    phase: Phase
    cell: Cell
    left: float
    width: float
    current: bool


@dataclass(frozen=True)
class YearMark:
    year: int
    left: float


@dataclass(frozen=True)
class Ribbon:
    """``today``: where the day stands, None outside the plan."""

    bars: tuple[PhaseBar, ...]
    milestones: tuple[tuple[float, Milestone], ...]
    years: tuple[YearMark, ...]
    today: float | None


def ribbon(reading: Reading, board: Board) -> Ribbon:
    """The plan from its first to its last day, a day's width for each day."""
    first, last = reading.plan.starts_on, reading.plan.ends_on
    days = (last - first).days + 1

    def at(day: date) -> float:
        return round((day - first).days / days * 100, 2)

    bars = tuple(
        PhaseBar(
            phase,
            cell,
            at(phase.starts_on),
            round(((phase.ends_on - phase.starts_on).days + 1) / days * 100, 2),
            phase.starts_on <= reading.as_of <= phase.ends_on,
        )
        for phase, cell in zip(reading.plan.phases, board.phase_cells, strict=True)
    )
    years = (YearMark(year, at(date(year, 1, 1))) for year in range(first.year + 1, last.year + 1))
    marks = tuple((at(milestone.on) + 50 / days, milestone) for milestone in board.milestones)
    today = at(reading.as_of) + 50 / days if first <= reading.as_of <= last else None
    return Ribbon(bars, marks, tuple(years), today)
