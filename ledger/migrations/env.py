"""Alembic's entry: runs on the engine it is handed, in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Engine

from ledger.tables import metadata

engine: Engine = context.config.attributes["engine"]

with engine.execution_options(writes=True).connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, compare_server_default=False
    )
    with context.begin_transaction():
        context.run_migrations()
