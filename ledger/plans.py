"""方案 as the ledger holds it: read back with the calendars it was loaded with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Row, case, select

from ledger.database import Session
from ledger.tables import plan as plan_table
from ledger.tables import requirement as requirement_table
from policy_models import calendar_file
from policy_models.calendars import Calendars, WorkCalendar
from policy_models.errors import NotFound
from policy_models.plan import Plan, Requirement
from policy_models.timing import CatchUp


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan as the ledger holds it. ``coordinator`` is a unit code; ``catch_up`` what became of the past; ``version``
    counts its changes."""

    id: int
    code: str
    title: str
    revision: int
    starts_on: date
    ends_on: date
    coordinator: str
    go_live_on: date
    catch_up: CatchUp
    demonstration: bool
    digest: str
    calendars_changed_at: datetime
    loaded_at: datetime
    version: int

    @property
    def changed_at(self) -> datetime:
        """When it or its calendars last changed (UTC)."""
        return max(self.loaded_at, self.calendars_changed_at)


def requirement_ids(session: Session, plan_id: int) -> dict[str, int]:
    """The row id of every requirement of a plan, by its code."""
    rows = session.execute(
        select(requirement_table.c.code, requirement_table.c.id).where(requirement_table.c.plan_id == plan_id)
    )
    return {row.code: row.id for row in rows}


_SUMMARY = [plan_table.c[name] for name in PlanSummary.__dataclass_fields__]
# Every page asks: put together once
_EVERY_SUMMARY = select(*_SUMMARY).order_by(plan_table.c.starts_on, plan_table.c.code)


def _summary(row: Row[Any]) -> PlanSummary:
    return PlanSummary(**{**row._mapping, "catch_up": CatchUp(row.catch_up)})


def plans(session: Session) -> tuple[PlanSummary, ...]:
    """Every plan in the ledger, by start."""
    return tuple(map(_summary, session.execute(_EVERY_SUMMARY)))


@dataclass(frozen=True)
class WholePlan:
    """A plan with everything it was loaded with."""

    summary: PlanSummary
    plan: Plan
    calendars: Calendars


def whole_plans(session: Session) -> tuple[WholePlan, ...]:
    """Every plan in the ledger with its document and calendars, by start. One statement."""
    columns = [*_SUMMARY, plan_table.c.document, plan_table.c.calendars.label("calendar_texts")]
    rows = session.execute(select(*columns).order_by(plan_table.c.starts_on, plan_table.c.code))
    return tuple(_whole(row) for row in rows)


def _whole(row: Row[Any]) -> WholePlan:
    values = {name: row._mapping[name] for name in PlanSummary.__dataclass_fields__}
    summary = PlanSummary(**{**values, "catch_up": CatchUp(row.catch_up)})
    return WholePlan(summary, _parse_plan(row.document), _parse_calendars(row.calendar_texts))


def plan_summary(session: Session, code: str) -> PlanSummary:
    """One plan by its code. Raises NotFound."""
    row = session.execute(select(*_SUMMARY).where(plan_table.c.code == code)).one_or_none()
    if row is None:
        raise NotFound(f"台账中没有代码为 {code} 的方案")
    return _summary(row)


def default_plan(session: Session, today: date) -> PlanSummary | None:
    """The plan in force on a civil date, else the next to start, else the one that ended last; None without any."""
    known = plans(session)
    running = [p for p in known if p.starts_on <= today <= p.ends_on]
    coming = [p for p in known if p.starts_on > today]
    ended = sorted((p for p in known if p.ends_on < today), key=lambda p: p.ends_on)
    return next(iter([*running[::-1], *coming, *ended[::-1]]), None)


def plan_document(session: Session, code: str) -> Plan:
    """The plan as data. Raises NotFound."""
    return _parsed(session, code).plan


def plan_and_calendars(session: Session, code: str) -> tuple[Plan, Calendars]:
    """Both, in one statement. Raises NotFound."""
    return _parsed(session, code)


def requirement(session: Session, plan_code: str, code: str) -> Requirement:
    """One requirement of a plan. Raises NotFound."""
    found = next((r for _, r in plan_document(session, plan_code).requirements() if r.code == code), None)
    if found is None:
        raise NotFound(f"方案中没有事项 {code}")
    return found


def calendars(session: Session, code: str) -> Calendars:
    """The calendars a plan was loaded with. Raises NotFound."""
    return _parsed(session, code).calendars


def work_calendars(session: Session) -> dict[int, WorkCalendar]:
    """The work days of every plan, by the plan's row. One statement."""
    rows = session.execute(select(plan_table.c.id, plan_table.c.calendars))
    return {row.id: _parse_calendars(row.calendars).work for row in rows}


class _Parsed(NamedTuple):
    plan: Plan
    calendars: Calendars


# Every page needs both, the texts are long and parsing takes some 20 ms: by the digest of a row, from which they follow.
_PARSED: dict[str, _Parsed] = {}
_MOST_PARSED = 16


def _parsed(session: Session, code: str) -> _Parsed:
    """The texts of a plan as data. They are fetched where their digest is not known here yet: one statement in any case."""
    columns, known = plan_table.c, dict(_PARSED)  # others read meanwhile
    texts = (
        case((columns.digest.in_(list(known)), None), else_=columns[name]).label(name)
        for name in ("document", "calendars")
    )
    row = session.execute(select(columns.digest, *texts).where(columns.code == code)).one_or_none()
    if row is None:
        raise NotFound(f"台账中没有代码为 {code} 的方案")
    found = known.get(row.digest)
    if found is None:
        found = _Parsed(_parse_plan(row.document), _parse_calendars(row.calendars))
        if len(_PARSED) >= _MOST_PARSED:
            _PARSED.clear()
        _PARSED[row.digest] = found
    return found


# Equal text, equal value
@lru_cache(maxsize=16)
def _parse_plan(text: str) -> Plan:
    return Plan.model_validate_json(text)


@lru_cache(maxsize=16)
def _parse_calendars(text: str) -> Calendars:
    return calendar_file.parse_texts(json.loads(text))
