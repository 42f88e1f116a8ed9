"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port of the loopback, gone at the end."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
START_SECONDS = 30
# Nothing here outlives the tests, so nothing need reach the disk.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60"}


def bin_folder() -> Path:
    """The folder with initdb and postgres: the newest of Debian's, else the one on the path.

    Raises RuntimeError when PostgreSQL is not installed: a test that needs it fails, it is not skipped.
    """
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(packaged[-1]) if packaged else shutil.which("initdb")
    if found is None:
        raise RuntimeError("未找到 PostgreSQL，请先安装 postgresql；bin/test 会代为安装。")
    return Path(found).resolve().parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class PostgresServer:
    """A running server. URLs name the driver, as the ledger's settings do."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template0") -> str:
        """Makes a database from a template that nobody is connected to; its URL."""
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template)))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Removes a database, closing what is still connected to it."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


class Owner(TypedDict, total=False):
    """The part of subprocess's arguments that says as whom to run."""

    user: int
    group: int
    extra_groups: list[int]


def as_owner() -> Owner:
    """How subprocess must start PostgreSQL, which refuses root: as the user that its package made."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam(SUPERUSER)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def make_cluster(tools: Path, folder: Path) -> Path:
    """An empty data folder below `folder`, owned by the user that will run the server."""
    # The server's user must be able to walk through, and nobody else to look around.
    folder.chmod(0o711)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(data, SUPERUSER, pwd.getpwnam(SUPERUSER).pw_gid)
    command = [str(tools / "initdb"), "-D", str(data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
    subprocess.run(
        [*command, "--locale=C.UTF-8", "--no-sync"], cwd=folder, check=True, capture_output=True, **as_owner()
    )
    return data


def wait_until_ready(tools: Path, server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Returns when the server answers; RuntimeError with its log when it ends or stays silent."""
    for _ in range(START_SECONDS * 20):
        if (
            subprocess.run([tools / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode
            == 0
        ):
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server with an empty cluster, for as long as the block lasts (about 1.5 s to start)."""
    tools = bin_folder()
    folder = Path(tempfile.mkdtemp(prefix="lucheng-postgres-"))
    log = folder / "server.log"
    try:
        data = make_cluster(tools, folder)
        port = free_port()
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        command = [str(tools / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(data)]
        with log.open("wb") as output:
            server = subprocess.Popen([*command, *options], cwd=folder, stdout=output, stderr=output, **as_owner())
        try:
            wait_until_ready(tools, server, port, log)
            yield PostgresServer(port)
        finally:
            # SIGINT is PostgreSQL's fast stop: it does not wait for clients.
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder)
