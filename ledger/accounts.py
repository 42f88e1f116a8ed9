"""账号: made, given roles, opened by a password. Passwords are kept as Argon2 hashes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from pwdlib import PasswordHash
from sqlalchemy import delete, func, insert, select, update

from ledger.database import Session
from ledger.tables import account, account_grant
from policy_models.access import Grant, Role
from policy_models.errors import Fault, Faulty, NotFound


def folded(name: str) -> str:
    """An account's name as it is kept and looked up: no full width, no capitals, no blanks around."""
    return unicodedata.normalize("NFKC", name).strip().lower()


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


def create_account(
    session: Session, name: str, display_name: str, now: datetime, *, password: str | None = None, machine: bool = False
) -> int:
    """A new account without roles; its id. Raises Faulty where the name is taken or empty."""
    plain = folded(name)
    if not plain:
        raise Faulty([Fault("", None, "账号名", "请填写账号名")])
    if session.execute(select(account.c.id).where(account.c.name == plain)).first():
        raise Faulty([Fault("", None, "账号名", f"账号名“{plain}”已有人使用，请换一个")])
    values = {"name": plain, "display_name": display_name.strip() or plain, "machine": machine}
    hashed = {"password_hash": _hasher().hash(password), "password_set_at": now} if password is not None else {}
    made = session.execute(insert(account).values(created_at=now, changed_at=now, **values, **hashed))
    (found,) = made.inserted_primary_key or (0,)
    return int(found)


def set_grants(
    session: Session, account_id: int, grants: Iterable[Grant], now: datetime, *, by: int | None = None
) -> None:
    """Give an account these roles and no others."""
    session.execute(delete(account_grant).where(account_grant.c.account_id == account_id))
    rows = [
        {
            "account_id": account_id,
            "role": one.role.value,
            "unit_code": one.unit or None,
            "granted_at": now,
            "granted_by": by,
        }
        for one in dict.fromkeys(Grant(grant.role, grant.unit) for grant in grants)
    ]
    if rows:
        session.execute(insert(account_grant), rows)
    session.execute(update(account).where(account.c.id == account_id).values(changed_at=now))


def account_id_of(session: Session, name: str) -> int:
    """The account of this name. Raises NotFound."""
    found = session.execute(select(account.c.id).where(account.c.name == folded(name))).scalar()
    if found is None:
        raise NotFound(f"没有账号“{folded(name)[:24]}”")
    return int(found)


def count_accounts(session: Session, role: Role | None = None) -> int:
    """How many accounts there are, or hold a role."""
    chosen = select(func.count(account.c.id.distinct())).where(account.c.active)
    if role is not None:
        chosen = chosen.join(account_grant, account_grant.c.account_id == account.c.id)
        chosen = chosen.where(account_grant.c.role == role.value)
    return int(session.execute(chosen).scalar_one())


def check_password(session: Session, name: str, password: str) -> int | None:
    """The account that name and password open, else None. An unknown name takes as long as a wrong password."""
    row = session.execute(
        select(account.c.id, account.c.password_hash, account.c.active).where(account.c.name == folded(name))
    ).first()
    if row is None or row.password_hash is None or not row.active:
        _hasher().verify(password, _nobody())
        return None
    return int(row.id) if _hasher().verify(password, row.password_hash) else None


@cache
def _nobody() -> str:
    return _hasher().hash("")
