"""The lines of the privacy corpus."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LINES = Path(__file__).with_name("privacy_lines.tsv")
ESCAPED = re.compile(r"\\(t|n|u[0-9a-f]{4})")


@dataclass(frozen=True)
class Line:
    """``expected``: block, warn or pass; ``value``: what must be found in ``text``, as it stands there."""

    expected: str
    kind: str
    value: str
    text: str

    @property
    def blocks(self) -> bool:
        return self.expected == "block"


def corpus() -> list[Line]:
    rows = [row for row in LINES.read_text("utf-8").split("\n") if row and not row.startswith("#")]
    return [
        Line(expected, kind, plain(value), plain(text)) for expected, kind, value, text in (r.split("\t") for r in rows)
    ]


def plain(written: str) -> str:
    return ESCAPED.sub(lambda found: {"t": "\t", "n": "\n"}.get(found[1]) or chr(int(found[1][1:], 16)), written)


def found_lines() -> list[Line]:
    return [line for line in corpus() if line.expected != "pass"]


def clean_lines() -> list[Line]:
    return [line for line in corpus() if line.expected == "pass"]
