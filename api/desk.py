"""A unit's desk: what its pages for acting share. Acts are done today; a desk knows no other 截至."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends

from api.dependencies import Now, PlanCode, Reads
from ledger.database import Session
from ledger.queries.reading import Reading, open_plan
from policy_models.errors import NotFound


def present(session: Session, plan: str | None, now: datetime) -> Reading:
    """The plan as of today. Raises NotFound when there is none."""
    reading = open_plan(session, plan, as_of=None, now=now)
    if reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    return reading


def opened_today(session: Reads, now: Now, plan: PlanCode = None) -> Reading:
    return present(session, plan, now)


Today = Annotated[Reading, Depends(opened_today)]
