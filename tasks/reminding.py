"""The step that finds whom to remind."""

from __future__ import annotations

from datetime import date

from prefect import task

from ledger import reminders
from ledger.settings import LadderSettings
from tasks import clock
from tasks.transaction import STEP, writing


@task(name="生成催办", **STEP)
def queue_due(plan: str, as_of: str) -> dict[str, int]:
    """Write every reminder that is due by ``as_of`` (ISO date) and not yet written, with its outbox rows."""
    rule = LadderSettings.load().rule
    with writing() as session:
        queued = reminders.queue_due(session, plan, as_of=date.fromisoformat(as_of), now=clock.now(), rule=rule)
        return {"reminders": queued.reminders, "messages": queued.messages}
