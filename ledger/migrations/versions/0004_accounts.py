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


def upgrade() -> None:
    _create_account()
    _create_account_grant()
    _create_invitation()
    _create_recovery_code()
    _create_login()
    _create_sign_on()
    _create_machine_token()
    _create_audit()
    _create_saved_view()
    _create_accepted_day()
    _create_place_tally()
    _create_calendar_entry()
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


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("display_name", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("machine", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("password_set_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("totp_secret", sa.String(length=200), nullable=True),
        sa.Column("totp_since", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("oidc_subject", sa.String(length=300), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("locked_until", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("changed_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.CheckConstraint("NOT machine OR password_hash IS NULL", name=op.f("ck_account_machine_has_no_password")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_account_oidc_subject")),
    )
    op.create_index(op.f("ix_account_person_id"), "account", ["person_id"], unique=False)


def _create_account_grant() -> None:
    op.create_table(
        "account_grant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=True),
        sa.Column("granted_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("granted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "role IN ('administrator', 'coordinator', 'reviewer', 'liaison', 'auditor')",
            name=op.f("ck_account_grant_role"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_grant_account_id")),
        sa.ForeignKeyConstraint(["granted_by"], ["account.id"], name=op.f("fk_account_grant_granted_by")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_account_grant_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_grant")),
        sa.UniqueConstraint("account_id", "role", "unit_code", name=op.f("uq_account_grant_account_id_role_unit_code")),
    )
    op.create_index(op.f("ix_account_grant_unit_code"), "account_grant", ["unit_code"], unique=False)


def _create_invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("expires_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("used_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invitation_account_id")),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_invitation_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
    )
    op.create_index(op.f("ix_invitation_account_id"), "invitation", ["account_id"], unique=False)


def _create_recovery_code() -> None:
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("used_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_recovery_code_account_id_digest")),
    )


def _create_login() -> None:
    op.create_table(
        "login",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=12), nullable=False),
        sa.Column("client", sa.String(length=120), server_default="", nullable=False),
        sa.Column("address", sa.String(length=45), server_default="", nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("seen_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("awaits_totp", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("ended_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("ended_why", sa.String(length=12), nullable=True),
        sa.CheckConstraint("way IN ('password', 'invitation', 'oidc', 'demo')", name=op.f("ck_login_way")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name=op.f("ck_login_end_has_reason")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("digest", name=op.f("uq_login_digest")),
    )
    op.create_index(
        "ix_login_running",
        "login",
        ["account_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _create_sign_on() -> None:
    op.create_table(
        "sign_on",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("back_to", sa.String(length=400), server_default="", nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_on")),
    )


def _create_machine_token() -> None:
    op.create_table(
        "machine_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("only_reads", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("expires_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("last_used_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("client", sa.String(length=120), nullable=True),
        sa.Column("revoked_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_machine_token_account_id")),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_machine_token_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_machine_token_digest")),
    )
    op.create_index(op.f("ix_machine_token_account_id"), "machine_token", ["account_id"], unique=False)


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("account", sa.String(length=60), server_default="", nullable=False),
        sa.Column("by_name", sa.String(length=40), server_default="", nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("unit_code", sa.String(length=24), server_default="", nullable=False),
        sa.Column("object", sa.String(length=160), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.String(length=45), server_default="", nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_account_at", "audit", ["account", "at", "id"], unique=False)
    op.create_index("ix_audit_act_at", "audit", ["act", "at", "id"], unique=False)
    op.create_index("ix_audit_at_id", "audit", ["at", "id"], unique=False)
    op.create_index(
        "ix_audit_refused",
        "audit",
        ["at", "id"],
        unique=False,
        sqlite_where=sa.text("done = 0"),
        postgresql_where=sa.text("NOT done"),
    )
    op.create_index("ix_audit_unit_code_act", "audit", ["unit_code", "act", "at", "id"], unique=False)
    op.create_index("ix_audit_unit_code_at", "audit", ["unit_code", "at", "id"], unique=False)


def _create_saved_view() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.String(length=800), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_view_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("account_id", "page", "name", name=op.f("uq_saved_view_account_id_page_name")),
    )


def _create_accepted_day() -> None:
    op.create_table(
        "accepted_day",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=24), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_accepted_day_plan_id")),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_accepted_day_requirement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accepted_day")),
    )
    op.create_index(op.f("ix_accepted_day_plan_id"), "accepted_day", ["plan_id"], unique=False)


def _create_place_tally() -> None:
    op.create_table(
        "place_tally",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period", sa.String(length=40), server_default="", nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=24), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("catch_up", sa.String(length=12), nullable=False),
        sa.Column("often_returned", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_place_tally_plan_id")),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_place_tally_requirement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_tally")),
    )
    op.create_index("ix_place_tally_plan_id_place", "place_tally", ["plan_id", "place"], unique=False)


def _create_calendar_entry() -> None:
    op.create_table(
        "calendar_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("former", sa.Text(), nullable=False),
        sa.Column("summary", sa.String(length=200), nullable=False),
        sa.Column("by_name", sa.String(length=40), nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_entry")),
    )
    op.create_index("ix_calendar_entry_name_id", "calendar_entry", ["name", "id"], unique=False)
