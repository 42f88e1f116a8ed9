"""录入的日历: what was entered on pages. It is the ledger's own, and counts before any file of the same name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select

from ledger.database import Session
from ledger.tables import calendar_entry


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """An entry: ``text`` None where it took an earlier one back; ``former``: what each plan had before (None: nothing).
    ``counts``: it is the last of its name."""

    id: int
    name: str
    text: str | None
    former: dict[str, str | None]
    summary: str
    by_name: str
    at: datetime
    counts: bool


def entries(session: Session, *, limit: int = 100) -> tuple[CalendarEntry, ...]:
    """The entries, newest first."""
    last = select(func.max(calendar_entry.c.id)).group_by(calendar_entry.c.name)
    counts = calendar_entry.c.id.in_(last).label("counts")
    rows = session.execute(select(calendar_entry, counts).order_by(calendar_entry.c.id.desc()).limit(limit))
    return tuple(map(_entry, rows))


def last_entry(session: Session, name: str, *, before: int | None = None) -> CalendarEntry | None:
    """The last entry of a name, or the last one before another entry."""
    chosen = select(calendar_entry).where(calendar_entry.c.name == name)
    if before is not None:
        chosen = chosen.where(calendar_entry.c.id < before)
    row = session.execute(chosen.order_by(calendar_entry.c.id.desc()).limit(1)).first()
    return _entry(row) if row else None


def overlaid(session: Session, texts: Mapping[str, str]) -> dict[str, str]:
    """Calendar texts by name, with what was entered in place of those of the same name. One statement."""
    last = select(func.max(calendar_entry.c.id)).group_by(calendar_entry.c.name)
    rows = session.execute(select(calendar_entry.c.name, calendar_entry.c.text).where(calendar_entry.c.id.in_(last)))
    return {**texts, **{row.name: row.text for row in rows if row.text is not None}}


def append(
    session: Session,
    name: str,
    text: str | None,
    *,
    former: Mapping[str, str | None],
    summary: str,
    by: str,
    now: datetime,
) -> None:
    """Append an entry; nothing else changes with it."""
    values: dict[str, Any] = {"name": name, "text": text, "summary": summary[:200], "by_name": by[:40], "at": now}
    kept = json.dumps(dict(former), ensure_ascii=False, sort_keys=True)
    session.execute(insert(calendar_entry).values(former=kept, **values))


def _entry(row: Row[Any]) -> CalendarEntry:
    facts = row._mapping
    return CalendarEntry(
        row.id,
        row.name,
        row.text,
        json.loads(row.former),
        row.summary,
        row.by_name,
        row.at,
        bool(facts.get("counts", True)),
    )
