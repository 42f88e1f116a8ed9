"""负担 drawn: a strip of weeks for each place, and the table behind it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.chart_table import ChartTable
from documents.cells import Cell
from ledger.queries.grounds import Place
from policy_models.series import BANDS, DAY, WEEK, band
from policy_models.spans import month_day

Counts = Mapping[tuple[str, date], int]


@dataclass(frozen=True, slots=True)
class Load:
    """``n`` items in a week; ``band``: how dark, 0 to 5."""

    n: int
    band: int


@dataclass(frozen=True, slots=True)
class LoadLine:
    place: Place
    loads: tuple[Load, ...]
    total: int


@dataclass(frozen=True, slots=True)
class BurdenView:
    """``weeks``: their Mondays; ``sums``: of all places, ``heights`` the same as per cent of the largest; ``most``: the
    largest number of one cell, which the darkest band stands for."""

    weeks: tuple[date, ...]
    lines: tuple[LoadLine, ...]
    sums: tuple[int, ...]
    heights: tuple[int, ...]
    most: int

    @property
    def words(self) -> str:
        if not any(self.sums):
            return "这段时间没有到期事项。"
        place = max(range(len(self.weeks)), key=lambda number: self.sums[number])
        top = max(self.lines, key=lambda line: line.loads[place].n)
        week = f"{month_day(self.weeks[place])}至{month_day(self.weeks[place] + WEEK - DAY)}"
        most = f"{top.place.name}最多，{top.loads[place].n} 件"
        return f"到期最集中的一周是{week}，共 {self.sums[place]} 件，其中{most}。"

    @property
    def bands(self) -> tuple[tuple[int, int, int], ...]:
        """Each band that a number can fall into, with the least and the largest of them."""
        tops = [self.most * number // BANDS for number in range(BANDS + 1)]
        found = ((number, tops[number - 1] + 1, tops[number]) for number in range(1, BANDS + 1))
        return tuple(one for one in found if one[1] <= one[2])

    @property
    def months(self) -> tuple[tuple[str, int], ...]:
        """The months that the weeks begin in, each with how many columns it spans."""
        found: list[tuple[str, int]] = []
        for week in self.weeks:
            name = f"{week.year}年{week.month}月"
            if found and found[-1][0] == name:
                found[-1] = (name, found[-1][1] + 1)
            else:
                found.append((name, 1))
        return tuple(found)


def burden_view(counts: Counts, places: Sequence[Place], weeks: tuple[date, ...]) -> BurdenView:
    """The places in their order; one without anything due in these weeks has no row."""
    most = max(counts.values(), default=0)
    lines = []
    for place in places:
        numbers = [counts.get((place.code, week), 0) for week in weeks]
        if any(numbers):
            lines.append(LoadLine(place, tuple(Load(n, band(n, most)) for n in numbers), sum(numbers)))
    sums = tuple(sum(line.loads[number].n for line in lines) for number in range(len(weeks)))
    peak = max(sums, default=0)
    return BurdenView(weeks, tuple(lines), sums, tuple(-(-n * 100 // peak) if peak else 0 for n in sums), most)


def burden_table(view: BurdenView, title: str, line: str) -> ChartTable:
    columns = (("单位", 24), ("合计", 8), *((f"{week:%m-%d}至{week + WEEK - DAY:%m-%d}", 12) for week in view.weeks))
    rows: list[tuple[Cell, ...]] = [(one.place.name, one.total, *(load.n for load in one.loads)) for one in view.lines]
    if rows:
        rows.append(("合计", sum(view.sums), *view.sums))
    return ChartTable("到期分布", title, line, columns, tuple(rows))
