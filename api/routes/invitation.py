"""邀请: the page behind a one-time link. Who opens it sets name and password, and is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response

from api.dependencies import Deployed, Ledger, Now
from api.guard import Guarded, client_address
from api.pages import page
from api.routes.login import Trying
from api.session_cookie import CODE, HOME, let_in, open_session
from ledger import invitations, passwords, trail
from ledger.accounts import LONGEST_NAME
from ledger.invitations import GONE, Invited
from ledger.queries.accounts import AccountRow, own_account
from policy_models.credentials import password_fault
from policy_models.errors import NotFound, PrivacyBlocked

router = APIRouter(route_class=Guarded, include_in_schema=False)
Token = Annotated[str, Path(max_length=100)]
HIDDEN = {"Referrer-Policy": "no-referrer"}  # the page's own address is its key
ACT = "使用邀请链接"
DIFFER = "两次输入的密码不一致，请重新输入"
NO_NAME = f"请填写姓名，不超过 {LONGEST_NAME} 个字"


@router.get("/invitations/{token}")
def show_invitation(request: Request, database: Ledger, now: Now, trying: Trying, token: Token) -> Response:
    invited, account = _open(request, database, now, trying, token)
    return _form(token, invited, account, invited.display_name)


def _open(request: Request, database: Ledger, now: Now, trying: Trying, token: str) -> tuple[Invited, AccountRow]:
    """Whom the link invites. Raises NotFound, and 429 for who tries many."""
    came_from = client_address(request)
    trying.require(came_from)
    with database.read() as session:
        invited = invitations.look_up(session, token, now) if token.isascii() else None
        if invited is not None:
            return invited, own_account(session, invited.account_id, now)
    trying.failed(came_from)
    raise NotFound(GONE)


def _form(
    token: str, invited: Invited, account: AccountRow, display_name: str, fault: str = "", status: int = 200
) -> Response:
    facts = {
        "token": token,
        "invited": invited,
        "account": account,
        "display_name": display_name,
        "fault": fault,
        "visitor": None,
    }
    return page("invitation.html", facts, status=status, headers=HIDDEN)


@router.post("/invitations/{token}")
def accept(
    request: Request,
    database: Ledger,
    now: Now,
    settings: Deployed,
    trying: Trying,
    token: Token,
    display_name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    again: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    invited, account = _open(request, database, now, trying, token)
    shown = display_name.strip()
    fault = _fault(invited, shown, password, again)
    if fault:
        return _form(token, invited, account, shown[:LONGEST_NAME], fault, 422)
    hashed = passwords.hash_password(password)  # slow: before the transaction
    try:
        with database.write() as session:
            invitations.accept(session, invited, shown, hashed, now)
            key = open_session(
                request, session, invited.account_id, now, way="invitation", awaits_totp=invited.has_totp
            )
            trail.note_act(session, ACT, now, account=invited.name, address=client_address(request))
    except PrivacyBlocked as error:
        return _form(token, invited, account, "", str(error), 422)
    return let_in(key, CODE if invited.has_totp else HOME, settings)


def _fault(invited: Invited, shown: str, password: str, again: str) -> str:
    if not shown or len(shown) > LONGEST_NAME or not shown.isprintable():
        return NO_NAME
    if wrong := password_fault(password, invited.name):
        return wrong
    return "" if password == again else DIFFER
