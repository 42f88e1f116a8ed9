"""accounts, roles, sessions, tokens, the audit trail, saved views; the line of work gains its index

Revision: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import ledger.tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
NEW = (
    "account",
    "account_grant",
    "invitation",
    "recovery_code",
    "login",
    "sign_on",
    "machine_token",
    "audit",
    "saved_view",
    "accepted_day",
    "place_tally",
    "calendar_entry",
)


def upgrade() -> None:
    for table in NEW:
        ledger.tables.metadata.tables[table].create(op.get_bind())
    op.create_index("ix_unit_superior", "unit", ["superior"])
    _tell_of_acts()
    _refuse_changes("audit")
    _refuse_changes("calendar_entry")
    _count_by_day()
    _count_by_period()
    _count_by_place()
    _index_what_was_done_when()
    _index_long_lists()


def downgrade() -> None:
    raise NotImplementedError("0004 is not taken back: restore the backup made before the upgrade")


def _tell_of_acts() -> None:
    """Channels may listen to acts; the outbox says which one a message tells of."""
    op.add_column("channel", sa.Column("acts", sa.String(300), server_default="", nullable=False))
    op.add_column("channel", sa.Column("units", sa.Text(), server_default="", nullable=False))
    op.add_column("outbox", sa.Column("act", sa.String(24), nullable=True))
    op.add_column("outbox", sa.Column("round_code", sa.String(12), nullable=True))


def _count_by_day() -> None:
    """Fill the counts by day from the items that are there."""
    postgres = op.get_bind().dialect.name == "postgresql"
    day = "CAST(i.reviewed_at + INTERVAL '8 hours' AS DATE)" if postgres else "date(i.reviewed_at, '+8 hours')"
    op.execute(
        "INSERT INTO accepted_day (plan_id, requirement_id, phase, county, accepted_on, n) "
        f"SELECT i.plan_id, i.requirement_id, i.phase, u.county, {day}, count(*) "
        "FROM work_item i JOIN unit u ON u.code = i.unit_code "
        "WHERE i.state = 'accepted' AND i.catch_up <> 'count_only' GROUP BY 1, 2, 3, 4, 5"
    )


def _count_by_period() -> None:
    """The tally gains the period: counted anew from the items."""
    op.add_column("tally", sa.Column("period", sa.String(40), server_default="", nullable=False))
    op.execute("DELETE FROM tally")
    late = "(i.first_submitted_on IS NOT NULL AND i.first_submitted_on > i.deadline)"
    op.execute(
        "INSERT INTO tally (plan_id, requirement_id, period, phase, county, opens_on, deadline, state, late, catch_up,"
        " often_returned, n)"
        " SELECT i.plan_id, i.requirement_id, i.period, i.phase, u.county, i.opens_on, i.deadline, i.state,"
        f" {late}, i.catch_up, i.returns >= 2, count(*)"
        " FROM work_item i JOIN unit u ON u.code = i.unit_code GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
    )


def _count_by_place() -> None:
    late = "(i.first_submitted_on IS NOT NULL AND i.first_submitted_on > i.deadline)"
    op.execute(
        "INSERT INTO place_tally (plan_id, requirement_id, period, phase, place, opens_on, deadline, state, late,"
        " catch_up, often_returned, n)"
        " SELECT i.plan_id, i.requirement_id, i.period, i.phase,"
        " CASE WHEN a.level = 'township' THEN a.code ELSE u.code END, i.opens_on, i.deadline, i.state,"
        f" {late}, i.catch_up, i.returns >= 2, count(*)"
        " FROM work_item i JOIN unit u ON u.code = i.unit_code LEFT JOIN unit a ON a.code = u.parent"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
    )


def _index_what_was_done_when() -> None:
    op.create_index("ix_entry_at", "entry", ["at"])
    op.create_index("ix_item_move_moved_at", "item_move", ["moved_at"])
    op.create_index("ix_work_item_created_at", "work_item", ["created_at"])
    acted = sa.text("revision > 1")
    op.create_index(
        "ix_work_item_acted",
        "work_item",
        ["requirement_id", "changed_at"],
        sqlite_where=acted,
        postgresql_where=acted,
    )
    accepted = sa.text("state = 'accepted'")
    op.create_index(
        "ix_work_item_accepted",
        "work_item",
        ["requirement_id", "reviewed_at"],
        sqlite_where=accepted,
        postgresql_where=accepted,
    )


def _index_long_lists() -> None:
    owed, scheduled = sa.text("state IN ('open', 'returned') AND catch_up = ''"), sa.text("state = 'scheduled'")
    for name, columns, which in (
        ("ix_work_item_owing_unit", ["unit_code", "plan_id"], owed),
        ("ix_work_item_scheduled_unit", ["unit_code", "plan_id", "opens_on"], scheduled),
    ):
        op.create_index(name, "work_item", columns, sqlite_where=which, postgresql_where=which)
    op.drop_index("ix_work_item_requirement_id_deadline", "work_item")
    op.create_index("ix_work_item_requirement_id_deadline", "work_item", ["requirement_id", "deadline", "unit_code"])
    op.create_index("ix_work_item_deadline", "work_item", ["deadline", "id"])
    unfinished = sa.text("state IN ('open', 'returned', 'scheduled', 'submitted')")
    op.create_index(
        "ix_work_item_unfinished",
        "work_item",
        ["deadline", "id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
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
