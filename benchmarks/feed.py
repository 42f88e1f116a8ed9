"""A unit's calendar of 1,000 items: rendered, and polled over HTTP from a real server on the loopback."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from icalendar import Calendar
from icalendar.cal import Component
from sqlalchemy import insert, select

from api.feed_render import render
from benchmarks import bare_asgi
from benchmarks.big_ledger import DAY, NOW, pack_of
from benchmarks.databases import Stage, opened
from benchmarks.http_load import Load, ask, load, request, serving
from benchmarks.measure import take_turns, timed
from benchmarks.table import Result
from ledger import feed_tokens, issuing, loading
from ledger.civil import at_hour
from ledger.database import Session
from ledger.queries.feed import Feed, feed
from ledger.tables import work_item
from policy_models.feeds import Scope, Subject
from policy_models.plan import Level

QUESTION, NAME = "feed", "feed"
ITEMS = 1_000
BASE_URL = "http://127.0.0.1:8000"
RUNS = 5
Property = tuple[str, object]
# what is asked for, the status it must have, and the headers that ask for it
KINDS: dict[str, tuple[int, dict[str, str]]] = {
    "200": (200, {}),
    "200-gzip": (200, {"Accept-Encoding": "gzip"}),
    "304": (304, {}),
}


@dataclass(frozen=True, slots=True)
class Polls:
    """A feed's address on a server, and the validator that a client which has polled before sends."""

    port: int
    path: str
    tag: str

    def wire(self, kind: str) -> bytes:
        headers = KINDS[kind][1] | ({"If-None-Match": self.tag} if kind == "304" else {})
        return request(self.path, headers)


def measure(stage: Stage) -> list[Result]:
    """Two rows of rendering (no database in it, so only on the first stage) and six of HTTP: answers a second and p99 for 200, 200 gzip, 304."""
    unit, token = _prepare(stage)
    with opened(stage.place.url(NAME)) as database, database.read() as session:
        facts = feed(session, Subject(Scope.UNIT, unit), now=NOW)
    body = render(facts, base_url=BASE_URL)
    rows = [*(_rendering(facts, body) if stage.first else []), *_polling(stage, token, body)]
    stage.place.drop(NAME)
    return rows


def _prepare(stage: Stage) -> tuple[str, str]:
    """A ledger with one village that has exactly ITEMS in its feed, fewer where the stage is small; (unit, token)."""
    stage.place.create(NAME)
    pack = pack_of(0)
    [unit] = [unit.code for unit in pack.units.values() if unit.level is Level.VILLAGE]
    start = pack.plan.starts_on
    with opened(stage.place.url(NAME)) as database, database.write() as session:
        loading.load_plan(session, pack, now=at_hour(start, 8), go_live_on=start)
        issuing.issue_due(session, pack.plan.code, as_of=DAY, now=NOW)
        _fill(session, unit, min(ITEMS, stage.items))
        return unit, feed_tokens.create(session, unit, "benchmark", NOW)


def _fill(session: Session, unit: str, wanted: int) -> None:
    """Copy the items that the unit's feed shows, under keys of their own, until there are ``wanted``."""
    keys = [item.key for item in feed(session, Subject(Scope.UNIT, unit), now=NOW).items]
    shown = session.execute(select(work_item).where(work_item.c.key.in_(keys)).order_by(work_item.c.id)).all()
    copies = [
        {**row._mapping, "key": f"{row.key}-{number}"}
        for number, row in enumerate(islice(cycle(shown), max(0, wanted - len(keys))), 1)
    ]
    for copy in copies:
        del copy["id"]
    if copies:
        session.execute(insert(work_item), copies)
    if (held := len(feed(session, Subject(Scope.UNIT, unit), now=NOW).items)) < wanted:
        raise RuntimeError(f"the feed shows {held} items, not {wanted}")


def _rendering(facts: Feed, body: bytes) -> list[Result]:
    size = len(facts.items)
    plain = _plain(Calendar.from_ical(body))
    if _lines(_by_library(plain)) != _lines(body):
        raise RuntimeError("icalendar was not given the same content")
    begin = b"BEGIN:VEVENT"
    head, *events = body.split(begin)
    fragments = [head, *(begin + event for event in events)]
    acts: tuple[Callable[[], bytes], ...] = (
        lambda: render(facts, base_url=BASE_URL),
        lambda: _by_library(plain),
        lambda: b"".join(fragments),
    )
    ours, library, joined = (median(size / s for s in f) for f in take_turns(RUNS, *(_timer(act) for act in acts)))
    figure = f"rendering {size:,} items"
    return [
        Result(QUESTION, "none", figure, ours, "items/s", "icalendar (peer)", library),
        Result(QUESTION, "none", figure, ours, "items/s", "joining ready fragments (limit)", joined),
    ]


