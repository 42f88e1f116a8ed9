"""Cursors of /api/v1: opaque words that lead from one page to the next."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, StringConstraints

from api.dependencies import empty_is_none, printable
from ledger.queries.items import NO_PAGE
from policy_models.errors import NotFound

FURTHEST = 10_000_000  # rows that a cursor may leave out
Word = Annotated[str, StringConstraints(max_length=40)]
Cursor = Annotated[
    Word | None,
    BeforeValidator(empty_is_none),
    BeforeValidator(printable),
    Query(description="上一页的 next_cursor；不写为第一页"),
]


def skipped(cursor: str | None) -> int:
    """How many rows come before the page. Raises NotFound for a cursor that no page gave."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9 and 0 < int(cursor) <= FURTHEST):
        raise NotFound(NO_PAGE)
    return int(cursor)


def next_page(skip: int, shown: int, total: int) -> str | None:
    """The cursor of the page after this one; None on the last."""
    return str(skip + shown) if shown and skip + shown < total else None
