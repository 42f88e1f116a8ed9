"""工作簿: what a unit owes as sheets to fill in, one for each requirement; what comes back is workbook_check.py's.

A column is known by its name in code and by its title to people: titles are unique within a sheet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum

from policy_models.evidence import TYPE_NAMES
from policy_models.plan import EvidenceType, Requirement

LONGEST_TEXT, LONGEST_NOTE, LONGEST_LINK = 2000, 500, 500  # characters
NOTHING_NEW, RETURNED = "无新增", "已退回"
MARK, GUIDE = "问题", "填写说明"  # the column added to a copy that comes back; the first sheet
WRITTEN = (EvidenceType.TEXT, EvidenceType.LINK)  # evidence that fits into a cell beside measures
Value = Decimal | str | date | None
Raw = str | float | int | bool | date | datetime | time | None


class Fill(StrEnum):
    """What may stand in a column. GIVEN is ours and locked; HIDDEN is locked and out of sight."""

    HIDDEN = "hidden"
    GIVEN = "given"
    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Column:
    """``longest``: characters that a text may have; ``needed``: whether a filled row must have it; ``hint``: shown when the
    cell is chosen."""

    name: str
    title: str
    fill: Fill
    longest: int = 0
    needed: bool = False
    hint: str = ""
    of: str = ""  # the name of the column that this one is counted of

    @property
    def to_fill(self) -> bool:
        return self.fill not in (Fill.HIDDEN, Fill.GIVEN)


KEY = Column("key", "办理件编号", Fill.HIDDEN)
DIGEST = Column("digest", "预填校验", Fill.HIDDEN)  # of what the row held when it was written: equal means untouched
UNIT = Column("unit", "单位", Fill.GIVEN)
PERIOD = Column("period", "期次", Fill.GIVEN)
DEADLINE = Column("deadline", "时限", Fill.GIVEN)
STANDING = Column("standing", "状态", Fill.GIVEN)
LEADING = (KEY, DIGEST, UNIT, PERIOD, DEADLINE, STANDING)
CHOICE = Column("nothing_new", NOTHING_NEW, Fill.CHOICE, hint="本期没有新增情况的，选“无新增”并写明理由，不填数字。")
REASON = Column("reason", "无新增理由", Fill.TEXT, LONGEST_NOTE, hint="选“无新增”时须写明理由。")
HAPPENED = Column("on", "发生日期", Fill.DATE, hint="工作完成的日期，如 2025-06-30；可不填。")
NOTE = Column("note", "备注", Fill.TEXT, LONGEST_NOTE, hint="可不填。请勿写儿童和监护人的姓名、证件号码、电话。")


def measure_name(name: str) -> str:
    return f"value:{name}"


def of_name(of: str, label: str) -> str:
    """Measures that are counted of the same thing share a column: nobody is asked twice."""
    return f"of:{of}:{label}"


def columns_of(requirement: Requirement) -> tuple[Column, ...]:
    """The columns of a requirement's sheet, the locked ones first."""
    found: dict[str, Column] = {column.name: column for column in LEADING}
    titles = {column.title for column in (*LEADING, CHOICE, REASON, HAPPENED, NOTE)} | {MARK}
    for column in [*_measures(requirement), *_written(requirement)]:
        if column.name not in found:
            found[column.name] = _titled(column, titles)
    closing = [CHOICE, REASON] if requirement.nothing_new else []
    return (*found.values(), *closing, HAPPENED, NOTE)


def _measures(requirement: Requirement) -> Iterable[Column]:
    for rule in requirement.measures:
        of = of_name(rule.of, rule.of_label) if rule.of and rule.of_label else ""
        name, target = measure_name(str(rule.name)), f"目标 {rule.target}。" if rule.target else ""
        yield Column(name, str(rule.label), Fill.NUMBER, needed=True, hint=f"{target}只填数字。", of=of)
        if of:
            yield Column(of, str(rule.of_label), Fill.NUMBER, needed=True, hint="只填数字；已预填的请核对。")


