"""What a chart is narrowed to: the fields of its address, checked against the plan and the units that may be seen."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.database import Session
from ledger.queries.item_filter import CITY
from ledger.queries.progress import Part
from ledger.queries.reading import Reading
from ledger.queries.units import UnitRow, counties
from policy_models.errors import NotFound
from policy_models.periods import section_name
from policy_models.series import Step

LONG = 200  # days; a longer span is drawn by week unless asked otherwise


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    word: str


@dataclass(frozen=True)
class Area:
    """A county that a chart is narrowed to; ``code`` None for all that may be seen."""

    code: str | None
    name: str
    counties: tuple[UnitRow, ...]


def area_of(session: Session, reading: Reading, under: str | None) -> Area:
    """One statement. Raises NotFound for a county that is not there or may not be seen."""
    found = counties(session, reading.scope)
    if not under:
        return Area(None, "", found)
    if under == CITY:
        return Area(CITY, "市级", found)
    name = next((one.name for one in found if one.code == under), None)
    if name is None:
        raise NotFound(f"没有可查看的旗县区“{under[:24]}”，请从图表页面重新选择")
    return Area(under, name, found)


def part_choices(reading: Reading) -> tuple[Choice, ...]:
    """Phases, actions, tasks and safeguards that have something to finish."""
    plan = reading.plan
    found = [Choice(f"phase-{one.number}", f"{section_name(f'phase-{one.number}')} {one.title}") for one in plan.phases]
    found += [Choice(f"action-{one.number}", one.title) for one in plan.actions]
    found += [Choice(f"task-{one.number}", f"任务{one.number} {one.title}") for one in plan.tasks]
    found += [Choice(f"safeguard-{one.number}", f"保障措施{one.number} {one.title}") for one in plan.safeguards]
    return tuple(found)


def part_of(reading: Reading, name: str | None, under: str | None) -> Part:
    """The part of the plan that a word of the address means. Raises NotFound."""
    if not name:
        return Part(None, None, under)
    if name not in {one.value for one in part_choices(reading)}:
        raise NotFound(f"方案中没有“{name[:24]}”这一部分，请从图表页面重新选择")
    kind, _, number = name.partition("-")
    if kind == "phase":
        return Part(None, int(number), under)
    if kind == "action":
        action = next(one for one in reading.plan.actions if one.number == int(number))
        return Part(tuple(f"task-{task}" for task in action.tasks), None, under)
    return Part((name,), None, under)


def part_name(reading: Reading, name: str | None) -> str:
    return next((one.word for one in part_choices(reading) if one.value == name), "全部事项")


def step_of(reading: Reading, part: Part, asked: Step | None) -> Step:
    """By day where it is short, by week where it is long, unless asked otherwise."""
    if asked is not None:
        return asked
    phase = next((one for one in reading.plan.phases if one.number == part.phase), reading.plan)
    return Step.DAY if (phase.ends_on - phase.starts_on).days < LONG else Step.WEEK
