"""Delivering, step by step without Prefect's engine, against a real receiver: whose fault a failure is, and what waits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger import channels
from ledger.database import Database
from notifications import channels as adapters
from policy_models.channels import ChannelKind
from policy_models.delivery import DOWN_AFTER
from tasks.delivery import await_token, deliver_batch
from tests.factories import instant, query
from tests.receiver import SECRET, Receiver, running_receiver
from tests.sending import CHANNEL, NOW, prepare

pytestmark = pytest.mark.thorough
VILLAGES = 4  # in each of two counties: eight messages through the channel


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


@pytest.fixture
def ledger(sqlite_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    database = prepare(sqlite_url, tmp_path, receiver, monkeypatch, VILLAGES)
    yield database
    database.close()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    return lambda moment: monkeypatch.setenv("LUCHENG_CLOCK", moment.isoformat())


def deliver_all() -> dict[str, int]:
    counted: Counter[str] = Counter()
    while any((batch := deliver_batch.fn()).values()):
        counted.update(batch)
    return {name: count for name, count in counted.items() if count}


def states(ledger: Database, channel: str = CHANNEL) -> dict[str, int]:
    with ledger.read() as session:
        counted = "SELECT state, count(*) FROM outbox WHERE channel = :c GROUP BY state"
        return {str(state): int(n) for state, n in query(session, counted, c=channel)}


def test_each_goes_out_once_with_the_answer_kept(ledger: Database, receiver: Receiver) -> None:
    assert deliver_all() == {"sent": 16}
    assert len(receiver.log) == len(set(receiver.keys)) == 8
    one = receiver.log[0].body["data"]
    assert (one["kind"], one["recipient"]["person"]) == ("reminder", "张三")
    assert one["body"].startswith("1县1村张三：\n") or "张三" in one["body"].splitlines()[0]
    with ledger.read() as session:
        assert query(
            session, "SELECT DISTINCT state, attempts, answer, error FROM outbox WHERE channel = 'mz-group'"
        ) == [("sent", 1, "HTTP 200", None)]
        assert channels.standings(session)[CHANNEL].sent_at is not None


def test_outside_the_open_hours_only_the_inbox(
    ledger: Database, receiver: Receiver, at: Callable[[datetime], None]
) -> None:
    at(instant("2025-01-26", 18, 0))
    assert deliver_all() == {"sent": 8}
    assert (receiver.log, states(ledger), states(ledger, "inbox")) == ([], {"pending": 8}, {"sent": 8})
    at(instant("2025-01-27", 8, 30))
    assert deliver_all() == {"sent": 8}


def test_the_open_hours_are_a_setting(
    ledger: Database, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(instant("2025-01-26", 19, 0))
    monkeypatch.setenv("LUCHENG_OPEN_HOURS", "09:00-20:00")
    assert deliver_all() == {"sent": 16}


def test_a_channel_that_is_down_keeps_its_messages(
    ledger: Database, receiver: Receiver, at: Callable[[datetime], None]
) -> None:
    """It answers 500 to everything for hours; nothing dies of it, and afterwards all go out."""
    receiver.status = lambda _n, _handed: 500
    assert deliver_all() == {"sent": 8, "failed": DOWN_AFTER}
    assert states(ledger) == {"pending": 8}
    for turn in range(1, 7):  # one message tries it each time, never all of them
        at(NOW + turn * timedelta(minutes=80))
        assert deliver_all() == {"failed": 1}
    tried = len(receiver.log)
    assert tried == DOWN_AFTER + 6
    with ledger.read() as session:
        assert query(session, "SELECT max(attempts) FROM outbox WHERE channel = 'mz-group'") == [(1,)]
        assert channels.standings(session)[CHANNEL].error == "Webhook暂时不能接受（500）"
    receiver.status = lambda _n, _handed: 200
    at(instant("2025-01-27", 8, 31))
    assert deliver_all() == {"sent": 8}
    assert Counter(receiver.keys[tried:]) == Counter(dict.fromkeys(set(receiver.keys), 1))


def test_one_message_that_always_fails_dies_alone(
    ledger: Database, receiver: Receiver, at: Callable[[datetime], None]
) -> None:
    poison = "reminder:tiny-2025:900101001:p1:2025-01-26"
    receiver.status = lambda _n, handed: 500 if handed.key == poison else 200
    outcome: Counter[str] = Counter()
    for minutes in (0, 7, 20, 46, 100):
        at(NOW + timedelta(minutes=minutes))
        outcome.update(deliver_all())
    assert outcome == {"sent": 15, "failed": 5}
    assert states(ledger) == {"dead": 1, "sent": 7}
    assert Counter(receiver.keys)[poison] == 5


def test_a_channel_that_refuses_everything_for_good_kills_no_more_than_it_takes_to_see(
    ledger: Database, receiver: Receiver
) -> None:
    receiver.status = lambda _n, _handed: 410
    assert deliver_all() == {"sent": 8, "dead": DOWN_AFTER}
    assert states(ledger) == {"dead": DOWN_AFTER - 1, "pending": 8 - DOWN_AFTER + 1}


def test_a_channel_that_asks_for_quiet_gets_it(
    ledger: Database, receiver: Receiver, at: Callable[[datetime], None]
) -> None:
    receiver.status = lambda n, _handed: 429 if n == 3 else 200
    assert deliver_all() == {"sent": 10, "failed": 1}
    assert await_token.fn() is False  # it is not the bucket that is empty
    assert (len(receiver.log), states(ledger)) == (3, {"sent": 2, "pending": 6})
    at(NOW + timedelta(seconds=70))
    assert deliver_all() == {"sent": 6}
    with ledger.read() as session:
        assert query(session, "SELECT max(attempts) FROM outbox") == [(1,)]


def test_the_pace_of_a_channel_is_kept_and_waited_for(
    sqlite_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = prepare(sqlite_url, tmp_path, receiver, monkeypatch, VILLAGES, per_minute=60)
    assert deliver_all() == {"sent": 8 + 7}
    assert await_token.fn() is True
    assert deliver_all() == {"sent": 1}
    assert await_token.fn() is False
    first, last = receiver.log[0].at, receiver.log[-1].at
    assert last - first > 0.5  # 54 a minute after a burst of seven
    database.close()


def test_a_message_without_facts_is_dead_and_stops_no_other(
    ledger: Database, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with ledger.write() as session:
        session.execute(text("UPDATE outbox SET kind = 'monthly' WHERE key LIKE '%900101001:%'"))
    with caplog.at_level(logging.ERROR):
        assert deliver_all() == {"sent": 14, "dead": 2}
    with ledger.read() as session:
        assert query(session, "SELECT DISTINCT state, error FROM outbox WHERE kind = 'monthly'") == [
            ("dead", "消息的内容无法从台账读出（TypeError）")
        ]
        assert channels.standings(session)[CHANNEL].failures == 0
    assert "内容无法读出" in caplog.text


def test_a_message_without_words_is_dead_and_stops_no_other(
    ledger: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Chased, for which the template is gone."""
    from notifications import render

    with ledger.write() as session:
        session.execute(text("UPDATE outbox SET kind = 'chase' WHERE key LIKE '%900101001:p%'"))
    monkeypatch.setattr(render.environment(), "loader", Without(render.environment().loader, "chase/"))
    render.environment().cache.clear()  # type: ignore[union-attr]
    assert deliver_all() == {"sent": 15, "dead": 1}
    with ledger.read() as session:
        assert query(session, "SELECT state, error FROM outbox WHERE kind = 'chase'") == [
            ("dead", "消息不能成文（TemplateNotFound）")
        ]
    assert "不能成文" in caplog.text


