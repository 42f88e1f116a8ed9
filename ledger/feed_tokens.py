"""订阅凭证: secret addresses of calendar feeds. The token is shown once; the ledger keeps only its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from ledger import plans
from ledger.civil import civil_date
from ledger.database import Session
from ledger.tables import feed_token, person, plan, unit
from policy_models.errors import ChangedMeanwhile, NotFound, NotResponsible
from policy_models.feeds import OF_PLAN, Scope, Subject
from policy_models.plan import Function, Level

TOKEN_BYTES = 24  # 192 bits, 32 characters of the address
TOUCH_EVERY = timedelta(hours=1)
NAME_LENGTH, CLIENT_LENGTH = 80, 120


@dataclass(frozen=True, slots=True)
class FeedToken:
    """What is known of a token: never the token. Instants are UTC. ``unit_code``: on whose desk it is looked after;
    ``replaced``: it was stopped because a new one took its place."""

    id: int
    name: str
    unit_code: str
    created_at: datetime
    last_used_at: datetime | None
    client: str | None
    revoked_at: datetime | None
    scope: Scope = Scope.UNIT
    target: str = ""
    plan_id: int | None = None
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """A client used a token at an instant (UTC)."""

    token_id: int
    client: str
    at: datetime


def create(
    session: Session,
    unit_code: str,
    name: str,
    now: datetime,
    *,
    scope: str = Scope.UNIT,
    target: str = "",
    plan_id: int | None = None,
) -> str:
    """A new token on a unit's desk: 32 url-safe characters, to be shown once.

    ``target`` "" is the unit itself (its own function); ``plan_id`` None is the plan in force for a task or a phase, and
    every plan otherwise. A unit may have its own items, those of all below it, of its people, a task or a phase within
    these; a city department its line of work across the city; the coordinator everything. Raises NotFound,
    NotResponsible.
    """
    own = session.execute(select(unit).where(unit.c.code == unit_code)).first()
    if own is None:
        raise NotFound(f"没有代码为“{unit_code[:24]}”的单位")
    if scope not in set(Scope):
        raise NotFound("没有这种订阅内容")
    kind = Scope(scope)
    if kind in OF_PLAN:
        plan_id = _plan_of(session, kind, target, plan_id, now)
    wanted = _target(session, own, kind, target)
    values = {"scope": kind.value, "target": wanted, "plan_id": plan_id, "unit_code": own.code, "created_at": now}
    return _issue(session, values, _printable(name)[:NAME_LENGTH] or "未命名订阅")[0]


def _issue(session: Session, values: dict[str, Any], name: str) -> tuple[str, int]:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    made = session.execute(insert(feed_token).values(hash=token_hash(token), name=name, **values))
    return token, int(made.inserted_primary_key[0])  # type: ignore[index]


def _target(session: Session, own: Any, scope: Scope, target: str) -> str:
    if scope in OF_PLAN:
        return str(int(target))
    if scope is Scope.PERSON:
        return _person(session, own, target)
    wanted = target or (own.function if scope is Scope.FUNCTION else own.code)
    if scope is Scope.FUNCTION:
        if wanted not in set(Function):
            raise NotFound("没有这个条线，请从列出的条线中选择")
        mine = own.level == Level.CITY.value and own.function == wanted
    else:
        if session.execute(select(unit.c.code).where(unit.c.code == wanted)).first() is None:
            raise NotFound(f"没有代码为“{wanted[:24]}”的单位")
        mine = wanted == own.code
    if not mine and not _coordinates(session, own.code):
        raise NotResponsible("其他单位的日历由统筹单位订阅，本单位只能订阅本单位及下级的事项")
    return wanted


def _person(session: Session, own: Any, target: str) -> str:
    known = select(person.c.unit_code).where(person.c.id == (int(target) if _is_number(target) else 0))
    of_unit = session.execute(known).scalar()
    if of_unit is None or (of_unit != own.code and not _coordinates(session, own.code)):
        raise NotFound("本单位没有这位人员，请先登记")
    return str(int(target))


def _plan_of(session: Session, scope: Scope, target: str, plan_id: int | None, now: datetime) -> int:
    """The plan that a task or phase belongs to. Raises NotFound."""
    known = {one.id: one for one in plans.plans(session)}
    found = known.get(plan_id) if plan_id is not None else plans.default_plan(session, civil_date(now))
    if found is None:
        raise NotFound("台账中没有这个方案")
    document = plans.plan_document(session, found.code)
    sections = document.tasks if scope is Scope.TASK else document.phases
    if not _is_number(target) or int(target) not in {one.number for one in sections}:
        raise NotFound(f"方案中没有这{'项任务' if scope is Scope.TASK else '个阶段'}")
    return found.id


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _coordinates(session: Session, code: str) -> bool:
    return session.execute(select(plan.c.id).where(plan.c.coordinator == code)).first() is not None


def look_up(session: Session, token: str) -> FeedToken | None:
    """The token's record, revoked or not; None for an unknown one."""
    row = session.execute(select(feed_token).where(feed_token.c.hash == token_hash(token))).first()
    return _record(row) if row else None


