"""第一个管理员: where nobody can sign in yet, a link for the first one, shown by the window that started the product."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from ledger import accounts, invitations
from ledger.database import Session
from ledger.queries.accounts import is_demonstration
from ledger.settings import Settings
from policy_models.access import Grant, Role
from policy_models.errors import NotFound

NAME, DISPLAY_NAME = "admin", "管理员"


def link_of(settings: Settings, token: str, here: str | None = None) -> str:
    """The address of an invitation; ``here``: where the pages are, as long as no other address is set. A secret: for the
    terminal, never for a log."""
    base = here if here and "base_url" not in settings.model_fields_set else settings.base_url
    return f"{base.rstrip('/')}/invitations/{quote(token)}"


def first_token(session: Session, now: datetime, *, anew: bool = True) -> str | None:
    """A token for the first administrator, who is made where there is none; None where somebody can sign in already, on
    a demonstration, and with ``anew=False`` while an earlier link is open."""
    if accounts.anybody_can_sign_in(session) or is_demonstration(session):
        return None
    try:
        first = accounts.account_id_of(session, NAME)
    except NotFound:
        first = accounts.create_account(session, NAME, DISPLAY_NAME, now)
        accounts.set_grants(session, first, [Grant(Role.ADMINISTRATOR, "")], now)
    if not anew and invitations.is_open(session, first, now):
        return None
    return invitations.invite(session, first, now)


def first_words(link: str) -> str:
    """What the window says."""
    hours = int(invitations.LASTS.total_seconds() // 3600)
    return (
        "还没有人能登录。请在浏览器中打开下面的链接，设立第一位管理员"
        f"（账号名 {NAME}，{hours} 小时内有效，只能使用一次）：\n  {link}\n"
        f"链接遗失或过期时，运行 lucheng account reset {NAME} 重新生成。"
    )
