"""登录: running sessions of accounts and the tokens of machines. The ledger keeps only digests of what opens them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, insert, or_, select, update

from ledger.database import Session
from ledger.tables import account, account_grant, login, machine_token, plan, unit
from policy_models.access import Grant, Role, Visitor
from policy_models.errors import NotFound

TOKEN_BYTES = 32
DEMO = "demo"
OWN_WAYS = frozenset(("password", "invitation"))  # where a number is asked for; a city's single sign-on has its own
SEEN_EVERY = timedelta(minutes=1)  # a running session is touched at most so often


@dataclass(frozen=True, slots=True)
class LoginRules:
    """How long a session lasts: ``idle`` since the last page, ``longest`` since it was opened, ``number``: until the
    number of the telephone is typed. ``require_totp``: whether administrators need one."""

    idle: timedelta = timedelta(minutes=60)
    longest: timedelta = timedelta(hours=12)
    number: timedelta = timedelta(minutes=10)
    require_totp: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The visitor of a key, and what is left to do: ``touch``: its last use is to be written down; ``awaits_totp``: a
    number is still asked for."""

    visitor: Visitor
    touch: bool
    awaits_totp: bool = False


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def open_login(
    session: Session,
    account_id: int,
    now: datetime,
    *,
    way: str = "password",
    client: str = "",
    address: str = "",
    awaits_totp: bool = False,
) -> str:
    """A new session of an account; its key, to be kept by the browser alone."""
    key = secrets.token_urlsafe(TOKEN_BYTES)
    facts = {"way": way, "client": client[:120], "address": address[:45], "awaits_totp": awaits_totp}
    session.execute(
        insert(login).values(account_id=account_id, digest=digest_of(key), created_at=now, seen_at=now, **facts)
    )
    session.execute(update(account).where(account.c.id == account_id).values(last_seen_at=now))
    return key


def visitor_of_login(session: Session, key: str, now: datetime, rules: LoginRules) -> Found | None:
    """Whose session this is; None for an unknown, ended, idle or outlived one. One statement."""
    given = {
        "key_digest": digest_of(key),
        "seen_after": now - rules.idle,
        "created_after": now - rules.longest,
        "asked_after": now - rules.number,
    }
    rows = session.execute(_of_login(), given).all()
    if not rows:
        return None
    first = rows[0]
    administers = any(row.role == Role.ADMINISTRATOR.value for row in rows)
    lacks = rules.require_totp and administers and first.totp_since is None and first.way in OWN_WAYS
    visitor = _visitor(rows, login_id=first.id, must_set_totp=lacks)
    return Found(visitor, now - first.seen_at >= SEEN_EVERY, bool(first.awaits_totp))


@cache  # every page asks, and putting the statement together takes longer than answering it
def _of_login() -> Select[Any]:
    alive = (
        login.c.digest == bindparam("key_digest"),
        login.c.ended_at.is_(None),
        login.c.seen_at > bindparam("seen_after"),
        login.c.created_at > bindparam("created_after"),
        or_(~login.c.awaits_totp, login.c.created_at > bindparam("asked_after")),
        or_(login.c.way != DEMO, ~exists().where(~plan.c.demonstration)),  # never on a real ledger
    )
    columns = (login.c.id, login.c.seen_at, login.c.awaits_totp, login.c.way, account.c.totp_since)
    return _chosen(*columns, of=login).where(*alive)


def visitor_of_token(session: Session, key: str, now: datetime) -> Found | None:
    """Whose token this is; None for an unknown, stopped or expired one. One statement."""
    rows = session.execute(_of_token(), {"key_digest": digest_of(key), "now": now}).all()
    if not rows:
        return None
    first = rows[0]
    used = first.last_used_at
    visitor = _visitor(rows, token_id=first.id, only_reads=bool(first.only_reads))
    return Found(visitor, used is None or now - used >= SEEN_EVERY)


@cache
def _of_token() -> Select[Any]:
    alive = (
        machine_token.c.digest == bindparam("key_digest"),
        machine_token.c.revoked_at.is_(None),
        or_(machine_token.c.expires_at.is_(None), machine_token.c.expires_at > bindparam("now")),
    )
    columns = (machine_token.c.id, machine_token.c.last_used_at, machine_token.c.only_reads)
    return _chosen(*columns, of=machine_token).where(*alive)


def _chosen(*columns: ColumnElement[Any], of: Any) -> Select[Any]:
    coordinates = exists().where(plan.c.coordinator == account_grant.c.unit_code)
    return (
        select(
            *columns,
            account.c.id.label("account_id"),
            account.c.name,
            account.c.display_name,
            account_grant.c.role,
            account_grant.c.unit_code,
            or_(unit.c.code.is_(None), unit.c.parent.is_(None), coordinates).label("whole"),
        )
        .select_from(
            of.join(account, account.c.id == of.c.account_id)
            .outerjoin(account_grant, account_grant.c.account_id == account.c.id)
            .outerjoin(unit, unit.c.code == account_grant.c.unit_code)
        )
        .where(account.c.active)
        .order_by(account_grant.c.id)
    )


def _visitor(rows: Sequence[Row[Any]], **way: Any) -> Visitor:
    first = rows[0]
    grants = tuple(Grant(Role(row.role), row.unit_code or "", bool(row.whole)) for row in rows if row.role)
    return Visitor(first.account_id, first.name, first.display_name, grants, **way)


def touch(session: Session, found: Found, now: datetime, client: str = "") -> None:
    """Write down that a session or a token is in use."""
    visitor = found.visitor
    if visitor.token_id is not None:
        used = {"last_used_at": now, "client": client[:120]}
        session.execute(update(machine_token).where(machine_token.c.id == visitor.token_id).values(used))
        return
    session.execute(update(login).where(login.c.id == visitor.login_id).values(seen_at=now))
    session.execute(update(account).where(account.c.id == visitor.account_id).values(last_seen_at=now))


def end_login(session: Session, login_id: int, now: datetime, *, account_id: int, why: str = "signed_out") -> None:
    """End one session of an account. Raises NotFound where it has none such running."""
    mine = (login.c.id == login_id, login.c.account_id == account_id, login.c.ended_at.is_(None))
    if not session.execute(update(login).where(*mine).values(ended_at=now, ended_why=why)).rowcount:
        raise NotFound("没有这个登录，可能已经退出")


def end_all_logins(
    session: Session, account_id: int, now: datetime, *, why: str = "ended", keep: int | None = None
) -> int:
    """End the sessions of an account, all but ``keep``; how many."""
    chosen = update(login).where(login.c.account_id == account_id, login.c.ended_at.is_(None))
    if keep is not None:
        chosen = chosen.where(login.c.id != keep)
    return int(session.execute(chosen.values(ended_at=now, ended_why=why)).rowcount)


def rotate(session: Session, login_id: int, now: datetime) -> str:
    """Another key for a running session, which asks for no number any more; the old key opens nothing."""
    key = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"digest": digest_of(key), "awaits_totp": False, "seen_at": now}
    running = (login.c.id == login_id, login.c.ended_at.is_(None))
    if not session.execute(update(login).where(*running).values(values)).rowcount:
        raise NotFound("这次登录已经结束，请重新登录")
    return key


def end_key(session: Session, key: str, now: datetime) -> None:
    """End the session that a key opens, where there is one: its browser signs in anew."""
    running = (login.c.digest == digest_of(key), login.c.ended_at.is_(None))
    session.execute(update(login).where(*running).values(ended_at=now, ended_why="replaced"))
