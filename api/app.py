"""窗口: the web application. ``create_app`` takes what it needs; ``app`` is the factory for uvicorn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from api.dependencies import Clock
from api.feed_cache import FeedCache
from api.pages import STATIC
from api.routes import board, feed, healthz, item, json, task, unit
from ledger.database import Database, connect
from ledger.settings import Settings

# No script, no foreign asset: what a page may load is its own style sheet and nothing else.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SafeHeaders:
    """Adds the headers above to every answer that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def create_app(database: Database, settings: Settings) -> FastAPI:
    """The application over an open database. It migrates nothing and closes nothing."""
    app = FastAPI(
        title="鹿程",
        description="方案、办理件、单位和时限的只读接口。日期为 Asia/Shanghai 民用日期，时刻为 UTC。",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.database, app.state.settings = database, settings
    app.state.clock, app.state.feeds = Clock(settings.clock), FeedCache()
    app.add_middleware(SafeHeaders)
    errors.install(app)
    for face in (board, task, unit, item, feed, healthz, json):
        app.include_router(face.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def app() -> FastAPI:
    """For ``uvicorn --factory api.app:app``: settings from the environment, the database closed at the end."""
    settings = Settings.load()
    database = connect(settings.url)

    @asynccontextmanager
    async def closing(_app: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    made = create_app(database, settings)
    made.router.lifespan_context = closing
    return made
