"""窗口: the web application. ``create_app`` takes what it needs; ``app`` is the factory for uvicorn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import errors
from api.dependencies import Clock
from api.feed_cache import FeedCache
from api.headers import SafeHeaders
from api.misses import Misses
from api.pages import STATIC
from api.pdf_copies import PdfCopies
from api.routes import (
    board,
    bulletin,
    chase,
    circulars,
    circulars_json,
    compilation,
    exceptions,
    exemplar_pictures,
    exemplars,
    extension,
    feed,
    files,
    healthz,
    item,
    json,
    mail,
    mask,
    messages,
    register,
    people,
    people_import,
    reminders,
    report_review,
    reports,
    review,
    rounds,
    rounds_json,
    sample,
    scoring,
    sheet,
    shortlist,
    submit,
    subscribe,
    task,
    unit,
    workbook,
)
from ledger.database import Database, connect
from ledger.settings import Settings


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
    app.state.clock, app.state.feeds, app.state.misses = Clock(settings.clock), FeedCache(), Misses()
    app.state.pdfs = PdfCopies(settings.file_dir / "pdf")
    app.add_middleware(SafeHeaders)
    errors.install(app)
    for face in (
        board,
        task,
        unit,
        subscribe,
        item,
        reminders,
        messages,
        chase,
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
        mail,
        feed,
        healthz,
        people_import,
        people,
        json,
        rounds_json,
        circulars_json,
    ):
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
