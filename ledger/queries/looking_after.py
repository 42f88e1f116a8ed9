"""What an administrator looks after in a scope, counted: units, people, accounts; and people found by a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, case, exists, func, or_, select

from ledger.database import Session
from ledger.scope import within
from ledger.tables import account, account_grant, person, unit
from policy_models.access import Scope
from policy_models.people import PersonRole


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """Units in use, those of them that have no active liaison, closed ones; active people."""

    running: int
    without_liaison: int
    closed: int
    people: int


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """Accounts of people that are active; of these those that are locked now, and those that nobody opened yet;
    active accounts of programs."""

    active: int
    locked: int
    unopened: int
    machines: int


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person with where they work; ``roles`` in the order of PersonRole."""

    id: int
    name: str
    post: str
    phone: str
    unit: str
    unit_name: str
    roles: tuple[PersonRole, ...]
    active: bool


def unit_counts(session: Session, scope: Scope, today: date) -> UnitCounts:
    """Of the scope on a civil date. Two statements."""
    open_ = and_(unit.c.active, or_(unit.c.closed_on.is_(None), unit.c.closed_on > today))
    reached = exists().where(person.c.unit_code == unit.c.code, person.c.active, person.c.liaison)
    sums = [(open_, "running"), (and_(open_, ~reached), "without"), (~open_, "closed")]
    columns = [func.coalesce(func.sum(case((which, 1), else_=0)), 0).label(name) for which, name in sums]
    row = session.execute(select(*columns).where(within(scope, unit.c.code))).one()
    people = select(func.count()).where(person.c.active, within(scope, person.c.unit_code))
    return UnitCounts(int(row.running), int(row.without), int(row.closed), int(session.execute(people).scalar_one()))


def account_counts(session: Session, scope: Scope, now: datetime) -> AccountCounts:
    """Accounts that hold a role within the scope; for the whole of it also those without any. One statement."""
    held = exists().where(account_grant.c.account_id == account.c.id, within(scope, account_grant.c.unit_code))
    person_of = and_(account.c.active, ~account.c.machine)
    sums = [
        (person_of, "active"),
        (and_(person_of, account.c.locked_until > now), "locked"),
        (and_(person_of, account.c.last_seen_at.is_(None)), "unopened"),
        (and_(account.c.active, account.c.machine), "machines"),
    ]
    columns = [func.coalesce(func.sum(case((which, 1), else_=0)), 0).label(name) for which, name in sums]
    chosen = select(*columns) if scope.is_whole else select(*columns).where(held)
    row = session.execute(chosen).one()
    return AccountCounts(int(row.active), int(row.locked), int(row.unopened), int(row.machines))


def find_people(session: Session, scope: Scope, words: str, *, limit: int = 100) -> tuple[FoundPerson, ...]:
    """People of the scope whose name, post, telephone or unit has the words in it, those who are active first."""
    plain = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    places = (person.c.name, person.c.post, person.c.phone, unit.c.name)
    hit = or_(*(place.like(f"%{plain}%", escape="\\") for place in places), person.c.unit_code == words)
    rows = session.execute(
        select(person, unit.c.name.label("unit_name"))
        .join(unit, unit.c.code == person.c.unit_code)
        .where(hit, within(scope, person.c.unit_code))
        .order_by(person.c.active.desc(), func.length(person.c.unit_code), person.c.unit_code, person.c.id)
        .limit(limit)
    )
    return tuple(
        FoundPerson(
            row.id,
            row.name,
            row.post,
            row.phone,
            row.unit_code,
            row.unit_name,
            tuple(role for role in PersonRole if getattr(row, role.value)),
            bool(row.active),
        )
        for row in rows
    )
