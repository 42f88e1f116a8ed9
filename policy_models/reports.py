"""半年工作进展情况报告: its sections, what each asks for, figures as the ledger has them, and when it is complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from policy_models.lifecycle import State
from policy_models.periods import section_name
from policy_models.plan import Function, Kind, Level, Plan, Requirement
from policy_models.units import Unit, Units

OVERVIEW, PROGRESS, HIGHLIGHTS, PROBLEMS, NEXT = "overview", "progress", "highlights", "problems", "next"
WHOLE_NAMES = {
    OVERVIEW: "总体情况",
    PROGRESS: "重点任务进展",
    HIGHLIGHTS: "特色亮点",
    PROBLEMS: "存在问题",
    NEXT: "下一步打算",
}
REQUIRED = (OVERVIEW, PROBLEMS, NEXT)  # 特色亮点 may be left empty
NOTHING_NEW = "无新增"
TEXT_LIMIT = 20_000  # characters of one section
ANSWER_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure as the ledger has it for a half-year: sums over the ``items`` accepted ones of the ``due`` items.

    ``name`` is "" where the requirement has no measure: then ``value`` of ``of`` counts the items done themselves.
    """

    requirement: str
    title: str
    name: str
    label: str
    of_label: str | None
    target: str | None
    value: Decimal
    of: Decimal | None
    items: int
    due: int


@dataclass(frozen=True, slots=True)
class SectionText:
    """One section as it was handed in. ``answers``: words by requirement code, for the check-list of what goes on."""

    section: str
    text: str
    answers: Mapping[str, str] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class AreaFigure:
    """A measure summed over one area: ``county`` is a county's code, or "" for a city unit named by ``unit``.

    ``items``: accepted items that were counted; ``due``: items of the requirement with a deadline in the span."""

    requirement: str
    name: str
    county: str
    unit: str
    value: Decimal
    of: Decimal | None
    items: int
    due: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the reviewer said of one section: ``accepted`` or ``returned`` with its reason."""

    verdict: str
    reason: str | None
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A unit's report just before an instant: the state of its item, when it was first handed in, and what the last
    submission (``revision`` of the item; None before the first) said. ``owed``: whether the unit counts."""

    unit: str
    unit_name: str
    state: State
    deadline: date
    first_submitted_on: date | None
    owed: bool
    revision: int | None
    sections: tuple[SectionText, ...]
    verdicts: Mapping[str, Verdict]

    @property
    def text_of(self) -> dict[str, SectionText]:
        """The sections by name."""
        return {one.section: one for one in self.sections}


def speaks_for(unit: Unit, units: Units) -> frozenset[str]:
    """Whose work a unit reports: a county department its county's, a city department its own and its line's in the
    counties; that of civil affairs also has what has no line of its own (townships, villages)."""
    if unit.level is Level.COUNTY:
        county = units.county_of(unit.code)
        return frozenset(code for code in units if units.county_of(code) == county)
    line = {u.code for u in units.values() if u.level is not Level.CITY and u.function and u.function is unit.function}
    if unit.function is Function.CIVIL_AFFAIRS:
        line |= {u.code for u in units.values() if u.function is None and u.level is not Level.CITY}
    return frozenset({unit.code, *line})


def sections_of(
    plan: Plan, unit: Unit, units: Units, *, first: date | None = None, last: date | None = None
) -> tuple[str, ...]:
    """The sections of a unit's report, in order: overview, what it has to do with, highlights, problems, next.

    A department: the tasks in whose owners it stands, and those that ask something of it or of its line. A county
    bureau: all tasks with something owed in its county. Both: phases and safeguards that ask something of themselves
    or that they answer for; of the phases only those that touch ``first`` to ``last`` where given.
    """
    covered, answering = speaks_for(unit, units), answers_for(plan, unit, units)
    over = {f"phase-{p.number}" for p in plan.phases if first and last and (p.ends_on < first or p.starts_on > last)}
    owned = {f"task-{t.number}" for t in plan.tasks if unit.code in {plan.organs.get(o, o) for o in t.owners}}
    found = []
    for name, section in plan.sections():
        meant = covered if name.startswith("task-") else frozenset({unit.code})
        asked = any(_asks(one, plan, units, meant) for one in section.requirements)
        if name in owned or (name not in over and (asked or checklist(plan, unit, units, name, answering))):
            found.append(name)
    return (OVERVIEW, *found, HIGHLIGHTS, PROBLEMS, NEXT)


def _asks(requirement: Requirement, plan: Plan, units: Units, meant: frozenset[str]) -> bool:
    """Whether a requirement asks something of these units; what only collects the reports themselves does not."""
    if requirement.collects is not None:
        return False
    return any(one.code in meant for one in units.assigned(requirement.assignee, plan.organs))


def answers_for(plan: Plan, unit: Unit, units: Units) -> frozenset[str]:
    """Whose continuous duties a unit tells of in words, so that each is told once on each line: a department for
    itself and its line in the counties, a county bureau for itself and whoever in its county has no department that
    reports (the county, townships, villages, a line outside the plan's organs)."""
    if unit.level is not Level.COUNTY:
        line = (
            u.code for u in units.values() if u.level is Level.COUNTY and u.function and u.function is unit.function
        )
        return frozenset({unit.code, *line} if unit.function is not Function.CIVIL_AFFAIRS else {unit.code})
    reporting = {units[code].function for code in plan.organs.values() if code in units}
    mine = (
        code for code in speaks_for(unit, units) if units[code].function not in reporting or not units[code].function
    )
    return frozenset({unit.code, *mine})


def checklist(
    plan: Plan, unit: Unit, units: Units, section: str, answering: frozenset[str] | None = None
) -> tuple[Requirement, ...]:
    """The continuous duties of a section that this unit answers in words. ``answering``: what ``answers_for`` gave,
    where many sections are asked for."""
    found = dict(plan.sections()).get(section)
    lasting = [one for one in found.requirements if one.kind is Kind.CONTINUOUS] if found else []
    if lasting and answering is None:
        answering = answers_for(plan, unit, units)
    return tuple(one for one in lasting if _asks(one, plan, units, answering or frozenset()))


def section_title(plan: Plan, section: str) -> str:
    """``任务5 …``, ``总体情况``: as people read it."""
    if section in WHOLE_NAMES:
        return WHOLE_NAMES[section]
    found = dict(plan.sections()).get(section)
    return f"{section_name(section)} {found.title}" if found else section_name(section)


def unfinished(
    wanted: Sequence[str], texts: Mapping[str, SectionText], checklists: Mapping[str, Sequence[Requirement]]
) -> dict[str, str]:
    """What each section still lacks, in words; empty when the report may be handed in. ``wanted``: in order."""
    found: dict[str, str] = {}
    for section in wanted:
        given = texts.get(section) or SectionText(section, "")
        asked = checklists.get(section, ())
        open_answers = [one for one in asked if not given.answers.get(one.code, "").strip()]
        if open_answers:
            found[section] = f"还有 {len(open_answers)} 项持续开展的工作未说明"
        elif not asked and section != HIGHLIGHTS and not given.text.strip():
            found[section] = "尚未填写"
    return found
