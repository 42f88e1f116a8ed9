"""What the commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

# What is printed are sentences and data, never markup: brackets in a path stay, and a sentence stays on one line.
screen = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
progress_screen = Console(stderr=True)


def print_json(value: Any) -> None:
    """JSON as UTF-8 on standard output; lists one element a line, so that long ones can be read and compared."""
    if isinstance(value, list):
        lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in value)
        sys.stdout.write(f"[\n{lines}\n]\n" if value else "[]\n")
    else:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    table = Table(*headers, title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    screen.print(table, soft_wrap=False)
