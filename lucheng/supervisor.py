"""The process tree of one machine: web, Prefect's server, runner. Starts, watches, restarts and stops them.

The web app comes first and waits for nobody. The runner starts when the server is ready, and again whenever the
server does, since a runner that has lost its server no longer hears of cancellations. Stop in reverse of need: web,
runner, server.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from ledger.settings import Settings
from lucheng.child import Child, Running

TICK = 0.2  # seconds between two looks at the children
LONGEST_PAUSE = 60.0  # seconds before a child that keeps failing is started again
SOUND = 60.0  # a child that ran so many seconds counts as sound: its next failure is its first
LOCAL = "127.0.0.1"

# Prefect for a closed network, each measured: see docs/operating.md.
PREFECT: dict[str, str] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # V2 calls a foreign host from the browser even so
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",  # a missing API URL fails loudly
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "true",  # runs older than 90 days go
    # so that a phase years ahead already shows its next runs; never more than three each, whatever the horizon
    "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME": "P1500D",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_RUNNER_POLL_FREQUENCY": "5",
}
# A profile or a login of whoever starts us must not reach our own server; slow imports must not either.
NOT_INHERITED = ("PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_API_KEY", "PYTHONDONTWRITEBYTECODE")


def environment(settings: Settings, *, host: str, port: int, prefect_port: int) -> dict[str, str]:
    """What every child gets: our environment, the ledger's place, Prefect's own folder and closed-network settings."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    loopback = ",".join(filter(None, [inherited.get("NO_PROXY"), LOCAL, "localhost"]))
    ours = {
        "LUCHENG_DATA_DIR": str(settings.data_dir.resolve()),
        "LUCHENG_DATABASE_URL": settings.url,
        "LUCHENG_BASE_URL": inherited.get("LUCHENG_BASE_URL") or web_address(host, port),
        "PREFECT_HOME": str(settings.data_dir.resolve() / "prefect"),
        "PREFECT_API_URL": f"http://{LOCAL}:{prefect_port}/api",
        "NO_PROXY": loopback,
        "no_proxy": loopback,
        "PYTHONUNBUFFERED": "1",
    }
    return {**inherited, **PREFECT, **ours}


def web_address(host: str, port: int) -> str:
    """Where a browser on this machine finds the pages."""
    shown = LOCAL if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def children(settings: Settings, *, host: str, port: int, prefect_port: int) -> tuple[Child, Child, Child]:
    """Web, Prefect's server, runner."""
    given = environment(settings, host=host, port=port, prefect_port=prefect_port)
    logs = settings.data_dir.resolve() / "logs"
    python = sys.executable
    web = Child(
        "网页",
        (python, "-m", "lucheng", "web", "--supervised", "--host", host, "--port", str(port)),
        given,
        logs / "web.log",
        ready_url=f"{web_address(host, port)}/healthz",
    )
    server = Child(
        "Prefect",
        (python, "-m", "prefect", "server", "start", "--host", LOCAL, "--port", str(prefect_port)),
        given,
        logs / "prefect.log",
        ready_url=f"http://{LOCAL}:{prefect_port}/api/ready",
        orphan_signal=signal.SIGKILL,  # its own farewell can take minutes, and nobody would be left to cut it short
    )
    runner = Child("流程", (python, "-m", "lucheng.runner"), given, logs / "runner.log", after=server.name)
    return web, server, runner


class Supervisor:
    """Keeps children running until it is told to stop. ``say`` prints one plain line for people."""

    def __init__(self, wanted: Sequence[Child], say: Callable[[str], None], *, first_pause: float = 1.0) -> None:
        self._wanted = tuple(wanted)
        self._listener = say
        self._first_pause = first_pause
        self._running: dict[str, Running] = {}
        self._ready: set[str] = set()
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._signals = 0

    def run(self) -> None:
        """Start, watch and restart until ``stop`` or SIGINT, SIGTERM or SIGHUP; then stop all. Nothing is left."""
        with self._listening():
            try:
                while not self._signals:
                    for child in self._wanted:
                        self._look_at(child)
                    time.sleep(TICK)
            finally:
                self._say("正在停止……")
                self._stop_all()
                self._say("已停止。")

    def _say(self, line: str) -> None:
        with suppress(OSError):  # the terminal may be gone; that must not keep the children from being stopped
            self._listener(line)

    def stop(self) -> None:
        """Ask to stop; a second time: at once."""
        self._signals += 1

    @contextmanager
    def _listening(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before: Mapping[int, Any] = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, found in before.items():
                signal.signal(number, found)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _look_at(self, child: Child) -> None:
        running = self._running.get(child.name)
        if running is None:
            self._start(child)
        elif running.exit_code is not None:
            self._ended(child, running, f"意外退出（代码 {running.exit_code}）")
        elif child.name not in self._ready:
            self._await(child, running)

    def _start(self, child: Child) -> None:
        if child.after is not None and child.after not in self._ready:
            return
        if time.monotonic() >= self._not_before.get(child.name, 0.0):
            self._running[child.name] = Running(child)

    def _await(self, child: Child, running: Running) -> None:
        if running.answers():
            self._ready.add(child.name)
            self._say(f"{child.name}已就绪。")
        elif time.monotonic() - running.started > child.ready_seconds:
            self._ended(child, running, f"{child.ready_seconds:.0f} 秒内没有就绪")

    def _ended(self, child: Child, running: Running, what: str) -> None:
        """Clear away what is left of a child, stop those that need it, and say when it comes again."""
        sound = time.monotonic() - running.started > SOUND
        running.end()
        del self._running[child.name]
        self._ready.discard(child.name)
        failures = self._failures[child.name] = 1 if sound else self._failures.get(child.name, 0) + 1
        pause = 0.0 if running.exit_code == 0 and failures == 1 else self._pause(failures)
        self._not_before[child.name] = time.monotonic() + pause
        self._say(f"{child.name}{what}，{pause:.0f} 秒后重新启动，详见 {child.log}")
        self._stop([other for other in self._wanted if other.after == child.name])

    def _pause(self, failures: int) -> float:
        return min(LONGEST_PAUSE, self._first_pause * 2.0 ** (failures - 1))

    def _stop_all(self) -> None:
        """Those that nobody needs first, in the order given; then those that were needed."""
        needed = {child.after for child in self._wanted}
        self._stop(sorted(self._wanted, key=lambda child: child.name in needed))

    def _stop(self, those: Sequence[Child]) -> None:
        for child in those:
            running = self._running.pop(child.name, None)
            self._ready.discard(child.name)
            if running is None:
                continue
            running.ask_to_stop()
            until = time.monotonic() + child.stop_seconds
            while running.exit_code is None and time.monotonic() < until and self._signals < 2:
                time.sleep(TICK / 4)
            running.end()
