"""Where a figure of a report comes from: the list of the very items it was summed over."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.queries.report_desk import DeskSection, ReportDesk
from policy_models.plan import Level
from policy_models.reports import Figure


@dataclass(frozen=True)
class Source:
    """Fields of the address of the list. ``wider``: the list also holds items of other lines than the report's."""

    narrows: dict[str, str] = field(default_factory=dict)
    wider: bool = False


def figure_sources(desk: ReportDesk) -> dict[str, Source]:
    """By requirement, for every figure on the desk."""
    scope = desk.scope
    named = {one.requirement for section in desk.sections for one in _figures(section)}
    found: dict[str, Source] = {}
    for name, requirement in scope.plan.requirements():
        if requirement.code not in named:
            continue
        owing = {unit.code for unit in scope.units.assigned(requirement.assignee, scope.plan.organs)}
        meant = owing & (scope.covered if name.startswith("task-") else {scope.unit.code})
        if meant == owing:
            found[requirement.code] = Source()
        elif meant == {scope.unit.code}:
            found[requirement.code] = Source({"unit": scope.unit.code})
        elif scope.unit.level is Level.COUNTY:
            found[requirement.code] = Source({"under": str(scope.units.county_of(scope.unit.code))})
        else:
            found[requirement.code] = Source(wider=True)
    return found


def _figures(section: DeskSection) -> tuple[Figure, ...]:
    return (*section.figures, *(section.handed.figures if section.handed else ()))
