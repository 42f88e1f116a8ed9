"""What a subscriber chose, as it stands in the address of a feed: not secret, and never an error to a poll. Pure.

``alarm``: ``off``, or how many days before the last work day it rings at 09:00 (default 0) · ``kind=todo``: to-dos
instead of events · ``open=1``: only what is owed · ``tasks=5,6`` · ``levels=county,village`` · ``holidays=1``: days off
and make-up work days as well. What cannot be read is taken as if it were not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qs

from policy_models.feeds import Choice, Component
from policy_models.plan import Level
from policy_models.units import LEVEL_NAMES

MOST_DAYS = 30
LONGEST = 500  # octets of a query that is read at all
NO, YES = frozenset({"off", "no", "none", "false"}), frozenset({"1", "on", "yes", "true"})


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """``alarm``: days before the last work day, None for no alarm."""

    alarm: int | None = 0
    choice: Choice = field(default_factory=Choice)


@lru_cache(maxsize=4096)
def read_options(query: bytes) -> FeedOptions:
    """The options of an address's query."""
    if not query or len(query) > LONGEST:
        return FeedOptions()
    given = parse_qs(query.decode("latin-1"), encoding="utf-8", errors="replace", max_num_fields=None)
    last = {name: values[-1].strip().lower() for name, values in given.items()}
    tasks = tuple(sorted({number for part in last.get("tasks", "").split(",") if (number := _number(part, 99))}))
    wanted = {part.strip() for part in last.get("levels", "").split(",")}
    return FeedOptions(
        _alarm(last.get("alarm", "")),
        Choice(
            component=Component.TODO if last.get("kind") == "todo" else Component.EVENT,
            open_only=last.get("open") in YES,
            tasks=tasks,
            levels=tuple(level for level in Level if {level.value, LEVEL_NAMES[level]} & wanted),
            holidays=last.get("holidays") in YES,
        ),
    )


def _alarm(text: str) -> int | None:
    if text in NO:
        return None
    return _number(text, MOST_DAYS) or 0


def _number(text: str, most: int) -> int | None:
    """A whole number as people write it, full-width digits too, up to ``most``; None for anything else."""
    clean = text.strip()
    if not clean.isdecimal() or len(clean) > 4:
        return None
    number = int(clean)
    return number if number <= most else None
