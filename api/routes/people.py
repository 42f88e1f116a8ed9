"""人员: who answers for a unit's work and how they are reached; and which units nobody can reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import AwareDatetime, BeforeValidator

from api.dependencies import (
    Acting,
    Deployed,
    Ledger,
    Now,
    PlanCode,
    Reads,
    UnitCode,
    Writes,
    empty_is_none,
)
from api.desk import Today, present
from api.errors import status_of
from api.guard import Guarded
from api.pages import address, plan_page
from api.person_form import Typed, faults, typed, typed_as
from api.routes.item import PageNumber
from api.routes.review import note_blocked
from ledger import channels, people, plans
from ledger.acts import Actor
from ledger.database import Database, Session
from ledger.queries.items import NO_PAGE
from ledger.queries.reach import unreachable_page
from ledger.queries.reading import Reading
from ledger.queries.units import UnitRow, unit_row
from notifications.choices import choices
from policy_models.channels import EMAIL_CODE, INBOX_CODE
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound, PrivacyBlocked
from policy_models.people import ROLE_NAMES, WHY_NAMES, KnownChannel, PersonFacts, PersonRole, Why

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_ROWS = 100
Id = Annotated[int, Path(ge=1, le=2**62)]
Entered = Annotated[Typed, Depends(typed)]
Told = Annotated[str, Query(max_length=20)]
Seen = Annotated[AwareDatetime, Form()]
EXPECTED = (ActNotAllowed, ChangedMeanwhile, PrivacyBlocked)
TOLD = {
    "added": "已添加",
    "changed": "已保存",
    "deactivated": "已停用，此后不再收到提醒；如属误点，可在名单中恢复",
    "restored": "已恢复",
    "trusted": "退信标记已清除，此后继续使用这个地址",
    "imported": "人员表已导入",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not taken: what was typed, what is wrong by field, and in one sentence."""

    form: Typed
    wrong: dict[str, list[str]]
    fault: str = ""
    status: int = 422


def people_path(code: str, person_id: int | None = None) -> str:
    path = f"/units/{quote(code, safe='-')}/people"
    return path if person_id is None else f"{path}/{person_id}"


@router.get("/people/unreachable")
def show_unreachable(
    session: Reads,
    reading: Today,
    why: Annotated[Why | None, BeforeValidator(empty_is_none), Query()] = None,
    number: PageNumber = None,
) -> Response:
    """The units that owe something and that nobody can reach, with why: a page of them."""
    number = number or 1
    skip = (number - 1) * PAGE_ROWS
    found = unreachable_page(
        session, reading.summary.code, reading.now, skip=skip, limit=PAGE_ROWS, why=why, scope=reading.scope
    )
    if skip and not found.rows:
        raise NotFound(NO_PAGE)
    total = sum(found.counts.values())
    context = {
        "here": "board",
        "total": total,
        "shown": found.rows,
        "number": number,
        "skip": skip,
        "of": found.counts[why] if why else total,
        "why": why,
        "counts": found.counts,
        "why_names": WHY_NAMES,
    }
    return plan_page("people_unreachable.html", reading, plans.plans(session), context)


@router.get("/units/{code}/people")
def show_people(session: Reads, deployed: Deployed, reading: Today, code: UnitCode, told: Told = "") -> Response:
    return _list(session, reading, code, choices(deployed.data_dir), told=TOLD.get(told, ""))


def _list(
    session: Session,
    reading: Reading,
    code: str,
    known: tuple[KnownChannel, ...],
    *,
    told: str = "",
    refused: Refused | None = None,
) -> Response:
    """A unit's people and the form for one more."""
    own = unit_row(session, code)
    found = people.people_of(session, own.code)
    first = Typed(roles=() if found else (PersonRole.LIAISON.value,), ways=((EMAIL_CODE, "1", ""),))
    usable = {INBOX_CODE, *channels.confirmed(session)}
    reached = any(one.active and one.liaison and _works(one, usable) for one in found)
    more = {"people": found, "confirmed": usable, "reached": reached, "told": told}
    context = {**_shared(own, known, refused.form if refused else first, refused), **more}
    status = refused.status if refused else 200
    return plan_page("people.html", reading, plans.plans(session), context, status=status)


