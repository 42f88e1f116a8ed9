"""policy_models.timing.timing in SQL, over columns with the names of work_item or tally. A test holds both together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, or_, text

from policy_models.lifecycle import OWED, UNFINISHED, State
from policy_models.timing import CatchUp, Thresholds, Timing

NOT_DONE = frozenset((State.SCHEDULED, State.OPEN, State.RETURNED))
UNFINISHED_STATES = frozenset(state.value for state in UNFINISHED)
# The states that an item of a timing may be in; a timing that is not here may be in any.
POSSIBLE = {
    Timing.NOT_STARTED: frozenset((State.SCHEDULED,)),
    Timing.ON_TRACK: NOT_DONE,
    Timing.DUE_SOON: NOT_DONE,
    Timing.OVERDUE: NOT_DONE,
    Timing.LONG_OVERDUE: NOT_DONE,
    Timing.BACKFILL: NOT_DONE,
    Timing.UNDER_REVIEW: frozenset((State.SUBMITTED,)),
    Timing.DONE_ON_TIME: frozenset((State.ACCEPTED,)),
    Timing.DONE_LATE: frozenset((State.ACCEPTED,)),
    Timing.BACKFILLED: frozenset((State.ACCEPTED,)),
    Timing.EXEMPT: frozenset((State.WAIVED, State.CANCELLED)),
}


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


def implied_states(columns: Any, timings: Collection[Timing]) -> list[ColumnElement[bool]]:
    """What timings say of the state, as literals: the words of the partial indexes, which a CASE hides and parameters
    would not match."""
    if not timings or any(one not in POSSIBLE for one in timings):
        return []
    found = frozenset(state.value for one in timings for state in POSSIBLE[one])
    words = ", ".join(f"'{state}'" for state in sorted(UNFINISHED_STATES if found <= UNFINISHED_STATES else found))
    table = columns.state.table.name
    return [cast("ColumnElement[bool]", text(f"{table}.state IN ({words})"))]
