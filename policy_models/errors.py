"""The few errors of the house. Each carries data and one Chinese sentence fit to show to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
    """The act (send back, waive) demands a reason and none was given."""


class ChangedMeanwhile(LuchengError):
    """Somebody else acted first: a conditional update met 0 rows."""


class NotFound(LuchengError):
    """No such plan, unit, work item or token."""


class LedgerUnavailable(LuchengError):
    """The database cannot be reached, opened or written."""


class DeliveryError(LuchengError):
    """A channel did not take a message. ``permanent``: trying again cannot help."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        self.permanent = permanent
        super().__init__(message)
