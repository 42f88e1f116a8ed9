"""订阅凭证 of all units in a scope: who may read which calendar, since when, and whether anybody does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select

from ledger.database import Session
from ledger.scope import within
from ledger.tables import feed_token, unit
from policy_models import feeds
from policy_models.access import Scope

IDLE = timedelta(days=60)  # a calendar that nobody fetched for so long is not looked at


class TokenPile(StrEnum):
    """RUNNING: fetched of late, or just made; IDLE: running, but not fetched for 60 days; STOPPED."""

    RUNNING = "running"
    IDLE = "idle"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token on a unit's desk; ``target`` as of ``FeedToken``. Instants are UTC."""

    id: int
    name: str
    unit: str
    unit_name: str
    scope: feeds.Scope
    target: str
    created_at: datetime
    last_used_at: datetime | None
    client: str | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenPage:
    """``counts``: how many of each pile the scope holds; ``next_before``: where the next page begins, None at the end."""

    rows: tuple[TokenRow, ...]
    counts: dict[TokenPile, int]
    next_before: int | None


def token_page(
    session: Session,
    scope: Scope,
    pile: TokenPile,
    *,
    now: datetime,
    words: str = "",
    before: int | None = None,
    limit: int = 50,
) -> TokenPage:
    """A page of one pile, the newest first. ``words``: in the name of the token or its unit, or the unit's code. Two
    statements."""
    mine = within(scope, feed_token.c.unit_code)
    chosen = [mine, _of(pile, now)]
    if words:
        literal = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        named = [one.like(f"%{literal}%", escape="\\") for one in (unit.c.name, feed_token.c.name)]
        chosen.append(or_(*named, feed_token.c.unit_code == words))
    if before is not None:
        chosen.append(feed_token.c.id < before)
    statement = (
        select(feed_token, unit.c.name.label("unit_name"))
        .join(unit, unit.c.code == feed_token.c.unit_code)
        .where(*chosen)
        .order_by(feed_token.c.id.desc())
        .limit(limit + 1)
    )
    rows = session.execute(statement).all()
    counts = token_counts(session, scope, now=now)
    return TokenPage(tuple(map(_row, rows[:limit])), counts, rows[limit - 1].id if len(rows) > limit else None)


def token_counts(session: Session, scope: Scope, *, now: datetime) -> dict[TokenPile, int]:
    """How many tokens of each pile the scope holds. One statement."""
    sums = [func.coalesce(func.sum(case((_of(pile, now), 1), else_=0)), 0).label(pile.value) for pile in TokenPile]
    row = session.execute(select(*sums).where(within(scope, feed_token.c.unit_code))).one()
    return {pile: int(getattr(row, pile.value)) for pile in TokenPile}


def _of(pile: TokenPile, now: datetime) -> ColumnElement[bool]:
    running = feed_token.c.revoked_at.is_(None)
    since = func.coalesce(feed_token.c.last_used_at, feed_token.c.created_at)
    if pile is TokenPile.STOPPED:
        return feed_token.c.revoked_at.is_not(None)
    return and_(running, since < now - IDLE) if pile is TokenPile.IDLE else and_(running, since >= now - IDLE)


def _row(row: Row[Any]) -> TokenRow:
    return TokenRow(
        row.id,
        row.name,
        row.unit_code,
        row.unit_name,
        feeds.Scope(row.scope),
        row.target or row.unit_code,
        row.created_at,
        row.last_used_at,
        row.client,
        row.revoked_at,
    )
