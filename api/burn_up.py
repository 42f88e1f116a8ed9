"""办结进度 drawn: two curves in a field of 1000 by 1000, stretched to whatever width there is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from api.chart_table import ChartTable
from api.words import percent
from documents.cells import Cell
from policy_models.series import BurnUp, Point
from policy_models.spans import full_day

FIELD = 1000
MOST_SPOTS = 180
TENTHS = (10, 15, 20, 25, 30, 40, 50, 60, 80, 100)  # of a power of ten: what a line may stand at
COLUMNS = (
    ("日期", 12),
    ("应办结（到时限）", 16),
    ("已办结", 10),
    ("差额", 10),
    ("序时进度（%）", 13),
    ("办结率（%）", 11),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A word on an axis: ``at`` per cent from the left or the bottom; a ``minor`` one is left out where it is narrow."""

    at: float
    word: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """What a point of the curves says, for a strip of the field from ``left``, ``width`` wide (per cent)."""

    left: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class BurnUpView:
    """``due`` and ``accepted``: points of a line; ``area``: what lies under the accepted; ``today``: per cent from the
    left, None outside."""

    series: BurnUp
    due: str
    accepted: str
    area: str
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    spots: tuple[Spot, ...]
    today: float | None
    words: str


def burn_up_view(series: BurnUp) -> BurnUpView:
    """The curves with their axes and what they say."""
    top = _round_up(max(series.total, 1))
    done = [point for point in series.points if point.accepted is not None]
    due = " ".join(_at(series, point.day, point.due, top) for point in series.points)
    accepted = " ".join(_at(series, point.day, point.accepted or 0, top) for point in done)
    area = ""
    if done:
        left, right = (_across(series, point.day) for point in (done[0], done[-1]))
        area = f"{left:g},{FIELD} {accepted} {right:g},{FIELD}"
    today = _across(series, series.as_of) / 10 if series.first <= series.as_of <= series.last else None
    return BurnUpView(
        series,
        due,
        accepted,
        area,
        tuple(_across_marks(series)),
        tuple(Mark(round(part * 100 / 4, 1), f"{top * part // 4:,}") for part in range(1, 5)),
        tuple(_spots(series)),
        today,
        sentence(series),
    )


def sentence(series: BurnUp) -> str:
    """The chart in one sentence, for those who do not see it and for those in a hurry."""
    if not series.total:
        return "这一范围没有应办事项。"
    here = series.standing
    if here is None:
        return f"尚未开始，共应办 {series.total} 件。"
    rest = series.total - (here.accepted or 0)
    words = (
        f"截至{full_day(here.day)}，已办结 {here.accepted} 件（办结率 {percent((here.accepted or 0) / series.total)}）"
    )
    words += f"，到时限应办结 {here.due} 件（序时进度 {percent(min(1.0, here.due / series.total))}）"
    gap = (here.accepted or 0) - here.due
    words += f"，{'超前' if gap > 0 else '落后'} {abs(gap)} 件" if gap else "，与序时进度持平"
    return f"{words}；全部应办 {series.total} 件，尚余 {rest} 件。"


def burn_up_table(series: BurnUp, title: str, line: str) -> ChartTable:
    return ChartTable("办结进度", title, line, COLUMNS, tuple(_row(series, point) for point in series.points))


def _row(series: BurnUp, point: Point) -> tuple[Cell, ...]:
    done, total = point.accepted, series.total
    shares = (_share(point.due, total), None if done is None else _share(done, total))
    return (point.day, point.due, done, None if done is None else done - point.due, *shares)


def _share(n: int, total: int) -> int:
    return min(100, n * 100 // total) if total else 0


def _across(series: BurnUp, day: date) -> float:
    """A day's end from the left of the field."""
    days = (series.last - series.first).days + 1
    return round(min(max((day - series.first).days + 1, 0), days) / days * FIELD, 1)


def _at(series: BurnUp, day: date, n: int, top: int) -> str:
    return f"{_across(series, day):g},{round(FIELD - n / top * FIELD, 1):g}"


def _round_up(n: int) -> int:
    """The least number of at least ``n`` whose quarters are round."""
    quarter, size = -(-n // 4), 1
    while quarter > 10 * size:
        size *= 10
    return 4 * next(size * tens // 10 for tens in TENTHS if size * tens % 10 == 0 and size * tens >= 10 * quarter)


def _across_marks(series: BurnUp) -> Iterator[Mark]:
    """The years; and where the span is short, its months or quarters between."""
    days = (series.last - series.first).days + 1
    every = 1 if days < 200 else 3 if days < 1000 else 6
    for year in range(series.first.year, series.last.year + 1):
        for month in range(1, 13):
            day = date(year, month, 1)
            if day <= series.first or day > series.last or (month - 1) % every:
                continue
            at = round((day - series.first).days / days * 100, 2)
            yield Mark(at, f"{year}年" if month == 1 else f"{month}月", minor=month != 1)


def _spots(series: BurnUp) -> Iterator[Spot]:
    left, every = 0.0, -(-len(series.points) // MOST_SPOTS)
    for point in series.points[every - 1 :: every]:
        right = _across(series, point.day) / 10
        words = f"{full_day(point.day)}：到时限应办结 {point.due}"
        words += f"，已办结 {point.accepted}" if point.accepted is not None else ""
        yield Spot(round(left, 2), round(right - left, 2), words)
        left = right
