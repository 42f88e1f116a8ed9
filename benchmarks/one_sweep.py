"""One daily sweep in a program of its own, which loads only what the sweep needs; prints its figures as JSON.

The sweep here is the ledger's verbs in the order and the transactions in which flows/sweep.py calls them, without
Prefect around them and without delivering what was queued.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import event, text

from benchmarks.measure import cpu_of_tree, parent_of, peak_bytes
from ledger import evenings, issuing, outbox, plans, reminders, tally
from ledger.database import Session, connect
from policy_models.channels import INBOX_CODE


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep did and what it cost: CPU in seconds (the database server's included), memory in bytes."""

    created: int
    opened: int
    reminders: int
    messages: int
    statements: int
    seconds: float
    cpu: float
    scan_cpu: float
    memory_before: int
    memory_peak: int


class Steps:
    """Runs steps as tasks/ does: each connects, has one transaction, and closes."""

    def __init__(self, url: str) -> None:
        self.url, self.statements = url, 0

    def __call__(self, step: Callable[[Session], Any]) -> Any:
        database = connect(self.url)
        event.listen(database.engine, "before_cursor_execute", self._count)
        try:
            with database.write() as session:
                return step(session)
        finally:
            database.close()

    def _count(self, *_call: object) -> None:
        self.statements += 1


def sweep(step: Steps, day: date, now: datetime) -> tuple[int, int, int, int]:
    """Created, opened, reminders, messages."""
    created = opened = reminded = messages = 0
    for code in step(lambda s: [plan.code for plan in plans.plans(s)]):
        created += step(partial(issuing.schedule_items, plan_code=code, now=now))
        opened += step(partial(issuing.issue_due, plan_code=code, as_of=day, now=now))
        queued = step(partial(reminders.queue_due, plan_code=code, as_of=day, now=now))
        reminded, messages = reminded + queued.reminders, messages + queued.messages
        step(partial(tally.compact, plan_code=code))
        while step(partial(evenings.keep, plan_code=code, now=now)):
            pass
    step(lambda s: outbox.release_stale(s, now=now, idempotent_channels=[INBOX_CODE]))
    return created, opened, reminded, messages


def measured(url: str, day: date, now: datetime) -> Sweep:
    """Sweep the ledger at ``url`` once, then read its items once through."""
    step = Steps(url)
    server = _server(step)
    step.statements = 0
    before, memory = _cpu(server), peak_bytes()
    began = time.perf_counter()
    done = sweep(step, day, now)
    seconds = time.perf_counter() - began
    cpu, peak, statements = _cpu(server) - before, peak_bytes(), step.statements
    before = _cpu(server)
    step(plain_scan)
    return Sweep(*done, statements, seconds, cpu, _cpu(server) - before, memory, peak)


def _server(step: Steps) -> int | None:
    """The database server's first program, None where the database runs inside this one."""

    def parent_of_backend(session: Session) -> int | None:
        if session.dialect.name == "sqlite":
            return None
        backend = int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
        return parent_of(backend)

    found: int | None = step(parent_of_backend)
    return found


def _cpu(server: int | None) -> float:
    return time.process_time() + (cpu_of_tree(server) if server is not None else 0)


def plain_scan(session: Session) -> None:
    """Read every row of work_item once, in the order they lie: the least that looking at each item costs."""
    hint = " NOT INDEXED" if session.dialect.name == "sqlite" else ""
    session.execute(text(f"SELECT sum(revision + length(period)) FROM work_item{hint}")).scalar_one()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("url")
    arguments.add_argument("day", type=date.fromisoformat)
    arguments.add_argument("now", type=datetime.fromisoformat)
    arguments.add_argument("--load", default=None, help="a module to import first, as a runner would have it")
    given = arguments.parse_args()
    if given.load:
        importlib.import_module(given.load)
    print(json.dumps(asdict(measured(given.url, given.day, given.now))))


if __name__ == "__main__":
    main()
