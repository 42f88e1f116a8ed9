"""邀请: a link that lets somebody set an account's password, once, within three days. Only its digest is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, insert, select, update

from ledger.database import Session
from ledger.logins import TOKEN_BYTES, digest_of, end_all_logins
from ledger.screenings import require_clean
from ledger.signing_in import set_password
from ledger.tables import account, invitation
from policy_models.errors import NotFound

LASTS = timedelta(hours=72)
GONE = "这个链接已失效：可能已用过、已过期，或已有新的链接。请管理员重新生成"


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom an open invitation is for. ``anew``: the account had a password before."""

    id: int
    account_id: int
    name: str
    display_name: str
    anew: bool
    has_totp: bool
    expires_at: datetime


def invite(session: Session, account_id: int, now: datetime, *, by: int | None = None) -> str:
    """A new link's token, shown once and kept by nobody; older links of the account stop. Raises NotFound where the
    account is switched off or belongs to a program."""
    revoke(session, account_id, now)
    person = select(account.c.id).where(account.c.id == account_id, account.c.active, ~account.c.machine)
    if session.execute(person).first() is None:
        raise NotFound("这个账号已停用，或供程序使用，不能生成链接")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    facts = {"created_at": now, "expires_at": now + LASTS, "created_by": by}
    session.execute(insert(invitation).values(account_id=account_id, digest=digest_of(token), **facts))
    return token


def revoke(session: Session, account_id: int, now: datetime) -> None:
    """Stop the open links of an account."""
    opened = (invitation.c.account_id == account_id, invitation.c.used_at.is_(None), invitation.c.revoked_at.is_(None))
    session.execute(update(invitation).where(*opened).values(revoked_at=now))


def look_up(session: Session, token: str, now: datetime) -> Invited | None:
    """Whom a token invites; None for an unknown, used, stopped or expired one."""
    row = session.execute(
        select(invitation.c.id, invitation.c.account_id, invitation.c.expires_at)
        .add_columns(account.c.name, account.c.display_name, account.c.password_hash, account.c.totp_since)
        .join(account, account.c.id == invitation.c.account_id)
        .where(invitation.c.digest == digest_of(token), *_open(now), account.c.active)
    ).first()
    if row is None:
        return None
    anew, totp = row.password_hash is not None, row.totp_since is not None
    return Invited(row.id, row.account_id, row.name, row.display_name, anew, totp, row.expires_at)


def accept(session: Session, invited: Invited, display_name: str, hashed: str, now: datetime) -> None:
    """Use an invitation: name and password are set, every session of the account ends. Raises NotFound where it was used
    or stopped meanwhile, PrivacyBlocked."""
    require_clean([("姓名", display_name)])
    taken = update(invitation).where(invitation.c.id == invited.id, *_open(now)).values(used_at=now)
    if not session.execute(taken).rowcount:
        raise NotFound(GONE)
    set_password(session, invited.account_id, hashed, now)
    session.execute(update(account).where(account.c.id == invited.account_id).values(display_name=display_name))
    end_all_logins(session, invited.account_id, now, why="password")


def is_open(session: Session, account_id: int, now: datetime) -> bool:
    """Whether an account has an open link."""
    return bool(session.execute(select(exists().where(invitation.c.account_id == account_id, *_open(now)))).scalar())


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (invitation.c.used_at.is_(None), invitation.c.revoked_at.is_(None), invitation.c.expires_at > now)
