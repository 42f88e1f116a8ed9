"""半年报送: rounds, reports section by section, 优秀案例, 信息, 汇编 and its templates."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import Identity, UtcDateTime, metadata, one_of

round_ = Table(
    "round",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("code", String(12), nullable=False),  # the period: "2025-H1"
    Column("first", Date, nullable=False),  # the half-year it speaks of, both days included
    Column("last", Date, nullable=False),
    Column("deadline", Date, nullable=False),
    Column("guidance", Text, nullable=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", String(80), nullable=False),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("closed_by", String(80), nullable=True),
    UniqueConstraint("plan_id", "code"),
)

# One for each unit that owes. Whether it is handed in, returned or accepted is the state of its work item.
report = Table(
    "report",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("round_id", ForeignKey("round.id"), nullable=False),
    Column("unit_code", ForeignKey("unit.code"), nullable=False),
    Column("item_id", ForeignKey("work_item.id"), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("round_id", "unit_code"),
)

# The text as it is being written. `version` guards against two writers.
report_draft = Table(
    "report_draft",
    metadata,
    Column("report_id", ForeignKey("report.id"), primary_key=True),
    Column("section", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    Column("answers", Text, nullable=False, server_default="{}"),  # JSON: {requirement: words}
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("saved_at", UtcDateTime, nullable=False),
    Column("saved_by", String(80), nullable=False),
)

# What was handed in, with the figures as they stood then. Append-only.
report_section = Table(
    "report_section",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("report_id", ForeignKey("report.id"), nullable=False),
    Column("revision", Integer, nullable=False),  # of the item's entry it was handed in with
    Column("section", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("answers", Text, nullable=False, server_default="{}"),
    Column("figures", Text, nullable=False, server_default="[]"),  # JSON
    UniqueConstraint("report_id", "revision", "section"),
)

section_review = Table(
    "section_review",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("report_id", ForeignKey("report.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("section", String(16), nullable=False),
    Column("verdict", String(12), nullable=False),
    Column("reason", Text, nullable=True),
    Column("by_name", String(80), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("report_id", "revision", "section"),
    one_of("verdict", ("accepted", "returned")),
    CheckConstraint("verdict <> 'returned' OR reason IS NOT NULL", name="returned_has_reason"),
)

exemplar = Table(
    "exemplar",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("round_code", String(12), nullable=False),
    Column("unit_code", ForeignKey("unit.code"), nullable=False),
    Column("title", String(120), nullable=False),
    Column("background", Text, nullable=False, server_default=""),
    Column("practice", Text, nullable=False, server_default=""),
    Column("effect", Text, nullable=False, server_default=""),
    Column("insight", Text, nullable=False, server_default=""),
    # a child's situation is told: then consent of child and guardian and technical processing are needed
    Column("tells_of_child", Boolean, nullable=False, server_default=text("false")),
    Column("child_consents", Boolean, nullable=False, server_default=text("false")),
    Column("guardian_consents", Boolean, nullable=False, server_default=text("false")),
    Column("anonymised", Boolean, nullable=False, server_default=text("false")),
    Column("state", String(12), nullable=False, server_default="draft"),
    Column("reason", Text, nullable=True),  # of the last return
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(80), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=True),
    Column("published_at", UtcDateTime, nullable=True),
    Column("published_by", String(80), nullable=True),
    UniqueConstraint("plan_id", "round_code", "unit_code", "title"),  # a form sent twice makes one
    one_of("state", ("draft", "submitted", "returned", "shortlisted", "published", "withdrawn")),
    CheckConstraint("state <> 'returned' OR reason IS NOT NULL", name="returned_has_reason"),
    CheckConstraint(
        "state <> 'published' OR (published_at IS NOT NULL AND published_by IS NOT NULL)", name="published"
    ),
    CheckConstraint(
        "state NOT IN ('submitted', 'shortlisted', 'published') OR NOT tells_of_child "
        "OR (child_consents AND guardian_consents AND anonymised)",
        name="consent",
    ),
)

# Append-only: what happened to an exemplar, so that any past day can be told.
exemplar_entry = Table(
    "exemplar_entry",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("exemplar_id", ForeignKey("exemplar.id"), nullable=False, index=True),
    Column("state", String(12), nullable=False),
    Column("by_unit", String(24), nullable=False),
    Column("by_name", String(80), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", Text, nullable=True),
    Column("content", Text, nullable=False),  # JSON: title and parts as they stood
)

exemplar_picture = Table(
    "exemplar_picture",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("exemplar_id", ForeignKey("exemplar.id"), nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=False),
    Column("caption", String(120), nullable=False, server_default=""),
    Column("added_at", UtcDateTime, nullable=False),
    Column("confirmed_by", String(80), nullable=False),  # who said that no child's face is in it
    UniqueConstraint("exemplar_id", "file_id"),
)

# 评审: one for each half-year; scores are told once all have scored or it is closed, and it is closed for good.
panel = Table(
    "panel",
    metadata,
    Column("plan_id", ForeignKey("plan.id"), primary_key=True),
    Column("round_code", String(12), primary_key=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("closed_by", String(80), nullable=True),
    CheckConstraint("closed_at IS NULL OR closed_by IS NOT NULL", name="closed_by_somebody"),
)

# 评审人: a named person with a secret link, kept as a hash.
panelist = Table(
    "panelist",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("round_code", String(12), nullable=False),
    Column("name", String(80), nullable=False),
    Column("unit_code", ForeignKey("unit.code"), nullable=True),  # its exemplars are not shown to this person
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
    UniqueConstraint("plan_id", "round_code", "name"),
)

score = Table(
    "score",
    metadata,
    Column("exemplar_id", ForeignKey("exemplar.id"), primary_key=True),
    Column("panelist_id", ForeignKey("panelist.id"), primary_key=True),
    Column("points", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # of the exemplar that was read: a later text is scored anew
    Column("comment", Text, nullable=False, server_default=""),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("points BETWEEN 0 AND 100", name="points"),
)

bulletin_item = Table(
    "bulletin_item",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("unit_code", ForeignKey("unit.code"), nullable=False),
    Column("year", Integer, nullable=False),
    Column("title", String(120), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(12), nullable=False, server_default="submitted"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("reason", Text, nullable=True),
    Column("by_name", String(80), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("decided_by", String(80), nullable=True),
    UniqueConstraint("plan_id", "year", "unit_code", "title"),  # a form sent twice makes one
    one_of("state", ("submitted", "counted", "returned")),
    CheckConstraint(
        "state = 'submitted' OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)", name="decided_by_somebody"
    ),
    CheckConstraint("state <> 'returned' OR reason IS NOT NULL", name="returned_has_reason"),
)

# The bureau's own template for a document, as edited in Word; the newest is the one used. Append-only.
template = Table(
    "template",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("kept", String(64), nullable=False),  # SHA-256 of the bytes in the file store; "" for the built-in one
    Column("name", String(120), nullable=False),
    Column("added_by", String(80), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

# Each document that was compiled: of which moment, with which template, and the bytes it gave. Append-only.
compilation = Table(
    "compilation",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("round_code", String(12), nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("template", String(64), nullable=False),  # "" for the built-in one
    Column("docx", String(64), nullable=False),  # SHA-256 of the bytes in the file store
    Column("xlsx", String(64), nullable=False),
    Column("compiled_at", UtcDateTime, nullable=False),
    Column("compiled_by", String(80), nullable=False),
)
