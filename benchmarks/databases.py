"""Places for ledgers on both kinds of database: made, copied and dropped within one run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import create_engine, text

from ledger.database import Database, connect
from ledger.migrations import migrate
from tests.postgres import PostgresServer, running_postgres

KINDS = ("sqlite", "postgres")


class Place(Protocol):
    """``kind`` is one of KINDS; ledgers are known by name."""

    kind: str

    def url(self, name: str) -> str: ...
    def create(self, name: str) -> None: ...
    def copy(self, name: str, new: str) -> None: ...
    def drop(self, name: str) -> None: ...
    def settle(self, name: str) -> None: ...


@dataclass
class SqliteFolder:
    folder: Path
    kind: str = "sqlite"

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.db"

    def url(self, name: str) -> str:
        return f"sqlite:///{self.path(name)}"

    def create(self, name: str) -> None:
        migrate(self.url(name))

    def copy(self, name: str, new: str) -> None:
        shutil.copyfile(self.path(name), self.path(new))

    def drop(self, name: str) -> None:
        for path in self.folder.glob(f"{name}.db*"):
            path.unlink()

    def settle(self, name: str) -> None:
        """Nothing: the product never analyzes a SQLite file, so neither does a benchmark."""


@dataclass
class PostgresPlace:
    server: PostgresServer
    kind: str = "postgres"

    def url(self, name: str) -> str:
        return self.server.url(name)

    def create(self, name: str) -> None:
        migrate(self.server.create(name))

    def copy(self, name: str, new: str) -> None:
        self.server.create(new, template=name)

    def drop(self, name: str) -> None:
        self.server.drop(name)

    def settle(self, name: str) -> None:
        """What autovacuum does within minutes of a great change."""
        engine = create_engine(self.url(name), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
        engine.dispose()


@dataclass
class Stage:
    """One kind of database: how many items a big ledger has there, of how many runs the median is taken, whether it
    is the first of the run, and the big ledgers built so far, by size."""

    place: Place
    items: int
    runs: int
    first: bool
    built: dict[int, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.place.kind

    @contextmanager
    def copied(self, name: str) -> Iterator[str]:
        """The URL of a fresh copy of a ledger that nobody has open; it is gone afterwards."""
        self.place.copy(name, "scratch")
        try:
            yield self.place.url("scratch")
        finally:
            self.place.drop("scratch")


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A ledger's database, closed at the end."""
    database = connect(url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def stages(kinds: Sequence[str], items: int, runs: int) -> Iterator[list[Stage]]:
    """A stage for each kind of database; all that was built on them is deleted at the end."""
    with ExitStack() as stack:
        places: list[Place] = []
        if "sqlite" in kinds:
            places.append(SqliteFolder(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lucheng-bench-")))))
        if "postgres" in kinds:
            places.append(PostgresPlace(stack.enter_context(running_postgres())))
        yield [Stage(place, items, runs, place is places[0]) for place in places]
