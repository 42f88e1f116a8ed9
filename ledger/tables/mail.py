"""来信: what came into the bureau's mailbox, each letter once."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.tables.columns import Identity, UtcDateTime, metadata, one_of

# Whose address is whose: office addresses only. Lower case.
unit_address = Table(
    "unit_address",
    metadata,
    Column("address", String(254), primary_key=True),
    Column("unit_code", ForeignKey("unit.code"), nullable=False, index=True),
    Column("added_at", UtcDateTime, nullable=False),
)

mail_letter = Table(
    "mail_letter",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("mailbox", String(120), nullable=False),
    Column("message_id", String(255), nullable=False),  # the header's, else a digest of the letter
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("sender", String(254), nullable=False),
    Column("subject", String(400), nullable=False),  # redacted
    Column("sent_at", UtcDateTime, nullable=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("unit_code", ForeignKey("unit.code"), nullable=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=True),
    Column("round_code", String(12), nullable=True),
    Column("state", String(12), nullable=False),
    Column("reason", Text, nullable=True),
    Column("decided_at", UtcDateTime, nullable=True),
    Column("decided_by", String(80), nullable=True),
    UniqueConstraint("mailbox", "message_id"),
    # filed: a draft waits for the coordinator; set_aside: nobody knows whose it is; refused: nothing of it was kept
    one_of("state", ("filed", "set_aside", "refused", "confirmed", "dismissed")),
    CheckConstraint("state NOT IN ('set_aside', 'refused') OR reason IS NOT NULL", name="has_reason"),
    CheckConstraint(
        "state NOT IN ('confirmed', 'dismissed') OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)", name="decided"
    ),
    Index("ix_mail_letter_state_received_at", "state", "received_at"),
)

mail_attachment = Table(
    "mail_attachment",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("letter_id", ForeignKey("mail_letter.id"), nullable=False, index=True),
    Column("name", String(200), nullable=False),  # redacted
    Column("size", Integer, nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=True, index=True),
    Column("reason", Text, nullable=True),  # why it was refused
    CheckConstraint("(file_id IS NULL) <> (reason IS NULL)", name="kept_or_refused"),
)

# How far a mailbox has been read. What arrived before ``since`` (civil date) is none of ours: a mailbox may be years old.
mailbox_mark = Table(
    "mailbox_mark",
    metadata,
    Column("mailbox", String(120), primary_key=True),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("since", Date, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
)