@router.get("/units/{code}/people/{id}")
def show_person(session: Reads, deployed: Deployed, reading: Today, code: UnitCode, id: Id) -> Response:
    one = people.person_of(session, code, id)
    return _edit(session, reading, one, choices(deployed.data_dir), one.changed_at.isoformat())


def _works(one: people.Person, usable: set[str]) -> bool:
    return any(way.channel in usable and way.bounce is None for way in one.addresses)


def _edit(
    session: Session,
    reading: Reading,
    one: people.Person,
    known: tuple[KnownChannel, ...],
    seen: str,
    refused: Refused | None = None,
) -> Response:
    own = unit_row(session, one.unit_code)
    form = refused.form if refused else typed_as(one.facts)
    context = {**_shared(own, known, form, refused), "person": one, "seen": seen}
    status = refused.status if refused else 200
    return plan_page("people_edit.html", reading, plans.plans(session), context, status=status)


def _shared(own: UnitRow, known: tuple[KnownChannel, ...], form: Typed, refused: Refused | None) -> dict[str, object]:
    return {
        "here": "units",
        "unit": own,
        "base": people_path(own.code),
        "channels": {one.code: one for one in known},
        "role_names": ROLE_NAMES,
        "form": form,
        "lines": form.lines(known),
        "refused": refused is not None,
        "wrong": refused.wrong if refused else {},
        "fault": refused.fault if refused else "",
    }


@router.post("/units/{code}/people")
def add(
    database: Ledger, deployed: Deployed, now: Now, by: Acting, code: UnitCode, form: Entered, plan: PlanCode = None
) -> Response:
    known = choices(deployed.data_dir)
    facts = form.facts(by.unit, known)
    refused = _taken(database, by, now, form, facts, known, lambda session: people.add_person(session, facts, now=now))
    if refused is None:
        return _back(code, "added", plan)
    with database.read() as session:
        return _list(session, present(session, plan, now), code, known, refused=refused)


@router.post("/units/{code}/people/{id}")
def change(
    database: Ledger,
    deployed: Deployed,
    now: Now,
    by: Acting,
    code: UnitCode,
    id: Id,
    form: Entered,
    seen: Seen,
    plan: PlanCode = None,
) -> Response:
    """Register somebody anew; whether the person is active is not on the form."""
    known = choices(deployed.data_dir)
    with database.read() as session:
        one = people.person_of(session, code, id)
    facts = replace(form.facts(by.unit, known), active=one.active)

    def act(session: Session) -> None:
        people.change_person(session, id, facts, seen=seen, now=now)

    refused = _taken(database, by, now, form, facts, known, act)
    if refused is None:
        return _back(code, "changed", plan)
    with database.read() as session:
        return _edit(session, present(session, plan, now), one, known, seen.isoformat(), refused)


def _taken(
    database: Database,
    by: Actor,
    now: datetime,
    form: Typed,
    facts: PersonFacts,
    known: tuple[KnownChannel, ...],
    act: Callable[[Session], object],
) -> Refused | None:
    """Do it, unless something is wrong with it."""
    if wrong := faults(form, facts, known):
        return Refused(form, wrong)
    try:
        with database.write() as session:
            act(session)
    except EXPECTED as error:
        note_blocked(database, error, by=by, now=now)
        return Refused(form, {}, str(error), status_of(error))
    return None


@router.post("/units/{code}/people/{id}/deactivate")
def deactivate(session: Writes, now: Now, by: Acting, code: UnitCode, id: Id, plan: PlanCode = None) -> Response:
    """Nothing is lost: the list offers to take it back."""
    people.set_active(session, by.unit, id, False, now=now)
    return _back(code, "deactivated", plan)


@router.post("/units/{code}/people/{id}/restore")
def restore(session: Writes, now: Now, by: Acting, code: UnitCode, id: Id, plan: PlanCode = None) -> Response:
    people.set_active(session, by.unit, id, True, now=now)
    return _back(code, "restored", plan)


@router.post("/units/{code}/people/{id}/trust")
def trust(session: Writes, by: Acting, code: UnitCode, id: Id, plan: PlanCode = None) -> Response:
    """The mailbox that letters came back from was set right."""
    people.trust_again(session, by.unit, id)
    return _back(code, "trusted", plan)


def _back(code: str, told: str, plan: str | None) -> Response:
    return RedirectResponse(address(people_path(code), told=told, plan=plan), 303)
