"""工作簿: what a unit may fill in on sheets, and what the ledger says to a workbook that comes back.

A unit fills in what it owes itself, and what the units owe whose superior it is (a township for its villages).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, or_, select

from ledger.acts import CHUNK
from ledger.database import Session
from ledger.pieces import evidence_from
from ledger.queries.reading import Reading
from ledger.tables import draft_evidence, evidence, requirement, unit, work_item
from policy_models.evidence import TYPE_NAMES, Evidence, missing
from policy_models.lifecycle import OWED, STATE_NAMES, State
from policy_models.periods import period_name
from policy_models.plan import EvidenceType, Requirement
from policy_models.workbook import (
    CHOICE,
    DEADLINE,
    DIGEST,
    HAPPENED,
    KEY,
    NOTHING_NEW,
    PERIOD,
    REASON,
    RETURNED,
    STANDING,
    UNIT,
    WRITTEN,
    Column,
    Row,
    Sheet,
    Value,
    Workbook,
    columns_of,
    digest,
    fits_a_sheet,
    measure_name,
    of_name,
    sheet_name,
)
from policy_models.workbook_check import Expected

ONCE = "一次"
FILES = frozenset({EvidenceType.PHOTO, EvidenceType.DOCUMENT, EvidenceType.SIGN_IN})
REFUSED = {
    State.SCHEDULED: "尚未启动，启动后再报送",
    State.SUBMITTED: "已经报送，正待审核；要改请先在办理件页面撤回",
    State.ACCEPTED: "已审核通过，不再报送；请删去本行填写的内容",
    State.WAIVED: "已豁免，不用报送；请删去本行填写的内容",
    State.CANCELLED: "方案修订后已取消，不用报送；请删去本行填写的内容",
}
Known = Mapping[tuple[str, str], Decimal]  # (unit, name of the column it is counted of) → the last figure reported


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item with a draft that lacks only files; ``lacks`` in words."""

    key: str
    title: str
    unit: str
    unit_name: str
    period_name: str
    deadline: date
    lacks: str


def offered(
    session: Session, reading: Reading, own: str, *, code: str | None = None, period: str | None = None
) -> Workbook:
    """What the unit may fill in now, a sheet for each requirement, with what is known filled in. Four statements,
    and one more for every further 500 items."""
    rows = session.execute(_owed(reading, own, code, period)).all()
    drafts = drafts_of(session, [row.id for row in rows])
    known = _known(session, reading, own)
    sheets: dict[str, list[Row]] = {}
    found: dict[str, Requirement] = {}
    elsewhere: dict[str, None] = {}
    for row in rows:
        wanted = reading.requirement(row.requirement)
        if wanted is None or not fits_a_sheet(wanted):
            elsewhere |= {f"{row.requirement} {row.title}": None}
            continue
        found[wanted.code] = wanted
        sheets.setdefault(wanted.code, []).append(_row(row, wanted, reading, drafts.get(row.id, ()), known))
    name = session.execute(select(unit.c.name).where(unit.c.code == own)).scalar_one()
    made = tuple(_sheet(found[code], rows) for code, rows in sheets.items())
    return Workbook(name, own, reading.plan.title, reading.as_of, made, tuple(elsewhere))


def _may_fill(own: str) -> Any:
    return or_(work_item.c.unit_code == own, unit.c.superior == own)


def _chosen(reading: Reading) -> Select[Any]:
    return (
        select(
            work_item.c.id,
            work_item.c.key,
            work_item.c.unit_code,
            work_item.c.period,
            work_item.c.deadline,
            work_item.c.state,
            work_item.c.reason,
            work_item.c.catch_up,
            unit.c.name.label("unit_name"),
            unit.c.superior,
            requirement.c.code.label("requirement"),
            requirement.c.title,
        )
        .join(unit, unit.c.code == work_item.c.unit_code)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(reading.seen(work_item.c))
    )


def _owed(reading: Reading, own: str, code: str | None, period: str | None) -> Select[Any]:
    chosen = _chosen(reading).where(work_item.c.state.in_([state.value for state in OWED]), _may_fill(own))
    if code is not None:
        chosen = chosen.where(requirement.c.code == code)
    if period is not None:
        chosen = chosen.where(work_item.c.period == period)
    return chosen.order_by(requirement.c.id, work_item.c.deadline, work_item.c.unit_code, work_item.c.id)


def drafts_of(session: Session, ids: Sequence[int]) -> dict[int, tuple[Evidence, ...]]:
    """What has been put together for items and not handed in: a statement for every 500 items."""
    found: dict[int, list[Evidence]] = {}
    for start in range(0, len(ids), CHUNK):
        of_these = draft_evidence.c.item_id.in_(ids[start : start + CHUNK])
        for row in session.execute(select(draft_evidence).where(of_these).order_by(draft_evidence.c.id)):
            found.setdefault(row.item_id, []).append(evidence_from(row))
    return {id: tuple(pieces) for id, pieces in found.items()}