def subject_of(token: FeedToken, coordinators: Iterable[str]) -> Subject:
    """What a token's feed is of. ``coordinators``: the units whose tasks and phases are seen everywhere."""
    within = token.unit_code if token.scope in OF_PLAN and token.unit_code not in set(coordinators) else ""
    return Subject(token.scope, token.target or token.unit_code, token.plan_id, within)


def touch(session: Session, uses: Iterable[Use]) -> None:
    """Note that clients used tokens; each at most once an hour. One statement for all of them."""
    rows = [
        {"_id": use.token_id, "_at": use.at, "_since": use.at - TOUCH_EVERY, "_client": _client(use.client)}
        for use in sorted(uses, key=lambda use: use.token_id)
    ]
    if not rows:
        return
    fresh = or_(feed_token.c.last_used_at.is_(None), feed_token.c.last_used_at <= bindparam("_since"))
    noted = update(feed_token).where(feed_token.c.id == bindparam("_id"), fresh)
    session.execute(noted.values(last_used_at=bindparam("_at"), client=bindparam("_client")), rows)


def _client(name: str) -> str | None:
    return _printable(name)[:CLIENT_LENGTH] or None


def revoke(session: Session, unit_code: str, token_id: int, now: datetime) -> None:
    """Stop a unit's token. Raises NotFound for one that is not this unit's, ChangedMeanwhile for one stopped before."""
    _stop(session, unit_code, token_id, now)


def rotate(session: Session, unit_code: str, token_id: int, now: datetime) -> str:
    """A new token in place of one that may have become known; the old one is stopped and says so for a while.

    Raises NotFound for one that is not this unit's, ChangedMeanwhile for one stopped before.
    """
    _stop(session, unit_code, token_id, now)
    old = session.execute(select(feed_token).where(feed_token.c.id == token_id)).one()
    kept = {name: getattr(old, name) for name in ("scope", "target", "plan_id", "unit_code")}
    token, fresh = _issue(session, {**kept, "created_at": now}, old.name)
    session.execute(update(feed_token).where(feed_token.c.id == token_id).values(replaced_by=fresh))
    return token


def _stop(session: Session, unit_code: str, token_id: int, now: datetime) -> None:
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


def token_hash(token: str) -> str:
    """SHA-256 (hex) of a token: what the ledger keeps of it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _printable(text: str) -> str:
    """One line without control characters and lone surrogates, which PostgreSQL refuses."""
    return "".join(c for c in text if c.isprintable() and not "\ud800" <= c <= "\udfff").strip()


def _record(row: Any) -> FeedToken:
    return FeedToken(
        row.id,
        row.name,
        row.unit_code,
        row.created_at,
        row.last_used_at,
        row.client,
        row.revoked_at,
        Scope(row.scope),
        row.target or row.unit_code,
        row.plan_id,
        row.replaced_by is not None,
    )
