"""延期申请: asking for a later deadline, and deciding on it; both dates stay visible."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.dependencies import Acting, Ledger, Now, PlanCode, Reads, UnitCode, civil
from api.desk import Today, present
from api.guard import Guarded
from api.pages import address, plan_page
from api.routes.item import Key
from api.routes.review import Words, note_blocked
from ledger import extensions, plans
from ledger.acts import Actor
from ledger.civil import end_of_day
from ledger.database import Database, Session
from ledger.queries.items import item
from ledger.queries.reading import Reading
from ledger.queries.units import unit_row
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    LuchengError,
    NotResponsible,
    PrivacyBlocked,
    ReasonMissing,
)

router = APIRouter(route_class=Guarded, include_in_schema=False)
Id = Annotated[int, Path(ge=1, le=2**62)]
Day = Annotated[date | None, BeforeValidator(civil), Form()]
TYPED = Annotated[str, Form(max_length=20)]
TOLD = {
    "requested": "申请已提交，等待审批",
    "withdrawn": "申请已撤回",
    "granted": "已同意延期",
    "refused": "已答复不同意",
}
EXPECTED = (ReasonMissing, PrivacyBlocked, ActNotAllowed, ChangedMeanwhile)


def list_path(code: str) -> str:
    return f"/units/{quote(code, safe='-')}/extensions"


@router.get("/units/{code}/extensions")
def show_list(
    session: Reads, reading: Today, code: UnitCode, told: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What the unit asked for, and what waits for its decision."""
    return _list_page(session, reading, code, told=TOLD.get(told, ""))


def _list_page(
    session: Session,
    reading: Reading,
    code: str,
    *,
    told: str = "",
    fault: str = "",
    at: int = 0,
    note: str = "",
    until: str = "",
    status: int = 200,
) -> Response:
    own = unit_row(session, code)
    context = {
        "here": "units",
        "unit": own,
        "waiting": extensions.to_decide(session, reading.plan_id, own.code),
        "own": extensions.requested_by(session, reading.plan_id, own.code),
        "decided": extensions.decided_by_unit(session, reading.plan_id, own.code),
        "told": told,
        "fault": fault,
        "at": at,
        "note": note,
        "until": until,
    }
    return plan_page("extensions.html", reading, plans.plans(session), context, status=status)


@router.get("/units/{code}/extend/{key:path}")
def show_form(session: Reads, reading: Today, code: UnitCode, key: Key) -> Response:
    return _form_page(session, reading, code, key)


def _form_page(
    session: Session,
    reading: Reading,
    code: str,
    key: str,
    *,
    fault: str = "",
    wanted: str = "",
    reason: str = "",
    status: int = 200,
) -> Response:
    own = unit_row(session, code)
    row = item(session, reading, key).row
    if row.unit != own.code:
        raise NotResponsible("这一办理件由其他单位报送，须由该单位申请延期")
    context = {
        "here": "units",
        "unit": own,
        "row": row,
        "former": extensions.of_item(session, key, before=end_of_day(reading.as_of)),
        "fault": fault,
        "wanted": wanted,
        "reason": reason,
    }
    return plan_page("extend.html", reading, plans.plans(session), context, status=status)


@router.post("/units/{code}/extend/{key:path}")
def request(
    database: Ledger,
    now: Now,
    by: Acting,
    code: UnitCode,
    key: Key,
    wanted: TYPED = "",
    reason: Words = "",
    plan: PlanCode = None,
) -> Response:
    """Ask for a later deadline; what was typed is shown again with what is wrong."""
    try:
        day = civil(wanted)
        assert day is None or isinstance(day, date)
        with database.write() as session:
            extensions.request(session, key, wanted=day, reason=reason, by=by, now=now)
    except (*EXPECTED, ValueError) as error:
        status = told_fault(database, error, by, now)
        with database.read() as session:
            reading = present(session, plan, now)
            typed = {"wanted": wanted, "reason": reason}
            return _form_page(session, reading, code, key, fault=str(error), status=status, **typed)
    return RedirectResponse(address(list_path(code), told="requested", plan=plan), 303)


@router.post("/units/{code}/extensions/{id}/withdraw")
def withdraw(database: Ledger, now: Now, by: Acting, code: UnitCode, id: Id, plan: PlanCode = None) -> Response:
    def act(session: Session) -> None:
        extensions.withdraw(session, id, by=by, now=now)

    return _answered(database, plan, now, by, id, act, "withdrawn")


@router.post("/units/{code}/extensions/{id}/grant")
def grant(
    database: Ledger,
    now: Now,
    by: Acting,
    code: UnitCode,
    id: Id,
    until: TYPED = "",
    note: Words = "",
    plan: PlanCode = None,
) -> Response:
    """Grant what was asked for, or an earlier date."""

    def act(session: Session) -> None:
        day = civil(until)
        assert day is None or isinstance(day, date)
        extensions.grant(session, id, by=by, now=now, until=day, note=note)

    return _answered(database, plan, now, by, id, act, "granted", note=note, until=until)


@router.post("/units/{code}/extensions/{id}/refuse")
def refuse(
    database: Ledger,
    now: Now,
    by: Acting,
    code: UnitCode,
    id: Id,
    until: TYPED = "",
    note: Words = "",
    plan: PlanCode = None,
) -> Response:
    """Refuse with the note as reason."""

    def act(session: Session) -> None:
        extensions.refuse(session, id, by=by, now=now, reason=note)

    return _answered(database, plan, now, by, id, act, "refused", note=note, until=until)


def told_fault(database: Database, error: LuchengError | ValueError, by: Actor, now: datetime) -> int:
    """The status to answer with; what the privacy gate stopped is noted."""
    if isinstance(error, ValueError):
        return 422
    note_blocked(database, error, by=by, now=now)
    return 422 if isinstance(error, (ReasonMissing, PrivacyBlocked)) else 409


def _answered(
    database: Database,
    plan: str | None,
    now: datetime,
    by: Actor,
    id: int,
    act: Callable[[Session], None],
    told: str,
    *,
    note: str = "",
    until: str = "",
) -> Response:
    """Do the act and go back to the list; where it is refused, the list again with the sentence and what was typed."""
    try:
        with database.write() as session:
            act(session)
    except (*EXPECTED, ValueError) as error:
        status = told_fault(database, error, by, now)
        with database.read() as session:
            typed = {"note": note, "until": until}
            return _list_page(
                session, present(session, plan, now), by.unit, fault=str(error), at=id, status=status, **typed
            )
    return RedirectResponse(address(list_path(by.unit), told=told, plan=plan), 303)
