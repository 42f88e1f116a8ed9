"""A unit's desk: what its pages for acting share. Acts are done today; a desk knows no other 截至."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends

from api.dependencies import Now, PlanCode, Reads, open_reading
from ledger import extensions
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.queries.review import waiting_count
from ledger.queries.sheets import SheetLine, sheets
from policy_models.errors import NotFound, NotResponsible


def present(session: Session, plan: str | None, now: datetime) -> Reading:
    """The plan as of today. Raises NotFound when there is none."""
    reading = open_reading(session, plan, as_of=None, now=now)
    if reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    return reading


def opened_today(session: Reads, now: Now, plan: PlanCode = None) -> Reading:
    return present(session, plan, now)


Today = Annotated[Reading, Depends(opened_today)]


@dataclass(frozen=True, slots=True)
class Work:
    """What waits on a unit's desk: submissions to review, extensions to decide, sheets to fill in for villages."""

    reviews: int
    extensions: int
    sheets: int

    def __bool__(self) -> bool:
        return bool(self.reviews or self.extensions or self.sheets)


def work_of(session: Session, reading: Reading, code: str) -> Work | None:
    """Today's desk of a unit in three statements; None for another day."""
    if reading.as_of != civil_date(reading.now):
        return None
    left, waiting = len(open_sheets(session, reading, code)), extensions_to_decide(session, reading, code)
    return Work(waiting_count(session, reading, code), waiting, left)


def open_sheets(session: Session, reading: Reading, code: str) -> tuple[SheetLine, ...]:
    """The sheets that are still to be filled in for villages below."""
    return tuple(one for one in sheets(session, reading, code) if one.left)


def extensions_to_decide(session: Session, reading: Reading, code: str) -> int:
    """How many requests wait for this unit's answer."""
    return len(extensions.to_decide(session, reading.plan_id, code))


def coordinator_only(reading: Reading, code: str, sentence: str) -> None:
    """Raises NotResponsible with this sentence for any unit but the plan's coordinator."""
    if reading.summary.coordinator != code:
        raise NotResponsible(sentence)
