"""登录: a password opens an account or it does not. Reading, comparing (slow, outside of any transaction) and writing down
are three steps; the last one looks again at what the first one saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select, update

from ledger.database import Session
from ledger.passwords import Checked
from ledger.tables import account
from policy_models.credentials import folded, lock_after


@dataclass(frozen=True, slots=True)
class Lock:
    """An account as its password shuts it; ``account_id`` None where no account of that name can be opened so."""

    account_id: int | None
    hashed: str | None = field(default=None, repr=False)
    locked_until: datetime | None = None
    has_totp: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a sign-in: the account that is open, or None; ``locked``: this failure has shut it."""

    account_id: int | None
    locked: bool = False


NO_LOCK = Lock(None)
_COLUMNS = (account.c.id, account.c.password_hash, account.c.locked_until, account.c.totp_since)


def lock_of(session: Session, name: str) -> Lock:
    """What shuts the account of this name."""
    wanted = (account.c.name == folded(name), account.c.active, account.c.password_hash.is_not(None))
    row = session.execute(select(*_COLUMNS).where(*wanted)).first()
    return Lock(row.id, row.password_hash, row.locked_until, row.totp_since is not None) if row else NO_LOCK


def own_lock(session: Session, account_id: int) -> Lock:
    """What shuts an account, for somebody who is inside and is asked for the password once more."""
    row = session.execute(select(*_COLUMNS).where(account.c.id == account_id)).first()
    return Lock(row.id, row.password_hash, row.locked_until, row.totp_since is not None) if row else NO_LOCK


def settle(session: Session, lock: Lock, checked: Checked, now: datetime) -> Outcome:
    """Write down what came of a sign-in: a right password sets the count of wrong ones back to nothing, a wrong one may
    shut the account for a while. A shut account opens to nobody and counts nothing."""
    if lock.account_id is None or (lock.locked_until is not None and lock.locked_until > now):
        return Outcome(None)
    if not checked.right:
        return Outcome(None, note_failure(session, lock.account_id, now))
    # with a number still to come, only the number sets the count back: a known password must not buy guesses at it
    values: dict[str, object] = {"failures": account.c.failures if lock.has_totp else 0, "locked_until": None}
    if checked.fresh is not None:
        values["password_hash"] = checked.fresh
    same = (account.c.id == lock.account_id, account.c.active, account.c.password_hash == lock.hashed)
    unshut = or_(account.c.locked_until.is_(None), account.c.locked_until <= now)  # many may have tried at once
    done = session.execute(update(account).where(*same, unshut).values(values)).rowcount
    return Outcome(lock.account_id if done else None)


def note_number(session: Session, account_id: int) -> None:
    """A right number came after the right password: nothing is held against the account any more."""
    session.execute(update(account).where(account.c.id == account_id).values(failures=0, locked_until=None))


def note_failure(session: Session, account_id: int, now: datetime) -> bool:
    """Count a wrong password or number; whether it has shut the account."""
    counted = update(account).where(account.c.id == account_id).values(failures=account.c.failures + 1)
    session.execute(counted)
    failures = session.execute(select(account.c.failures).where(account.c.id == account_id)).scalar_one()
    span = lock_after(failures)
    if span is None:
        return False
    session.execute(update(account).where(account.c.id == account_id).values(locked_until=now + span))
    return True


def set_password(session: Session, account_id: int, hashed: str, now: datetime) -> None:
    """Another password, and with it a clean count. Ending the other sessions is the caller's next line."""
    values = {"password_hash": hashed, "password_set_at": now, "changed_at": now, "failures": 0, "locked_until": None}
    session.execute(update(account).where(account.c.id == account_id).values(values))


def is_shut(session: Session, account_id: int, now: datetime) -> bool:
    """Whether wrong passwords or numbers keep an account shut."""
    shut = select(account.c.id).where(account.c.id == account_id, account.c.locked_until > now)
    return session.execute(shut).first() is not None
