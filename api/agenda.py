"""我的待办: one unit's items by when they want attention. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from api.board import month_of
from ledger.queries.items import ItemRow
from policy_models.lifecycle import State
from policy_models.timing import DONE, LATE, Timing


@dataclass(frozen=True)
class Slice:
    """``shown`` of ``total`` rows; the rest is in the list that ``timing`` filters to."""

    title: str
    name: str
    rows: tuple[ItemRow, ...]
    total: int
    timing: tuple[Timing, ...]


SLICES = {
    "late": ("逾期", tuple(sorted(LATE)), 50),
    "week": ("本周", (), 50),
    "month": ("本月", (), 50),
    "later": ("以后", (Timing.NOT_STARTED, Timing.ON_TRACK, Timing.DUE_SOON), 12),
    "review": ("待审核", (Timing.UNDER_REVIEW,), 20),
    "backfill": ("待补录", (Timing.BACKFILL,), 12),
    "done": ("已办", tuple(sorted(DONE)), 12),
    "exempt": ("已豁免、已取消和仅统计", (Timing.EXEMPT, Timing.COUNTED), 6),
}
ALWAYS = ("late", "week", "month")  # an empty one says so; the others are left out
DESK_ROWS = 60
DESK = {
    "returned": ("已退回，请补正", (), DESK_ROWS),
    **{name: (SLICES[name][0], SLICES[name][1], DESK_ROWS) for name in ("late", "week", "month", "later", "review")},
    "backfill": ("待补录", (Timing.BACKFILL,), 12),
}


def agenda(rows: Iterable[ItemRow], as_of: date) -> tuple[Slice, ...]:
    """The items in slices: overdue first; what is done comes last, the newest first."""
    found: dict[str, list[ItemRow]] = {name: [] for name in SLICES}
    for row in rows:
        found[_slice_of(row, as_of)].append(row)
    found["done"].sort(key=lambda row: (row.first_submitted_on or row.deadline, row.deadline), reverse=True)
    found["exempt"].reverse()
    return tuple(
        Slice(title, name, tuple(found[name][:most]), len(found[name]), timing)
        for name, (title, timing, most) in SLICES.items()
        if found[name] or name in ALWAYS
    )


def todo(rows: Iterable[ItemRow], as_of: date) -> tuple[Slice, ...]:
    """What is left to hand in, most urgent first: what came back, what is late, this week, this month, later; then what
    waits for review. Slices without items are left out."""
    found: dict[str, list[ItemRow]] = {name: [] for name in DESK}
    for row in rows:
        name = "returned" if row.state is State.RETURNED else _slice_of(row, as_of)
        if name in found:
            found[name].append(row)
    return tuple(
        Slice(title, name, tuple(found[name][:most]), len(found[name]), timing)
        for name, (title, timing, most) in DESK.items()
        if found[name]
    )


def _slice_of(row: ItemRow, as_of: date) -> str:
    if row.timing in LATE:
        return "late"
    if row.timing in DONE:
        return "done"
    if row.state is State.SUBMITTED:
        return "review"
    if row.timing is Timing.BACKFILL:
        return "backfill"
    if row.timing in (Timing.EXEMPT, Timing.COUNTED):
        return "exempt"
    if row.remind_by <= as_of + timedelta(days=6 - as_of.weekday()):
        return "week"
    return "month" if row.remind_by <= month_of(as_of)[1] else "later"
