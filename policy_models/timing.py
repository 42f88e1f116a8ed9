"""办理时效 and 灯: derived from facts and a civil date, never stored (domain facts §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from policy_models.calendars import WorkCalendar
from policy_models.lifecycle import OWED, State

DUE_SOON_WORKDAYS = 7  # 临期: the deadline is at most so many work days away
ORANGE_WORKDAYS = 5  # 橙: overdue by at most so many work days; red beyond
RED_RETURNS = 2  # 红: returned so often


class CatchUp(StrEnum):
    """What a plan loaded late does with an item dated before go-live."""

    BACKFILL = "backfill"
    WAIVE = "waive"
    COUNT_ONLY = "count_only"


CATCH_UP_NAMES = {CatchUp.BACKFILL: "补录", CatchUp.WAIVE: "豁免", CatchUp.COUNT_ONLY: "仅统计"}


class Timing(StrEnum):
    """How an item stands in time, as of a civil date."""

    NOT_STARTED = "not_started"
    ON_TRACK = "on_track"
    DUE_SOON = "due_soon"
    UNDER_REVIEW = "under_review"
    OVERDUE = "overdue"
    LONG_OVERDUE = "long_overdue"
    DONE_ON_TIME = "done_on_time"
    DONE_LATE = "done_late"
    BACKFILL = "backfill"
    BACKFILLED = "backfilled"
    COUNTED = "counted"
    EXEMPT = "exempt"


TIMING_NAMES = {
    Timing.NOT_STARTED: "未开始",
    Timing.ON_TRACK: "正常",
    Timing.DUE_SOON: "临期",
    Timing.UNDER_REVIEW: "待审核",
    Timing.OVERDUE: "逾期",
    Timing.LONG_OVERDUE: "严重逾期",
    Timing.DONE_ON_TIME: "按期办结",
    Timing.DONE_LATE: "逾期办结",
    Timing.BACKFILL: "待补录",
    Timing.BACKFILLED: "补录办结",
    Timing.COUNTED: "仅统计",
    Timing.EXEMPT: "已豁免",
}


class Light(StrEnum):
    """灯: lights stand for matters, never for persons."""

    GREY = "grey"
    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    BLUE = "blue"


LIGHT_NAMES = {
    Light.GREY: "未开始",
    Light.GREEN: "正常",
    Light.YELLOW: "临期",
    Light.ORANGE: "逾期",
    Light.RED: "严重逾期",
    Light.BLUE: "办结",
}
LIGHTS = {
    Timing.NOT_STARTED: Light.GREY,
    Timing.ON_TRACK: Light.GREEN,
    Timing.DUE_SOON: Light.YELLOW,
    Timing.UNDER_REVIEW: Light.GREEN,
    Timing.OVERDUE: Light.ORANGE,
    Timing.LONG_OVERDUE: Light.RED,
    Timing.DONE_ON_TIME: Light.BLUE,
    Timing.DONE_LATE: Light.BLUE,
    Timing.BACKFILL: Light.GREY,
    Timing.BACKFILLED: Light.BLUE,
    Timing.COUNTED: Light.GREY,
    Timing.EXEMPT: Light.GREY,
}
DONE = frozenset({Timing.DONE_ON_TIME, Timing.DONE_LATE, Timing.BACKFILLED})
LATE = frozenset({Timing.OVERDUE, Timing.LONG_OVERDUE})
NOT_EXPECTED = frozenset({Timing.EXEMPT, Timing.COUNTED})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The civil dates that decide timing as of a day, so that SQL and Python compare the same three dates.

    overdue: ``deadline < as_of`` · red: ``deadline <= red_until`` · due soon: ``deadline <= soon_until``.
    """

    as_of: date
    soon_until: date
    red_until: date

    @classmethod
    def at(cls, as_of: date, work: WorkCalendar) -> Thresholds:
        """Overdue work days are those after the legal deadline up to and with ``as_of``."""
        first = work.on_or_before(as_of)
        red_until = work.shift(first, -(ORANGE_WORKDAYS + 1))
        # a deadline on the rest days after red_until has the same work days behind it
        while work.count(_next(red_until), as_of) > ORANGE_WORKDAYS:
            red_until = _next(red_until)
        soon = work.on_or_after(_next(work.shift(as_of, DUE_SOON_WORKDAYS)))  # rest days behind the last one count too
        return cls(as_of, date.fromordinal(soon.toordinal() - 1), red_until)


def _next(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def timing(
    state: State, opens_on: date, deadline: date, late: bool, catch_up: CatchUp | None, returns: int, at: Thresholds
) -> Timing:
    """The timing of one item. ``late``: its first submission came after the deadline (on time is judged by the first
    submission); ``returns``: how often it was sent back."""
    if state in (State.WAIVED, State.CANCELLED):
        return Timing.EXEMPT
    if catch_up is CatchUp.COUNT_ONLY:
        return Timing.COUNTED
    if state is State.ACCEPTED:
        return Timing.BACKFILLED if catch_up else Timing.DONE_LATE if late else Timing.DONE_ON_TIME
    if state is State.SUBMITTED:
        return Timing.UNDER_REVIEW
    if catch_up:
        return Timing.BACKFILL
    if returns >= RED_RETURNS and state in OWED:
        return Timing.LONG_OVERDUE
    if deadline < at.as_of:
        return Timing.LONG_OVERDUE if deadline <= at.red_until else Timing.OVERDUE
    if state is State.SCHEDULED and opens_on > at.as_of:
        return Timing.NOT_STARTED
    return Timing.DUE_SOON if deadline <= at.soon_until else Timing.ON_TRACK
