"""The description of /api/v1, for programs as JSON and for people as a page. For signed-in accounts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.api_pages import chapters
from api.guard import Guarded
from api.openapi import described
from api.pages import page

router = APIRouter(route_class=Guarded, include_in_schema=False)


def document(request: Request) -> dict[str, Any]:
    """The description, made once for each process."""
    state = request.app.state
    if not hasattr(state, "description"):
        state.description = described(request.app.routes, base_url=state.settings.base_url)
    found: dict[str, Any] = state.description
    return found


@router.get("/api/v1/openapi.json")
def show_openapi(request: Request) -> JSONResponse:
    return JSONResponse(document(request), headers={"Cache-Control": "private, no-cache"})


@router.get("/api/docs")
def show_docs(request: Request) -> Response:
    found = document(request)
    context = {"here": "help", "about": found["info"]["description"], "chapters": chapters(found)}
    return page("api_docs.html", {**context, "base": found["servers"][0]["url"]})
