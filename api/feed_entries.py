"""The facts of a feed in words: what each event or to-do says. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote

from api.ics import Entry, alarm, begun, joined
from api.words import date_basis, section_path
from ledger.civil import civil_date
from ledger.fragments import Fragment
from ledger.queries.feed import Frame
from ledger.queries.feed_extras import FeedBacklog, FeedDays, FeedRound
from ledger.queries.feed_groups import FeedGroup
from ledger.queries.feed_items import ENDED, FeedItem
from policy_models.calendars import Calendars
from policy_models.feeds import Component, Scope
from policy_models.lifecycle import OWED, State
from policy_models.periods import period_name, section_name
from policy_models.spans import month_day, weekday_name

# Part of every stamp: raise both when the words or properties of an entry change, or clients keep the old ones.
RENDERER, RENDERER_CHANGED_AT = 1, datetime(2025, 1, 1, tzinfo=UTC)
STATE_SENTENCES = {
    State.SCHEDULED: "未启动",
    State.OPEN: "待报送",
    State.SUBMITTED: "已报送，待审核",
    State.RETURNED: "已退回，请补正后重新报送",
    State.ACCEPTED: "已办结",
    State.WAIVED: "已豁免，无须报送",
    State.CANCELLED: "已取消，无须报送",
}
CANCELLED = "【已取消】"
INFERRED = "【推定】"
DONE = "✓ "
TODO_STATUS = {State.SUBMITTED: "IN-PROCESS", State.ACCEPTED: "COMPLETED"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A rendered entry up to its alarm, the alarm (None: nothing is owed), and how many days lie between the day to
    aim at and the day of the entry."""

    body: str
    alarm: str | None = None
    lead: int = 0

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.body}\0{self.alarm or ''}\0{self.lead}".encode()).hexdigest()


def mark(base_url: str) -> str:
    """What a fragment depends on beside its facts: the renderer, and the address that its links begin with."""
    return f"{RENDERER:x}-{hashlib.sha256(base_url.encode('utf-8', 'replace')).hexdigest()[:10]}"


def item_piece(item: FeedItem, calendars: Calendars, base_url: str, component: Component) -> Piece:
    """One item as an event or a to-do."""
    matter = _matter(item.section, item.title, item.period, calendars)
    state, todo = item.state, component is Component.TODO
    status = "CANCELLED" if state in ENDED else TODO_STATUS.get(state, "NEEDS-ACTION") if todo else "CONFIRMED"
    entry = Entry(
        uid=item.key,
        stamp=max(item.stamp, RENDERER_CHANGED_AT),
        sequence=item.sequence,
        first=item.deadline,
        last=item.deadline,
        summary=f"{_marks(item)}{matter} · {item.unit_name}",
        description=_description(item),
        url=f"{base_url}/items/{quote(item.key, safe=':-._~', errors='replace')}",
        status=status,
        created=item.created_at,
        categories=section_name(item.section),
        priority=1 if state is State.RETURNED else 5,
        completed=item.changed_at if state is State.ACCEPTED else None,
    )
    owed = state in OWED
    return _piece(entry, component, item.deadline, item.remind_by, _call(matter, item.remind_by) if owed else None)


def fragment(item_id: int, version: str, component: Component, piece: Piece) -> Fragment:
    """A rendered item as it is kept."""
    return Fragment(item_id, component, version, piece.digest, piece.body, piece.alarm, piece.lead)


def group_piece(group: FeedGroup, frame: Frame, base_url: str) -> Piece:
    """One date of a task or a phase, however many units owe it."""
    component, calendars = frame.choice.component, frame.calendars[group.plan_code]
    matter = _matter(group.section, group.title, group.period, calendars)
    area = f" · {group.area_name}" if group.area_name else ""
    done = CANCELLED if group.is_cancelled else DONE if group.is_done else ""
    inferred = INFERRED if group.inferred else ""
    todo = "COMPLETED" if group.is_done else "NEEDS-ACTION"
    own_area = "" if group.area == "*" else f":{group.area}"
    within = f":{frame.subject.within}" if frame.subject.within else ""
    confirmed = todo if component is Component.TODO else "CONFIRMED"
    entry = Entry(
        uid=f"{group.plan_code}:{group.requirement}:{group.period}{own_area}{within}",
        stamp=max(group.stamp, RENDERER_CHANGED_AT),
        sequence=group.sequence,
        first=group.deadline,
        last=group.deadline,
        summary=f"{done}{inferred}{matter}{area}",
        description=_progress(group),
        url=f"{base_url}{section_path(group.section)}",
        status="CANCELLED" if group.is_cancelled else confirmed,
        created=group.created_at,
        categories=section_name(group.section),
        priority=5,
        completed=group.stamp if group.is_done else None,
    )
    call = _call(matter, group.remind_by) if group.is_owed else None
    return _piece(entry, component, group.deadline, group.remind_by, call)


def backlog_piece(backlog: FeedBacklog, frame: Frame, base_url: str) -> Piece:
    """待补录 of one plan."""
    words = "方案启用前的事项，请在方便时补录佐证材料；不催办，不计逾期。"
    of = frame.subject.target if frame.subject.scope in (Scope.UNIT, Scope.BELOW) else seed(frame)
    entry = Entry(
        uid=f"{backlog.plan_code}:backfill:{of}",
        stamp=max(backlog.stamp, frame.stamp, RENDERER_CHANGED_AT),
        sequence=backlog.sequence + frame.sequence,
        first=backlog.go_live_on,
        last=backlog.go_live_on,
        summary=f"待补录 {backlog.count} 件{_of(frame)}",
        description=words,
        url=_page(frame, base_url),
        status="NEEDS-ACTION" if frame.choice.component is Component.TODO else "",
        created=backlog.created_at,
    )
    return _plain(entry, frame.choice.component)


