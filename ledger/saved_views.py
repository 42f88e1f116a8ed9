"""常用视图: a page's filter under a name, kept by one account for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from ledger.database import Session
from ledger.tables import saved_view
from policy_models.errors import ActNotAllowed, Fault, Faulty, NotFound

MOST = 30  # of an account on a page
LONGEST_NAME, LONGEST_QUERY = 20, 800  # characters
GONE = "没有这个常用视图，可能已被删除，请刷新页面"


@dataclass(frozen=True, slots=True)
class SavedView:
    """``query``: the fields of the page's address, as in ``section=task-5&light=red``."""

    id: int
    name: str
    query: str


def saved_views(session: Session, account_id: int, page: str) -> tuple[SavedView, ...]:
    """An account's views of a page, in the order they were saved."""
    chosen = select(saved_view.c.id, saved_view.c.name, saved_view.c.query)
    mine = chosen.where(saved_view.c.account_id == account_id, saved_view.c.page == page)
    return tuple(SavedView(row.id, row.name, row.query) for row in session.execute(mine.order_by(saved_view.c.id)))


def save_view(session: Session, account_id: int, page: str, name: str, query: str, now: datetime) -> None:
    """Keep a filter under a name; a name that is there already gets the new filter.

    Raises Faulty for an empty or overlong name or filter, ActNotAllowed where the account has MOST views of the page.
    """
    name = _name(name)
    if len(query) > LONGEST_QUERY:
        raise Faulty([Fault("", None, "", "筛选条件过长，不能保存")])
    same = (saved_view.c.account_id == account_id, saved_view.c.page == page)
    there = update(saved_view).where(*same, saved_view.c.name == name).values(query=query)
    if session.execute(there).rowcount:
        return
    if session.execute(select(func.count()).select_from(saved_view).where(*same)).scalar_one() >= MOST:
        raise ActNotAllowed(f"常用视图最多保存{MOST}个，请先删除不用的")
    row = {"account_id": account_id, "page": page, "name": name, "query": query, "created_at": now}
    session.execute(insert(saved_view).values(row))


def rename_view(session: Session, account_id: int, view_id: int, name: str) -> None:
    """Raises NotFound for a view that is not the account's, Faulty for a bad name or one that another view has."""
    name, one = _name(name), _own(session, account_id, view_id)
    taken = select(saved_view.c.id).where(
        saved_view.c.account_id == account_id, saved_view.c.page == one.page, saved_view.c.name == name
    )
    if session.execute(taken.where(saved_view.c.id != view_id)).first():
        raise Faulty([Fault("", None, "", f"已有名为“{name}”的常用视图，请换一个名称")])
    session.execute(update(saved_view).where(saved_view.c.id == view_id).values(name=name))


def remove_view(session: Session, account_id: int, view_id: int) -> SavedView:
    """Take a view away; what it was, to be put back. Raises NotFound."""
    one = _own(session, account_id, view_id)
    session.execute(delete(saved_view).where(saved_view.c.id == view_id))
    return SavedView(one.id, one.name, one.query)


def _own(session: Session, account_id: int, view_id: int) -> Any:
    row = session.execute(
        select(saved_view).where(saved_view.c.id == view_id, saved_view.c.account_id == account_id)
    ).first()
    if row is None:
        raise NotFound(GONE)
    return row


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Faulty([Fault("", None, "", "请填写常用视图的名称")])
    if len(name) > LONGEST_NAME:
        raise Faulty([Fault("", None, "", f"常用视图的名称不超过{LONGEST_NAME}个字")])
    return name
