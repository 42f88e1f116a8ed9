"""人员: who answers for a unit's work and how they are reached. Office staff only, never a child or a guardian."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from ledger.tables.columns import Identity, UtcDateTime, metadata

person = Table(
    "person",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("unit_code", ForeignKey("unit.code"), nullable=False),
    Column("name", String(40), nullable=False),
    Column("post", String(40), nullable=False, server_default=""),  # 职务
    Column("phone", String(30), nullable=False, server_default=""),  # of the office, shown as 联系人
    Column("liaison", Boolean, nullable=False, server_default=text("false")),
    Column("principal", Boolean, nullable=False, server_default=text("false")),
    Column("reviewer", Boolean, nullable=False, server_default=text("false")),
    Column("weekly", Boolean, nullable=False, server_default=text("false")),  # gets 周通报
    Column("monthly", Boolean, nullable=False, server_default=text("false")),  # gets 月通报
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("added_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("unit_code", "name"),
    Index("ix_person_active", "unit_code", sqlite_where=text("active"), postgresql_where=text("active")),
)

# Ways to a person, the preferred one first. ``channel``: a code of the channels file; ``address``: an e-mail address, or
# whom a robot is to call (@).
person_address = Table(
    "person_address",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("channel", String(40), primary_key=True),
    Column("address", String(254), nullable=False, server_default=""),
    Column("position", Integer, nullable=False),
    Column("bounced_at", UtcDateTime, nullable=True),  # a letter came back: not used until somebody sets it right
    Column("bounce", String(200), nullable=True),
    UniqueConstraint("person_id", "position"),
)