def _timer(act: Callable[[], bytes]) -> Callable[[], float]:
    return lambda: timed(act)


@dataclass(frozen=True, slots=True)
class PlainComponent:
    """A calendar component as plain values: what a program that uses a library would start from."""

    name: str
    properties: tuple[Property, ...]
    parts: tuple[PlainComponent, ...]


def _plain(component: Component) -> PlainComponent:
    values = [(name, _value(found)) for name, held in component.items() for found in _each(held)]
    parts = tuple(_plain(part) for part in component.subcomponents)
    return PlainComponent(component.name or "", tuple(values), parts)


def _each(held: Any) -> list[Any]:
    return held if isinstance(held, list) else [held]


def _value(found: Any) -> object:
    if hasattr(found, "dt"):
        return found.dt
    if hasattr(found, "cats"):
        return [str(name) for name in found.cats]
    if hasattr(found, "td"):
        return found.td
    return int(found) if isinstance(found, int) else str(found)


def _by_library(plain: PlainComponent) -> bytes:
    return bytes(_component(plain).to_ical(sorted=False))


def _component(plain: PlainComponent) -> Component:
    made = Component.get_component_class(plain.name)()
    for name, value in plain.properties:
        made.add(name, value)
    for part in plain.parts:
        made.add_component(_component(part))
    return made


def _lines(body: bytes) -> list[str]:
    """The content lines, unfolded, in an order that does not depend on who wrote them. The refresh hint is left out:
    the library writes the same length of time in another way."""
    lines = re.sub(rb"\r\n[ \t]", b"", body).decode().split("\r\n")
    return sorted(line for line in lines if not line.startswith("REFRESH-INTERVAL"))


def _polling(stage: Stage, token: str, body: bytes) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="lucheng-bench-") as name, _both(stage, Path(name), body) as (ours, bare):
        path = f"/feeds/{token}.ics"
        first = ask(ours, request(path, {}))
        if (first.status, len(first.body)) != (200, len(body)):
            raise RuntimeError(f"the feed over HTTP is not the feed rendered: {first.status}, {len(first.body)} octets")
        polls = Polls(ours, path, first.headers["etag"])
        return [row for kind in KINDS for row in _polls(stage, kind, polls, bare)]


@contextmanager
def _both(stage: Stage, folder: Path, body: bytes) -> Iterator[tuple[int, int]]:
    """The product as ``lucheng up`` starts it, and the bare application; their ports."""
    (folder / "body").write_bytes(body)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LUCHENG_")}
    product = kept | {
        "LUCHENG_DATABASE_URL": stage.place.url(NAME),
        "LUCHENG_DATA_DIR": str(folder),
        "LUCHENG_BASE_URL": BASE_URL,
        "LUCHENG_CLOCK": NOW.isoformat(),
    }
    bare = kept | {bare_asgi.BODY: str(folder / "body")}
    command = ["uvicorn", "--factory", "benchmarks.bare_asgi:app", "--no-access-log", "--log-level", "warning"]
    with (
        serving(["lucheng", "web"], product, folder / "product.log") as ours,
        serving(command, bare, folder / "bare.log") as limit,
    ):
        yield ours, limit


def _polls(stage: Stage, kind: str, polls: Polls, bare: int) -> list[Result]:
    status = KINDS[kind][0]
    mine: list[Load] = []
    limit: list[Load] = []
    for _ in range(stage.runs):
        mine.append(load(polls.port, polls.wire(kind), status))
        limit.append(load(bare, request(f"/{kind}", {}), status))
    rate, most = (median(one.per_second for one in loads) for loads in (mine, limit))
    p99, least = (median(one.p99 for one in loads) * 1000 for loads in (mine, limit))
    beside = "bare ASGI app (limit)"
    return [
        Result(QUESTION, stage.kind, f"HTTP {kind}", rate, "answers/s", beside, most),
        Result(QUESTION, stage.kind, f"HTTP {kind}, p99", p99, "ms", beside, least),
    ]
