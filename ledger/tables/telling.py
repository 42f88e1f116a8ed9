"""告知: channels, reminders, the outbox with what each message speaks of, 通报."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import Identity, UtcDateTime, metadata, one_of

# What is known of a channel beside its settings, which are in the channels file: confirmed by whom, tokens, pauses.
channel = Table(
    "channel",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("digest", String(64), nullable=False),  # of the settings that were tested; others need a test of their own
    Column("test_hash", String(64), nullable=True),  # SHA-256 of the number that the test message carried
    Column("tested_at", UtcDateTime, nullable=True),
    Column("tries", Integer, nullable=False, server_default=text("0")),  # wrong numbers since the test
    Column("confirmed_at", UtcDateTime, nullable=True),
    Column("confirmed_by", String(80), nullable=True),
    Column("tokens", Float, nullable=False, server_default=text("0")),
    Column("refilled_at", UtcDateTime, nullable=True),
    Column("paused_until", UtcDateTime, nullable=True),  # it asked us to wait
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row, not all of one message
    Column("failed_message", Identity, nullable=True),  # the outbox row whose failure was counted last
    Column("failed_at", UtcDateTime, nullable=True),
    Column("error", Text, nullable=True),
    Column("sent_at", UtcDateTime, nullable=True),
    # what it is told of as it happens: ",accepted,returned," ("" for nothing), and the units that it is narrowed to
    Column("acts", String(300), nullable=False, server_default=""),
    Column("units", Text, nullable=False, server_default=""),
    CheckConstraint("confirmed_at IS NULL OR confirmed_by IS NOT NULL", name="confirmed_by_somebody"),
)

# Every reminder that was due: a step of the ladder (once for an item, deadline, recipient and audience), or a 催办 by
# hand (step NULL, once a day). Append-only.
reminder = Table(
    "reminder",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), nullable=False),
    Column("deadline", Date, nullable=False),  # the item's when it was due: after a move the ladder begins anew
    Column("step", Integer, nullable=True),
    Column("recipient", ForeignKey("unit.code"), nullable=False),
    Column("audience", String(12), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("withheld", String(12), nullable=True),  # why no message speaks of it; NULL where one does
    Column("by_unit", String(24), nullable=False, server_default=""),  # "" for the system
    Column("by_name", String(80), nullable=False, server_default=""),
    Column("note", Text, nullable=True),  # words added by hand
    UniqueConstraint("item_id", "deadline", "step", "recipient", "audience"),
    Index(
        "uq_reminder_chased",
        "item_id",
        "recipient",
        "audience",
        "as_of",
        unique=True,
        sqlite_where=text("step IS NULL"),
        postgresql_where=text("step IS NULL"),
    ),
    Index("ix_reminder_recipient_as_of", "recipient", "as_of"),
    Index("ix_reminder_queued_at", "queued_at", "item_id", "id"),  # the record, the newest first
    one_of("audience", ("liaison", "principal")),
    one_of("withheld", ("cap", "nobody")),
)

circular = Table(
    "circular",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("period", String(12), nullable=False),  # "2025-W14", "2025-03"
    Column("as_of", UtcDateTime, nullable=False),
    Column("facts", Text, nullable=False),  # JSON, as they were when it was issued
    Column("issued_at", UtcDateTime, nullable=False),
    UniqueConstraint("plan_id", "kind", "period"),
    one_of("kind", ("weekly", "monthly")),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("channel", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("plan_id", ForeignKey("plan.id"), nullable=True),
    Column("recipient", ForeignKey("unit.code"), nullable=True),
    Column("person_id", ForeignKey("person.id"), nullable=True, index=True),  # NULL: the unit's inbox
    Column("address", String(254), nullable=True),
    Column("letter_id", ForeignKey("mail_letter.id"), nullable=True, index=True),  # the letter it answers
    Column("circular_id", ForeignKey("circular.id"), nullable=True, index=True),
    Column("as_of", Date, nullable=False),
    Column("state", String(12), nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("claimed_at", UtcDateTime, nullable=True),
    Column("claimed_by", String(80), nullable=True),
    Column("sent_at", UtcDateTime, nullable=True),
    Column("subject", String(200), nullable=True),
    Column("body", Text, nullable=True),
    Column("answer", String(300), nullable=True),  # what the other side said when it took the message
    Column("error", Text, nullable=True),
    Column("resent_by", String(80), nullable=True),  # who had a dead or uncertain message sent again
    Column("act", String(24), nullable=True),  # what happened, where the message tells another system of it
    Column("round_code", String(12), nullable=True),
    # dropped: everything it would have said was settled before it was sent
    CheckConstraint("state IN ('pending', 'claimed', 'sent', 'uncertain', 'dead', 'dropped')", name="state"),
    CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_has_time"),
    CheckConstraint(
        "(recipient IS NOT NULL AND plan_id IS NOT NULL) OR (address IS NOT NULL AND letter_id IS NOT NULL)",
        name="goes_somewhere",
    ),
    Index("ix_outbox_state_next_try_at", "state", "next_try_at"),
    Index("ix_outbox_recipient_sent_at", "recipient", "sent_at"),
    Index("ix_outbox_queued_at", "queued_at", "id"),
)

# What a message speaks of. ``omitted``: why it was left out after all when the message was sent.
outbox_line = Table(
    "outbox_line",
    metadata,
    Column("message_id", ForeignKey("outbox.id"), primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), primary_key=True, index=True),
    Column("reminder_id", ForeignKey("reminder.id"), nullable=True, index=True),
    Column("revision", Integer, nullable=True),  # of the entry it tells of
    Column("extension_id", ForeignKey("extension.id"), nullable=True, index=True),  # the request that was decided
    Column("omitted", String(12), nullable=True),
    one_of("omitted", ("settled", "moved")),
)
