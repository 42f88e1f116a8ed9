"""人员: who answers for a unit's work (联络员、负责人、审核人) and how they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ledger.database import Session
from ledger.tables import person, person_address


@dataclass(frozen=True, slots=True)
class Address:
    """A way to a person: a channel's code and, where the channel needs one, the address. ``bounce``: why letters came
    back, None where none did."""

    channel: str
    address: str
    bounce: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a unit. ``addresses``: the preferred one first."""

    id: int
    unit_code: str
    name: str
    post: str
    phone: str
    liaison: bool
    principal: bool
    reviewer: bool
    weekly: bool
    monthly: bool
    active: bool
    addresses: tuple[Address, ...]


def people_of(session: Session, unit_code: str) -> tuple[Person, ...]:
    """A unit's people, those who are active first. Two statements."""
    rows = session.execute(
        select(person).where(person.c.unit_code == unit_code).order_by(person.c.active.desc(), person.c.id)
    ).all()
    ways: dict[int, list[Address]] = {}
    found = select(person_address).where(person_address.c.person_id.in_([row.id for row in rows]))
    for one in session.execute(found.order_by(person_address.c.position)):
        ways.setdefault(one.person_id, []).append(Address(one.channel, one.address, one.bounce))
    return tuple(_person(row, tuple(ways.get(row.id, ()))) for row in rows)


def _person(row: Any, addresses: tuple[Address, ...]) -> Person:
    return Person(
        row.id,
        row.unit_code,
        row.name,
        row.post,
        row.phone,
        row.liaison,
        row.principal,
        row.reviewer,
        row.weekly,
        row.monthly,
        row.active,
        addresses,
    )
