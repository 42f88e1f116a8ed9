"""改期: what dates items had before they were moved, so that any past day can be replayed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, insert, literal, select

from ledger.database import Session
from ledger.tables import item_move, work_item


def remember(session: Session, which: ColumnElement[bool], *, cause: str, now: datetime) -> None:
    """Note the present dates of the items that match; call before changing them. ``cause``: extension or revision."""
    items = work_item.c
    before = select(
        items.id,
        literal(now, item_move.c.moved_at.type),
        items.phase,
        items.opens_on,
        items.deadline,
        items.catch_up,
        literal(cause),
    ).where(which)
    names = ["item_id", "moved_at", "phase", "opens_on", "deadline", "catch_up", "cause"]
    session.execute(insert(item_move).from_select(names, before))
