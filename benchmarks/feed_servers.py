"""Servers that a calendar of 1,000 items is polled from: the product, what limits it, and what else people use."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dulwich import porcelain
from dulwich.repo import Repo

from benchmarks import bare_asgi
from benchmarks.http_load import HOST, Server, serving
from benchmarks.measure import say

FEED = "feed.ics"
NO_NGINX = "nginx is not installed: its rows are left out (Debian: nginx-light)"
NGINX = """daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off; types {{ text/calendar ics; }} charset utf-8; charset_types text/calendar;
  keepalive_requests 1000000; gzip_static on; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen {host}:{port}; root {folder}/files; }}
}}
"""
RADICALE = """[auth]
type = none
[rights]
type = authenticated
[storage]
filesystem_folder = {folder}/collections
[logging]
level = error
"""


def without_settings() -> dict[str, str]:
    """The environment without what it says of Lucheng."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LUCHENG_")}


@contextmanager
def product(folder: Path, url: str, base_url: str, clock: str) -> Iterator[Server]:
    """The product as ``lucheng up`` starts it."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = without_settings() | {
        "LUCHENG_DATABASE_URL": url,
        "LUCHENG_DATA_DIR": str(folder),
        "LUCHENG_BASE_URL": base_url,
        "LUCHENG_CLOCK": clock,
    }
    with serving(
        [sys.executable, "-m", "lucheng", "web", "--port", "{port}"], environment, folder / "web.log"
    ) as found:
        yield found


@contextmanager
def bare(folder: Path, body: bytes) -> Iterator[Server]:
    """An application that answers known bytes under the same uvicorn."""
    folder.mkdir(parents=True)
    (folder / "body").write_bytes(body)
    environment = without_settings() | {bare_asgi.BODY: str(folder / "body")}
    quiet = ["--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.bare_asgi:app", *quiet, "--port", "{port}"]
    with serving(command, environment, folder / "log") as found:
        yield found


@contextmanager
def nginx(folder: Path, body: bytes) -> Iterator[Server | None]:
    """The feed as a file, and its gzip beside it, from one nginx process; None where nginx is not installed."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        say(NO_NGINX)
        yield None
        return
    files = folder / "files"
    files.mkdir(parents=True)
    (files / FEED).write_bytes(body)
    (files / f"{FEED}.gz").write_bytes(gzip.compress(body, 6, mtime=0))

    def configure(port: int) -> None:
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, host=HOST, port=port), encoding="utf-8")

    folder.chmod(0o755)
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with serving(command, without_settings(), folder / "log", before=configure) as found:
        yield found


@contextmanager
def radicale(folder: Path, events: dict[str, bytes]) -> Iterator[tuple[Server, str]]:
    """A calendar server with the same events, and the path of their collection."""
    collection = folder / "collections" / "collection-root" / "desk" / "feed"
    collection.mkdir(parents=True)
    (collection / ".Radicale.props").write_text('{"tag": "VCALENDAR"}', encoding="utf-8")
    for name, event in events.items():
        (collection / name).write_bytes(event)
    (folder / "config").write_text(RADICALE.format(folder=folder), encoding="utf-8")
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "config"), "--hosts", f"{HOST}:{{port}}"]
    with serving(command, without_settings(), folder / "log") as found:
        yield found, "/desk/feed/"


@contextmanager
def xandikos(folder: Path, events: dict[str, bytes]) -> Iterator[tuple[Server, str]]:
    """Another, which keeps them in git."""
    folder.mkdir(parents=True)
    path = "desk/calendars/feed"
    collection = folder / "store" / path
    collection.mkdir(parents=True)
    Repo.init(str(collection)).close()
    for name, event in events.items():
        (collection / name).write_bytes(event)
    (collection / ".xandikos").mkdir()
    (collection / ".xandikos" / "config").write_text("[DEFAULT]\ntype = calendar\n", encoding="utf-8")
    porcelain.add(str(collection), [str(one) for one in [*collection.glob("*.ics"), collection / ".xandikos/config"]])
    porcelain.commit(
        str(collection), b"events", author=b"Bench <bench@example.org>", committer=b"Bench <bench@example.org>"
    )
    store = ["-d", str(folder / "store"), "--current-user-principal", "/desk/"]
    where = ["-l", HOST, "-p", "{port}", "--no-detect-systemd"]
    with serving(
        [sys.executable, "-m", "xandikos", "serve", *store, *where], without_settings(), folder / "log"
    ) as found:
        yield found, f"/{path}/"


@contextmanager
def peers(folder: Path, events: dict[str, bytes]) -> Iterator[dict[str, tuple[Server, str]]]:
    """Radicale and Xandikos, by name, with the path of the calendar."""
    with ExitStack() as stack:
        yield {
            "Radicale": stack.enter_context(radicale(folder / "radicale", events)),
            "Xandikos": stack.enter_context(xandikos(folder / "xandikos", events)),
        }
