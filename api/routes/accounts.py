"""账号: the list for administrators, and inviting somebody. Each sees the accounts all of whose roles lie where they
themselves administer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import BeforeValidator

from api import visit
from api.account_form import Typed, first_fault, typed
from api.dependencies import Deployed, Ledger, Now, Reads, empty_is_none, printable
from api.guard import Guarded
from api.pages import page
from api.role_words import ROLE_NOTES, grant_words
from ledger import accounts, invitations, people
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.accounts import PAGE, AccountRow, Chosen, Standing, account_row, accounts_page
from ledger.queries.units import UnitRow, search, unit_row
from ledger.scope import line_of
from policy_models.access import Right, Role, Scope
from policy_models.errors import Faulty, NotResponsible, PrivacyBlocked

router = APIRouter(route_class=Guarded, include_in_schema=False)
Words = Annotated[str, BeforeValidator(printable), Query(max_length=60)]
Code = Annotated[str, BeforeValidator(printable), Query(max_length=24)]
STANDINGS = {Standing.ACTIVE: "在用", Standing.NEW: "尚未启用", Standing.LOCKED: "暂停登录", Standing.PAST: "已停用"}
FOUND = 50  # units offered at once
OUTSIDE = "您不能在这个单位设立账号；只能在您管理的单位及其下级设立"
CLOSED = "{name}已停用，不能设立账号"


def own_scope() -> Scope:
    """Where the visitor administers."""
    visitor = visit.current().visitor
    return visitor.scope_of(Right.ADMINISTER) if visitor else visit.NOBODY


def administered_unit(session: Session, code: str, scope: Scope, now: datetime) -> UnitRow:
    """A unit at which the visitor may give roles. Raises NotFound, NotResponsible."""
    own = unit_row(session, code)
    if scope.roots is not None and line_of(session, own.code).isdisjoint(scope.roots):
        raise NotResponsible(OUTSIDE)
    if own.is_closed(civil_date(now)):
        raise NotResponsible(CLOSED.format(name=own.name))
    return own


@router.get("/accounts")
def show_accounts(
    session: Reads,
    now: Now,
    q: Words = "",
    role: Annotated[Role | None, BeforeValidator(empty_is_none), Query()] = None,
    state: Annotated[Standing | None, BeforeValidator(empty_is_none), Query()] = None,
    page_number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    chosen = Chosen(q, role, state)
    found, total = accounts_page(session, own_scope(), now, chosen=chosen, page=page_number)
    facts = {
        "here": "accounts",
        "accounts": found,
        "total": total,
        "chosen": chosen,
        "standings": STANDINGS,
        "number": page_number,
        "pages": max(1, -(-total // PAGE)),
        "grant_words": grant_words,
    }
    return page("accounts.html", facts)


@router.get("/accounts/new")
def show_new(session: Reads, now: Now, q: Words = "", unit: Code = "") -> Response:
    """First the unit, then the form."""
    scope = own_scope()
    if unit:
        return _form(session, administered_unit(session, unit, scope, now), Typed())
    found = search(session, q.strip(), limit=FOUND, scope=scope)
    return page("account_unit.html", {"here": "accounts", "q": q, "found": found, "whole": scope.is_whole})


def _form(
    session: Session, own: UnitRow, form: Typed, wrong: dict[str, str] | None = None, fault: str = ""
) -> Response:
    facts = {
        "here": "accounts",
        "unit": own,
        "people": [one for one in people.people_of(session, own.code) if one.active],
        "form": form,
        "wrong": wrong or {},
        "fault": fault,
        "role_notes": ROLE_NOTES,
    }
    return page("account_new.html", facts, status=422 if wrong or fault else 200)


@router.post("/accounts")
def invite(
    database: Ledger,
    now: Now,
    settings: Deployed,
    form: Annotated[Typed, Depends(typed)],
    unit: Annotated[str, BeforeValidator(printable), Form(max_length=24)] = "",
) -> Response:
    """A new account with its roles, and its link, shown once."""
    scope, visitor = own_scope(), visit.current().visitor
    by = visitor.account_id if visitor else None
    with database.read() as session:
        own = administered_unit(session, unit, scope, now)
        known = [one for one in people.people_of(session, own.code) if one.active]
        if wrong := form.faults(known):
            return _form(session, own, form, wrong)
    try:
        with database.write() as session:
            made = accounts.create_account(session, form.name, form.shown(known), now, person_id=form.person_id)
            accounts.set_grants(session, made, form.grants(own.code), now, by=by)
            token = invitations.invite(session, made, now, by=by)
            row = account_row(session, made, scope, now)
            visit.add_detail(f"{row.name}：{'、'.join(map(grant_words, row.grants))}")
    except Faulty as error:
        with database.read() as session:
            return _form(session, own, form, fault=first_fault(error))
    except PrivacyBlocked as error:  # what was typed is not shown again
        with database.read() as session:
            return _form(session, own, replace(form, name="", display_name=""), fault=str(error))
    return show_link(row, token, settings.base_url, invitations.LASTS.total_seconds() / 3600)


def show_link(row: AccountRow, token: str, base_url: str, hours: float) -> Response:
    """The one page that ever shows a link."""
    address = f"{base_url.rstrip('/')}/invitations/{quote(token)}"
    facts = {"here": "accounts", "account": row, "address": address, "hours": int(hours), "grant_words": grant_words}
    return page("account_invited.html", facts, headers={"Referrer-Policy": "no-referrer"})
