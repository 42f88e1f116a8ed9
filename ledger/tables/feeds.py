"""日历订阅: secret addresses of feeds, and the rendered pieces that feeds are made of."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, text

from ledger.tables.columns import Identity, UtcDateTime, metadata, one_of

feed_token = Table(
    "feed_token",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of the token; the token is shown once
    Column("name", String(80), nullable=False),
    Column("unit_code", ForeignKey("unit.code"), nullable=False, index=True),  # on whose desk it is looked after
    Column("scope", String(12), nullable=False, server_default="unit"),
    # of the scope: a unit's code, a function, a person's id, a task's or a phase's number
    Column("target", String(40), nullable=False, server_default=""),
    Column("plan_id", ForeignKey("plan.id"), nullable=True),  # NULL: of all plans
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=True),
    Column("client", String(120), nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
    Column("replaced_by", ForeignKey("feed_token.id"), nullable=True),  # the one that took its place
    Index(
        "ix_feed_token_revoked_at",
        "revoked_at",
        sqlite_where=text("revoked_at IS NOT NULL"),
        postgresql_where=text("revoked_at IS NOT NULL"),
    ),
    one_of("scope", ("unit", "below", "function", "person", "task", "phase")),
)

# One item rendered for calendars, made anew when ``version`` (of all that it shows) is another. ``body`` ends before the
# place of the alarm, so that a feed adds the alarm of its choice; ``lead``: days from the day to aim at to the deadline.
feed_fragment = Table(
    "feed_fragment",
    metadata,
    Column("item_id", ForeignKey("work_item.id"), primary_key=True),
    Column("component", String(8), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("alarm", Text, nullable=True),  # NULL where nothing is owed
    Column("lead", Integer, nullable=False),
    one_of("component", ("event", "todo")),
)
