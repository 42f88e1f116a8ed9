"""Steps that bring work items into being and open them."""

from __future__ import annotations

from datetime import date

from prefect import task

from ledger import issuing
from tasks import clock
from tasks.transaction import STEP, writing


@task(name="补齐办理件", **STEP)
def schedule_items(plan: str) -> int:
    """Create the work items that are missing for the plan's duties; how many."""
    with writing() as session:
        return issuing.schedule_items(session, plan, now=clock.now())


@task(name="交办到期事项", **STEP)
def issue_due(plan: str, as_of: str, sections: list[str] | None = None) -> int:
    """Open every scheduled item whose time has come by ``as_of`` (ISO date), of some sections or of all; how many."""
    with writing() as session:
        return issuing.issue_due(session, plan, as_of=date.fromisoformat(as_of), now=clock.now(), sections=sections)
