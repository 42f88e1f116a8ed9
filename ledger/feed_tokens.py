"""订阅凭证: secret addresses of calendar feeds. The token is shown once; the ledger keeps only its hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update

from ledger.database import Session
from ledger.tables import feed_token, unit
from policy_models.errors import ChangedMeanwhile, NotFound

TOKEN_BYTES = 24  # 192 bits, 32 characters of the address
TOUCH_EVERY = timedelta(hours=1)
NAME_LENGTH, CLIENT_LENGTH = 80, 120


@dataclass(frozen=True, slots=True)
class FeedToken:
    """What is known of a token: never the token. Instants are UTC."""

    id: int
    name: str
    unit_code: str
    created_at: datetime
    last_used_at: datetime | None
    client: str | None
    revoked_at: datetime | None


def create(session: Session, unit_code: str, name: str, now: datetime) -> str:
    """A new token for a unit's feed: 32 url-safe characters, to be shown once. Raises NotFound for an unknown unit."""
    if session.execute(select(unit.c.code).where(unit.c.code == unit_code)).first() is None:
        raise NotFound(f"没有代码为“{unit_code[:24]}”的单位")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    label = _printable(name)[:NAME_LENGTH] or "未命名订阅"
    session.execute(insert(feed_token).values(hash=_hash(token), name=label, unit_code=unit_code, created_at=now))
    return token


def look_up(session: Session, token: str) -> FeedToken | None:
    """The token's record, revoked or not; None for an unknown one."""
    row = session.execute(select(feed_token).where(feed_token.c.hash == _hash(token))).first()
    return _record(row) if row else None


def touch(session: Session, token_id: int, client: str, now: datetime) -> bool:
    """Note that a client used the token; at most once an hour. Whether something was written."""
    fresh = or_(feed_token.c.last_used_at.is_(None), feed_token.c.last_used_at <= now - TOUCH_EVERY)
    noted = session.execute(
        update(feed_token)
        .where(feed_token.c.id == token_id, fresh)
        .values(last_used_at=now, client=_printable(client)[:CLIENT_LENGTH] or None)
    )
    return bool(noted.rowcount)


def revoke(session: Session, unit_code: str, token_id: int, now: datetime) -> None:
    """Stop a unit's token. Raises NotFound for one that is not this unit's, ChangedMeanwhile for one stopped before."""
    mine = (feed_token.c.id == token_id, feed_token.c.unit_code == unit_code)
    stopped = session.execute(update(feed_token).where(*mine, feed_token.c.revoked_at.is_(None)).values(revoked_at=now))
    if stopped.rowcount:
        return
    if session.execute(select(feed_token.c.id).where(*mine)).first() is None:
        raise NotFound("本单位没有这个日历订阅")
    raise ChangedMeanwhile("这个日历订阅此前已停用")


def listing(session: Session, unit_code: str) -> tuple[FeedToken, ...]:
    """A unit's tokens, the newest first, the stopped ones last."""
    rows = session.execute(
        select(feed_token)
        .where(feed_token.c.unit_code == unit_code)
        .order_by(feed_token.c.revoked_at.is_not(None), feed_token.c.id.desc())
    )
    return tuple(map(_record, rows))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _printable(text: str) -> str:
    """One line without control characters and lone surrogates, which PostgreSQL refuses."""
    return "".join(c for c in text if c.isprintable() and not "\ud800" <= c <= "\udfff").strip()


def _record(row: Any) -> FeedToken:
    return FeedToken(row.id, row.name, row.unit_code, row.created_at, row.last_used_at, row.client, row.revoked_at)
