"""表头 and 个人信息: where the columns of a sheet stand, and what in it must not enter, wherever it stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from policy_models import workbook_cells as cells
from policy_models.errors import Finding
from policy_models.plan import Requirement
from policy_models.privacy import redact, screen
from policy_models.workbook import (
    DIGEST,
    KEY,
    LEADING,
    MARK,
    PERIOD,
    UNIT,
    CellFault,
    Column,
    Raw,
    ReadSheet,
    columns_of,
)

HEADER_WITHIN = 10  # rows from the top in which the header may stand
BREAKS = str.maketrans(dict.fromkeys("\t\n\r\x0b\x0c\x85\u2028\u2029", " "))


@dataclass
class Head:
    """The header row (from 1) and where each title stands (from 0)."""

    row: int
    places: dict[str, int]
    doubled: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, sheet: ReadSheet) -> Head | None:
        for number, row in enumerate(sheet.rows[:HEADER_WITHIN], 1):
            titles = [cells.text(raw) for raw in row]
            if KEY.title in titles:
                found = cls(number, {})
                for place, title in enumerate(titles):
                    if title in found.places:
                        found.doubled.append((place, title))
                    elif title:
                        found.places[title] = place
                return found
        return None

    def raw(self, row: Sequence[Raw], column: Column) -> Raw:
        place = self.places.get(column.title)
        return row[place] if place is not None and place < len(row) else None

    def key(self, row: Sequence[Raw]) -> str:
        return cells.text(self.raw(row, KEY))

    def place(self, column: Column) -> int:
        """Where to tell something about a column (from 1); the unit's where it has none, as keys are out of sight."""
        return self.places.get(column.title, self.places.get(UNIT.title, self.places[KEY.title])) + 1

    def faults(self, sheet: ReadSheet, own: Requirement | None) -> Iterator[CellFault]:
        wanted = columns_of(own) if own else LEADING
        for column in wanted:
            if column.title not in self.places and (column.needed or column in (UNIT, PERIOD)):
                reason = f"表头缺少“{column.title}”列，请恢复表头或重新下载"
                yield CellFault(sheet.name, self.row, self.place(UNIT), "表头", "", reason)
        for place, title in self.doubled:
            if title in {column.title for column in wanted}:
                yield CellFault(sheet.name, self.row, place + 1, "表头", title, f"表头重复：“{title}”只能有一列")

    def strangers(self, sheet: ReadSheet, own: Requirement | None) -> Iterator[str]:
        if own is None:
            return
        known = {column.title for column in columns_of(own)} | {MARK}
        yield from (f"工作表“{sheet.name}”的“{redact(title)}”列" for title in self.places if title not in known)


def personal(sheet: ReadSheet) -> Iterator[CellFault]:
    """Every cell with something that must not enter: by itself, or by the head of its column. ``shown`` is masked."""
    head = Head.of(sheet)
    titles = {place: title for title, place in head.places.items()} if head else {}
    ours = {head.places[title] for title in (KEY.title, DIGEST.title) if title in head.places} if head else set()
    text, starts, places = _laid_out(sheet, ours)
    met: dict[tuple[int, int], list[Finding]] = {}
    for finding in screen(text):
        if finding.blocks:
            first, last = bisect_right(starts, finding.start) - 1, bisect_right(starts, finding.end - 1) - 1
            for at in range(first, last + 1):
                met.setdefault(places[at], []).append(finding)
    for (row, column), findings in met.items():
        kinds, samples = (
            "、".join(dict.fromkeys(told)) for told in ([f.why for f in findings], [f.sample for f in findings])
        )
        title = redact(titles.get(column, ""))
        yield CellFault(sheet.name, row, column + 1, title, samples, f"有{kinds}，请删去；系统只记数量", private=True)


def _laid_out(sheet: ReadSheet, ours: set[int]) -> tuple[str, list[int], list[tuple[int, int]]]:
    """The sheet as lines of cells with tabs between, where each cell starts, and which it is (row from 1, column from
    0). Our own keys are left out: they are long numbers that name units."""
    starts: list[int] = []
    places: list[tuple[int, int]] = []
    parts: list[str] = []
    length = 0
    for number, row in enumerate(sheet.rows, 1):
        for place, raw in enumerate(row):
            told = "" if place in ours else cells.text(raw).translate(BREAKS)
            starts.append(length)
            places.append((number, place))
            parts.append(told)
            parts.append("\t" if place < len(row) - 1 else "\n")
            length += len(told) + 1
    return "".join(parts), starts, places