class Without:
    """A loader that has lost a folder."""

    def __init__(self, loader: object, folder: str) -> None:
        self.loader, self.folder = loader, folder

    def load(self, environment: object, name: str, globals: object = None) -> object:
        from jinja2 import TemplateNotFound

        if name.startswith(self.folder):
            raise TemplateNotFound(name)
        return self.loader.load(environment, name, globals)  # type: ignore[attr-defined]


def test_an_adapter_that_breaks_leaves_its_message_uncertain(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_facts: object) -> str:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setitem(adapters.SENDERS, ChannelKind.WEBHOOK, broken)  # type: ignore[arg-type]
    assert deliver_all() == {"sent": 8, "uncertain": DOWN_AFTER}
    assert states(ledger) == {"uncertain": DOWN_AFTER, "pending": 8 - DOWN_AFTER}
    assert "nobody foresaw this" in caplog.text


@pytest.mark.parametrize(
    "content", ["- code: mz-group\n  kind: fax\n  secret: {secret}\n", "not a list", "- [", "- code: 'x\n", "\ufeff- 1"]
)
def test_a_wrong_channels_file_stops_everything_but_the_inbox(
    ledger: Database, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "channels.yaml").write_text(content.format(secret=SECRET), "utf-8")
    assert deliver_all() == {"sent": 8}
    assert (states(ledger), states(ledger, "inbox")) == ({"pending": 8}, {"sent": 8})
    assert "暂时只投递站内消息" in caplog.text
    assert SECRET not in caplog.text


def test_wrong_mail_settings_stop_everything_but_the_inbox(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LUCHENG_SMTP_HOST", "smtp.example")
    monkeypatch.setenv("LUCHENG_SMTP_PORT", "many")
    monkeypatch.setenv("LUCHENG_SMTP_PASSWORD", "shou-quan-ma-7")
    assert deliver_all() == {"sent": 8}
    assert "暂时只投递站内消息" in caplog.text
    assert "shou-quan-ma-7" not in caplog.text
