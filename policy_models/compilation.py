"""汇编: the city's half-year report as facts, and the words that are made of its figures. Nothing is invented.

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

DIGITS = "零一二三四五六七八九"


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

    @property
    def shown(self) -> str:
        """As a cell of a table: "–" where nothing was accepted."""
        return self.words if self.items else "–"


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


def overview(facts: Compilation) -> tuple[str, ...]:
    """总体情况: paragraphs assembled from figures alone."""
    return tuple(filter(None, [_work(facts), _by_action(facts), _reporting(facts), _cases(facts)]))


def _work(facts: Compilation) -> str:
    all_of_it = facts.progress
    told = (
        f"截至{full_day(facts.day)}，《{facts.plan_title}》{len(facts.actions)}个行动、{len(facts.tasks)}项重点任务"
        f"及各阶段、保障措施中，时限在{facts.round_name}的办理件应办{all_of_it.expected}件"
    )
    if not all_of_it.expected:
        return f"{told}。"
    return f"{told}，{standing_words(all_of_it)}。"


def standing_words(progress: Progress) -> str:
    """``已办结412件，办结率90%，其中按期办结400件；逾期未办结43件，待审核2件``: without a full stop."""
    told = f"已办结{progress.done}件，办结率{progress.share}"
    if progress.done:
        told += f"，其中按期办结{progress.on_time}件"
    rest = (("逾期未办结", progress.overdue), ("待审核", progress.under_review), ("待补录", progress.backfill))
    more = "，".join(f"{word}{count}件" for word, count in rest if count)
    return f"{told}；{more}" if more else told


def _by_action(facts: Compilation) -> str:
    told = [
        f"{action.title}应办{action.progress.expected}件、办结{action.progress.done}件（{action.progress.share}）"
        for action in facts.actions
        if action.progress.expected
    ]
    return f"分行动看，{'；'.join(told)}。" if told else ""


def _reporting(facts: Compilation) -> str:
    owed = len(facts.submitters)
    if not owed:
        return ""
    accepted = owed - len(facts.not_accepted)
    handed = [one.report for one in facts.submitters if one.report.is_in]
    prompt = sum(not one.is_late for one in handed)
    told = (
        f"{facts.round_name}工作进展情况报告应由{owed}个单位报送，已报送{len(handed)}个，其中按时报送{prompt}个；"
        f"已审核通过{accepted}个"
    )
    if accepted == owed:
        return f"{told}。"
    return f"{told}，其余{owed - accepted}个单位的内容尚未全部审核通过，未列入本报告的部分见附件3。"


def _cases(facts: Compilation) -> str:
    return f"经评审入选优秀案例{len(facts.cases)}篇，见附件4。" if facts.cases else ""


def section_words(task: SectionPart) -> tuple[str, ...]:
    """What the figures say of a task: its deadlines, then its measures; a paragraph each."""
    progress = task.progress
    if progress.expected:
        told = f"时限在本期的办理件应办{progress.expected}件，{standing_words(progress)}"
        deadlines = f"{told}。已到时限的{progress.due}件中，按期办结{progress.met}件（{progress.met}/{progress.due}）。"
    else:
        deadlines = "本期没有到期的办理件，持续推进。"
    figures = [f"{one.full_label}为{one.total.words}" for one in task.indicators if one.total.items]
    return (deadlines, f"主要数据：{'；'.join(figures)}。") if figures else (deadlines,)


def reconciliation(facts: Compilation) -> tuple[str, ...]:
    """附件2 explained: which measures differ from the counties' sum, by how much and why; then how many do not."""
    differing = [one for one in facts.indicators if one.of_city.items]
    told = [f"{one.requirement} {one.full_label}：{one.reconciled}。" for one in differing]
    same = len(facts.indicators) - len(differing)
    if same:
        told.append(f"{'其余' if told else ''}{same}项指标各旗县区之和与全市一致。")
    return tuple(told)


def number(value: Decimal) -> str:
    """Without the zeros that a column's scale adds: 412.0000 is 412."""
    return format(value.normalize(), "f") if value else "0"


def numeral(count: int) -> str:
    """``12`` → ``十二``, up to 99."""
    tens, ones = divmod(count, 10)
    return f"{'' if tens == 1 else DIGITS[tens]}十{DIGITS[ones] if ones else ''}" if tens else DIGITS[ones]


def full_day(value: date) -> str:
    return f"{value.year}年{month_day(value)}"


def paragraphs(text: str) -> tuple[str, ...]:
    """The paragraphs of what somebody typed, without the spaces they indented with; empty ones left out."""
    return tuple(filter(None, (line.strip(" \t\u3000\u00a0") for line in text.splitlines())))
