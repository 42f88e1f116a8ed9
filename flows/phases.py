"""One flow for each phase of a plan: it opens the phase's own work, reads how its tasks stand, checks the gate."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from prefect import Flow, flow, get_run_logger

from flows import run_date
from flows.artifacts import publish_scorecard
from tasks.issuing import issue_due, schedule_items
from tasks.progress import phase_standing
from tasks.upkeep import mark

MOST_PHASES = 12

PhaseFlow = Flow[[str, str | None], Coroutine[Any, Any, int]]


def flow_of(number: int) -> PhaseFlow:
    """The flow of the phase with this number. Raises KeyError beyond MOST_PHASES."""
    found: PhaseFlow = globals()[f"phase_p{number}"]
    return found


def _phase_flow(number: int) -> PhaseFlow:
    async def run(plan: str, as_of: str | None = None) -> int:
        """Open the phase's own items due by ``as_of``, publish its scorecard, say what its gate lacks; items opened."""
        day = run_date.resolve(as_of).isoformat()
        schedule_items(plan)
        opened = issue_due(plan, day, [f"phase-{number}"])
        standing = phase_standing(plan, number, day)
        await publish_scorecard(f"{plan}-phase-{number}", standing, day)
        for row in standing["missing"]:
            get_run_logger().info("里程碑未完成：%s %s，还差 %s 件", row["code"], row["title"], row["left"])
        mark(f"{plan}-phase-{number}", day)
        return opened

    run.__name__ = run.__qualname__ = f"phase_p{number}"
    decorate = flow(name=f"phase-{number}", flow_run_name=run_date.named(f"阶段{number}"), persist_result=False)
    made: PhaseFlow = decorate(run)
    return made


for _number in range(1, MOST_PHASES + 1):
    globals()[f"phase_p{_number}"] = _phase_flow(_number)
