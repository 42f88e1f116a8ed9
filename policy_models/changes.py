"""What changed between two texts, word by word and character by character: for a reviewer who has read the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "added", "removed"]
WORDS = re.compile(r"[0-9A-Za-z.,%]+|\s+|.", re.DOTALL)
MOST_TOKENS = 4_000  # of one changed passage: beyond that the comparison would take seconds, and tell nothing
SHORTEST_SAME = 2  # characters: a single one that happens to be in both is noise


@dataclass(frozen=True, slots=True)
class Change:
    """A run of text: in both (same), only in the new one (added), only in the old one (removed)."""

    kind: Kind
    text: str


def changes(before: str, after: str) -> tuple[Change, ...]:
    """The runs of both texts in order. All but ``added`` make up ``before``, all but ``removed`` make up ``after``."""
    return tuple(_merged(_by_lines(before, after)))


def _by_lines(before: str, after: str) -> Iterator[Change]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        removed, added = "".join(old[a:b]), "".join(new[c:d])
        if tag == "equal":
            yield Change("same", removed)
        elif tag == "replace":
            yield from _by_words(removed, added)
        else:
            yield from _replaced(removed, added)


def _by_words(before: str, after: str) -> Iterator[Change]:
    old, new = WORDS.findall(before), WORDS.findall(after)
    if len(old) + len(new) > MOST_TOKENS:
        yield from _replaced(before, after)
        return
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (tag, a, b, c, d) in enumerate(opcodes):
        removed, added = "".join(old[a:b]), "".join(new[c:d])
        inside = 0 < place < len(opcodes) - 1
        if tag == "equal" and not (inside and len(removed.strip()) < SHORTEST_SAME):
            yield Change("same", removed)
        else:
            yield from _replaced(removed, added)


def _replaced(removed: str, added: str) -> Iterator[Change]:
    if removed:
        yield Change("removed", removed)
    if added:
        yield Change("added", added)


def _merged(runs: Iterator[Change]) -> Iterator[Change]:
    """Runs of the same kind as one; between two that are the same, what was removed stands before what was added."""
    waiting: list[Change] = []
    for run in runs:
        if run.kind == "same":
            yield from _ordered(waiting)
            waiting = []
            yield run
        else:
            waiting.append(run)
    yield from _ordered(waiting)


def _ordered(runs: Sequence[Change]) -> Iterator[Change]:
    yield from _replaced(
        "".join(run.text for run in runs if run.kind == "removed"),
        "".join(run.text for run in runs if run.kind == "added"),
    )
