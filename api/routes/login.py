"""登录: the door for people. A session's key lies in a cookie that scripts can't read; the ledger has its digest."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import visit
from api.dependencies import Deployed, Now, Reads, Writes, own_page_only
from api.guard import COOKIE, Guarded, client_address
from api.pages import page
from ledger import accounts, logins, trail
from ledger.settings import Settings

router = APIRouter(route_class=Guarded, include_in_schema=False)
WRONG = "账号名或密码不正确，请核对后重新输入"
Next = Annotated[str, Query(max_length=800)]


def own_path(wanted: str) -> str:
    """Where to go on after signing in: a path of this site, never another's."""
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable() else "/"


def set_key(response: Response, key: str, settings: Settings) -> None:
    secure = settings.base_url.startswith("https:")
    response.set_cookie(COOKIE, key, httponly=True, secure=secure, samesite="lax", path="/")


@router.get("/login")
def show_login(session: Reads, next: Next = "") -> Response:
    if visit.current().visitor:
        return RedirectResponse(own_path(next), 303)
    return page(
        "login.html",
        {"next": own_path(next), "fault": "", "name": "", "none_yet": not accounts.count_accounts(session)},
    )


@router.post("/login", dependencies=[Depends(own_page_only)])
def sign_in(
    request: Request,
    session: Writes,
    now: Now,
    settings: Deployed,
    name: Annotated[str, Form(max_length=60)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=800)] = "",
) -> Response:
    account_id = accounts.check_password(session, name, password)
    client, address = request.headers.get("user-agent", ""), client_address(request)
    if account_id is None:
        trail.note_act(session, "登录", now, account=accounts.folded(name), address=address, done=False)
        facts = {"next": own_path(next), "fault": WRONG, "name": name, "none_yet": False}
        return page("login.html", facts, status=422)
    key = logins.open_login(session, account_id, now, client=client, address=address)
    trail.note_act(session, "登录", now, account=accounts.folded(name), address=address)
    response = RedirectResponse(own_path(next), 303)
    set_key(response, key, settings)
    return response


@router.post("/logout", dependencies=[Depends(own_page_only)])
def sign_out(session: Writes, now: Now) -> Response:
    visitor = visit.current().visitor
    if visitor and visitor.login_id:
        logins.end_login(session, visitor.login_id, now, account_id=visitor.account_id)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/")
    return response
