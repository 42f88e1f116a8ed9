"""日历 changed in the ledger: shown first, then taken over by every plan whose dates rest on it, in one transaction.

The calendars of a plan are kept in its row; what was entered is kept beside, so that a plan that is loaded anew keeps it
(``loading``), and so that the last entry can be taken back.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from ledger import calendar_entries, issuing, rounds, timetables
from ledger.calendar_entries import CalendarEntry
from ledger.civil import civil_date
from ledger.database import Session
from ledger.loading import plan_digest
from ledger.plans import WholePlan, whole_plans
from ledger.tables import plan as plan_table
from ledger.tables import requirement, unit, work_item
from ledger.timetables import Reconciled
from ledger.units import all_units
from policy_models import calendar_file
from policy_models.calendar_changes import DutyChange, duty_changes
from policy_models.calendars import Calendars
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Fault, NotFound, PlanInvalid
from policy_models.lifecycle import UNFINISHED
from policy_models.plan_checks import check_plan
from policy_models.units import Units

STALE = "日历或方案刚被他人改动，请重新预览后再确认"
Texts = Mapping[str, str | None]  # by plan: what a calendar file becomes there; None where there is none any more


@dataclass(frozen=True, slots=True)
class Move:
    """A duty that changes, and how many unfinished items it holds (for a new one: how many it will have)."""

    change: DutyChange
    items: int


@dataclass(frozen=True)
class PlanChange:
    """What another calendar means for a plan. ``moves``: by deadline; ``after``: its calendars then."""

    whole: WholePlan
    after: Calendars
    moves: tuple[Move, ...]

    def count(self, kind: str) -> int:
        """Items by what becomes of them: ``moved``, ``aimed`` (only the day to hand in by), ``added``, ``dropped``."""
        return sum(move.items for move in self.moves if kind_of(move.change) == kind)


@dataclass(frozen=True)
class Preview:
    """``wanted``: what the file becomes in each plan, by code. ``digest`` stands for all that was shown: the entry is taken over only while it still holds."""

    name: str
    plans: tuple[PlanChange, ...]
    wanted: Texts
    digest: str


def held(session: Session) -> dict[str, dict[str, str]]:
    """The calendar texts of every plan, by its code."""
    rows = session.execute(select(plan_table.c.code, plan_table.c.calendars).order_by(plan_table.c.code))
    return {row.code: json.loads(row.calendars) for row in rows}


def preview_entry(session: Session, name: str, text: str) -> Preview:
    """What a calendar file (``holidays/2027.yaml``) would change in every plan. Raises CalendarInvalid, PlanInvalid."""
    return _preview(session, name, dict.fromkeys(held(session), text))


def preview_restore(session: Session, entry_id: int) -> tuple[CalendarEntry, Preview]:
    """What it would change to take an entry back. Raises NotFound, ActNotAllowed for one that is not the last."""
    entry = _last(session, entry_id)
    return entry, _preview(session, entry.name, _former(session, entry))


def enter(
    session: Session, name: str, text: str, *, summary: str, seen: str, by: str, now: datetime
) -> dict[str, Reconciled]:
    """Take a calendar file over into every plan; what became of the items, by plan.

    Raises ChangedMeanwhile where ``seen`` is not the digest of what would change now, CalendarInvalid, PlanInvalid.
    """
    wanted = dict.fromkeys(held(session), text)
    return _take_over(session, name, wanted, text, summary=summary, seen=seen, by=by, now=now)


def restore(session: Session, entry_id: int, *, seen: str, by: str, now: datetime) -> dict[str, Reconciled]:
    """Take the last entry of its name back: every plan has again what it had before. Raises like ``enter``, and
    NotFound, ActNotAllowed for an entry that is not the last."""
    entry = _last(session, entry_id)
    before = calendar_entries.last_entry(session, entry.name, before=entry.id)
    text, summary = before.text if before else None, f"撤销：{entry.summary}"
    return _take_over(session, entry.name, _former(session, entry), text, summary=summary, seen=seen, by=by, now=now)


def _last(session: Session, entry_id: int) -> CalendarEntry:
    found = next((one for one in calendar_entries.entries(session) if one.id == entry_id), None)
    if found is None:
        raise NotFound("没有这次日历录入")
    if not found.counts:
        raise ActNotAllowed("此后这份日历又有录入，只能撤销最近的一次")
    return found


def _former(session: Session, entry: CalendarEntry) -> dict[str, str | None]:
    """By plan: what it had; a plan that came later keeps what it has."""
    return {code: entry.former.get(code, texts.get(entry.name)) for code, texts in held(session).items()}


def _preview(session: Session, name: str, wanted: Texts) -> Preview:
    units = all_units(session)
    counties = [county.code for county in units.counties]
    changes = []
    for whole, after in _with(session, name, wanted):
        if findings := check_plan(whole.plan, units, after):
            raise PlanInvalid([Fault("日历", None, "", finding.message) for finding in findings])
        found = duty_changes(whole.plan, counties, whole.calendars, after)
        changes.append(PlanChange(whole, after, _counted(session, whole, units, found)))
    return Preview(name, tuple(changes), wanted, _digest(session, name, wanted))


def _with(session: Session, name: str, wanted: Texts) -> list[tuple[WholePlan, Calendars]]:
    """Every plan with its calendars as they would be."""
    texts = held(session)
    return [
        (whole, calendar_file.parse_texts(_put(texts[whole.summary.code], name, wanted.get(whole.summary.code))))
        for whole in whole_plans(session)
    ]


def _put(texts: Mapping[str, str], name: str, text: str | None) -> dict[str, str]:
    others = {one: other for one, other in texts.items() if one != name}
    return others if text is None else {**others, name: text}


def _digest(session: Session, name: str, wanted: Texts) -> str:
    """Of the plans, their calendars and what they would become."""
    rows = session.execute(select(plan_table.c.code, plan_table.c.digest, plan_table.c.calendars))
    facts = [name, sorted((row.code, row.digest, row.calendars) for row in rows), sorted(map(list, wanted.items()))]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, default=list).encode()).hexdigest()


def _counted(session: Session, whole: WholePlan, units: Units, changes: Sequence[DutyChange]) -> tuple[Move, ...]:
    """The changes with their items: those that are unfinished and not extended, in one statement."""
    codes = {one.requirement for one in changes}
    rows = session.execute(
        select(requirement.c.code, work_item.c.period, unit.c.county, func.count().label("n"))
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .where(
            requirement.c.plan_id == whole.summary.id,
            requirement.c.code.in_(codes),
            work_item.c.state.in_([state.value for state in UNFINISHED]),
            work_item.c.extended.is_(False),
        )
        .group_by(requirement.c.code, work_item.c.period, unit.c.county)
    )
    held_items = Counter({(row.code, row.period, row.county): int(row.n) for row in rows})
    return tuple(Move(one, _items_of(one, held_items, whole, units)) for one in changes)


def _items_of(one: DutyChange, items: Counter[tuple[str, str, str]], whole: WholePlan, units: Units) -> int:
    if one.before is not None:
        mine = (
            n
            for (code, period, county), n in items.items()
            if (code, period) == (one.requirement, one.period) and one.area in (None, county)
        )
        return sum(mine)
    wanted = next(found for _, found in whole.plan.requirements() if found.code == one.requirement)
    owing = units.assigned(wanted.assignee, whole.plan.organs)
    return sum(1 for each in owing if one.area is None or (units.county_of(each.code) or "") == one.area)


def kind_of(change: DutyChange) -> str:
    """What becomes of the items of a duty: see ``PlanChange.count``; ``opened``: only the day it opens is another."""
    if change.before is None:
        return "added"
    if change.after is None:
        return "dropped"
    return "moved" if change.moves else "aimed" if change.aims_elsewhere else "opened"


def _take_over(
    session: Session, name: str, wanted: Texts, text: str | None, *, summary: str, seen: str, by: str, now: datetime
) -> dict[str, Reconciled]:
    if _digest(session, name, wanted) != seen:
        raise ChangedMeanwhile(STALE)
    units, texts = all_units(session), held(session)
    former = {code: found.get(name) for code, found in texts.items()}
    done = {}
    for whole, after in _with(session, name, wanted):
        code = whole.summary.code
        if former[code] != wanted[code]:
            done[code] = _changed(session, whole, after, _put(texts[code], name, wanted[code]), units, now)
    calendar_entries.append(session, name, text, former=former, summary=summary, by=by, now=now)
    return done


def _changed(
    session: Session, whole: WholePlan, after: Calendars, texts: Mapping[str, str], units: Units, now: datetime
) -> Reconciled:
    """Give a plan other calendars and bring its duties and items in line."""
    if findings := check_plan(whole.plan, units, after):
        raise PlanInvalid([Fault("日历", None, "", finding.message) for finding in findings])
    values = {
        "calendars": json.dumps(dict(texts), ensure_ascii=False, sort_keys=True),
        "digest": plan_digest(whole.plan, after, units),
        "calendars_changed_at": now,
        "version": plan_table.c.version + 1,
    }
    session.execute(update(plan_table).where(plan_table.c.id == whole.summary.id).values(values))
    timetables.save(session, whole.summary.id, whole.plan, units, after)
    done = timetables.reconcile(session, whole.summary.code, now=now)
    issuing.issue_due(session, whole.summary.code, as_of=civil_date(now), now=now)
    rounds.open_due(session, whole.summary.code, now=now)
    return done
