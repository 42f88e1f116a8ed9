"""统一身份认证: out to the city's single sign-on and back. The way back is good once, and only for the browser that went."""

from __future__ import annotations

import secrets
from datetime import datetime
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import Deployed, Ledger, Now
from api.guard import Guarded, client_address, cookie_name
from api.routes.login import ACT, Next, Trying, sign_in_page
from api.session_cookie import let_in, open_session, own_path
from api.single_sign_on import REFUSED, Identity, SignOn, SignOnFailed
from ledger import sign_on, trail
from ledger.database import Database
from ledger.settings import Settings
from ledger.sign_on import COMES_BACK_WITHIN, Visit
from policy_models.errors import NotFound

router = APIRouter(route_class=Guarded, include_in_schema=False)
NONE = "本系统没有设置统一身份认证，请用账号名和密码登录"
STALE = "这次认证已失效或已用过，请重新登录"
UNKNOWN = "统一身份认证已通过，但还没有您的账号；请联系本级管理员邀请后再登录"
Word = Annotated[str, Query(max_length=4000)]


def _provider(request: Request) -> SignOn:
    """Raises NotFound where the city has none."""
    found: SignOn | None = request.app.state.sign_on
    if found is None:
        raise NotFound(NONE)
    return found


def _state_cookie(settings: Settings) -> str:
    return f"{cookie_name(settings)}-sso"


@router.get("/oidc/start")
def start(
    request: Request, database: Ledger, now: Now, settings: Deployed, trying: Trying, next: Next = ""
) -> Response:
    """Remember the visit, then send the browser on its way."""
    provider = _provider(request)
    trying.require(client_address(request))
    state = secrets.token_urlsafe(32)
    visit = Visit(secrets.token_urlsafe(32), secrets.token_urlsafe(48), own_path(next)[:400])
    try:
        address = provider.address(state, visit)
    except SignOnFailed as error:
        return sign_in_page(request, database, now, settings, next, fault=str(error), status=503)
    with database.write() as session:
        sign_on.remember(session, state, visit, now)
    response = RedirectResponse(address, 303)
    seconds = int(COMES_BACK_WITHIN.total_seconds())
    response.set_cookie(
        _state_cookie(settings),
        state,
        max_age=seconds,
        httponly=True,
        secure=settings.secure,
        samesite="lax",
        path="/",
    )
    return response


@router.get("/oidc/callback")
def come_back(
    request: Request,
    database: Ledger,
    now: Now,
    settings: Deployed,
    trying: Trying,
    code: Word = "",
    state: Word = "",
    error: Word = "",
) -> Response:
    """Three steps: the visit is taken from the ledger, the provider is asked, the account is opened."""
    came_from = client_address(request)
    provider = _provider(request)
    trying.require(came_from)
    visit = _visit(request, database, settings, state, now)
    fault, status, identity = STALE, 422, None
    if visit is not None:
        try:
            identity = _identity(provider, code, error, visit, now)
        except SignOnFailed as failed:
            fault, status = str(failed), 403
    if visit is not None and identity is not None:
        if key := _open(request, database, identity, now):
            return _without_state(let_in(key, own_path(visit.back_to), settings), settings)
        fault, status = UNKNOWN, 403
    trying.failed(came_from)
    if identity is None:
        _note_failure(database, now, came_from, "统一身份认证没有通过")
    return _without_state(sign_in_page(request, database, now, settings, "", fault=fault, status=status), settings)


def _visit(request: Request, database: Database, settings: Settings, state: str, now: datetime) -> Visit | None:
    """The visit that this browser began; None for another's, a late or a replayed one."""
    kept = request.cookies.get(_state_cookie(settings), "")
    if not state or not compare_digest(kept.encode(), state.encode("utf-8", "replace")):
        return None
    with database.write() as session:
        return sign_on.take(session, state, now)


def _identity(provider: SignOn, code: str, error: str, visit: Visit, now: datetime) -> Identity:
    if error or not code:
        raise SignOnFailed(REFUSED)
    return provider.identify(code, visit, now)


def _open(request: Request, database: Database, identity: Identity, now: datetime) -> str | None:
    came_from = client_address(request)
    with database.write() as session:
        found = sign_on.account_of(session, identity.subject, identity.names, now)
        if found is None:
            trail.note_act(session, ACT, now, detail="统一身份认证：没有对应的账号", address=came_from, done=False)
            return None
        key = open_session(request, session, found.id, now, way="oidc")
        detail = "统一身份认证，首次关联" if found.linked else "统一身份认证"
        trail.note_act(session, ACT, now, account=found.name, detail=detail, address=came_from)
        return key


def _note_failure(database: Database, now: datetime, came_from: str, detail: str) -> None:
    with database.write() as session:
        trail.note_act(session, ACT, now, detail=detail, address=came_from, done=False)


def _without_state(response: Response, settings: Settings) -> Response:
    response.delete_cookie(_state_cookie(settings), path="/", httponly=True, secure=settings.secure, samesite="lax")
    return response