def _written(requirement: Requirement) -> Iterable[Column]:
    number = 0
    for rule in requirement.evidence:
        if rule.type not in WRITTEN:
            continue
        longest = LONGEST_TEXT if rule.type is EvidenceType.TEXT else LONGEST_LINK
        hint = f"不超过 {longest} 字，请勿写个人信息。" if rule.type is EvidenceType.TEXT else "请填写完整的网址。"
        for place in range(rule.min):
            title = rule.label or TYPE_NAMES[rule.type]
            shown = f"{title}{place + 1}" if rule.min > 1 else title
            yield Column(f"{rule.type}:{number}", shown, Fill.TEXT, longest, True, hint)
            number += 1


def _titled(column: Column, taken: set[str]) -> Column:
    title, number = column.title, 1
    while title in taken:
        number += 1
        title = f"{column.title}（{number}）"
    taken.add(title)
    return replace(column, title=title)


def fits_a_sheet(requirement: Requirement) -> bool:
    """Whether something of it can be written into cells. Half-year reports, 案例 and 信息 have pages of their own."""
    written = any(rule.type in (*WRITTEN, EvidenceType.MEASURE) for rule in requirement.evidence)
    return requirement.collects is None and (written or requirement.nothing_new or not requirement.evidence)


@dataclass(frozen=True)
class Row:
    """One item: ``values`` by column name."""

    values: Mapping[str, Value]


@dataclass(frozen=True)
class Sheet:
    """``name`` fits a tab; ``files``: what the page still asks for beside the sheet, in words."""

    requirement: str
    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    files: tuple[str, ...] = ()

    @property
    def returned(self) -> int:
        """How many of its items were sent back."""
        return sum(str(row.values[STANDING.name]).startswith(RETURNED) for row in self.rows)

    @property
    def nearest(self) -> date:
        """The first deadline among its items."""
        return min(day for row in self.rows if isinstance(day := row.values[DEADLINE.name], date))


@dataclass(frozen=True)
class Workbook:
    """``elsewhere``: titles of requirements that are owed too, and are handed in on their pages."""

    unit: str
    unit_code: str
    plan: str
    as_of: date
    sheets: tuple[Sheet, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(len(sheet.rows) for sheet in self.sheets)


def digest(values: Iterable[Value]) -> str:
    """Of what is in a row's cells to be filled. Begins with a letter, lest a spreadsheet take it for a number."""
    told = "\x1f".join("" if value is None else _told(value) for value in values)
    return "v" + hashlib.sha256(told.encode()).hexdigest()[:15]


def _told(value: Value) -> str:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value).strip()


def sheet_name(code: str, title: str) -> str:
    """At most 31 characters, none of those that a tab cannot have; the code in front makes it unique."""
    kept = "".join(" " if letter in "[]:*?/\\" else letter for letter in f"{code} {title}")
    return kept[:31].strip().strip("'")


@dataclass(frozen=True)
class ReadSheet:
    """A sheet as it came: ``rows`` from row 1, cells from column A; ``formulas``, ``broken`` and ``merged`` are cells
    (row, column), both from 1: with a formula, with an error such as #REF!, hidden behind a merged neighbour."""

    name: str
    rows: Sequence[Sequence[Raw]]
    formulas: frozenset[tuple[int, int]] = frozenset()
    broken: Mapping[tuple[int, int], str] = field(default_factory=dict)
    merged: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class CellFault:
    """One cell that is wrong: ``shown`` is what stands there, shortened and masked; ``private``: it must be emptied
    before anybody sees a copy."""

    sheet: str
    row: int
    column: int
    title: str
    shown: str
    reason: str
    private: bool = False

    @property
    def cell(self) -> str:
        """``H7``."""
        return f"{letters(self.column)}{self.row}"


def letters(column: int) -> str:
    """27 → ``AA``."""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found
