"""订阅凭证: every calendar subscription of the scope with its last use, and stopping one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.admin import admin_page, scope_of
from api.calendar_clients import client_name
from api.dependencies import Now, Reads, UnitCode, Writes, empty_is_none, printable
from api.guard import Guarded
from api.pages import address
from api.subscribing import SCOPE_NAMES
from ledger import feed_tokens
from ledger.queries.tokens import IDLE, TokenPile, token_page
from policy_models.access import Right
from policy_models.text import written

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_ROWS = 50
PILE_NAMES = {TokenPile.RUNNING: "在用", TokenPile.IDLE: "长期没有使用", TokenPile.STOPPED: "已停用"}
Words = Annotated[str, BeforeValidator(printable), Query(max_length=40)]
Before = Annotated[int | None, BeforeValidator(empty_is_none), Query(ge=1, le=2**62)]
Pile = Annotated[TokenPile, Query()]
Told = Annotated[str, Query(max_length=20)]


@router.get("/admin/tokens")
def show_tokens(
    session: Reads, now: Now, pile: Pile = TokenPile.RUNNING, q: Words = "", before: Before = None, told: Told = ""
) -> Response:
    words = written(q)
    scope = scope_of(Right.ADMINISTER)
    found = token_page(session, scope, pile, now=now, words=words, before=before, limit=PAGE_ROWS)
    context = {
        "found": found,
        "pile": pile,
        "piles": PILE_NAMES,
        "q": words,
        "before": before,
        "idle_days": IDLE.days,
        "scope_names": SCOPE_NAMES,
        "client_name": client_name,
        "told": told,
    }
    return admin_page("admin_tokens.html", session, now, context, tab="/admin/tokens")


@router.post("/admin/units/{code}/tokens/{token_id}/revoke")
def revoke(
    session: Writes, now: Now, code: UnitCode, token_id: Annotated[int, Path(ge=1, le=2**62)]
) -> RedirectResponse:
    """Stop a subscription; its calendar says so for a while. Cannot be taken back: the page asked before."""
    feed_tokens.revoke(session, code, token_id, now)
    return RedirectResponse(address("/admin/tokens", told="revoked"), 303)
