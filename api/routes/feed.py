"""日历订阅: a unit's calendar under a secret address. A poll never meets an error while good bytes are known."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.background import BackgroundTask

from api.conditional import accepts_gzip, http_date, is_fresh
from api.dependencies import Deployed, Ledger, Now
from api.feed_cache import FeedCache, Rendered
from api.feed_entries import RENDERER_CHANGED_AT
from api.feed_render import render, render_stopped
from api.misses import Misses
from ledger import feed_tokens
from ledger.database import Database
from ledger.feed_tokens import TOUCH_EVERY, FeedToken, Use
from ledger import plans
from ledger.queries.feed import feed
from policy_models.errors import LuchengError

router = APIRouter(include_in_schema=False)
log = logging.getLogger("api")
REVOKED_SHOWN = timedelta(days=30)
MISSING = "没有这个日历订阅，地址可能不完整。请在单位页面重新订阅。"
TOO_MANY = "查询过于频繁，请一分钟后再试。"
GONE = "这个日历订阅早已停用。请在日历软件中删除，并在单位页面重新订阅。"
HEADERS = {
    "Cache-Control": "private, max-age=900, must-revalidate",
    "Vary": "Accept-Encoding",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}


@router.api_route("/feeds/{token}.ics", methods=["GET", "HEAD"])
def show_feed(
    request: Request,
    database: Ledger,
    deployed: Deployed,
    now: Now,
    token: Annotated[str, Path(max_length=200)],
    alarm: str = "on",
) -> Response:
    """The feed, 304, 404 for an unknown token, 410 for one stopped more than 30 days ago."""
    cache: FeedCache = request.app.state.feeds
    key = f"{hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()}:{alarm == 'off'}"
    try:
        record, rendered = _fresh(database, token, deployed.base_url.rstrip("/"), now, alarm != "off")
    except Exception:
        known = cache.get(key)
        if known is None:
            raise
        log.exception("a feed could not be made; its last good bytes are served")
        return _answer(request, known)
    if record is None:
        return _missing(request, now)
    if rendered is None:
        cache.drop(key)
        return PlainTextResponse(GONE, 410, HEADERS)
    used = BackgroundTask(_touch, database, record, request.headers.get("user-agent", ""), now)
    return _answer(request, cache.put(key, rendered), used)


def _missing(request: Request, now: datetime) -> Response:
    misses: Misses = request.app.state.misses
    if misses.too_many(request.client.host if request.client else "", now):
        return PlainTextResponse(TOO_MANY, 429, {**HEADERS, "Retry-After": "60"})
    return PlainTextResponse(MISSING, 404, HEADERS)


def _fresh(
    database: Database, token: str, base_url: str, now: datetime, alarm: bool
) -> tuple[FeedToken | None, Rendered | None]:
    with database.read() as session:
        record = feed_tokens.look_up(session, token)
        if record is None:
            return None, None
        if record.revoked_at:
            if now - record.revoked_at > REVOKED_SHOWN:
                return record, None
            body = render_stopped(record.name, record.revoked_at, base_url=base_url).body
            return record, Rendered(body, hashlib.sha256(body).hexdigest()[:32], record.revoked_at)
        coordinators = [one.coordinator for one in plans.plans(session)]
        facts = feed(session, feed_tokens.subject_of(record, coordinators), now=now)
    body = render(facts, base_url=base_url, alarm=0 if alarm else None)
    changed_at = max(facts.frame.changed_at, RENDERER_CHANGED_AT)
    return record, Rendered(body, hashlib.sha256(body).hexdigest()[:32], changed_at)


def _answer(request: Request, rendered: Rendered, background: BackgroundTask | None = None) -> Response:
    zipped = accepts_gzip(request.headers.get("accept-encoding"))
    tags = {rendered.tag, f"{rendered.tag}-gzip"}
    headers = {
        **HEADERS,
        "ETag": f'"{rendered.tag}{"-gzip" if zipped else ""}"',
        "Last-Modified": http_date(rendered.changed_at),
    }
    since, matching = request.headers.get("if-modified-since"), request.headers.get("if-none-match")
    if is_fresh(tags, rendered.changed_at, matching, since):
        return Response(status_code=304, headers=headers, background=background)
    body = rendered.zipped if zipped else rendered.body
    if zipped:
        headers["Content-Encoding"] = "gzip"
    headers["Content-Disposition"] = f"inline; filename=\"lucheng.ics\"; filename*=UTF-8''{quote('办理时限.ics')}"
    headers["Content-Length"] = str(len(body))
    content = b"" if request.method == "HEAD" else body
    return Response(content, 200, headers, "text/calendar; charset=utf-8", background)


def _touch(database: Database, record: FeedToken, client: str, now: datetime) -> None:
    """Note the use, after the answer. A failure here must not reach the client; it is logged."""
    if record.last_used_at is not None and now - record.last_used_at < TOUCH_EVERY:
        return
    try:
        with database.write() as session:
            feed_tokens.touch(session, [Use(record.id, client, now)])
    except LuchengError:
        log.exception("the use of a feed could not be noted")
