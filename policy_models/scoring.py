"""盲评: the arithmetic of scores, and each reviewer's own order. What is masked: policy_models/masking.py."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

LOWEST, HIGHEST = 0, 100
TRIMMED_FROM = 5  # from so many scores on, one highest and one lowest do not count
COMMENT_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Ranked:
    """``mean``: of the scores that count, exact; None for what nobody has scored. ``place``: 1 for the first, the same
    for equals (``tied``), None without a score. ``trimmed``: whether highest and lowest were left out."""

    exemplar: int
    points: tuple[int, ...]
    mean: Fraction | None
    place: int | None
    tied: bool
    trimmed: bool


def mean_of(points: Sequence[int]) -> Fraction | None:
    """The mean; of five scores or more, without one highest and one lowest. None of no score."""
    if not points:
        return None
    counted = sorted(points)[1:-1] if len(points) >= TRIMMED_FROM else points
    return Fraction(sum(counted), len(counted))


def ranked(points: Mapping[int, Sequence[int]]) -> list[Ranked]:
    """The exemplars by their mean, the best first; equals share a place and the next place is left out (1, 2, 2, 4);
    what nobody has scored stands last. By number among equals."""
    means = {one: mean_of(given) for one, given in points.items()}
    known = [mean for mean in means.values() if mean is not None]
    rows = []
    for one, given in points.items():
        mean = means[one]
        place = None if mean is None else 1 + sum(other > mean for other in known)
        tied = mean is not None and known.count(mean) > 1
        rows.append(Ranked(one, tuple(sorted(given, reverse=True)), mean, place, tied, len(given) >= TRIMMED_FROM))
    return sorted(rows, key=lambda row: (row.place is None, row.place or 0, row.exemplar))


def decimal_words(mean: Fraction) -> str:
    """A mean with two decimals, halves rounded up: ``86.67``."""
    hundredths = (mean * 200 + 1) // 2
    return f"{hundredths // 100}.{hundredths % 100:02}"


def own_order(panelist: int, exemplars: Iterable[int]) -> list[int]:
    """The order in which one reviewer reads: the same each time, another for each reviewer, so that coming first or
    last favours nobody."""
    return sorted(exemplars, key=lambda one: hashlib.sha256(f"{panelist}:{one}".encode()).digest())
