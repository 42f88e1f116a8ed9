"""The step that issues 周通报 and 月通报."""

from __future__ import annotations

from prefect import task

from ledger import circulars
from tasks import clock
from tasks.transaction import STEP, writing


@task(name="发布到期的通报", **STEP)
def issue_circulars(plan: str) -> dict[str, int]:
    """Issue what ended and is not issued, with its messages in the outbox; how many of each."""
    with writing() as session:
        issued = circulars.issue_due(session, plan, now=clock.now())
        return {"circulars": len(issued), "messages": sum(one.messages for one in issued)}
