"""办理动态: another system is told of acts by a signed webhook, once for each act, at any hour, or not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from ledger import extensions, reviews, rounds, submissions
from ledger.acts import Actor
from ledger.database import Database, connect
from ledger.issuing import issue_due
from ledger.queries.outcomes import Sending
from ledger.queries.reading import open_plan
from ledger.queries.reminders import NoticeFilter, notice_page
from notifications.channel_file import load_channels
from policy_models.errors import ActNotAllowed
from tasks.delivery import deliver_batch
from tests.factories import (
    BUREAU,
    CODE,
    Files,
    duty,
    full_evidence,
    instant,
    item,
    load,
    office,
    query,
    statements,
    tiny_pack,
    village,
)
from tests.receiver import SECRET, Receiver, running_receiver
from tests.telling import confirm_channel

pytestmark = pytest.mark.thorough
NIGHT = instant("2025-02-02", 23)  # a Sunday night
ALL = "  acts: [submitted, withdrawn, accepted, returned, extension_requested, extension_granted, extension_refused]\n"
VILLAGE, TOWN = village(1, 1), "900101"
MONTHLY = item("1.2", VILLAGE, "2025-01")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


Start = Callable[..., Database]


@pytest.fixture
def start(database_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """A ledger with its channel: ``more`` lines of its settings, confirmed unless told otherwise."""
    opened: list[Database] = []

    def make(more: str = ALL, *, villages: int = 2, confirmed: bool = True, change: object = None) -> Database:
        monkeypatch.setenv("LUCHENG_DATABASE_URL", database_url)
        monkeypatch.setenv("LUCHENG_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("LUCHENG_CHANNELS_FILE", str(receiver.channels_file(tmp_path, more=more)))
        monkeypatch.setenv("LUCHENG_CLOCK", NIGHT.isoformat())
        database = connect(database_url)
        opened.append(database)
        load(database, tiny_pack(tmp_path / "pack", change, villages=villages))  # type: ignore[arg-type]
        with database.write() as session:
            issue_due(session, CODE, as_of=NIGHT.date(), now=NIGHT)
            if confirmed:
                way = load_channels()["mz-group"]
                confirm_channel(session, way, NIGHT, acts=way.acts, units=way.units)
        return database

    yield make
    for one in opened:
        one.close()


def queued(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        told = "SELECT act, state, (SELECT count(*) FROM outbox_line l WHERE l.message_id = o.id) FROM outbox o"
        return query(session, f"{told} WHERE kind = 'act' ORDER BY id")


def submit(database: Database, key: str = MONTHLY, unit: str = VILLAGE, at: datetime = NIGHT) -> None:
    with database.write() as session:
        submissions.submit(session, key, by=Actor(unit, "李四"), evidence=full_evidence(), now=at, note="材料已齐")


def test_an_act_is_told_at_once_with_the_facts_alone(start: Start, receiver: Receiver) -> None:
    database = start()
    submit(database)
    assert deliver_batch.fn()["sent"] == 1
    [handed] = receiver.log
    key = handed.body["data"].pop("key")
    assert handed.body == {
        "type": "act.submitted",
        "timestamp": "2025-02-02T15:00:00.000+00:00",
        "data": {
            "plan": CODE,
            "round": None,
            "items": [
                {
                    "key": MONTHLY,
                    "unit": VILLAGE,
                    "requirement": "1.2",
                    "period": "2025-01",
                    "state": "submitted",
                    "revision": 2,
                    "deadline": "2025-01-31",
                }
            ],
        },
    }
    assert key.startswith(f"act:{CODE}:mz-group:submitted:")
    assert not any(word in handed.raw.decode() for word in ("李四", "材料", "照片", "事项"))
    secret = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{handed.id}.{handed.stamp}.".encode() + handed.raw
    wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert handed.signature == f"v1,{wanted}"


def test_it_is_tried_again_under_the_same_id(start: Start, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver.status = lambda n, _handed: 503 if n == 1 else 200
    database = start()
    submit(database)
    assert deliver_batch.fn()["failed"] == 1
    monkeypatch.setenv("LUCHENG_CLOCK", instant("2025-02-02", 23, 30).isoformat())
    assert deliver_batch.fn()["sent"] == 1
    assert len(receiver.log) == 2
    assert len({one.id for one in receiver.log}) == len({one.raw for one in receiver.log}) == 1


def test_each_act_is_told_as_it_was_whatever_came_after(start: Start, receiver: Receiver) -> None:
    database = start()
    submit(database)
    with database.write() as session:
        reviews.send_back(session, MONTHLY, by=office(TOWN), now=NIGHT, reason="缺签到表")
    submit(database)
    with database.write() as session:
        submissions.withdraw(session, MONTHLY, by=office(VILLAGE), now=NIGHT)
    submit(database)
    with database.write() as session:
        reviews.accept(session, MONTHLY, by=office(TOWN), now=NIGHT)
    while deliver_batch.fn()["sent"]:
        pass
    told = [(one.body["type"], one.body["data"]["items"][0]["state"]) for one in receiver.log]
    assert told == [
        ("act.submitted", "submitted"),
        ("act.returned", "returned"),
        ("act.submitted", "submitted"),
        ("act.withdrawn", "open"),
        ("act.submitted", "submitted"),
        ("act.accepted", "accepted"),
    ]
    assert [one.body["data"]["items"][0]["revision"] for one in receiver.log] == [2, 3, 4, 5, 6, 7]


def test_five_hundred_accepted_at_once_are_one_message(start: Start, receiver: Receiver) -> None:
    database = start("  acts: [accepted]\n", villages=500)
    keys = [item("1.2", village(1, number), "2025-01") for number in range(1, 501)]
    with database.write() as session:
        entries = [(key, full_evidence(), None) for key in keys]
        submissions.submit_all(session, entries, by=office(TOWN), now=NIGHT)
    with database.write() as session, statements(database) as sent:
        reviews.accept_all(session, keys, by=office(TOWN), now=NIGHT)
    assert len([one for one in sent if "outbox" in one or "channel" in one]) <= 4
    assert queued(database) == [("accepted", "pending", 500)]
    assert deliver_batch.fn()["sent"] == 1
    [handed] = receiver.log
    items = handed.body["data"]["items"]
    assert sorted(one["key"] for one in items) == sorted(keys)
    assert {(one["state"], one["revision"]) for one in items} == {("accepted", 3)}


def test_what_is_rolled_back_was_never_told(start: Start) -> None:
    database = start()

    def submit_twice() -> None:
        with database.write() as session:
            submissions.submit(session, MONTHLY, by=office(VILLAGE), evidence=full_evidence(), now=NIGHT)
            submissions.submit(session, MONTHLY, by=office(VILLAGE), evidence=full_evidence(), now=NIGHT)

    with pytest.raises(ActNotAllowed):
        submit_twice()
    assert queued(database) == []


def test_nobody_listens_unless_they_asked_and_were_confirmed(start: Start) -> None:
    database = start(confirmed=False)
    submit(database)
    assert queued(database) == []
    with database.write() as session:
        way = load_channels()["mz-group"]
        confirm_channel(session, way, NIGHT, acts=["returned"])
        reviews.accept(session, MONTHLY, by=office(TOWN), now=NIGHT)
    assert queued(database) == []


def test_a_channel_may_be_narrowed_to_units_and_all_below_them(start: Start, receiver: Receiver) -> None:
    database = start("  acts: [submitted]\n  units: ['9001']\n")
    other = item("1.2", village(2, 1), "2025-01")
    submit(database)
    submit(database, other, village(2, 1))
    assert queued(database) == [("submitted", "pending", 1)]
    assert deliver_batch.fn()["sent"] == 1
    assert receiver.log[0].body["data"]["items"][0]["key"] == MONTHLY


def test_extensions_are_told_when_asked_for_and_decided(start: Start, receiver: Receiver) -> None:
    database = start()
    key = item("1.1", BUREAU, "once")
    with database.write() as session:
        first = extensions.request(session, key, wanted=date(2025, 7, 15), reason="核对", by=office(BUREAU), now=NIGHT)
        extensions.refuse(session, first, by=office(BUREAU), now=NIGHT, reason="不必")
        again = extensions.request(session, key, wanted=date(2025, 7, 15), reason="核对", by=office(BUREAU), now=NIGHT)
        extensions.grant(session, again, by=office(BUREAU), now=NIGHT)
    while deliver_batch.fn()["sent"]:
        pass
    told = [(one.body["type"].removeprefix("act."), one.body["data"]["items"][0]["deadline"]) for one in receiver.log]
    asked, refused, granted = "extension_requested", "extension_refused", "extension_granted"
    assert [name for name, _ in told] == [asked, refused, asked, granted]
    assert told[-1][1] == "2025-07-15"


def reported(files: Files) -> None:
    every = {"every": "half_year"}
    report = duty("1.9", "recurring", {"units": ["民政局"]}, every, collects="report", evidence=[{"type": "document"}])
    files["tasks/01.yaml"]["requirements"].append(report)


def test_rounds_are_told_when_opened_and_closed(start: Start, receiver: Receiver) -> None:
    database = start("  acts: [round_opened, round_closed]\n", change=reported)
    with database.write() as session:
        assert rounds.open_round(session, CODE, "2025-H1", by=office(BUREAU), now=NIGHT).fresh
    with database.write() as session:
        assert not rounds.open_round(session, CODE, "2025-H1", by=office(BUREAU), now=NIGHT).fresh
        rounds.close_round(session, CODE, "2025-H1", by=office(BUREAU), now=NIGHT)
        rounds.close_round(session, CODE, "2025-H1", by=office(BUREAU), now=NIGHT)
    assert deliver_batch.fn()["sent"] == 2
    told = [(one.body["type"], one.body["data"]["round"], one.body["data"]["items"]) for one in receiver.log]
    assert told == [("act.round_opened", "2025-H1", []), ("act.round_closed", "2025-H1", [])]


def test_what_is_no_longer_asked_for_is_not_told_any_more(start: Start) -> None:
    database = start()
    submit(database)
    with database.write() as session:
        confirm_channel(session, load_channels()["mz-group"], NIGHT, acts=["accepted"])
    assert queued(database) == [("submitted", "dropped", 1)]


def test_the_record_of_what_units_were_told_leaves_other_systems_out(start: Start) -> None:
    database = start()
    submit(database)
    with database.read() as session:
        reading = open_plan(session, CODE, as_of=None, now=NIGHT)
        assert reading is not None
        assert notice_page(session, reading, NoticeFilter(), Sending(load_channels()), skip=0, limit=10).total == 0
