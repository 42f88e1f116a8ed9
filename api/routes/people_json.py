"""人员 by JSON: who answers for a unit's work. The rules are those of the page and of the table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path

from api.answers_reports import PeopleOut, PersonOut, WayOut
from api.bodies_acts import NothingIn, PersonChangeIn, PersonIn
from api.dependencies import Deployed, Now, Reads, UnitCode, Writes, acting
from api.json_route import ApiRoute
from ledger import people
from ledger.database import Session
from ledger.people import Person
from ledger.queries.units import unit_row
from notifications.choices import choices
from policy_models.errors import Fault, Faulty
from policy_models.people import KnownChannel, PersonFacts, PersonRole, faults_of, read_way, tidy, tidy_name

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["人员"])
Id = Annotated[int, Path(ge=1, le=2**62, description="人员编号")]
LIST, ONE = "/units/{code}/people", "/units/{code}/people/{id}"
PLAIN = ("id", "name", "post", "phone", "weekly", "monthly", "active", "changed_at")


@router.get(LIST, summary="一个单位的人员", description="联络员、负责人、审核人及其联系方式；只登记工作人员。")
def list_people(session: Reads, code: UnitCode) -> PeopleOut:
    return PeopleOut(people=[_person(one) for one in people.people_of(session, unit_row(session, code).code)])


@router.get(ONE, summary="一位人员", description="一位人员的登记。")
def read_person(session: Reads, code: UnitCode, id: Id) -> PersonOut:
    return _person(people.person_of(session, code, id))


@router.post(LIST, summary="添加人员", description="登记一位工作人员；同名的答 409。")
def add(session: Writes, now: Now, deployed: Deployed, code: UnitCode, given: PersonIn) -> PersonOut:
    by = acting(session, now, code, given.by_name)
    facts = _checked(by.unit, given, choices(deployed.data_dir))
    return _answer(session, by.unit, people.add_person(session, facts, now=now))


@router.put(ONE, summary="更改人员", description="以新的登记代替原有的；seen 与 changed_at 不同的答 409。")
def change(session: Writes, now: Now, deployed: Deployed, code: UnitCode, id: Id, given: PersonChangeIn) -> PersonOut:
    by, one = acting(session, now, code, given.by_name), people.person_of(session, code, id)
    facts = replace(_checked(by.unit, given, choices(deployed.data_dir)), active=one.active)
    people.change_person(session, id, facts, seen=given.seen, now=now)
    return _answer(session, code, id)


@router.post(ONE + "/deactivate", summary="停用人员", description="不再收到消息；可以恢复。")
def deactivate(session: Writes, now: Now, code: UnitCode, id: Id, given: NothingIn) -> PersonOut:
    people.set_active(session, acting(session, now, code, given.by_name).unit, id, False, now=now)
    return _answer(session, code, id)


@router.post(ONE + "/restore", summary="恢复人员", description="恢复已停用的人员。")
def restore(session: Writes, now: Now, code: UnitCode, id: Id, given: NothingIn) -> PersonOut:
    people.set_active(session, acting(session, now, code, given.by_name).unit, id, True, now=now)
    return _answer(session, code, id)


def _answer(session: Session, code: str, id: int) -> PersonOut:
    return _person(people.person_of(session, code, id))


def _checked(code: str, given: PersonIn, known: tuple[KnownChannel, ...]) -> PersonFacts:
    """Raises Faulty with every fault by field."""
    facts = PersonFacts(
        code,
        tidy_name(given.name),
        frozenset(PersonRole(role) for role in given.roles),
        tidy(given.post),
        tidy(given.phone),
        given.weekly,
        given.monthly,
        tuple(read_way(one.channel, one.address, known) for one in given.ways),
    )
    found: dict[str, list[str]] = defaultdict(list)
    for field, words in faults_of(facts, known):
        found[field].append(words)
    if found:
        raise Faulty([Fault(field, None, "", "；".join(words)) for field, words in found.items()])
    return facts


def _person(one: Person) -> PersonOut:
    ways = [WayOut.model_validate(way) for way in one.addresses]
    plain = {name: getattr(one, name) for name in PLAIN}
    return PersonOut(**plain, roles=sorted(one.roles), ways=ways)
