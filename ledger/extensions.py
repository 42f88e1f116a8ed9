"""延期: asked for by the unit before the deadline, granted or refused by the reviewer; both dates stay visible.

A granted extension moves the item's deadline for good: no later revision of the plan resets it (``extended``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ledger import moves
from ledger.act_messages import Acted, tell_act
from ledger.acts import Actor, Standing, act_on, place_of, standing
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import plan_summary
from ledger.review_scope import reviewer
from ledger.screenings import require_clean
from ledger.tables import extension, plan, requirement, unit, work_item
from ledger.telling import tell_extension
from policy_models.act_events import ActEvent
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound, NotResponsible, ReasonMissing
from policy_models.lifecycle import TRANSITIONS, Act, State, advance


class Answer(StrEnum):
    """How a request stands."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


ANSWER_NAMES = {
    Answer.REQUESTED: "待审批",
    Answer.GRANTED: "已同意",
    Answer.REFUSED: "不同意",
    Answer.WITHDRAWN: "已撤回",
}


@dataclass(frozen=True, slots=True)
class Extension:
    """A request: ``planned`` the deadline when it was asked for, ``wanted`` the one asked for, ``granted`` the one
    given; ``deadline`` and ``item_state`` are those of the item now. All civil dates."""

    id: int
    key: str
    title: str
    period: str
    unit: str
    unit_name: str
    reviewer: str
    planned: date
    wanted: date
    reason: str
    by_name: str
    requested_at: datetime
    state: Answer
    granted: date | None
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    deadline: date
    item_state: State


def request(session: Session, key: str, *, wanted: date | None, reason: str, by: Actor, now: datetime) -> int:
    """Ask for a later deadline; the request's id. Only the unit that owes the item, on or before its deadline.

    Raises NotFound, NotResponsible, ActNotAllowed (finished or under review, too late, another request waits, a date
    that is not later or lies after the plan's end), ReasonMissing, PrivacyBlocked, ChangedMeanwhile.
    """
    require_clean([("延期理由", reason), ("经办人", by.name)])
    item = standing(session, key)
    if by.unit != item.unit:
        raise NotResponsible("这一办理件由其他单位报送，须由该单位申请延期")
    advance(item.state, Act.EXTEND)
    if not reason.strip() or wanted is None:
        raise ReasonMissing("申请延期须写明理由和新的时限")
    if civil_date(now) > item.deadline:
        raise ActNotAllowed("时限已过，不能再申请延期，请尽快报送")
    _require_later(session, item, wanted)
    if session.execute(select(extension.c.id).where(_waiting(item.id))).first():
        raise ActNotAllowed("这一办理件已有一份延期申请等待审批")
    values = {"item_id": item.id, "planned": item.deadline, "wanted": wanted, "reason": reason.strip()}
    stamp = {"by_unit": by.unit, "by_name": by.name, "requested_at": now}
    try:
        made = session.execute(insert(extension).values(**values, **stamp))
    except IntegrityError as error:
        raise ChangedMeanwhile("刚刚已提交过一份延期申请，请刷新后再看") from error
    id = int(made.inserted_primary_key[0])  # type: ignore[index]
    _tell(session, ActEvent.EXTENSION_REQUESTED, item, id, item.revision, now)
    return id


def _tell(session: Session, event: ActEvent, item: Standing, id: int, revision: int, now: datetime) -> None:
    """Other systems that listen are told; ``revision``: of the item since."""
    met = [Acted(item.id, item.unit, revision)]
    tell_act(session, event, place_of(item), met, now=now, extension_id=id)


def withdraw(session: Session, id: int, *, by: Actor, now: datetime) -> None:
    """Take a request back before it is decided. Raises NotFound, NotResponsible, ChangedMeanwhile."""
    found = read(session, id)
    if by.unit != found.unit:
        raise NotResponsible("这份申请由其他单位提出，须由该单位撤回")
    _decide(session, id, Answer.WITHDRAWN, by, now)


def grant(
    session: Session, id: int, *, by: Actor, now: datetime, until: date | None = None, note: str | None = None
) -> None:
    """Grant what was asked for, or (``until``) an earlier date; the item's deadline moves, and its history says so.

    Raises NotFound, NotResponsible, ActNotAllowed (the item is no longer owed, a date out of range), PrivacyBlocked,
    ChangedMeanwhile.
    """
    require_clean([("审批意见", note), ("经办人", by.name)])
    found = _decidable(session, id, by)
    item = standing(session, found.key)
    new = until or found.wanted
    if new > found.wanted:
        raise ActNotAllowed("同意的时限不能晚于申请的时限")
    advance(item.state, Act.EXTEND)
    _require_later(session, item, new)
    told = f"原定{_day(item.deadline)}，延至{_day(new)}；理由：{found.reason}"
    moves.remember(session, work_item.c.id == item.id, cause="extension", now=now)
    _decide(session, id, Answer.GRANTED, by, now, granted=new, note=(note or "").strip() or None)
    revision = act_on(session, item, Act.EXTEND, by=by, now=now, note=told, deadline=new, extended=True)
    tell_extension(session, id, now=now)
    _tell(session, ActEvent.EXTENSION_GRANTED, item, id, revision, now)


