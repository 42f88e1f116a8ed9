"""代填: what a unit can fill in for the villages below it, one sheet for each requirement and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, func, select

from ledger.database import Session
from ledger.pieces import evidence_from
from ledger.queries.evidence import Former
from ledger.queries.reading import Reading
from ledger.queries.review import Handed, handed_in
from ledger.tables import draft_evidence, entry, evidence, requirement, unit, work_item
from policy_models.evidence import Evidence
from policy_models.lifecycle import OWED, Act, State
from policy_models.plan import EvidenceType, Level

SHOWN_AFTER = timedelta(days=30)  # a sheet with nothing left to fill is listed so long after its deadline
IN_HAND = (State.OPEN, State.RETURNED, State.SUBMITTED, State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A sheet in the list: how many villages owe it, of how many it has been handed in, how many were sent back."""

    requirement: str
    title: str
    section: str
    period: str
    deadline: date
    villages: int
    filled: int
    returned: int

    @property
    def left(self) -> int:
        return self.villages - self.filled


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One village. ``draft``: words and figures not handed in yet; ``files``: how many files lie in the draft, by
    type; ``handed``: what was handed in last; ``former``: 应办 of the last accepted item, by measure."""

    id: int
    key: str
    unit: str
    unit_name: str
    state: State
    revision: int
    deadline: date
    returns: int
    reason: str | None
    draft: tuple[Evidence, ...]
    files: dict[EvidenceType, int]
    handed: Handed
    former: dict[str, Former]

    @property
    def open(self) -> bool:
        """Whether it is to be filled in."""
        return self.state in OWED

    @property
    def filled(self) -> bool:
        """Whether it has been handed in."""
        return self.state in (State.SUBMITTED, State.ACCEPTED)


def sheets(session: Session, reading: Reading, unit_code: str) -> tuple[SheetLine, ...]:
    """The sheets a unit can fill in for the villages directly below it; what is left to do first: one statement."""
    columns = (requirement.c.code, requirement.c.title, requirement.c.section, work_item.c.period)
    filled = func.sum(case((work_item.c.state.not_in([one.value for one in OWED]), 1), else_=0))
    returned = func.sum(case((work_item.c.state == State.RETURNED.value, 1), else_=0))
    last = func.max(work_item.c.deadline)
    told = (filled.label("filled"), returned.label("returned"))
    rows = session.execute(
        _below(select(*columns, last.label("deadline"), func.count().label("n"), *told), reading, unit_code)
        .where(work_item.c.state.in_([state.value for state in IN_HAND]), requirement.c.collects == "")
        .group_by(*columns)
        .having((filled < func.count()) | (last >= reading.as_of - SHOWN_AFTER))
        .order_by(case((filled < func.count(), 0), else_=1), last, requirement.c.code)
    )
    return tuple(
        SheetLine(r.code, r.title, r.section, r.period, r.deadline, r.n, int(r.filled), int(r.returned)) for r in rows
    )


def sheet_rows(
    session: Session, reading: Reading, unit_code: str, requirement_code: str, period: str
) -> tuple[SheetRow, ...]:
    """The rows of a sheet in order of code, without what was waived or cancelled: four statements."""
    submitted = func.max(case((entry.c.act == Act.SUBMIT.value, entry.c.revision), else_=0)).label("submitted")
    names = ("id", "key", "unit_code", "state", "revision", "deadline", "returns", "reason")
    items = [work_item.c[name] for name in names]
    chosen = _below(select(*items, unit.c.name, submitted), reading, unit_code).outerjoin(
        entry, entry.c.item_id == work_item.c.id
    )
    found = session.execute(
        chosen.where(requirement.c.code == requirement_code, work_item.c.period == period)
        .where(work_item.c.state.in_([state.value for state in IN_HAND]))
        .group_by(*items, unit.c.name)
        .order_by(work_item.c.unit_code, work_item.c.id)
    ).all()
    drafts = _drafts(session, [row.id for row in found])
    handed = handed_in(session, {row.id: row.submitted for row in found})
    former = _former(session, reading, requirement_code, [row.unit_code for row in found])
    return tuple(_row(row, drafts.get(row.id, []), handed, former) for row in found)


def _below(chosen: Select[Any], reading: Reading, unit_code: str) -> Select[Any]:
    return (
        chosen.select_from(
            work_item.join(unit, unit.c.code == work_item.c.unit_code).join(
                requirement, requirement.c.id == work_item.c.requirement_id
            )
        )
        .where(reading.seen(work_item.c))
        .where(unit.c.superior == unit_code, unit.c.level == Level.VILLAGE.value)
    )


def _drafts(session: Session, item_ids: list[int]) -> dict[int, list[Any]]:
    rows = session.execute(
        select(draft_evidence).where(draft_evidence.c.item_id.in_(item_ids)).order_by(draft_evidence.c.id)
    )
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.item_id, []).append(row)
    return found


def _former(
    session: Session, reading: Reading, requirement_code: str, units: list[str]
) -> dict[str, dict[str, Former]]:
    """What each measure was counted of in each unit's last accepted item, by unit and measure: one statement."""
    accepted = (
        select(
            work_item.c.id,
            work_item.c.unit_code,
            work_item.c.period,
            func.row_number()
            .over(partition_by=work_item.c.unit_code, order_by=(work_item.c.deadline.desc(), work_item.c.id.desc()))
            .label("place"),
        )
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(reading.seen(work_item.c), requirement.c.code == requirement_code)
        .where(work_item.c.state == State.ACCEPTED.value, work_item.c.unit_code.in_(units))
        .where(work_item.c.id.in_(select(evidence.c.item_id).where(evidence.c.of.is_not(None))))
        .subquery("accepted")
    )
    last = (
        select(func.max(entry.c.revision))
        .where(entry.c.item_id == accepted.c.id, entry.c.act == Act.SUBMIT.value)
        .correlate(accepted)
        .scalar_subquery()
    )
    rows = session.execute(
        select(evidence, accepted.c.unit_code, accepted.c.period)
        .join(accepted, and_(accepted.c.id == evidence.c.item_id, accepted.c.place == 1))
        .where(evidence.c.revision == last, evidence.c.of.is_not(None))
    )
    found: dict[str, dict[str, Former]] = {}
    for row in rows:
        piece = evidence_from(row)
        if piece.name and piece.of is not None:
            found.setdefault(row.unit_code, {})[piece.name] = Former(piece.of, row.period)
    return found


def _row(row: Any, drafted: list[Any], handed: dict[int, Handed], former: dict[str, dict[str, Former]]) -> SheetRow:
    files: dict[EvidenceType, int] = {}
    for one in drafted:
        if one.file_id is not None:
            files[EvidenceType(one.type)] = files.get(EvidenceType(one.type), 0) + 1
    return SheetRow(
        row.id,
        row.key,
        row.unit_code,
        row.name,
        State(row.state),
        row.revision,
        row.deadline,
        row.returns,
        row.reason,
        tuple(evidence_from(one) for one in drafted if one.file_id is None),
        files,
        handed.get(row.id, Handed()),
        former.get(row.unit_code, {}),
    )
