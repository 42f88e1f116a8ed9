"""What an IMAP server answers, taken apart: groups of text and literals, and the structure of a letter (RFC 3501)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Pieces = list[tuple[bytes, bytes]]  # text up to a literal, and the literal; the last has b"" for one
Tree = list["Tree | bytes"]
TOKEN = re.compile(rb'\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"]+', re.DOTALL)
QUOTED = re.compile(rb'BODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"')
DEEPEST = 40  # levels of parts in parts


@dataclass(frozen=True, slots=True)
class PartPlace:
    """A part of a letter: its number ("1.2"), its media type, and its size in bytes as it travels."""

    place: str
    media_type: str
    encoding: str
    size: int


def groups(answer: Sequence[object]) -> Iterator[Pieces]:
    """The answers to a FETCH, one for each letter: imaplib hands them over cut at every literal."""
    pieces: Pieces = []
    for one in answer:
        if isinstance(one, tuple):
            pieces.append((one[0], one[1]))
        elif isinstance(one, bytes):
            yield [*pieces, (one, b"")]
            pieces = []


def text_of(pieces: Pieces) -> tuple[str, list[bytes]]:
    """All that stands around the literals, and what the answer carries: literals, or a short string in quotes."""
    text = b" ".join(text for text, _ in pieces).decode("ascii", "replace")
    if len(pieces) == 1 and (quoted := QUOTED.search(pieces[0][0])):
        return text, [re.sub(rb"\\(.)", rb"\1", quoted[1])]
    return text, [literal for _, literal in pieces[:-1]]


def part_places(pieces: Pieces) -> tuple[PartPlace, ...]:
    """The parts of a letter that are not themselves made of parts, by its BODYSTRUCTURE; () when it cannot be read."""
    items = next((one for one in _tree(_tokens(pieces)) if isinstance(one, list)), [])
    for name, value in itertools.pairwise(items):
        if isinstance(name, bytes) and name.upper() == b"BODYSTRUCTURE" and isinstance(value, list):
            return tuple(_places(value, ""))
    return ()


def _places(structure: Tree, place: str) -> Iterator[PartPlace]:
    if structure and isinstance(structure[0], list):
        children = [one for one in structure if isinstance(one, list)]
        kinds = next((n for n, one in enumerate(structure) if not isinstance(one, list)), len(structure))
        for number, child in enumerate(children[:kinds], 1):
            yield from _places(child, f"{place}.{number}" if place else str(number))
        return
    if len(structure) < 7 or not all(isinstance(structure[n], bytes) for n in (0, 1, 5, 6)):
        return
    main, sub, encoding, size = (bytes(structure[n]).decode("ascii", "replace").lower() for n in (0, 1, 5, 6))  # type: ignore[arg-type]
    inside = structure[8] if main == "message" and sub == "rfc822" and len(structure) > 8 else None
    # a letter in the letter: its parts are numbered below it
    below = []
    if isinstance(inside, list) and inside:
        below = list(_places(inside, place if isinstance(inside[0], list) else f"{place or '1'}.1"))
    yield from below or [PartPlace(place or "1", f"{main}/{sub}", encoding, int(size) if size.isdigit() else 0)]


def _tokens(pieces: Pieces) -> Iterator[bytes | tuple[bytes]]:
    """Marks and words; quoted strings and literals come as a tuple, so that a quoted "(" opens nothing."""
    for text, literal in pieces:
        is_literal = re.search(rb"\{\d+\}$", text)
        for token in TOKEN.findall(text[: is_literal.start()] if is_literal else text):
            yield (re.sub(rb"\\(.)", rb"\1", token[1:-1]),) if token.startswith(b'"') else token
        if is_literal:
            yield (literal,)


def _tree(tokens: Iterable[bytes | tuple[bytes]]) -> Tree:
    root: Tree = []
    open_lists: list[Tree] = [root]
    for token in tokens:
        if token == b"(":
            inner: Tree = []
            if len(open_lists) > DEEPEST:
                return []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif token == b")":
            if len(open_lists) > 1:
                open_lists.pop()
        else:
            open_lists[-1].append(token[0] if isinstance(token, tuple) else token)
    return root
