"""体检 of the accounts: whether somebody can look after them, and which nobody uses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ledger import accounts
from ledger.checkup import Finding, Grade
from ledger.database import Session
from ledger.queries.accounts import is_demonstration, unseen
from policy_models.access import Role

MATTER = "账号"
UNSEEN_AFTER = timedelta(days=14)
INVITE = "lucheng account invite 账号名 --role administrator"


def accounts_stand(session: Session, now: datetime, *, require_totp: bool) -> Iterator[Finding]:
    """Nobody who can sign in or administer; accounts that were never used; administrators without a number."""
    if is_demonstration(session):
        yield Finding(Grade.GOOD, MATTER, "这是演示台账，登录页可选演示身份")
        return
    if not accounts.anybody_can_sign_in(session):
        yield Finding(Grade.NOTE, MATTER, f"还没有人能登录，请运行 {INVITE} 为第一位管理员生成链接")
        return
    if not accounts.count_accounts(session, Role.ADMINISTRATOR):
        yield Finding(Grade.NOTE, MATTER, f"没有管理员，账号无人管理，请运行 {INVITE}")
    never, bare = unseen(session, now - UNSEEN_AFTER)
    if require_totp and bare:
        yield Finding(Grade.NOTE, MATTER, f"{bare} 位管理员还没有启用动态码，登录后会先被要求启用")
    if never:
        days = UNSEEN_AFTER.days
        yield Finding(Grade.NOTE, MATTER, f"{never} 个账号建立 {days} 天以上从未登录，请核实后重新交付链接或停用")
    if not never:
        yield Finding(Grade.GOOD, MATTER, f"{accounts.count_accounts(session)} 个账号在用")
