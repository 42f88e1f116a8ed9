"""The plan as data: frozen models that check themselves. The vocabulary is docs/glossary.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator


class Level(StrEnum):
    """Where in the administration a unit stands, from the city down."""

    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    SCHOOL = "school"
    INSTITUTION = "institution"


class Function(StrEnum):
    """条线: the line of work of a department, the same word at city and county."""

    PUBLICITY = "宣传"
    CYBERSPACE = "网信"
    COURT = "法院"
    PROCURATORATE = "检察"
    EDUCATION = "教育"
    PUBLIC_SECURITY = "公安"
    CIVIL_AFFAIRS = "民政"
    JUSTICE = "司法"
    FINANCE = "财政"
    HUMAN_RESOURCES = "人社"
    HEALTH = "卫健"
    EMERGENCY = "应急"
    FIRE = "消防"
    YOUTH_LEAGUE = "团委"
    WOMEN = "妇联"
    DISABLED = "残联"
    WOMEN_CHILDREN = "妇儿工委"


class Role(StrEnum):
    LEAD = "lead"
    COOPERATING = "cooperating"


class Kind(StrEnum):
    DATED = "dated"
    RECURRING = "recurring"
    CONTINUOUS = "continuous"
    ON_EVENT = "on_event"


class Every(StrEnum):
    """The cadences a requirement can have; ``on`` of the recurrence names the days where there is a choice."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"
    FORTNIGHT_IN_TERM = "fortnight_in_term"
    VACATION = "vacation"
    BEFORE_VACATION = "before_vacation"
    OBSERVANCE = "observance"
    HOLIDAY = "holiday"
    RANGE = "range"


class Review(StrEnum):
    """Who accepts: the parent unit of the same function, the coordinator, or the coordinator by sample."""

    PARENT = "parent"
    COORDINATOR = "coordinator"
    SAMPLED = "sampled"


class Collects(StrEnum):
    """What a half-year round collects by this requirement: the report, 优秀案例, or the year's 信息."""

    REPORT = "report"
    EXEMPLARS = "exemplars"
    BULLETIN = "bulletin"


class EvidenceType(StrEnum):
    MEASURE = "measure"
    PHOTO = "photo"
    DOCUMENT = "document"
    SIGN_IN = "sign_in"
    LINK = "link"
    TEXT = "text"
    NOTHING_NEW = "nothing_new"  # 无新增、无此情况, with the reason; never a rule


# How `plan show --json` names a cadence (docs: the plan pack's public reading form).
CADENCE_NAMES: dict[Every, str] = {
    Every.MONTH: "monthly",
    Every.QUARTER: "quarterly",
    Every.HALF_YEAR: "half_yearly",
    Every.YEAR: "yearly",
    Every.FORTNIGHT_IN_TERM: "fortnightly_in_term",
    Every.VACATION: "each_vacation",
    Every.BEFORE_VACATION: "before_each_vacation",
    Every.OBSERVANCE: "observance",
    Every.HOLIDAY: "holiday",
    Every.RANGE: "yearly_range",
}
NAMED = frozenset({Every.OBSERVANCE, Every.HOLIDAY, Every.RANGE})
INFERABLE = frozenset(
    {"title", "recurrence", "deadline", "due", "assignee", "opens", "starts_on", "ends_on", "target", "within"}
)


def _as_tuple(value: object) -> object:
    """YAML writers may give one word where a list is meant: ``function: 民政``."""
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])]
Functions = Annotated[
    tuple[Function, ...], BeforeValidator(_as_tuple, json_schema_input_type=Function | tuple[Function, ...])
]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Locator(Model):
    """Where the official text says so: a section and an exact phrase that occurs once in it (at most 16 characters)."""

    section: Annotated[str, StringConstraints(pattern=r"^(task|phase|safeguard)-\d{1,2}$")]
    phrase: Annotated[str, StringConstraints(min_length=2, max_length=16)]


class Waiver(Model):
    """A sentence of the section that asks for nothing that can be shown, and why."""

    phrase: Annotated[str, StringConstraints(min_length=2, max_length=16)]
    reason: Text


class Assignee(Model):
    """Who owes it: named organs, or every unit of a level (and function)."""

    level: Level | None = None
    function: Functions = ()
    units: Words = ()
    role: Role | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.units) == bool(self.level or self.function):
            raise ValueError("assignee 须为 units, 或 level/function 之一")
        return self


class Due(Model):
    """Which day of the period is the deadline, and how many calendar days after it."""

    at: Literal["start", "end", "day_before"] = "end"
    days: Annotated[int, Field(ge=0, le=366)] = 0


class Recurrence(Model):
    """Exactly one of: ``deadline`` (once), ``every`` (a cadence), ``within`` (a span after an event: 24h, 3d, 5wd)."""

    deadline: date | None = None
    every: Every | None = None
    within: Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(h|d|wd)$")] | None = None
    on: Words = ()
    due: Due | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(x is not None for x in (self.deadline, self.every, self.within)) != 1:
            raise ValueError("recurrence 须且只能写 deadline, every, within 之一")
        if self.every in NAMED and not self.on:
            raise ValueError(f"every: {self.every} 须用 on 写明是哪几个日子")
        return self


class Opens(Model):
    """When the item opens: so many calendar days before its deadline, or on a civil date."""

    days_before: Annotated[int, Field(ge=0, le=1000)] | None = None
    on: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.days_before is None) == (self.on is None):
            raise ValueError("opens 须写 days_before 或 on")
        return self


