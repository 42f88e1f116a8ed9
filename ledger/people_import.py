"""人员导入: a table of people of many units, first shown, then taken over whole, in a few statements."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.database import Session
from ledger.people import Person, columns_of, everyone, require_clean_people, way_rows
from ledger.tables import person, person_address
from policy_models.errors import ChangedMeanwhile, Faulty
from policy_models.people import PersonFacts, merged
from policy_models.people_file import COLUMNS, PeopleFile

# what may become other, and the column that says so
FIELDS = {
    "roles": COLUMNS["roles"],
    "post": COLUMNS["post"],
    "phone": COLUMNS["phone"],
    "ways": COLUMNS["channels"],
    "weekly": COLUMNS["circulars"],
    "monthly": COLUMNS["circulars"],
}


class Change(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    RESTORED = "restored"
    DEACTIVATED = "deactivated"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What a row does to a person. ``known`` is None for somebody new; ``fields``: what becomes other, by column."""

    known: Person | None
    facts: PersonFacts
    change: Change
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleChanges:
    """What an import does, in the order of the table."""

    rows: tuple[PersonChange, ...]

    def count(self, *changes: Change) -> int:
        return sum(one.change in changes for one in self.rows)

    @property
    def digest(self) -> str:
        """SHA-256; equal means: the import does the same to the same people."""
        lines = (
            f"{one.change}|{one.known and (one.known.id, one.known.changed_at)}|{sorted(one.facts.roles)}"
            f"|{replace(one.facts, roles=frozenset())}"
            for one in self.rows
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def changes_of(session: Session, table: PeopleFile) -> PeopleChanges:
    """What taking over a table would do; nothing is written. Two statements.

    A person is known by unit and name. Who is not in the table stays as is. Raises PrivacyBlocked, and Faulty (by line)
    where somebody is to be deactivated who is not registered.
    """
    require_clean_people(table.people)
    known = {(one.unit_code, one.name): one for one in everyone(session)}
    faults = [
        table.fault(one, COLUMNS["inactive"], "没有登记过这位人员，不能停用")
        for one in table.people
        if not one.active and (one.unit_code, one.name) not in known
    ]
    if faults:
        raise Faulty(faults)
    return PeopleChanges(
        tuple(_change(known.get((one.unit_code, one.name)), one, table.columns) for one in table.people)
    )


def _change(known: Person | None, given: PersonFacts, columns: frozenset[str]) -> PersonChange:
    if known is None:
        return PersonChange(None, given, Change.ADDED)
    before, after = known.facts, merged(known.facts, given, columns)
    fields = tuple(dict.fromkeys(FIELDS[name] for name in FIELDS if getattr(before, name) != getattr(after, name)))
    if before.active != after.active:
        return PersonChange(known, after, Change.RESTORED if after.active else Change.DEACTIVATED, fields)
    return PersonChange(known, after, Change.CHANGED if fields else Change.SAME, fields)


def save_people(session: Session, table: PeopleFile, *, now: datetime, seen: str | None = None) -> PeopleChanges:
    """Take over a table of people: add, change, deactivate; a second time nothing changes. A few statements, however
    many rows. ``seen``: the digest of the changes that a person agreed to.

    Raises as ``changes_of`` does, and ChangedMeanwhile where other changes than those seen would follow.
    """
    found = changes_of(session, table)
    if seen is not None and found.digest != seen:
        raise ChangedMeanwhile("人员登记在预览之后有了变化，没有导入，请重新上传并核对")
    try:
        with session.begin_nested():
            _insert(session, [one.facts for one in found.rows if one.change is Change.ADDED], now)
    except IntegrityError as error:
        raise ChangedMeanwhile("同一人员刚被他人登记，没有导入，请重新上传并核对") from error
    _update(session, [one for one in found.rows if one.change is not Change.SAME], now)
    _write_ways(session, found)
    return found


def active_people(session: Session) -> int:
    return int(session.execute(select(func.count()).where(person.c.active)).scalar_one())


def _insert(session: Session, added: list[PersonFacts], now: datetime) -> None:
    rows = [{"unit_code": one.unit_code, **columns_of(one), "added_at": now, "changed_at": now} for one in added]
    if rows:
        session.execute(insert(person), rows)


def _update(session: Session, changed: list[PersonChange], now: datetime) -> None:
    rows = [
        {"_id": one.known.id} | {f"_{name}": value for name, value in columns_of(one.facts).items() if name != "name"}
        for one in changed
        if one.known is not None
    ]
    if rows:
        values: dict[str, Any] = {name.removeprefix("_"): bindparam(name) for name in rows[0] if name != "_id"}
        session.execute(
            update(person).where(person.c.id == bindparam("_id")).values(**values, changed_at=now),
            rows,
        )


def _write_ways(session: Session, found: PeopleChanges) -> None:
    """The ways of those who are new or whose ways are other than they were."""
    wanted = {
        (one.facts.unit_code, one.facts.name): one
        for one in found.rows
        if one.change is Change.ADDED or COLUMNS["channels"] in one.fields
    }
    if not wanted:
        return
    ids = {
        (row.unit_code, row.name): row.id
        for row in session.execute(select(person.c.id, person.c.unit_code, person.c.name))
    }
    old = [one.known.id for one in wanted.values() if one.known is not None]
    kept: dict[int, dict[tuple[str, str], Any]] = {}
    if old:
        own = person_address.c.person_id.in_(old)
        for row in session.execute(select(person_address).where(own)):
            kept.setdefault(row.person_id, {})[row.channel, row.address] = row
        session.execute(delete(person_address).where(own))
    rows = [row for key, one in wanted.items() for row in way_rows(ids[key], one.facts.ways, kept.get(ids[key], {}))]
    if rows:
        session.execute(insert(person_address), rows)
