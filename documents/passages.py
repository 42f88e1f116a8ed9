"""What a file says, as one text, with the way back to where each piece of it stands in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

TEXT, TAIL, CELL = "<text>", "<tail>", "<cell>"  # where in an element; else the name of an attribute
NO_BREAKS = str.maketrans("\n\r\t\v\f", "     ")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A piece that stands at [start, end) of the text: in which element, and where in it."""

    start: int
    end: int
    element: Any
    place: str


@dataclass(slots=True)
class Passages:
    """A text that grows; ``leaves`` in order of the text."""

    pieces: list[str] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    length: int = 0

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def add(self, words: str, element: Any = None, place: str = TEXT, *, flat: bool = False) -> None:
        """``flat``: without line ends and tabs, since it stands in a cell; character for character all the same."""
        if not words:
            return
        if element is not None:
            self.leaves.append(Leaf(self.length, self.length + len(words), element, place))
        self.pieces.append(words.translate(NO_BREAKS) if flat else words)
        self.length += len(words)

    def line(self, words: str, element: Any = None, place: str = TEXT) -> None:
        self.add(words, element, place)
        self.end_line()

    def end_line(self) -> None:
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.add("\n")

    def parts(self, spans: Sequence[tuple[int, int]]) -> dict[tuple[Any, str], list[tuple[int, int]]]:
        """Where these spans of the text stand: by element and place, as spans of what stands there."""
        starts = [leaf.start for leaf in self.leaves]
        found: dict[tuple[Any, str], list[tuple[int, int]]] = {}
        for start, end in spans:
            n = max(0, bisect_right(starts, start) - 1)
            while n < len(self.leaves) and self.leaves[n].start < end:
                leaf = self.leaves[n]
                if leaf.end > start:
                    inside = (max(start, leaf.start) - leaf.start, min(end, leaf.end) - leaf.start)
                    found.setdefault((leaf.element, leaf.place), []).append(inside)
                n += 1
        return found
