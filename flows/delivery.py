"""投递: empty the outbox. Several runs at a time are safe, since a claim is a conditional update."""

from __future__ import annotations

from collections import Counter

from prefect import flow, get_run_logger
from prefect.events import emit_event

from flows import run_date
from tasks.delivery import deliver_batch, release_stale
from tasks.upkeep import mark


@flow(name="delivery", flow_run_name=run_date.named("投递"), persist_result=False)
async def delivery(as_of: str | None = None) -> int:
    """Deliver everything that waits; how many messages were sent. ``as_of`` only dates the mark."""
    day = run_date.resolve(as_of).isoformat()
    release_stale()
    sent = deliver_all()
    mark("delivery", day)
    return sent


def deliver_all() -> int:
    """Deliver batch by batch until nothing is due; how many were sent. Emits one event when messages died."""
    outcome: Counter[str] = Counter()
    while any((batch := deliver_batch()).values()):
        outcome.update(batch)
    if outcome["dead"]:
        get_run_logger().warning("%s 条消息无法送达", outcome["dead"])
        emit_event("lucheng.outbox.dead", {"prefect.resource.id": "lucheng.outbox"}, payload=dict(outcome))
    return outcome["sent"]
