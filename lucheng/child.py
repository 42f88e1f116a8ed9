"""One program of the process tree: how it is started, whether it answers, how it is ended with all it started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]  # flows are found by paths relative to it
LOG_LIMIT = 10 * 1024 * 1024  # bytes; a longer log is set aside once at the next start
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Child:
    """A program to be kept running. ``name`` is shown to people; ``ready_url`` answers below 500 when it is ready,
    None means at once; ``after`` names the child whose readiness it waits for and with which it restarts."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    ready_url: str | None = None
    ready_seconds: float = 120
    after: str | None = None
    stop_seconds: float = 15
    orphan_signal: int = signal.SIGTERM  # what it gets when its supervisor dies without a word


class Running:
    """A child that was started: in its own session, so that Ctrl-C reaches it only through its supervisor."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.started = time.monotonic()
        child.log.parent.mkdir(parents=True, exist_ok=True)
        if child.log.exists() and child.log.stat().st_size > LOG_LIMIT:
            child.log.replace(child.log.with_suffix(".1.log"))
        with child.log.open("ab") as log:
            self.program = subprocess.Popen(
                child.command,
                cwd=ROOT,
                env=dict(child.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_dies_with(os.getpid(), child.orphan_signal),
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self.program.poll()

    def answers(self) -> bool:
        """Whether it is ready now; asks over HTTP, past any proxy, for at most two seconds."""
        if self.child.ready_url is None:
            return True
        address = urlsplit(self.child.ready_url)
        connection = HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=2)
        try:
            connection.request("GET", address.path or "/")
            return connection.getresponse().status < 500
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def ask_to_stop(self) -> None:
        if self.exit_code is None:
            self.program.terminate()

    def end(self) -> None:
        """Kill whatever is left of it, and what it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.program.pid, signal.SIGKILL)
        self.program.wait()


_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _dies_with(parent: int, number: int) -> Callable[[], None] | None:
    """For Popen: on Linux the child gets a signal when its parent dies, so that ``kill -9`` leaves no orphan."""
    libc = _LIBC
    if libc is None:
        return None

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
