"""账号 as rows: those an administrator may look after, one of them, its running sessions, the demonstration's personas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from ledger.database import Session
from ledger.logins import LoginRules
from ledger.scope import codes_within
from ledger.tables import account, account_grant, invitation, login, person, plan, unit
from policy_models.access import Grant, Role, Scope
from policy_models.errors import NotFound

PAGE = 50
NO_ACCOUNT = "没有这个账号，或它有您管理范围以外的角色"
PERSONA = "演示-"  # how the names of a demonstration's accounts begin


class Standing(StrEnum):
    """ACTIVE: in use; NEW: nobody has set its password yet; LOCKED: shut by wrong passwords; PAST: switched off."""

    ACTIVE = "active"
    NEW = "new"
    LOCKED = "locked"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class GrantRow:
    """``unit_name``: "" where the role holds everywhere."""

    role: Role
    unit: str
    unit_name: str

    @property
    def grant(self) -> Grant:
        return Grant(self.role, self.unit)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """``invited_until``: until when its open link holds; ``locked_until``: in the future where wrong passwords have shut
    it; ``person``: whose it is in the list of people, "" where it is not said."""

    id: int
    name: str
    display_name: str
    person: str
    machine: bool
    standing: Standing
    has_password: bool
    has_totp: bool
    has_oidc: bool
    created_at: datetime
    last_seen_at: datetime | None
    locked_until: datetime | None
    invited_until: datetime | None
    grants: tuple[GrantRow, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a list of accounts is narrowed to."""

    words: str = ""
    role: Role | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class LoginRow:
    """A running session; ``client``: what the browser calls itself."""

    id: int
    way: str
    client: str
    address: str
    created_at: datetime
    seen_at: datetime


ANYTHING = Chosen()


def accounts_page(
    session: Session, scope: Scope, now: datetime, *, chosen: Chosen = ANYTHING, page: int = 1
) -> tuple[tuple[AccountRow, ...], int]:
    """A page of the accounts all of whose roles lie in the scope, by name, and how many there are. Three statements."""
    conditions = [_looked_after(scope), *_narrowed(chosen, now)]
    total = session.execute(select(func.count()).select_from(account).where(*conditions)).scalar_one()
    rows = session.execute(
        _rows(now).where(*conditions).order_by(account.c.name).limit(PAGE).offset((page - 1) * PAGE)
    ).all()
    return _filled(session, rows, now), int(total)


def account_row(session: Session, account_id: int, scope: Scope, now: datetime) -> AccountRow:
    """One account. Raises NotFound, also where one of its roles lies outside of the scope."""
    rows = session.execute(_rows(now).where(account.c.id == account_id, _looked_after(scope))).all()
    if not rows:
        raise NotFound(NO_ACCOUNT)
    return _filled(session, rows, now)[0]


def own_account(session: Session, account_id: int, now: datetime) -> AccountRow:
    """The account of who asks. Raises NotFound."""
    return account_row(session, account_id, Scope(), now)


def every_account(session: Session, now: datetime) -> tuple[AccountRow, ...]:
    """All accounts by name. Two statements."""
    return _filled(session, session.execute(_rows(now).order_by(account.c.name)).all(), now)


def running_logins(session: Session, account_id: int, now: datetime, rules: LoginRules) -> tuple[LoginRow, ...]:
    """The running sessions of an account, the one used last first."""
    alive = (
        login.c.account_id == account_id,
        login.c.ended_at.is_(None),
        ~login.c.awaits_totp,
        login.c.seen_at > now - rules.idle,
        login.c.created_at > now - rules.longest,
    )
    rows = session.execute(select(login).where(*alive).order_by(login.c.seen_at.desc(), login.c.id.desc()).limit(100))
    return tuple(LoginRow(r.id, r.way, r.client, r.address, r.created_at, r.seen_at) for r in rows)


def is_demonstration(session: Session) -> bool:
    """Whether the ledger holds demonstrations and nothing else."""
    flags = session.execute(select(plan.c.demonstration).distinct()).scalars().all()
    return bool(flags) and all(flags)


def personas(session: Session, now: datetime) -> tuple[AccountRow, ...]:
    """The accounts that a demonstration lets anybody try, in the order they were made; none on a real ledger."""
    if not is_demonstration(session):
        return ()
    rows = _rows(now).where(account.c.name.startswith(PERSONA), account.c.active).order_by(account.c.id)
    return _filled(session, session.execute(rows).all(), now)


