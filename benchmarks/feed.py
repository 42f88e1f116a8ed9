"""A village's calendar of 1,000 items: rendered, polled over HTTP from a real server, changed, and how much memory
100,000 subscriptions take."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import TypeVar

import httpx
from sqlalchemy import insert, select

from api.feed_render import render
from benchmarks import feed_servers
from benchmarks.big_ledger import DAY, NOW, big_ledger, pack_of, real_items
from benchmarks.databases import Stage, opened
from benchmarks.feed_rendering import QUESTION, measure_rendering
from benchmarks.http_load import HOST, TICK, Load, Server, ask, load, request
from benchmarks.measure import cpu_of_tree, resident_bytes, say
from benchmarks.table import Result
from ledger import feed_tokens, issuing, loading, reviews
from ledger.acts import Actor
from ledger.civil import at_hour
from ledger.database import Session
from ledger.queries.feed import feed
from ledger.tables import feed_fragment, feed_token, plan, unit, work_item
from policy_models.feeds import Scope, Subject
from policy_models.plan import Level

NAME = "feed"
ITEMS, SUBSCRIPTIONS = 1_000, 100_000
BASE_URL = "http://127.0.0.1:8000"
PER_CORE, ZIPPED_PER_CORE, P99_MS, MEMORY = 10_000, 3_000, 10, 3.0
PEER_SECONDS, WRITTEN_SECONDS = 3.0, 20.0
T = TypeVar("T")
# what is asked for, the status it must have, and the headers that ask for it
KINDS: dict[str, tuple[int, dict[str, str]]] = {
    "304": (304, {}),
    "200 gzip": (200, {"Accept-Encoding": "gzip"}),
    "200": (200, {}),
}
BOUNDS = {"304": PER_CORE, "200 gzip": ZIPPED_PER_CORE}
CTAG = b'<propfind xmlns="DAV:"><prop><getctag xmlns="http://calendarserver.org/ns/"/></prop></propfind>'
QUERY = (
    b'<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop>'
    b'<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter>'
    b"</C:calendar-query>"
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A unit's feed of ``size`` items: its token and its bytes."""

    unit: str
    token: str
    body: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Target:
    """A server that has the feed, and the request for each of KINDS."""

    name: str
    server: Server
    wires: dict[str, bytes]


def measure(stage: Stage) -> list[Result]:
    """Rendering and the peers on the first stage only (no database in them); polls, one change and memory on each."""
    calendar, rows = _prepare(stage)
    with tempfile.TemporaryDirectory(prefix="lucheng-bench-") as name:
        folder = Path(name)
        rows += _polled(stage, folder, calendar)
    stage.place.drop(NAME)
    return [*rows, *_memory(stage)]


def _prepare(stage: Stage) -> tuple[Calendar, list[Result]]:
    """A ledger with one village that has exactly ITEMS in its feed, fewer where the stage is small."""
    stage.place.create(NAME)
    pack = pack_of(0)
    [village] = [one.code for one in pack.units.values() if one.level is Level.VILLAGE]
    start = pack.plan.starts_on
    with opened(stage.place.url(NAME)) as database:
        with database.write() as session:
            loading.load_plan(session, pack, now=at_hour(start, 8), go_live_on=start)
            issuing.issue_due(session, pack.plan.code, as_of=DAY, now=NOW)
            _fill(session, village, min(ITEMS, stage.items))
            token = feed_tokens.create(session, village, "benchmark", NOW)
        with database.read() as session:
            facts = feed(session, Subject(Scope.UNIT, village), now=NOW)
    body = render(facts, base_url=BASE_URL)
    rendering = measure_rendering(facts, body, BASE_URL) if stage.first else []
    return Calendar(village, token, body, len(facts.items)), rendering


def _fill(session: Session, code: str, wanted: int) -> None:
    """Copy the items that the unit's feed shows, under keys of their own, until there are ``wanted``."""
    keys = [item.key for item in feed(session, Subject(Scope.UNIT, code), now=NOW).items]
    shown = session.execute(select(work_item).where(work_item.c.key.in_(keys)).order_by(work_item.c.id)).all()
    copies = [
        {**row._mapping, "key": f"{row.key}-{number}"}
        for number, row in enumerate(islice(cycle(shown), max(0, wanted - len(keys))), 1)
    ]
    for copy in copies:
        del copy["id"]
    if copies:
        session.execute(insert(work_item), copies)
    if (held := len(feed(session, Subject(Scope.UNIT, code), now=NOW).items)) < wanted:
        raise RuntimeError(f"the feed shows {held} items, not {wanted}")


