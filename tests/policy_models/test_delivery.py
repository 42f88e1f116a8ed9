"""How long to wait after a failure, and how fast a channel may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from policy_models.delivery import (
    ATTEMPTS,
    BACK_OFF,
    DOWN_AFTER,
    JITTER,
    LONGEST_OUTAGE_PAUSE,
    LONGEST_PAUSE,
    MAIL_ATTEMPTS,
    OUTAGE_PAUSE,
    burst,
    most_attempts,
    outage_pause,
    pause_after,
    refilled,
    until_next,
)

NOON = datetime(2025, 3, 3, 4, tzinfo=UTC)


def test_pauses_double_up_to_six_hours_with_jitter_that_is_the_same_each_time() -> None:
    whole = [BACK_OFF * 2**n for n in range(7)] + [LONGEST_PAUSE] * 3
    pauses = [pause_after(17, attempt) for attempt in range(1, 11)]
    assert all(base <= pause <= base * (1 + JITTER) for base, pause in zip(whole, pauses, strict=True))
    assert pauses == [pause_after(17, attempt) for attempt in range(1, 11)]
    first = {pause_after(row, 1) for row in range(100)}
    assert len(first) > 30  # seconds from 300 to 360: what failed together comes back apart
    assert max(first) - min(first) > BACK_OFF * JITTER * 0.8


def test_e_mail_is_tried_over_a_weekend() -> None:
    assert (most_attempts("email"), most_attempts("mz-group")) == (MAIL_ATTEMPTS, ATTEMPTS)
    assert sum((pause_after(1, n) for n in range(1, MAIL_ATTEMPTS)), timedelta()) > timedelta(days=3)


def test_a_channel_that_is_down_rests_longer_each_time_up_to_an_hour() -> None:
    pauses = [outage_pause("mz-group", DOWN_AFTER + n) for n in range(6)]
    whole = [OUTAGE_PAUSE * 2**n for n in range(4)] + [LONGEST_OUTAGE_PAUSE] * 2
    assert all(base <= pause <= base * (1 + JITTER) for base, pause in zip(whole, pauses, strict=True))
    assert outage_pause("mz-group", 10**6) <= LONGEST_OUTAGE_PAUSE * (1 + JITTER)


@pytest.mark.parametrize("per_minute", [1, 5, 18, 60, 90, 300])
def test_no_minute_has_more_than_the_limit_wherever_it_begins(per_minute: int) -> None:
    """A greedy sender for five minutes after a quiet hour; every window of a minute is counted."""
    tokens, since, now, sent = refilled(0, None, NOON, per_minute), NOON, NOON, []
    while now < NOON + timedelta(minutes=5):
        tokens, since = refilled(tokens, since, now, per_minute), now
        if tokens >= 1:
            tokens -= 1
            sent.append(now)
        else:
            now += max(until_next(tokens, per_minute), timedelta(microseconds=1))
    windows = [sum(start <= at < start + timedelta(minutes=1) for at in sent) for start in sent]
    assert max(windows) <= per_minute
    assert len(sent) >= 5 * (per_minute - burst(per_minute))  # and it does not dawdle


def test_a_clock_that_runs_back_gives_no_tokens() -> None:
    assert refilled(0.5, NOON, NOON - timedelta(hours=1), 18) == 0.5
    assert refilled(0.0, NOON, NOON + timedelta(days=1), 18) == burst(18) == 2
