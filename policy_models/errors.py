"""The few errors of the house. Each carries data and one Chinese sentence fit to show to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Finding:
    """Something personal that screening met. ``start`` and ``end`` index the screened text; ``sample`` is masked, and
    fit to be shown and stored; the value itself is never kept. ``why``: one Chinese sentence without full stop."""

    kind: str
    blocks: bool
    sample: str
    start: int
    end: int
    why: str


class LuchengError(Exception):
    """Base of all expected errors: ``str(error)`` is one Chinese sentence without secrets."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in something that a person wrote: where (file, line, field) and what, in Chinese."""

    file: str
    line: int | None
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} [{self.field}] {self.message}" if self.field else f"{place} {self.message}"


class Faulty(LuchengError):
    """Something handed in is wrong in one or more places; nothing of it was taken over."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, faults)))


class PlanInvalid(Faulty):
    """A plan pack (or one of its calendars) contradicts itself, its schema or the official text."""


class UnitsInvalid(Faulty):
    """A unit list has a fault; all or nothing, so no unit was taken over."""


class CalendarInvalid(Faulty):
    """A calendar file or a pasted holiday notice contradicts itself."""


class ActNotAllowed(LuchengError):
    """The transition table has no such act from this state."""


class NotResponsible(LuchengError):
    """The acting unit neither owes nor reviews this work item."""


class EvidenceMissing(LuchengError):
    """A submission lacks evidence that the requirement's rule demands."""


class ReasonMissing(LuchengError):
    """The act (send back, waive, extend …) demands a reason and none was given."""


class ChangedMeanwhile(LuchengError):
    """Somebody else acted first: a conditional update met 0 rows."""


class FileRefused(LuchengError):
    """A file that is not taken in: of the wrong kind, too large, encrypted, with macros, a bomb, or not readable."""


class PrivacyBlocked(LuchengError):
    """A text or file holds what must not enter. ``findings`` are masked; ``sha256`` names the content, never shows it."""

    def __init__(self, message: str, findings: Sequence[Finding], *, place: str, sha256: str) -> None:
        self.findings, self.place, self.sha256 = tuple(findings), place, sha256
        super().__init__(message)


class NotFound(LuchengError):
    """No such plan, unit, work item or token."""


class LedgerUnavailable(LuchengError):
    """The database cannot be reached, opened or written."""


class DeliveryError(LuchengError):
    """A channel did not take a message. ``permanent``: trying again cannot help. ``uncertain``: it may have taken it all
    the same, so that trying again could tell somebody twice. ``pause``: the channel asked for so long without any."""

    def __init__(
        self, message: str, *, permanent: bool, uncertain: bool = False, pause: timedelta | None = None
    ) -> None:
        self.permanent, self.uncertain, self.pause = permanent, uncertain, pause
        super().__init__(message)


class MailboxUnavailable(LuchengError):
    """The mailbox cannot be reached, refuses the login, or the connection broke; what was read stays read."""
