"""半年报送: rounds are opened, by the coordinator or by themselves when their items open, and closed.

A report is the submission of the work item of a requirement with ``collects: report``; a round is all of them of one
half-year. Who owes is a function of the date: whoever has such an item and is neither exempt nor closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from ledger import plans
from ledger.act_messages import Place, tell_act
from ledger.acts import SYSTEM, Actor, act_on_all
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import PlanSummary
from ledger.screenings import require_clean
from ledger.tables import report, requirement, round_, work_item
from policy_models.act_events import ActEvent
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound, NotResponsible
from policy_models.lifecycle import Act, State
from policy_models.plan import Collects
from policy_models.rounds import NOT_OWED, HalfYear, half_year
from policy_models.timing import CatchUp

ONLY_COORDINATOR = "半年报送由统筹单位启动和结束"
UNOPENED = frozenset({State.SCHEDULED, *NOT_OWED})


@dataclass(frozen=True, slots=True)
class Round:
    """A round: ``first`` to ``last`` are the civil dates it speaks of, ``deadline`` the latest of its reports."""

    id: int
    plan_id: int
    code: str
    first: date
    last: date
    deadline: date
    guidance: str | None
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening did: whether the round is new, and how many reports were made ready."""

    code: str
    fresh: bool
    reports: int


def round_of(session: Session, plan_id: int, code: str) -> Round:
    """The round of a plan with this code ("2025-H1"). Raises NotFound when it was not opened."""
    row = session.execute(select(round_).where(round_.c.plan_id == plan_id, round_.c.code == code)).first()
    if row is None:
        raise NotFound(f"{code[:12]} 这一期半年报送还没有启动")
    return round_from(row)


def round_from(row: Any) -> Round:
    """A Round from a row that holds the columns of ``round``."""
    return Round(**{name: getattr(row, name) for name in Round.__dataclass_fields__})


def open_round(
    session: Session, plan_code: str, code: str, *, by: Actor, now: datetime, guidance: str | None = None
) -> Opened:
    """Open a round, and with it those of its items that have not opened yet; twice is once.

    Raises NotFound, NotResponsible, PrivacyBlocked, and ActNotAllowed before the half-year begins or where nobody
    owes a report.
    """
    summary = plans.plan_summary(session, plan_code)
    _require_coordinator(summary.coordinator, by)
    require_clean([("报送要求", guidance), ("经办人", by.name)])
    half = half_year(code, plans.plan_document(session, plan_code))
    if half.first > civil_date(now):
        raise ActNotAllowed(f"这一期从{half.first}开始，尚未到期，不能启动")
    items = _items(summary.id, code)
    if session.execute(select(func.count()).where(items, _can_be_owed())).scalar_one() == 0:
        raise ActNotAllowed("这一期没有单位需要报送半年工作进展情况报告")
    act_on_all(session, and_(items, _can_be_owed()), Act.ISSUE, by=by, now=now)
    fresh = _insert_rounds(session, summary, [half], by=by, now=now, guidance=guidance)
    return Opened(code, fresh == 1, _insert_reports(session, summary.id, now))


def open_due(session: Session, plan_code: str, *, now: datetime) -> int:
    """Open every round whose items have opened, and make ready the reports of units that came later; how many rounds
    were opened. A second time does nothing; what was missed on earlier days is made good."""
    summary = plans.plan_summary(session, plan_code)
    plan = plans.plan_document(session, plan_code)
    known = select(round_.c.code).where(round_.c.plan_id == summary.id)
    opened = (
        select(work_item.c.period)
        .where(_of_reports(summary.id), work_item.c.state.not_in([state.value for state in UNOPENED]))
        .where(work_item.c.period.not_in(known))
        .distinct()
        .order_by(work_item.c.period)
    )
    halves = [half_year(code, plan) for code in session.execute(opened).scalars()]
    count = _insert_rounds(session, summary, halves, by=SYSTEM, now=now)
    _insert_reports(session, summary.id, now)
    return count


def close_round(session: Session, plan_code: str, code: str, *, by: Actor, now: datetime) -> None:
    """Close a round: nothing is written or handed in any more until it is opened again. Twice is once.

    Raises NotFound, NotResponsible, and ActNotAllowed while a report waits for review.
    """
    found = _owned(session, plan_code, code, by)
    waiting = and_(_items(found.plan_id, code), work_item.c.state == State.SUBMITTED.value)
    if count := session.execute(select(func.count()).where(waiting)).scalar_one():
        raise ActNotAllowed(f"还有 {count} 份报告待审核，请审核完再结束本期报送")
    change = update(round_).where(round_.c.id == found.id, round_.c.closed_at.is_(None))
    if session.execute(change.values(closed_at=now, closed_by=by.name)).rowcount:
        _tell(session, ActEvent.ROUND_CLOSED, plans.plan_summary(session, plan_code), code, now)


