"""Long texts in parts that a channel takes: cut between lines, and inside a line only where it alone is too long, never
inside a character."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

Cost = Callable[[str], int]
JOINS = {"\u200d", "\ufe0e", "\ufe0f"}  # belong to the character before them


def split(lines: Sequence[str], most: int, cost: Cost) -> list[list[str]]:
    """The lines in as few parts as it takes, each of at most ``most`` bytes. ``cost`` of a line: its bytes as they
    travel, with what separates it from the next. A part neither begins nor ends with an empty line."""
    parts: list[list[str]] = [[]]
    used = 0
    for line in (piece for whole in lines for piece in _pieces(whole, most, cost)):
        if parts[-1] and used + cost(line) > most:
            parts.append([])
            used = 0
        if line or parts[-1]:
            parts[-1].append(line)
            used += cost(line)
    return [part for part in map(_trimmed, parts) if part]


def _trimmed(part: list[str]) -> list[str]:
    end = len(part)
    while end and not part[end - 1]:
        end -= 1
    return part[:end]


def _pieces(line: str, most: int, cost: Cost) -> list[str]:
    pieces = []
    while cost(line) > most:
        low, high = 1, len(line)
        while low < high:  # the longest beginning that fits
            middle = (low + high + 1) // 2
            low, high = (middle, high) if cost(line[:middle]) <= most else (low, middle - 1)
        place = low
        while place > 1 and _continues(line[place]):
            place -= 1
        pieces.append(line[:place])
        line = line[place:]
    return [*pieces, line]


def _continues(character: str) -> bool:
    return (
        character in JOINS or unicodedata.combining(character) != 0 or unicodedata.category(character) in ("Mn", "Me")
    )
