"""催办 by hand: which items somebody may chase, and who would hear of it. The verb: ledger/chasing.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CTE, exists, func, or_, select

from ledger import channels
from ledger.acts import Actor
from ledger.database import Session
from ledger.plans import PlanSummary
from ledger.tables import outbox, person, person_address, plan, reminder, requirement, unit, work_item
from policy_models.channels import INBOX_CODE
from policy_models.errors import ActNotAllowed, NotFound, NotResponsible

CHASE, REMINDER = "chase", "reminder"  # kinds of messages
MOST = 2000  # items at a time: one statement binds them all
NOT_BELOW = "只能催办下级单位的事项"


def below(unit_code: str) -> CTE:
    """The codes of the units below one, itself included: by the line of review (superior) and by area (parent)."""
    tree = select(unit.c.code).where(unit.c.code == unit_code).cte("below", recursive=True)
    lower = unit.alias("lower")
    above = or_(lower.c.superior == tree.c.code, lower.c.parent == tree.c.code)
    return tree.union(select(lower.c.code).where(above))  # union, not union all: both lines may lead to a unit


def chosen_rows(session: Session, keys: Sequence[str]) -> list[Any]:
    """The items with these keys, the oldest deadline first. Raises NotFound, ActNotAllowed (too many, several plans)."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        raise NotFound("没有选择要催办的事项，请先勾选")
    if len(wanted) > MOST:
        raise ActNotAllowed(f"一次最多催办{MOST}项，现选择了{len(wanted)}项，请缩小范围后分次催办")
    rows = session.execute(
        select(
            work_item,
            unit.c.name.label("unit_name"),
            unit.c.active,
            unit.c.closed_on,
            plan.c.code.label("plan_code"),
            requirement.c.section,
            requirement.c.title,
        )
        .join(unit, unit.c.code == work_item.c.unit_code)
        .join(plan, plan.c.id == work_item.c.plan_id)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(work_item.c.key.in_(wanted))
        .order_by(work_item.c.deadline, requirement.c.id, work_item.c.unit_code, work_item.c.id)
    ).all()
    if len(rows) < len(wanted):
        missing = next(key for key in wanted if key not in {row.key for row in rows})
        raise NotFound(f"没有编号为 {missing[:60]} 的办理件，请刷新后重新选择")
    if len({row.plan_code for row in rows}) > 1:
        raise ActNotAllowed("一次只能催办同一方案的事项")
    return list(rows)


def require_below(session: Session, rows: Iterable[Any], by: Actor, summary: PlanSummary) -> None:
    """Raises NotResponsible for the first item of a unit that is not below the one that acts."""
    if by.unit == summary.coordinator:
        return
    tree = below(by.unit)
    allowed = set(session.execute(select(tree.c.code)).scalars()) - {by.unit}
    for row in rows:
        if row.unit_code not in allowed:
            raise NotResponsible(f"{NOT_BELOW}，办理件 {row.key} 不是下级单位的")


def chased_today(session: Session, rows: Sequence[Any], today: date) -> set[int]:
    """The items (row ids) that were chased by hand on this civil date."""
    by_hand = select(reminder.c.item_id).where(
        reminder.c.item_id.in_([row.id for row in rows]), reminder.c.step.is_(None), reminder.c.as_of == today
    )
    return set(session.execute(by_hand).scalars())


def people_at(session: Session, codes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The names of the liaisons that can be reached, by unit."""
    rows = session.execute(
        select(person.c.unit_code, person.c.name)
        .where(person.c.unit_code.in_(codes), person.c.active, person.c.liaison, _has_way(session))
        .order_by(person.c.unit_code, person.c.id)
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        found[row.unit_code] = (*found.get(row.unit_code, ()), row.name)
    return found


def _has_way(session: Session) -> Any:
    """Whether a person has an address that can be used; one who reads the inbox says so by its address."""
    usable = [*channels.confirmed(session), INBOX_CODE]
    return exists(
        select(1).where(
            person_address.c.person_id == person.c.id,
            person_address.c.bounced_at.is_(None),
            person_address.c.channel.in_(usable),
        )
    )


def told_today(session: Session, codes: Sequence[str], plan_id: int, today: date) -> dict[str, datetime]:
    """When each unit was last told on this civil date, by the ladder or by hand; who was not is missing."""
    rows = session.execute(
        select(outbox.c.recipient, func.max(outbox.c.queued_at).label("at"))
        .where(
            outbox.c.recipient.in_(codes),
            outbox.c.plan_id == plan_id,
            outbox.c.as_of == today,
            outbox.c.kind.in_([REMINDER, CHASE]),
            outbox.c.state != "dropped",
        )
        .group_by(outbox.c.recipient)
    )
    return {row.recipient: row.at for row in rows}
