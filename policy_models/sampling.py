"""抽查: which of many are looked at. Drawn by hash, so that anybody can draw again and get the same."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection
from enum import StrEnum

USUAL_SHARE = 10  # per cent
FEWEST = 3  # a share of few items is still this many, or all


class Outcome(StrEnum):
    """How a sample stands. Void: everything drawn was waived or cancelled, so that nothing was looked at."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    VOID = "void"


OUTCOME_NAMES = {
    Outcome.OPEN: "抽查中",
    Outcome.PASSED: "抽查合格",
    Outcome.FAILED: "抽查不合格",
    Outcome.VOID: "抽查无效",
}


def draw(keys: Collection[str], size: int, seed: str) -> tuple[str, ...]:
    """``size`` of the keys, in the order drawn: those with the smallest SHA-256 of ``seed:key`` (UTF-8).

    The same whatever the order of the keys, on any machine and in any language. Raises ValueError for a size that is
    not between 1 and the number of different keys.
    """
    population = set(keys)
    if not 1 <= size <= len(population):
        raise ValueError(f"size {size} of {len(population)}")
    return tuple(sorted(population, key=lambda key: (_rank(seed, key), key))[:size])


def _rank(seed: str, key: str) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def size_of(population: int, share: int) -> int:
    """How many are drawn for a share in per cent: rounded up, at least FEWEST, at most all."""
    return min(population, max(FEWEST, math.ceil(population * share / 100)))


def outcome(*, pending: int, passed: int, failed: int) -> Outcome:
    """How a sample stands by the results of what was drawn. One that failed decides; the others are still looked at."""
    if failed:
        return Outcome.FAILED
    if pending:
        return Outcome.OPEN
    return Outcome.PASSED if passed else Outcome.VOID
