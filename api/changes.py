"""两日之间的变化 put together: a line for each action, task, phase, safeguard and county, with both days beside it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from fastapi import HTTPException

from documents.cells import Cell as Written
from ledger.queries.changes import Change, ChangeCount, LastCircular
from ledger.queries.reading import Reading
from ledger.queries.units import UnitRow
from policy_models.circular_periods import KIND_NAMES, CircularKind, period_of
from policy_models.periods import section_name
from policy_models.rollup import Cell, Count, roll_up
from policy_models.timing import Timing

CHANGE_NAMES = {
    Change.DONE: "新办结",
    Change.LATE: "新逾期",
    Change.RELIEVED: "不再逾期",
    Change.OPENED: "新启动",
    Change.RETURNED: "被退回",
    Change.MOVED: "时限变动",
    Change.EXEMPT: "新豁免或取消",
    Change.ADDED: "新增事项",
}
ALWAYS = (Change.DONE, Change.LATE, Change.RELIEVED, Change.OPENED, Change.RETURNED, Change.MOVED)
WRONG_ORDER = "起始日期须早于截止日期，请重新选择两个日期"
NOT_YET = "截止日期不能晚于今天：两日之间的变化只算已经发生的"
CITY = "city"
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class ChangeLine:
    """One line. ``narrow``: the fields of an address that narrow a list to it; None for a line that only adds up;
    ``before`` tells what was done, late and expected, and nothing else."""

    title: str
    section: str
    narrow: Mapping[str, str] | None
    counts: Mapping[Change, int]
    before: Cell
    after: Cell
    group: bool = False

    @property
    def gained(self) -> float:
        """How much 办结率 has grown, in points of a hundred."""
        return (self.after.share_done - self.before.share_done) * 100

    @property
    def is_still(self) -> bool:
        return not any(self.counts.values()) and self.before.done == self.after.done


@dataclass(frozen=True)
class Changes:
    """``columns``: the changes that have a column; ``sections`` with their actions before them, then ``areas``."""

    total: ChangeLine
    columns: tuple[Change, ...]
    sections: tuple[ChangeLine, ...]
    areas: tuple[ChangeLine, ...]


@dataclass(frozen=True)
class Choice:
    """A pair of days with a name."""

    name: str
    since: date
    until: date


def days_wanted(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """The two days, by default the last seven days. Raises 422 for days in the wrong order or still to come."""
    last = until or today
    first = since or last - timedelta(days=7)
    if last > today:
        raise HTTPException(422, NOT_YET)
    if first >= last:
        raise HTTPException(422, WRONG_ORDER)
    return first, last


def choices(today: date, last: LastCircular | None) -> tuple[Choice, ...]:
    """近 7 天, the week and the month before this one, and what came since the last circular."""
    sunday = today - timedelta(days=today.isoweekday())
    month_end = today.replace(day=1) - timedelta(days=1)
    found = [
        Choice("近 7 天", today - timedelta(days=7), today),
        Choice("上周", sunday - timedelta(days=7), sunday),
        Choice("上月", month_end.replace(day=1) - timedelta(days=1), month_end),
    ]
    if last is not None and last.day < today:
        kind = CircularKind(last.kind)
        name = f"上次通报以来（{period_of(last.kind, last.period).name}{KIND_NAMES[kind]}）"
        found.append(Choice(name, last.day, today))
    return tuple(found)


def changes(
    reading: Reading,
    counts: Iterable[ChangeCount],
    after: Iterable[Count],
    areas: Iterable[UnitRow],
) -> Changes:
    """All lines of the page."""
    tables = _Tables(list(counts), list(after))
    section_of = {one.code: name for name, one in reading.plan.requirements()}
    action_of = {f"task-{task.number}": task.action for task in reading.plan.tasks}
    total = _line("合计", "", {}, tables.cells(lambda code, county: True).get(True))
    shown = tuple(one for one in Change if one in ALWAYS or total.counts[one])
    by_section = tables.cells(lambda code, county: section_of.get(code))
    by_action = tables.cells(lambda code, county: action_of.get(section_of.get(code, "")))
    lines: list[ChangeLine] = []
    for action in reading.plan.actions:
        lines.append(_line(action.title, "", None, by_action.get(action.number), group=True))
        lines += [_section_line(reading, f"task-{number}", by_section) for number in action.tasks]
    for name, _ in reading.plan.sections():
        if not name.startswith("task-"):
            lines.append(_section_line(reading, name, by_section))
    by_county = tables.cells(lambda code, county: county)
    places = [(CITY, "", "市级"), *((area.code, area.code, area.name) for area in areas)]
    counties = [_line(name, "", {"under": under}, by_county[code]) for under, code, name in places if code in by_county]
    return Changes(total, shown, tuple(one for one in lines if one.group or one.after.expected), tuple(counties))


Three = tuple[dict[Change, int], Cell, Cell]


@dataclass(frozen=True)
class _Tables:
    counts: list[ChangeCount]
    after: list[Count]

    def cells(self, key: Callable[[str, str], Key]) -> dict[Key, Three]:
        """What changed and both days, by a key of requirement and county."""
        stands = roll_up(self.after, lambda one: key(one.requirement, one.county))
        changed: dict[Key, list[ChangeCount]] = {}
        for one in self.counts:
            changed.setdefault(key(one.requirement, one.county), []).append(one)
        found = {}
        for group in {*changed, *stands}:
            mine, now = changed.get(group, []), stands.get(group, Cell())
            summed = {change: sum(one.counts[change] for one in mine) for change in Change}
            found[group] = (summed, _before(now, mine), now)
        return found


def _before(now: Cell, changed: Iterable[ChangeCount]) -> Cell:
    """The earlier day: the later one less what was gained."""
    changed = list(changed)
    done = now.done - sum(one.done for one in changed)
    late = now.late - sum(one.late for one in changed)
    expected = now.expected - sum(one.expected for one in changed)
    return Cell({Timing.DONE_ON_TIME: done, Timing.OVERDUE: late, Timing.ON_TRACK: expected - done - late})


def _line(
    title: str, section: str, narrow: Mapping[str, str] | None, three: Three | None, *, group: bool = False
) -> ChangeLine:
    counts, before, after = three or (dict.fromkeys(Change, 0), Cell(), Cell())
    return ChangeLine(title, section, narrow, counts, before, after, group)


def _section_line(reading: Reading, name: str, found: Mapping[str | None, Three]) -> ChangeLine:
    section = reading.section(name)
    title = section.title if section else ""
    return _line(f"{section_name(name)} {title}", name, {"section": name}, found.get(name))


def cells(found: Changes, since: date, until: date) -> Iterator[tuple[Written, ...]]:
    """The page as rows of a table for export, titles first; shares in per cent with one decimal."""
    names = [CHANGE_NAMES[one] for one in found.columns]
    both = [f"{what}（{day}）" for what in ("办结", "应办", "逾期", "办结率%") for day in (since, until)]
    yield ("类别", "名称", *names, *both, "办结率增减（百分点）")
    groups = (("合计", (found.total,)), ("任务", found.sections), ("旗县区", found.areas))
    for kind, lines in groups:
        for line in lines:
            yield ("行动" if line.group else kind, line.title, *_figures(line, found.columns))


def _figures(line: ChangeLine, columns: Iterable[Change]) -> Iterator[Written]:
    yield from (line.counts[one] for one in columns)
    for name in ("done", "expected", "late"):
        yield from (getattr(cell, name) for cell in (line.before, line.after))
    yield from (Decimal(f"{cell.share_done * 100:.1f}") for cell in (line.before, line.after))
    yield Decimal(f"{line.gained:.1f}")
