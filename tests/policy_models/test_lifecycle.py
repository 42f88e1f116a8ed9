"""The transition table, pair by pair, as docs/glossary.md states it."""

from __future__ import annotations

import itertools

import pytest

from policy_models.errors import ActNotAllowed
from policy_models.lifecycle import ACT_NAMES, NEEDS_REASON, OWED, STATE_NAMES, UNFINISHED, Act, State, advance

# docs/glossary.md, "The states of a work item", written out
TABLE = {
    (State.SCHEDULED, Act.ISSUE): State.OPEN,
    (State.OPEN, Act.SUBMIT): State.SUBMITTED,
    (State.RETURNED, Act.SUBMIT): State.SUBMITTED,
    (State.SUBMITTED, Act.ACCEPT): State.ACCEPTED,
    (State.SUBMITTED, Act.WITHDRAW): State.OPEN,
    (State.SUBMITTED, Act.SEND_BACK): State.RETURNED,
    (State.SCHEDULED, Act.WAIVE): State.WAIVED,
    (State.OPEN, Act.WAIVE): State.WAIVED,
    (State.SUBMITTED, Act.WAIVE): State.WAIVED,
    (State.RETURNED, Act.WAIVE): State.WAIVED,
    (State.SCHEDULED, Act.CANCEL): State.CANCELLED,
    (State.OPEN, Act.CANCEL): State.CANCELLED,
    (State.SUBMITTED, Act.CANCEL): State.CANCELLED,
    (State.RETURNED, Act.CANCEL): State.CANCELLED,
    (State.SCHEDULED, Act.EXTEND): State.SCHEDULED,
    (State.OPEN, Act.EXTEND): State.OPEN,
    (State.RETURNED, Act.EXTEND): State.RETURNED,
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(State, Act)))
def test_every_pair(state: State, act: Act) -> None:
    if (state, act) in TABLE:
        assert advance(state, act) is TABLE[state, act]
    else:
        with pytest.raises(ActNotAllowed, match=rf"^“{STATE_NAMES[state]}”的办理件不能{ACT_NAMES[act]}$"):
            advance(state, act)


def test_the_sets_of_states() -> None:
    assert {State.SCHEDULED, State.OPEN, State.SUBMITTED, State.RETURNED} == UNFINISHED
    assert {State.OPEN, State.RETURNED} == OWED
    assert {Act.SEND_BACK, Act.WAIVE} == NEEDS_REASON
    assert (set(STATE_NAMES), set(ACT_NAMES)) == (set(State), set(Act))
