"""the tally by place of past evenings; indexes that tell a past day without the items

Revision: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "past_place_tally",
        sa.Column("id", IDENTITY, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("plan_id", IDENTITY, nullable=False),
        sa.Column("requirement_id", IDENTITY, nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=24), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("catch_up", sa.String(length=12), nullable=False),
        sa.Column("often_returned", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_past_place_tally_plan_id")),
        sa.ForeignKeyConstraint(
            ["requirement_id"], ["requirement.id"], name=op.f("fk_past_place_tally_requirement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_place_tally")),
    )
    columns = ["plan_id", "month", "place", "day"]
    op.create_index("ix_past_place_tally_plan_id_month_place_day", "past_place_tally", columns)
    # The next daily sweep keeps all evenings anew, by place too. Until then past days are replayed.
    op.execute('UPDATE past_tally_span SET first_month = NULL, "until" = NULL')
    _index_what_a_past_day_asks()


def _index_what_a_past_day_asks() -> None:
    not_in_time = sa.text(
        "catch_up = '' AND (first_submitted_on > deadline"
        " OR first_submitted_on IS NULL AND state NOT IN ('waived', 'cancelled'))"
    )
    overdue = ["deadline", "unit_code", "first_submitted_on", "plan_id", "created_at", "duty_id", "id"]
    op.drop_index("ix_work_item_not_in_time", "work_item")
    op.create_index(
        "ix_work_item_not_in_time", "work_item", overdue, sqlite_where=not_in_time, postgresql_where=not_in_time
    )
    op.drop_index("ix_work_item_deadline", "work_item")
    op.create_index(
        "ix_work_item_deadline", "work_item", ["deadline", "id", "state", "reviewed_at", "plan_id", "unit_code"]
    )


def downgrade() -> None:
    raise NotImplementedError("0006 is not taken back: restore the backup made before the upgrade")
