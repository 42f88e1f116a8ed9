"""Compiled statements shared by all engines of a kind. Nearly every test opens a database of its own, and SQLAlchemy
keeps what it compiled by engine and dialect object: without this, half of the suite's time is the same statements
compiled again."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

STATEMENTS = 4000  # more than the product has
_shared: dict[type[Any], LRUCache[Any, Any]] = {}


def share_compiled_statements() -> None:
    """For the rest of the run: dialects of a class are one as a key, and their engines have one cache."""
    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        kind.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        kind.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    Engine._compiled_cache = property(_cache_of, lambda self, value: None)  # type: ignore[assignment]


def _cache_of(engine: Engine) -> LRUCache[Any, Any]:
    return _shared.setdefault(type(engine.dialect), LRUCache(STATEMENTS))
