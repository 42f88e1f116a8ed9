"""账号: made, given roles, switched off and on again. How they are opened is in ``signing_in``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update

from ledger.database import Session
from ledger.logins import end_all_logins
from ledger.passwords import hash_password
from ledger.screenings import require_clean
from ledger.tables import account, account_grant, invitation, plan, unit
from policy_models.access import Grant, Role
from policy_models.credentials import folded
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Fault, Faulty, NotFound

LONGEST_NAME = 40  # characters of a display name
LAST = "这是最后一位管理员，停用或改变角色后将没有人能管理账号；请先设立另一位管理员"


def create_account(
    session: Session,
    name: str,
    display_name: str,
    now: datetime,
    *,
    password: str | None = None,
    machine: bool = False,
    person_id: int | None = None,
) -> int:
    """A new account without roles; its id. Raises Faulty where the name is taken or empty, PrivacyBlocked."""
    plain = folded(name)
    if not plain:
        raise Faulty([Fault("账号", None, "", "请填写账号名")])
    if session.execute(select(account.c.id).where(account.c.name == plain)).first():
        raise Faulty([Fault("账号", None, "", f"账号名“{plain}”已有人使用，请换一个")])
    shown = display_name.strip()[:LONGEST_NAME] or plain[:LONGEST_NAME]
    require_clean([("账号名", plain), ("姓名", shown)])
    values = {"name": plain, "display_name": shown, "machine": machine, "person_id": person_id}
    hashed = {"password_hash": hash_password(password), "password_set_at": now} if password is not None else {}
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


def add_grant(session: Session, account_id: int, grant: Grant, now: datetime, *, by: int | None = None) -> None:
    """One more role. Raises ActNotAllowed where the account holds it already."""
    if session.execute(select(account_grant.c.id).where(*_same(account_id, grant))).first():
        raise ActNotAllowed("这个账号在该单位已有这个角色")
    facts = {"granted_at": now, "granted_by": by, "unit_code": grant.unit or None}
    session.execute(insert(account_grant).values(account_id=account_id, role=grant.role.value, **facts))
    session.execute(update(account).where(account.c.id == account_id).values(changed_at=now))


def remove_grant(session: Session, account_id: int, grant: Grant, now: datetime) -> None:
    """Take a role back. Raises ActNotAllowed for an account's only one and the last administrator's, ChangedMeanwhile
    where it is gone."""
    before = _administrators(session)
    if not session.execute(delete(account_grant).where(*_same(account_id, grant))).rowcount:
        raise ChangedMeanwhile("这个角色刚被他人收回，请刷新页面后再看")
    if session.execute(select(account_grant.c.id).where(account_grant.c.account_id == account_id)).first() is None:
        raise ActNotAllowed("这是该账号唯一的角色；不再使用的账号请停用")
    _require_administrator(session, before)
    session.execute(update(account).where(account.c.id == account_id).values(changed_at=now))


def _same(account_id: int, grant: Grant) -> tuple[ColumnElement[bool], ...]:
    at = account_grant.c.unit_code == grant.unit if grant.unit else account_grant.c.unit_code.is_(None)
    return (account_grant.c.account_id == account_id, account_grant.c.role == grant.role.value, at)


def set_active(session: Session, account_id: int, active: bool, now: datetime) -> None:
    """Switch an account off, which ends its sessions and stops its open invitation, or on again.

    Raises ActNotAllowed for the last administrator, ChangedMeanwhile where somebody did so before.
    """
    before = _administrators(session)
    turned = (account.c.id == account_id, account.c.active != active)
    if not session.execute(update(account).where(*turned).values(active=active, changed_at=now)).rowcount:
        raise ChangedMeanwhile("这个账号刚被他人停用或恢复，请刷新页面后再看")
    if not active:
        _require_administrator(session, before)
        end_all_logins(session, account_id, now, why="deactivated")
        session.execute(
            update(invitation)
            .where(invitation.c.account_id == account_id, invitation.c.used_at.is_(None))
            .where(invitation.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )


def unlock(session: Session, account_id: int, now: datetime) -> None:
    """Let an account sign in again that wrong passwords have shut."""
    values = {"failures": 0, "locked_until": None, "changed_at": now}
    session.execute(update(account).where(account.c.id == account_id).values(values))


def rename(session: Session, account_id: int, display_name: str, now: datetime) -> None:
    """Another name to be shown. Raises Faulty for an empty one, PrivacyBlocked."""
    shown = display_name.strip()
    if not shown or len(shown) > LONGEST_NAME:
        raise Faulty([Fault("账号", None, "", f"请填写姓名，不超过 {LONGEST_NAME} 个字")])
    require_clean([("姓名", shown)])
    session.execute(update(account).where(account.c.id == account_id).values(display_name=shown, changed_at=now))


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


def anybody_can_sign_in(session: Session) -> bool:
    """Whether some account of a person has a password or has come by the city's single sign-on."""
    opened = or_(account.c.password_hash.is_not(None), account.c.oidc_subject.is_not(None))
    return session.execute(select(account.c.id).where(account.c.active, opened).limit(1)).first() is not None


def _administrators(session: Session) -> bool:
    """Whether an account remains that can administer everything. Locks those that can: of two administrators who switch
    each other off at once, the second waits and is refused."""
    coordinates = exists().where(plan.c.coordinator == account_grant.c.unit_code)
    everything = (
        select(account_grant.c.account_id)
        .outerjoin(unit, unit.c.code == account_grant.c.unit_code)
        .where(account_grant.c.role == Role.ADMINISTRATOR.value)
        .where(or_(account_grant.c.unit_code.is_(None), unit.c.parent.is_(None), coordinates))
    )
    chosen = select(account.c.id).where(account.c.active, ~account.c.machine, account.c.id.in_(everything))
    return bool(session.execute(chosen.order_by(account.c.id).with_for_update()).all())


def _require_administrator(session: Session, before: bool) -> None:
    if before and not _administrators(session):
        raise ActNotAllowed(LAST)
