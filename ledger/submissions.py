"""报送: a unit hands in what it owes, or takes it back before it is reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from ledger import plans
from ledger.acts import Actor, Standing, act_on, standing
from ledger.civil import civil_date
from ledger.database import Session
from ledger.tables import evidence as evidence_table
from policy_models.errors import EvidenceMissing, NotResponsible
from policy_models.evidence import Evidence, missing
from policy_models.lifecycle import Act


def submit(
    session: Session, key: str, *, by: Actor, evidence: Sequence[Evidence], now: datetime, note: str | None = None
) -> int:
    """Hand in an item with its evidence; the new revision. The unit itself may, or its superior for it.

    Raises NotFound, NotResponsible, EvidenceMissing, ActNotAllowed, ChangedMeanwhile.
    """
    item = _owed(session, key, by)
    requirement = plans.requirement(session, item.plan_code, item.requirement)
    if wanted := missing(requirement.evidence, evidence, nothing_new=requirement.nothing_new):
        raise EvidenceMissing(f"还缺：{'、'.join(wanted)}")
    facts = {} if item.first_submitted_on else {"first_submitted_on": civil_date(now)}
    revision = act_on(session, item, Act.SUBMIT, by=by, now=now, note=note, **facts)
    if evidence:
        session.execute(insert(evidence_table), [_row(item, revision, piece) for piece in evidence])
    return revision


def withdraw(session: Session, key: str, *, by: Actor, now: datetime, note: str | None = None) -> int:
    """Take a submission back before it is reviewed; the new revision. Errors as ``submit``."""
    return act_on(session, _owed(session, key, by), Act.WITHDRAW, by=by, now=now, note=note)


def _owed(session: Session, key: str, by: Actor) -> Standing:
    item = standing(session, key)
    if by.unit not in (item.unit, item.superior):
        raise NotResponsible(f"这一办理件由{item.unit_name}报送，您的单位不能代办")
    return item


def _row(item: Standing, revision: int, piece: Evidence) -> dict[str, Any]:
    return {
        "item_id": item.id,
        "revision": revision,
        "type": piece.type.value,
        "name": piece.name,
        "value": piece.value,
        "of": piece.of,
        "text": piece.text,
        "file_id": piece.file_id,
        "file_name": piece.file_name,
        "effective_on": piece.effective_on,
    }
