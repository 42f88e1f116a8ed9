"""Lunar festivals against published dates."""

from __future__ import annotations

from datetime import date

import pytest

from policy_models.errors import NotFound
from policy_models.festivals import Festival, festival_date, lunar_date, statutory_days

PUBLISHED = {
    Festival.SPRING_FESTIVAL: ["2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06"],
    Festival.MID_AUTUMN: ["2024-09-17", "2025-10-06", "2026-09-25"],
    Festival.DRAGON_BOAT: ["2024-06-10", "2025-05-31", "2026-06-19"],
    Festival.QINGMING: ["2024-04-04", "2025-04-04", "2026-04-05"],
}


@pytest.mark.parametrize("festival", PUBLISHED)
def test_festivals_fall_where_they_were_published(festival: Festival) -> None:
    dates = [date.fromisoformat(text) for text in PUBLISHED[festival]]
    assert [festival_date(festival, day.year) for day in dates] == dates


def test_the_law_gives_thirteen_days() -> None:
    assert sum(len(statutory_days(festival, 2027)) for festival in Festival) == 13
    assert statutory_days(Festival.SPRING_FESTIVAL, 2027) == tuple(date(2027, 2, day) for day in (5, 6, 7, 8))
    assert statutory_days(Festival.LABOUR_DAY, 2027) == (date(2027, 5, 1), date(2027, 5, 2))


def test_a_lunar_day_that_is_not_there() -> None:
    assert lunar_date(2024, 12, 29) == date(2025, 1, 28)
    with pytest.raises(NotFound, match=r"^农历2024年没有12月30日$"):
        lunar_date(2024, 12, 30)
    with pytest.raises(NotFound, match=r"没有1900年$"):
        lunar_date(1900, 1, 1)
