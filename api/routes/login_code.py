"""动态码: the second step of signing in, where the account has one. Until then the session opens nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api import visit
from api.dependencies import Deployed, Ledger, Now
from api.guard import Guarded, client_address, identify
from api.pages import address as link
from api.pages import page
from api.routes.login import ACT, Next, NextField, Trying
from api.session_cookie import forget_key, let_in, own_path
from ledger import logins, signing_in, totp, trail
from ledger.database import Session
from ledger.logins import Found
from ledger.secret_box import SecretBox

router = APIRouter(route_class=Guarded, include_in_schema=False)
WRONG = "动态码不正确或已用过，请输入手机上最新的六位数字"
SHUT = "连续输错，登录已暂停；请稍后重新登录，急用请联系管理员解锁"


@router.get("/login/code")
def show_code(request: Request, database: Ledger, now: Now, next: Next = "") -> Response:
    if visit.current().visitor:
        return RedirectResponse(own_path(next), 303)
    with database.read() as session:
        found = identify(request, session, now)
    return _form(next) if found else _from_the_start(next)


def _form(next: str, fault: str = "", status: int = 200) -> Response:
    return page("login_code.html", {"next": next if own_path(next) == next else "", "fault": fault}, status=status)


def _from_the_start(next: str) -> Response:
    return RedirectResponse(link("/login", next=next if own_path(next) == next else None), 303)


@router.post("/login/code")
def take_code(
    request: Request,
    database: Ledger,
    now: Now,
    settings: Deployed,
    trying: Trying,
    number: Annotated[str, Form(max_length=40)] = "",
    next: NextField = "",
) -> Response:
    """A right number gives the session another key. Wrong ones count like wrong passwords."""
    came_from = client_address(request)
    trying.require(came_from)
    with database.read() as session:
        found = identify(request, session, now)
    if found is None or not found.awaits_totp or found.visitor.login_id is None:
        return RedirectResponse(own_path(next), 303)
    trying.spend(f"number of {found.visitor.account_id}")
    box = SecretBox(settings.account_key)
    with database.write() as session:
        key, shut = "", False
        if signing_in.is_shut(session, found.visitor.account_id, now):
            shut = True
        elif totp.check(session, found.visitor.account_id, number, box, now):
            signing_in.note_number(session, found.visitor.account_id)
            key = logins.rotate(session, found.visitor.login_id, now)
        else:
            shut = signing_in.note_failure(session, found.visitor.account_id, now)
        if shut:
            _end(found, session, now)
        detail = "动态码" if key else "动态码不正确，账号暂停登录" if shut else "动态码不正确"
        trail.note_act(session, ACT, now, visitor=found.visitor, detail=detail, address=came_from, done=bool(key))
    if key:
        trying.forget(f"number of {found.visitor.account_id}")
        return let_in(key, own_path(next), settings)
    trying.failed(came_from)
    response = _form(next, SHUT if shut else WRONG, 422)
    if shut:
        forget_key(response, settings)
    return response


def _end(found: Found, session: Session, now: datetime) -> None:
    if found.visitor.login_id is not None:
        logins.end_login(session, found.visitor.login_id, now, account_id=found.visitor.account_id, why="shut")
