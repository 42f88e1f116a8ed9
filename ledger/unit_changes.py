"""单位 changed on pages: one or many, with the items that follow; within the scope of whoever changes them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select

from ledger import plans, timetables
from ledger.civil import civil_date
from ledger.database import Session
from ledger.scope import within
from ledger.tables import feed_token, person, unit, work_item
from ledger.units import all_units, save_units
from policy_models.access import Scope
from policy_models.errors import ChangedMeanwhile, Fault, NotResponsible, UnitsInvalid
from policy_models.lifecycle import UNFINISHED, State
from policy_models.units import Unit, Units

OUTSIDE = "单位不在您负责的范围内"
STALE = "单位名录刚被他人改动，请重新核对后再确认"
ASKED = 500  # codes in one statement


@dataclass(frozen=True, slots=True)
class UnitsChange:
    """What saving units did: units new and changed; items created (``past`` of them with a deadline that has passed),
    moved and cancelled."""

    added: int
    changed: int
    items_added: int
    items_past: int
    items_moved: int
    items_cancelled: int


@dataclass(frozen=True, slots=True)
class AtStake:
    """What a unit has that its closing touches: items handed in and not yet reviewed, items whose deadline was before
    (they stay), active people, running subscriptions, units directly below it."""

    submitted: int
    earlier: int
    people: int
    feeds: int
    below: int


@dataclass(frozen=True, slots=True)
class UnitDifference:
    """A unit of a list against the one that is known (None: new)."""

    before: Unit | None
    after: Unit

    @property
    def is_structural(self) -> bool:
        """Whether who owes what may change with it, and not its name alone."""
        one, two = self.before, self.after
        return one is None or (one.level, one.function, one.parent) != (two.level, two.function, two.parent)


def differences(known: Mapping[str, Unit], wanted: Iterable[Unit]) -> tuple[UnitDifference, ...]:
    """The units that are new or different, in order of code."""
    found = (UnitDifference(known.get(one.code), one) for one in wanted if known.get(one.code) != one)
    return tuple(sorted(found, key=lambda one: one.after.code))


def require_within(known: Units, changes: Collection[UnitDifference], scope: Scope, *, file: str = "") -> None:
    """Raise UnitsInvalid, one fault for each, where a changed unit lies outside the scope, before or after; for a single
    one without ``file`` NotResponsible."""
    if scope.roots is None:
        return
    after = Units(
        [
            *(one for code, one in known.items() if code not in {c.after.code for c in changes}),
            *(one.after for one in changes),
        ]
    )
    roots = set(scope.roots)
    outside = [
        one.after
        for one in changes
        if not _line(after, one.after.code) & roots
        or (one.before and not _line(known, one.after.code) & roots)
        or (one.after.code in roots and one.is_structural)
    ]
    if outside and not file:
        raise NotResponsible(f"{OUTSIDE}，不能这样调整")
    if outside:
        raise UnitsInvalid([Fault(file, None, "code", f"{OUTSIDE}：{one.code}（{one.name}）") for one in outside])


def _line(units: Units, code: str) -> set[str]:
    """A unit and all above it, in the tree and in its line of work."""
    found: set[str] = set()
    left = [code]
    while left:
        one = units.get(left.pop())
        if one is None or one.code in found:
            continue
        found.add(one.code)
        left += [above for above in (one.parent, units.superior(one)) if above]
    return found


def units_seen(known: Units) -> str:
    """SHA-256 of everything that is known of all units: what a page showed still holds while it is the same."""
    return hashlib.sha256("\n".join(repr(one) for _, one in sorted(known.items())).encode()).hexdigest()


def change_units(
    session: Session, wanted: Iterable[Unit], scope: Scope, *, now: datetime, seen: str = "", file: str = ""
) -> UnitsChange:
    """Add units and take over changes, all or nothing, and bring every plan's items in line where who owes what changes.

    ``seen``: of ``units_seen``, as it was shown. Raises UnitsInvalid, NotResponsible, ChangedMeanwhile.
    """
    known = all_units(session)
    if seen and units_seen(known) != seen:
        raise ChangedMeanwhile(STALE)
    changes = differences(known, wanted)
    require_within(known, changes, scope, file=file)
    report = save_units(session, [one.after for one in changes], now=now, replace=True)
    if not any(one.is_structural for one in changes):
        return UnitsChange(report.added, report.changed, 0, 0, 0, 0)
    items = [timetables.reconcile(session, plan.code, now=now) for plan in plans.plans(session)]
    new = [one.after.code for one in changes if one.before is None]
    return UnitsChange(
        report.added,
        report.changed,
        sum(one.added for one in items),
        _past(session, new, civil_date(now)),
        sum(one.moved for one in items),
        sum(one.cancelled for one in items),
    )


def _past(session: Session, codes: list[str], today: date) -> int:
    """Items of these units whose deadline has passed."""
    late = and_(work_item.c.deadline < today, work_item.c.state.in_([state.value for state in UNFINISHED]))
    counted = (
        session.execute(
            select(func.count()).where(work_item.c.unit_code.in_(codes[start : start + ASKED]), late)
        ).scalar_one()
        for start in range(0, len(codes), ASKED)
    )
    return sum(map(int, counted))


def at_stake(session: Session, code: str, on: date) -> AtStake:
    """What a unit has, for a closing on a civil date. One statement."""
    mine = work_item.c.unit_code == code
    unfinished = work_item.c.state.in_([state.value for state in UNFINISHED])
    counts = [
        (work_item, mine, work_item.c.state == State.SUBMITTED.value),
        (work_item, mine, and_(unfinished, work_item.c.state != State.SUBMITTED.value, work_item.c.deadline < on)),
        (person, person.c.unit_code == code, person.c.active),
        (feed_token, feed_token.c.unit_code == code, feed_token.c.revoked_at.is_(None)),
        (unit, unit.c.parent == code, and_(unit.c.active, unit.c.closed_on.is_(None))),
    ]
    columns = [select(func.count()).select_from(t).where(own, which).scalar_subquery() for t, own, which in counts]
    return AtStake(*map(int, session.execute(select(*columns)).one()))


def reach_of(session: Session, scope: Scope) -> frozenset[str]:
    """The codes of all units of a scope."""
    return frozenset(session.execute(select(unit.c.code).where(within(scope, unit.c.code))).scalars())