def unseen(session: Session, before: datetime) -> tuple[int, int]:
    """How many active accounts of people have never signed in though made before an instant, and how many active
    administrators have no number on a telephone."""
    people = (account.c.active, ~account.c.machine)
    never = select(func.count()).where(*people, account.c.last_seen_at.is_(None), account.c.created_at < before)
    administers = account.c.id.in_(
        select(account_grant.c.account_id).where(account_grant.c.role == Role.ADMINISTRATOR.value)
    )
    bare = select(func.count()).where(*people, administers, account.c.totp_since.is_(None))
    bare = bare.where(account.c.password_hash.is_not(None))
    return int(session.execute(never).scalar_one()), int(session.execute(bare).scalar_one())


def _looked_after(scope: Scope) -> ColumnElement[bool]:
    """All roles in the scope, and at least one: who looks after one county must not open what reaches beyond it."""
    if scope.roots is None:
        return account.c.id.is_not(None)
    mine = account_grant.c.account_id == account.c.id
    outside = or_(account_grant.c.unit_code.is_(None), ~account_grant.c.unit_code.in_(codes_within(scope.roots)))
    return and_(exists().where(mine), ~exists().where(mine, outside))


def _narrowed(chosen: Chosen, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    mine = account_grant.c.account_id == account.c.id
    if words := chosen.words.strip():
        plain = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        names = select(unit.c.code).where(unit.c.name.like(f"%{plain}%", escape="\\"))
        at_unit = exists().where(mine, or_(account_grant.c.unit_code == words, account_grant.c.unit_code.in_(names)))
        columns = (
            account.c.name.like(f"%{plain.lower()}%", escape="\\"),
            account.c.display_name.like(f"%{plain}%", escape="\\"),
        )
        found.append(or_(*columns, at_unit))
    if chosen.role is not None:
        found.append(exists().where(mine, account_grant.c.role == chosen.role.value))
    if chosen.standing is not None:
        found.append(_stands(chosen.standing, now))
    return found


def _stands(standing: Standing, now: datetime) -> ColumnElement[bool]:
    opened = or_(account.c.password_hash.is_not(None), account.c.oidc_subject.is_not(None), account.c.machine)
    locked = and_(account.c.locked_until.is_not(None), account.c.locked_until > now)
    return {
        Standing.PAST: ~account.c.active,
        Standing.LOCKED: and_(account.c.active, locked),
        Standing.NEW: and_(account.c.active, ~locked, ~opened),
        Standing.ACTIVE: and_(account.c.active, ~locked, opened),
    }[standing]


def _rows(now: datetime) -> Any:
    opened = (invitation.c.used_at.is_(None), invitation.c.revoked_at.is_(None), invitation.c.expires_at > now)
    link = select(func.max(invitation.c.expires_at)).where(invitation.c.account_id == account.c.id, *opened)
    joined = account.outerjoin(person, person.c.id == account.c.person_id)
    return select(
        account, person.c.name.label("person_name"), link.scalar_subquery().label("invited_until")
    ).select_from(joined)


def _filled(session: Session, rows: Sequence[Any], now: datetime) -> tuple[AccountRow, ...]:
    grants = defaultdict[int, list[GrantRow]](list)
    wanted = (
        select(account_grant.c.account_id, account_grant.c.role, account_grant.c.unit_code, unit.c.name)
        .outerjoin(unit, unit.c.code == account_grant.c.unit_code)
        .where(account_grant.c.account_id.in_([row.id for row in rows]))
        .order_by(account_grant.c.id)
    )
    for one in session.execute(wanted):
        grants[one.account_id].append(GrantRow(Role(one.role), one.unit_code or "", one.name or ""))
    return tuple(_account(row, tuple(grants[row.id]), now) for row in rows)


def _account(row: Any, grants: tuple[GrantRow, ...], now: datetime) -> AccountRow:
    locked = row.locked_until if row.locked_until is not None and row.locked_until > now else None
    opened = row.password_hash is not None or row.oidc_subject is not None or row.machine
    if not row.active:
        standing = Standing.PAST
    elif locked:
        standing = Standing.LOCKED
    else:
        standing = Standing.ACTIVE if opened or row.name.startswith(PERSONA) else Standing.NEW
    return AccountRow(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        person=row.person_name or "",
        machine=bool(row.machine),
        standing=standing,
        has_password=row.password_hash is not None,
        has_totp=row.totp_since is not None,
        has_oidc=row.oidc_subject is not None,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        locked_until=locked,
        invited_until=row.invited_until,
        grants=grants,
    )
