"""告知: the facts of each notice. Words are made of them in notifications; no child, no file content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
