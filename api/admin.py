"""管理: what the administrator's pages share: their tabs, the scope of a right, a page with or without a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Response

from api import visit
from api.dependencies import open_reading
from api.navigation import open_to
from api.pages import page, plan_page
from ledger import plans
from ledger.database import Session
from policy_models.access import Right, Scope


@dataclass(frozen=True, slots=True)
class Tab:
    path: str
    name: str


TABS = (
    Tab("/admin", "概况"),
    Tab("/admin/units", "单位"),
    Tab("/admin/people", "人员"),
    Tab("/accounts", "账号"),
    Tab("/admin/calendars", "日历"),
    Tab("/admin/channels", "渠道"),
    Tab("/admin/tokens", "订阅凭证"),
    Tab("/admin/machines", "程序凭证"),
    Tab("/admin/audit", "操作记录"),
    Tab("/admin/system", "系统"),
)
TOLD = {
    "renamed": "已保存",
    "added": "已新增单位",
    "closed": "已办理停用",
    "imported": "单位名录已导入",
    "entered": "日历已更新，相关时限已随之调整",
    "restored": "已恢复为此前的日历，相关时限已随之调整",
    "revoked": "已停用这个订阅，其地址不再有效",
}


def scope_of(right: Right) -> Scope:
    """The units at which the visitor holds a right."""
    visitor = visit.current().visitor
    return visitor.scope_of(right) if visitor else visit.NOBODY


def tabs() -> tuple[Tab, ...]:
    """The pages that the visitor may open."""
    visitor = visit.current().visitor
    return tuple(one for one in TABS if visitor is not None and open_to(visitor, one.path))


def admin_page(
    template: str, session: Session, now: datetime, context: Mapping[str, Any], *, tab: str, status: int = 200
) -> Response:
    """A page of 管理. It needs no plan: a ledger is looked after before it has one."""
    shared = {"here": "admin", "tabs": tabs(), "tab": tab, **context}
    shared["just_done"] = TOLD.get(str(shared.get("told", "")), "")
    reading = open_reading(session, None, as_of=None, now=now)
    if reading is None:
        return page(template, shared, status=status)
    return plan_page(template, reading, plans.plans(session), shared, status=status)
