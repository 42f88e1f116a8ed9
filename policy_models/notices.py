"""告知: the facts of each notice. Words are made of them in notifications; no child, no file content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ReminderLine:
    """One item in a reminder, its section and period in words ("" for what comes once): ``step`` of the ladder and ``workdays`` from as_of to the deadline (negative: overdue)."""

    section: str
    title: str
    unit_code: str
    unit_name: str
    period: str
    deadline: date
    remind_by: date
    step: int
    workdays: int
    key: str


@dataclass(frozen=True, slots=True)
class ReminderNotice:
    """One grouped reminder for one unit and day. ``escalated``: it speaks of units below the recipient."""

    plan_code: str
    plan_title: str
    unit_code: str
    unit_name: str
    as_of: date
    lines: tuple[ReminderLine, ...]

    @property
    def escalated(self) -> bool:
        return any(line.unit_code != self.unit_code for line in self.lines)


@dataclass(frozen=True, slots=True)
class ReceiptNotice:
    """What became of a letter to the bureau's mailbox. ``unit_name``: whose it is, None where nobody knows yet;
    ``round_code``: of the round it was filed for; ``desk_name``: who confirms it; ``taken``: names of attachments that
    were kept; ``refused``: names and why; ``reason``: why it could not be filed. All of it redacted."""

    subject: str
    received_at: datetime
    unit_name: str | None
    round_code: str | None
    desk_name: str | None
    filed: bool
    taken: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    reason: str | None


Notice = ReminderNotice | ReceiptNotice
