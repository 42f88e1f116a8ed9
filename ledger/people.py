"""人员: who answers for a unit's work (联络员、负责人、审核人) and how they are reached.

What changes here says nothing of the work: no unit's version, no feed and no entry changes with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.database import Session
from ledger.screenings import require_clean
from ledger.tables import person, person_address, unit
from policy_models.channels import EMAIL_CODE
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound
from policy_models.letters import canonical_address
from policy_models.people import PersonFacts, PersonRole, Way

LONGEST_BOUNCE = 200
CHANGED = "这位人员的登记刚被他人改动，请刷新页面后再操作"


@dataclass(frozen=True, slots=True)
class Address:
    """A way to a person: a channel's code and, where the channel needs one, the address. ``bounce``: why letters came
    back, None where none did."""

    channel: str
    address: str
    bounce: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a unit. ``addresses``: the preferred one first. ``changed_at``: UTC instant of the last change."""

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
    changed_at: datetime

    @property
    def roles(self) -> frozenset[PersonRole]:
        return frozenset(role for role in PersonRole if getattr(self, role.value))

    @property
    def facts(self) -> PersonFacts:
        ways = tuple(Way(one.channel, one.address) for one in self.addresses)
        return PersonFacts(
            self.unit_code,
            self.name,
            self.roles,
            self.post,
            self.phone,
            self.weekly,
            self.monthly,
            ways,
            self.active,
        )


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom the register names for a unit: 责任人 and 联系人 with their office telephone, several joined by 、."""

    principal: str
    liaison: str


NOBODY = Contacts("", "")


def people_of(session: Session, unit_code: str) -> tuple[Person, ...]:
    """A unit's people, those who are active first. Two statements."""
    return _people(session, person.c.unit_code == unit_code)


def everyone(session: Session) -> tuple[Person, ...]:
    """All people by unit, those who are active first. Two statements."""
    return _people(session)


def person_of(session: Session, unit_code: str, person_id: int) -> Person:
    """A person of a unit. Raises NotFound."""
    found = _people(session, person.c.unit_code == unit_code, person.c.id == person_id)
    if not found:
        raise NotFound("本单位没有登记这位人员，可能地址不完整")
    return found[0]


def contacts(session: Session, unit_codes: Collection[str]) -> dict[str, Contacts]:
    """The active principals and liaisons of units: one statement."""
    rows = session.execute(
        select(person.c.unit_code, person.c.name, person.c.phone, person.c.liaison, person.c.principal)
        .where(person.c.active, person.c.unit_code.in_(list(unit_codes)))
        .order_by(person.c.unit_code, person.c.id)
    )
    principals, liaisons = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for row in rows:
        if row.principal:
            principals[row.unit_code].append(row.name)
        if row.liaison:
            liaisons[row.unit_code].append(f"{row.name} {row.phone}".strip())
    return {code: Contacts("、".join(principals[code]), "、".join(liaisons[code])) for code in {*principals, *liaisons}}


def add_person(session: Session, facts: PersonFacts, *, now: datetime) -> int:
    """Register somebody at a unit; the person's id. ``facts`` have passed ``policy_models.people.faults_of``.

    Raises PrivacyBlocked, NotFound for an unknown unit, ActNotAllowed where the unit has somebody of this name.
    """
    require_clean_people([facts])
    if session.execute(select(unit.c.code).where(unit.c.code == facts.unit_code)).first() is None:
        raise NotFound(f"没有代码为“{facts.unit_code[:24]}”的单位")
    values = {"unit_code": facts.unit_code, **columns_of(facts), "added_at": now, "changed_at": now}
    try:
        with session.begin_nested():
            person_id = session.execute(insert(person).values(values).returning(person.c.id)).scalar_one()
    except IntegrityError as error:
        raise _double(facts.name) from error
    _write_ways(session, person_id, facts.ways, {})
    return int(person_id)


def change_person(session: Session, person_id: int, facts: PersonFacts, *, seen: datetime, now: datetime) -> None:
    """Register somebody anew, addresses and all. An address that stays keeps what is known of it, another begins anew.
    ``seen``: ``changed_at`` as the one who changes it saw it.

    Raises PrivacyBlocked, ChangedMeanwhile, ActNotAllowed where the unit has somebody else of this name.
    """
    require_clean_people([facts])
    known = {(one.channel, one.address): one for one in _addresses(session, person.c.id == person_id)}
    own = (person.c.id == person_id, person.c.unit_code == facts.unit_code, person.c.changed_at == seen)
    try:
        with session.begin_nested():
            met = session.execute(update(person).where(*own).values(**columns_of(facts), changed_at=now)).rowcount
    except IntegrityError as error:
        raise _double(facts.name) from error
    if not met:
        raise ChangedMeanwhile(CHANGED)
    _write_ways(session, person_id, facts.ways, known)


