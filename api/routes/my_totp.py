"""动态码: switched on with a picture for the telephone and one right number, off with the password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import Deployed, Ledger, Now
from api.guard import Guarded
from api.pages import address as link
from api.pages import page
from api.qr import qr_svg
from api.routes.login import Trying
from api.routes.my_account import Me, Secret, confirmed
from ledger import logins, signing_in, totp
from ledger.database import Database
from ledger.secret_box import SecretBox
from ledger.settings import Settings
from policy_models.access import Visitor
from policy_models.errors import ActNotAllowed

router = APIRouter(route_class=Guarded, include_in_schema=False)
WRONG_PASSWORD = "密码不正确，没有更改"
Number = Annotated[str, Form(max_length=40)]


@router.get("/account/totp")
def show_totp(database: Ledger, settings: Deployed, visitor: Me) -> Response:
    """The picture, while it is not yet in use."""
    return _page(database, settings, visitor)


def _page(database: Database, settings: Settings, visitor: Visitor, fault: str = "") -> Response:
    with database.read() as session:
        state = totp.totp_of(session, visitor.account_id)
        own = signing_in.own_lock(session, visitor.account_id).hashed is not None
        waits = state.begun and state.since is None
        secret = totp.secret_of(session, visitor.account_id, SecretBox(settings.account_key)) if waits else ""
    facts = {
        "here": "account",
        "state": state,
        "own": own,
        "fault": fault,
        "secret": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        "qr": qr_svg(totp.address_of(secret, visitor.account), "动态码的二维码") if secret else "",
        "must_set_totp": visitor.must_set_totp,
    }
    return page("account_totp.html", facts, status=422 if fault else 200)


@router.post("/account/totp")
def begin(
    request: Request, database: Ledger, now: Now, settings: Deployed, trying: Trying, visitor: Me, password: Secret = ""
) -> Response:
    """Somebody at a desk left open must not put their own telephone in: the password is asked for."""
    if not confirmed(request, database, now, trying, visitor, password):
        return _page(database, settings, visitor, WRONG_PASSWORD)
    with database.write() as session:
        totp.begin(session, visitor.account_id, SecretBox(settings.account_key))
    return RedirectResponse("/account/totp", 303)


@router.post("/account/totp/confirm")
def confirm(
    database: Ledger, now: Now, settings: Deployed, trying: Trying, visitor: Me, number: Number = ""
) -> Response:
    """In use from now on; the recovery codes are shown here and never again."""
    trying.spend(f"inside {visitor.account_id}")
    try:
        with database.write() as session:
            codes = totp.confirm(session, visitor.account_id, number, SecretBox(settings.account_key), now)
            logins.end_all_logins(session, visitor.account_id, now, why="totp", keep=visitor.login_id)
    except ActNotAllowed as error:
        return _page(database, settings, visitor, str(error))
    trying.forget(f"inside {visitor.account_id}")
    return page("account_codes.html", {"here": "account", "codes": codes})


@router.post("/account/totp/codes")
def renew_codes(
    request: Request, database: Ledger, now: Now, settings: Deployed, trying: Trying, visitor: Me, password: Secret = ""
) -> Response:
    if not confirmed(request, database, now, trying, visitor, password):
        return _page(database, settings, visitor, WRONG_PASSWORD)
    with database.write() as session:
        if totp.totp_of(session, visitor.account_id).since is None:
            raise ActNotAllowed(totp.NOT_BEGUN)
        codes = totp.fresh_codes(session, visitor.account_id, now)
    return page("account_codes.html", {"here": "account", "codes": codes})


@router.post("/account/totp/off")
def turn_off(
    request: Request, database: Ledger, now: Now, settings: Deployed, trying: Trying, visitor: Me, password: Secret = ""
) -> Response:
    if not confirmed(request, database, now, trying, visitor, password):
        return _page(database, settings, visitor, WRONG_PASSWORD)
    with database.write() as session:
        totp.turn_off(session, visitor.account_id, now)
    return RedirectResponse(link("/account", told="totp-off"), 303)
