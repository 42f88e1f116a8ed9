"""登录: the door for people. A session's key lies in a cookie that scripts can't read; the ledger has its digest."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import visit
from api.attempts import Attempts
from api.dependencies import Deployed, Ledger, Now, Reads, Writes
from api.guard import Guarded, client_address, cookie_name
from api.pages import address as link
from api.pages import page
from api.session_cookie import CODE, forget_key, let_in, open_session, own_path
from ledger import accounts, logins, passwords, signing_in, trail
from ledger.database import Database, Session
from ledger.queries.accounts import AccountRow, personas
from ledger.settings import Settings
from ledger.signing_in import Outcome
from policy_models.credentials import FAILURES_TO_LOCK, folded

router = APIRouter(route_class=Guarded, include_in_schema=False)
WRONG = f"账号名或密码不正确，或者该账号暂停登录；连续输错 {FAILURES_TO_LOCK} 次暂停 15 分钟，此后逐次加长，急用请联系管理员解锁"
NO_DEMO = "这不是演示台账，不能免密登录"
ACT = "登录"
Next = Annotated[str, Query(max_length=800)]
NextField = Annotated[str, Form(max_length=800)]


def attempts(request: Request) -> Attempts:
    found: Attempts = request.app.state.attempts
    return found


Trying = Annotated[Attempts, Depends(attempts)]


@router.get("/login")
def show_login(request: Request, session: Reads, now: Now, settings: Deployed, next: Next = "") -> Response:
    """The form, the city's single sign-on where there is one, and a demonstration's personas."""
    if visit.current().visitor:
        return RedirectResponse(own_path(next), 303)
    return _form(request, session, now, settings, next)


def _form(
    request: Request,
    session: Session,
    now: datetime,
    settings: Settings,
    next: str,
    *,
    name: str = "",
    fault: str = "",
    status: int = 200,
) -> Response:
    had_key = bool(request.cookies.get(cookie_name(settings))) and bool(next) and not fault
    facts = {
        "next": next if own_path(next) == next else "",
        "name": name,
        "fault": fault,
        "ended": had_key,
        "none_yet": not accounts.anybody_can_sign_in(session),
        "personas": personas(session, now),
        "sign_on": settings.oidc_name if settings.oidc_issuer else "",
        "sign_on_path": link("/oidc/start", next=next if own_path(next) == next else None),
    }
    return page("login.html", facts, status=status)


def sign_in_page(
    request: Request, database: Database, now: datetime, settings: Settings, next: str, *, fault: str, status: int
) -> Response:
    """The form again, with what went wrong."""
    with database.read() as session:
        return _form(request, session, now, settings, next, fault=fault, status=status)


@router.post("/login")
def sign_in(
    request: Request,
    database: Ledger,
    now: Now,
    settings: Deployed,
    trying: Trying,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: NextField = "",
) -> Response:
    """Read, compare outside of any transaction, write down what came of it."""
    came_from, wanted = client_address(request), folded(name)
    trying.require(came_from)
    trying.spend(wanted)
    with database.read() as session:
        lock = signing_in.lock_of(session, wanted) if wanted.isprintable() else signing_in.NO_LOCK
    checked = passwords.check(password, lock.hashed)
    with database.write() as session:
        outcome = signing_in.settle(session, lock, checked, now)
        _note(session, now, lock.account_id, outcome, wanted, came_from)
        if outcome.account_id is not None:
            key = open_session(request, session, outcome.account_id, now, way="password", awaits_totp=lock.has_totp)
    if outcome.account_id is None:
        trying.failed(came_from)
        with database.read() as session:
            return _form(request, session, now, settings, next, name=name[:60], fault=WRONG, status=422)
    trying.forget(wanted)
    path = link(CODE, next=next if own_path(next) == next else None) if lock.has_totp else own_path(next)
    return let_in(key, path, settings)


def _note(session: Session, now: datetime, known: int | None, outcome: Outcome, name: str, came_from: str) -> None:
    """A line in the trail. An unknown name is not kept: it may be a password typed in the wrong place."""
    detail = "" if known is not None else "没有这个账号"
    if outcome.locked:
        detail = "连续输错，账号暂停登录"
    done = outcome.account_id is not None
    trail.note_act(session, ACT, now, account=name if known else "", detail=detail, address=came_from, done=done)


@router.post("/login/demo")
def try_persona(
    request: Request,
    session: Writes,
    now: Now,
    settings: Deployed,
    persona: Annotated[int, Form(ge=1, le=2**62)],
    next: NextField = "",
) -> Response:
    """In as one of a demonstration's people, without a password. On a real ledger there are none."""
    found = _persona(personas(session, now), persona)
    key = open_session(request, session, found.id, now, way=logins.DEMO)
    trail.note_act(session, ACT, now, account=found.name, detail="演示", address=client_address(request))
    return let_in(key, own_path(next), settings)


def _persona(offered: tuple[AccountRow, ...], wanted: int) -> AccountRow:
    found = next((one for one in offered if one.id == wanted), None)
    if found is None:
        raise HTTPException(403, NO_DEMO)
    return found


@router.post("/logout")
def sign_out(session: Writes, now: Now, settings: Deployed) -> Response:
    visitor = visit.current().visitor
    if visitor and visitor.login_id:
        logins.end_login(session, visitor.login_id, now, account_id=visitor.account_id)
    response = RedirectResponse("/login", 303)
    forget_key(response, settings)
    return response
