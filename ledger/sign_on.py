"""单点登录: visits to the city's sign-on that have not come back, and the accounts that come by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from ledger.database import Session
from ledger.logins import digest_of
from ledger.tables import account, sign_on
from policy_models.credentials import folded

COMES_BACK_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit took along; ``verifier`` and ``nonce`` are secrets of this visit alone."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back_to: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The account that a visit opens; ``linked``: for the first time."""

    id: int
    name: str
    linked: bool = False


def remember(session: Session, state: str, visit: Visit, now: datetime) -> None:
    """Keep a visit until it comes back; those that did not are forgotten."""
    session.execute(delete(sign_on).where(sign_on.c.created_at <= now - COMES_BACK_WITHIN))
    facts = {"nonce": visit.nonce, "verifier": visit.verifier, "back_to": visit.back_to, "created_at": now}
    session.execute(insert(sign_on).values(digest=digest_of(state), **facts))


def take(session: Session, state: str, now: datetime) -> Visit | None:
    """The visit of this state, once; None for an unknown, late or replayed one."""
    mine = delete(sign_on).where(sign_on.c.digest == digest_of(state), sign_on.c.created_at > now - COMES_BACK_WITHIN)
    row = session.execute(mine.returning(sign_on.c.nonce, sign_on.c.verifier, sign_on.c.back_to)).first()
    return Visit(row.nonce, row.verifier, row.back_to) if row else None


def account_of(session: Session, subject: str, names: Sequence[str], now: datetime) -> Opened | None:
    """The account of a subject ("issuer subject"). On its first visit one that an administrator made under one of its
    verified ``names``, and that nobody has opened by a password yet, is linked to it, for good; else None."""
    row = session.execute(
        select(account.c.id, account.c.name, account.c.active).where(account.c.oidc_subject == subject)
    ).first()
    if row is not None:
        return Opened(row.id, row.name) if row.active else None
    wanted = sorted({folded(name) for name in names} - {""})
    unopened = (
        account.c.password_hash.is_(None),
        account.c.oidc_subject.is_(None),
        account.c.active,
        ~account.c.machine,
    )
    rows = session.execute(
        select(account.c.id, account.c.name).where(account.c.name.in_(wanted), *unopened).limit(2)
    ).all()
    if len(rows) != 1:  # of two accounts nobody can say which is meant
        return None
    taken = update(account).where(account.c.id == rows[0].id, *unopened)
    done = session.execute(taken.values(oidc_subject=subject, changed_at=now)).rowcount
    return Opened(rows[0].id, rows[0].name, linked=True) if done else None


def unlink(session: Session, account_id: int, now: datetime) -> None:
    """Forget whose an account is at the single sign-on."""
    session.execute(update(account).where(account.c.id == account_id).values(oidc_subject=None, changed_at=now))
