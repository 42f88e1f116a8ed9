"""A word to a database's planner, where its own guess is far off."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class aside(GenericFunction[Any]):
    """The same value, no way in: SQLite enters a table by no index of it (it would take the plan, which hardly narrows
    anything, for the narrowest condition). PostgreSQL counts how often a value occurs and is left to judge by itself:
    of an expression it knows nothing, takes many rows for one, and joins them so."""

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(aside)
def _as_it_is(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(aside, "sqlite")
def _unindexed(element: Any, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"
