"""The steps that empty the outbox. The network is never inside a transaction, so this one has several: claim and
commit, then for each message render, send, record. Killed between sending and recording, a message of an idempotent
channel is sent again, one of any other channel is left as uncertain for a person to look at."""

from __future__ import annotations

import os
import socket
from collections import Counter

from prefect import task

from ledger import outbox
from ledger.outbox import Message
from ledger.settings import Settings
from notifications.channels import CHANNELS, Letter
from notifications.render import render
from policy_models.errors import DeliveryError
from tasks import clock
from tasks.transaction import STEP, writing

BATCH = 100  # messages a claim: what a killed run leaves uncertain at most is the one it was sending


@task(name="投递消息", **STEP)
def deliver_batch() -> dict[str, int]:
    """Claim up to BATCH messages and deliver them: {"sent", "failed", "dead"}; all 0 when nothing was waiting."""
    by = f"{socket.gethostname()}:{os.getpid()}"
    with writing() as session:
        claimed = outbox.claim(session, now=clock.now(), by=by, limit=BATCH)
    outcome = Counter(_deliver(message) for message in claimed)
    return {name: outcome[name] for name in ("sent", "failed", "dead")}


def _deliver(message: Message) -> str:
    words = render(message.kind, message.notice, base_url=Settings.load().base_url)
    letter = Letter(message.id, message.notice.unit_code, message.notice.unit_name, words.subject, words.body)
    try:
        channel = CHANNELS.get(message.channel)
        if channel is None:
            raise DeliveryError(f"没有名为 {message.channel} 的渠道", permanent=True)
        channel.send(letter)
    except DeliveryError as error:
        with writing() as session:
            outbox.record_failed(session, message.id, error=str(error), permanent=error.permanent, now=clock.now())
        return "dead" if error.permanent else "failed"
    with writing() as session:
        outbox.record_sent(session, message.id, subject=words.subject, body=words.body, now=clock.now())
    return "sent"


@task(name="收回滞留消息", **STEP)
def release_stale() -> int:
    """Free what a killed run had claimed: idempotent channels try again, of others nobody knows; how many."""
    idempotent = [name for name, channel in CHANNELS.items() if channel.idempotent]
    with writing() as session:
        return outbox.release_stale(session, now=clock.now(), idempotent_channels=idempotent)
