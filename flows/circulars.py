"""通报, every morning: what ended and is not issued is issued, on the first work day after it."""

from __future__ import annotations

from prefect import flow

from flows import run_date
from tasks.circulars import issue_circulars
from tasks.upkeep import mark, plan_codes


@flow(name="circulars", flow_run_name=run_date.named("通报"), persist_result=False)
async def circulars(as_of: str | None = None) -> int:
    """Issue the weekly and monthly circulars due by now in every plan; how many. ``as_of`` only dates the mark."""
    day = run_date.resolve(as_of).isoformat()
    issued = sum(issue_circulars(plan)["circulars"] for plan in plan_codes())
    mark("circulars", day)
    return issued
