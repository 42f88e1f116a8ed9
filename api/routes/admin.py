"""管理: what there is to look after, each with its count and what is wrong with it, and a way there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator

from api.admin import admin_page, scope_of
from api.dependencies import Deployed, Now, Reads, printable
from api.guard import Guarded
from api.routes.channels import channel_rows, configured
from ledger import plans
from ledger.channels import standings
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.looking_after import AccountCounts, account_counts, find_people, unit_counts
from ledger.queries.tokens import TokenPile, token_counts
from ledger.settings import LadderSettings, Settings
from policy_models.access import Right
from policy_models.calendars import Confidence, notice_missing
from policy_models.delivery import CHANNEL_STATE_NAMES, ChannelState
from policy_models.people import ROLE_NAMES
from policy_models.text import written

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_PEOPLE = 100
Words = Annotated[str, BeforeValidator(printable), Query(max_length=40)]
WORKING = {ChannelState.ALWAYS, ChannelState.CONFIRMED, ChannelState.LIMITED}


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to look after: how many there are, and what is to be done (none: nothing is)."""

    name: str
    path: str
    count: str
    note: str
    concerns: tuple[str, ...] = ()


@router.get("/admin")
def show_admin(session: Reads, deployed: Deployed, now: Now) -> Response:
    """Counts and warnings of what the visitor looks after; who only audits finds the trail."""
    context = {"matters": _matters(session, deployed, now), "whole": scope_of(Right.AUDIT).is_whole}
    return admin_page("admin.html", session, now, context, tab="/admin")


def _matters(session: Session, deployed: Settings, now: datetime) -> list[Matter]:
    scope = scope_of(Right.ADMINISTER)
    found: list[Matter] = []
    if scope.is_whole or scope.roots:
        units = unit_counts(session, scope, civil_date(now))
        tokens = token_counts(session, scope, now=now)
        running = tokens[TokenPile.RUNNING] + tokens[TokenPile.IDLE]
        bare = (f"{units.without_liaison} 个单位没有登记联络员",) if units.without_liaison else ()
        idle = (f"{tokens[TokenPile.IDLE]} 个长期没有使用",) if tokens[TokenPile.IDLE] else ()
        closed = f"另有已停用 {units.closed} 个" if units.closed else "没有停用的单位"
        found += [
            Matter("单位", "/admin/units", f"{units.running} 个", closed),
            Matter("人员", "/admin/people", f"{units.people} 人", "联络员、负责人、审核人", bare),
            _accounts(account_counts(session, scope, now)),
            Matter("订阅凭证", "/admin/tokens", f"{running} 个", "在用的日历订阅", idle),
        ]
    if scope.is_whole:
        found += [_calendars(session, now), _channels(session, deployed, now)]
    return found


def _accounts(counts: AccountCounts) -> Matter:
    locked = (f"{counts.locked} 个因多次输错密码暂时锁定",) if counts.locked else ()
    never = (f"{counts.unopened} 个还没有登录过",) if counts.unopened else ()
    return Matter("账号", "/accounts", f"{counts.active} 个", f"另有程序账号 {counts.machines} 个", locked + never)


def _calendars(session: Session, now: datetime) -> Matter:
    """Of the plan in force: years whose notice is missing, vacations that are customary ones."""
    today = civil_date(now)
    plan = plans.default_plan(session, today)
    if plan is None:
        return Matter("日历", "/admin/calendars", "–", "台账中还没有方案")
    held = plans.calendars(session, plan.code)
    told = [sentence] if (sentence := notice_missing(held.work, today)) else []
    years = range(today.year, min(plan.ends_on.year, today.year + 1) + 1)
    told += [
        f"{year - 1}-{year}学年没有正式校历，假期为推定"
        for year in years
        if any(held.school.vacation(kind, year).confidence is not Confidence.ANNOUNCED for kind in ("winter", "summer"))
    ]
    sure = sum(held.work.confidence(year) is Confidence.ANNOUNCED for year in range(today.year, today.year + 2))
    return Matter("日历", "/admin/calendars", f"{sure}/2", "今明两年的放假安排已公布", tuple(told))


def _channels(session: Session, deployed: Settings, now: datetime) -> Matter:
    configs, wrong = configured(deployed)
    rows = [one for one in channel_rows(session, configs, now) if one.leaves]
    working = sum(one.state in WORKING for one in rows)
    told = [f"渠道设置有误：{one}" for one in wrong]
    told += [f"{one.name}：{CHANNEL_STATE_NAMES[one.state]}" for one in rows if one.state not in WORKING]
    if not rows and not wrong:
        told.append("还没有配置向外发送的渠道，消息只在站内")
    return Matter("渠道", "/admin/channels", f"{working}/{len(rows)}", "向外发送的渠道可用", tuple(told))


@router.get("/admin/channels")
def show_channels(session: Reads, deployed: Deployed, now: Now) -> Response:
    """How each channel stands; where it is tested and confirmed is the coordinator's page."""
    configs, wrong = configured(deployed)
    plan = plans.default_plan(session, civil_date(now))
    context = {
        "rows": channel_rows(session, configs, now),
        "state_words": CHANNEL_STATE_NAMES,
        "known": standings(session),
        "wrong": wrong,
        "hours": LadderSettings.load().open_hours,
        "coordinator": plan.coordinator if plan else None,
    }
    return admin_page("admin_channels.html", session, now, context, tab="/admin/channels")


@router.get("/admin/people")
def show_people(session: Reads, now: Now, q: Words = "") -> Response:
    """People of the scope by name, post, telephone or unit; where they are changed is their unit's page."""
    words = written(q)
    scope = scope_of(Right.ADMINISTER)
    plan = plans.default_plan(session, civil_date(now))
    context = {
        "q": words,
        "found": find_people(session, scope, words, limit=PAGE_PEOPLE) if words else (),
        "most": PAGE_PEOPLE,
        "counts": unit_counts(session, scope, civil_date(now)),
        "person_roles": ROLE_NAMES,
        "coordinator": plan.coordinator if plan and scope.is_whole else None,
    }
    return admin_page("admin_people.html", session, now, context, tab="/admin/people")
