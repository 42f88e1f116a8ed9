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

NEW = ("person", "person_address", "channel", "circular", "feed_fragment", "outbox_line")


def upgrade() -> None:
    # Not in batches: SQLite would make these tables anew, and others point at them.
    op.add_column("unit", sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("plan", sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False))
    for table in NEW[:-1]:
        ledger.tables.metadata.tables[table].create(op.get_bind())
    _change_reminder()
    _change_outbox()
    _change_feed_token()
    ledger.tables.metadata.tables["outbox_line"].create(op.get_bind())
    _refuse_changes("circular")


def downgrade() -> None:
    raise NotImplementedError("0003 is not taken back: restore the backup made before the upgrade")


def _change_reminder() -> None:
    """SQLite makes the table anew, and its triggers go with the old one."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute("ALTER TABLE reminder DISABLE TRIGGER USER")
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
