"""The least an ASGI application can do: known bytes for each of three paths. What uvicorn itself can reach."""

from __future__ import annotations

import gzip
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]
BODY = "LUCHENG_BENCH_BODY"  # the file with the bytes to answer
TAG = (b"etag", b'"0123456789abcdef0123456789abcdef"')
TYPE = (b"content-type", b"text/calendar; charset=utf-8")


def app() -> App:
    """For ``uvicorn --factory``."""
    plain = Path(os.environ[BODY]).read_bytes()
    answers = {"/304": _start(304, None), "/200": _start(200, plain), "/200-gzip": _start(200, gzip.compress(plain, 6))}

    async def answer(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        if scope["type"] != "http":
            return await _lifespan(receive, send)
        for message in answers[scope["path"]]:
            await send(dict(message))

    return answer


def _start(status: int, body: bytes | None) -> tuple[Message, Message]:
    headers = [TAG] if body is None else [TAG, TYPE, (b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return start, {"type": "http.response.body", "body": body or b""}


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    while True:
        word = (await receive())["type"].removeprefix("lifespan.")
        await send({"type": f"lifespan.{word}.complete"})
        if word == "shutdown":
            return
