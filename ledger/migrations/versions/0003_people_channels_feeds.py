"""people, channels, the reminder ledger, 通报, feed scopes and fragments; what was there before gains their columns

Revision: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import ledger.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in batches: SQLite would make these tables anew, and others point at them.
    op.add_column("unit", sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("plan", sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False))
    _create_person()
    _create_person_address()
    _create_channel()
    _create_circular()
    _create_feed_fragment()
    _change_reminder()
    _change_outbox()
    _change_feed_token()
    _create_outbox_line()
    # until now a grouped message found its items by recipient and day
    op.execute(
        "INSERT INTO outbox_line (message_id, item_id, reminder_id) SELECT o.id, r.item_id, MIN(r.id) FROM outbox o"
        " JOIN reminder r ON r.recipient = o.recipient AND r.as_of = o.as_of"
        " JOIN work_item w ON w.id = r.item_id AND w.plan_id = o.plan_id"
        " WHERE o.kind = 'reminder' GROUP BY o.id, r.item_id"
    )
    _refuse_changes("circular")


def downgrade() -> None:
    raise NotImplementedError("0003 is not taken back: restore the backup made before the upgrade")


def _change_reminder() -> None:
    """Its rows gain their deadline, which its triggers would refuse: they are put back at the end."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute("ALTER TABLE reminder DISABLE TRIGGER USER")
    else:
        for change in ("update", "delete"):
            op.execute(f"DROP TRIGGER reminder_refuses_{change}")
    with op.batch_alter_table("reminder") as batch:
        batch.add_column(sa.Column("deadline", sa.Date(), nullable=True))
        batch.add_column(sa.Column("audience", sa.String(12), server_default="liaison", nullable=False))
        batch.add_column(sa.Column("withheld", sa.String(12), nullable=True))
        batch.add_column(sa.Column("by_unit", sa.String(24), server_default="", nullable=False))
        batch.add_column(sa.Column("by_name", sa.String(80), server_default="", nullable=False))
        batch.add_column(sa.Column("note", sa.Text(), nullable=True))
    op.execute("UPDATE reminder SET deadline = (SELECT w.deadline FROM work_item w WHERE w.id = reminder.item_id)")
    with op.batch_alter_table("reminder") as batch:
        batch.alter_column("deadline", existing_type=sa.Date(), nullable=False)
        batch.alter_column("audience", existing_type=sa.String(12), server_default=None, existing_nullable=False)
        batch.alter_column("step", existing_type=sa.Integer(), nullable=True)
        batch.drop_constraint(batch.f("uq_reminder_item_id_step_recipient"), type_="unique")
        batch.create_unique_constraint(
            batch.f("uq_reminder_item_id_deadline_step_recipient_audience"),
            ["item_id", "deadline", "step", "recipient", "audience"],
        )
        batch.create_check_constraint(batch.f("ck_reminder_audience"), "audience IN ('liaison', 'principal')")
        batch.create_check_constraint(batch.f("ck_reminder_withheld"), "withheld IN ('cap', 'nobody')")
    op.create_index(
        "uq_reminder_chased",
        "reminder",
        ["item_id", "recipient", "audience", "as_of"],
        unique=True,
        sqlite_where=sa.text("step IS NULL"),
        postgresql_where=sa.text("step IS NULL"),
    )
    if postgresql:
        op.execute("ALTER TABLE reminder ENABLE TRIGGER USER")
    else:
        _refuse_changes("reminder")


def _change_outbox() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.alter_column("channel", existing_type=sa.String(12), type_=sa.String(40), existing_nullable=False)
        batch.add_column(sa.Column("person_id", ledger.tables.Identity, nullable=True))
        batch.add_column(sa.Column("circular_id", ledger.tables.Identity, nullable=True))
        batch.add_column(sa.Column("answer", sa.String(300), nullable=True))
        batch.add_column(sa.Column("resent_by", sa.String(80), nullable=True))
        batch.create_foreign_key(batch.f("fk_outbox_person_id"), "person", ["person_id"], ["id"])
        batch.create_foreign_key(batch.f("fk_outbox_circular_id"), "circular", ["circular_id"], ["id"])
        batch.create_index(batch.f("ix_outbox_person_id"), ["person_id"])
        batch.create_index(batch.f("ix_outbox_circular_id"), ["circular_id"])
        batch.drop_constraint(batch.f("ck_outbox_state"), type_="check")
        batch.create_check_constraint(
            batch.f("ck_outbox_state"), "state IN ('pending', 'claimed', 'sent', 'uncertain', 'dead', 'dropped')"
        )


