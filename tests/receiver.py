"""A receiver of webhooks on a free port: writes down every message it was handed, is sometimes slow, answers as told."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIz"


@dataclass(frozen=True)
class Handed:
    """One request: the id that stays the same at every attempt, what it said, and how it was signed."""

    id: str
    at: float
    body: dict[str, Any]
    raw: bytes = b""
    stamp: str = ""
    signature: str = ""

    @property
    def key(self) -> str:
        return str(self.body["data"]["key"])


@dataclass
class Receiver:
    """``log`` in the order of arrival, written before anything is answered. ``status``: of the answer to the nth request
    (from 1); ``slow``: seconds before an answer, at random between these."""

    port: int = 0
    log: list[Handed] = field(default_factory=list)
    status: Callable[[int, Handed], int] = lambda _n, _handed: 200
    slow: tuple[float, float] = (0.0, 0.0)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self, handed: Handed) -> int:
        with self.guard:
            self.log.append(handed)
            return self.status(len(self.log), handed)

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self.log]

    def channels_file(
        self, folder: Path, *, code: str = "mz-group", per_minute: int | None = None, more: str = ""
    ) -> Path:
        """A channels file that leads here; ``more``: further lines of the channel."""
        path = folder / "channels.yaml"
        limit = f"  per_minute: {per_minute}\n" if per_minute else ""
        path.write_text(
            f'- code: {code}\n  kind: webhook\n  name: 测试接收端\n  url: "http://127.0.0.1:{self.port}/in"\n'
            f'  secret: "{SECRET}"\n  allow_private: true\n{limit}{more}',
            "utf-8",
        )
        path.chmod(0o600)
        return path


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            signed = (self.headers["webhook-timestamp"], self.headers["webhook-signature"])
            status = receiver.take(Handed(self.headers["webhook-id"], time.monotonic(), json.loads(raw), raw, *signed))
            time.sleep(random.uniform(*receiver.slow))
            with suppress(OSError):  # whoever sent it was killed
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    server.daemon_threads = True
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
