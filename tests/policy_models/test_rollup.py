"""Counts added up: cells, shares, and the light of a cell."""

from __future__ import annotations

import pytest

from policy_models.rollup import Cell, Count, roll_up
from policy_models.timing import Light, Timing

COUNTS = [
    Count("5.4", 5, 2, "150202", Timing.DONE_ON_TIME, 6, 6),
    Count("5.4", 5, 2, "150203", Timing.OVERDUE, 2, 2),
    Count("5.5", 5, 2, "150202", Timing.NOT_STARTED, 8, 0),
    Count("8.5", 8, 3, "150202", Timing.EXEMPT, 5, 5),
    Count("8.5", 8, 3, "150202", Timing.DONE_LATE, 1, 1),
    Count("P2.3", None, 2, "150202", Timing.COUNTED, 4, 4),
]


def test_any_grouping_adds_up() -> None:
    by_task = roll_up(COUNTS, lambda count: count.task)
    assert by_task == {
        5: Cell({Timing.DONE_ON_TIME: 6, Timing.OVERDUE: 2, Timing.NOT_STARTED: 8}, 8),
        8: Cell({Timing.EXEMPT: 5, Timing.DONE_LATE: 1}, 1),
        None: Cell({Timing.COUNTED: 4}, 0),
    }
    whole = roll_up(COUNTS, lambda _: "")[""]
    assert sum(whole.by_timing.values()) == sum(count.n for count in COUNTS)
    assert roll_up([], lambda count: count.task) == {}


def test_shares() -> None:
    five, eight, phase = roll_up(COUNTS, lambda count: count.task).values()
    assert (five.expected, five.done, five.late, five.share_done, five.share_due) == (16, 6, 2, 0.375, 0.5)
    assert (eight.expected, eight.done, eight.share_done, eight.share_due) == (1, 1, 1.0, 1.0)
    assert (phase.expected, phase.share_done, phase.share_due) == (0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("by_timing", "light"),
    [
        ({}, Light.GREY),
        ({Timing.EXEMPT: 3, Timing.COUNTED: 1}, Light.GREY),
        ({Timing.NOT_STARTED: 3}, Light.GREY),
        ({Timing.BACKFILL: 3}, Light.GREY),
        ({Timing.NOT_STARTED: 3, Timing.ON_TRACK: 1}, Light.GREEN),
        ({Timing.UNDER_REVIEW: 1}, Light.GREEN),
        ({Timing.DONE_LATE: 3, Timing.EXEMPT: 1}, Light.BLUE),
        ({Timing.DONE_ON_TIME: 3, Timing.NOT_STARTED: 1}, Light.GREEN),
        ({Timing.ON_TRACK: 19, Timing.DUE_SOON: 1}, Light.YELLOW),
        ({Timing.ON_TRACK: 20, Timing.DUE_SOON: 1}, Light.GREEN),
        ({Timing.ON_TRACK: 19, Timing.OVERDUE: 1}, Light.ORANGE),
        ({Timing.ON_TRACK: 19, Timing.LONG_OVERDUE: 1}, Light.RED),
        ({Timing.ON_TRACK: 38, Timing.OVERDUE: 1, Timing.LONG_OVERDUE: 1}, Light.ORANGE),
        ({Timing.ON_TRACK: 39, Timing.OVERDUE: 1}, Light.ORANGE),
        ({Timing.OVERDUE: 1}, Light.ORANGE),
    ],
)
def test_the_light_of_a_cell(by_timing: dict[Timing, int], light: Light) -> None:
    assert Cell(by_timing).light is light