def round_piece(one: FeedRound, frame: Frame, base_url: str) -> Piece:
    """The opening or the deadline of a half-year round."""
    what = "启动" if one.opening else "截止"
    period = period_name(one.period, frame.calendars[one.plan_code])
    description = f"{period}半年工作进展情况报告{what}。报送时限：{_written(one.deadline)}\n日期依据：{one.why}"
    entry = Entry(
        uid=f"{one.plan_code}:round:{one.period}:{'opening' if one.opening else 'deadline'}",
        stamp=max(one.stamp, RENDERER_CHANGED_AT),
        sequence=one.sequence,
        first=one.day,
        last=one.day,
        summary=f"{INFERRED if one.inferred else ''}半年报送{what}（{period}）",
        description=description,
        url=f"{base_url}/rounds/{one.period}",
        categories="半年报送",
    )
    return _plain(entry, Component.EVENT)


def days_piece(days: FeedDays, frame: Frame, base_url: str) -> Piece:
    """Days off, or a make-up work day."""
    entry = Entry(
        uid=f"{'make-up' if days.work else 'days-off'}:{days.id}",
        stamp=max(frame.stamp, RENDERER_CHANGED_AT),
        sequence=frame.sequence,
        first=days.first,
        last=days.last,
        summary=f"{INFERRED if days.inferred else ''}{days.name if days.work else f'{days.name}放假'}",
        description=days.why,
        url=_page(frame, base_url),
        categories="放假安排",
    )
    return _plain(entry, Component.EVENT)


def nothing_piece(frame: Frame, base_url: str) -> Piece:
    """What an empty feed shows: clients do not apply one without any entry."""
    day = civil_date(max(frame.stamp, RENDERER_CHANGED_AT))
    entry = Entry(
        uid=f"nothing-due:{seed(frame)}",
        stamp=max(frame.stamp, RENDERER_CHANGED_AT),
        sequence=frame.sequence,
        first=day,
        last=day,
        summary=f"暂无待办{_of(frame)}",
        description="目前没有需要报送的事项。",
        url=_page(frame, base_url),
    )
    return _plain(entry, frame.choice.component)


def stopped_piece(name: str, revoked_at: datetime, words: str, url: str, component: Component) -> Piece:
    """The one entry of a stopped subscription, on the day it was stopped; as a to-do not done, since lists hide those."""
    day = civil_date(revoked_at)
    entry = Entry(
        uid=f"revoked-{revoked_at:%Y%m%dT%H%M%SZ}",
        stamp=revoked_at,
        sequence=0,
        first=day,
        last=day,
        summary=f"日历订阅已停用：{name}",
        description=words,
        url=url,
        status="NEEDS-ACTION" if component is Component.TODO else "",
        created=revoked_at,
    )
    return _plain(entry, component)


def seed(frame: Frame) -> str:
    """What tells one subject from another."""
    subject = frame.subject
    if subject.scope is Scope.UNIT and subject.plan_id is None:
        return subject.target
    return ":".join([subject.scope, subject.target, str(subject.plan_id or ""), subject.within]).rstrip(":")


def _piece(entry: Entry, component: Component, day: date, aim: date, call: str | None) -> Piece:
    rings = None if call is None else joined(alarm(entry.uid, call, component))
    return Piece(joined(begun(entry, component)), rings, (day - aim).days)


def _plain(entry: Entry, component: Component) -> Piece:
    return Piece(joined(begun(entry, component)))


def _call(matter: str, remind_by: date) -> str:
    return f"请于{month_day(remind_by)}({weekday_name(remind_by)})前报送：{matter}"


def _marks(item: FeedItem) -> str:
    ended = CANCELLED if item.state in ENDED else DONE if item.state is State.ACCEPTED else ""
    return ended + (INFERRED if item.inferred else "")


def _matter(section: str, title: str, period: str, calendars: Calendars) -> str:
    named = period_name(period, calendars)
    return f"{section_name(section)} {title}{f'（{named}）' if named else ''}"


def _dates(one: FeedItem | FeedGroup) -> list[str]:
    lines = [f"时限：{_written(one.deadline)}"]
    if one.remind_by != one.deadline:
        lines.append(f"请于{_written(one.remind_by)}前报送")
    if one.planned:
        lines.append(f"原定：{_written(one.planned)}")
    return [*lines, f"日期依据：{date_basis(one.why, one.doubted)}"]


def _description(item: FeedItem) -> str:
    lines = [*_dates(item), f"状态：{STATE_SENTENCES[item.state]}"]
    if item.reason and item.state in (State.RETURNED, State.WAIVED):
        lines.append(f"说明：{item.reason}")
    return "\n".join(lines)


def _progress(group: FeedGroup) -> str:
    unopened = group.wanted - group.accepted - group.handed_in - group.waiting
    counts = [("已办结", group.accepted), ("待审核", group.handed_in), ("待报送", group.waiting), ("未启动", unopened)]
    told = "，".join(f"{name} {count} 件" for name, count in counts if count)
    lines = [*_dates(group), f"进展：应报 {group.wanted} 件{f'，其中{told}' if told else ''}"]
    if group.extended:
        lines.append(f"另行延期：{group.extended} 件，最迟{_written(group.latest)}")
    return "\n".join(lines)


def _of(frame: Frame) -> str:
    return "" if frame.subject.scope is Scope.PERSON else f" · {frame.name}"


def _page(frame: Frame, base_url: str) -> str:
    return f"{base_url}{quote(frame.page, safe='/', errors='replace')}"


def _written(day: date) -> str:
    return f"{day.year}年{month_day(day)}({weekday_name(day)})"
