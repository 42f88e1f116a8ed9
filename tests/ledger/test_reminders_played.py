"""Three years of reminders, day by day with the clock held, against a second reading of the rule; and flows that were
stopped for ten days: each message that is due once, at an allowed time, and nothing lost that still matters."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, time

import pytest

from ledger.database import Database
from policy_models.plan_file import Pack
from tests.factories import KINDS, fresh_database, query
from tests.reminder_oracle import DAY, Message, works
from tests.reminder_play import Play, messages_in, messages_of, reminders_in, small_city

pytestmark = pytest.mark.slow

FIRST, LAST = date(2024, 5, 1), date(2027, 5, 31)
GO_LIVE = date(2024, 5, 20)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return small_city(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module", params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fresh_database(request, tmp_path_factory) as database:
        yield database


def same_as_the_rule(play: Play) -> None:
    """Exactly the reminders and messages of the rule, each once."""
    found, expected = reminders_in(play.session), play.oracle.reminders
    assert {row: found[row] for row in found.keys() - expected.keys()} == {}
    assert {row: expected[row] for row in expected.keys() - found.keys()} == {}
    assert found == expected
    sent, wanted = messages_in(play.session), messages_of(play.oracle)
    assert (list(sent - wanted), list(wanted - sent)) == ([], [])


def at_allowed_times(play: Play) -> None:
    """Of what the ledger holds, whoever decided it."""
    told = list(messages_in(play.session).elements())
    for kind, _, person, as_of, state, sent_at, _ in told:
        assert kind != "reminder" or (works(as_of) and as_of >= play.go_live)
        if state == "sent" and person is not None:
            assert sent_at is not None
            assert works(sent_at.date())
            assert time(8, 30) <= sent_at.time() < time(18)
    grouped = Counter(
        (recipient, person, sent_at.date())
        for kind, recipient, person, _, state, sent_at, _ in told
        if kind == "reminder" and state == "sent" and sent_at
    )
    assert set(grouped.values()) == {1}


def figures(play: Play) -> dict[str, int]:
    rows = reminders_in(play.session)
    messages = messages_in(play.session)
    withheld = Counter(reason for reason, _ in rows.values())
    by_state = Counter[str]()
    for (kind, _, person, _, state, _, _), n in messages.items():
        by_state[f"{kind} {'inbox' if person is None else 'mail'} {state}"] += n
    steps = Counter(f"step {row[2]:+}" for row in rows)
    days = {"days with reminders": len({day for _, day in rows.values()}), "items": len(play.oracle.items)}
    return {
        **play.done,
        **days,
        "reminders": len(rows),
        **dict(sorted(steps.items())),
        "nobody": withheld["nobody"],
        "cap": withheld["cap"],
        **dict(sorted(by_state.items())),
    }


@pytest.mark.timeout(1800)  # on two busy cores PostgreSQL takes minutes for its 45,000 statements
def test_three_years_day_by_day(empty: Database, pack: Pack, capsys: pytest.CaptureFixture[str]) -> None:
    with empty.trial() as session:
        play = Play(session, pack, "three years", GO_LIVE)
        play.run(FIRST, LAST)
        same_as_the_rule(play)
        at_allowed_times(play)
        counted = figures(play)
        beyond = query(session, "SELECT count(*) FROM reminder WHERE as_of > '2026-10-31'")
        early = query(session, "SELECT count(*) FROM reminder WHERE as_of < '2024-05-20'")
    with capsys.disabled():
        print(f"\n{session.dialect.name}: {counted}")
    assert counted["days"] == (LAST - FIRST).days + 1 == 1126
    assert counted["reminders"] > 5000
    assert min(counted["nobody"], counted["granted"], counted["returned"], counted["reminder mail sent"]) > 50
    assert beyond[0][0] > 20
    assert early == [(0,)]
    make_up = [day for day in {day for _, day in play.oracle.reminders.values()} if day.weekday() >= 5]
    assert len(make_up) >= 5  # Saturdays and Sundays at work


WINDOWS = {  # over 国庆节 and 中秋节; over 1 January and 春节; over the plan's end
    "autumn": (date(2025, 9, 1), date(2025, 11, 10)),
    "spring": (date(2024, 12, 16), date(2025, 3, 10)),
    "end": (date(2026, 9, 1), date(2026, 11, 20)),
}


def ten_days(seed: str, first: date, last: date, at_once: bool) -> set[date]:
    """Ten civil days without a flow, in one piece or scattered, from the third week on."""
    chance, days = random.Random(seed), [first + n * DAY for n in range(14, (last - first).days - 14)]
    if at_once:
        begin = chance.choice(days[:-9])
        return {begin + n * DAY for n in range(10)}
    return set(chance.sample(days, 10))


@pytest.mark.parametrize("at_once", [True, False], ids=["in one piece", "scattered"])
@pytest.mark.parametrize("window", WINDOWS)
def test_flows_stopped_for_ten_days(
    empty: Database, pack: Pack, window: str, at_once: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = WINDOWS[window]
    stopped = ten_days(f"{window} {at_once}", first, last, at_once)
    with empty.trial() as session:
        play = Play(session, pack, window, first, stopped)
        play.run(first, last)
        same_as_the_rule(play)
        at_allowed_times(play)
        rows, messages = reminders_in(session), play.oracle.messages
        lost, digests = 0, 0
        for day in mornings_after(stopped):
            snapshot = play.mornings[day]
            lost += sum(row not in rows or rows[row][1] > day for row in snapshot)
            digests += one_message_each(messages, day)
    with capsys.disabled():
        print(
            f"\n{window}, {'one piece' if at_once else 'scattered'}: {len(rows)} reminders, {digests} digests, {lost} lost"
        )
    assert lost == 0
    assert digests > 0
    assert not {day for _, day in rows.values()} & stopped
    assert not {one.sent_at.date() for one in messages if one.sent_at} & stopped


def mornings_after(stopped: set[date]) -> list[date]:
    """The work days on which the flows ran for the first time after a stop."""
    found = set()
    for day in stopped:
        while day in stopped or not works(day):
            day += DAY
        found.add(day)
    return sorted(found)


def one_message_each(messages: list[Message], day: date) -> int:
    """How many reminders were sent that day; nobody got two."""
    sent = [
        (one.recipient, one.person)
        for one in messages
        if one.kind == "reminder" and one.sent_at and one.sent_at.date() == day
    ]
    assert len(sent) == len(set(sent))
    return len(sent)
