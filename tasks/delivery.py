"""The steps that empty the outbox. The network is never inside a transaction, so delivering has several: claim and
commit, render and send, record. Killed between sending and recording, a message of an idempotent channel is sent
again, one of any other channel is left as uncertain for a person to look at."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from prefect import task

from ledger import outbox
from ledger.outbox import Message
from ledger.settings import Settings
from notifications.channels import CHANNELS, Letter
from notifications.render import Words, render
from policy_models.errors import DeliveryError
from policy_models.notices import ReceiptNotice
from tasks import clock
from tasks.transaction import STEP, claiming, writing

BATCH = 100  # messages a claim, where a killed run may simply send them again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message: its words, and the error if the channel did not take it."""

    message: Message
    words: Words
    error: DeliveryError | None

    @property
    def name(self) -> str:
        if self.error is None:
            return "sent"
        return "dead" if self.error.permanent else "uncertain" if self.error.uncertain else "failed"


@task(name="投递消息", **STEP)
def deliver_batch() -> dict[str, int]:
    """Claim what is waiting and deliver it: {"sent", "failed", "dead"}, and {"uncertain"} where that happened; all 0 when
    nothing was waiting.

    Up to BATCH messages of idempotent channels at a time; then of the others one at a time, so that a killed run leaves
    no more than one uncertain.
    """
    harmless = [name for name, channel in CHANNELS.items() if channel.idempotent]
    by = f"{socket.gethostname()}:{os.getpid()}"
    with claiming() as session:
        claimed = outbox.claim(session, now=clock.now(), by=by, limit=BATCH, channels=harmless)
        claimed = claimed or outbox.claim(session, now=clock.now(), by=by, limit=1)
    outcomes = [_send(message) for message in claimed]
    _record(outcomes)
    counted = Counter(outcome.name for outcome in outcomes)
    return {"sent": 0, "failed": 0, "dead": 0, **counted}


def _send(message: Message) -> Outcome:
    words = render(message.kind, message.notice, base_url=Settings.load().base_url)
    letter = _letter(message, words)
    try:
        if message.channel not in CHANNELS:
            raise DeliveryError(f"没有名为 {message.channel} 的渠道", permanent=True)
        CHANNELS[message.channel].send(letter)
    except DeliveryError as error:
        return Outcome(message, words, error)
    return Outcome(message, words, None)


def _letter(message: Message, words: Words) -> Letter:
    notice = message.notice
    if isinstance(notice, ReceiptNotice):
        code, name, person = "", notice.unit_name or "", None
    else:
        code, name, person = notice.to.unit_code, notice.to.unit_name, notice.to.person_name
    return Letter(
        message.id,
        message.key,
        message.kind,
        code,
        name,
        words.subject,
        words.body,
        link=words.link,
        person_name=person,
        address=message.address,
        in_reply_to=message.in_reply_to,
    )


def _record(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    now = clock.now()
    with writing() as session:
        for found in outcomes:
            row, error, words = found.message.id, found.error, found.words
            if error is None:
                outbox.record_sent(session, row, subject=words.subject, body=words.body, now=now)
            else:
                permanent, uncertain = error.permanent, error.uncertain
                outbox.record_failed(session, row, error=str(error), permanent=permanent, uncertain=uncertain, now=now)


@task(name="收回滞留消息", **STEP)
def release_stale() -> int:
    """Free what a killed run had claimed: idempotent channels try again, of others nobody knows; how many."""
    idempotent = [name for name, channel in CHANNELS.items() if channel.idempotent]
    with writing() as session:
        return outbox.release_stale(session, now=clock.now(), idempotent_channels=idempotent)
