"""盲评: means, places and ties; each reviewer's own order."""

from collections import Counter
from fractions import Fraction

import pytest

from policy_models.scoring import Ranked, decimal_words, mean_of, own_order, ranked


@pytest.mark.parametrize(
    ("points", "mean"),
    [
        ([], None),
        ([80], Fraction(80)),
        ([80, 81], Fraction(161, 2)),
        ([0, 90, 90, 100], Fraction(70)),  # four: all count
        ([0, 90, 90, 90, 100], Fraction(90)),  # five: one highest and one lowest do not
        ([100, 100, 100, 0, 0], Fraction(200, 3)),  # only one of several highest and lowest
        ([70] * 9, Fraction(70)),
    ],
)
def test_mean(points: list[int], mean: Fraction | None) -> None:
    assert mean_of(points) == mean


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (Fraction(200, 3), "66.67"),
        (Fraction(100), "100.00"),
        (Fraction(0), "0.00"),
        (Fraction(1, 200), "0.01"),
        (Fraction(161, 2), "80.50"),
        (Fraction(1, 3), "0.33"),
    ],
)
def test_decimals(mean: Fraction, words: str) -> None:
    assert decimal_words(mean) == words


def test_equals_share_a_place_and_the_unscored_stand_last() -> None:
    rows = ranked({4: [80, 90], 1: [85], 2: [], 3: [100], 5: [0, 10], 6: [5, 5]})
    assert [(row.exemplar, row.place, row.tied) for row in rows] == [
        (3, 1, False),
        (1, 2, True),
        (4, 2, True),
        (5, 4, True),
        (6, 4, True),
        (2, None, False),
    ]


def test_means_that_look_alike_are_no_tie() -> None:
    close = ranked({1: [67, 67, 66], 2: [200 // 3, 67, 67, 67, 66, 67, 66]})
    assert [row.tied for row in close] == [False, False]


def test_what_was_left_out_is_told() -> None:
    [row] = ranked({1: [60, 90, 70, 80, 100]})
    assert row == Ranked(1, (100, 90, 80, 70, 60), Fraction(80), 1, False, True)


def test_each_reviewer_reads_in_an_order_of_their_own() -> None:
    exemplars = list(range(1, 13))
    orders = {panelist: own_order(panelist, exemplars) for panelist in range(1, 201)}
    assert all(sorted(order) == exemplars for order in orders.values())
    assert orders[1] == own_order(1, reversed(exemplars))
    assert len({tuple(order) for order in orders.values()}) == 200
    first = Counter(order[0] for order in orders.values())
    assert max(first.values()) < 40  # 200/12 is 17: nobody is always first
    assert len(first) == 12
