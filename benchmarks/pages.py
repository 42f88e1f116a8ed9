"""Pages of a big ledger, as twenty people read them at once: each page's p95 against its bound. The people are real
sessions of a coordinator, a county and a township; each reads an answer for one to five seconds before the next."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from api.guard import COOKIE
from benchmarks.big_ledger import DAY, big_ledger
from benchmarks.databases import Stage, opened
from benchmarks.feed_servers import product
from benchmarks.http_load import HOST, Server
from benchmarks.measure import cpu_of_tree, percentile
from benchmarks.table import Result
from ledger import accounts, logins
from ledger.civil import at_hour
from ledger.database import Database, Session
from ledger.tables import unit, work_item
from policy_models.access import Grant, Role

QUESTION = "pages"
BOUND = {"sqlite": 300, "postgres": 200}  # milliseconds
USERS, READS, SECONDS = 20, (1.0, 5.0), 120
SEED = 150200
COORDINATOR, COUNTY, TOWNSHIP = "150200-mz", "150202", "150202001"
ROUND = "2026-H1"
PAST_DAYS = ("2026-05-25", "2025-06-01")  # a week back, and a year
# Who asks for what; the pages of a list that grows are asked for with and without their filters.
PAGES: Mapping[str, Sequence[str]] = {
    COORDINATOR: (
        "/",
        "/tasks",
        "/tasks/5",
        "/tasks/8",
        "/phases/2",
        "/units",
        f"/units/{COUNTY}",
        f"/units/{TOWNSHIP}",
        "/items",
        "/items?timing=late",
        "/items?section=task-5&under=150202",
        "/register",
        "/register?timing=late",
        "/reminders",
        "/messages",
        "/rounds",
        f"/rounds/{ROUND}",
        "/circulars",
        "/exemplars",
        "/people/unreachable",
        f"/units/{COORDINATOR}/review",
        f"/units/{COORDINATOR}/people",
        "/timeline",
        "/calendar",
        "/changes?from=2026-05-25&to=2026-06-01",
        "/charts/burn-up",
        "/charts/timeliness",
        "/charts/burden",
        *(f"{page}?as_of={day}" for day in PAST_DAYS for page in ("/", "/tasks/5", "/items")),
    ),
    COUNTY: ("/", "/tasks", "/tasks/5", "/units", f"/units/{COUNTY}", "/items", "/register", "/calendar", "/timeline"),
    TOWNSHIP: (
        f"/units/{TOWNSHIP}/desk",
        f"/units/{TOWNSHIP}",
        f"/units/{TOWNSHIP}/sheets",
        "/items",
        "/calendar",
        "{item}",
        "{submit}",
    ),
}


@dataclass(frozen=True, slots=True)
class _Person:
    key: str
    pages: tuple[str, ...]


def measure(stage: Stage) -> list[Result]:
    """A row for each page: p95 over all who asked for it, and its bound; a last one for what the server took."""
    ledger = big_ledger(stage, stage.items)
    with ExitStack() as stack:
        url = stack.enter_context(stage.copied(ledger.name))
        database = stack.enter_context(opened(url))
        began = at_hour(DAY, 9)
        people = _sign_in(database, began)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="pages-")))
        with product(folder, url, f"http://{HOST}", began.isoformat()) as server:
            _each_once(server, people)
            cpu, clock = cpu_of_tree(server.pid), time.perf_counter()
            times = _visits(server, people)
            cpu, clock = cpu_of_tree(server.pid) - cpu, time.perf_counter() - clock
    return [*_rows(stage, ledger.items, times), _load(stage, times, cpu, clock)]


def _rows(stage: Stage, items: int, times: Mapping[str, Sequence[float]]) -> Iterator[Result]:
    bound = BOUND[stage.kind]
    for page, found in sorted(times.items(), key=lambda one: -percentile(one[1], 0.95)):
        p50, p95 = percentile(found, 0.5) * 1000, percentile(found, 0.95) * 1000
        figure = f"{page}, {items:,} items, {len(found)} answers: p95 (p50 {p50:.0f} ms)"
        yield Result(QUESTION, stage.kind, figure, p95, "ms", bound=f"p95 < {bound} ms", met=p95 < bound)


def _load(stage: Stage, times: Mapping[str, Sequence[float]], cpu: float, clock: float) -> Result:
    answers = sum(map(len, times.values()))
    figure = f"{USERS} people, {answers} answers in {clock:.0f} s: CPU of the web server for each"
    return Result(QUESTION, stage.kind, figure, cpu / answers * 1000, "ms")


def _sign_in(database: Database, now: datetime) -> list[_Person]:
    """Twenty sessions: as many of each kind as its share of the pages, at least two."""
    with database.write() as session:
        own = {f"{{{name}}}": path for name, path in _of_township(session).items()}
        keys = {}
        for unit, roles in ((COORDINATOR, tuple(Role)), (COUNTY, (Role.REVIEWER,)), (TOWNSHIP, (Role.LIAISON,))):
            found = accounts.create_account(session, unit, unit, now)
            accounts.set_grants(session, found, [Grant(role, unit) for role in roles], now)
            keys[unit] = found
        kinds = [COORDINATOR] * 8 + [COUNTY] * 4 + [TOWNSHIP] * 8
        return [
            _Person(
                logins.open_login(session, keys[unit], now),
                tuple(own.get(page, page) for page in PAGES[unit]),
            )
            for unit in kinds
        ]


def _of_township(session: Session) -> dict[str, str]:
    """An item that a village of the township owes: its page, and that on which it is handed in."""
    owed = select(work_item.c.key, work_item.c.unit_code).join(unit, unit.c.code == work_item.c.unit_code)
    chosen = owed.where(unit.c.parent == TOWNSHIP, work_item.c.state == "open").order_by(work_item.c.id)
    found = session.execute(chosen.limit(1)).one()
    return {"item": f"/items/{found.key}", "submit": f"/units/{found.unit_code}/submit/{found.key}"}


def _each_once(server: Server, people: Sequence[_Person]) -> None:
    """Templates are compiled and connections opened before the clock runs; every page must be there."""
    for person in {one.pages: one for one in people}.values():
        with _browser(server) as browser:
            for page in person.pages:
                _get(browser, person.key, page)


def _visits(server: Server, people: Sequence[_Person]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = defaultdict(list)
    faults: list[str] = []
    lock, end = threading.Lock(), time.perf_counter() + SECONDS

    def visit(number: int, person: _Person) -> None:
        chance = random.Random(SEED + number)
        pages = list(person.pages)
        chance.shuffle(pages)
        time.sleep(chance.uniform(0, READS[1]))
        try:
            with _browser(server) as browser:
                turn = 0
                while time.perf_counter() < end:
                    page = pages[turn % len(pages)]
                    took = _get(browser, person.key, page)
                    with lock:
                        times[page].append(took)
                    turn += 1
                    time.sleep(chance.uniform(*READS))
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            faults.append(str(error))

    threads = [threading.Thread(target=visit, args=one) for one in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"a visit failed: {faults[0]}")
    return times


@contextmanager
def _browser(server: Server) -> Iterator[http.client.HTTPConnection]:
    browser = http.client.HTTPConnection(HOST, server.port, timeout=120)
    try:
        yield browser
    finally:
        browser.close()


def _get(browser: http.client.HTTPConnection, key: str, page: str) -> float:
    began = time.perf_counter()
    browser.request("GET", page, headers={"Cookie": f"{COOKIE}={key}", "Accept": "text/html"})
    answer = browser.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{page}: {answer.status} {answer.headers.get('location', '')}")
    return time.perf_counter() - began
