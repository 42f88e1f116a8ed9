"""The one place where it is decided who may ask for what. Every route is made by ``Guarded``, has one rule in
``api.rights``, and is asked here before its body is read: first who it is, then whether the rule lets them."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api import visit
from api.rights import RULES, Place, Rule
from api.visit import Visit
from ledger import logins
from ledger.database import Database, Session
from ledger.files import seen_by_all, units_of_file
from ledger.logins import Found, LoginRules
from ledger.queries.items import unit_of_item
from ledger.scope import line_of
from ledger.settings import Settings
from policy_models.access import Right, Visitor
from policy_models.errors import LedgerUnavailable, NotResponsible

COOKIE = "lucheng"
# Where the account still lacks the number that its administrator's role needs, only these are open
UNTIL_TOTP = re.compile(r"/account(/.*)?|/logout|/help(/.*)?")
NEEDS_TOTP = "请先在“我的账号”中启用动态码，再使用其他页面"
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
SIGN_IN = "请先登录"
NO_RIGHT = "您的账号没有这项权限；如工作需要，请联系本级管理员"
NO_SCOPE = "您的账号不能查看或办理这个单位的事项；如工作需要，请联系本级管理员"
NO_NUMBER = "文件编号不能识别，请从页面重新进入"
UNREADABLE = "地址中含有不能识别的字符，请核对后重新输入"
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class Guarded(APIRoute):
    """A route behind the guard."""

    def get_route_handler(self) -> Endpoint:
        inner = super().get_route_handler()
        rules = {method: RULES[method, self.path] for method in self.methods or ()}

        async def guarded(request: Request) -> Response:
            rule = rules[request.method]
            found = await run_in_threadpool(_admit, request, rule)
            if isinstance(found, Response):
                return found
            visit.begin(found)
            return await inner(request)

        return guarded


def _admit(request: Request, rule: Rule) -> Visit | Response:
    """The visit that the rule lets through, or the way to the sign-in page. Raises NotResponsible, NotFound, 401, 403."""
    database: Database = request.app.state.database
    now: datetime = request.app.state.clock.now()
    if rule.place is Place.ANYONE:
        _require_own_page(request)
        return Visit(_known(request, database, now), address=client_address(request), told=_told(request))
    with database.read() as session:
        found = identify(request, session, now)
        if found is None or found.awaits_totp:
            return _to_sign_in(request, found)
        if found.visitor.token_id is not None:
            request.app.state.token_pace.spend(found.visitor.token_id)
        if found.visitor.must_set_totp and not UNTIL_TOTP.fullmatch(request.url.path):
            return _to_set_totp(request)
        request.state.visitor = found.visitor  # also a page that says no has the visitor's frame
        rights = _rights(request, session, rule, found.visitor)
    _require_own_page(request)
    if found.touch:
        with database.write() as session:
            logins.touch(session, found, now, request.headers.get("user-agent", ""))
    params = {name: str(value) for name, value in request.path_params.items()}
    object = next((value for name, value in params.items() if name != "code"), "")
    unit, told = params.get("code", ""), _told(request)
    return Visit(found.visitor, rights, client_address(request), rule.name, unit, object, told)


def _known(request: Request, database: Database, now: datetime) -> Visitor | None:
    """Who asks for what is open to anyone: nobody in particular while the ledger is away; what needs it says so itself."""
    try:
        with database.read() as session:
            found = identify(request, session, now)
    except LedgerUnavailable:
        return None
    return found.visitor if found and not found.awaits_totp else None


def _require_own_page(request: Request) -> None:
    """Refuse what another site's page sent, before a body is read: by Sec-Fetch-Site, in older browsers by Origin. One of
    them must be there, but for a machine's token, which no browser sends by itself."""
    if request.method in SAFE or request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    settings: Settings = request.app.state.settings
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = {settings.base_url.rstrip("/"), f"{request.url.scheme}://{request.headers.get('host', '')}"}
    if site not in ("same-origin", "none") and not (site is None and origin in own):
        raise HTTPException(403)


def _told(request: Request) -> str:
    return request.query_params.get("told", "")


def identify(request: Request, session: Session, now: datetime) -> Found | None:
    """Whose cookie or bearer token the request carries."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return logins.visitor_of_token(session, key.strip(), now)
    key = request.cookies.get(cookie_name(request.app.state.settings), "")
    rules: LoginRules = request.app.state.login_rules
    return logins.visitor_of_login(session, key, now, rules) if key else None


def cookie_name(settings: Settings) -> str:
    """The cookie with a session's key. Over https no other host and no plain page can set one of this name."""
    return f"__Host-{COOKIE}" if settings.secure else COOKIE


def client_address(request: Request) -> str:
    return request.client.host if request.client else ""


def _rights(request: Request, session: Session, rule: Rule, visitor: Visitor) -> frozenset[Right]:
    if rule.place is Place.SIGNED_IN:
        return visitor.rights
    if rule.place is Place.LISTED or rule.place is Place.WHOLE:
        held = visitor.rights if rule.place is Place.LISTED else visitor.rights_at(frozenset())
        if rule.right not in held:
            raise NotResponsible(NO_RIGHT)
        return held
    params = request.path_params
    if not all(str(value).isprintable() for value in params.values()):
        raise HTTPException(422, UNREADABLE)
    if rule.place is Place.FILE and seen_by_all(session, _file_id(params)):
        return visitor.rights
    held = visitor.rights_at(line_of(session, *_units_addressed(session, rule, params)))
    if rule.right not in held:
        raise NotResponsible(NO_RIGHT if Right.READ in held else NO_SCOPE)
    return held


def _units_addressed(session: Session, rule: Rule, params: dict[str, Any]) -> frozenset[str]:
    if rule.place is Place.ITEM:
        return frozenset((unit_of_item(session, str(params["key"])),))
    if rule.place is Place.FILE:
        return units_of_file(session, _file_id(params))
    return frozenset((str(params["code"]),))


def _file_id(params: dict[str, Any]) -> int:
    """The guard reads the address before the route does."""
    text = str(params["file_id"])
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) < 2**63):
        raise HTTPException(422, NO_NUMBER)
    return int(text)


def _to_sign_in(request: Request, found: Found | None) -> Response:
    if request.url.path.startswith("/api/v1/"):
        raise HTTPException(401, SIGN_IN, {"WWW-Authenticate": "Bearer"})
    if request.method not in SAFE or "application/json" in request.headers.get("accept", ""):
        raise HTTPException(401, f"{SIGN_IN}；刚才填写的内容没有提交")
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    path = "/login/code" if found else "/login"
    return RedirectResponse(path if wanted == "/" else f"{path}?{urlencode({'next': wanted}, quote_via=quote)}", 303)


def _to_set_totp(request: Request) -> Response:
    if request.method not in SAFE or request.url.path.startswith("/api/"):
        raise NotResponsible(NEEDS_TOTP)
    return RedirectResponse("/account/totp", 303)


__all__ = ["COOKIE", "Guarded", "client_address", "cookie_name", "identify"]
