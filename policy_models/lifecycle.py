"""States and acts of a work item: one transition table (docs/glossary.md)."""

from __future__ import annotations

from enum import StrEnum

from policy_models.errors import ActNotAllowed


class State(StrEnum):
    SCHEDULED = "scheduled"
    OPEN = "open"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    WAIVED = "waived"
    CANCELLED = "cancelled"


class Act(StrEnum):
    ISSUE = "issue"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    SEND_BACK = "send_back"
    WAIVE = "waive"
    CANCEL = "cancel"
    EXTEND = "extend"


STATE_NAMES = {
    State.SCHEDULED: "未启动",
    State.OPEN: "待报送",
    State.SUBMITTED: "待审核",
    State.RETURNED: "已退回",
    State.ACCEPTED: "已通过",
    State.WAIVED: "已豁免",
    State.CANCELLED: "已取消",
}
ACT_NAMES = {
    Act.ISSUE: "交办",
    Act.SUBMIT: "报送",
    Act.WITHDRAW: "撤回",
    Act.ACCEPT: "审核通过",
    Act.SEND_BACK: "退回",
    Act.WAIVE: "豁免",
    Act.CANCEL: "取消",
    Act.EXTEND: "延期",
}
UNFINISHED = frozenset({State.SCHEDULED, State.OPEN, State.SUBMITTED, State.RETURNED})
OWED = frozenset({State.OPEN, State.RETURNED})  # the unit's turn
# act → (states it may start from, state it leads to; None: the item stays in its state)
TRANSITIONS: dict[Act, tuple[frozenset[State], State | None]] = {
    Act.ISSUE: (frozenset({State.SCHEDULED}), State.OPEN),
    Act.SUBMIT: (frozenset({State.OPEN, State.RETURNED}), State.SUBMITTED),
    Act.WITHDRAW: (frozenset({State.SUBMITTED}), State.OPEN),
    Act.ACCEPT: (frozenset({State.SUBMITTED}), State.ACCEPTED),
    Act.SEND_BACK: (frozenset({State.SUBMITTED}), State.RETURNED),
    Act.WAIVE: (UNFINISHED, State.WAIVED),
    Act.CANCEL: (UNFINISHED, State.CANCELLED),
    Act.EXTEND: (OWED | {State.SCHEDULED}, None),
}
NEEDS_REASON = frozenset({Act.SEND_BACK, Act.WAIVE})


def advance(state: State, act: Act) -> State:
    """The state an act leads to. Raises ActNotAllowed where the table has no such step."""
    sources, target = TRANSITIONS[act]
    if state not in sources:
        raise ActNotAllowed(f"“{STATE_NAMES[state]}”的办理件不能{ACT_NAMES[act]}")
    return target or state
