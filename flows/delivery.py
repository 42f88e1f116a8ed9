"""投递: empty the outbox. Several runs at a time are safe, since a claim is a conditional update."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta

from prefect import flow, get_run_logger
from prefect.events import emit_event

from flows import run_date
from tasks.delivery import await_token, deliver_batch, release_stale
from tasks.upkeep import mark

PATIENCE = timedelta(minutes=8)  # a run ends before the next but one begins


@flow(name="delivery", flow_run_name=run_date.named("投递"), persist_result=False)
async def delivery(as_of: str | None = None) -> int:
    """Deliver everything that waits, at the pace of each channel; how many messages were sent. ``as_of`` only dates the
    mark."""
    day = run_date.resolve(as_of).isoformat()
    release_stale()
    sent = deliver_all(PATIENCE)
    mark("delivery", day)
    return sent


def deliver_all(patience: timedelta = timedelta(0)) -> int:
    """Deliver batch by batch until nothing may go out; how many were sent. ``patience``: how long a run goes on waiting
    for what only the limit of its channel holds back. Emits one event when messages died."""
    outcome: Counter[str] = Counter()
    until = time.monotonic() + patience.total_seconds()
    while True:
        batch = deliver_batch()
        outcome.update(batch)
        if not any(batch.values()) and (time.monotonic() >= until or not await_token()):
            break
    if outcome["dead"]:
        get_run_logger().warning("%s 条消息无法送达", outcome["dead"])
        emit_event("lucheng.outbox.dead", {"prefect.resource.id": "lucheng.outbox"}, payload=dict(outcome))
    return outcome["sent"]
