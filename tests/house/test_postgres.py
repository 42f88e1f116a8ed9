"""The tests' own PostgreSQL really runs, is fresh for each test and is gone afterwards."""

from pathlib import Path

import psycopg
import pytest

from tests.postgres import PostgresServer, running_postgres

pytestmark = pytest.mark.postgres


def libpq(url: str) -> str:
    return url.replace("+psycopg", "")


def test_a_database_is_a_copy_of_its_template(postgres_server: PostgresServer) -> None:
    template = postgres_server.create("house_template")
    with psycopg.connect(libpq(template)) as connection:
        connection.execute("CREATE TABLE word (text text)")
        connection.execute("INSERT INTO word VALUES ('鹿程')")
    copy = postgres_server.create("house_copy", template="house_template")
    with psycopg.connect(libpq(copy)) as connection:
        assert connection.execute("SELECT text FROM word").fetchall() == [("鹿程",)]
    postgres_server.drop("house_copy")
    postgres_server.drop("house_template")


def test_an_empty_database_has_no_table(empty_postgres_url: str) -> None:
    with psycopg.connect(libpq(empty_postgres_url)) as connection:
        rows = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert rows == [(0,)]


def test_nothing_is_left_behind() -> None:
    with running_postgres() as server:
        url = libpq(server.url("postgres"))
        with psycopg.connect(url) as connection:
            [(data,)] = connection.execute("SHOW data_directory").fetchall()
        assert Path(data).is_dir()
    assert not Path(data).parent.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
