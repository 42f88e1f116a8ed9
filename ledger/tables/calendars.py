"""日历 as entered on pages: what counts beside the calendars that a plan pack brings along."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from ledger.tables.columns import Identity, UtcDateTime, metadata

# Append-only: the last entry of a name counts. ``name``: as of a file in a calendars folder ("holidays/2027.yaml").
calendar_entry = Table(
    "calendar_entry",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("name", String(40), nullable=False),
    Column("text", Text, nullable=True),  # null: nothing is entered any more, the pack's own counts
    Column("former", Text, nullable=False),  # what each plan had before, as JSON: {plan code: text or null}
    Column("summary", String(200), nullable=False),
    Column("by_name", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_calendar_entry_name_id", "name", "id"),
)
