"""What a calendar feed holds: dated facts of all plans, and the stamps that move only when a fact moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import WholePlan, whole_plans
from ledger.queries.feed_extras import (
    FeedBacklog,
    FeedDays,
    FeedRound,
    backlogs,
    days_off,
    in_window,
    new_year,
    round_crossings,
    rounds,
)
from ledger.queries.feed_groups import FeedGroup, groups
from ledger.queries.feed_items import Extent, FeedItem, extent, facts, history, slots
from ledger.tables import unit
from policy_models.calendars import Calendars
from policy_models.errors import NotFound
from policy_models.feeds import OF_PLAN, Choice, Scope, Subject
from policy_models.periods import section_name

EVERYTHING = Choice()


@dataclass(frozen=True)
class Frame:
    """Everything a feed shows beside its items. ``name``: of what it is of; ``page``: the path of that page.

    ``stamp`` and ``sequence``: of the names shown; ``changed_at`` (UTC) never goes back: it also knows what has left
    the window. ``calendars`` by plan code name the periods; ``units``: whose changes concern a person's feed.
    """

    subject: Subject
    choice: Choice
    name: str
    page: str
    plan_titles: tuple[str, ...]
    demonstration: bool
    backlogs: tuple[FeedBacklog, ...]
    groups: tuple[FeedGroup, ...]
    rounds: tuple[FeedRound, ...]
    days: tuple[FeedDays, ...]
    calendars: dict[str, Calendars]
    stamp: datetime
    sequence: int
    changed_at: datetime
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feed:
    """A feed with the facts of all its items."""

    frame: Frame
    items: tuple[FeedItem, ...]


def feed(session: Session, subject: Subject, *, now: datetime, choice: Choice = EVERYTHING) -> Feed:
    """The feed of a subject: deadlines from 90 days back to 400 days ahead and all that is owed, by date and key.

    The same facts give the same value on any day, until an item enters or leaves the window. Raises NotFound.
    """
    of = extent(session, subject)
    order = [slot.item_id for slot in slots(session, of, choice, today=civil_date(now), fragments=False)]
    known = whole_plans(session)
    found = facts(session, order, known)
    return Feed(frame(session, of, choice, known, now=now), tuple(found[id] for id in order))


def frame(session: Session, of: Extent, choice: Choice, known: Sequence[WholePlan], *, now: datetime) -> Frame:
    """What a feed shows beside its items. Raises NotFound for a subject that is not in the ledger."""
    today, summaries = civil_date(now), [one.summary for one in known]
    title = _titled(session, of, known)
    behind = backlogs(session, of)
    dates = groups(session, of, choice, known, today=today)
    halves = rounds(session, of, choice, known)
    shown_days = days_off(known[-1].calendars, choice, today=today) if known else ()
    narrowed = choice.open_only or choice.tasks or choice.levels
    stamp = max([title.changed_at, *(one.changed_at for one in summaries)])
    instants = [stamp, *history(session, of, today=today), *(one.stamp for one in behind), *dates.instants]
    instants += [*(one.stamp for one in halves), *round_crossings(halves, today)]
    instants += [of.people_changed_at] if of.people_changed_at else []
    instants += [new_year(today)] if shown_days else []
    instants += [_newest_unit(session)] if of.subject.scope not in (Scope.UNIT, Scope.PERSON) else []
    return Frame(
        subject=of.subject,
        choice=choice,
        name=title.name,
        page=title.page,
        plan_titles=tuple(one.title for one in summaries),
        demonstration=any(one.demonstration for one in summaries),
        backlogs=() if narrowed else tuple(one for one in behind if one.count),
        groups=dates.shown,
        rounds=in_window(halves, today),
        days=shown_days,
        calendars={one.summary.code: one.calendars for one in known},
        stamp=stamp,
        sequence=title.version + sum(one.version for one in summaries),
        changed_at=max(one for one in instants),
        units=of.codes,
    )


@dataclass(frozen=True, slots=True)
class _Title:
    name: str
    page: str
    changed_at: datetime
    version: int


def _titled(session: Session, of: Extent, known: Sequence[WholePlan]) -> _Title:
    """The name of what the feed is of, with the change of the unit that it names."""
    subject = of.subject
    code = {Scope.UNIT: subject.target, Scope.BELOW: subject.target}.get(subject.scope, subject.within)
    if subject.scope is Scope.PERSON:
        code = of.codes[0] if of.codes else ""
    own = session.execute(select(unit).where(unit.c.code == code)).first() if code else None
    if own is None and (subject.scope in (Scope.UNIT, Scope.BELOW) or subject.within):
        raise NotFound(f"没有代码为“{code[:24]}”的单位")
    first = min((one.summary.loaded_at for one in known), default=None)
    changed_at = own.changed_at if own is not None else first or _newest_unit(session)
    page = f"/units/{own.code}" if own is not None else "/"
    version = own.version if own is not None else 0
    if subject.scope in OF_PLAN:
        name, page = _section(subject, known)
        return _Title(f"{name} · {own.name}" if own is not None else name, page, changed_at, version)
    names = {Scope.FUNCTION: f"全市{subject.target}系统", Scope.PERSON: of.person_name}
    if own is not None:
        names |= {Scope.UNIT: own.name, Scope.BELOW: f"{own.name}及下级"}
    return _Title(names[subject.scope], page, changed_at, version)


def _section(subject: Subject, known: Sequence[WholePlan]) -> tuple[str, str]:
    own = next((one for one in known if one.summary.id == subject.plan_id), None)
    if own is None:
        raise NotFound("台账中没有这个方案")
    kind = "task" if subject.scope is Scope.TASK else "phase"
    found = dict(own.plan.sections()).get(f"{kind}-{subject.target}")
    name = section_name(f"{kind}-{subject.target}")
    return f"{name} {found.title}" if found is not None else name, f"/{kind}s/{subject.target}"


def _newest_unit(session: Session) -> Any:
    return session.execute(select(func.max(unit.c.changed_at))).scalar_one()
