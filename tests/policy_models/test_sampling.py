"""抽查: the same draw for the same seed, whatever the order, the machine, the version."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_models.sampling import Outcome, draw, outcome, size_of

KEYS = [f"baotou-2024:8.5:1502{n:08}:2026-08" for n in range(1, 29)]


def test_a_recorded_draw_can_be_repeated_for_ever() -> None:
    # `printf '%s' '7f3a:KEY' | sha256sum` for each key, the three smallest
    assert draw(["a", "b", "c", "d", "e"], 3, "7f3a") == ("c", "b", "d")


def test_order_and_doubles_do_not_matter() -> None:
    shuffled = KEYS * 2
    random.Random(1).shuffle(shuffled)
    assert draw(shuffled, 5, "种子") == draw(KEYS, 5, "种子")


@given(st.sets(st.text(min_size=1, max_size=20), min_size=1, max_size=40), st.text(max_size=10), st.data())
def test_a_draw_is_of_the_population_and_grows(keys: set[str], seed: str, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(keys)))
    drawn = draw(keys, size, seed)
    assert len(set(drawn)) == size
    assert set(drawn) <= keys
    assert draw(keys, len(keys), seed)[:size] == drawn


def test_every_key_has_its_chance() -> None:
    met = [key for n in range(2800) for key in draw(KEYS, 1, str(n))]
    counts = [met.count(key) for key in KEYS]
    assert min(counts) > 60  # 100 expected, four standard deviations
    assert max(counts) < 145


@pytest.mark.parametrize("size", [0, -1, 29])
def test_no_draw_of_a_senseless_size(size: int) -> None:
    with pytest.raises(ValueError, match="of 28"):
        draw(KEYS, size, "x")


@pytest.mark.parametrize(
    ("population", "share", "wanted"), [(855, 10, 86), (28, 10, 3), (2, 10, 2), (1, 10, 1), (50, 7, 4), (10, 100, 10)]
)
def test_a_share_is_rounded_up(population: int, share: int, wanted: int) -> None:
    assert size_of(population, share) == wanted


@pytest.mark.parametrize(
    ("pending", "passed", "failed", "wanted"),
    [
        (1, 2, 0, Outcome.OPEN),
        (0, 3, 0, Outcome.PASSED),
        (0, 2, 1, Outcome.FAILED),
        (2, 0, 1, Outcome.FAILED),
        (0, 0, 0, Outcome.VOID),
    ],
)
def test_outcome(pending: int, passed: int, failed: int, wanted: Outcome) -> None:
    assert outcome(pending=pending, passed=passed, failed=failed) is wanted
