"""账号: who signs in, with what, as what; and the trail of what was done. Secrets only as hashes."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import Identity, UtcDateTime, metadata, one_of
from policy_models.access import Role

# ``name``: what is typed when signing in, folded (lower case, no full width). Without a password only an invitation or
# the city's single sign-on opens it. ``machine``: an account for programs; it has tokens and no password.
account = Table(
    "account",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("name", String(60), nullable=False, unique=True),
    Column("display_name", String(40), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=True, index=True),
    Column("machine", Boolean, nullable=False, server_default=text("false")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("password_hash", String(200), nullable=True),
    Column("password_set_at", UtcDateTime, nullable=True),
    Column("totp_secret", String(200), nullable=True),  # encrypted with the key of the data folder
    Column("totp_since", UtcDateTime, nullable=True),  # null: not yet confirmed by a number
    Column("totp_last_step", Integer, nullable=True),  # a number is taken once
    Column("oidc_subject", String(300), nullable=True, unique=True),  # "issuer subject"
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("locked_until", UtcDateTime, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=True),
    CheckConstraint("NOT machine OR password_hash IS NULL", name="machine_has_no_password"),
)

account_grant = Table(
    "account_grant",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("unit_code", ForeignKey("unit.code"), nullable=True, index=True),  # null: everywhere
    Column("granted_at", UtcDateTime, nullable=False),
    Column("granted_by", ForeignKey("account.id"), nullable=True),  # null: at the machine itself
    UniqueConstraint("account_id", "role", "unit_code"),
    one_of("role", Role),
)

# One use: it lets somebody set the account's password (a new account, or a forgotten password).
invitation = Table(
    "invitation",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
    Column("created_by", ForeignKey("account.id"), nullable=True),
)

# One use each, for the day on which the telephone is lost.
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=True),
    UniqueConstraint("account_id", "digest"),
)

login = Table(
    "login",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("way", String(12), nullable=False),
    Column("client", String(120), nullable=False, server_default=""),
    Column("address", String(45), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("awaits_totp", Boolean, nullable=False, server_default=text("false")),
    Column("ended_at", UtcDateTime, nullable=True),
    Column("ended_why", String(12), nullable=True),
    one_of("way", ("password", "invitation", "oidc", "demo")),
    CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="end_has_reason"),
    Index(
        "ix_login_running",
        "account_id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

# A visit to the city's single sign-on that has not come back yet.
sign_on = Table(
    "sign_on",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the state
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("back_to", String(400), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
)

machine_token = Table(
    "machine_token",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("only_reads", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", ForeignKey("account.id"), nullable=True),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("last_used_at", UtcDateTime, nullable=True),
    Column("client", String(120), nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
)

# 操作记录: append-only. Who (an account, "" for the machine itself or nobody yet), did what, to what, from where.
audit = Table(
    "audit",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=True),
    Column("account", String(60), nullable=False, server_default=""),
    Column("by_name", String(40), nullable=False, server_default=""),
    Column("act", String(40), nullable=False),  # the verb in Chinese, as the table of rights names it
    Column("unit_code", String(24), nullable=False, server_default=""),
    Column("object", String(160), nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("address", String(45), nullable=False, server_default=""),
    Column("done", Boolean, nullable=False, server_default=text("true")),  # false: it was refused
    # newest first, by any of what the trail is narrowed to
    Index("ix_audit_at_id", "at", "id"),
    Index("ix_audit_account_at", "account", "at", "id"),
    Index("ix_audit_act_at", "act", "at", "id"),
    Index("ix_audit_unit_code_at", "unit_code", "at", "id"),
    Index("ix_audit_unit_code_act", "unit_code", "act", "at", "id"),
    Index("ix_audit_refused", "at", "id", sqlite_where=text("done = 0"), postgresql_where=text("NOT done")),
)

# 常用视图: a page's filter under a name, of one account.
saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("page", String(40), nullable=False),
    Column("name", String(40), nullable=False),
    Column("query", String(800), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("account_id", "page", "name"),
)
