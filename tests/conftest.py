"""Fixtures for every room: fresh, migrated databases on SQLite and on a real PostgreSQL."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.compiled_once import share_compiled_statements
from tests.postgres import PostgresServer, running_postgres

# What the caller's shell says about Lucheng or Prefect must not reach a test; the official text alone is handed in.
for name in [name for name in os.environ if name.startswith(("LUCHENG_", "PREFECT_"))]:
    if name != "LUCHENG_PLAN_SOURCE":
        del os.environ[name]

# A busy machine stops an example for a quarter of a second; pytest's own time limit is enough.
settings.register_profile("lucheng", deadline=None)
settings.load_profile("lucheng")

share_compiled_statements()

TEMPLATE = "lucheng_template"
numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefect's folder for the whole run, so that no test reads or writes the profile of whoever runs it."""
    folder = tmp_path_factory.mktemp("prefect")
    os.environ["PREFECT_HOME"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The worker's own PostgreSQL, started by the first test that asks; missing, it is an error and not a skip."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated database that others are copied from."""
    from ledger.migrations import migrate

    migrate(postgres_server.create(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that others are copied from."""
    from ledger.migrations import migrate

    path = tmp_path_factory.mktemp("template") / "ledger.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a PostgreSQL database without a single table."""
    name = f"lucheng_empty_{next(numbers)}"
    yield postgres_server.create(name)
    postgres_server.drop(name)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database that only this test sees."""
    name = f"lucheng_test_{next(numbers)}"
    yield postgres_server.create(name, template=postgres_template)
    postgres_server.drop(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite file that only this test sees."""
    path = tmp_path / "ledger.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database that only this test sees: the test runs once on each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))
