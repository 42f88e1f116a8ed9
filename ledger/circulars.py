"""通报: issued once for each plan, kind and period, with its facts frozen, and queued to those who chose it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.exc import IntegrityError

from ledger.circular_recipients import queue
from ledger.civil import at_hour, civil_date, end_of_day
from ledger.database import Session
from ledger.plans import PlanSummary, calendars, plan_summary
from ledger.queries.circular import circular_facts
from ledger.tables import circular as circular_table
from ledger.tables import outbox, plan
from policy_models.circular_periods import KIND_NAMES, CircularKind, CircularPeriod, last_ended, period_of
from policy_models.circulars import Circular, from_json, issued, to_json
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound

ISSUE_HOUR, ISSUE_MINUTE = 8, 30  # on the day of issue, nothing earlier: offices open then


@dataclass(frozen=True, slots=True)
class Issued:
    """A circular that is there now. ``fresh``: it was not before; ``messages``: how many were queued for it."""

    id: int
    kind: CircularKind
    period: str
    fresh: bool
    messages: int


@dataclass(frozen=True, slots=True)
class IssuedCircular:
    """An issued circular. Instants are UTC: ``as_of`` is the first after the period."""

    id: int
    plan_code: str
    as_of: datetime
    issued_at: datetime
    circular: Circular


def due_periods(session: Session, plan_code: str, *, now: datetime) -> tuple[CircularPeriod, ...]:
    """Which circulars of a plan are to be issued by now and are not: of each kind only the one that ended last, from
    08:30 of the first work day after it. What an outage or a late start has missed before it stays unissued.

    Raises NotFound for an unknown plan.
    """
    summary, work = plan_summary(session, plan_code), calendars(session, plan_code).work
    wanted = [last_ended(kind, civil_date(now), work) for kind in CircularKind]
    come = [
        one
        for one in wanted
        if one.concerns(summary.starts_on, summary.ends_on)
        and now >= at_hour(one.issued_on(work), ISSUE_HOUR, ISSUE_MINUTE)
    ]
    mine = (circular_table.c.plan_id == summary.id, circular_table.c.period.in_([one.code for one in come]))
    there = {(row.kind, row.period) for row in session.execute(_keys().where(*mine))}
    return tuple(one for one in come if (one.kind.value, one.code) not in there)


def issue_due(session: Session, plan_code: str, *, now: datetime) -> tuple[Issued, ...]:
    """Issue every circular of ``due_periods``. Late, twice or after a month of silence: each once."""
    return tuple(
        issue(session, plan_code, one.kind, one.code, now=now) for one in due_periods(session, plan_code, now=now)
    )


def issue(session: Session, plan_code: str, kind: str, period: str, *, now: datetime) -> Issued:
    """Issue one circular and queue it to those who chose it; one that is there already stays as it is.

    Raises NotFound (plan, kind, period), ActNotAllowed for a period that is not over or that the plan has nothing to do
    with, ChangedMeanwhile when another issued it at this moment.
    """
    summary, wanted = plan_summary(session, plan_code), period_of(kind, period)
    if there := session.execute(_keys().where(*_which(summary.id, wanted))).first():
        return Issued(there.id, wanted.kind, wanted.code, False, 0)
    _require_over(summary, wanted, now)
    facts = issued(circular_facts(session, plan_code, wanted, now=now), civil_date(now))
    values = {"plan_id": summary.id, "kind": wanted.kind.value, "period": wanted.code, "facts": to_json(facts)}
    written = insert(circular_table).values(**values, as_of=end_of_day(wanted.last), issued_at=now)
    try:
        with session.begin_nested():
            id = int(session.execute(written.returning(circular_table.c.id)).scalar_one())
    except IntegrityError as error:
        raise ChangedMeanwhile(f"{wanted.name}{KIND_NAMES[wanted.kind]}刚刚已由他人发布") from error
    return Issued(id, wanted.kind, wanted.code, True, queue(session, summary, wanted, id, now))


def _require_over(summary: PlanSummary, wanted: CircularPeriod, now: datetime) -> None:
    if now < end_of_day(wanted.last):
        raise ActNotAllowed(f"{wanted.name}还没有结束，结束后才能发布{KIND_NAMES[wanted.kind]}")
    if not wanted.concerns(summary.starts_on, summary.ends_on):
        raise ActNotAllowed(f"{wanted.name}不在方案实施期间，没有{KIND_NAMES[wanted.kind]}")


def circular_of(session: Session, plan_id: int, period: CircularPeriod) -> IssuedCircular | None:
    """The issued circular of a period; None where there is none."""
    row = session.execute(_chosen().where(*_which(plan_id, period))).first()
    return _issued(row) if row else None


def circular_by_id(session: Session, id: int) -> IssuedCircular:
    """Raises NotFound."""
    row = session.execute(_chosen().where(circular_table.c.id == id)).first()
    if row is None:
        raise NotFound("没有这份通报，地址可能不完整或已失效")
    return _issued(row)


def circulars_of(session: Session, plan_id: int, year: int) -> tuple[IssuedCircular, ...]:
    """The circulars of the periods that ended in a civil year, the newest first: one statement."""
    first, after = end_of_day(date(year - 1, 12, 31)), end_of_day(date(year, 12, 31))
    meant = (circular_table.c.plan_id == plan_id, circular_table.c.as_of > first, circular_table.c.as_of <= after)
    chosen = _chosen().where(*meant).order_by(circular_table.c.as_of.desc(), circular_table.c.kind.desc())
    return tuple(map(_issued, session.execute(chosen)))


def years_with_circulars(session: Session, plan_id: int) -> tuple[int, ...]:
    """The civil years in which a period with a circular ended, the newest first."""
    ends = session.execute(
        select(circular_table.c.as_of).where(circular_table.c.plan_id == plan_id).distinct()
    ).scalars()
    return tuple(sorted({civil_date(end - timedelta(seconds=1)).year for end in ends}, reverse=True))


def _which(plan_id: int, period: CircularPeriod) -> tuple[Any, ...]:
    kept = circular_table.c
    return (kept.plan_id == plan_id, kept.kind == period.kind.value, kept.period == period.code)


def _keys() -> Select[Any]:
    return select(circular_table.c.id, circular_table.c.kind, circular_table.c.period)


def _chosen() -> Select[Any]:
    kept = circular_table.c
    return select(kept.id, plan.c.code.label("plan_code"), kept.as_of, kept.issued_at, kept.facts).join(
        plan, plan.c.id == kept.plan_id
    )


def _issued(row: Any) -> IssuedCircular:
    return IssuedCircular(row.id, row.plan_code, row.as_of, row.issued_at, from_json(row.facts))


@dataclass(frozen=True, slots=True)
class Receipt:
    """How the messages of a circular stand: how many there are, went out, wait, or failed for good."""

    messages: int
    sent: int
    waiting: int
    failed: int


def sent_out(session: Session, circular_id: int) -> Receipt:
    """One statement."""
    rows = session.execute(
        select(outbox.c.state, func.count().label("n"))
        .where(outbox.c.circular_id == circular_id)
        .group_by(outbox.c.state)
    )
    by_state = {row.state: row.n for row in rows}
    waiting = by_state.get("pending", 0) + by_state.get("claimed", 0)
    sent = by_state.get("sent", 0)
    total = sum(by_state.values())
    return Receipt(total, sent, waiting, total - sent - waiting)
