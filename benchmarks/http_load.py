"""Requests to a server on the loopback, over a few connections that are kept open; bounded in number and in time."""

from __future__ import annotations

import selectors
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from benchmarks.measure import cpu_of_tree, percentile
from tests.postgres import free_port

HOST = "127.0.0.1"
CONNECTIONS = 4
MOST_REQUESTS, MOST_SECONDS = 20_000, 3.0
READY_SECONDS = 30
TICK = 0.01  # seconds: the least CPU time that the system tells
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests a second were answered, and within how many seconds 99 of 100 of them. ``per_core``: answers
    for each second of CPU that the server took, all its threads together."""

    per_second: float
    p99: float
    per_core: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server on the loopback."""

    port: int
    pid: int


@dataclass(slots=True)
class _Line:
    """One connection: when its request went out, and what has come back so far."""

    socket: socket.socket
    sent: float = 0.0
    received: bytearray = field(default_factory=bytearray)


@contextmanager
def serving(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    before: Callable[[int], None] = lambda _port: None,
) -> Iterator[Server]:
    """A server on the loopback, ready, as long as the block lasts. ``{port}`` in the command becomes its port;
    ``before`` is told the port and may write it into a configuration file.

    Raises RuntimeError with its log when it does not come up.
    """
    port = free_port()
    before(port)
    words = [word.replace("{port}", str(port)) for word in command]
    with log.open("wb") as output:
        server = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        _wait(server, port, log)
        yield Server(port, server.pid)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(READY_SECONDS * 20):
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}")


def request(path: str, headers: Mapping[str, str]) -> bytes:
    """A GET as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask(port: int, wire: bytes) -> Answer:
    """Send one request on a connection of its own; its answer."""
    with socket.create_connection((HOST, port), timeout=30) as connection:
        connection.sendall(wire)
        received = bytearray()
        while not (size := _whole(received)):
            piece = connection.recv(1 << 18)
            if not piece:
                raise RuntimeError("the server closed the connection in the middle of an answer")
            received += piece
    head, _, body = bytes(received[:size]).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def load(server: Server, wires: Sequence[bytes], status: int) -> Load:
    """Send the requests by turns, again and again, each connection waiting for its answer before it asks again; at
    most MOST_REQUESTS or MOST_SECONDS, and every request once where there are more.

    Raises RuntimeError at the first answer with another status.
    """
    expected, turns = f"HTTP/1.1 {status} ".encode(), cycle(wires)
    most = max(MOST_REQUESTS, len(wires))
    most_seconds = MOST_SECONDS if len(wires) <= MOST_REQUESTS else float("inf")
    with ExitStack() as stack:
        ready = stack.enter_context(selectors.DefaultSelector())
        lines = [_Line(stack.enter_context(socket.create_connection((HOST, server.port)))) for _ in range(CONNECTIONS)]
        cpu, began = cpu_of_tree(server.pid), time.perf_counter()
        for line in lines:
            ready.register(line.socket, selectors.EVENT_READ, line)
            _send(line, next(turns))
        times: list[float] = []
        while len(times) < most and time.perf_counter() - began < most_seconds:
            for key, _ in ready.select(timeout=MOST_SECONDS):
                if _receive(key.data, expected):
                    times.append(time.perf_counter() - key.data.sent)
                    _send(key.data, next(turns))
        seconds, cpu = time.perf_counter() - began, cpu_of_tree(server.pid) - cpu
    if not times:
        raise RuntimeError(f"not one answer in {seconds:.1f} s")
    return Load(len(times) / seconds, percentile(times, 0.99), len(times) / max(cpu, TICK))


def _send(line: _Line, wire: bytes) -> None:
    line.received.clear()
    line.sent = time.perf_counter()
    line.socket.sendall(wire)


def _receive(line: _Line, expected: bytes) -> bool:
    """Take what has arrived; whether the answer is whole."""
    piece = line.socket.recv(1 << 20)
    line.received += piece
    if not piece or not line.received.startswith(expected[: len(line.received)]):
        raise RuntimeError(f"unexpected answer: {bytes(line.received[:200])!r}")
    return _whole(line.received) > 0


def _whole(received: bytearray) -> int:
    """The length of an answer that has arrived in whole, else 0. Answers say their length, or are 304."""
    end = received.find(b"\r\n\r\n", 0, 8192)
    if end < 0:
        return 0
    head = bytes(received[:end]).lower()
    _, found, after = head.partition(b"\r\ncontent-length:")
    size = end + 4 + (int(after.split(b"\r\n", 1)[0]) if found else 0)
    return size if len(received) >= size else 0
