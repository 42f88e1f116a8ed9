"""What came of a notice, or why it was not sent: derived from the message, its channel and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal

from ledger import channels
from ledger.act_messages import KIND as ACT
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.tables import outbox, outbox_line
from policy_models.delivery import MessageState, Waiting, Way, facts_of
from policy_models.quiet_hours import OPEN_HOURS, OpenHours, is_open

ANSWER = "receipt"  # the kind of message that may go at any hour: it answers a letter


class Outcome(StrEnum):
    """What came of a notice, or why it was not sent (yet)."""

    SENT = "sent"
    NEXT = "next"
    SENDING = "sending"
    CLOSED = "closed"
    AGAIN = "again"
    LIMITED = "limited"
    DOWN = "down"
    UNCONFIRMED = "unconfirmed"
    NOT_CONFIGURED = "not_configured"
    UNCERTAIN = "uncertain"
    DEAD = "dead"
    SETTLED = "settled"
    MOVED = "moved"
    DROPPED = "dropped"
    CAP = "cap"
    NOBODY = "nobody"
    SPOKEN = "spoken"


OUTCOME_NAMES = {
    Outcome.SENT: "已发送",
    Outcome.NEXT: "待发送",
    Outcome.SENDING: "发送中",
    Outcome.CLOSED: "非工作时段待发",
    Outcome.AGAIN: "未发出，将再试",
    Outcome.LIMITED: "渠道限速待发",
    Outcome.DOWN: "渠道不可用",
    Outcome.UNCONFIRMED: "渠道未确认",
    Outcome.NOT_CONFIGURED: "渠道未配置",
    Outcome.UNCERTAIN: "不能确定是否送达",
    Outcome.DEAD: "未能送达",
    Outcome.SETTLED: "未发：已报送",
    Outcome.MOVED: "未发：时限已改",
    Outcome.DROPPED: "未发：已并入其他消息",
    Outcome.CAP: "未发：已达上限",
    Outcome.NOBODY: "无人可联系",
    Outcome.SPOKEN: "未发：当日已有消息",
}


@dataclass(frozen=True, slots=True)
class Sending:
    """How messages go out here: the channels as they are configured, by code, and when they may leave the machine."""

    ways: Mapping[str, Way]
    hours: OpenHours = OPEN_HOURS


def outcome_of(session: Session, reading: Reading, sending: Sending) -> ColumnElement[Any]:
    """What came of a line of a message, over rows of outbox and outbox_line. One statement is sent for how the channels
    fare."""
    return case(
        (outbox_line.c.omitted.is_not(None), outbox_line.c.omitted), else_=standing_of(session, reading, sending)
    )


def standing_of(session: Session, reading: Reading, sending: Sending) -> ColumnElement[Any]:
    """How a message stands, over rows of outbox, and why it waits: the reasons in the order of ledger.queries.messages,
    which knows them one by one. One statement is sent for how the channels fare."""
    known = channels.standings(session)
    holds = {code: channels.holds_back(way, known.get(code), reading.now) for code, way in sending.ways.items()}
    leaving = [code for code, way in sending.ways.items() if facts_of(way).leaves]
    code, state = outbox.c.channel, outbox.c.state
    cases: list[tuple[Any, Any]] = [
        (state == MessageState.CLAIMED.value, Outcome.SENDING.value),
        (state != MessageState.PENDING.value, state),
        (code.not_in(list(sending.ways)), Waiting.NOT_CONFIGURED.value),
    ]
    cases += [(code == name, why.value) for name, why in holds.items() if why]
    if not is_open(reading.now, reading.calendars.work, sending.hours):
        cases.append((and_(code.in_(leaving), outbox.c.kind.not_in((ANSWER, ACT))), Waiting.CLOSED.value))
    later = outbox.c.next_try_at > literal(reading.now, outbox.c.queued_at.type)
    return case(*cases, (later, Waiting.AGAIN.value), else_=Waiting.NEXT.value)
