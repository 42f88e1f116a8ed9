"""What a benchmark found: one row for each figure, with what it is held against."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass

COLUMNS = ("question", "database", "figure", "value", "beside it, same run", "ratio", "bound", "met")


@dataclass(frozen=True, slots=True)
class Result:
    """``value`` in ``unit``; ``beside`` names a peer or limit measured in the same run, ``beside_value`` in the same
    unit; ``bound`` is what was promised, None where nothing was, and ``met`` whether it holds."""

    question: str
    database: str
    figure: str
    value: float
    unit: str
    beside: str = ""
    beside_value: float | None = None
    bound: str | None = None
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """``value`` by ``beside_value``."""
        return self.value / self.beside_value if self.beside_value else None

    def row(self) -> tuple[str, ...]:
        """The cells of COLUMNS."""
        beside = "" if self.beside_value is None else f"{number(self.beside_value)} {self.unit} · {self.beside}"
        ratio = "" if self.ratio is None else number(self.ratio)
        met = {None: "", True: "yes", False: "NO"}[self.met]
        value = f"{number(self.value)} {self.unit}"
        return self.question, self.database, self.figure, value, beside, ratio, self.bound or "", met

    def record(self) -> dict[str, object]:
        """The row for ``--json``."""
        return {**asdict(self), "ratio": self.ratio}


def number(value: float) -> str:
    """Three digits that count, thousands grouped."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def written(results: Sequence[Result]) -> str:
    """The table as Markdown that also reads well in a terminal."""
    rows = [COLUMNS, *(result.row() for result in results)]
    widths = [max(_width(row[n]) for row in rows) for n in range(len(COLUMNS))]
    lines = ["| " + " | ".join(_padded(row[n], widths[n]) for n in range(len(COLUMNS))) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
