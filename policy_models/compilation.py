"""汇编: the city's half-year report as facts; what is said of them is in compilation_words.py.

Times are those of the report: ``as_of`` is the UTC instant before which everything counted happened, ``day`` its
civil date (Asia/Shanghai).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Self

from policy_models.lifecycle import State
from policy_models.periods import section_name
from policy_models.rounds import ReportStanding
from policy_models.spans import month_day


@dataclass(frozen=True, slots=True)
class Progress:
    """Work items whose deadline lies in the half-year. ``expected``: without the exempt and the merely counted;
    ``done`` of them are accepted, ``on_time`` of these by their first submission; ``due``: the deadline has come,
    ``met``: and was kept; ``overdue`` ones wait for the unit, ``under_review`` for the reviewer; ``backfill``: dated
    before the ledger began, so neither due nor overdue."""

    expected: int = 0
    done: int = 0
    on_time: int = 0
    due: int = 0
    met: int = 0
    overdue: int = 0
    under_review: int = 0
    backfill: int = 0

    def __add__(self, other: Self) -> Self:
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return type(self)(**sums)

    @property
    def share(self) -> str:
        """办结率 in whole per cent, rounded down, so that 100% means all; "–" where nothing is expected."""
        return f"{self.done * 100 // self.expected}%" if self.expected else "–"


@dataclass(frozen=True, slots=True)
class Amount:
    """A measure's sum and, where it is counted of something, of how much; over ``items`` accepted ones of ``due``."""

    value: Decimal = Decimal(0)
    of: Decimal | None = None
    items: int = 0
    due: int = 0

    def __add__(self, other: Self) -> Self:
        of = None if self.of is None and other.of is None else (self.of or Decimal(0)) + (other.of or Decimal(0))
        return type(self)(self.value + other.value, of, self.items + other.items, self.due + other.due)

    @property
    def words(self) -> str:
        return number(self.value) if self.of is None else f"{number(self.value)}/{number(self.of)}"


@dataclass(frozen=True, slots=True)
class Indicator:
    """A measure of the half-year: what each county gave (by code) and what each city unit gave (by name)."""

    requirement: str
    name: str
    label: str
    of_label: str | None
    target: str | None
    counties: tuple[tuple[str, Amount], ...]
    own: tuple[tuple[str, Amount], ...]

    @property
    def full_label(self) -> str:
        """``已建档儿童人数/应建档儿童人数``."""
        return f"{self.label}/{self.of_label}" if self.of_label else self.label

    @property
    def of_counties(self) -> Amount:
        return sum((amount for _, amount in self.counties), Amount())

    @property
    def of_city(self) -> Amount:
        """What the city's own units gave."""
        return sum((amount for _, amount in self.own), Amount())

    @property
    def total(self) -> Amount:
        return self.of_counties + self.of_city

    def county(self, code: str) -> Amount | None:
        return dict(self.counties).get(code)

    @property
    def reconciled(self) -> str:
        """Whether the counties sum up to the city's total; else by how much it differs, and why."""
        given = [(name, amount) for name, amount in self.own if amount.items]
        if not given:
            return "各旗县区之和与全市一致"
        told = "、".join(f"{name}{amount.words}" for name, amount in given)
        return f"全市比各旗县区之和多{self.of_city.words}，为市级单位填报（{told}）"


@dataclass(frozen=True, slots=True)
class UnitText:
    """What one unit wrote, in paragraphs: accepted words only."""

    unit: str
    name: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SectionPart:
    """A task, phase or safeguard. ``section``: as locators write it (``task-5``); ``owners``: as the plan's text names
    them, none for phases and safeguards."""

    section: str
    title: str
    owners: tuple[str, ...]
    progress: Progress
    indicators: tuple[Indicator, ...]
    texts: tuple[UnitText, ...]

    @property
    def heading(self) -> str:
        """``任务5 精准摸排``."""
        return f"{section_name(self.section)} {self.title}"


@dataclass(frozen=True, slots=True)
class ActionPart:
    number: int
    title: str
    tasks: tuple[SectionPart, ...]

    @property
    def progress(self) -> Progress:
        return sum((task.progress for task in self.tasks), Progress())


@dataclass(frozen=True, slots=True)
class Submitter:
    """A unit that owes a report. Of a report that was sent back: ``returned``, titles of the sections it was for, and
    ``waiting``, of those that the reviewer said nothing about."""

    unit: str
    name: str
    report: ReportStanding
    returned: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.report.state is State.ACCEPTED

    def remark(self, day: date) -> str:
        """Why the unit stands among the missing and late on a civil date, in words."""
        one, first = self.report, self.report.first_submitted_on
        if not one.is_in:
            over = (day - one.deadline).days
            told = "已撤回，未重新报送" if first else "未报送"
            return f"{told}，已超过时限{over}日" if over > 0 else f"{told}，时限未到"
        parts = []
        if one.is_late and first:
            parts.append(f"{month_day(first)}报送，逾期{(first - one.deadline).days}日")
        if self.returned:
            parts.append(f"已退回修改：{'、'.join(self.returned)}")
        if self.waiting:
            parts.append(f"未经审核：{'、'.join(self.waiting)}")
        if one.state is State.SUBMITTED:
            parts.append("已报送，待审核")
        return "；".join(parts)


@dataclass(frozen=True, slots=True)
class CasePart:
    """An exemplar on the short list or published. ``parts``: heading and paragraphs."""

    unit_name: str
    title: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Compilation:
    """Everything that the compiled report says; the same facts give the same bytes. ``counties``: (code, name);
    ``whole``: progress that a unit told without dividing it by task (letters); ``overviews``, ``highlights``,
    ``problems``, ``plans``: what the units wrote there."""

    plan_code: str
    plan_title: str
    round_code: str
    round_name: str
    first: date
    last: date
    as_of: datetime
    day: date
    bureau: str
    counties: tuple[tuple[str, str], ...]
    actions: tuple[ActionPart, ...]
    others: tuple[SectionPart, ...]
    whole: tuple[UnitText, ...]
    overviews: tuple[UnitText, ...]
    highlights: tuple[UnitText, ...]
    problems: tuple[UnitText, ...]
    plans: tuple[UnitText, ...]
    submitters: tuple[Submitter, ...]
    cases: tuple[CasePart, ...]

    @property
    def tasks(self) -> tuple[SectionPart, ...]:
        return tuple(task for action in self.actions for task in action.tasks)

    @property
    def parts(self) -> tuple[SectionPart, ...]:
        return (*self.tasks, *self.others)

    @property
    def progress(self) -> Progress:
        """Of the whole plan: every task, phase and safeguard."""
        return sum((part.progress for part in self.parts), Progress())

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        return tuple(one for part in self.parts for one in part.indicators)

    @property
    def absent(self) -> tuple[Submitter, ...]:
        """Units whose report is missing, not accepted, or came late."""
        return tuple(one for one in self.submitters if not one.accepted or one.report.is_late)

    @property
    def not_accepted(self) -> tuple[Submitter, ...]:
        return tuple(one for one in self.submitters if not one.accepted)

    @property
    def title(self) -> str:
        return f"{self.plan_title}{self.round_name}工作进展情况报告"


def number(value: Decimal) -> str:
    """Without the zeros that a column's scale adds: 412.0000 is 412."""
    return format(value.normalize(), "f") if value else "0"
