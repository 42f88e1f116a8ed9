"""看板的数: flat counts become cells with progress and a light, for any grouping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from policy_models.timing import DONE, LATE, NOT_EXPECTED, Light, Timing

# Orange as soon as anything is late; red and yellow when at least this share of what is in hand (opened and not yet
# done) stands so, else every light of a city with 855 villages would be red for ever.
LIGHT_SHARE = 0.05
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Count:
    """``n`` items of one requirement in one phase and county, standing at ``timing``; ``due`` of them by now."""

    requirement: str
    task: int | None
    phase: int
    county: str
    timing: Timing
    n: int
    due: int


@dataclass(frozen=True)
class Cell:
    """Counts of one cell by timing. ``expected`` leaves out the exempt and the merely counted. What a page asks of a cell
    again and again is worked out once."""

    by_timing: Mapping[Timing, int] = field(default_factory=dict)
    due: int = 0

    def count(self, *timings: Timing) -> int:
        total = 0
        for timing in timings:
            total += self.by_timing.get(timing, 0)
        return total

    @cached_property
    def expected(self) -> int:
        return sum(self.by_timing.values()) - self.count(*NOT_EXPECTED)

    @cached_property
    def done(self) -> int:
        return self.count(*DONE)

    @cached_property
    def late(self) -> int:
        return self.count(*LATE)

    @property
    def share_done(self) -> float:
        """办结率, 0 to 1; 0 for an empty cell."""
        return self.done / self.expected if self.expected else 0.0

    @property
    def share_due(self) -> float:
        """序时进度: the share whose deadline has come, 0 to 1."""
        return min(1.0, self.due / self.expected) if self.expected else 0.0

    @property
    def in_hand(self) -> int:
        """What has opened and is not done."""
        return self.expected - self.done - self.count(Timing.NOT_STARTED, Timing.BACKFILL)

    @cached_property
    def light(self) -> Light:
        """Blue only when all is done; orange when anything is late, red or yellow from LIGHT_SHARE of what is in hand."""
        if not self.expected:
            return Light.GREY
        if self.done == self.expected:
            return Light.BLUE
        bar = self.in_hand * LIGHT_SHARE
        if (red := self.count(Timing.LONG_OVERDUE)) and red >= bar:
            return Light.RED
        if self.late:
            return Light.ORANGE
        if (soon := self.count(Timing.DUE_SOON)) and soon >= bar:
            return Light.YELLOW
        return Light.GREEN if self.in_hand or self.done else Light.GREY


def roll_up(counts: Iterable[Count], key: Callable[[Count], Key]) -> dict[Key, Cell]:
    """Add the counts up by ``key``: one Cell for each value of it that occurs."""
    sums: dict[Key, dict[Timing, int]] = defaultdict(lambda: defaultdict(int))
    due: dict[Key, int] = defaultdict(int)
    for count in counts:
        group = key(count)
        sums[group][count.timing] += count.n
        if count.due and count.timing not in NOT_EXPECTED:
            due[group] += count.due
    return {group: Cell(dict(by_timing), due[group]) for group, by_timing in sums.items()}