class EvidenceRule(Model):
    """What proves it. A measure has a name (identifier), a label (shown), optionally ``of`` and a target."""

    type: EvidenceType
    min: Annotated[int, Field(ge=1, le=50)] = 1
    label: str | None = None
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    of: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    of_label: str | None = None
    target: (
        Annotated[
            str,
            BeforeValidator(lambda v: str(v) if isinstance(v, int) else v),
            StringConstraints(pattern=r"^(>=|>|<=)?\d+(\.\d+)?%?$"),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _measure_is_named(self) -> Self:
        if (self.type is EvidenceType.MEASURE) != (self.name is not None):
            raise ValueError("measure 须有 name, 其他类型不写 name")
        if self.type is EvidenceType.NOTHING_NEW:
            raise ValueError("evidence 不能写 nothing_new，允许“无新增”请在事项上写 nothing_new: true")
        if self.type is EvidenceType.MEASURE and not self.label:
            raise ValueError("measure 须有 label (显示名称)")
        if (self.of is None) != (self.of_label is None):
            raise ValueError("of 与 of_label 须同时写")
        return self


class Requirement(Model):
    """事项: the smallest thing that someone must show."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]?\d{1,2}\.\d{1,2}$")]
    title: Annotated[str, StringConstraints(min_length=2, max_length=40)]
    kind: Kind
    assignee: Assignee
    recurrence: Recurrence | None = None
    opens: Opens | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    evidence: tuple[EvidenceRule, ...] = ()
    review: Review = Review.PARENT
    milestone: bool = False
    collects: Collects | None = None
    nothing_new: bool = False  # may be answered with 无新增、无此情况 and a reason
    source: Annotated[tuple[Locator, ...], Field(min_length=1)]
    inferred: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        given = None
        if self.recurrence:
            given = "deadline" if self.recurrence.deadline else "every" if self.recurrence.every else "within"
        wanted = {Kind.DATED: "deadline", Kind.RECURRING: "every", Kind.ON_EVENT: "within", Kind.CONTINUOUS: None}
        if given != wanted[self.kind]:
            raise ValueError(
                f"kind: {self.kind} 须写 recurrence.{wanted[self.kind]}"
                if wanted[self.kind]
                else "continuous 不写 recurrence"
            )
        if unknown := set(self.inferred) - INFERABLE:
            raise ValueError(f"inferred 中有未知字段: {', '.join(sorted(unknown))}")
        if self.collects is Collects.REPORT and (self.recurrence is None or self.recurrence.every != Every.HALF_YEAR):
            raise ValueError("collects: report 须为每半年一次的事项")
        names = [rule.name for rule in self.evidence if rule.name]
        if len(names) != len(set(names)):
            raise ValueError("evidence 中指标重名")
        return self

    @property
    def deadline(self) -> date | None:
        return self.recurrence.deadline if self.recurrence else None

    @property
    def cadence(self) -> str:
        """once|monthly|…|on_event|none, as `plan show --json` gives it."""
        if self.recurrence is None:
            return "none"
        return (
            CADENCE_NAMES[self.recurrence.every] if self.recurrence.every else "once" if self.deadline else "on_event"
        )

    @property
    def measures(self) -> tuple[EvidenceRule, ...]:
        return tuple(rule for rule in self.evidence if rule.type is EvidenceType.MEASURE)


class Section(Model):
    """What tasks, phases and safeguards share: a number, our title, requirements, waived sentences, notes."""

    number: Annotated[int, Field(ge=1, le=99)]
    title: Annotated[str, StringConstraints(min_length=2, max_length=40)]
    requirements: tuple[Requirement, ...] = ()
    waived: tuple[Waiver, ...] = ()
    notes: tuple[Text, ...] = ()


class PlanTask(Section):
    action: Annotated[int, Field(ge=1, le=99)]
    owners: Annotated[tuple[str, ...], Field(min_length=1)]


class Phase(Section):
    starts_on: date
    ends_on: date
    inferred: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError("阶段的结束早于开始")
        return self


class Safeguard(Section):
    pass


class Action(Model):
    number: Annotated[int, Field(ge=1, le=99)]
    title: Text
    tasks: tuple[int, ...]


class Plan(Model):
    """方案. ``organs`` maps each owner's name, as the text writes it, to a unit code."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
    title: Text
    revision: Annotated[int, Field(ge=1)]
    starts_on: date
    ends_on: date
    inferred: tuple[str, ...] = ()
    coordinator: str
    organs: dict[str, str]
    actions: tuple[Action, ...]
    phases: tuple[Phase, ...]
    tasks: tuple[PlanTask, ...]
    safeguards: tuple[Safeguard, ...] = ()
    notes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.phases or not self.tasks:
            raise ValueError("方案至少有一个阶段和一项任务")
        return self

    def sections(self) -> Iterator[tuple[str, Section]]:
        """Every section with its name as locators write it: ``task-5``, ``phase-2``, ``safeguard-3``."""
        for prefix, group in (("task", self.tasks), ("phase", self.phases), ("safeguard", self.safeguards)):
            for section in group:
                yield f"{prefix}-{section.number}", section

    def requirements(self) -> Iterator[tuple[str, Requirement]]:
        for name, section in self.sections():
            for requirement in section.requirements:
                yield name, requirement

    def task(self, number: int) -> PlanTask | None:
        return next((task for task in self.tasks if task.number == number), None)

    def phase_on(self, day: date) -> Phase:
        """The phase a civil date falls in; before the first the first, after the last the last."""
        return next((phase for phase in self.phases if day <= phase.ends_on), self.phases[-1])


def code_prefix(section: str) -> str:
    """``task-5`` → ``5.``, ``phase-2`` → ``P2.``, ``safeguard-3`` → ``S3.``: how codes in that section begin."""
    kind, number = re.fullmatch(r"(\w+)-(\d+)", section).groups()  # type: ignore[union-attr]
    return f"{ {'task': '', 'phase': 'P', 'safeguard': 'S'}[kind] }{number}."
