"""每日巡检: makes good whatever a schedule, an outage or a killed run has missed. Everything here is "due by now and
not yet done", so it may run late, twice, or after a month of silence."""

from __future__ import annotations

from prefect import flow

from flows import run_date
from flows.delivery import deliver_all
from tasks.circulars import issue_circulars
from tasks.delivery import release_stale
from tasks.issuing import issue_due, schedule_items
from tasks.reminding import queue_due
from tasks.rounds import hand_over, open_rounds
from tasks.upkeep import compact, keep_evenings, mark, plan_codes


@flow(name="sweep", flow_run_name=run_date.named("每日巡检"), persist_result=False)
async def sweep(as_of: str | None = None) -> dict[str, int]:
    """Create, open, remind and issue what is due by ``as_of`` in every plan, then deliver; how many of each."""
    resolved = run_date.resolve(as_of)
    day, today = resolved.isoformat(), run_date.no_day_gone_by(resolved).isoformat()
    done = {"created": 0, "opened": 0, "rounds": 0, "messages": 0, "circulars": 0, "sent": 0}
    hand_over()
    for plan in plan_codes():
        done["created"] += schedule_items(plan)
        done["opened"] += issue_due(plan, day)
        done["rounds"] += open_rounds(plan)
        done["messages"] += queue_due(plan, today)["messages"]
        done["circulars"] += issue_circulars(plan)["circulars"]
        compact(plan)
        while keep_evenings(plan):
            pass
    release_stale()
    done["sent"] = deliver_all()
    mark("sweep", day)
    return done
