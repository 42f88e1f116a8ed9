"""Counts of items, derived from them and from their entries: see ledger/tally.py, ledger/daily.py, ledger/evenings.py."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Table

from ledger.tables.columns import Identity, metadata


def _facts(place: str, **period: Any) -> list[Column[Any]]:
    """What items are counted by, and how many they are."""
    return [
        Column("requirement_id", ForeignKey("requirement.id"), nullable=False),
        Column("period", String(40), nullable=False, **period),
        Column("phase", Integer, nullable=False),
        Column(place, String(24), nullable=False),
        Column("opens_on", Date, nullable=False),
        Column("deadline", Date, nullable=False),
        Column("state", String(12), nullable=False),
        Column("late", Boolean, nullable=False),
        Column("catch_up", String(12), nullable=False),
        Column("often_returned", Boolean, nullable=False),
        Column("n", Integer, nullable=False),
    ]


# Counts of items by what decides their timing. Append-only deltas, summed on reading, compacted by the sweep.
tally = Table(
    "tally",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    *_facts("county", server_default=""),
)

# The same by place instead of county: a township with its villages, every other unit by itself. So what a township, a
# department or a county's line of work has is told without its items.
place_tally = Table(
    "place_tally",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    *_facts("place", server_default=""),
    Index("ix_place_tally_plan_id_place", "plan_id", "place"),
)

# Both on each evening that is over: for each month an opening balance, dated the day before it, and what each of its days
# changed. So an evening is the sum of its month up to it: ledger/evenings.py.
past_tally = Table(
    "past_tally",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("month", Date, nullable=False),  # its first day
    Column("day", Date, nullable=False),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    *_facts("county"),
    Index("ix_past_tally_plan_id_month_day", "plan_id", "month", "day"),
)
past_place_tally = Table(
    "past_place_tally",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("month", Date, nullable=False),
    Column("day", Date, nullable=False),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    *_facts("place"),
    Index("ix_past_place_tally_plan_id_month_place_day", "plan_id", "month", "place", "day"),
)

# Which evenings of a plan are kept: all up to ``until``; none where it is null.
past_tally_span = Table(
    "past_tally_span",
    metadata,
    Column("plan_id", ForeignKey("plan.id"), primary_key=True, autoincrement=False),
    Column("first_month", Date, nullable=True),  # the month in which something first happened to an item
    Column("until", Date, nullable=True),
    CheckConstraint('(first_month IS NULL) = ("until" IS NULL)', name="whole"),
)

# Items by the day they were accepted: ledger/daily.py. Kept like the tally.
accepted_day = Table(
    "accepted_day",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    Column("requirement_id", ForeignKey("requirement.id"), nullable=False),
    Column("phase", Integer, nullable=False),
    Column("county", String(24), nullable=False),
    Column("accepted_on", Date, nullable=False),
    Column("n", Integer, nullable=False),
)