def set_active(session: Session, unit_code: str, person_id: int, active: bool, *, now: datetime) -> None:
    """Deactivate a person, who then hears nothing more and stands for nothing, or take that back.

    Raises NotFound, and ChangedMeanwhile where it was done already.
    """
    one = person_of(session, unit_code, person_id)
    changed = update(person).where(person.c.id == one.id, person.c.active != active)
    if session.execute(changed.values(active=active, changed_at=now)).rowcount == 0:
        raise ChangedMeanwhile(f"{one.name}此前已{'恢复' if active else '停用'}")


def note_bounce(session: Session, address: str, reason: str, now: datetime) -> int:
    """Letters to this e-mail address come back: it is not used until it is changed or trusted again. How many people
    have it. ``reason``: one sentence fit to be shown, without a personal value."""
    marked = (
        update(person_address)
        .where(person_address.c.channel == EMAIL_CODE, person_address.c.address == canonical_address(address))
        .values(bounced_at=now, bounce=reason.strip()[:LONGEST_BOUNCE])
    )
    return int(session.execute(marked).rowcount)


def trust_again(session: Session, unit_code: str, person_id: int) -> int:
    """Somebody set the mailbox right: use the addresses of a person again that letters came back from; how many."""
    own = exists(select(1).where(person.c.id == person_address.c.person_id, person.c.unit_code == unit_code))
    marked = update(person_address).where(person_address.c.person_id == person_id, own)
    marked = marked.where(person_address.c.bounced_at.is_not(None)).values(bounced_at=None, bounce=None)
    return int(session.execute(marked).rowcount)


def require_clean_people(people: Iterable[PersonFacts]) -> None:
    """The privacy gate over every word of people. Raises PrivacyBlocked."""
    require_clean(
        (place, text)
        for one in people
        for place, text in (
            ("姓名", one.name),
            ("职务", one.post),
            ("电话", one.phone),
            *(("渠道地址", way.address) for way in one.ways),
        )
    )


def columns_of(facts: PersonFacts) -> dict[str, Any]:
    """The columns of ``person`` beside unit and instants."""
    return {
        "name": facts.name,
        "post": facts.post,
        "phone": facts.phone,
        **{role.value: role in facts.roles for role in PersonRole},
        "weekly": facts.weekly,
        "monthly": facts.monthly,
        "active": facts.active,
    }


def way_rows(person_id: int, ways: Sequence[Way], known: Any) -> list[dict[str, Any]]:
    """The rows of ``person_address`` for a person's ways; one that stays as it was keeps its mark."""
    rows = []
    for position, way in enumerate(ways):
        before = known.get((way.channel, way.address))
        mark = {"bounced_at": before.bounced_at if before else None, "bounce": before.bounce if before else None}
        rows.append(
            {
                "person_id": person_id,
                "channel": way.channel,
                "address": way.address,
                "position": position,
                **mark,
            }
        )
    return rows


def _write_ways(session: Session, person_id: int, ways: Sequence[Way], known: Any) -> None:
    session.execute(delete(person_address).where(person_address.c.person_id == person_id))
    if ways:
        session.execute(insert(person_address), way_rows(person_id, ways, known))


def _double(name: str) -> ActNotAllowed:
    return ActNotAllowed(f"本单位已登记{name}，请在名单中更改或恢复，不必另外添加")


def _addresses(session: Session, *wanted: ColumnElement[bool]) -> Sequence[Any]:
    chosen = select(person_address).join(person, person.c.id == person_address.c.person_id).where(*wanted)
    return session.execute(chosen.order_by(person_address.c.person_id, person_address.c.position)).all()


def _people(session: Session, *wanted: ColumnElement[bool]) -> tuple[Person, ...]:
    order = (person.c.unit_code, person.c.active.desc(), person.c.id)
    rows = session.execute(select(person).where(*wanted).order_by(*order)).all()
    ways: dict[int, list[Address]] = {}
    for one in _addresses(session, *wanted):
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
        row.changed_at,
    )
