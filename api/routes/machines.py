"""程序凭证: accounts for other systems, and their tokens. A token is shown once; in the ledger lies its digest alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api import visit
from api.admin import admin_page
from api.dependencies import Ledger, Now, Reads, Writes, civil, printable
from api.errors import status_of
from api.guard import Guarded
from api.pages import address
from api.routes.review import note_blocked
from ledger import machine_tokens
from ledger.acts import Actor
from ledger.civil import SHANGHAI, civil_date
from ledger.database import Database, Session
from policy_models.access import ROLE_NAMES, Grant, Role
from policy_models.errors import ActNotAllowed, Fault, Faulty, LuchengError, NotFound, NotResponsible, PrivacyBlocked

router = APIRouter(route_class=Guarded, include_in_schema=False)
PATH = "/admin/machines"
SECRET = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
TOLD = {
    "made": "接口账号已建立，请再建立令牌",
    "stopped": "令牌已停用，使用它的程序随即不能再访问",
    "off": "接口账号已停用，其令牌随即失效",
    "on": "接口账号已恢复",
}
USUAL_DAYS = 365
Id = Annotated[int, Path(ge=1, le=2**62)]
Short = Annotated[str, BeforeValidator(printable), Form(max_length=80)]
EXPECTED = (Faulty, NotFound, ActNotAllowed, PrivacyBlocked)


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not taken: which (the account's name, "" for a new account), what was typed, and why."""

    form: str
    typed: dict[str, str]
    fault: str
    status: int


def by_person() -> None:
    """A program never makes a key for another. Raises NotResponsible."""
    visitor = visit.current().visitor
    if visitor is None or visitor.token_id is not None:
        raise NotResponsible("令牌不能用来管理令牌，请由管理员登录后办理")


@router.get(PATH)
def show_machines(session: Reads, now: Now, told: Annotated[str, Query(max_length=20)] = "") -> Response:
    return _page(session, now, told=TOLD.get(told, ""))


def _page(
    session: Session,
    now: datetime,
    *,
    told: str = "",
    refused: Refused | None = None,
    fresh: tuple[str, str] | None = None,
) -> Response:
    """``fresh``: the account's name and its new token, shown this once."""
    context = {
        "machines": machine_tokens.listing(session),
        "now": now,
        "done": told,
        "role_names": ROLE_NAMES,
        "refused": refused,
        "fresh": fresh,
        "until": civil_date(now) + timedelta(days=USUAL_DAYS),
    }
    found = admin_page(
        "admin_machines.html", session, now, context, tab=PATH, status=refused.status if refused else 200
    )
    if fresh:
        found.headers.update(SECRET)
    return found


def _refused(database: Database, now: datetime, error: LuchengError, form: str, **typed: str) -> Response:
    note_blocked(database, error, by=Actor("", ""), now=now)
    with database.read() as session:
        return _page(session, now, refused=Refused(form, typed, str(error), status_of(error)))


@router.post(PATH, dependencies=[Depends(by_person)])
def make(
    database: Ledger, now: Now, name: Short = "", display_name: Short = "", role: Short = "", unit: Short = ""
) -> Response:
    """A new account for programs with one role at one unit; "" for everywhere."""
    try:
        if role not in set(Role):
            raise Faulty([Fault("角色", None, "", "请选择角色")])
        grants = [Grant(Role(role), unit.strip())]
        with database.write() as session:
            machine_tokens.create_machine(session, name, display_name, grants, now, by=_account())
    except EXPECTED as error:
        return _refused(database, now, error, "", name=name, display_name=display_name, role=role, unit=unit)
    return RedirectResponse(address(PATH, told="made"), 303)


@router.post(PATH + "/{name}/tokens", dependencies=[Depends(by_person)])
def make_token(
    database: Ledger,
    now: Now,
    name: Annotated[str, BeforeValidator(printable), Path(max_length=60)],
    purpose: Short = "",
    writes: Annotated[str, Form(max_length=8)] = "",
    until: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """A new token, shown in the answer and nowhere else."""
    try:
        day = _until(until)
        ends = datetime.combine(day, time(23, 59, 59), SHANGHAI) if day else None
        with database.write() as session:
            token = machine_tokens.create(
                session, name, purpose, now, only_reads=writes != "on", expires_at=ends, by=_account()
            )
    except EXPECTED as error:
        return _refused(database, now, error, name, purpose=purpose, writes=writes, until=until)
    with database.read() as session:
        return _page(session, now, fresh=(name, token))


def _until(typed: str) -> date | None:
    try:
        day = civil(typed)
    except ValueError as error:
        raise Faulty([Fault("有效期至", None, "", str(error))]) from error
    return day if isinstance(day, date) else None


@router.post(PATH + "/tokens/{token_id}/revoke", dependencies=[Depends(by_person)])
def stop_token(session: Writes, now: Now, token_id: Id) -> Response:
    machine_tokens.revoke(session, token_id, now)
    return RedirectResponse(address(PATH, told="stopped"), 303)


@router.post(PATH + "/{account_id}/deactivate", dependencies=[Depends(by_person)])
def switch_off(session: Writes, now: Now, account_id: Id) -> Response:
    """Every token of it stops at once; it can be taken back."""
    machine_tokens.set_machine_active(session, account_id, False, now)
    return RedirectResponse(address(PATH, told="off"), 303)


@router.post(PATH + "/{account_id}/restore", dependencies=[Depends(by_person)])
def switch_on(session: Writes, now: Now, account_id: Id) -> Response:
    machine_tokens.set_machine_active(session, account_id, True, now)
    return RedirectResponse(address(PATH, told="on"), 303)


def _account() -> int | None:
    visitor = visit.current().visitor
    return visitor.account_id if visitor else None