def _polled(stage: Stage, folder: Path, calendar: Calendar) -> list[Result]:
    with ExitStack() as stack:
        ours = stack.enter_context(
            feed_servers.product(folder / "product", stage.place.url(NAME), BASE_URL, NOW.isoformat())
        )
        mine = _product(ours, calendar)
        limits = [_bare(stack.enter_context(feed_servers.bare(folder / "bare", calendar.body)))]
        if file_server := stack.enter_context(feed_servers.nginx(folder / "nginx", calendar.body)):
            limits.append(_nginx(file_server))
        rows = [row for kind in KINDS for row in _compared(stage, kind, mine, limits)]
        if stage.first:
            rows += _beside_peers(stage, folder, calendar, mine)
        rows.append(_one_change(stage, ours, calendar))
    return rows


def _product(server: Server, calendar: Calendar) -> Target:
    path = f"/feeds/{calendar.token}.ics"
    first = ask(server.port, request(path, {}))
    if (first.status, len(first.body)) != (200, len(calendar.body)):
        raise RuntimeError(f"the feed over HTTP is not the feed rendered: {first.status}, {len(first.body)} octets")
    tag = {"If-None-Match": first.headers["etag"]}
    return Target("product", server, {kind: request(path, tag if kind == "304" else KINDS[kind][1]) for kind in KINDS})


def _bare(server: Server) -> Target:
    paths = {"304": "/304", "200": "/200", "200 gzip": "/200-gzip"}
    return Target("bare ASGI app (limit)", server, {kind: request(path, {}) for kind, path in paths.items()})


def _nginx(server: Server) -> Target:
    path = f"/{feed_servers.FEED}"
    tag = {"If-None-Match": ask(server.port, request(path, {})).headers["etag"]}
    wires = {kind: request(path, tag if kind == "304" else KINDS[kind][1]) for kind in KINDS}
    return Target("nginx, a file (limit)", server, wires)


def _compared(stage: Stage, kind: str, mine: Target, limits: Sequence[Target]) -> list[Result]:
    """Answers for each second of the server's CPU, and p99 as the client sees it, beside each limit, by turns."""
    everyone = [mine, *limits]
    loads: dict[str, list[Load]] = {one.name: [] for one in everyone}
    for _ in range(stage.runs):
        for one in everyone:
            loads[one.name].append(load(one.server, [one.wires[kind]], KINDS[kind][0]))
    core = {name: median(one.per_core for one in found) for name, found in loads.items()}
    p99 = {name: median(one.p99 for one in found) * 1000 for name, found in loads.items()}
    wall = median(one.per_second for one in loads[mine.name])
    say(f"feed on {stage.kind}: {kind}: {wall:,.0f} answers a second by the clock")
    least = BOUNDS.get(kind)
    rows = []
    for one in limits:
        bound, met = (f">= {least:,}", core[mine.name] >= least) if least else (None, None)
        rows.append(
            Result(
                QUESTION,
                stage.kind,
                f"HTTP {kind}, a core",
                core[mine.name],
                "answers/s",
                one.name,
                core[one.name],
                bound,
                met,
            )
        )
    bound, met = (f"< {P99_MS} ms", p99[mine.name] < P99_MS) if kind == "304" else (None, None)
    rows.append(
        Result(
            QUESTION,
            stage.kind,
            f"HTTP {kind}, p99",
            p99[mine.name],
            "ms",
            limits[0].name,
            p99[limits[0].name],
            bound,
            met,
        )
    )
    return rows


def _beside_peers(stage: Stage, folder: Path, calendar: Calendar, mine: Target) -> list[Result]:
    """The product beside calendar servers that hold the same events: all of them, and whether anything changed."""
    ours = {kind: load(mine.server, [mine.wires[kind]], KINDS[kind][0]).per_core for kind in ("200", "304")}
    asks = {"200": ("all events", "REPORT", QUERY), "304": ("anything new?", "PROPFIND", CTAG)}
    rows = []
    with feed_servers.peers(folder, _events(calendar.body)) as found:
        for name, (server, path) in found.items():
            for kind, (words, method, question) in asks.items():
                theirs = _asked(server, path, method, question, calendar.size if kind == "200" else 0)
                figure = f"{words} (HTTP {kind}), a core"
                rows.append(Result(QUESTION, "none", figure, ours[kind], "answers/s", f"{name} (peer)", theirs))
    return rows


def _events(body: bytes) -> dict[str, bytes]:
    """Each event as a file of its own, as calendar servers keep them."""
    begin, end = b"BEGIN:VEVENT", b"END:VEVENT\r\n"
    pieces = [piece.partition(end)[0] for piece in body.split(begin)[1:]]
    head, tail = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Lucheng//Bench//ZH\r\n", b"END:VCALENDAR\r\n"
    return {f"{number:04}.ics": head + begin + piece + end + tail for number, piece in enumerate(pieces)}


