"""policy_models.timing.timing in SQL, over columns with the names of work_item or tally. A test holds both together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_

from policy_models.lifecycle import OWED, State
from policy_models.timing import CatchUp, Thresholds, Timing


def timing_case(columns: Any, at: Thresholds, *, late: ColumnElement[bool], often_returned: ColumnElement[bool]) -> Any:
    """A CASE giving the Timing of a row. ``columns`` has state, opens_on, deadline and catch_up ("" for none)."""
    state, catch_up, deadline = columns.state, columns.catch_up, columns.deadline
    return case(
        (state.in_([State.WAIVED.value, State.CANCELLED.value]), Timing.EXEMPT.value),
        (catch_up == CatchUp.COUNT_ONLY.value, Timing.COUNTED.value),
        (and_(state == State.ACCEPTED.value, catch_up != ""), Timing.BACKFILLED.value),
        (and_(state == State.ACCEPTED.value, late), Timing.DONE_LATE.value),
        (state == State.ACCEPTED.value, Timing.DONE_ON_TIME.value),
        (state == State.SUBMITTED.value, Timing.UNDER_REVIEW.value),
        (catch_up != "", Timing.BACKFILL.value),
        (and_(often_returned, state.in_([s.value for s in OWED])), Timing.LONG_OVERDUE.value),
        (and_(deadline < at.as_of, deadline <= at.red_until), Timing.LONG_OVERDUE.value),
        (deadline < at.as_of, Timing.OVERDUE.value),
        (and_(state == State.SCHEDULED.value, columns.opens_on > at.as_of), Timing.NOT_STARTED.value),
        (or_(deadline <= at.soon_until), Timing.DUE_SOON.value),
        else_=Timing.ON_TRACK.value,
    )
