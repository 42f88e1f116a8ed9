"""佐证材料 and the gate: files by content, drafts, what screening found, 延期 and 抽查."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import Identity, UtcDateTime, metadata, one_of

# One row for each content that was let in; the bytes lie in the file store under `kept`.
file = Table(
    "file",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),  # of the bytes as they came
    Column("kept", String(64), nullable=False),  # of the bytes kept: a photo is shrunk and loses its EXIF
    Column("redacted", String(64), nullable=True),  # of the copy that others see, where there is one
    Column("kind", String(8), nullable=False),
    Column("size", Integer, nullable=False),  # of the bytes kept
    # let in by an exception: only the unit that handed it in sees the original
    Column("restricted", Boolean, nullable=False, server_default=text("false")),
    Column("warnings", Text, nullable=False, server_default="[]"),  # JSON: [{kind, sample}], masked
    Column("by_unit", String(24), nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
    CheckConstraint("NOT restricted OR redacted IS NOT NULL", name="restricted_has_copy"),
)

# What the privacy gate stopped or warned of: kinds, masked samples and keyed hashes, never a value.
screening = Table(
    "screening",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),  # of the file or text
    Column("place", String(80), nullable=False),  # where it was found, in Chinese words
    Column("outcome", String(8), nullable=False),
    Column("findings", Text, nullable=False),  # JSON: [{kind, sample, mark}]
    Column("by_unit", String(24), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    one_of("outcome", ("blocked", "warned", "allowed")),
)

# An exception lets one content pass the gate. Append-only.
privacy_exception = Table(
    "privacy_exception",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("by_unit", String(24), nullable=False),
    Column("by_name", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("by_name <> '' AND reason <> ''", name="named_with_reason"),
)

# What a unit has put together for an item and not yet handed in: not evidence.
draft_evidence = Table(
    "draft_evidence",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), nullable=False),
    Column("type", String(12), nullable=False),
    Column("name", String(60), nullable=True),
    Column("value", Numeric(16, 4), nullable=True),
    Column("of", Numeric(16, 4), nullable=True),
    Column("text", Text, nullable=True),
    Column("file_id", ForeignKey("file.id"), nullable=True, index=True),
    Column("file_name", String(200), nullable=True),
    Column("effective_on", Date, nullable=True),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", String(80), nullable=False),
    UniqueConstraint("item_id", "type", "file_id"),
)

extension = Table(
    "extension",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), nullable=False, index=True),
    Column("planned", Date, nullable=False),  # the deadline when it was asked for
    Column("wanted", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by_unit", String(24), nullable=False),
    Column("by_name", String(80), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("state", String(12), nullable=False, server_default="requested"),
    Column("granted", Date, nullable=True),  # the new deadline: the reviewer may grant less
    Column("decided_unit", String(24), nullable=True),
    Column("decided_by", String(80), nullable=True),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("note", Text, nullable=True),
    one_of("state", ("requested", "granted", "refused", "withdrawn")),
    CheckConstraint(
        "state NOT IN ('granted', 'refused') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)", name="decided"
    ),
    CheckConstraint("state <> 'granted' OR granted IS NOT NULL", name="granted_has_date"),
    CheckConstraint("state <> 'refused' OR note IS NOT NULL", name="refused_has_reason"),
    CheckConstraint("wanted > planned", name="later"),
    Index(
        "uq_extension_waiting",
        "item_id",
        unique=True,
        sqlite_where=text("state = 'requested'"),
        postgresql_where=text("state = 'requested'"),
    ),
)

# 抽查: drawn with a recorded seed, so that anybody can draw it again.
sample = Table(
    "sample",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    Column("requirement_id", ForeignKey("requirement.id"), nullable=False),
    Column("period", String(40), nullable=False),
    Column("reviewer", ForeignKey("unit.code"), nullable=False),
    Column("number", Integer, nullable=False),  # counts the reviewer's draws of this requirement and period
    Column("seed", String(40), nullable=False),
    Column("share", Integer, nullable=True),  # per cent asked for; None where a number was
    Column("population", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("drawn_by", String(80), nullable=False),
    Column("drawn_at", UtcDateTime, nullable=False),
    UniqueConstraint("requirement_id", "period", "reviewer", "number"),
    CheckConstraint("size > 0 AND size <= population", name="size"),
)

# All that stood before the reviewer when the sample was drawn, with what was drawn of it: so the draw can be repeated.
# What became of a piece is told by the first entry after ``revision``; nothing is stored twice.
sample_item = Table(
    "sample_item",
    metadata,
    Column("sample_id", ForeignKey("sample.id"), primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), primary_key=True, index=True),
    Column("revision", Integer, nullable=False),  # of the item when it was drawn
    Column("drawn", Boolean, nullable=False),
)
