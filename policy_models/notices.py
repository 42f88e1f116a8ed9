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
class Addressee:
    """Whom a notice speaks to: a unit, and the person there (None: whoever reads the unit's inbox)."""

    unit_code: str
    unit_name: str
    person_name: str | None = None


@dataclass(frozen=True, slots=True)
class ReminderNotice:
    """One grouped reminder for one addressee and day. ``chased_by``: the office that had it sent by hand (催办), with
    its ``words`` if it added any; both None for what the ladder sends."""

    plan_code: str
    plan_title: str
    to: Addressee
    as_of: date
    lines: tuple[ReminderLine, ...]
    chased_by: str | None = None
    words: str | None = None

    @property
    def escalated(self) -> bool:
        return any(line.unit_code != self.to.unit_code for line in self.lines)


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One item that was decided about: ``reason`` of the reviewer; ``deadline`` as it stands now."""

    section: str
    title: str
    unit_name: str
    period: str
    deadline: date
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class ReturnNotice:
    """退回: the items that a reviewer sent back, with the reason. ``by``: the office and name that did."""

    plan_code: str
    plan_title: str
    to: Addressee
    by: str
    lines: tuple[DecisionLine, ...]


@dataclass(frozen=True, slots=True)
class ExtensionNotice:
    """延期 decided: ``wanted`` is the deadline that was asked for, ``deadline`` of the line the one that counts."""

    plan_code: str
    plan_title: str
    to: Addressee
    by: str
    granted: bool
    wanted: date
    line: DecisionLine


@dataclass(frozen=True, slots=True)
class CircularNotice:
    """通报: ``title`` and ``paragraphs`` in words that were frozen with the facts; the page has the tables."""

    plan_code: str
    plan_title: str
    to: Addressee
    circular_id: int
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActLine:
    """One item that an act met: what it came to (``state``, ``revision``); ``deadline`` as it stands now."""

    key: str
    unit_code: str
    requirement: str
    period: str
    state: str
    revision: int
    deadline: date


@dataclass(frozen=True, slots=True)
class ActNotice:
    """办理动态, for another system: ``act`` as webhooks name it and ``name`` in Chinese, ``at`` (UTC) when it was done.
    No texts, no names of persons or files. ``round_code``: of what happened to a round."""

    plan_code: str
    plan_title: str
    to: Addressee
    act: str
    name: str
    at: datetime
    lines: tuple[ActLine, ...]
    round_code: str | None = None


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


UnitNotice = ReminderNotice | ReturnNotice | ExtensionNotice | CircularNotice | ActNotice
Notice = UnitNotice | ReceiptNotice
