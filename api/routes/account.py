"""账号: one of them: its roles, and what an administrator does when somebody leaves or has lost a password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api import visit
from api.browsers import browser_name
from api.dependencies import Deployed, Now, Reads, Writes, printable
from api.guard import Guarded
from api.pages import address as link
from api.pages import page
from api.role_words import ROLE_NOTES, grant_words
from api.routes.accounts import STANDINGS, administered_unit, own_scope, show_link
from api.routes.my_account import WAYS
from ledger import accounts, invitations, logins, sign_on, totp
from ledger.database import Session
from ledger.queries.accounts import AccountRow, account_row, running_logins
from ledger.queries.units import UnitRow, search
from policy_models.access import Grant, Role, Scope
from policy_models.errors import ActNotAllowed, NotFound

router = APIRouter(route_class=Guarded, include_in_schema=False)
Id = Annotated[int, Path(ge=1, le=2**62)]
RoleName = Annotated[str, Form(max_length=20)]
UnitWords = Annotated[str, BeforeValidator(printable), Form(max_length=60)]
EVERYWHERE_ONLY = "只有全市管理员能给予或收回适用于全部单位的角色"
SELF = "不能停用自己的账号，请由其他管理员办理"


@router.get("/accounts/{id}")
def show_account(session: Reads, now: Now, settings: Deployed, id: Id) -> Response:
    scope = own_scope()
    row = account_row(session, id, scope, now)
    visitor = visit.current().visitor
    facts = {
        "here": "accounts",
        "account": row,
        "mine": visitor is not None and visitor.account_id == row.id,
        "logins": running_logins(session, row.id, now, settings.login_rules),
        "codes_left": totp.totp_of(session, row.id).codes_left,
        "standings": STANDINGS,
        "ways": WAYS,
        "role_notes": ROLE_NOTES,
        "grant_words": grant_words,
        "browser_name": browser_name,
        "whole": scope.is_whole,
    }
    return page("account_one.html", facts)


def _own(session: Session, id: int, now: Now) -> AccountRow:
    """The account, with its name in the trail. Raises NotFound outside of the administrator's scope."""
    row = account_row(session, id, own_scope(), now)
    visit.add_detail(row.name)
    return row


def _back(id: int, told: str) -> Response:
    return RedirectResponse(link(f"/accounts/{id}", told=told), 303)


def _by() -> int | None:
    visitor = visit.current().visitor
    return visitor.account_id if visitor else None


@router.post("/accounts/{id}/roles")
def give_role(
    session: Writes, now: Now, id: Id, role: RoleName = "", unit: UnitWords = "", everywhere: RoleName = ""
) -> Response:
    row, scope = _own(session, id, now), own_scope()
    grant = Grant(_role(role), _unit(session, unit, everywhere == "1", scope, now))
    accounts.add_grant(session, row.id, grant, now, by=_by())
    visit.add_detail(f"给予{_words(session, row.id, grant, scope, now)}")
    return _back(id, "role-given")


@router.post("/accounts/{id}/roles/remove")
def take_role(session: Writes, now: Now, id: Id, role: RoleName = "", unit: UnitWords = "") -> Response:
    row, scope = _own(session, id, now), own_scope()
    grant = Grant(_role(role), unit)
    visit.add_detail(f"收回{_words(session, row.id, grant, scope, now)}")
    accounts.remove_grant(session, row.id, grant, now)
    return _back(id, "role-taken")


def _words(session: Session, id: int, grant: Grant, scope: Scope, now: Now) -> str:
    held = account_row(session, id, scope, now).grants
    return next((grant_words(one) for one in held if one.grant == grant), "")


def _role(value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise HTTPException(422, "没有这个角色，请从列出的角色中选择") from None


def _unit(session: Session, words: str, everywhere: bool, scope: Scope, now: Now) -> str:
    """The code of the unit that was typed, by code or full name; "" for everywhere. Raises NotFound, NotResponsible."""
    if everywhere:
        if not scope.is_whole:
            raise ActNotAllowed(EVERYWHERE_ONLY)
        return ""
    return administered_unit(
        session, _named(search(session, words.strip(), scope=scope), words.strip()), scope, now
    ).code


def _named(found: tuple[UnitRow, ...], words: str) -> str:
    exact = [one.code for one in found if words in (one.code, one.name)] or [one.code for one in found]
    if not words or not exact:
        raise NotFound("没有找到这个单位，请填写单位的全称或代码，且须在您的管理范围内")
    if len(exact) > 1:
        raise ActNotAllowed(f"“{words[:20]}”对应几个单位，请填写单位代码（如 {exact[0]}）")
    return exact[0]


@router.post("/accounts/{id}/deactivate")
def deactivate(session: Writes, now: Now, id: Id) -> Response:
    """Its sessions end with it."""
    row = _own(session, id, now)
    if row.id == _by():
        raise ActNotAllowed(SELF)
    accounts.set_active(session, row.id, False, now)
    return _back(id, "account-off")


@router.post("/accounts/{id}/restore")
def restore(session: Writes, now: Now, id: Id) -> Response:
    accounts.set_active(session, _own(session, id, now).id, True, now)
    return _back(id, "account-on")


@router.post("/accounts/{id}/unlock")
def unlock(session: Writes, now: Now, id: Id) -> Response:
    accounts.unlock(session, _own(session, id, now).id, now)
    return _back(id, "account-unlocked")


@router.post("/accounts/{id}/end-sessions")
def end_sessions(session: Writes, now: Now, id: Id) -> Response:
    ended = logins.end_all_logins(session, _own(session, id, now).id, now)
    visit.add_detail(f"结束登录 {ended} 个")
    return _back(id, "sessions-ended")


@router.post("/accounts/{id}/unlink")
def unlink(session: Writes, now: Now, id: Id) -> Response:
    """The next visit from the single sign-on under this name is linked anew."""
    row = _own(session, id, now)
    sign_on.unlink(session, row.id, now)
    logins.end_all_logins(session, row.id, now, why="unlinked")
    return _back(id, "account-unlinked")


@router.post("/accounts/{id}/reset")
def reset(
    session: Writes, now: Now, settings: Deployed, id: Id, totp_off: Annotated[str, Form(max_length=8)] = ""
) -> Response:
    """A link to set the password anew, shown once; until it is used the old password goes on."""
    row = _own(session, id, now)
    if totp_off == "1":
        totp.turn_off(session, row.id, now)
        visit.add_detail("关闭动态码")
    token = invitations.invite(session, row.id, now, by=_by())
    return show_link(row, token, settings.base_url, invitations.LASTS.total_seconds() / 3600)