def _asked(server: Server, path: str, method: str, question: bytes, events: int) -> float:
    """Answers for each second of a peer's CPU. Raises RuntimeError where it does not answer with all events."""
    headers = {"Depth": "1" if events else "0", "Content-Type": "application/xml; charset=utf-8"}
    with httpx.Client(base_url=f"http://{HOST}:{server.port}", auth=("desk", "desk"), timeout=120) as client:
        answers, began, cpu = 0, time.perf_counter(), 0.0
        while answers < 2 or time.perf_counter() - began < PEER_SECONDS:
            answer = client.request(method, path, headers=headers, content=question)
            if answer.status_code != 207 or answer.content.count(b"BEGIN:VEVENT") < events:
                raise RuntimeError(
                    f"{answer.status_code}, {answer.content.count(b'BEGIN:VEVENT')} events: {answer.text[:300]}"
                )
            answers += 1
            if answers == 1:  # the first fills its caches
                cpu, began = cpu_of_tree(server.pid), time.perf_counter()
        return (answers - 1) / max(cpu_of_tree(server.pid) - cpu, TICK)


def _one_change(stage: Stage, server: Server, calendar: Calendar) -> Result:
    """How many stored pieces are others after one item has changed and the feed was polled."""
    wire, mine = request(f"/feeds/{calendar.token}.ics", {}), work_item.c.unit_code == calendar.unit
    with opened(stage.place.url(NAME)) as database:

        def pieces() -> dict[int, str]:
            with database.read() as session:
                rows = session.execute(select(feed_fragment.c.item_id, feed_fragment.c.version))
                return {id: str(version) for id, version in rows}

        def polled() -> dict[int, str]:
            ask(server.port, wire)
            return pieces()

        before = _once(polled, lambda found: len(found) >= calendar.size)
        with database.write() as session:
            key = session.execute(
                select(work_item.c.key).where(mine, work_item.c.state == "open").limit(1)
            ).scalar_one()
            coordinator = session.execute(select(plan.c.coordinator)).scalar_one()
            reviews.waive(session, key, by=Actor(coordinator, "benchmark"), now=NOW, reason="本期无此情形")
        after = _once(polled, lambda found: found != before)
    made = sum(before.get(id) != version for id, version in after.items())
    figure, beside = "pieces rendered again after one change", "pieces in the feed"
    return Result(QUESTION, stage.kind, figure, made, "", beside, len(after), "= 1", made == 1)


def _once(look: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    until = time.monotonic() + WRITTEN_SECONDS
    while not wanted(found := look()):
        if time.monotonic() > until:
            raise RuntimeError(f"not within {WRITTEN_SECONDS} s")
        time.sleep(0.2)
    return found


def _memory(stage: Stage) -> list[Result]:
    """What each subscription adds to a server that has every unit's feed ready, when all have been polled, units by
    turns."""
    ledger = big_ledger(stage, min(stage.items, real_items()))
    subscriptions = min(SUBSCRIPTIONS, stage.items)
    with stage.copied(ledger.name) as url, tempfile.TemporaryDirectory(prefix="lucheng-bench-") as name:
        units = _subscribed(url, 0, None)
        with feed_servers.product(Path(name), url, BASE_URL, NOW.isoformat()) as server:
            load(server, [_zipped(number) for number in range(units)], 200)
            warm = resident_bytes(server.pid)
        _subscribed(url, units, subscriptions)
        with feed_servers.product(Path(name), url, BASE_URL, NOW.isoformat()) as server:
            load(server, [_zipped(number) for number in range(max(units, subscriptions))], 200)
            each = (resident_bytes(server.pid) - warm) / max(1, subscriptions - units) / 1024
    figure, beside = f"memory of each of {subscriptions:,} subscriptions", "all of it, by their number"
    whole = (warm / 1024 + each * subscriptions) / subscriptions
    return [Result(QUESTION, stage.kind, figure, each, "kB", beside, whole, f"<= {MEMORY:g} kB", each <= MEMORY)]


def _subscribed(url: str, first: int, end: int | None) -> int:
    """Make tokens with the numbers from ``first`` on, the units by turns, up to ``end`` (None: one for each unit); how
    many units there are."""
    with opened(url) as database, database.write() as session:
        units = session.execute(select(unit.c.code).order_by(unit.c.code)).scalars().all()
        rows = [
            {
                "hash": feed_tokens.token_hash(_token(n)),
                "name": "benchmark",
                "unit_code": units[n % len(units)],
                "created_at": NOW,
            }
            for n in range(first, len(units) if end is None else end)
        ]
        if rows:
            session.execute(insert(feed_token), rows)
    return len(units)


def _token(number: int) -> str:
    return f"{number:032}"


def _zipped(number: int) -> bytes:
    return request(f"/feeds/{_token(number)}.ics", {"Accept-Encoding": "gzip"})
