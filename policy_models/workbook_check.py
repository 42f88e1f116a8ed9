"""核对工作簿: what came back, cell by cell, against what the unit owes. All or nothing: one fault and nothing is taken.

A row that is empty, or that holds what it held when it was downloaded, is left alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from policy_models import workbook_cells as cells
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType, Requirement
from policy_models.privacy import redact
from policy_models.workbook import (
    CHOICE,
    DIGEST,
    GUIDE,
    HAPPENED,
    NOTE,
    NOTHING_NEW,
    PERIOD,
    REASON,
    UNIT,
    WRITTEN,
    CellFault,
    Column,
    Fill,
    Raw,
    ReadSheet,
    Value,
    columns_of,
    digest,
    measure_name,
    of_name,
)
from policy_models.workbook_sheets import Head, personal


@dataclass(frozen=True, slots=True)
class Expected:
    """An item that the unit may hand in. ``refused``: why it cannot be just now, "" when it can."""

    key: str
    requirement: Requirement
    unit_name: str
    period_name: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """One row that is right: what it hands in, and the cell at which it is told of."""

    key: str
    requirement: Requirement
    evidence: tuple[Evidence, ...]
    note: str | None
    sheet: str
    row: int
    column: int

    @property
    def says_nothing_new(self) -> bool:
        return any(piece.type is EvidenceType.NOTHING_NEW for piece in self.evidence)

    def fault(self, reason: str) -> CellFault:
        """The row as a whole is wrong."""
        return CellFault(self.sheet, self.row, self.column, UNIT.title, "", reason)


@dataclass(frozen=True, slots=True)
class Checked:
    """``untouched``: rows left alone; ``unread``: sheets and columns of others that were not looked at, in words.
    ``filled`` is empty where there are faults."""

    filled: tuple[Filled, ...]
    faults: tuple[CellFault, ...]
    untouched: int
    unread: tuple[str, ...]

    @property
    def private(self) -> bool:
        return any(fault.private for fault in self.faults)


def keys_of(sheets: Sequence[ReadSheet]) -> list[str]:
    """Every key that the sheets name, each once."""
    found: dict[str, None] = {}
    for sheet in sheets:
        if head := Head.of(sheet):
            found |= dict.fromkeys(head.key(row) for row in sheet.rows[head.row :])
    return [key for key in found if key]


def check(
    sheets: Sequence[ReadSheet], expected: Mapping[str, Expected], why_not: Mapping[str, str], *, today: date
) -> Checked:
    """Every cell of every sheet. ``why_not``: by key, why an item that is not expected cannot be handed in here."""
    faults = [fault for sheet in sheets for fault in personal(sheet)]
    unread: list[str] = []
    rows: list[_Row] = []
    for sheet in sheets:
        head = Head.of(sheet)
        if head is None:
            if sheet.name != GUIDE and any(cells.text(raw) for row in sheet.rows for raw in row):
                unread.append(f"工作表“{sheet.name}”")
            continue
        own = _requirement_of(sheet, head, expected)
        unread += head.strangers(sheet, own)
        if wrong := list(head.faults(sheet, own)):
            faults += wrong  # without its columns nothing below can be told
        else:
            rows += _rows(sheet, head, own, expected, why_not, today)
    faults += [fault for row in rows for fault in row.faults]
    faults += _doubles(rows)
    told = {(fault.sheet, fault.row, fault.column): fault for fault in reversed(faults)}  # the first of each cell
    filled = [row.filled for row in rows if row.filled] if not told else []
    untouched = sum(row.untouched for row in rows)
    return Checked(tuple(filled), tuple(_ordered(told.values(), sheets)), untouched, tuple(dict.fromkeys(unread)))


def _ordered(faults: object, sheets: Sequence[ReadSheet]) -> list[CellFault]:
    places = {sheet.name: place for place, sheet in enumerate(sheets)}
    return sorted(faults, key=lambda one: (places[one.sheet], one.row, one.column))  # type: ignore[call-overload, no-any-return]


@dataclass
class _Row:
    """What became of one row."""

    sheet: str
    number: int
    key: str
    place: int  # of the cell at which the row as a whole is told of
    faults: list[CellFault] = field(default_factory=list)
    untouched: bool = False
    filled: Filled | None = None

    def fault(self, place: int, title: str, raw: Raw, reason: str) -> None:
        self.faults.append(CellFault(self.sheet, self.number, place, title, _shown(raw), reason))


def _shown(raw: Raw) -> str:
    told = redact(cells.text(raw))
    return told if len(told) <= cells.SHOWN else told[: cells.SHOWN] + "…"


def _requirement_of(sheet: ReadSheet, head: Head, expected: Mapping[str, Expected]) -> Requirement | None:
    """What the sheet is about: what most of its rows are about."""
    found = Counter(
        expected[key].requirement.code for row in sheet.rows[head.row :] if (key := head.key(row)) in expected
    )
    if not found:
        return None
    [(code, _)] = found.most_common(1)
    return next(one.requirement for one in expected.values() if one.requirement.code == code)


def _rows(
    sheet: ReadSheet,
    head: Head,
    own: Requirement | None,
    expected: Mapping[str, Expected],
    why_not: Mapping[str, str],
    today: date,
) -> Iterator[_Row]:
    columns = tuple(column for column in columns_of(own) if column.to_fill) if own else ()
    for number, row in enumerate(sheet.rows[head.row :], head.row + 1):
        if not any(cells.text(raw) for raw in row):
            continue
        found = _Row(sheet.name, number, head.key(row), head.place(UNIT))
        item = expected.get(found.key)
        if item is None or own is None:
            reason = why_not.get(found.key, "编号不是本系统的办理件，请勿改动编号；可重新下载")
            if not found.key:
                reason = "缺少办理件编号：请勿自行增加行，合计行也请删去"
            found.fault(found.place, UNIT.title, head.raw(row, UNIT), reason)
        elif item.requirement.code != own.code:
            reason = f"本行是事项 {item.requirement.code} 的，请在该事项的工作表中填写"
            found.fault(found.place, UNIT.title, head.raw(row, UNIT), reason)
        else:
            _look_at(found, sheet, head, row, columns, item, today)
        yield found


def _look_at(
    found: _Row,
    sheet: ReadSheet,
    head: Head,
    row: Sequence[Raw],
    columns: Sequence[Column],
    item: Expected,
    today: date,
) -> None:
    values: dict[str, Value] = {}
    for column in columns:
        raw, place = head.raw(row, column), head.place(column)
        try:
            values[column.name] = _value(sheet, (found.number, place), column, raw, today)
        except cells.Wrong as wrong:
            found.fault(place, column.title, raw or sheet.broken.get((found.number, place)), str(wrong))
    if not found.faults:
        held = list(values.values())
        if not any(value is not None for value in held) or digest(held) == cells.text(head.raw(row, DIGEST)):
            found.untouched = True
            return
    if item.refused:
        found.faults.clear()
        found.fault(found.place, UNIT.title, head.raw(row, UNIT), item.refused)
        return
    for column, right in ((UNIT, item.unit_name), (PERIOD, item.period_name)):
        if cells.text(head.raw(row, column)) != right:
            reason = f"{column.title}与编号不符：这个编号是“{right}”的，请恢复原样或重新下载"
            found.fault(head.place(column), column.title, head.raw(row, column), reason)
    wrong_columns = {fault.column for fault in found.faults}
    for column, reason in _lacking(item.requirement, {c.name: c for c in columns}, values):
        if head.place(column) not in wrong_columns:
            found.fault(head.place(column), column.title, head.raw(row, column), reason)
    if not found.faults:
        note = values.get(NOTE.name)
        evidence, words = _evidence(item.requirement, values), str(note) if note else None
        found.filled = Filled(found.key, item.requirement, evidence, words, found.sheet, found.number, found.place)


def _value(sheet: ReadSheet, cell: tuple[int, int], column: Column, raw: Raw, today: date) -> Value:
    """What a cell to be filled holds. Raises Wrong."""
    if cell in sheet.merged:
        raise cells.Wrong("单元格已与其他单元格合并，请取消合并，逐格填写")
    if cell in sheet.broken:
        raise cells.Wrong(f"公式出错（{sheet.broken[cell]}），请直接填写内容")
    if cell in sheet.formulas and not cells.text(raw):
        raise cells.Wrong("公式没有计算结果，请直接填写内容")
    if column.fill is Fill.NUMBER:
        return cells.number(raw)
    if column.fill is Fill.DATE:
        return cells.day(raw, today)
    if column.fill is Fill.CHOICE:
        return NOTHING_NEW if cells.choice(raw) else None
    return cells.words(raw, column.longest)


def _lacking(
    requirement: Requirement, columns: Mapping[str, Column], values: Mapping[str, Value]
) -> Iterator[tuple[Column, str]]:
    """What a row still lacks or contradicts, at which cell."""
    if values.get(CHOICE.name):
        if not values.get(REASON.name):
            yield REASON, "选了“无新增”，请写明理由"
        told = [
            c for c in columns.values() if c.needed and not c.name.startswith("of:") and values.get(c.name) is not None
        ]
        yield from ((column, "选了“无新增”，这一格须留空；有内容报送的请取消“无新增”") for column in told)
        return
    if values.get(REASON.name):
        yield CHOICE, "写了无新增理由，请选“无新增”"
    for column in columns.values():
        if column.needed and values.get(column.name) is None:
            yield column, f"请填写“{column.title}”"
    for rule in requirement.measures:
        value = values.get(measure_name(str(rule.name)))
        of = values.get(of_name(rule.of, rule.of_label)) if rule.of and rule.of_label else None
        if isinstance(value, Decimal) and isinstance(of, Decimal) and value > of:
            yield columns[measure_name(str(rule.name))], f"大于“{rule.of_label}”（{of:f}），请核对"


def _evidence(requirement: Requirement, values: Mapping[str, Value]) -> tuple[Evidence, ...]:
    happened = values.get(HAPPENED.name)
    on = happened if isinstance(happened, date) else None
    if values.get(CHOICE.name):
        return (Evidence(EvidenceType.NOTHING_NEW, text=str(values[REASON.name]), effective_on=on),)
    found = []
    for rule in requirement.measures:
        value = values[measure_name(str(rule.name))]
        of = values[of_name(rule.of, rule.of_label)] if rule.of and rule.of_label else None
        assert isinstance(value, Decimal)
        assert of is None or isinstance(of, Decimal)
        found.append(Evidence(EvidenceType.MEASURE, rule.name, value, of, effective_on=on))
    for type in WRITTEN:
        texts = [value for name, value in values.items() if name.startswith(f"{type}:") and value]
        found += [Evidence(type, text=str(text), effective_on=on) for text in texts]
    return tuple(found)


def _doubles(rows: Sequence[_Row]) -> Iterator[CellFault]:
    by_key: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.key and not row.untouched:
            by_key[row.key].append(row)
    for same in by_key.values():
        for row, other in zip(same, [same[1], *same], strict=False) if len(same) > 1 else ():
            where = (
                f"第 {other.number} 行" if other.sheet == row.sheet else f"工作表“{other.sheet}”第 {other.number} 行"
            )
            yield CellFault(row.sheet, row.number, row.place, UNIT.title, "", f"与{where}是同一办理件，只能保留一行")
