"""One step, one transaction: the ledger as the environment names it, opened and closed around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect.cache_policies import NO_CACHE

from ledger.database import Session, connect
from ledger.settings import Settings

# What every step has in common. No cache: a hit would come back from an earlier run and the ledger stay untouched.
# Trying again is safe since every effect has a key; it bridges a restart of the database.
STEP: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False, "retries": 2, "retry_delay_seconds": 15}


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that is committed at the end. Raises LedgerUnavailable."""
    database = connect(Settings.load().url)
    try:
        with database.write() as session:
            yield session
    finally:
        database.close()


@contextmanager
def claiming() -> Iterator[Session]:
    """A transaction for taking messages from the outbox. Raises LedgerUnavailable."""
    database = connect(Settings.load().url)
    try:
        with database.claim() as session:
            yield session
    finally:
        database.close()


@contextmanager
def reading() -> Iterator[Session]:
    """A consistent reading. Raises LedgerUnavailable."""
    database = connect(Settings.load().url)
    try:
        with database.read() as session:
            yield session
    finally:
        database.close()
