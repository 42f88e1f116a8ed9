"""Steps that keep the ledger fit and say that it is being driven."""

from __future__ import annotations

from datetime import date

from prefect import task

from ledger import evenings, marks, plans, tally
from tasks import clock
from tasks.transaction import STEP, reading, writing


@task(name="列出方案", **STEP)
def plan_codes() -> list[str]:
    """The codes of all plans in the ledger, by start."""
    with reading() as session:
        return [plan.code for plan in plans.plans(session)]


@task(name="整理计数", **STEP)
def compact(plan: str) -> int:
    """Sum up the board's counts; how many rows remain."""
    with writing() as session:
        return tally.compact(session, plan)


@task(name="留存往日计数", **STEP)
def keep_evenings(plan: str) -> int:
    """Keep the board's counts of evenings that are over, some months of them; how many. 0: all are kept."""
    with writing() as session:
        return evenings.keep(session, plan, now=clock.now())


@task(name="记录完成", **STEP)
def mark(flow: str, as_of: str) -> str:
    """Note that a flow has finished for ``as_of`` (ISO date); the flow's name."""
    with writing() as session:
        marks.mark(session, flow, as_of=date.fromisoformat(as_of), now=clock.now())
    return flow
