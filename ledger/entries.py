"""记录: the append-only history of work items, and what a query gives of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ledger.database import Session
from ledger.tables import entry
from policy_models.lifecycle import Act, State


@dataclass(frozen=True, slots=True)
class Entry:
    """One act on one item: who, when (UTC), what it led to, and the note or reason."""

    revision: int
    act: Act
    state: State
    by_unit: str
    by_name: str
    at: datetime
    note: str | None


def history(session: Session, item_id: int) -> tuple[Entry, ...]:
    """Every act on an item, oldest first."""
    rows = session.execute(select(entry).where(entry.c.item_id == item_id).order_by(entry.c.revision))
    return tuple(
        Entry(row.revision, Act(row.act), State(row.state), row.by_unit, row.by_name, row.at, row.note) for row in rows
    )
