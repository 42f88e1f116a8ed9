"""联系不到的单位: who owes something, now or soon, and has no liaison whom a message would reach, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, or_, select

from ledger import channels
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import plan_summary
from ledger.queries.overdue import OWED_NOW, SCHEDULED_NOW
from ledger.scope import within
from ledger.tables import person, person_address, unit, work_item
from policy_models.access import WHOLE, Scope
from policy_models.channels import INBOX_CODE
from policy_models.people import Why
from policy_models.plan import Level

COMING_DAYS = 30  # civil days in which something opens


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A unit that owes something and that nobody can reach. ``above``: the name of the unit above it."""

    unit_code: str
    unit_name: str
    level: Level
    county: str
    above: str
    why: Why


@dataclass(frozen=True, slots=True)
class UnreachablePage:
    """A page of such units; ``counts``: of each reason, of all of them."""

    rows: tuple[Unreachable, ...]
    counts: dict[Why, int]


def unreachable(session: Session, plan_code: str, now: datetime, *, scope: Scope = WHOLE) -> tuple[Unreachable, ...]:
    """Units of the scope that owe something open, or opening within 30 days, without an active liaison who has a way
    that works: a confirmed channel from which no letter came back, or expressly the unit's inbox. Higher levels first. A
    few statements, however many units. Raises NotFound for an unknown plan."""
    return _rows(session, _in_order(_with_reasons(session, plan_code, now, scope)))


def unreachable_page(
    session: Session,
    plan_code: str,
    now: datetime,
    *,
    skip: int,
    limit: int,
    why: Why | None = None,
    scope: Scope = WHOLE,
) -> UnreachablePage:
    """A page of those that ``unreachable`` gives, of one reason where given."""
    found = _with_reasons(session, plan_code, now, scope)
    counted = session.execute(select(found.c.why, func.count().label("n")).group_by(found.c.why))
    counts = {Why(row.why): int(row.n) for row in counted}
    chosen = _in_order(found) if why is None else _in_order(found).where(found.c.why == why.value)
    return UnreachablePage(_rows(session, chosen.limit(limit).offset(skip)), {one: counts.get(one, 0) for one in Why})


def _with_reasons(session: Session, plan_code: str, now: datetime, scope: Scope) -> Subquery:
    """The units beyond reach, each with why."""
    liaison = and_(person.c.unit_code == unit.c.code, person.c.active, person.c.liaison)
    bounced, known = person_address.c.bounced_at.is_not(None), person_address.c.channel
    why = case(
        (func.count(person.c.id) == 0, Why.NOBODY.value),
        (func.count(known) == 0, Why.NO_WAY.value),
        (func.count().filter(known.is_not(None), ~bounced) > 0, Why.UNCONFIRMED.value),
        else_=Why.BOUNCED.value,
    )
    beyond = _beyond_reach(session, plan_code, now, _usable(session))
    return (
        select(unit.c.code, unit.c.level, why.label("why"))
        .select_from(
            unit.outerjoin(person, liaison).outerjoin(person_address, person_address.c.person_id == person.c.id)
        )
        .where(*beyond, within(scope, unit.c.code))
        .group_by(unit.c.code, unit.c.level)
        .subquery("beyond")
    )


def _in_order(found: Subquery) -> Select[Any]:
    return select(found).order_by(*_order(found.c))


def _order(columns: Any) -> tuple[Any, Any]:
    return case({level.value: number for number, level in enumerate(Level)}, value=columns.level), columns.code


def _rows(session: Session, chosen: Select[Any]) -> tuple[Unreachable, ...]:
    page, upper = chosen.subquery("page"), unit.alias("upper")
    named = (
        select(unit.c.code, unit.c.name, unit.c.level, unit.c.county, upper.c.name.label("above"), page.c.why)
        .select_from(page.join(unit, unit.c.code == page.c.code).outerjoin(upper, upper.c.code == unit.c.parent))
        .order_by(*_order(page.c))
    )
    return tuple(
        Unreachable(row.code, row.name, Level(row.level), row.county, row.above or "", Why(row.why))
        for row in session.execute(named)
    )


def count_unreachable(session: Session, plan_code: str, now: datetime, *, scope: Scope = WHOLE) -> int:
    """How many units ``unreachable`` gives: for the board and doctor."""
    counted = select(func.count()).select_from(unit).where(within(scope, unit.c.code))
    return int(session.execute(counted.where(*_beyond_reach(session, plan_code, now, _usable(session)))).scalar_one())


def _usable(session: Session) -> list[str]:
    return sorted({INBOX_CODE, *channels.confirmed(session)})


def _beyond_reach(
    session: Session, plan_code: str, now: datetime, usable: list[str]
) -> tuple[ColumnElement[bool], ...]:
    plan, today = plan_summary(session, plan_code), civil_date(now)
    reached = (
        select(person.c.unit_code)
        .join(person_address, person_address.c.person_id == person.c.id)
        .where(person.c.active, person.c.liaison)
        .where(person_address.c.bounced_at.is_(None), person_address.c.channel.in_(usable))
    )
    return (
        unit.c.active,
        or_(unit.c.closed_on.is_(None), unit.c.closed_on > today),
        _owing(plan.id, today),
        unit.c.code.not_in(reached),
    )


def _owing(plan_id: int, today: date) -> ColumnElement[bool]:
    """Whether a unit owes something: asked of each unit that is beyond reach, by the partial indexes of what is open."""
    mine = exists().where(work_item.c.unit_code == unit.c.code, work_item.c.plan_id == plan_id)
    soon = work_item.c.opens_on <= today + timedelta(days=COMING_DAYS)
    return or_(mine.where(OWED_NOW), mine.where(SCHEDULED_NOW, soon, work_item.c.catch_up == ""))
