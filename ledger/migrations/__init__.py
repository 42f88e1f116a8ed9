"""One migration tree for both databases: bring one up to date, or say whether the tables and the tree agree."""

from __future__ import annotations

import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect

from ledger.database import Database, connect
from policy_models.errors import LedgerUnavailable


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["engine"] = database.engine
    return config


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest revision; a fresh one gets all tables. Raises LedgerUnavailable."""
    database = connect(url)
    try:
        with database.read():
            pass  # an unreachable database is told by its own sentence
        command.upgrade(_config(database), "head")
    except CommandError as error:
        raise LedgerUnavailable(f"台账数据库的版本不认识，可能由更新的程序建立：{error}") from error
    finally:
        database.close()


def is_current(database: Database) -> bool:
    """Whether the database stands at the newest revision."""
    head = ScriptDirectory.from_config(_config(database)).get_current_head()
    with database.read() as session:
        if not inspect(session).has_table("alembic_version"):
            return False
        return bool(session.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == head)


def check(url: str) -> None:
    """Raise LedgerUnavailable naming the difference when tables.py and the migrated database disagree."""
    migrate(url)
    database = connect(url)
    try:
        command.check(_config(database))
    except CommandError as error:
        raise LedgerUnavailable(re.sub(r"\s+", " ", str(error))) from error
    finally:
        database.close()


def new_revision(url: str, message: str) -> None:
    """Write a new revision file from the difference between tables.py and the database at ``url``."""
    database = connect(url)
    try:
        config = _config(database)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.revision(config, message=message, autogenerate=True, rev_id=f"{number:04}")
    finally:
        database.close()
