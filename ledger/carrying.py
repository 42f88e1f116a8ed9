"""What was handed in goes back into the draft when it is taken or sent back: nobody puts the same together twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, func, insert, literal, or_, select

from ledger.database import Session
from ledger.tables import draft_evidence, evidence, work_item
from policy_models.lifecycle import Act
from policy_models.plan import EvidenceType

TAKES_BACK = frozenset({Act.WITHDRAW, Act.SEND_BACK})
CARRIED = ("item_id", "type", "name", "value", "of", "text", "file_id", "file_name", "effective_on")


def carry_over(session: Session, item_ids: Sequence[int], *, by_name: str, now: datetime) -> None:
    """Copy the evidence of each item's last submission into its draft; call right after the act that took it back.

    It replaces what the draft says of the same figure or kind of words; files are added to the draft's files. An answer
    无新增 that was not handed in falls away. Two statements.
    """
    held, given = draft_evidence.c, evidence.c
    # the act itself was one revision; the one before it was the submission
    submitted = and_(work_item.c.id == given.item_id, work_item.c.revision == given.revision + 1)
    same_words = exists().where(
        given.item_id == held.item_id,
        given.type == held.type,
        func.coalesce(given.name, "") == func.coalesce(held.name, ""),
        submitted,
    )
    replaced = or_(held.type == EvidenceType.NOTHING_NEW.value, same_words)
    session.execute(delete(draft_evidence).where(held.item_id.in_(item_ids), held.file_id.is_(None), replaced))
    there = exists().where(held.item_id == given.item_id, held.type == given.type, held.file_id == given.file_id)
    former = (
        select(*(given[name] for name in CARRIED), literal(now, held.added_at.type), literal(by_name))
        .join(work_item, submitted)
        .where(given.item_id.in_(item_ids), ~there)
        .order_by(given.id)
    )
    session.execute(insert(draft_evidence).from_select([*CARRIED, "added_at", "added_by"], former))
