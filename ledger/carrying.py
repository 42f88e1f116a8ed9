"""What was handed in goes back into the draft when it is taken or sent back: nobody puts the same together twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, insert, literal, select

from ledger.database import Session
from ledger.tables import draft_evidence, evidence, work_item
from policy_models.lifecycle import Act

TAKES_BACK = frozenset({Act.WITHDRAW, Act.SEND_BACK})
CARRIED = ("item_id", "type", "name", "value", "of", "text", "file_id", "file_name", "effective_on")


def carry_over(session: Session, item_ids: Sequence[int], *, by_name: str, now: datetime) -> None:
    """Copy the evidence of each item's last submission into its draft; call right after the act that took it back.

    Words and figures handed in replace those of the draft; files are added to the files of the draft. Two statements.
    """
    of_these = draft_evidence.c.item_id.in_(item_ids)
    session.execute(delete(draft_evidence).where(of_these, draft_evidence.c.file_id.is_(None)))
    there = exists().where(
        draft_evidence.c.item_id == evidence.c.item_id,
        draft_evidence.c.type == evidence.c.type,
        draft_evidence.c.file_id == evidence.c.file_id,
    )
    # the act itself was one revision; the one before it was the submission
    submitted = and_(work_item.c.id == evidence.c.item_id, work_item.c.revision == evidence.c.revision + 1)
    former = (
        select(*(evidence.c[name] for name in CARRIED), literal(now, draft_evidence.c.added_at.type), literal(by_name))
        .join(work_item, submitted)
        .where(evidence.c.item_id.in_(item_ids), ~there)
        .order_by(evidence.c.id)
    )
    session.execute(insert(draft_evidence).from_select([*CARRIED, "added_at", "added_by"], former))
