"""The plan and the work: units, plans, duties, work items and their entries. Civil dates are Asia/Shanghai; instants are
UTC."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import Identity, UtcDateTime, metadata, one_of
from policy_models.lifecycle import Act, State

# What partial indexes hold. Queries say it in the same words: with parameters neither database would use them.
OWED_NOW = "state IN ('open', 'returned') AND catch_up = ''"
SCHEDULED_NOW = "state = 'scheduled'"
SUBMITTED_NOW = "state = 'submitted'"
ACCEPTED = "state = 'accepted'"
ACTED = "revision > 1"
UNFINISHED = "state IN ('open', 'returned', 'scheduled', 'submitted')"
STOPPED = "first_submitted_on IS NULL AND state IN ('waived', 'cancelled') AND catch_up = ''"
NOT_IN_TIME = (
    "catch_up = '' AND (first_submitted_on > deadline"
    " OR first_submitted_on IS NULL AND state NOT IN ('waived', 'cancelled'))"
)
TURNED = "act NOT IN ('issue', 'submit', 'accept')"  # whatever does not lead an item straight to its end
ALL_AREAS = "*"  # duty.area where one timetable serves every unit


def _partial(name: str, holds: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=text(holds), postgresql_where=text(holds))


unit = Table(
    "unit",
    metadata,
    Column("code", String(24), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("level", String(12), nullable=False),
    Column("function", String(12), nullable=False, server_default=""),  # "" where the unit has none
    Column("parent", String(24), ForeignKey("unit.code"), nullable=True, index=True),
    Column("county", String(24), nullable=False, server_default=""),  # "" for city units
    Column("superior", String(24), nullable=True, index=True),  # who reviews it: Units.superior
    Column("functional_zone", Boolean, nullable=False, server_default=text("false")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("closed_on", Date, nullable=True),  # from this civil date on it owes nothing
    Column("merged_into", String(24), ForeignKey("unit.code"), nullable=True),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("0")),  # changes so far; part of the feed's SEQUENCE
    Index("ix_unit_assignee", "level", "function"),
)

plan = Table(
    "plan",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("revision", Integer, nullable=False),
    Column("title", String(200), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("coordinator", String(24), ForeignKey("unit.code"), nullable=False),
    Column("document", Text, nullable=False),  # the Plan as JSON
    Column("calendars", Text, nullable=False),  # the calendar files as JSON: {name: text}
    Column("digest", String(64), nullable=False),  # of plan, calendars and units: equal means nothing to load
    Column("go_live_on", Date, nullable=False),
    Column("catch_up", String(12), nullable=False),
    Column("catch_up_reason", Text, nullable=True),
    Column("loaded_at", UtcDateTime, nullable=False),
    Column("calendars_changed_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("0")),  # changes so far; part of the feed's SEQUENCE
    Column("demonstration", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("catch_up <> 'waive' OR catch_up_reason IS NOT NULL", name="waive_has_reason"),
)

requirement = Table(
    "requirement",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("code", String(8), nullable=False),
    Column("section", String(16), nullable=False),
    Column("task", Integer, nullable=True),  # None: of a phase or safeguard
    Column("kind", String(12), nullable=False),
    Column("cadence", String(24), nullable=False),
    Column("ladder", String(8), nullable=False),
    Column("review", String(12), nullable=False),
    Column("collects", String(12), nullable=False, server_default=""),  # of a half-year round: Collects, "" for none
    Column("title", String(80), nullable=False),
    Column("dropped", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("plan_id", "code"),
)

# Who owes a requirement: named units (unit_code), or all of a level and function ("" = without function).
assignee = Table(
    "assignee",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("requirement_id", ForeignKey("requirement.id"), nullable=False, index=True),
    Column("unit_code", ForeignKey("unit.code"), nullable=True),
    Column("level", String(12), nullable=True),
    Column("function", String(12), nullable=True),
    CheckConstraint("(unit_code IS NULL) <> (level IS NULL)", name="one_way"),
)

duty = Table(
    "duty",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("requirement_id", ForeignKey("requirement.id"), nullable=False),
    Column("period", String(40), nullable=False),
    Column("area", String(24), nullable=False, server_default=ALL_AREAS),
    Column("phase", Integer, nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("deadline", Date, nullable=False),
    Column("remind_by", Date, nullable=False),
    Column("confidence", String(12), nullable=False),
    Column("why", Text, nullable=False),
    # the digest of the units its items were last created for: equal means there is nothing to create
    Column("scheduled_for", String(64), nullable=False, server_default=""),
    Column("dropped", Boolean, nullable=False, server_default=text("false")),  # a new plan revision has it no more
    UniqueConstraint("requirement_id", "period", "area"),
)

work_item = Table(
    "work_item",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("requirement_id", ForeignKey("requirement.id"), nullable=False),
    Column("duty_id", ForeignKey("duty.id"), nullable=True),  # None: raised on an event
    Column("unit_code", ForeignKey("unit.code"), nullable=False),
    Column("period", String(40), nullable=False),
    Column("phase", Integer, nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("deadline", Date, nullable=False),
    Column("state", String(12), nullable=False, server_default=State.SCHEDULED.value),
    Column("revision", Integer, nullable=False, server_default=text("0")),  # acts so far; the feed's SEQUENCE
    Column("returns", Integer, nullable=False, server_default=text("0")),
    Column("catch_up", String(12), nullable=False, server_default=""),  # "" for what is dated after go-live
    # moved by a granted extension: the generator never resets its dates
    Column("extended", Boolean, nullable=False, server_default=text("false")),
    Column("first_submitted_on", Date, nullable=True),  # civil date: on time is judged by it
    Column("reviewed_by", String(80), nullable=True),
    Column("reviewed_at", UtcDateTime, nullable=True),
    Column("reason", Text, nullable=True),  # of the last send back or waiver
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    one_of("state", State),
    CheckConstraint(
        "state <> 'accepted' OR (reviewed_by IS NOT NULL AND reviewed_at IS NOT NULL)", name="accepted_is_reviewed"
    ),
    CheckConstraint("state NOT IN ('returned', 'waived') OR reason IS NOT NULL", name="returned_has_reason"),
    CheckConstraint("opens_on <= deadline", name="opens_before_deadline"),
    Index("ix_work_item_unit_code_deadline", "unit_code", "deadline"),
    Index("ix_work_item_requirement_id_deadline", "requirement_id", "deadline", "unit_code"),
    # long lists; without the plan, which SQLite would take for the narrowest of all conditions
    # and with what tells whether an item had been accepted by a past day
    Index("ix_work_item_deadline", "deadline", "id", "state", "reviewed_at", "plan_id", "unit_code"),
    # whether a unit owes something
    _partial("ix_work_item_owing_unit", OWED_NOW, "unit_code", "plan_id"),
    _partial("ix_work_item_scheduled_unit", SCHEDULED_NOW, "unit_code", "plan_id", "opens_on"),
    # the list of what is not done, from the oldest deadline on
    _partial("ix_work_item_unfinished", UNFINISHED, "deadline", "id"),
    Index("ix_work_item_created_at", "created_at"),  # no plan in front: see ix_work_item_deadline
    # the newest acts of a matter (what was merely issued left out), and what was accepted of it last
    _partial("ix_work_item_acted", ACTED, "requirement_id", "changed_at", "first_submitted_on", "extended", "revision"),
    _partial("ix_work_item_accepted", ACCEPTED, "requirement_id", "reviewed_at"),
    _partial(
        "ix_work_item_scheduled",
        SCHEDULED_NOW,
        "opens_on",
        "plan_id",
        "deadline",
        "unit_code",
        "returns",
        "state",
        "catch_up",
    ),
    # what was overdue on a past day: not handed in in time; and of what never was, what was waived or cancelled later.
    # None of it changes when an item is issued: see ledger/queries/overdue.py
    _partial(
        "ix_work_item_not_in_time",
        NOT_IN_TIME,
        "deadline",
        "unit_code",
        "first_submitted_on",
        "plan_id",
        "created_at",
        "duty_id",
        "id",
    ),
    _partial(
        "ix_work_item_stopped", STOPPED, "deadline", "changed_at", "unit_code", "plan_id", "created_at", "duty_id"
    ),
    # what waits for review
    _partial("ix_work_item_submitted", SUBMITTED_NOW, "plan_id", "requirement_id", "period"),
    # what the units owe now, for reminders and for "overdue by unit": small beside the whole table, which is not read
    _partial(
        "ix_work_item_owed",
        OWED_NOW,
        "plan_id",
        "deadline",
        "unit_code",
        "requirement_id",
        "returns",
        "state",
        "catch_up",
    ),
)

entry = Table(
    "entry",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("act", String(12), nullable=False),
    Column("state", String(12), nullable=False),  # the state the act led to
    Column("by_unit", String(24), nullable=False),  # "" for the system
    Column("by_name", String(80), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", Text, nullable=True),
    UniqueConstraint("item_id", "revision"),
    one_of("act", Act),
    Index("ix_entry_at", "at"),  # what was done since, what was done between two days
    # few beside all: what may stand open or returned although it was handed in before, what was waived or cancelled
    _partial("ix_entry_turned", TURNED, "at", "item_id", "revision", "act"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), nullable=False, index=True),
    Column("revision", Integer, nullable=False),  # of the entry it was handed in with
    Column("type", String(12), nullable=False),
    Column("name", String(60), nullable=True),
    Column("value", Numeric(16, 4), nullable=True),
    Column("of", Numeric(16, 4), nullable=True),
    Column("text", Text, nullable=True),
    Column("file_id", ForeignKey("file.id"), nullable=True, index=True),
    Column("file_name", String(200), nullable=True),
    Column("effective_on", Date, nullable=True),  # when it happened, apart from when it was handed in
)

# 改期: the dates an item had before they were moved, so that any past day can be replayed.
item_move = Table(
    "item_move",
    metadata,
    Column("id", Identity, primary_key=True),
    Column("item_id", ForeignKey("work_item.id"), nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
    Column("phase", Integer, nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("deadline", Date, nullable=False),
    Column("catch_up", String(12), nullable=False),
    Column("cause", String(12), nullable=False),
    one_of("cause", ("extension", "revision")),
    Index("ix_item_move_item_id_moved_at", "item_id", "moved_at"),
    Index("ix_item_move_moved_at", "moved_at"),
)

# When each flow last finished: what `doctor` asks. Operations live in Prefect; this is the ledger's own trace.
flow_mark = Table(
    "flow_mark",
    metadata,
    Column("flow", String(60), primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
)
