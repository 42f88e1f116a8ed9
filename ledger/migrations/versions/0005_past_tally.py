"""the tally of past evenings; indexes that tell what was overdue on a past day

Revision: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_past_tally()
    _create_past_tally_span()
    # No evening is kept yet: the next daily sweep keeps them all. Until then past days are replayed, as before.
    op.execute("INSERT INTO past_tally_span (plan_id) SELECT id FROM plan")
    _index_what_was_overdue()
    _index_what_was_under_way()
    _index_what_is_read_alone()


def downgrade() -> None:
    raise NotImplementedError("0005 is not taken back: restore the backup made before the upgrade")


def _create_past_tally() -> None:
    op.create_table(
        "past_tally",
        sa.Column("id", IDENTITY, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("plan_id", IDENTITY, nullable=False),
        sa.Column("requirement_id", IDENTITY, nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=24), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("catch_up", sa.String(length=12), nullable=False),
        sa.Column("often_returned", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_past_tally_plan_id")),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_past_tally_requirement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_tally")),
    )
    op.create_index("ix_past_tally_plan_id_month_day", "past_tally", ["plan_id", "month", "day"])


def _create_past_tally_span() -> None:
    op.create_table(
        "past_tally_span",
        sa.Column("plan_id", IDENTITY, nullable=False),
        sa.Column("first_month", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint('(first_month IS NULL) = ("until" IS NULL)', name=op.f("ck_past_tally_span_whole")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_past_tally_span_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_past_tally_span")),
    )


def _index_what_was_overdue() -> None:
    not_in_time = sa.text(
        "catch_up = '' AND (first_submitted_on > deadline"
        " OR first_submitted_on IS NULL AND state NOT IN ('waived', 'cancelled'))"
    )
    stopped = sa.text("first_submitted_on IS NULL AND state IN ('waived', 'cancelled') AND catch_up = ''")
    turned = sa.text("act NOT IN ('issue', 'submit', 'accept')")
    facts = ["unit_code", "plan_id", "created_at", "duty_id"]
    for name, table, columns, which in (
        (
            "ix_work_item_not_in_time",
            "work_item",
            ["deadline", "unit_code", "first_submitted_on", "plan_id", "created_at", "duty_id"],
            not_in_time,
        ),
        ("ix_work_item_stopped", "work_item", ["deadline", "changed_at", *facts], stopped),
        ("ix_entry_turned", "entry", ["at", "item_id", "revision", "act"], turned),
    ):
        op.create_index(name, table, columns, sqlite_where=which, postgresql_where=which)


def _index_what_was_under_way() -> None:
    acted = sa.text("revision > 1")
    columns = ["requirement_id", "changed_at", "first_submitted_on", "extended", "revision"]
    op.drop_index("ix_work_item_acted", "work_item")
    op.create_index("ix_work_item_acted", "work_item", columns, sqlite_where=acted, postgresql_where=acted)


def _index_what_is_read_alone() -> None:
    """What is owed and late, by its index and without the items; the record of reminders, the newest first."""
    owed, scheduled = sa.text("state IN ('open', 'returned') AND catch_up = ''"), sa.text("state = 'scheduled'")
    for name, columns, which in (
        ("ix_work_item_owed", ["plan_id", "deadline", "unit_code", "requirement_id"], owed),
        ("ix_work_item_scheduled", ["opens_on", "plan_id", "deadline", "unit_code"], scheduled),
    ):
        told = [*columns, "returns", "state", "catch_up"]
        op.drop_index(name, "work_item")
        op.create_index(name, "work_item", told, sqlite_where=which, postgresql_where=which)
    op.create_index("ix_reminder_queued_at", "reminder", ["queued_at", "item_id", "id"])
    op.create_index("ix_outbox_queued_at", "outbox", ["queued_at", "id"])
