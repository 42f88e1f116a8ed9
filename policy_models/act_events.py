"""What other systems can be told of as it happens (a webhook's ``acts:``): acts on items, decisions, rounds. Never texts,
never names of persons or files."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from policy_models.lifecycle import Act


class ActEvent(StrEnum):
    """One thing that happened, as a webhook names it."""

    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    WAIVED = "waived"
    EXTENSION_REQUESTED = "extension_requested"
    EXTENSION_GRANTED = "extension_granted"
    EXTENSION_REFUSED = "extension_refused"
    ROUND_OPENED = "round_opened"
    ROUND_CLOSED = "round_closed"


EVENT_NAMES: Final[Mapping[ActEvent, str]] = {
    ActEvent.SUBMITTED: "报送",
    ActEvent.WITHDRAWN: "撤回",
    ActEvent.ACCEPTED: "审核通过",
    ActEvent.RETURNED: "退回",
    ActEvent.WAIVED: "豁免",
    ActEvent.EXTENSION_REQUESTED: "申请延期",
    ActEvent.EXTENSION_GRANTED: "同意延期",
    ActEvent.EXTENSION_REFUSED: "不同意延期",
    ActEvent.ROUND_OPENED: "半年报送启动",
    ActEvent.ROUND_CLOSED: "半年报送结束",
}
OF_ACT: Final[Mapping[Act, ActEvent]] = {
    Act.SUBMIT: ActEvent.SUBMITTED,
    Act.WITHDRAW: ActEvent.WITHDRAWN,
    Act.ACCEPT: ActEvent.ACCEPTED,
    Act.SEND_BACK: ActEvent.RETURNED,
    Act.WAIVE: ActEvent.WAIVED,
}
