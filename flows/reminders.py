"""催办, every morning: who is due a reminder gets one row in the outbox, once for ever."""

from __future__ import annotations

from prefect import flow

from flows import run_date
from tasks.reminding import queue_due
from tasks.upkeep import mark, plan_codes


@flow(name="reminders", flow_run_name=run_date.named("催办"), persist_result=False)
async def reminders(as_of: str | None = None) -> int:
    """Queue every reminder due by ``as_of`` (a day gone by stands for today) for every plan; how many messages came of
    it."""
    day = run_date.no_day_gone_by(run_date.resolve(as_of)).isoformat()
    messages = sum(queue_due(plan, day)["messages"] for plan in plan_codes())
    mark("reminders", day)
    return messages
