"""first tables

Revision: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import ledger.tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_flow_mark()
    _create_unit()
    _create_feed_token()
    _create_plan()
    _create_outbox()
    _create_requirement()
    _create_assignee()
    _create_duty()
    _create_tally()
    _create_work_item()
    _create_entry()
    _create_evidence()
    _create_reminder()
    _refuse_changes()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change() CASCADE")
    for table in (
        "reminder",
        "evidence",
        "entry",
        "work_item",
        "tally",
        "duty",
        "assignee",
        "requirement",
        "outbox",
        "plan",
        "feed_token",
        "unit",
        "flow_mark",
    ):
        op.drop_table(table)


# Histories are append-only: the database itself refuses to change or remove them.
APPEND_ONLY = ("entry", "reminder")


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for table in APPEND_ONLY:
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


def _create_flow_mark() -> None:
    op.create_table(
        "flow_mark",
        sa.Column("flow", sa.String(length=60), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("finished_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("flow", name=op.f("pk_flow_mark")),
    )


def _create_unit() -> None:
    op.create_table(
        "unit",
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("function", sa.String(length=12), server_default="", nullable=False),
        sa.Column("parent", sa.String(length=24), nullable=True),
        sa.Column("county", sa.String(length=24), server_default="", nullable=False),
        sa.Column("superior", sa.String(length=24), nullable=True),
        sa.Column("functional_zone", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("changed_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["unit.code"], name=op.f("fk_unit_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index("ix_unit_assignee", ["level", "function"], unique=False)
        batch_op.create_index(batch_op.f("ix_unit_parent"), ["parent"], unique=False)


def _create_feed_token() -> None:
    op.create_table(
        "feed_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("last_used_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("client", sa.String(length=120), nullable=True),
        sa.Column("revoked_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_feed_token_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_feed_token_hash")),
    )
    with op.batch_alter_table("feed_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feed_token_unit_code"), ["unit_code"], unique=False)


def _create_plan() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("coordinator", sa.String(length=24), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("calendars", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("go_live_on", sa.Date(), nullable=False),
        sa.Column("catch_up", sa.String(length=12), nullable=False),
        sa.Column("catch_up_reason", sa.Text(), nullable=True),
        sa.Column("loaded_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("calendars_changed_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("demonstration", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.CheckConstraint("catch_up <> 'waive' OR catch_up_reason IS NOT NULL", name=op.f("ck_plan_waive_has_reason")),
        sa.ForeignKeyConstraint(["coordinator"], ["unit.code"], name=op.f("fk_plan_coordinator")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("code", name=op.f("uq_plan_code")),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recipient", sa.String(length=24), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("queued_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("next_try_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("claimed_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("claimed_by", sa.String(length=80), nullable=True),
        sa.Column("sent_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name=op.f("ck_outbox_sent_has_time")),
        sa.CheckConstraint(
            "state IN ('pending', 'claimed', 'sent', 'uncertain', 'dead')", name=op.f("ck_outbox_state")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_outbox_plan_id")),
        sa.ForeignKeyConstraint(["recipient"], ["unit.code"], name=op.f("fk_outbox_recipient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_recipient_sent_at", ["recipient", "sent_at"], unique=False)
        batch_op.create_index("ix_outbox_state_next_try_at", ["state", "next_try_at"], unique=False)


def _create_requirement() -> None:
    op.create_table(
        "requirement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("task", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("cadence", sa.String(length=24), nullable=False),
        sa.Column("ladder", sa.String(length=8), nullable=False),
        sa.Column("review", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("dropped", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_requirement_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requirement")),
        sa.UniqueConstraint("plan_id", "code", name=op.f("uq_requirement_plan_id_code")),
    )


def _create_assignee() -> None:
    op.create_table(
        "assignee",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=True),
        sa.Column("level", sa.String(length=12), nullable=True),
        sa.Column("function", sa.String(length=12), nullable=True),
        sa.CheckConstraint("(unit_code IS NULL) <> (level IS NULL)", name=op.f("ck_assignee_one_way")),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_assignee_requirement_id")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_assignee_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignee")),
    )
    with op.batch_alter_table("assignee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignee_requirement_id"), ["requirement_id"], unique=False)


def _create_duty() -> None:
    op.create_table(
        "duty",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=24), server_default="*", nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("remind_by", sa.Date(), nullable=False),
        sa.Column("confidence", sa.String(length=12), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("scheduled_for", sa.String(length=64), server_default="", nullable=False),
        sa.Column("dropped", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_duty_requirement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
        sa.UniqueConstraint("requirement_id", "period", "area", name=op.f("uq_duty_requirement_id_period_area")),
    )


def _create_tally() -> None:
    op.create_table(
        "tally",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=24), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("catch_up", sa.String(length=12), nullable=False),
        sa.Column("often_returned", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_tally_plan_id")),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_tally_requirement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tally_plan_id"), ["plan_id"], unique=False)


def _create_work_item() -> None:
    op.create_table(
        "work_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("duty_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_code", sa.String(length=24), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="scheduled", nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("returns", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("catch_up", sa.String(length=12), server_default="", nullable=False),
        sa.Column("extended", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("first_submitted_on", sa.Date(), nullable=True),
        sa.Column("reviewed_by", sa.String(length=80), nullable=True),
        sa.Column("reviewed_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("changed_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state <> 'accepted' OR (reviewed_by IS NOT NULL AND reviewed_at IS NOT NULL)",
            name=op.f("ck_work_item_accepted_is_reviewed"),
        ),
        sa.CheckConstraint(
            "state IN ('scheduled', 'open', 'submitted', 'returned', 'accepted', 'waived', 'cancelled')",
            name=op.f("ck_work_item_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('returned', 'waived') OR reason IS NOT NULL", name=op.f("ck_work_item_returned_has_reason")
        ),
        sa.CheckConstraint("opens_on <= deadline", name=op.f("ck_work_item_opens_before_deadline")),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_work_item_duty_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_work_item_plan_id")),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_work_item_requirement_id")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_work_item_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_item")),
        sa.UniqueConstraint("key", name=op.f("uq_work_item_key")),
    )
    with op.batch_alter_table("work_item", schema=None) as batch_op:
        batch_op.create_index(
            "ix_work_item_owed",
            ["plan_id", "deadline", "unit_code", "requirement_id"],
            unique=False,
            sqlite_where=sa.text("state IN ('open', 'returned') AND catch_up = ''"),
            postgresql_where=sa.text("state IN ('open', 'returned') AND catch_up = ''"),
        )
        batch_op.create_index("ix_work_item_requirement_id_deadline", ["requirement_id", "deadline"], unique=False)
        batch_op.create_index(
            "ix_work_item_scheduled",
            ["opens_on"],
            unique=False,
            sqlite_where=sa.text("state = 'scheduled'"),
            postgresql_where=sa.text("state = 'scheduled'"),
        )
        batch_op.create_index("ix_work_item_unit_code_deadline", ["unit_code", "deadline"], unique=False)


def _create_entry() -> None:
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("by_unit", sa.String(length=24), nullable=False),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "act IN ('issue', 'submit', 'withdraw', 'accept', 'send_back', 'waive', 'cancel')",
            name=op.f("ck_entry_act"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_entry_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("item_id", "revision", name=op.f("uq_entry_item_id_revision")),
    )


def _create_evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=True),
        sa.Column("value", sa.Numeric(precision=16, scale=4), nullable=True),
        sa.Column("of", sa.Numeric(precision=16, scale=4), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_evidence_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_item_id"), ["item_id"], unique=False)


def _create_reminder() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=24), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("queued_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_reminder_item_id")),
        sa.ForeignKeyConstraint(["recipient"], ["unit.code"], name=op.f("fk_reminder_recipient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("item_id", "step", "recipient", name=op.f("uq_reminder_item_id_step_recipient")),
    )
    with op.batch_alter_table("reminder", schema=None) as batch_op:
        batch_op.create_index("ix_reminder_recipient_as_of", ["recipient", "as_of"], unique=False)
