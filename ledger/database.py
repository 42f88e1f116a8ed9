"""Engines and transactions: SQLite by default, PostgreSQL by URL. One request or step is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from policy_models.errors import ChangedMeanwhile, LedgerUnavailable

Session = Connection  # what verbs and queries take: an open transaction
BUSY_SECONDS = 15  # how long a transaction waits for another's lock
POSTGRES = {
    "connect_timeout": 5,
    # Compiling takes longer than any of our statements: what is narrowed to a scope is thought to be dear, and isn't. Many
    # people read at once: a page that takes two cores for itself makes the others wait, and the workers take longer to
    # start than most statements. What is read lies in memory: an index costs little more than the next page of a table.
    "options": f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=10min -c jit=off"
    " -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1 -c work_mem=16MB",
}
LOST_RACE = frozenset({"40001", "40P01", "55P03"})  # PostgreSQL: serialization failure, deadlock, lock not to be had


class Database:
    """A ledger's database. Raises LedgerUnavailable (one Chinese sentence, no secrets) when it can't be used."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # Every statement of a transaction sees the same ledger: SQLite does so by itself, PostgreSQL when asked.
        snapshot = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
        self._reader = engine.execution_options(**snapshot)
        self._writer = engine.execution_options(writes=True, **snapshot)
        self._claimer = engine.execution_options(writes=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that may write: committed at the end, rolled back by any exception.

        Raises ChangedMeanwhile when another transaction changed the same rows first.
        """
        with _available(self.engine), self._writer.begin() as session:
            yield session

    @contextmanager
    def claim(self) -> Iterator[Session]:
        """Like ``write``, for taking rows from a queue: it sees what others took a moment ago and passes them by."""
        with _available(self.engine), self._claimer.begin() as session:
            yield session

    @contextmanager
    def trial(self) -> Iterator[Session]:
        """One transaction that may write and is always rolled back: what would happen if …"""
        with _available(self.engine), self._writer.connect() as session:
            yield session
            session.rollback()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent reading; nothing is committed."""
        with _available(self.engine), self._reader.connect() as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


def connect(url: str) -> Database:
    """Open a database by URL: ``sqlite:///file`` or ``postgresql://…``. Nothing is created or migrated here.

    What a statement was given is kept out of errors, and so out of logs: words of messages, names, addresses.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            return Database(create_engine(parsed, pool_pre_ping=True, connect_args=POSTGRES, hide_parameters=True))
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise LedgerUnavailable("台账数据库地址写法有误（应如 sqlite:///文件 或 postgresql://…）") from error
    event.listen(engine, "connect", _sqlite_pragmas)
    event.listen(engine, "begin", _sqlite_begin)
    return Database(engine)


def refresh_statistics(session: Session, *tables: str) -> None:
    """Let PostgreSQL count tables that the transaction is about to join or has just filled; nothing on SQLite.

    Its own counting may have run while their rows were not yet committed: it then takes 50,000 rows for none, and one
    statement that takes a second takes an hour.
    """
    if session.dialect.name == "postgresql":
        session.exec_driver_sql(f"ANALYZE {', '.join(tables)}")


def sqlite_url(folder: Path) -> str:
    """The URL of the ledger's own file in a data folder."""
    return f"sqlite:///{(folder / 'ledger.db').resolve()}"


def _sqlite_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins; see _sqlite_begin
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    # A writer takes the lock at once: two readers that both turn writer would fail instead of waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _available(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in LOST_RACE:
            raise ChangedMeanwhile("刚刚被他人处理，请刷新后重试") from error
        if error.connection_invalidated or _is_outage(error):
            where = f"PostgreSQL {engine.url.host or ''}".strip() if engine.url.host else (engine.url.database or "")
            raise LedgerUnavailable(f"台账数据库暂时无法使用（{where}）：{_short(error)}") from error
        raise


def _is_outage(error: DBAPIError) -> bool:
    """Whether the database itself is at fault, and not our statement (SQLite calls both an OperationalError)."""
    ours = any(words in str(error.orig) for words in ("no such ", "syntax error"))
    return not ours and type(error).__name__ in {"OperationalError", "InterfaceError", "DatabaseError"}


def _short(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0][:160] if lines else type(error.orig).__name__
