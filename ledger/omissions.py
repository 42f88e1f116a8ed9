"""不再告知: what a claimed message need not say any more, because it was settled or moved since it was queued."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case, exists, false, literal, null, or_, select, update

from ledger.act_messages import KIND as ACT
from ledger.database import Session
from ledger.messages import EXTENSION, REMINDERS, RETURNED
from ledger.tables import entry, outbox, outbox_line, reminder, work_item
from policy_models.lifecycle import OWED, TRANSITIONS, Act, State


def say_still(session: Session, ids: Sequence[int]) -> list[int]:
    """Mark what these messages need not say any more; those that still say something. The others are dropped. A line
    that was left out before and is owed again is said after all."""
    of_these = outbox_line.c.message_id.in_(ids)
    why = _why_not()
    session.execute(
        update(outbox_line).where(of_these, outbox_line.c.omitted.is_distinct_from(why)).values(omitted=why)
    )
    said = exists(select(1).where(outbox_line.c.message_id == outbox.c.id, outbox_line.c.omitted.is_(None)))
    speaks_of_items = outbox.c.kind.in_([*REMINDERS, RETURNED, EXTENSION])
    empty = and_(outbox.c.id.in_(ids), speaks_of_items, ~said)
    dropped = session.execute(update(outbox).where(empty).values(state="dropped").returning(outbox.c.id))
    gone = {row.id for row in dropped}
    return [id for id in ids if id not in gone]


def _why_not() -> ColumnElement[str | None]:
    """Why a line is left out, as things stand: the item was settled, or a reminder's deadline is another now."""
    kind = select(outbox.c.kind).where(outbox.c.id == outbox_line.c.message_id).scalar_subquery()
    item = work_item.c.id == outbox_line.c.item_id
    owed = exists(select(1).where(item, work_item.c.state.in_(sorted(OWED))))
    extensible = exists(select(1).where(item, work_item.c.state.in_(sorted(TRANSITIONS[Act.EXTEND][0]))))
    returned = exists(select(1).where(item, work_item.c.state == State.RETURNED.value))
    later = exists(
        select(1).where(
            entry.c.item_id == outbox_line.c.item_id,
            entry.c.act == Act.SEND_BACK.value,
            entry.c.revision > outbox_line.c.revision,
        )
    )
    unmoved = exists(
        select(1).where(item, reminder.c.id == outbox_line.c.reminder_id, reminder.c.deadline == work_item.c.deadline)
    )
    settled = case(
        (kind == ACT, false()),  # it happened, whatever came after
        (kind == RETURNED, or_(~returned, later)),
        (kind == EXTENSION, ~extensible),
        else_=~owed,
    )
    moved = and_(kind.in_(REMINDERS), ~unmoved)
    return case((settled, literal("settled")), (moved, literal("moved")), else_=null())
