"""接口账号 and their tokens: how other systems act here. A token is shown once; the ledger keeps only its digest."""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from ledger.accounts import create_account, set_active, set_grants
from ledger.database import Session
from ledger.logins import TOKEN_BYTES, digest_of
from ledger.screenings import require_clean
from ledger.tables import account, account_grant, machine_token, unit
from policy_models.access import Grant, Role
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Fault, Faulty, NotFound

PREFIX = "lct_"  # so that a token that leaked is known for what it is
LONGEST = 80
MOST_RUNNING = 20  # tokens of one account


@dataclass(frozen=True, slots=True)
class MachineToken:
    """What is known of a token: never the token. Instants are UTC."""

    id: int
    account: str
    name: str
    only_reads: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    client: str | None
    revoked_at: datetime | None

    def runs(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class Machine:
    """An account for programs: its ``grants`` as (role, unit's code, unit's name; "" for everywhere), and its tokens,
    the newest first."""

    id: int
    name: str
    display_name: str
    active: bool
    grants: tuple[tuple[Role, str, str], ...]
    tokens: tuple[MachineToken, ...]


def create_machine(
    session: Session, name: str, display_name: str, grants: list[Grant], now: datetime, *, by: int | None = None
) -> int:
    """A new account for programs, with these roles; its id. Raises Faulty (name taken or empty, no role), NotFound for an
    unknown unit, PrivacyBlocked."""
    if not grants:
        raise Faulty([Fault("", None, "角色", "请选择角色")])
    codes = {one.unit for one in grants if one.unit}
    known = set(session.execute(select(unit.c.code).where(unit.c.code.in_(codes))).scalars())
    if strange := codes - known:
        raise NotFound(f"没有代码为“{min(strange)[:24]}”的单位")
    made = create_account(session, name, display_name, now, machine=True)
    set_grants(session, made, grants, now, by=by)
    return made


def create(
    session: Session,
    account_name: str,
    name: str,
    now: datetime,
    *,
    only_reads: bool = True,
    expires_at: datetime | None = None,
    by: int | None = None,
) -> str:
    """A new token of a machine's account, to be shown once. ``expires_at``: UTC, None for never.

    Raises NotFound, ActNotAllowed (not a machine's account, stopped, too many tokens), Faulty, PrivacyBlocked.
    """
    row = session.execute(select(account).where(account.c.name == account_name)).first()
    if row is None:
        raise NotFound(f"没有账号“{account_name[:24]}”")
    if not row.machine:
        raise ActNotAllowed("令牌只能发给接口账号；人员请用自己的密码登录")
    if not row.active:
        raise ActNotAllowed("这个接口账号已停用，不能新建令牌")
    called = name.strip()
    if not called or len(called) > LONGEST or not called.isprintable():
        raise Faulty([Fault("", None, "用途", f"请填写用途，不超过 {LONGEST} 个字，便于以后停用时辨认")])
    if expires_at is not None and expires_at <= now:
        raise Faulty([Fault("", None, "有效期", "有效期须在今天之后")])
    require_clean([("用途", called)])
    running = select(machine_token.c.id).where(
        machine_token.c.account_id == row.id, machine_token.c.revoked_at.is_(None)
    )
    if len(session.execute(running).all()) >= MOST_RUNNING:
        raise ActNotAllowed(f"一个接口账号最多 {MOST_RUNNING} 个令牌，请先停用不再使用的")
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    facts = {"name": called, "only_reads": only_reads, "expires_at": expires_at, "created_by": by}
    session.execute(insert(machine_token).values(account_id=row.id, digest=digest_of(token), created_at=now, **facts))
    return token


def revoke(session: Session, token_id: int, now: datetime) -> None:
    """Stop a token at once. Raises NotFound, ChangedMeanwhile for one stopped before."""
    mine = machine_token.c.id == token_id
    stopped = update(machine_token).where(mine, machine_token.c.revoked_at.is_(None)).values(revoked_at=now)
    if session.execute(stopped).rowcount:
        return
    if session.execute(select(machine_token.c.id).where(mine)).first() is None:
        raise NotFound("没有这个令牌")
    raise ChangedMeanwhile("这个令牌此前已停用")


def listing(session: Session) -> tuple[Machine, ...]:
    """Every account for programs with its roles and tokens, in order of name: three statements."""
    rows = session.execute(select(account).where(account.c.machine).order_by(account.c.name)).all()
    grants: dict[int, list[tuple[Role, str, str]]] = defaultdict(list)
    for row in session.execute(
        select(account_grant.c.account_id, account_grant.c.role, account_grant.c.unit_code, unit.c.name)
        .join(account, account.c.id == account_grant.c.account_id)
        .outerjoin(unit, unit.c.code == account_grant.c.unit_code)
        .where(account.c.machine)
        .order_by(account_grant.c.id)
    ):
        grants[row.account_id].append((Role(row.role), row.unit_code or "", row.name or ""))
    tokens: dict[int, list[MachineToken]] = defaultdict(list)
    columns = [machine_token.c[name] for name in MachineToken.__slots__ if name != "account"]
    for row in session.execute(
        select(machine_token.c.account_id, account.c.name.label("account"), *columns)
        .join(account, account.c.id == machine_token.c.account_id)
        .order_by(machine_token.c.revoked_at.is_not(None), machine_token.c.id.desc())
    ):
        tokens[row.account_id].append(MachineToken(**{name: getattr(row, name) for name in MachineToken.__slots__}))
    return tuple(
        Machine(row.id, row.name, row.display_name, row.active, tuple(grants[row.id]), tuple(tokens[row.id]))
        for row in rows
    )


def set_machine_active(session: Session, account_id: int, active: bool, now: datetime) -> None:
    """Stop an account for programs, and with it every token of it, or let it act again.

    Raises NotFound, ChangedMeanwhile where it was done already.
    """
    mine = (account.c.id == account_id, account.c.machine)
    if session.execute(select(account.c.id).where(*mine)).first() is None:
        raise NotFound("没有这个接口账号")
    set_active(session, account_id, active, now)
