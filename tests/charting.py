"""What the charts must show, counted one item at a time in Python: no tally, no counts by day, no SQL beyond reading rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.tables import requirement, unit, work_item
from policy_models.lifecycle import State
from policy_models.timing import CatchUp, Timing, timing


@dataclass(frozen=True)
class Item:
    unit: str
    county: str
    level: str
    parent: str | None
    section: str
    phase: int
    deadline: date
    state: State
    accepted_on: date | None
    timing: Timing
    expected: bool


Wanted = Callable[[Item], bool]


def present_items(session: Session, reading: Reading) -> list[Item]:
    """Every item of the plan as it stands now."""
    rows = session.execute(
        select(work_item, unit.c.county, unit.c.level, unit.c.parent, requirement.c.section)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(work_item.c.plan_id == reading.plan_id)
    )
    return [_item(row, reading) for row in rows]


def _item(row: Any, reading: Reading) -> Item:
    state, catch_up = State(row.state), CatchUp(row.catch_up) if row.catch_up else None
    late = row.first_submitted_on is not None and row.first_submitted_on > row.deadline
    stand = timing(state, row.opens_on, row.deadline, late, catch_up, row.returns, reading.at)
    accepted_on = civil_date(row.reviewed_at) if state is State.ACCEPTED else None
    expected = stand not in (Timing.EXEMPT, Timing.COUNTED)
    about = (row.unit_code, row.county, row.level, row.parent, row.section, row.phase, row.deadline)
    return Item(*about, state, accepted_on, stand, expected)


def every(_: Item) -> bool:
    return True


def curve(items: list[Item], day: date, wanted: Wanted = every) -> tuple[int, int, int]:
    """Due by a day, accepted by it, and all that is expected."""
    mine = [one for one in items if one.expected and wanted(one)]
    done = sum(one.accepted_on is not None and one.accepted_on <= day for one in mine)
    return sum(one.deadline <= day for one in mine), done, len(mine)


def punctual(items: list[Item], as_of: date, key: Callable[[Item], str], wanted: Wanted = every) -> dict[Any, Any]:
    """By key and half-year: on time, late, waiting, missing, before go-live."""
    names = {Timing.DONE_ON_TIME: 0, Timing.DONE_LATE: 1, Timing.UNDER_REVIEW: 2}
    names |= {Timing.BACKFILL: 4, Timing.BACKFILLED: 4}
    found: dict[tuple[str, str], list[int]] = {}
    for one in items:
        if one.expected and one.deadline <= as_of and wanted(one):
            half = f"{one.deadline.year}-H{1 + (one.deadline.month > 6)}"
            found.setdefault((key(one), half), [0] * 5)[names.get(one.timing, 3)] += 1
    return {name: tuple(numbers) for name, numbers in found.items()}


def loads(items: list[Item], first: date, last: date, place: Callable[[Item], str], wanted: Wanted = every) -> Any:
    """By place and Monday: expected items that fall due in the span."""
    mine = (one for one in items if one.expected and first <= one.deadline <= last and wanted(one))
    return dict(Counter((place(one), one.deadline - timedelta(days=one.deadline.weekday())) for one in mine))


def township(item: Item) -> str:
    """The township of a village or of itself, else the county; "" for the city's own units."""
    if item.level == "township":
        return item.unit
    return item.parent or "" if item.level == "village" else item.county
