"""The cookie with a session's key: out of the reach of scripts, not sent along by other sites' forms, over https alone
where the site is reached by https. Every sign-in gives a new key, and the browser's old one ends."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.guard import client_address, cookie_name
from ledger import logins
from ledger.database import Session
from ledger.settings import Settings

HOME = "/start"
CODE = "/login/code"


def own_path(wanted: str) -> str:
    """Where to go on after signing in: a path of this site, never another's; the start page where none is wanted."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") and wanted != "/" else HOME


def open_session(
    request: Request, session: Session, account_id: int, now: datetime, *, way: str, awaits_totp: bool = False
) -> str:
    """A new session of an account for this browser; the one it had ends."""
    if old := request.cookies.get(cookie_name(request.app.state.settings)):
        logins.end_key(session, old, now)
    client, address = request.headers.get("user-agent", ""), client_address(request)
    return logins.open_login(session, account_id, now, way=way, client=client, address=address, awaits_totp=awaits_totp)


def let_in(key: str, path: str, settings: Settings) -> Response:
    """On to a page, with the key."""
    response = RedirectResponse(path, 303)
    set_key(response, key, settings)
    return response


def set_key(response: Response, key: str, settings: Settings) -> None:
    response.set_cookie(cookie_name(settings), key, httponly=True, secure=settings.secure, samesite="lax", path="/")


def forget_key(response: Response, settings: Settings) -> None:
    response.delete_cookie(cookie_name(settings), path="/", httponly=True, secure=settings.secure, samesite="lax")
