"""我的账号: name, password, and the sessions that are open, each of which can be ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from api import visit
from api.browsers import browser_name
from api.dependencies import Deployed, Ledger, Now, Reads, Writes
from api.guard import Guarded, client_address
from api.pages import address as link
from api.pages import page
from api.role_words import ROLE_NOTES
from api.routes.login import Trying
from api.session_cookie import forget_key
from ledger import accounts, logins, passwords, signing_in, totp, trail
from ledger.database import Session
from ledger.logins import LoginRules
from ledger.queries.accounts import own_account, running_logins
from policy_models.access import Visitor
from policy_models.credentials import password_fault
from policy_models.errors import ActNotAllowed, Faulty, NotResponsible, PrivacyBlocked

router = APIRouter(route_class=Guarded, include_in_schema=False)
WAYS = {"password": "密码", "invitation": "邀请链接", "oidc": "统一身份认证", "demo": "演示"}
WRONG_OLD = "现在的密码不正确，密码没有更改"
DIFFER = "两次输入的新密码不一致，密码没有更改"
NOT_OWN = "这个账号没有密码，不能在这里操作；请从统一身份认证登录"
Secret = Annotated[str, Form(max_length=1000)]
Id = Annotated[int, Path(ge=1, le=2**62)]


def me() -> Visitor:
    """Who is signed in by a browser. Raises NotResponsible for a machine's token, which has no account page."""
    visitor = visit.current().visitor
    if visitor is None or visitor.login_id is None:
        raise NotResponsible("这一页只供登录的人员使用，程序的令牌不能使用")
    return visitor


Me = Annotated[Visitor, Depends(me)]


@router.get("/account")
def show_account(request: Request, session: Reads, now: Now, settings: Deployed, visitor: Me) -> Response:
    return _page(request, session, now, settings.login_rules, visitor)


def _page(
    request: Request,
    session: Session,
    now: Now,
    rules: LoginRules,
    visitor: Visitor,
    *,
    fault: str = "",
    place: str = "",
) -> Response:
    facts = {
        "here": "account",
        "account": own_account(session, visitor.account_id, now),
        "logins": running_logins(session, visitor.account_id, now, rules),
        "this_login": visitor.login_id,
        "totp": totp.totp_of(session, visitor.account_id),
        "must_set_totp": visitor.must_set_totp,
        "rules": rules,
        "ways": WAYS,
        "role_notes": ROLE_NOTES,
        "browser_name": browser_name,
        "fault": fault,
        "place": place,
    }
    return page("account.html", facts, status=422 if fault else 200)


@router.post("/account/name")
def rename(
    request: Request,
    database: Ledger,
    now: Now,
    settings: Deployed,
    visitor: Me,
    display_name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    try:
        with database.write() as session:
            accounts.rename(session, visitor.account_id, display_name, now)
    except (Faulty, PrivacyBlocked) as error:
        fault = error.faults[0].message if isinstance(error, Faulty) else str(error)
        with database.read() as session:
            return _page(request, session, now, settings.login_rules, visitor, fault=fault, place="name")
    return RedirectResponse(link("/account", told="saved"), 303)


@router.post("/account/password")
def change_password(
    request: Request,
    database: Ledger,
    now: Now,
    settings: Deployed,
    trying: Trying,
    visitor: Me,
    old: Secret = "",
    password: Secret = "",
    again: Secret = "",
) -> Response:
    """Ends every other session of the account."""
    fault = "" if password == again else DIFFER
    fault = fault or password_fault(password, visitor.account) or ""
    if not fault and not confirmed(request, database, now, trying, visitor, old):
        fault = WRONG_OLD
    if fault:
        with database.read() as session:
            return _page(request, session, now, settings.login_rules, visitor, fault=fault, place="password")
    hashed = passwords.hash_password(password)  # slow: before the transaction
    with database.write() as session:
        signing_in.set_password(session, visitor.account_id, hashed, now)
        ended = logins.end_all_logins(session, visitor.account_id, now, why="password", keep=visitor.login_id)
        visit.add_detail(f"退出其他登录 {ended} 个")
    return RedirectResponse(link("/account", told="password-changed"), 303)


def confirmed(request: Request, database: Ledger, now: Now, trying: Trying, visitor: Visitor, password: str) -> bool:
    """Whether somebody inside knows the password; wrong ones count, so that a session left open is no way to guess.
    Raises ActNotAllowed for an account without one, 429."""
    trying.spend(f"inside {visitor.account_id}")
    with database.read() as session:
        lock = signing_in.own_lock(session, visitor.account_id)
    if lock.hashed is None:
        raise ActNotAllowed(NOT_OWN)
    right = passwords.check(password, lock.hashed).right
    if right:
        trying.forget(f"inside {visitor.account_id}")
        return True
    with request.app.state.database.write() as session:
        trail.note_act(session, "核对密码", now, visitor=visitor, address=client_address(request), done=False)
    return False


@router.post("/account/sessions/{id}/end")
def end_session(session: Writes, now: Now, settings: Deployed, visitor: Me, id: Id) -> Response:
    logins.end_login(session, id, now, account_id=visitor.account_id, why="ended")
    if id == visitor.login_id:
        response = RedirectResponse("/login", 303)
        forget_key(response, settings)
        return response
    return RedirectResponse(link("/account", told="session-ended"), 303)


@router.post("/account/sessions/end-others")
def end_others(session: Writes, now: Now, visitor: Me) -> Response:
    ended = logins.end_all_logins(session, visitor.account_id, now, keep=visitor.login_id)
    visit.add_detail(f"退出其他登录 {ended} 个")
    return RedirectResponse(link("/account", told="sessions-ended"), 303)
