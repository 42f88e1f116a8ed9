"""佐证材料 as pages show it: what was handed in each time as of a day, and what can be filled in beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select

from ledger.database import Session
from ledger.files import StoredFile, stored_from
from ledger.pieces import evidence_from
from ledger.tables import entry, evidence, file, requirement, work_item
from policy_models.evidence import Evidence
from policy_models.lifecycle import Act, State
from policy_models.plan import EvidenceType


@dataclass(frozen=True, slots=True)
class Given:
    """One piece as it was handed in; ``file`` where it has one."""

    evidence: Evidence
    file: StoredFile | None


@dataclass(frozen=True, slots=True)
class Former:
    """A figure of the unit's last accepted item of the same requirement, and that item's period."""

    value: Decimal
    period: str


def handed_in(session: Session, item_id: int, before: datetime) -> dict[int, tuple[Given, ...]]:
    """Every submission of an item before an instant that had evidence: its pieces by revision. One statement."""
    labelled = [column.label(f"stored_{column.name}") for column in file.c]
    rows = session.execute(
        select(evidence, *labelled)
        .join(entry, (entry.c.item_id == evidence.c.item_id) & (entry.c.revision == evidence.c.revision))
        .outerjoin(file, file.c.id == evidence.c.file_id)
        .where(evidence.c.item_id == item_id, entry.c.at < before)
        .order_by(evidence.c.id)
    )
    found: dict[int, tuple[Given, ...]] = {}
    for row in rows:
        given = Given(evidence_from(row), stored_from(row, "stored_") if row.file_id is not None else None)
        found[row.revision] = (*found.get(row.revision, ()), given)
    return found


def former_counts(session: Session, plan_id: int, requirement_code: str, unit_code: str) -> dict[str, Former]:
    """What each measure was counted of (应办) in the unit's last accepted item of a requirement, by measure: so that
    nobody is asked again for a figure that the ledger knows."""
    accepted = (
        select(work_item.c.id, work_item.c.period)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(
            work_item.c.plan_id == plan_id,
            work_item.c.unit_code == unit_code,
            requirement.c.code == requirement_code,
            work_item.c.state == State.ACCEPTED.value,
        )
    )
    counted = accepted.where(work_item.c.id.in_(select(evidence.c.item_id).where(evidence.c.of.is_not(None))))
    last = counted.order_by(work_item.c.deadline.desc(), work_item.c.id.desc()).limit(1).subquery("last_accepted")
    submitted = select(func.max(entry.c.revision)).where(entry.c.item_id == last.c.id, entry.c.act == Act.SUBMIT.value)
    rows = session.execute(
        select(evidence, last.c.period)
        .join(last, last.c.id == evidence.c.item_id)
        .where(
            evidence.c.type == EvidenceType.MEASURE.value,
            evidence.c.of.is_not(None),
            evidence.c.revision == submitted.scalar_subquery(),
        )
    )
    pieces = [(evidence_from(row), row.period) for row in rows]
    return {piece.name: Former(piece.of, period) for piece, period in pieces if piece.name and piece.of is not None}
