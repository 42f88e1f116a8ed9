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
    _create_file()
    _create_mailbox_mark()
    _create_privacy_exception()
    _create_screening()
    _create_template()
    _create_unit_address()
    _create_bulletin_item()
    _create_compilation()
    _create_exemplar()
    _create_mail_letter()
    _create_panel()
    _create_panelist()
    _create_round()
    _create_exemplar_entry()
    _create_exemplar_picture()
    _create_mail_attachment()
    _create_sample()
    _create_score()
    _create_draft_evidence()
    _create_extension()
    _create_item_move()
    _create_report()
    _create_sample_item()
    _create_report_draft()
    _create_report_section()
    _create_section_review()
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


def _create_file() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kept", sa.String(length=64), nullable=False),
        sa.Column("redacted", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("restricted", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("warnings", sa.Text(), server_default="[]", nullable=False),
        sa.Column("by_unit", sa.String(length=24), nullable=False),
        sa.Column("kept_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint("NOT restricted OR redacted IS NOT NULL", name=op.f("ck_file_restricted_has_copy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
        sa.UniqueConstraint("sha256", name=op.f("uq_file_sha256")),
    )


def _create_mailbox_mark() -> None:
    op.create_table(
        "mailbox_mark",
        sa.Column("mailbox", sa.String(length=120), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("read_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_mailbox_mark")),
    )


def _create_privacy_exception() -> None:
    op.create_table(
        "privacy_exception",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("by_unit", sa.String(length=24), nullable=False),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint("by_name <> '' AND reason <> ''", name=op.f("ck_privacy_exception_named_with_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_exception")),
        sa.UniqueConstraint("sha256", name=op.f("uq_privacy_exception_sha256")),
    )


def _create_screening() -> None:
    op.create_table(
        "screening",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("by_unit", sa.String(length=24), nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint("outcome IN ('blocked', 'warned', 'allowed')", name=op.f("ck_screening_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening")),
    )
    op.create_index(op.f("ix_screening_sha256"), "screening", ["sha256"], unique=False)


def _create_template() -> None:
    op.create_table(
        "template",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("kept", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.Column("added_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
    )


def _create_unit_address() -> None:
    op.create_table(
        "unit_address",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=False),
        sa.Column("added_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_unit_address_unit_code")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_unit_address")),
    )
    op.create_index(op.f("ix_unit_address_unit_code"), "unit_address", ["unit_code"], unique=False)


def _create_bulletin_item() -> None:
    op.create_table(
        "bulletin_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="submitted", nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("submitted_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("decided_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "state <> 'returned' OR reason IS NOT NULL", name=op.f("ck_bulletin_item_returned_has_reason")
        ),
        sa.CheckConstraint(
            "state = 'submitted' OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)",
            name=op.f("ck_bulletin_item_decided_by_somebody"),
        ),
        sa.CheckConstraint("state IN ('submitted', 'counted', 'returned')", name=op.f("ck_bulletin_item_state")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_bulletin_item_plan_id")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_bulletin_item_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin_item")),
        sa.UniqueConstraint(
            "plan_id", "year", "unit_code", "title", name=op.f("uq_bulletin_item_plan_id_year_unit_code_title")
        ),
    )


def _create_compilation() -> None:
    op.create_table(
        "compilation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round_code", sa.String(length=12), nullable=False),
        sa.Column("as_of", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("docx", sa.String(length=64), nullable=False),
        sa.Column("xlsx", sa.String(length=64), nullable=False),
        sa.Column("compiled_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("compiled_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_compilation_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compilation")),
    )


def _create_exemplar() -> None:
    op.create_table(
        "exemplar",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round_code", sa.String(length=12), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("background", sa.Text(), server_default="", nullable=False),
        sa.Column("practice", sa.Text(), server_default="", nullable=False),
        sa.Column("effect", sa.Text(), server_default="", nullable=False),
        sa.Column("insight", sa.Text(), server_default="", nullable=False),
        sa.Column("tells_of_child", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("child_consents", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("guardian_consents", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("anonymised", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="draft", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("changed_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.Column("submitted_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("published_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("published_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "state <> 'published' OR (published_at IS NOT NULL AND published_by IS NOT NULL)",
            name=op.f("ck_exemplar_published"),
        ),
        sa.CheckConstraint("state <> 'returned' OR reason IS NOT NULL", name=op.f("ck_exemplar_returned_has_reason")),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'shortlisted', 'published', 'withdrawn')",
            name=op.f("ck_exemplar_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('submitted', 'shortlisted', 'published') OR NOT tells_of_child OR (child_consents AND guardian_consents AND anonymised)",
            name=op.f("ck_exemplar_consent"),
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_exemplar_plan_id")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_exemplar_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exemplar")),
        sa.UniqueConstraint(
            "plan_id", "round_code", "unit_code", "title", name=op.f("uq_exemplar_plan_id_round_code_unit_code_title")
        ),
    )


def _create_mail_letter() -> None:
    op.create_table(
        "mail_letter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mailbox", sa.String(length=120), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("sent_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("received_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=True),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("round_code", sa.String(length=12), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "state IN ('filed', 'set_aside', 'refused', 'confirmed', 'dismissed')", name=op.f("ck_mail_letter_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('confirmed', 'dismissed') OR (decided_at IS NOT NULL AND decided_by IS NOT NULL)",
            name=op.f("ck_mail_letter_decided"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('set_aside', 'refused') OR reason IS NOT NULL", name=op.f("ck_mail_letter_has_reason")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_mail_letter_plan_id")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_mail_letter_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_letter")),
        sa.UniqueConstraint("mailbox", "message_id", name=op.f("uq_mail_letter_mailbox_message_id")),
    )
    op.create_index("ix_mail_letter_state_received_at", "mail_letter", ["state", "received_at"], unique=False)


def _create_panel() -> None:
    op.create_table(
        "panel",
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round_code", sa.String(length=12), nullable=False),
        sa.Column("opened_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("closed_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint("closed_at IS NULL OR closed_by IS NOT NULL", name=op.f("ck_panel_closed_by_somebody")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_panel_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "round_code", name=op.f("pk_panel")),
    )


def _create_panelist() -> None:
    op.create_table(
        "panelist",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round_code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_panelist_plan_id")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_panelist_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panelist")),
        sa.UniqueConstraint("hash", name=op.f("uq_panelist_hash")),
        sa.UniqueConstraint("plan_id", "round_code", "name", name=op.f("uq_panelist_plan_id_round_code_name")),
    )


def _create_round() -> None:
    op.create_table(
        "round",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("guidance", sa.Text(), nullable=True),
        sa.Column("opened_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.String(length=80), nullable=False),
        sa.Column("closed_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_round_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("plan_id", "code", name=op.f("uq_round_plan_id_code")),
    )


def _create_exemplar_entry() -> None:
    op.create_table(
        "exemplar_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exemplar_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("by_unit", sa.String(length=24), nullable=False),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["exemplar_id"], ["exemplar.id"], name=op.f("fk_exemplar_entry_exemplar_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exemplar_entry")),
    )
    op.create_index(op.f("ix_exemplar_entry_exemplar_id"), "exemplar_entry", ["exemplar_id"], unique=False)


def _create_exemplar_picture() -> None:
    op.create_table(
        "exemplar_picture",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exemplar_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("caption", sa.String(length=120), server_default="", nullable=False),
        sa.Column("added_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["exemplar_id"], ["exemplar.id"], name=op.f("fk_exemplar_picture_exemplar_id")),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_exemplar_picture_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exemplar_picture")),
        sa.UniqueConstraint("exemplar_id", "file_id", name=op.f("uq_exemplar_picture_exemplar_id_file_id")),
    )


def _create_mail_attachment() -> None:
    op.create_table(
        "mail_attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(file_id IS NULL) <> (reason IS NULL)", name=op.f("ck_mail_attachment_kept_or_refused")),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_mail_attachment_file_id")),
        sa.ForeignKeyConstraint(["letter_id"], ["mail_letter.id"], name=op.f("fk_mail_attachment_letter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_attachment")),
    )
    op.create_index(op.f("ix_mail_attachment_file_id"), "mail_attachment", ["file_id"], unique=False)
    op.create_index(op.f("ix_mail_attachment_letter_id"), "mail_attachment", ["letter_id"], unique=False)


def _create_sample() -> None:
    op.create_table(
        "sample",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requirement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("reviewer", sa.String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=40), nullable=False),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("drawn_by", sa.String(length=80), nullable=False),
        sa.Column("drawn_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint("size > 0 AND size <= population", name=op.f("ck_sample_size")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_sample_plan_id")),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirement.id"], name=op.f("fk_sample_requirement_id")),
        sa.ForeignKeyConstraint(["reviewer"], ["unit.code"], name=op.f("fk_sample_reviewer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
        sa.UniqueConstraint(
            "requirement_id",
            "period",
            "reviewer",
            "number",
            name=op.f("uq_sample_requirement_id_period_reviewer_number"),
        ),
    )
    op.create_index(op.f("ix_sample_plan_id"), "sample", ["plan_id"], unique=False)


def _create_score() -> None:
    op.create_table(
        "score",
        sa.Column("exemplar_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("panelist_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint("points BETWEEN 0 AND 100", name=op.f("ck_score_points")),
        sa.ForeignKeyConstraint(["exemplar_id"], ["exemplar.id"], name=op.f("fk_score_exemplar_id")),
        sa.ForeignKeyConstraint(["panelist_id"], ["panelist.id"], name=op.f("fk_score_panelist_id")),
        sa.PrimaryKeyConstraint("exemplar_id", "panelist_id", name=op.f("pk_score")),
    )


def _create_draft_evidence() -> None:
    op.create_table(
        "draft_evidence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=True),
        sa.Column("value", sa.Numeric(precision=16, scale=4), nullable=True),
        sa.Column("of", sa.Numeric(precision=16, scale=4), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("added_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_draft_evidence_file_id")),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_draft_evidence_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_evidence")),
        sa.UniqueConstraint("item_id", "type", "file_id", name=op.f("uq_draft_evidence_item_id_type_file_id")),
    )
    op.create_index(op.f("ix_draft_evidence_file_id"), "draft_evidence", ["file_id"], unique=False)


def _create_extension() -> None:
    op.create_table(
        "extension",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("planned", sa.Date(), nullable=False),
        sa.Column("wanted", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_unit", sa.String(length=24), nullable=False),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("requested_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="requested", nullable=False),
        sa.Column("granted", sa.Date(), nullable=True),
        sa.Column("decided_unit", sa.String(length=24), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", ledger.tables.UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("state <> 'granted' OR granted IS NOT NULL", name=op.f("ck_extension_granted_has_date")),
        sa.CheckConstraint("state <> 'refused' OR note IS NOT NULL", name=op.f("ck_extension_refused_has_reason")),
        sa.CheckConstraint(
            "state IN ('requested', 'granted', 'refused', 'withdrawn')", name=op.f("ck_extension_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('granted', 'refused') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_extension_decided"),
        ),
        sa.CheckConstraint("wanted > planned", name=op.f("ck_extension_later")),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_extension_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    op.create_index(op.f("ix_extension_item_id"), "extension", ["item_id"], unique=False)
    op.create_index(
        "uq_extension_waiting",
        "extension",
        ["item_id"],
        unique=True,
        sqlite_where=sa.text("state = 'requested'"),
        postgresql_where=sa.text("state = 'requested'"),
    )


def _create_item_move() -> None:
    op.create_table(
        "item_move",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("moved_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("catch_up", sa.String(length=12), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.CheckConstraint("cause IN ('extension', 'revision')", name=op.f("ck_item_move_cause")),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_item_move_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_move")),
    )
    op.create_index("ix_item_move_item_id_moved_at", "item_move", ["item_id", "moved_at"], unique=False)


def _create_report() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_code", sa.String(length=24), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_report_item_id")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_report_round_id")),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_report_unit_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("item_id", name=op.f("uq_report_item_id")),
        sa.UniqueConstraint("round_id", "unit_code", name=op.f("uq_report_round_id_unit_code")),
    )


def _create_sample_item() -> None:
    op.create_table(
        "sample_item",
        sa.Column("sample_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_item.id"], name=op.f("fk_sample_item_item_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_sample_item_sample_id")),
        sa.PrimaryKeyConstraint("sample_id", "item_id", name=op.f("pk_sample_item")),
    )
    op.create_index(op.f("ix_sample_item_item_id"), "sample_item", ["item_id"], unique=False)


def _create_report_draft() -> None:
    op.create_table(
        "report_draft",
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("saved_at", ledger.tables.UtcDateTime(), nullable=False),
        sa.Column("saved_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_draft_report_id")),
        sa.PrimaryKeyConstraint("report_id", "section", name=op.f("pk_report_draft")),
    )


def _create_report_section() -> None:
    op.create_table(
        "report_section",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), server_default="{}", nullable=False),
        sa.Column("figures", sa.Text(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_section_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_section")),
        sa.UniqueConstraint(
            "report_id", "revision", "section", name=op.f("uq_report_section_report_id_revision_section")
        ),
    )


def _create_section_review() -> None:
    op.create_table(
        "section_review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by_name", sa.String(length=80), nullable=False),
        sa.Column("at", ledger.tables.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "verdict <> 'returned' OR reason IS NOT NULL", name=op.f("ck_section_review_returned_has_reason")
        ),
        sa.CheckConstraint("verdict IN ('accepted', 'returned')", name=op.f("ck_section_review_verdict")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_section_review_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_section_review")),
        sa.UniqueConstraint(
            "report_id", "revision", "section", name=op.f("uq_section_review_report_id_revision_section")
        ),
    )
