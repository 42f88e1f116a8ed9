"""Start the real programs of the process tree in a temporary data folder, on free ports, and ask them things."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ledger.settings import Settings
from lucheng.child import Child, Running
from lucheng.supervisor import children

T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def programs(folder: Path, database_url: str | None = None) -> tuple[Child, Child, Child]:
    """Web, Prefect's server and runner over a data folder."""
    settings = Settings(data_dir=folder, database_url=database_url)
    return children(settings, host="127.0.0.1", port=free_port(), prefect_port=free_port())


def wait_for(found: Callable[[], T | None], seconds: float, what: str, every: float = 0.2) -> T:
    """The first true answer; an AssertionError that says what was waited for when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := found():
            return answer
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what}")


@contextmanager
def started(child: Child) -> Iterator[Running]:
    """A program from its start until it is ready, ended for certain afterwards."""
    running = Running(child)
    try:
        wait_for(lambda: running.exit_code is not None or running.answers(), child.ready_seconds, f"{child.name} ready")
        assert running.exit_code is None, child.log.read_text(encoding="utf-8")[-2000:]
        yield running
    finally:
        running.ask_to_stop()
        until = time.monotonic() + 5
        while running.exit_code is None and time.monotonic() < until:
            time.sleep(0.1)
        running.end()


def kill_with_children(running: Running) -> None:
    """``kill -9`` for a program and everything it started."""
    os.killpg(running.program.pid, signal.SIGKILL)
    running.program.wait()
