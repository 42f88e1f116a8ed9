"""files and drafts of evidence, 延期, 抽查, half-year rounds, letters; what was there before gains their columns

Revision: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import ledger.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW = [
    "file",
    "screening",
    "privacy_exception",
    "draft_evidence",
    "extension",
    "sample",
    "sample_item",
    "item_move",
    "round",
    "report",
    "report_draft",
    "report_section",
    "section_review",
    "exemplar",
    "exemplar_entry",
    "exemplar_picture",
    "panel",
    "panelist",
    "score",
    "bulletin_item",
    "template",
    "compilation",
    "unit_address",
    "mail_letter",
    "mail_attachment",
    "mailbox_mark",
]
APPEND_ONLY = (
    "item_move",
    "privacy_exception",
    "sample",
    "sample_item",
    "report_section",
    "exemplar_entry",
    "template",
    "compilation",
)
ACTS = ("issue", "submit", "withdraw", "accept", "send_back", "waive", "cancel", "extend")


def upgrade() -> None:
    tables = ledger.tables.metadata.tables
    ledger.tables.metadata.create_all(op.get_bind(), tables=[tables[name] for name in NEW])
    # Not in batches: SQLite would make these tables anew, and others point at them.
    op.add_column("unit", sa.Column("closed_on", sa.Date(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("unit", sa.Column("merged_into", sa.String(24), nullable=True))
        op.create_foreign_key(op.f("fk_unit_merged_into"), "unit", "unit", ["merged_into"], ["code"])
    else:
        op.execute("ALTER TABLE unit ADD COLUMN merged_into VARCHAR(24) REFERENCES unit (code)")
    op.add_column("requirement", sa.Column("collects", sa.String(12), server_default="", nullable=False))
    op.create_index(
        "ix_work_item_submitted",
        "work_item",
        ["plan_id", "requirement_id", "period"],
        sqlite_where=sa.text("state = 'submitted'"),
        postgresql_where=sa.text("state = 'submitted'"),
    )
    _change_evidence()
    _change_outbox()
    _change_entry()
    for table in APPEND_ONLY:
        _refuse_changes(table)


def downgrade() -> None:
    raise NotImplementedError("0002 is not taken back: restore the backup made before the upgrade")


def _change_evidence() -> None:
    with op.batch_alter_table("evidence") as batch:
        batch.add_column(sa.Column("file_id", ledger.tables.Identity, nullable=True))
        batch.add_column(sa.Column("file_name", sa.String(200), nullable=True))
        batch.add_column(sa.Column("effective_on", sa.Date(), nullable=True))
        batch.create_foreign_key(batch.f("fk_evidence_file_id"), "file", ["file_id"], ["id"])
        batch.create_index(batch.f("ix_evidence_file_id"), ["file_id"])


def _change_outbox() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.alter_column("plan_id", existing_type=ledger.tables.Identity, nullable=True)
        batch.alter_column("recipient", existing_type=sa.String(24), nullable=True)
        batch.add_column(sa.Column("address", sa.String(254), nullable=True))
        batch.add_column(sa.Column("letter_id", ledger.tables.Identity, nullable=True))
        batch.create_foreign_key(batch.f("fk_outbox_letter_id"), "mail_letter", ["letter_id"], ["id"])
        batch.create_index(batch.f("ix_outbox_letter_id"), ["letter_id"])
        batch.create_check_constraint(
            batch.f("ck_outbox_goes_somewhere"),
            "(recipient IS NOT NULL AND plan_id IS NOT NULL) OR (address IS NOT NULL AND letter_id IS NOT NULL)",
        )


def _change_entry() -> None:
    """One more act is allowed. SQLite makes the table anew, and its triggers go with the old one."""
    with op.batch_alter_table("entry") as batch:
        batch.drop_constraint(batch.f("ck_entry_act"), type_="check")
        batch.create_check_constraint(batch.f("ck_entry_act"), f"act IN ({', '.join(map(repr, ACTS))})")
    if op.get_bind().dialect.name == "sqlite":
        _refuse_changes("entry")


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
