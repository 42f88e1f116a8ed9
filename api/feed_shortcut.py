"""Polls of calendar feeds, answered before the routes: token → validator → 304, all from memory.

A poll with a valid token never meets 401, 403, 429 or 5xx while anything is known of its feed. When the ledger is away
and a process knows no token yet, whoever sends a validator is told that the copy is still good: nothing better is known,
it is the same for every token, and a calendar program would otherwise switch the calendar off.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.conditional import accepts_gzip, is_fresh
from api.feed_keeper import Built, FeedKeeper, FeedKey, Token, digest_of
from api.feed_options import read_options
from api.misses import Misses
from ledger.civil import SHANGHAI, civil_date

log = logging.getLogger("api")
T = TypeVar("T")
PREFIX, SUFFIX = "/feeds/", ".ics"
LOOK_SECONDS = 1.0  # a poll looks at the ledger at most so often, and does not wait for it
WAIT_SECONDS = 2.0  # what was seen longer ago is looked at before the answer
LONGEST_WAIT = 1.5  # seconds that the poll of a known feed waits for a look when the ledger does not answer
FIRST_WAIT = 20.0  # the same where the token is not known, or not yet
REVOKED_SHOWN = timedelta(days=30)
THREADS = 4
SAFE = frozenset({"GET", "HEAD"})
MISSING = "没有这个日历订阅，地址可能不完整。请在单位页面重新订阅。"
TOO_MANY = "查询过于频繁，请一分钟后再试。"
GONE = "这个日历订阅早已停用。请在日历软件中删除，并在单位页面重新订阅。"
NOT_ALLOWED = "日历订阅只供读取。"
UNAVAILABLE = "台账暂时无法读取，请稍后再试。"
Header = tuple[bytes, bytes]
ALWAYS: tuple[Header, ...] = (
    (b"cache-control", b"private, max-age=900, must-revalidate"),
    (b"vary", b"Accept-Encoding"),
    (b"x-robots-tag", b"noindex"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
CALENDAR: tuple[Header, ...] = (
    (b"content-type", b"text/calendar; charset=utf-8"),
    (
        b"content-disposition",
        f"inline; filename=\"lucheng.ics\"; filename*=UTF-8''{quote('办理时限.ics')}".encode(),
    ),
)


class FeedShortcut:
    """Answers ``/feeds/….ics`` and passes everything else on."""

    def __init__(self, app: ASGIApp, keeper: FeedKeeper, misses: Misses) -> None:
        self._app, self._keeper, self._misses = app, keeper, misses
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="feeds")
        self._running: dict[object, Future[Any]] = {}
        self._lock = Lock()
        self._day: tuple[datetime, datetime, int] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith(PREFIX) and path.endswith(SUFFIX):
                return await self._answer(scope, send, path[len(PREFIX) : -len(SUFFIX)])
            await self._app(scope, receive, send)
            if scope["method"] not in SAFE:
                self._keeper.look_again()  # what was written here is seen by the very next poll
            return
        await self._app(scope, self._until_shutdown(receive) if scope["type"] == "lifespan" else receive, send)

    def _until_shutdown(self, receive: Receive) -> Receive:
        async def wrapped() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._in_thread("flush", self._keeper.flush)
                self._pool.shutdown(wait=False)
            return message

        return wrapped

    async def _answer(self, scope: Scope, send: Send, token: str) -> None:
        keeper, head = self._keeper, scope["method"] == "HEAD"
        if scope["method"] not in SAFE:
            return await _say(send, 405, NOT_ALLOWED, False, ((b"allow", b"GET, HEAD"),))
        age = time.monotonic() - keeper.looked_at
        digest = digest_of(token)
        if age >= LOOK_SECONDS:
            await self._look(digest, wait=age >= WAIT_SECONDS)
        found, now = keeper.tokens.get(digest), keeper.clock.now()
        if found is None:
            return await self._missing(scope, send, now, head)
        if found.revoked_at is not None:
            if now - found.revoked_at > REVOKED_SHOWN:
                return await _say(send, 410, GONE, head)
            built, body = keeper.stopped(found, read_options(scope["query_string"]))
            await _feed(scope, send, built, lambda _zipped: (body, False))
            return
        await self._serve(scope, send, found, now)
        if keeper.unwritten:
            await self._in_thread("flush", keeper.flush)

    async def _look(self, digest: bytes, *, wait: bool) -> None:
        """Have somebody look at the ledger. A feed that is known does not wait for a slow one; one that is not does."""
        looking = self._start(("look", self._keeper.wanted), self._keeper.look)
        if not wait or looking.done():
            return
        longest = LONGEST_WAIT if digest in self._keeper.tokens else FIRST_WAIT
        done, _ = await asyncio.wait({asyncio.ensure_future(_waited(looking))}, timeout=longest)
        if not done:
            log.warning("the ledger has not answered for %.1f seconds; feeds are served as last seen", longest)

    async def _missing(self, scope: Scope, send: Send, now: datetime, head: bool) -> None:
        if not self._keeper.known:
            if any(name == b"if-none-match" for name, _ in scope["headers"]):
                return await _empty(send, 304, ALWAYS)
            return await _say(send, 503, UNAVAILABLE, head, ((b"retry-after", b"60"),))
        client = scope.get("client")
        if self._misses.too_many(client[0] if client else "", now):
            return await _say(send, 429, TOO_MANY, head, ((b"retry-after", b"60"),))
        await _say(send, 404, MISSING, head)

    async def _serve(self, scope: Scope, send: Send, token: Token, now: datetime) -> None:
        keeper, key = self._keeper, (token.subject, read_options(scope["query_string"]))
        built = keeper.fresh(key, self._today(now)) or await self._build(key)
        if built is None:
            return await self._missing_bytes(scope, send)
        keeper.note(token, _header(scope, b"user-agent"), now)

        def body(zipped: bool) -> tuple[bytes | None, bool]:
            return (keeper.zipped(built), True) if zipped else (keeper.plain(built), False)

        if not await _feed(scope, send, built, body):  # its bytes were not kept: made once more, and sent at once
            again = await self._build(key)
            if again is None or not await _feed(scope, send, again, body):
                await self._missing_bytes(scope, send)

    async def _missing_bytes(self, scope: Scope, send: Send) -> None:
        if any(name == b"if-none-match" for name, _ in scope["headers"]):
            return await _empty(send, 304, ALWAYS)
        await _say(send, 503, UNAVAILABLE, scope["method"] == "HEAD", ((b"retry-after", b"60"),))

    async def _build(self, key: FeedKey) -> Built | None:
        """The feed made anew, else as last seen; None when nothing is known of it."""
        if self._keeper.away:
            return self._keeper.last(key)
        try:
            return await self._in_thread((key, self._keeper.tick), lambda: self._keeper.build(key))
        except Exception:
            log.exception("a feed could not be made; its last good bytes are served")
            return self._keeper.last(key)

    def _today(self, now: datetime) -> int:
        if self._day is None or not self._day[0] <= now < self._day[1]:
            today = civil_date(now)
            begins, ends = (_midnight(day) for day in (today, today + timedelta(days=1)))
            self._day = (begins, ends, today.toordinal())
        return self._day[2]

    async def _in_thread(self, name: object, act: Callable[[], T]) -> T:
        return await _waited(self._start(name, act))

    def _start(self, name: object, act: Callable[[], T]) -> Future[T]:
        """Do something in a thread; who asks for the same while it runs gets the same answer."""
        with self._lock:
            running = self._running.get(name)
            if running is None:
                running = self._running[name] = self._pool.submit(act)
                running.add_done_callback(lambda _done: self._running.pop(name, None))
            return running


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def _waited(future: Future[T]) -> Coroutine[Any, Any, T]:
    async def waiting() -> T:
        return await asyncio.shield(asyncio.wrap_future(future))  # one who leaves takes nothing from the others

    return waiting()


def _header(scope: Scope, name: bytes) -> str:
    found = [value for key, value in scope["headers"] if key == name]
    return b", ".join(found).decode("latin-1")


async def _feed(scope: Scope, send: Send, built: Built, body: Callable[[bool], tuple[bytes | None, bool]]) -> bool:
    """304 or the feed; False, and nothing sent, when there are no bytes."""
    accepted = matching = since = None
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepted = value if accepted is None else accepted + b", " + value
        elif name == b"if-none-match":
            matching = value if matching is None else matching + b", " + value
        elif name == b"if-modified-since":
            since = value
    zipped = accepted is not None and accepts_gzip(accepted.decode("latin-1"))
    if _still_good(built, matching, since):
        tag = built.zipped_tag if zipped else built.plain_tag
        await _empty(send, 304, (*ALWAYS, (b"etag", tag), (b"last-modified", built.modified)))
        return True
    octets, coded = body(zipped)
    if octets is None:
        return False
    headers = [*ALWAYS, *CALENDAR, (b"etag", built.zipped_tag if coded else built.plain_tag)]
    headers += [(b"last-modified", built.modified), (b"content-length", b"%d" % len(octets))]
    if coded:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else octets})
    return True


def _still_good(built: Built, matching: bytes | None, since: bytes | None) -> bool:
    if matching is not None and (matching == built.plain_tag or matching == built.zipped_tag):
        return True
    if matching is None and since is None:
        return False
    return is_fresh(
        {built.tag, f"{built.tag}-gzip"},
        built.changed_at,
        None if matching is None else matching.decode("latin-1"),
        None if since is None else since.decode("latin-1"),
    )


async def _empty(send: Send, status: int, headers: tuple[Header, ...]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers]})
    await send({"type": "http.response.body", "body": b""})


async def _say(send: Send, status: int, words: str, head: bool, more: tuple[Header, ...] = ()) -> None:
    body = words.encode()
    headers = [*ALWAYS, (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
