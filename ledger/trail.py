"""操作记录: what accounts did, appended with the act and never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert

from ledger.database import Session
from ledger.tables import audit
from policy_models.access import Visitor


def note_act(
    session: Session,
    act: str,
    now: datetime,
    *,
    visitor: Visitor | None = None,
    account: str = "",
    unit: str = "",
    object: str = "",
    detail: str = "",
    address: str = "",
    done: bool = True,
) -> None:
    """Append one line: who (a visitor, or the name that was typed), did what, to what, from where; ``done`` False when it
    was refused."""
    who = (
        {"account_id": visitor.account_id, "account": visitor.account, "by_name": visitor.name}
        if visitor
        else {"account": account[:60]}
    )
    facts = {"unit_code": unit[:24], "object": object[:160], "detail": detail, "address": address[:45], "done": done}
    session.execute(insert(audit).values(at=now, act=act[:40], **who, **facts))