def _known(session: Session, reading: Reading, own: str) -> Known:
    """The last figure each unit reported for what its measures are counted of: nobody is asked for it again."""
    columns = {
        (one.code, rule.name): of_name(rule.of, rule.of_label)
        for _, one in reading.plan.requirements()
        for rule in one.measures
        if rule.of and rule.of_label
    }
    newest = (
        select(func.max(evidence.c.id))
        .join(work_item, work_item.c.id == evidence.c.item_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .where(reading.seen(work_item.c), _may_fill(own))
        .where(evidence.c.type == EvidenceType.MEASURE.value, evidence.c.of.is_not(None))
        .group_by(work_item.c.unit_code, work_item.c.requirement_id, evidence.c.name)
    )
    rows = session.execute(
        select(evidence.c.name, evidence.c.of, work_item.c.unit_code, requirement.c.code)
        .join(work_item, work_item.c.id == evidence.c.item_id)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(evidence.c.id.in_(newest))
        .order_by(evidence.c.id)
    )
    found = {(r.unit_code, columns.get((r.code, r.name), "")): r.of for r in rows}
    return {place: _plain(value) for place, value in found.items() if place[1]}


def _row(row: Any, wanted: Requirement, reading: Reading, draft: Iterable[Evidence], known: Known) -> Row:
    columns = [column for column in columns_of(wanted) if column.to_fill]
    filled = dict(_prefilled(row, wanted, columns, tuple(draft), known))
    held = [filled.get(column.name) for column in columns]
    given: dict[str, Value] = {
        KEY.name: row.key,
        DIGEST.name: digest(held),
        UNIT.name: row.unit_name,
        PERIOD.name: period_name(row.period, reading.calendars) or ONCE,
        DEADLINE.name: row.deadline,
        STANDING.name: _standing(row),
    }
    return Row({**given, **{name: value for name, value in filled.items() if value is not None}})


def _standing(row: Any) -> str:
    if row.state == State.RETURNED.value:
        return f"{RETURNED}：{row.reason}"
    return "待补录" if row.catch_up else STATE_NAMES[State(row.state)]


def _prefilled(
    row: Any, wanted: Requirement, columns: Sequence[Column], draft: Sequence[Evidence], known: Known
) -> Iterator[tuple[str, Value]]:
    """What is known: the last figures of what is counted, and whatever lies in the item's draft."""
    for column in columns:
        if (row.unit_code, column.name) in known:
            yield column.name, known[row.unit_code, column.name]
    rules = {rule.name: rule for rule in wanted.measures}
    numbers = dict.fromkeys(WRITTEN, 0)
    for piece in draft:
        rule = rules.get(piece.name)
        if piece.type is EvidenceType.MEASURE and rule is not None:
            yield measure_name(str(rule.name)), piece.value
            if rule.of and rule.of_label and piece.of is not None:
                yield of_name(rule.of, rule.of_label), piece.of
        elif piece.type is EvidenceType.NOTHING_NEW and wanted.nothing_new:
            yield from ((CHOICE.name, NOTHING_NEW), (REASON.name, piece.text))
        elif piece.type in numbers and piece.file_id is None:
            yield f"{piece.type}:{numbers[piece.type]}", piece.text
            numbers[piece.type] += 1
        if piece.effective_on and piece.file_id is None:
            yield HAPPENED.name, piece.effective_on


def _sheet(wanted: Requirement, rows: Sequence[Row]) -> Sheet:
    files = tuple(
        f"{rule.label or TYPE_NAMES[rule.type]} {rule.min} 份" for rule in wanted.evidence if rule.type in FILES
    )
    title = f"{wanted.code} {wanted.title}"
    return Sheet(wanted.code, sheet_name(wanted.code, wanted.title), title, columns_of(wanted), tuple(rows), files)


def expected(
    session: Session, reading: Reading, own: str, keys: Sequence[str]
) -> tuple[dict[str, Expected], dict[str, str]]:
    """Of the keys in an uploaded workbook: the items that the unit may fill in, and why the others are not."""
    found: dict[str, Expected] = {}
    why_not: dict[str, str] = {}
    for start in range(0, len(keys), CHUNK):
        for row in session.execute(_chosen(reading).where(work_item.c.key.in_(keys[start : start + CHUNK]))):
            wanted = reading.requirement(row.requirement)
            if own not in (row.unit_code, row.superior):
                why_not[row.key] = "这一办理件由其他单位报送，您的单位不能代办"
            elif wanted is None or not fits_a_sheet(wanted):
                why_not[row.key] = f"“{row.title}”不在表格中填写，请在系统页面办理"
            else:
                period = period_name(row.period, reading.calendars) or ONCE
                refused = REFUSED.get(State(row.state), "")
                found[row.key] = Expected(row.key, wanted, row.unit_name, period, refused)
    return found, why_not


def waiting(session: Session, reading: Reading, own: str) -> tuple[Waiting, ...]:
    """Items with a draft in which only files are missing, in order of deadline: what is still to do after an upload."""
    with_draft = select(draft_evidence.c.item_id).where(draft_evidence.c.type == EvidenceType.MEASURE.value)
    rows = session.execute(_owed(reading, own, None, None).where(work_item.c.id.in_(with_draft))).all()
    drafts = drafts_of(session, [row.id for row in rows])
    found = []
    for row in rows:
        wanted = reading.requirement(row.requirement)
        if wanted is None:
            continue
        others = [rule for rule in wanted.evidence if rule.type not in FILES]
        lacks = missing(wanted.evidence, drafts.get(row.id, ()))
        if lacks and not missing(others, drafts.get(row.id, ())):
            period = period_name(row.period, reading.calendars)
            words = "、".join(lacks)
            found.append(Waiting(row.key, row.title, row.unit_code, row.unit_name, period, row.deadline, words))
    return tuple(sorted(found, key=lambda one: (one.deadline, one.key)))


def _plain(value: Decimal) -> Decimal:
    """Without the zeros that the column's scale adds."""
    return Decimal(format(Decimal(value).normalize(), "f"))