def _change_feed_token() -> None:
    with op.batch_alter_table("feed_token") as batch:
        batch.add_column(sa.Column("scope", sa.String(12), server_default="unit", nullable=False))
        batch.add_column(sa.Column("target", sa.String(40), server_default="", nullable=False))
        batch.add_column(sa.Column("plan_id", ledger.tables.Identity, nullable=True))
        batch.add_column(sa.Column("replaced_by", ledger.tables.Identity, nullable=True))
        batch.create_foreign_key(batch.f("fk_feed_token_plan_id"), "plan", ["plan_id"], ["id"])
        batch.create_foreign_key(batch.f("fk_feed_token_replaced_by"), "feed_token", ["replaced_by"], ["id"])
        batch.create_check_constraint(
            batch.f("ck_feed_token_scope"), "scope IN ('unit', 'below', 'function', 'person', 'task', 'phase')"
        )
    op.execute("UPDATE feed_token SET target = unit_code")
    op.create_index(
        "ix_feed_token_revoked_at",
        "feed_token",
        ["revoked_at"],
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
    )


def _refuse_changes(table: str) -> None:
    for change in ("UPDATE", "DELETE"):
        name = f"{table}_refuses_{change.lower()}"
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _create_person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("post", sa.String(length=40), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=30), server_default="", nullable=False),
        sa.Column("liaison", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("principal", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("reviewer", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("weekly", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("monthly", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("added_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("changed_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_person_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("unit_code", "name", name=op.f("uq_person_unit_code_name")),
    )
    op.create_index(
        "ix_person_active",
        "person",
        ["unit_code"],
        unique=False,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )


def _create_person_address() -> None:
    op.create_table(
        "person_address",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=254), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("bounced_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("bounce", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_address_person_id")),
        sa.PrimaryKeyConstraint("person_id", "channel", name=op.f("pk_person_address")),
        sa.UniqueConstraint("person_id", "position", name=op.f("uq_person_address_person_id_position")),
    )


def _create_channel() -> None:
    op.create_table(
        "channel",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("test_hash", sa.String(length=64), nullable=True),
        sa.Column("tested_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("confirmed_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        sa.Column("tokens", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("refilled_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("paused_until", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed_message", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("failed_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "confirmed_at IS NULL OR confirmed_by IS NOT NULL", name=op.f("ck_channel_confirmed_by_somebody")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_channel")),
    )


def _create_circular() -> None:
    op.create_table(
        "circular",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("as_of", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("issued_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('weekly', 'monthly')", name=op.f("ck_circular_kind")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_circular_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circular")),
        sa.UniqueConstraint("plan_id", "kind", "period", name=op.f("uq_circular_plan_id_kind_period")),
    )


def _create_feed_fragment() -> None:
    op.create_table(
        "feed_fragment",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("component", sa.String(length=8), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("alarm", sa.Text(), nullable=True),
        sa.Column("lead", sa.Integer(), nullable=False),
        sa.CheckConstraint("component IN ('event', 'todo')", name=op.f("ck_feed_fragment_component")),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_feed_fragment_item_id")),
        sa.PrimaryKeyConstraint("item_id", "component", name=op.f("pk_feed_fragment")),
    )


def _create_outbox_line() -> None:
    op.create_table(
        "outbox_line",
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reminder_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("extension_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("omitted", sa.String(length=12), nullable=True),
        sa.CheckConstraint("omitted IN ('settled', 'moved')", name=op.f("ck_outbox_line_omitted")),
        sa.ForeignKeyConstraint(["extension_id"], ["extension.id"], name=op.f("fk_outbox_line_extension_id")),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_outbox_line_item_id")),
        sa.ForeignKeyConstraint(["message_id"], ["outbox.id"], name=op.f("fk_outbox_line_message_id")),
        sa.ForeignKeyConstraint(["reminder_id"], ["reminder.id"], name=op.f("fk_outbox_line_reminder_id")),
        sa.PrimaryKeyConstraint("message_id", "item_id", name=op.f("pk_outbox_line")),
    )
    op.create_index(op.f("ix_outbox_line_extension_id"), "outbox_line", ["extension_id"], unique=False)
    op.create_index(op.f("ix_outbox_line_item_id"), "outbox_line", ["item_id"], unique=False)
    op.create_index(op.f("ix_outbox_line_reminder_id"), "outbox_line", ["reminder_id"], unique=False)