def reopen_round(session: Session, plan_code: str, code: str, *, by: Actor) -> None:
    """Take the closing back. Twice is once. Raises NotFound, NotResponsible."""
    found = _owned(session, plan_code, code, by)
    session.execute(update(round_).where(round_.c.id == found.id).values(closed_at=None, closed_by=None))


def _owned(session: Session, plan_code: str, code: str, by: Actor) -> Round:
    summary = plans.plan_summary(session, plan_code)
    _require_coordinator(summary.coordinator, by)
    require_clean([("经办人", by.name)])
    return round_of(session, summary.id, code)


def _require_coordinator(coordinator: str, by: Actor) -> None:
    if by.unit != coordinator:
        raise NotResponsible(ONLY_COORDINATOR)


def _of_reports(plan_id: int) -> ColumnElement[bool]:
    """Whether an item of the plan is a report."""
    mine = (requirement.c.plan_id == plan_id, requirement.c.collects == Collects.REPORT.value)
    return and_(work_item.c.plan_id == plan_id, work_item.c.requirement_id.in_(select(requirement.c.id).where(*mine)))


def _items(plan_id: int, code: str) -> ColumnElement[bool]:
    return and_(_of_reports(plan_id), work_item.c.period == code)


def _can_be_owed() -> ColumnElement[bool]:
    """What is exempt or only counted (仅统计) is never asked for."""
    exempt = work_item.c.state.in_([state.value for state in NOT_OWED])
    return and_(~exempt, work_item.c.catch_up != CatchUp.COUNT_ONLY.value)


def _insert_rounds(
    session: Session,
    summary: PlanSummary,
    halves: Iterable[HalfYear],
    *,
    by: Actor,
    now: datetime,
    guidance: str | None = None,
) -> int:
    """Rounds that are not there yet; how many. Raises ChangedMeanwhile when somebody opens one at the same moment."""
    plan_id = summary.id
    known = set(session.execute(select(round_.c.code).where(round_.c.plan_id == plan_id)).scalars())
    latest = {
        row.period: row.deadline
        for row in session.execute(
            select(work_item.c.period, func.max(work_item.c.deadline).label("deadline"))
            .where(_of_reports(plan_id), _can_be_owed())
            .group_by(work_item.c.period)
        )
    }
    rows = [
        {
            "plan_id": plan_id,
            "code": half.code,
            "first": half.first,
            "last": half.last,
            "deadline": latest[half.code],
            "guidance": guidance,
            "opened_at": now,
            "opened_by": by.name,
        }
        for half in halves
        if half.code not in known
    ]
    if rows:
        try:
            session.execute(insert(round_), rows)
        except IntegrityError as error:
            raise ChangedMeanwhile("这一期报送刚刚由他人启动，请刷新后再看") from error
    for row in rows:
        _tell(session, ActEvent.ROUND_OPENED, summary, row["code"], now)
    return len(rows)


def _tell(session: Session, event: ActEvent, summary: PlanSummary, code: str, now: datetime) -> None:
    """Other systems that listen are told of the round."""
    place = Place(summary.id, summary.code, summary.coordinator)
    tell_act(session, event, place, (), now=now, round_code=code)


def _insert_reports(session: Session, plan_id: int, now: datetime) -> int:
    """A report for each open item of a round that is not closed, one for each unit; how many were missing."""
    there = select(1).where(report.c.round_id == round_.c.id, report.c.unit_code == work_item.c.unit_code).exists()
    own = and_(round_.c.plan_id == work_item.c.plan_id, round_.c.code == work_item.c.period)
    owing = (
        select(
            round_.c.id,
            work_item.c.unit_code,
            func.min(work_item.c.id),
            literal(now, report.c.created_at.type),
        )
        .select_from(work_item.join(round_, own))
        .where(
            _of_reports(plan_id),
            work_item.c.state.not_in([state.value for state in UNOPENED]),
            work_item.c.catch_up != CatchUp.COUNT_ONLY.value,
            round_.c.closed_at.is_(None),
            ~there,
        )
        .group_by(round_.c.id, work_item.c.unit_code)
    )
    names = ["round_id", "unit_code", "item_id", "created_at"]
    newest = session.execute(select(func.coalesce(func.max(report.c.id), 0))).scalar_one()
    session.execute(insert(report).from_select(names, owing))
    return int(session.execute(select(func.count()).where(report.c.id > newest)).scalar_one())
