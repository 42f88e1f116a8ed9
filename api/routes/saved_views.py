"""常用视图 of 督办台账: kept, renamed, taken away (and put back with one click)."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Path
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api import visit
from api.dependencies import Now, Writes, printable
from api.guard import Guarded
from api.pages import address
from ledger import saved_views
from policy_models.errors import NotResponsible

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE = "register"
KEPT = ("section", "under", "within", "level", "requirement", "period", "phase", "light")  # fields a view remembers
ViewName = Annotated[str, BeforeValidator(printable), Form(max_length=80)]
ViewQuery = Annotated[str, BeforeValidator(printable), Form(max_length=2000)]
ViewId = Annotated[int, Path(ge=1, lt=2**31)]


def own_account() -> int:
    """The account that asks. Raises NotResponsible for a visitor without one."""
    visitor = visit.current().visitor
    if visitor is None:
        raise NotResponsible("请先登录")
    return visitor.account_id


def filter_of(query: str) -> str:
    """The fields of an address that a view remembers, in one order: two addresses that narrow alike are one view."""
    pairs = [(name, value) for name, value in parse_qsl(query) if name in KEPT and value]
    return urlencode(sorted(dict.fromkeys(pairs)))


@router.post("/register/views")
def save(session: Writes, now: Now, name: ViewName = "", query: ViewQuery = "") -> RedirectResponse:
    kept = filter_of(query)
    saved_views.save_view(session, own_account(), PAGE, name, kept, now)
    return RedirectResponse(_back(kept, told="view-saved"), 303)


@router.post("/register/views/{view_id}/rename")
def rename(session: Writes, view_id: ViewId, name: ViewName = "", query: ViewQuery = "") -> RedirectResponse:
    saved_views.rename_view(session, own_account(), view_id, name)
    return RedirectResponse(_back(filter_of(query), told="view-renamed"), 303)


@router.post("/register/views/{view_id}/remove")
def remove(session: Writes, view_id: ViewId, query: ViewQuery = "") -> RedirectResponse:
    gone = saved_views.remove_view(session, own_account(), view_id)
    return RedirectResponse(_back(filter_of(query), told="view-removed", gone=gone.name, gone_query=gone.query), 303)


def _back(query: str, **more: object) -> str:
    """The register with the same filter, and what was done."""
    return address("/register", **_fields(query), **more)


def _fields(query: str) -> dict[str, object]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}
