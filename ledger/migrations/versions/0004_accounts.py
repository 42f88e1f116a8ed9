"""accounts, roles, sessions, tokens, the audit trail, saved views; the line of work gains its index

Revision: 0004
Revises: 0003
"""

from __future__ import annotations

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
    "login",
    "sign_on",
    "machine_token",
    "audit",
    "saved_view",
)


def upgrade() -> None:
    for table in NEW:
        ledger.tables.metadata.tables[table].create(op.get_bind())
    op.create_index("ix_unit_superior", "unit", ["superior"])
    _refuse_changes("audit")


def downgrade() -> None:
    raise NotImplementedError("0004 is not taken back: restore the backup made before the upgrade")


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
