"""The steps that empty the outbox. The network is never inside a transaction, so delivering has several: claim and
commit, render and send, record. Killed between sending and recording, a message of an idempotent channel is sent
again, one of any other channel is left as uncertain for a person to look at."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect import task
from pydantic import ValidationError

from ledger import channels, outbox
from ledger.database import Database, Session, connect
from ledger.messages import Message
from ledger.settings import LadderSettings, Settings
from notifications.channel_config import ChannelConfig
from notifications.channel_file import load_channels
from notifications.channels import Connections, Letter, deliver, messages
from notifications.render import Words, render
from policy_models.channels import INBOX_CODE, ChannelKind
from policy_models.delivery import facts_of
from policy_models.errors import DeliveryError, Faulty
from policy_models.notices import ActNotice, Notice, ReceiptNotice
from policy_models.quiet_hours import OpenHours
from tasks import clock
from tasks.transaction import STEP

BATCH = 100  # messages a claim, where a killed run may simply send them again
ROUNDS = 20  # messages a step by each of the other channels, one after the other
LONGEST_WAIT = timedelta(seconds=20)  # for a token, in a step that has nothing else to do
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message: its words and the other side's answer, or the error if the channel did not take it.
    ``tried``: whether it came so far as to be handed to the channel. ``parts``: the messages it took there."""

    message: Message
    words: Words
    answer: str = ""
    error: DeliveryError | None = None
    tried: bool = True
    parts: int = 1

    @property
    def name(self) -> str:
        if self.error is None:
            return "sent"
        return "dead" if self.error.permanent else "uncertain" if self.error.uncertain else "failed"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who delivers: the ledger, the channels as their settings have them, and the name that its claims carry."""

    database: Database
    configs: Mapping[str, ChannelConfig]
    base_url: str
    hours: OpenHours
    by: str
    connections: Connections


@task(name="投递消息", **STEP)
def deliver_batch() -> dict[str, int]:
    """Claim what may go out and deliver it: {"sent", "failed", "dead"}, and {"uncertain"} where that happened; all 0 when
    nothing could go.

    Up to BATCH messages of idempotent channels at a time; of each other channel up to ROUNDS one after the other, each
    claimed and recorded on its own, so that a killed run leaves no more than one uncertain. The channels take turns.
    """
    with _sender() as sender:
        counted = Counter(outcome.name for outcome in _deliver(sender))
    return {"sent": 0, "failed": 0, "dead": 0, **counted}


@task(name="等待渠道限额", **STEP)
def await_token() -> bool:
    """Wait until a message that nothing but its channel's limit holds back may go; False when there is none, or it
    would take longer than LONGEST_WAIT."""
    with _sender() as sender:
        now = clock.now()
        with sender.database.read() as session:
            until = outbox.limited_until(session, sender.configs, now, sender.hours)
    if until is None or until - now > LONGEST_WAIT:
        return False
    time.sleep(max((until - now).total_seconds(), 0.0))
    return True


@contextmanager
def _sender() -> Iterator[Sender]:
    settings = Settings.load()
    database = connect(settings.url)
    try:
        hours, by = LadderSettings.load().open_hours, f"{socket.gethostname()}:{os.getpid()}"
        with Connections() as connections:  # one login serves all letters of a step
            yield Sender(database, _configs(), settings.base_url, hours, by, connections)
    finally:
        database.close()


def _configs() -> Mapping[str, ChannelConfig]:
    """The channels; the inbox alone while their settings are wrong, since a slip there must not keep units in the
    dark. What is logged never repeats a value: it may be a secret."""
    try:
        return load_channels()
    except Faulty as error:
        log.error("渠道文件有误，暂时只投递站内消息：%s", error)
    except ValidationError as error:
        fields = "、".join(str(one["loc"][-1]) for one in error.errors() if one["loc"])
        log.error("渠道设置有误，暂时只投递站内消息：%s", fields or error.title)
    return {INBOX_CODE: ChannelConfig(code=INBOX_CODE, kind=ChannelKind.INBOX)}


def _deliver(sender: Sender) -> Iterator[Outcome]:
    harmless = {code: one for code, one in sender.configs.items() if facts_of(one).idempotent}
    yield from _one_batch(sender, harmless, BATCH)
    turns = {code: one for code, one in sender.configs.items() if code not in harmless}
    for _ in range(ROUNDS):
        for code, config in list(turns.items()):
            outcomes = _one_batch(sender, {code: config}, 1)
            yield from outcomes
            if not outcomes:
                del turns[code]


def _one_batch(sender: Sender, ways: Mapping[str, ChannelConfig], limit: int) -> list[Outcome]:
    """Claim, send, record: two transactions, with the network between them."""
    now = clock.now()
    with sender.database.claim() as session:
        claimed = outbox.claim(session, now=now, by=sender.by, ways=ways, limit=limit, hours=sender.hours)
    outcomes = [_send(sender, message, now) for message in claimed]
    if outcomes:
        _record(sender, outcomes)
    return outcomes


def _send(sender: Sender, message: Message, now: datetime) -> Outcome:
    """A message that cannot be put into words is dead; one whose channel breaks in an unknown way may have arrived."""
    notice = message.notice
    if notice is None:
        return _hopeless(message, message.fault or "消息没有内容")
    try:
        words = render(message.kind, notice, base_url=sender.base_url)
    except Exception as error:
        log.exception("消息 %s（%s）不能成文", message.id, message.kind)
        return _hopeless(message, f"消息不能成文（{type(error).__name__}）")
    config, letter = sender.configs[message.channel], _letter(message, notice, words)
    try:
        answer = deliver(config, letter, now=now, connections=sender.connections)
    except DeliveryError as error:
        return Outcome(message, words, error=error)
    except Exception as error:
        log.exception("消息 %s 经渠道 %s 发送时出错", message.id, message.channel)
        sentence = f"发送时出现意外错误（{type(error).__name__}），不能确定是否送达"
        return Outcome(message, words, error=DeliveryError(sentence, permanent=False, uncertain=True))
    return Outcome(message, words, answer, parts=messages(config, letter))


def _hopeless(message: Message, why: str) -> Outcome:
    """Another attempt would not put it into words either; it is dead, and the channel had no part in it."""
    return Outcome(message, Words("", ""), error=DeliveryError(why, permanent=True), tried=False)


def _letter(message: Message, notice: Notice, words: Words) -> Letter:
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
        act=notice if isinstance(notice, ActNotice) else None,
    )


def _record(sender: Sender, outcomes: Sequence[Outcome]) -> None:
    """In a transaction that sees what others recorded a moment ago: a channel's row is shared by all workers."""
    now = clock.now()
    sent = [
        outbox.Sent(one.message.id, one.words.subject, one.words.body, one.answer)
        for one in outcomes
        if one.error is None
    ]
    with sender.database.claim() as session:
        for code in sorted({one.message.channel for one in outcomes if one.error is None}):
            channels.note_sent(session, code, now)
        for one in outcomes:
            if one.parts > 1:
                channels.charge(session, one.message.channel, one.parts - 1)
            if one.error is not None:
                _record_failed(session, sender, one, one.error, now)
        outbox.record_all(session, sent, now=now)


def _record_failed(session: Session, sender: Sender, failed: Outcome, error: DeliveryError, now: datetime) -> None:
    """Whose fault it was decides what follows: a channel that is down keeps its messages, whatever it says to them."""
    message = failed.message
    addressed = facts_of(sender.configs[message.channel]).addressed
    if not failed.tried:
        blamed = True
    elif error.pause is not None:
        channels.cool_down(session, message.channel, now + error.pause, error=str(error), now=now)
        blamed = False
    elif error.permanent and addressed:  # a mail server says it of one address, a robot may say it of itself
        blamed = True
    else:
        blamed = not channels.note_failed(session, message.channel, message.id, error=str(error), now=now)
    outbox.record_failed(
        session,
        message.id,
        error=str(error),
        permanent=error.permanent,
        uncertain=error.uncertain,
        blamed=blamed,
        now=now,
    )


@task(name="收回滞留消息", **STEP)
def release_stale() -> int:
    """Free what a killed run had claimed: idempotent channels try again, of others nobody knows; how many."""
    with _sender() as sender:
        harmless = [code for code, one in sender.configs.items() if facts_of(one).idempotent]
        with sender.database.claim() as session:
            return outbox.release_stale(session, now=clock.now(), idempotent_channels=harmless)
