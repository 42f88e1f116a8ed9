"""A route of /api/v1: behind the guard, what it is sent is looked at before it is read, and what it answers has a tag."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Header, HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from api.conditional import is_named
from api.guard import Guarded
from ledger.acts import standing
from ledger.database import Session

BODY_BYTES = 1 << 20  # of one JSON body
JSON = "application/json"
PRIVATE = {"Cache-Control": "private, no-cache"}
TOO_LARGE = f"请求内容超过 {BODY_BYTES >> 20} MB，没有接收，请分次提交"
NOT_JSON = "请求内容须为 JSON，并写明 Content-Type: application/json"
NOT_MULTIPART = "文件须以 multipart/form-data 上传"
OLD_VERSION = "办理件在您读取之后有了变化，请重新读取后再操作"
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
IfMatch = Annotated[
    str | None,
    Header(max_length=400, description="只在办理件仍是这个版本（读取时的 ETag）时办理，否则答 412；不写为不核对"),
]


class _Read(APIRoute):
    """Between the guard and the endpoint: only who may act is asked for a body at all."""

    def get_route_handler(self) -> Endpoint:
        inner, has_body = super().get_route_handler(), self.body_field is not None

        async def read(request: Request) -> Response:
            if not has_body:
                return await inner(request)
            _require_json(request)
            return await inner(Request(request.scope, _limited(request)))

        return read


class ApiRoute(Guarded, _Read):
    """The guard asks first (``Guarded``), then the body is looked at (``_Read``), then the endpoint runs."""

    def get_route_handler(self) -> Endpoint:
        guarded = super().get_route_handler()

        async def answered(request: Request) -> Response:
            response = await guarded(request)
            tag = _tag(request, response)
            if tag is None or response.status_code != 200:
                return response
            response.headers.update({**PRIVATE, "ETag": f'"{tag}"'})
            if request.method == "GET" and is_named({tag}, request.headers.get("if-none-match", "")):
                return Response(status_code=304, headers={**PRIVATE, "ETag": f'"{tag}"'})
            return response

        return answered


def _tag(request: Request, response: Response) -> str | None:
    """The tag of a read, or of an item that an act answers with: its revision, and a digest of what is said of it."""
    revision = getattr(request.state, "revision", None)
    if request.method != "GET" and revision is None:
        return None
    digest = hashlib.sha256(bytes(response.body)).hexdigest()[:20]
    return digest if revision is None else f"{revision}-{digest}"


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise HTTPException(415, NOT_JSON)
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:18]) > BODY_BYTES:
        raise HTTPException(413, TOO_LARGE)


def _limited(request: Request) -> Callable[[], Coroutine[Any, Any, Message]]:
    """The request's own messages, no more of them than one body may have: a length may be untrue or not given."""
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > BODY_BYTES:
            raise HTTPException(413, TOO_LARGE)
        return message

    return receive


def require_match(session: Session, key: str, if_match: str | None) -> int | None:
    """The revision that the caller has seen: None where If-Match is not given or ``*``. Raises NotFound, and 412 where the
    item has another revision now."""
    if if_match is None:
        return None
    now = standing(session, key).revision
    seen = {one.strip().strip('"').partition("-")[0] for one in if_match.split(",")}
    if "*" in seen:
        return None
    if str(now) not in seen:
        raise HTTPException(412, OLD_VERSION)
    return now


__all__ = ["JSON", "NOT_MULTIPART", "ApiRoute", "IfMatch", "require_match"]
