"""窗口: the web application. ``create_app`` takes what it needs; ``app`` is the factory for uvicorn."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from api import errors
from api.attempts import Attempts
from api.dependencies import Clock
from api.feed_keeper import FeedKeeper
from api.feed_shortcut import FeedShortcut
from api.headers import SafeHeaders
from api.misses import Misses
from api.pages import STATIC
from api.pdf_copies import PdfCopies
from api.routes import (
    account,
    accounts,
    admin,
    admin_audit,
    admin_calendars,
    admin_school,
    admin_system,
    admin_tokens,
    admin_unit_import,
    admin_units,
    board,
    bulletin,
    calendar,
    changes,
    channels,
    charts,
    chase,
    chase_json,
    circulars,
    circulars_json,
    compilation,
    desk,
    exceptions,
    exemplar_pictures,
    exemplars,
    extension,
    extensions_json,
    feeds_json,
    files,
    healthz,
    help,
    invitation,
    item,
    items_json,
    json,
    login,
    login_code,
    machines,
    mail,
    mask,
    messages,
    my_account,
    my_totp,
    oidc,
    openapi,
    people,
    people_import,
    people_json,
    records_json,
    register,
    reminders,
    report_review,
    reports,
    reports_json,
    review,
    rounds,
    rounds_json,
    sample,
    saved_views,
    scoring,
    sheet,
    shortlist,
    submit,
    subscribe,
    task,
    timeline,
    unit,
    workbook,
)
from api.single_sign_on import SignOn
from api.token_pace import TokenPace
from ledger.database import Database, connect
from ledger.settings import Settings

# In the order in which addresses are looked for.
FACES = (
    login,
    login_code,
    oidc,
    invitation,
    my_account,
    my_totp,
    accounts,
    account,
    help,
    desk,
    saved_views,
    board,
    charts,
    task,
    calendar,
    changes,
    timeline,
    unit,
    subscribe,
    item,
    chase,
    reminders,
    messages,
    review,
    sample,
    extension,
    sheet,
    register,
    rounds,
    reports,
    report_review,
    workbook,
    submit,
    mask,
    files,
    exceptions,
    compilation,
    exemplars,
    exemplar_pictures,
    shortlist,
    scoring,
    bulletin,
    circulars,
    channels,
    mail,
    machines,
    people_import,
    people,
    admin,
    admin_audit,
    admin_school,
    admin_calendars,
    admin_tokens,
    admin_unit_import,
    admin_units,
    admin_system,
    healthz,
    openapi,
    json,
    items_json,
    extensions_json,
    chase_json,
    rounds_json,
    reports_json,
    people_json,
    feeds_json,
    records_json,
    circulars_json,
)


class Application(FastAPI):
    """Polls of calendars are answered before anything else is asked; ``routed`` is the application behind them."""

    shortcut: FeedShortcut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.shortcut(scope, receive, send)

    async def routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


def create_app(database: Database, settings: Settings) -> FastAPI:
    """The application over an open database. It migrates nothing and closes nothing."""
    app = Application(
        title="鹿程",
        description="方案、办理件、单位和时限的只读接口。日期为 Asia/Shanghai 民用日期，时刻为 UTC。",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # the description is a page of its own, behind the guard (api.routes.openapi)
    )
    app.state.database, app.state.settings = database, settings
    app.state.clock, app.state.misses = Clock(settings.clock), Misses()
    app.state.login_rules, app.state.attempts = settings.login_rules, Attempts()
    app.state.sign_on, app.state.token_pace = SignOn.of(settings), TokenPace(settings.token_per_minute)
    app.state.feeds = FeedKeeper(database, settings.base_url, app.state.clock)
    app.state.pdfs = PdfCopies(settings.file_dir / "pdf")
    app.add_middleware(SafeHeaders)
    app.shortcut = FeedShortcut(app.routed, app.state.feeds, app.state.misses)
    errors.install(app)
    for face in FACES:  # no prefix and nothing shared: including would make each route anew, in each application
        app.router.routes.extend(face.router.routes)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def app() -> FastAPI:
    """For ``uvicorn --factory api.app:app``: settings from the environment, the database closed at the end."""
    settings = Settings.load()
    database = connect(settings.url)

    @asynccontextmanager
    async def closing(_app: FastAPI) -> AsyncIterator[None]:
        keep_for_good()
        yield
        database.close()

    made = create_app(database, settings)
    made.router.lifespan_context = closing
    return made


def keep_for_good() -> None:
    """Take what the application is made of, some 300,000 objects that live as long as the process, out of the garbage
    collector's sight: looking through them all stops every request for a sixth of a second, and finds nothing. What
    requests leave behind is looked through less often than Python's 700 objects, which a single page makes many times.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