def refuse(session: Session, id: int, *, by: Actor, now: datetime, reason: str) -> None:
    """Refuse with a reason, shown to the unit. Raises NotFound, NotResponsible, ReasonMissing, PrivacyBlocked,
    ChangedMeanwhile."""
    require_clean([("不同意的理由", reason), ("经办人", by.name)])
    found = _decidable(session, id, by)
    if not reason.strip():
        raise ReasonMissing("不同意延期须写明理由")
    _decide(session, id, Answer.REFUSED, by, now, note=reason.strip())
    tell_extension(session, id, now=now)
    item = standing(session, found.key)
    _tell(session, ActEvent.EXTENSION_REFUSED, item, id, item.revision, now)


def _require_later(session: Session, item: Standing, new: date) -> None:
    if new <= item.deadline:
        raise ActNotAllowed(f"新的时限须晚于现在的时限（{_day(item.deadline)}）")
    ends_on = plan_summary(session, item.plan_code).ends_on
    if new > ends_on:
        raise ActNotAllowed(f"新的时限不能晚于方案结束之日（{_day(ends_on)}）")


def _waiting(item_id: int) -> Any:
    return (extension.c.item_id == item_id) & (extension.c.state == Answer.REQUESTED.value)


def _decidable(session: Session, id: int, by: Actor) -> Extension:
    found = read(session, id)
    coordinator = plan_summary(session, found.key.partition(":")[0]).coordinator
    if by.unit not in (found.reviewer, coordinator):
        raise NotResponsible("延期由这一办理件的审核单位审批，您的单位不能审批")
    return found


def _decide(session: Session, id: int, state: Answer, by: Actor, now: datetime, **more: Any) -> None:
    values = {"state": state.value, "decided_unit": by.unit, "decided_by": by.name, "decided_at": now, **more}
    waiting = (extension.c.id == id) & (extension.c.state == Answer.REQUESTED.value)
    if session.execute(update(extension).where(waiting).values(values)).rowcount == 0:
        raise ChangedMeanwhile("这份延期申请刚刚已被撤回或审批，请刷新后再看")


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def read(session: Session, id: int) -> Extension:
    """One request. Raises NotFound."""
    row = session.execute(_chosen().where(extension.c.id == id)).one_or_none()
    if row is None:
        raise NotFound("没有这份延期申请，地址可能不完整")
    return _extension(row)


def of_item(session: Session, key: str, *, before: datetime) -> tuple[Extension, ...]:
    """Every request about an item as it stood just before an instant, oldest first."""
    about = (work_item.c.key == key) & (extension.c.requested_at < before)
    rows = session.execute(_chosen().where(about).order_by(extension.c.id))
    return tuple(_as_of(_extension(row), before) for row in rows)


def _as_of(one: Extension, before: datetime) -> Extension:
    """The request without an answer that came later."""
    if one.decided_at is None or one.decided_at < before:
        return one
    return replace(one, state=Answer.REQUESTED, granted=None, decided_by=None, decided_at=None, note=None)


def may_request(state: State, deadline: date, requests: Sequence[Extension], today: date) -> bool:
    """Whether a unit could ask for a later deadline today."""
    waiting = any(one.state is Answer.REQUESTED for one in requests)
    return state in TRANSITIONS[Act.EXTEND][0] and today <= deadline and not waiting


def requested_by(session: Session, plan_id: int, unit_code: str, *, limit: int = 200) -> tuple[Extension, ...]:
    """A unit's own requests, newest first."""
    mine = (work_item.c.plan_id == plan_id) & (work_item.c.unit_code == unit_code)
    rows = session.execute(_chosen().where(mine).order_by(extension.c.id.desc()).limit(limit))
    return tuple(map(_extension, rows))


def to_decide(session: Session, plan_id: int, unit_code: str, *, limit: int = 200) -> tuple[Extension, ...]:
    """The requests that wait for a unit as reviewer (the coordinator: for anybody), oldest first."""
    theirs = or_(reviewer() == unit_code, plan.c.coordinator == unit_code)
    waiting = (work_item.c.plan_id == plan_id) & (extension.c.state == Answer.REQUESTED.value)
    rows = session.execute(_chosen().where(waiting, theirs).order_by(extension.c.id).limit(limit))
    return tuple(map(_extension, rows))


def decided_by_unit(session: Session, plan_id: int, unit_code: str, *, limit: int = 50) -> tuple[Extension, ...]:
    """What a unit has granted or refused, newest first."""
    answered = extension.c.state.in_([Answer.GRANTED.value, Answer.REFUSED.value])
    mine = (work_item.c.plan_id == plan_id) & (extension.c.decided_unit == unit_code) & answered
    rows = session.execute(_chosen().where(mine).order_by(extension.c.decided_at.desc()).limit(limit))
    return tuple(map(_extension, rows))


def _chosen() -> Select[Any]:
    return (
        select(
            extension,
            work_item.c.key,
            work_item.c.period,
            work_item.c.unit_code,
            work_item.c.deadline,
            work_item.c.state.label("item_state"),
            requirement.c.title,
            unit.c.name.label("unit_name"),
            reviewer().label("reviewer"),
        )
        .join(work_item, work_item.c.id == extension.c.item_id)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .join(plan, plan.c.id == work_item.c.plan_id)
    )


def _extension(row: Any) -> Extension:
    return Extension(
        row.id,
        row.key,
        row.title,
        row.period,
        row.unit_code,
        row.unit_name,
        row.reviewer,
        row.planned,
        row.wanted,
        row.reason,
        row.by_name,
        row.requested_at,
        Answer(row.state),
        row.granted,
        row.decided_by,
        row.decided_at,
        row.note,
        row.deadline,
        State(row.item_state),
    )
