"""走势: what charts show, as plain numbers: how far the work is day by day, whether it came in time, when it piles up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from policy_models.timing import DONE, NOT_EXPECTED, Timing

DAY, WEEK = timedelta(days=1), timedelta(days=7)
BANDS = 5


class Step(StrEnum):
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Point:
    """At the end of a civil day: how many items had a deadline by then, and how many were accepted by then (None after
    the day that is looked from)."""

    day: date
    due: int
    accepted: int | None


@dataclass(frozen=True, slots=True)
class BurnUp:
    """办结 against 序时进度 from ``first`` to ``last``; ``total``: all that is expected in the end."""

    first: date
    last: date
    as_of: date
    total: int
    points: tuple[Point, ...]

    @property
    def standing(self) -> Point | None:
        """Where it stands on the day that is looked from; None before it begins."""
        return next((one for one in reversed(self.points) if one.accepted is not None), None)


def burn_up(
    span: tuple[date, date], as_of: date, due: Mapping[date, int], accepted: Mapping[date, int], step: Step
) -> BurnUp:
    """The curves from counts by day. They run on behind the span as far as anything was accepted after it."""
    first, last = span
    last = max([last, *(day for day in accepted if day <= as_of)])
    days = _ends(first, last, as_of, step)
    sums = zip(_running(due, days), _running(accepted, days), strict=True)
    points = (
        Point(day, by_then, done if day <= as_of else None) for day, (by_then, done) in zip(days, sums, strict=True)
    )
    return BurnUp(first, last, as_of, sum(due.values()), tuple(points))


def _ends(first: date, last: date, as_of: date, step: Step) -> list[date]:
    """The days that have a point: each, or each Sunday; the first, the last and the one that is looked from always."""
    whole = [first + number * DAY for number in range((last - first).days + 1)]
    fixed = {first, last, as_of}
    return [day for day in whole if step is Step.DAY or day.isoweekday() == 7 or day in fixed]


def _running(counts: Mapping[date, int], days: list[date]) -> Iterator[int]:
    ordered, sum_, place = sorted(counts), 0, 0
    for day in days:
        while place < len(ordered) and ordered[place] <= day:
            sum_ += counts[ordered[place]]
            place += 1
        yield sum_


@dataclass(frozen=True, slots=True)
class Half:
    """A half of a calendar year: ``2025-H1``."""

    code: str
    first: date
    last: date

    @property
    def name(self) -> str:
        return f"{self.first.year}年{'上' if self.first.month == 1 else '下'}半年"


def halves(first: date, last: date) -> tuple[Half, ...]:
    """The halves of years that share a day with the span."""
    found = [
        half
        for year in range(first.year, last.year + 1)
        for half in (
            Half(f"{year}-H1", date(year, 1, 1), date(year, 6, 30)),
            Half(f"{year}-H2", date(year, 7, 1), date(year, 12, 31)),
        )
    ]
    return tuple(half for half in found if half.first <= last and half.last >= first)


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Items whose deadline has come: accepted and handed in on time, accepted and handed in late, waiting for review, or
    not handed in. ``before``: those dated before go-live, which are neither on time nor late (补录)."""

    on_time: int = 0
    late: int = 0
    waiting: int = 0
    missing: int = 0
    before: int = 0

    @property
    def total(self) -> int:
        return self.on_time + self.late + self.waiting + self.missing

    @property
    def share(self) -> float:
        """及时率, 0 to 1: on time of all whose deadline has come; 0 where there are none."""
        return self.on_time / self.total if self.total else 0.0


def punctuality(counts: Iterable[tuple[Timing, int]]) -> Punctuality:
    """Counts by timing of items whose deadline has come, told apart."""
    on_time = late = waiting = missing = before = 0
    for timing, n in counts:
        if timing in (Timing.BACKFILL, Timing.BACKFILLED):
            before += n
        elif timing is Timing.DONE_ON_TIME:
            on_time += n
        elif timing in DONE:
            late += n
        elif timing is Timing.UNDER_REVIEW:
            waiting += n
        elif timing not in NOT_EXPECTED:
            missing += n
    return Punctuality(on_time, late, waiting, missing, before)


def monday(day: date) -> date:
    """The Monday of the week a day lies in."""
    return day - (day.isoweekday() - 1) * DAY


def mondays(first: date, number: int) -> tuple[date, ...]:
    """So many weeks from the one that a day lies in, by their Mondays."""
    return tuple(monday(first) + place * WEEK for place in range(number))


def band(n: int, most: int) -> int:
    """How dark a cell is: 0 for nothing, else 1 to BANDS in equal steps up to the largest number of the chart."""
    return 0 if n <= 0 or most <= 0 else -(-n * BANDS // most)
